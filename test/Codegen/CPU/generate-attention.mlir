// RUN: tfc-opt %s --tfc-frame-kernels --tfc-generate-attention=cpu=x86-64-v4 --split-input-file | FileCheck %s

// Heads are split off and joined by strides: no transpose is left. A tile is 32 queries of a head, one per lane.
// CHECK-LABEL: func.func private @heads_tiles(
// CHECK-NOT: tfc.transpose
// CHECK-NOT: tfc.attention
// CHECK: scf.for
// CHECK: vector.fma {{.*}} : vector<16xf32>
// CHECK-LABEL: func.func private @heads(
// CHECK-SAME: tfc.tiles = #tfc.expr<-12 * s0 * floordiv(-1 * s1, 32)>
func.func private @heads(%q: tensor<?x?x12x64xf32, #tfc.dims<s0, s1, 12, 64>>, %k: tensor<?x?x12x64xf32, #tfc.dims<s0, s1, 12, 64>>,
    %v: tensor<?x?x12x64xf32, #tfc.dims<s0, s1, 12, 64>>) -> tensor<?x?x12x64xf32, #tfc.dims<s0, s1, 12, 64>>
    attributes {tfc.kernel, tfc.symbols = ["s0", "s1"]} {
  %0 = tfc.transpose %q [0, 2, 1, 3] : tensor<?x?x12x64xf32, #tfc.dims<s0, s1, 12, 64>>
  %1 = tfc.transpose %k [0, 2, 1, 3] : tensor<?x?x12x64xf32, #tfc.dims<s0, s1, 12, 64>>
  %2 = tfc.transpose %v [0, 2, 1, 3] : tensor<?x?x12x64xf32, #tfc.dims<s0, s1, 12, 64>>
  %3 = tfc.attention %0, %1, %2 : (tensor<?x12x?x64xf32, #tfc.dims<s0, 12, s1, 64>>, tensor<?x12x?x64xf32, #tfc.dims<s0, 12, s1, 64>>,
    tensor<?x12x?x64xf32, #tfc.dims<s0, 12, s1, 64>>) -> tensor<?x12x?x64xf32, #tfc.dims<s0, 12, s1, 64>>
  %4 = tfc.transpose %3 [0, 2, 1, 3] : tensor<?x12x?x64xf32, #tfc.dims<s0, 12, s1, 64>>
  return %4 : tensor<?x?x12x64xf32, #tfc.dims<s0, s1, 12, 64>>
}

// -----

// Doubles are left to the decomposition.
// CHECK-LABEL: func.func private @doubles_tiles(
// CHECK: tfc.attention
// CHECK-NOT: vector.
func.func private @doubles(%q: tensor<1x2x3x4xf64>, %k: tensor<1x2x5x4xf64>, %v: tensor<1x2x5x4xf64>) -> tensor<1x2x3x4xf64>
    attributes {tfc.kernel, tfc.symbols = []} {
  %0 = tfc.attention %q, %k, %v : (tensor<1x2x3x4xf64>, tensor<1x2x5x4xf64>, tensor<1x2x5x4xf64>) -> tensor<1x2x3x4xf64>
  return %0 : tensor<1x2x3x4xf64>
}

// -----

// So is a head dim that is too long for the blocks in scratch.
// CHECK-LABEL: func.func private @long_tiles(
// CHECK: tfc.attention
func.func private @long(%q: tensor<1x2x3x257xf32>, %k: tensor<1x2x5x257xf32>, %v: tensor<1x2x5x4xf32>) -> tensor<1x2x3x4xf32>
    attributes {tfc.kernel, tfc.symbols = []} {
  %0 = tfc.attention %q, %k, %v : (tensor<1x2x3x257xf32>, tensor<1x2x5x257xf32>, tensor<1x2x5x4xf32>) -> tensor<1x2x3x4xf32>
  return %0 : tensor<1x2x3x4xf32>
}

// -----

// And keys whose elements do not lie side by side.
// CHECK-LABEL: func.func private @columns_tiles(
// CHECK: tfc.attention
func.func private @columns(%q: tensor<1x2x3x4xf32>, %k: tensor<1x2x4x5xf32>, %v: tensor<1x2x5x4xf32>) -> tensor<1x2x3x4xf32>
    attributes {tfc.kernel, tfc.symbols = []} {
  %0 = tfc.transpose %k [0, 1, 3, 2] : tensor<1x2x4x5xf32>
  %1 = tfc.attention %q, %0, %v : (tensor<1x2x3x4xf32>, tensor<1x2x5x4xf32>, tensor<1x2x5x4xf32>) -> tensor<1x2x3x4xf32>
  return %1 : tensor<1x2x3x4xf32>
}

// -----

// A bound of causality is compared as integers; without one nothing is.
// CHECK-LABEL: func.func private @causal_tiles(
// CHECK: arith.cmpi sle, {{.*}} : vector<16xi32>
func.func private @causal(%q: tensor<1x2x9x4xf32>, %k: tensor<1x2x11x4xf32>, %v: tensor<1x2x11x4xf32>) -> tensor<1x2x9x4xf32>
    attributes {tfc.kernel, tfc.symbols = []} {
  %0 = tfc.attention %q, %k, %v {causal} : (tensor<1x2x9x4xf32>, tensor<1x2x11x4xf32>, tensor<1x2x11x4xf32>) -> tensor<1x2x9x4xf32>
  return %0 : tensor<1x2x9x4xf32>
}
// CHECK-LABEL: func.func private @open_tiles(
// CHECK-NOT: arith.cmpi sle, {{.*}} : vector<16xi32>
// CHECK-LABEL: func.func private @open(
func.func private @open(%q: tensor<1x2x9x4xf32>, %k: tensor<1x2x11x4xf32>, %v: tensor<1x2x11x4xf32>) -> tensor<1x2x9x4xf32>
    attributes {tfc.kernel, tfc.symbols = []} {
  %0 = tfc.attention %q, %k, %v : (tensor<1x2x9x4xf32>, tensor<1x2x11x4xf32>, tensor<1x2x11x4xf32>) -> tensor<1x2x9x4xf32>
  return %0 : tensor<1x2x9x4xf32>
}

// -----

// Lengths and windows bound the loops over keys, and are compared where a block of keys crosses them.
// CHECK-LABEL: func.func private @bounded_tiles(
// CHECK-NOT: tfc.attention
// CHECK: memref.load {{.*}} : memref<?xi64>
// CHECK: arith.cmpi sge, {{.*}} : vector<16xi32>
// CHECK: arith.cmpi sle, {{.*}} : vector<16xi32>
// CHECK-LABEL: func.func private @bounded(
func.func private @bounded(%q: tensor<2x2x40x8xf32>, %k: tensor<2x2x40x8xf32>, %n: tensor<2xi64>) -> tensor<2x2x40x8xf32>
    attributes {tfc.kernel, tfc.symbols = []} {
  %0 = tfc.attention %q, %k, %k key_lengths %n {window_left = 9 : i64} : (tensor<2x2x40x8xf32>, tensor<2x2x40x8xf32>, tensor<2x2x40x8xf32>, tensor<2xi64>) -> tensor<2x2x40x8xf32>
  return %0 : tensor<2x2x40x8xf32>
}

// -----

// A single query has its head dim along the lanes: the greatest score is found across them. Many have a lane each.
// CHECK-LABEL: func.func private @one_tiles(
// CHECK: vector.reduction <maximumf>
// CHECK-LABEL: func.func private @one(
func.func private @one(%q: tensor<1x2x1x64xf32>, %k: tensor<1x2x?x64xf32, #tfc.dims<1, 2, s0, 64>>) -> tensor<1x2x1x64xf32>
    attributes {tfc.kernel, tfc.symbols = ["s0"]} {
  %0 = tfc.attention %q, %k, %k : (tensor<1x2x1x64xf32>, tensor<1x2x?x64xf32, #tfc.dims<1, 2, s0, 64>>, tensor<1x2x?x64xf32, #tfc.dims<1, 2, s0, 64>>) -> tensor<1x2x1x64xf32>
  return %0 : tensor<1x2x1x64xf32>
}
// CHECK-LABEL: func.func private @many_tiles(
// CHECK-NOT: vector.reduction <maximumf>
// CHECK-LABEL: func.func private @many(
func.func private @many(%q: tensor<1x2x9x64xf32>, %k: tensor<1x2x?x64xf32, #tfc.dims<1, 2, s0, 64>>) -> tensor<1x2x9x64xf32>
    attributes {tfc.kernel, tfc.symbols = ["s0"]} {
  %0 = tfc.attention %q, %k, %k : (tensor<1x2x9x64xf32>, tensor<1x2x?x64xf32, #tfc.dims<1, 2, s0, 64>>, tensor<1x2x?x64xf32, #tfc.dims<1, 2, s0, 64>>) -> tensor<1x2x9x64xf32>
  return %0 : tensor<1x2x9x64xf32>
}
