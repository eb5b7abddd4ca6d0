// RUN: tfc-opt %s -canonicalize | FileCheck %s

// CHECK-LABEL: @transpose_goes_into_matmul
// CHECK-SAME: (%[[X:.*]]: tensor<2x4x8xf32>, %[[Y:.*]]: tensor<2x4x8xf32>)
// CHECK-NEXT: %[[Z:.*]] = tfc.matmul %[[X]], %[[Y]] {transpose_b}
// CHECK-NEXT: return %[[Z]]
func.func @transpose_goes_into_matmul(%x: tensor<2x4x8xf32>, %y: tensor<2x4x8xf32>) -> tensor<2x4x4xf32> {
  %t = tfc.transpose %y [0, 2, 1] : tensor<2x4x8xf32>
  %0 = tfc.matmul %x, %t : tensor<2x4x8xf32>, tensor<2x8x4xf32>
  return %0 : tensor<2x4x4xf32>
}

// CHECK-LABEL: @two_swaps_cancel
// CHECK: tfc.matmul %{{.*}}, %{{.*}} : tensor<4x8xf32>, tensor<8x4xf32>
func.func @two_swaps_cancel(%x: tensor<4x8xf32>, %y: tensor<8x4xf32>) -> tensor<4x4xf32> {
  %t = tfc.transpose %y [1, 0] : tensor<8x4xf32>
  %0 = tfc.matmul %x, %t {transpose_b} : tensor<4x8xf32>, tensor<4x8xf32>
  return %0 : tensor<4x4xf32>
}

// CHECK-LABEL: @transpose_of_leading_dims_stays
// CHECK: tfc.transpose
// CHECK: tfc.matmul %{{.*}}, %{{.*}} : tensor<2x4x8xf32>, tensor<2x8x4xf32>
func.func @transpose_of_leading_dims_stays(%x: tensor<2x4x8xf32>, %y: tensor<8x2x4xf32>) -> tensor<2x4x4xf32> {
  %t = tfc.transpose %y [1, 0, 2] : tensor<8x2x4xf32>
  %0 = tfc.matmul %x, %t : tensor<2x4x8xf32>, tensor<2x8x4xf32>
  return %0 : tensor<2x4x4xf32>
}

// The keys of attention stay rows: what was innermost stays so, and the product reads it the other way.
// CHECK-LABEL: @transpose_keeps_rows
// CHECK: %[[K:.*]] = tfc.transpose %{{.*}} [0, 2, 1, 3] : tensor<2x5x3x4xf32>
// CHECK: tfc.matmul %{{.*}}, %[[K]] {transpose_b} : tensor<2x3x6x4xf32>, tensor<2x3x5x4xf32>
func.func @transpose_keeps_rows(%q: tensor<2x3x6x4xf32>, %k: tensor<2x5x3x4xf32>) -> tensor<2x3x6x5xf32> {
  %t = tfc.transpose %k [0, 2, 3, 1] : tensor<2x5x3x4xf32>
  %0 = tfc.matmul %q, %t : tensor<2x3x6x4xf32>, tensor<2x3x4x5xf32>
  return %0 : tensor<2x3x6x5xf32>
}

// CHECK-LABEL: @transposes_compose
// CHECK-SAME: (%[[X:.*]]: tensor<2x3x4xf32>)
// CHECK-NEXT: %[[Y:.*]] = tfc.transpose %[[X]] [2, 1, 0]
// CHECK-NEXT: return %[[Y]]
func.func @transposes_compose(%x: tensor<2x3x4xf32>) -> tensor<4x3x2xf32> {
  %0 = tfc.transpose %x [1, 2, 0] : tensor<2x3x4xf32>
  %1 = tfc.transpose %0 [1, 0, 2] : tensor<3x4x2xf32>
  return %1 : tensor<4x3x2xf32>
}

// CHECK-LABEL: @transposes_cancel
// CHECK-SAME: (%[[X:.*]]: tensor<2x3x4xf32>)
// CHECK-NEXT: return %[[X]]
func.func @transposes_cancel(%x: tensor<2x3x4xf32>) -> tensor<2x3x4xf32> {
  %0 = tfc.transpose %x [1, 2, 0] : tensor<2x3x4xf32>
  %1 = tfc.transpose %0 [2, 0, 1] : tensor<3x4x2xf32>
  return %1 : tensor<2x3x4xf32>
}
