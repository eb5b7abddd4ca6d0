// RUN: tfc-opt --split-input-file --tfc-decompose-ops %s | FileCheck %s

// No mask: nothing is selected. The scale is 1 / sqrt(head dim).
// CHECK-LABEL: @plain
// CHECK: %[[S:.*]] = tfc.matmul %{{.*}}, %{{.*}} {transpose_b}
// CHECK: %[[SCALE:.*]] = tfc.constant dense<5.000000e-01>
// CHECK: %[[T:.*]] = tfc.mul %[[S]], %[[SCALE]]
// CHECK-NOT: tfc.select
// CHECK: %[[P:.*]] = tfc.softmax %[[T]] axis 3
// CHECK: tfc.matmul %[[P]]
func.func @plain(%q: tensor<1x2x3x4xf32>, %k: tensor<1x2x5x4xf32>, %v: tensor<1x2x5x6xf32>) -> tensor<1x2x3x6xf32> {
  %o = tfc.attention %q, %k, %v : (tensor<1x2x3x4xf32>, tensor<1x2x5x4xf32>, tensor<1x2x5x6xf32>) -> tensor<1x2x3x6xf32>
  return %o : tensor<1x2x3x6xf32>
}

// -----

// Query heads that share a key head become rows of one product.
// CHECK-LABEL: @grouped
// CHECK: %[[Q:.*]] = tfc.reshape %{{.*}} -> tensor<1x2x9x4xf32>
// CHECK: tfc.matmul %[[Q]], %{{.*}} {transpose_b}
// CHECK: tfc.reshape %{{.*}} -> tensor<1x6x3x5xf32>
func.func @grouped(%q: tensor<1x6x3x4xf32>, %k: tensor<1x2x5x4xf32>, %v: tensor<1x2x5x4xf32>) -> tensor<1x6x3x4xf32> {
  %o = tfc.attention %q, %k, %v : (tensor<1x6x3x4xf32>, tensor<1x2x5x4xf32>, tensor<1x2x5x4xf32>) -> tensor<1x6x3x4xf32>
  return %o : tensor<1x6x3x4xf32>
}

// -----

// The causal bound is right for every length: key <= query + keys - queries.
// CHECK-LABEL: @causal
// CHECK: tfc.dim_values [-1 * s + t]
// CHECK: tfc.compare le
// CHECK: %[[LOWEST:.*]] = tfc.constant dense<-3.40282347E+38>
// CHECK: tfc.select %{{.*}}, %{{.*}}, %[[LOWEST]]
// CHECK: tfc.softmax
// CHECK-NOT: tfc.select
func.func @causal(%q: tensor<1x2x?x4xf32, #tfc.dims<1, 2, s, 4>>, %k: tensor<1x2x?x4xf32, #tfc.dims<1, 2, t, 4>>) -> tensor<1x2x?x4xf32, #tfc.dims<1, 2, s, 4>> {
  %o = tfc.attention %q, %k, %k {causal} : (tensor<1x2x?x4xf32, #tfc.dims<1, 2, s, 4>>, tensor<1x2x?x4xf32, #tfc.dims<1, 2, t, 4>>, tensor<1x2x?x4xf32, #tfc.dims<1, 2, t, 4>>) -> tensor<1x2x?x4xf32, #tfc.dims<1, 2, s, 4>>
  return %o : tensor<1x2x?x4xf32, #tfc.dims<1, 2, s, 4>>
}

// -----

// Rows without an allowed key give 0: probabilities are selected once more.
// CHECK-LABEL: @masked_row_zero
// CHECK: tfc.constant dense<0xFF800000>
// CHECK: tfc.select %[[MASK:.*]], %{{.*}}, %{{.*}}
// CHECK: tfc.softmax
// CHECK: tfc.select
// CHECK: tfc.matmul
func.func @masked_row_zero(%q: tensor<1x2x3x4xf32>, %m: tensor<3x3xi1>) -> tensor<1x2x3x4xf32> {
  %o = tfc.attention %q, %q, %q mask %m masked_row zero : (tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<3x3xi1>) -> tensor<1x2x3x4xf32>
  return %o : tensor<1x2x3x4xf32>
}
