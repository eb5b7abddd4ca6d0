// RUN: tfc-opt --split-input-file --tfc-fuse-softmax --verify-diagnostics %s | FileCheck %s

// CHECK-LABEL: @softmax
// CHECK-SAME: (%[[X:.*]]: tensor<4x8xf32>)
// CHECK-NEXT: %[[Y:.*]] = tfc.softmax %[[X]] axis 1
// CHECK-NEXT: return %[[Y]]
func.func @softmax(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %m = tfc.reduce max %x axes [1] keep_dims : tensor<4x8xf32>
  %d = tfc.sub %x, %m : tensor<4x8xf32>, tensor<4x1xf32>
  %e = tfc.exp %d : tensor<4x8xf32>
  // expected-remark @below {{fused: softmax: axis 1}}
  %s = tfc.reduce sum %e axes [1] keep_dims : tensor<4x8xf32>
  %y = tfc.div %e, %s : tensor<4x8xf32>, tensor<4x1xf32>
  return %y : tensor<4x8xf32>
}

// -----

// CHECK-LABEL: @by_reciprocal_along_the_first_axis
// CHECK-NEXT: tfc.softmax %{{.*}} axis 0
// CHECK-NEXT: return
func.func @by_reciprocal_along_the_first_axis(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %m = tfc.reduce max %x axes [0] keep_dims : tensor<4x8xf32>
  %d = tfc.sub %x, %m : tensor<4x8xf32>, tensor<1x8xf32>
  %e = tfc.exp %d : tensor<4x8xf32>
  // expected-remark @below {{fused: softmax: axis 0}}
  %s = tfc.reduce sum %e axes [0] keep_dims : tensor<4x8xf32>
  %r = tfc.reciprocal %s : tensor<1x8xf32>
  %y = tfc.mul %r, %e : tensor<1x8xf32>, tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}

// -----

// CHECK-LABEL: @log_softmax
// CHECK-NEXT: tfc.softmax %{{.*}} axis 1 {log}
// CHECK-NEXT: return
func.func @log_softmax(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %m = tfc.reduce max %x axes [1] keep_dims : tensor<4x8xf32>
  %d = tfc.sub %x, %m : tensor<4x8xf32>, tensor<4x1xf32>
  %e = tfc.exp %d : tensor<4x8xf32>
  // expected-remark @below {{fused: softmax: axis 1, logarithm}}
  %s = tfc.reduce sum %e axes [1] keep_dims : tensor<4x8xf32>
  %l = tfc.log %s : tensor<4x1xf32>
  %y = tfc.sub %d, %l : tensor<4x8xf32>, tensor<4x1xf32>
  return %y : tensor<4x8xf32>
}

// -----

// Large x overflow here and would not in the op.
// CHECK-LABEL: @largest_not_subtracted
// CHECK-NOT: tfc.softmax
func.func @largest_not_subtracted(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %e = tfc.exp %x : tensor<4x8xf32>
  // expected-remark @below {{not fused: softmax: the largest element is not subtracted}}
  %s = tfc.reduce sum %e axes [1] keep_dims : tensor<4x8xf32>
  %y = tfc.div %e, %s : tensor<4x8xf32>, tensor<4x1xf32>
  return %y : tensor<4x8xf32>
}

// -----

// CHECK-LABEL: @different_axes
// CHECK-NOT: tfc.softmax
func.func @different_axes(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %m = tfc.reduce max %x axes [0] keep_dims : tensor<4x8xf32>
  %d = tfc.sub %x, %m : tensor<4x8xf32>, tensor<1x8xf32>
  %e = tfc.exp %d : tensor<4x8xf32>
  // expected-remark @below {{not fused: softmax: largest element and sum are taken over different axes}}
  %s = tfc.reduce sum %e axes [1] keep_dims : tensor<4x8xf32>
  %y = tfc.div %e, %s : tensor<4x8xf32>, tensor<4x1xf32>
  return %y : tensor<4x8xf32>
}

// -----

// CHECK-LABEL: @sum_used_elsewhere
// CHECK-NOT: tfc.softmax
func.func @sum_used_elsewhere(%x: tensor<4x8xf32>) -> (tensor<4x8xf32>, tensor<4x1xf32>) {
  %m = tfc.reduce max %x axes [1] keep_dims : tensor<4x8xf32>
  %d = tfc.sub %x, %m : tensor<4x8xf32>, tensor<4x1xf32>
  %e = tfc.exp %d : tensor<4x8xf32>
  // expected-remark @below {{not fused: softmax: the sum is used elsewhere too}}
  %s = tfc.reduce sum %e axes [1] keep_dims : tensor<4x8xf32>
  %y = tfc.div %e, %s : tensor<4x8xf32>, tensor<4x1xf32>
  return %y, %s : tensor<4x8xf32>, tensor<4x1xf32>
}

// -----

// CHECK-LABEL: @other_numerator
// CHECK-NOT: tfc.softmax
func.func @other_numerator(%x: tensor<4x8xf32>, %z: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %m = tfc.reduce max %x axes [1] keep_dims : tensor<4x8xf32>
  %d = tfc.sub %x, %m : tensor<4x8xf32>, tensor<4x1xf32>
  %e = tfc.exp %d : tensor<4x8xf32>
  // expected-remark @below {{not fused: softmax: what the sum divides is not what was summed}}
  %s = tfc.reduce sum %e axes [1] keep_dims : tensor<4x8xf32>
  %y = tfc.div %z, %s : tensor<4x8xf32>, tensor<4x1xf32>
  return %y : tensor<4x8xf32>
}
