// RUN: tfc-opt --split-input-file --tfc-fuse-attention --verify-diagnostics %s | FileCheck %s

!x = tensor<2x5x6xf32>
!h = tensor<2x5x3xf32>
!s = tensor<2x5x5xf32>

// Two heads that were split off become one attention of both.
// CHECK-LABEL: @two_heads
// CHECK-SAME: (%[[Q:.*]]: tensor<2x5x6xf32>, %[[K:.*]]: tensor<2x5x6xf32>, %[[V:.*]]: tensor<2x5x6xf32>, %[[B:.*]]: tensor<2x1x5xf32>)
// CHECK-DAG: %[[Q4:.*]] = tfc.reshape %[[Q]] : tensor<2x5x6xf32> -> tensor<2x5x2x3xf32>
// CHECK-DAG: %[[QT:.*]] = tfc.transpose %[[Q4]] [0, 2, 1, 3]
// CHECK: %[[O:.*]] = tfc.attention %[[QT]], %{{.*}}, %{{.*}} bias %{{.*}} {scale = 5.000000e-01 : f32}
// CHECK: %[[OT:.*]] = tfc.transpose %[[O]] [0, 2, 1, 3]
// CHECK: %[[Y:.*]] = tfc.reshape %[[OT]] : tensor<2x5x2x3xf32> -> tensor<2x5x6xf32>
// CHECK: return %[[Y]]
func.func @two_heads(%q: !x, %k: !x, %v: !x, %b: tensor<2x1x5xf32>) -> !x {
  %half = tfc.constant dense<0.5> : tensor<f32>
  %q0 = tfc.slice %q offsets [0, 0, 0] strides [1, 1, 1] : !x -> !h
  %q1 = tfc.slice %q offsets [0, 0, 3] strides [1, 1, 1] : !x -> !h
  %k0 = tfc.slice %k offsets [0, 0, 0] strides [1, 1, 1] : !x -> !h
  %k1 = tfc.slice %k offsets [0, 0, 3] strides [1, 1, 1] : !x -> !h
  %v0 = tfc.slice %v offsets [0, 0, 0] strides [1, 1, 1] : !x -> !h
  %v1 = tfc.slice %v offsets [0, 0, 3] strides [1, 1, 1] : !x -> !h
  %s0 = tfc.matmul %q0, %k0 {transpose_b} : !h, !h
  %t0 = tfc.mul %s0, %half : !s, tensor<f32>
  %u0 = tfc.add %t0, %b : !s, tensor<2x1x5xf32>
  // expected-remark @below {{fused: attention: scale 0.5, bias}}
  %p0 = tfc.softmax %u0 axis 2 : !s
  %o0 = tfc.matmul %p0, %v0 : !s, !h
  %s1 = tfc.matmul %q1, %k1 {transpose_b} : !h, !h
  %t1 = tfc.mul %s1, %half : !s, tensor<f32>
  %u1 = tfc.add %t1, %b : !s, tensor<2x1x5xf32>
  // expected-remark @below {{fused: attention: scale 0.5, bias}}
  %p1 = tfc.softmax %u1 axis 2 : !s
  %o1 = tfc.matmul %p1, %v1 : !s, !h
  // expected-remark @below {{fused: attention: 2 heads of one attention each are one attention}}
  %o = tfc.concat %o0, %o1 axis 2 : !h, !h
  return %o : !x
}

// -----

!x = tensor<2x2x5x3xf32>
!h = tensor<2x1x5x3xf32>

// Heads along a dim of their own need no transpose.
// CHECK-LABEL: @dim_of_heads
// CHECK-SAME: (%[[Q:.*]]: tensor<2x2x5x3xf32>, %[[K:.*]]: tensor<2x2x5x3xf32>, %[[V:.*]]: tensor<2x2x5x3xf32>)
// CHECK: %[[O:.*]] = tfc.attention %[[Q]], %[[K]], %[[V]] {causal}
// CHECK-NEXT: return %[[O]]
func.func @dim_of_heads(%q: !x, %k: !x, %v: !x) -> !x {
  %q0 = tfc.slice %q offsets [0, 0, 0, 0] strides [1, 1, 1, 1] : !x -> !h
  %q1 = tfc.slice %q offsets [0, 1, 0, 0] strides [1, 1, 1, 1] : !x -> !h
  %k0 = tfc.slice %k offsets [0, 0, 0, 0] strides [1, 1, 1, 1] : !x -> !h
  %k1 = tfc.slice %k offsets [0, 1, 0, 0] strides [1, 1, 1, 1] : !x -> !h
  %v0 = tfc.slice %v offsets [0, 0, 0, 0] strides [1, 1, 1, 1] : !x -> !h
  %v1 = tfc.slice %v offsets [0, 1, 0, 0] strides [1, 1, 1, 1] : !x -> !h
  %o0 = tfc.attention %q0, %k0, %v0 {causal} : (!h, !h, !h) -> !h
  %o1 = tfc.attention %q1, %k1, %v1 {causal} : (!h, !h, !h) -> !h
  // expected-remark @below {{fused: attention: 2 heads of one attention each are one attention}}
  %o = tfc.concat %o0, %o1 axis 1 : !h, !h
  return %o : !x
}

