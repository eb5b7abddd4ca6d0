// RUN: tfc-opt %s --tfc-frame-kernels --tfc-generate-contraction=cpu=x86-64-v4 --split-input-file | FileCheck %s

// Accumulators are single vectors: 8 rows of 3 of them.
// CHECK-LABEL: func.func private @linear_tiles(
// CHECK-NOT: tfc.matmul
// CHECK: scf.for
// CHECK: vector.fma {{.*}} : vector<16xf32>
// CHECK-LABEL: func.func private @linear(
// CHECK-SAME: tfc.scratch = #tfc.expr<0>
// CHECK-SAME: tfc.tiles = #tfc.expr<
func.func private @linear(%a: tensor<?x768xf32, #tfc.dims<s0, 768>>, %b: tensor<768x3072xf32>) -> tensor<?x3072xf32, #tfc.dims<s0, 3072>>
    attributes {tfc.kernel, tfc.symbols = ["s0"]} {
  %0 = tfc.matmul %a, %b : tensor<?x768xf32, #tfc.dims<s0, 768>>, tensor<768x3072xf32>
  return %0 : tensor<?x3072xf32, #tfc.dims<s0, 3072>>
}

// -----

// A kernel that is marked as plain is left to the generic road.
// CHECK-LABEL: func.func private @plain_tiles(
// CHECK: tfc.matmul
// CHECK-NOT: vector.fma
func.func private @plain(%a: tensor<4x8xf32>, %b: tensor<8x16xf32>) -> tensor<4x16xf32> attributes {tfc.kernel, tfc.plain, tfc.symbols = []} {
  %0 = tfc.matmul %a, %b : tensor<4x8xf32>, tensor<8x16xf32>
  return %0 : tensor<4x16xf32>
}

// -----

// Doubles take the generic road.
// CHECK-LABEL: func.func private @doubles_tiles(
// CHECK: tfc.matmul
// CHECK-NOT: vector.fma
func.func private @doubles(%a: tensor<4x8xf64>, %b: tensor<8x16xf64>) -> tensor<4x16xf64> attributes {tfc.kernel, tfc.symbols = []} {
  %0 = tfc.matmul %a, %b : tensor<4x8xf64>, tensor<8x16xf64>
  return %0 : tensor<4x16xf64>
}

// -----

// What is stored as another type, or at other places, is made in scratch.
// CHECK-LABEL: func.func private @stored_tiles(
// CHECK: vector.fma
// CHECK: arith.truncf {{.*}} : f32 to f16
// CHECK: memref.store {{.*}} : memref<?xf16>
// CHECK-NOT: tfc.transpose
// CHECK-NOT: tfc.cast
// CHECK-LABEL: func.func private @stored(
func.func private @stored(%a: tensor<?x64xf32, #tfc.dims<s0, 64>>, %b: tensor<64x64xf32>) -> tensor<64x?xf16, #tfc.dims<64, s0>> attributes {tfc.kernel, tfc.symbols = ["s0"]} {
  %0 = tfc.matmul %a, %b : tensor<?x64xf32, #tfc.dims<s0, 64>>, tensor<64x64xf32>
  %1 = tfc.cast %0 : tensor<?x64xf32, #tfc.dims<s0, 64>> -> tensor<?x64xf16, #tfc.dims<s0, 64>>
  %2 = tfc.transpose %1 [1, 0] : tensor<?x64xf16, #tfc.dims<s0, 64>>
  return %2 : tensor<64x?xf16, #tfc.dims<64, s0>>
}

// -----

// A long K of a packed weight is gone through in slices, for four panels at a time; the sums of 128 rows wait in scratch.
// CHECK-LABEL: func.func private @sliced_tiles(
// CHECK: vector.store {{.*}} : memref<?xf32>, vector<16xf32>
// CHECK: scf.for %[[SLICE:.*]] = {{.*}} {
// CHECK: %[[DEPTH:.*]] = arith.constant 1024 : index
// CHECK: arith.muli %[[SLICE]], %[[DEPTH]] : index
// CHECK: vector.fma {{.*}} : vector<16xf32>
// CHECK-LABEL: func.func private @sliced(
// CHECK-SAME: tfc.scratch = #tfc.expr<98304>
func.func private @sliced(%a: tensor<?x3072xf32, #tfc.dims<s0, 3072>>, %p: tensor<16x3072x48xf32>) -> tensor<?x768xf32, #tfc.dims<s0, 768>>
    attributes {tfc.kernel, tfc.symbols = ["s0"]} {
  %0 = tfc.transpose %p [1, 0, 2] : tensor<16x3072x48xf32>
  %1 = tfc.reshape %0 : tensor<3072x16x48xf32> -> tensor<3072x768xf32>
  %2 = tfc.matmul %a, %1 : tensor<?x3072xf32, #tfc.dims<s0, 3072>>, tensor<3072x768xf32>
  return %2 : tensor<?x768xf32, #tfc.dims<s0, 768>>
}
