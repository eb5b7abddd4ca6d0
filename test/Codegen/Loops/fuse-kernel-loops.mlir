// RUN: tfc-opt %s --tfc-frame-kernels --tfc-convert-to-linalg --reconcile-unrealized-casts --canonicalize --tfc-fuse-kernel-loops --split-input-file | FileCheck %s

// A chain of elementwise ops is one loop nest.
// CHECK-LABEL: func.func private @chain_tiles(
// CHECK: linalg.generic
// CHECK: arith.mulf
// CHECK-NEXT: arith.addf
// CHECK-NOT: linalg.generic
// CHECK-LABEL: func.func private @chain(
func.func private @chain(%x: tensor<?x8xf32, #tfc.dims<s0, 8>>, %y: tensor<8xf32>) -> tensor<?x8xf32, #tfc.dims<s0, 8>>
    attributes {tfc.kernel, tfc.symbols = ["s0"]} {
  %0 = tfc.mul %x, %y : tensor<?x8xf32, #tfc.dims<s0, 8>>, tensor<8xf32>
  %1 = tfc.add %0, %x : tensor<?x8xf32, #tfc.dims<s0, 8>>, tensor<?x8xf32, #tfc.dims<s0, 8>>
  return %1 : tensor<?x8xf32, #tfc.dims<s0, 8>>
}

// -----

// Eight exponentials, read by every row: merged they would be computed once per row.
// CHECK-LABEL: func.func private @costly_tiles(
// CHECK: linalg.generic
// CHECK: math.exp
// CHECK: linalg.generic
// CHECK: arith.addf
func.func private @costly(%x: tensor<?x8xf32, #tfc.dims<s0, 8>>, %y: tensor<8xf32>) -> tensor<?x8xf32, #tfc.dims<s0, 8>>
    attributes {tfc.kernel, tfc.symbols = ["s0"]} {
  %0 = tfc.exp %y : tensor<8xf32>
  %1 = tfc.add %x, %0 : tensor<?x8xf32, #tfc.dims<s0, 8>>, tensor<8xf32>
  return %1 : tensor<?x8xf32, #tfc.dims<s0, 8>>
}

// -----

// A negation costs less than a buffer for it.
// CHECK-LABEL: func.func private @cheap_tiles(
// CHECK: linalg.generic
// CHECK: arith.negf
// CHECK-NEXT: arith.addf
// CHECK-NOT: linalg.generic
// CHECK-LABEL: func.func private @cheap(
func.func private @cheap(%x: tensor<?x8xf32, #tfc.dims<s0, 8>>, %y: tensor<8xf32>) -> tensor<?x8xf32, #tfc.dims<s0, 8>>
    attributes {tfc.kernel, tfc.symbols = ["s0"]} {
  %0 = tfc.neg %y : tensor<8xf32>
  %1 = tfc.add %x, %0 : tensor<?x8xf32, #tfc.dims<s0, 8>>, tensor<8xf32>
  return %1 : tensor<?x8xf32, #tfc.dims<s0, 8>>
}

// -----

// What two ops read is kept, not computed twice.
// CHECK-LABEL: func.func private @shared_tiles(
// CHECK: %[[E:.*]] = linalg.generic
// CHECK: math.exp
// CHECK: linalg.generic {{.*}} ins(%[[E]]
// CHECK: linalg.generic {{.*}} ins(%[[E]]
func.func private @shared(%x: tensor<?x8xf32, #tfc.dims<s0, 8>>)
    -> (tensor<?x8xf32, #tfc.dims<s0, 8>>, tensor<?xf32, #tfc.dims<s0>>) attributes {tfc.kernel, tfc.symbols = ["s0"]} {
  %0 = tfc.exp %x : tensor<?x8xf32, #tfc.dims<s0, 8>>
  %1 = tfc.neg %0 : tensor<?x8xf32, #tfc.dims<s0, 8>>
  %2 = tfc.reduce sum %0 axes [1] : tensor<?x8xf32, #tfc.dims<s0, 8>>
  return %1, %2 : tensor<?x8xf32, #tfc.dims<s0, 8>>, tensor<?xf32, #tfc.dims<s0>>
}