// -----

!x = tensor<2x2x5x3xf32>
!h = tensor<2x1x5x3xf32>

// The heads come back in another order than they were split off.
// CHECK-LABEL: @other_order
// CHECK-COUNT-2: tfc.attention
// CHECK: tfc.concat
func.func @other_order(%q: !x, %k: !x, %v: !x) -> !x {
  %q0 = tfc.slice %q offsets [0, 0, 0, 0] strides [1, 1, 1, 1] : !x -> !h
  %q1 = tfc.slice %q offsets [0, 1, 0, 0] strides [1, 1, 1, 1] : !x -> !h
  %o1 = tfc.attention %q1, %q1, %q1 : (!h, !h, !h) -> !h
  %o0 = tfc.attention %q0, %q0, %q0 : (!h, !h, !h) -> !h
  // expected-remark @below {{not fused: attention: heads are no neighbouring slices of one tensor}}
  %o = tfc.concat %o1, %o0 axis 1 : !h, !h
  return %o : !x
}

// -----

!x = tensor<2x3x5x3xf32>
!y = tensor<2x2x5x3xf32>
!h = tensor<2x1x5x3xf32>

// One head of three is left out.
// CHECK-LABEL: @not_all
// CHECK-COUNT-2: tfc.attention
func.func @not_all(%q: !x) -> !y {
  %q0 = tfc.slice %q offsets [0, 0, 0, 0] strides [1, 1, 1, 1] : !x -> !h
  %q1 = tfc.slice %q offsets [0, 1, 0, 0] strides [1, 1, 1, 1] : !x -> !h
  %o0 = tfc.attention %q0, %q0, %q0 : (!h, !h, !h) -> !h
  %o1 = tfc.attention %q1, %q1, %q1 : (!h, !h, !h) -> !h
  // expected-remark @below {{not fused: attention: the slices of the heads are not the whole of a tensor}}
  %o = tfc.concat %o0, %o1 axis 1 : !h, !h
  return %o : !y
}

// -----

!x = tensor<2x2x5x3xf32>
!h = tensor<2x1x5x3xf32>

// Another scale per head.
// CHECK-LABEL: @other_scale
// CHECK-COUNT-2: tfc.attention
func.func @other_scale(%q: !x) -> !x {
  %q0 = tfc.slice %q offsets [0, 0, 0, 0] strides [1, 1, 1, 1] : !x -> !h
  %q1 = tfc.slice %q offsets [0, 1, 0, 0] strides [1, 1, 1, 1] : !x -> !h
  %o0 = tfc.attention %q0, %q0, %q0 {scale = 0.5 : f32} : (!h, !h, !h) -> !h
  %o1 = tfc.attention %q1, %q1, %q1 {scale = 0.25 : f32} : (!h, !h, !h) -> !h
  // expected-remark @below {{not fused: attention: heads have other attributes than the first, or a past of their own}}
  %o = tfc.concat %o0, %o1 axis 1 : !h, !h
  return %o : !x
}

// -----

!x = tensor<2x2x5x3xf32>
!h = tensor<2x1x5x3xf32>
!b = tensor<5x5xf32>

// A bias per head.
// CHECK-LABEL: @other_bias
// CHECK-COUNT-2: tfc.attention
func.func @other_bias(%q: !x, %b0: !b, %b1: !b) -> !x {
  %q0 = tfc.slice %q offsets [0, 0, 0, 0] strides [1, 1, 1, 1] : !x -> !h
  %q1 = tfc.slice %q offsets [0, 1, 0, 0] strides [1, 1, 1, 1] : !x -> !h
  %o0 = tfc.attention %q0, %q0, %q0 bias %b0 : (!h, !h, !h, !b) -> !h
  %o1 = tfc.attention %q1, %q1, %q1 bias %b1 : (!h, !h, !h, !b) -> !h
  // expected-remark @below {{not fused: attention: each head has a mask or bias of its own}}
  %o = tfc.concat %o0, %o1 axis 1 : !h, !h
  return %o : !x
}
