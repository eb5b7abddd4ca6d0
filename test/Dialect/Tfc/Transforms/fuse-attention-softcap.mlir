// RUN: tfc-opt --split-input-file --tfc-fuse-attention --verify-diagnostics %s | FileCheck %s

!q = tensor<2x3x4x8xf32>
!k = tensor<2x3x5x8xf32>
!s = tensor<2x3x4x5xf32>

// Gemma: the scores are bounded before the mask is added.
// CHECK-LABEL: @softcap
// CHECK: tfc.attention %{{.*}}, %{{.*}}, %{{.*}} bias %{{.*}} {scale = 5.000000e-01 : f32, softcap = 3.000000e+01 : f32}
func.func @softcap(%q: !q, %k: !k, %v: !k, %b: tensor<2x1x1x5xf32>) -> !q {
  %half = tfc.constant dense<0.5> : tensor<f32>
  %cap = tfc.constant dense<30.0> : tensor<f32>
  %q2 = tfc.mul %q, %half : !q, tensor<f32>
  %s = tfc.matmul %q2, %k {transpose_b} : !q, !k
  %d = tfc.div %s, %cap : !s, tensor<f32>
  %h = tfc.tanh %d : !s
  %t = tfc.mul %h, %cap : !s, tensor<f32>
  %u = tfc.add %t, %b : !s, tensor<2x1x1x5xf32>
  // expected-remark @below {{fused: attention: scale 0.5, softcap 30, bias}}
  %p = tfc.softmax %u axis 3 : !s
  %o = tfc.matmul %p, %v : !s, !k
  return %o : !q
}

// -----

!q = tensor<2x3x4x8xf32>
!k = tensor<2x3x5x8xf32>
!s = tensor<2x3x4x5xf32>

// Other factors before and behind the tanh say another scale.
// CHECK-LABEL: @other_factors
// CHECK: tfc.attention %{{.*}}, %{{.*}}, %{{[a-z0-9]*}} {scale = 1.000000e+00 : f32, softcap = 4.000000e+00 : f32}
func.func @other_factors(%q: !q, %k: !k, %v: !k) -> !q {
  %quarter = tfc.constant dense<0.25> : tensor<f32>
  %four = tfc.constant dense<4.0> : tensor<f32>
  %s = tfc.matmul %q, %k {transpose_b} : !q, !k
  %d = tfc.mul %quarter, %s : tensor<f32>, !s
  %h = tfc.tanh %d : !s
  %t = tfc.mul %h, %four : !s, tensor<f32>
  // expected-remark @below {{fused: attention: scale 1, softcap 4}}
  %p = tfc.softmax %t axis 3 : !s
  %o = tfc.matmul %p, %v : !s, !k
  return %o : !q
}

// -----

!q = tensor<2x3x4x8xf32>
!k = tensor<2x3x5x8xf32>
!s = tensor<2x3x4x5xf32>

// A mask inside of the tanh is bounded too: it does not mask.
// CHECK-LABEL: @mask_inside
// CHECK-NOT: tfc.attention
func.func @mask_inside(%q: !q, %k: !k, %v: !k, %b: tensor<2x1x1x5xf32>) -> !q {
  %s = tfc.matmul %q, %k {transpose_b} : !q, !k
  %t = tfc.add %s, %b : !s, tensor<2x1x1x5xf32>
  %h = tfc.tanh %t : !s
  // expected-remark @below {{not fused: attention: a mask or bias stands in front of the tanh of the scores}}
  %p = tfc.softmax %h axis 3 : !s
  %o = tfc.matmul %p, %v : !s, !k
  return %o : !q
}

// -----

!q = tensor<2x3x4x8xf32>
!k = tensor<2x3x5x8xf32>
!s = tensor<2x3x4x5xf32>

// CHECK-LABEL: @two_tanh
// CHECK-NOT: tfc.attention
func.func @two_tanh(%q: !q, %k: !k, %v: !k) -> !q {
  %s = tfc.matmul %q, %k {transpose_b} : !q, !k
  %h = tfc.tanh %s : !s
  %i = tfc.tanh %h : !s
  // expected-remark @below {{not fused: attention: the scores go through two tanh}}
  %p = tfc.softmax %i axis 3 : !s
  %o = tfc.matmul %p, %v : !s, !k
  return %o : !q
}

// -----

!q = tensor<2x3x4x8xf32>
!k = tensor<2x3x5x8xf32>
!s = tensor<2x3x4x5xf32>

// CHECK-LABEL: @negative
// CHECK-NOT: tfc.attention
func.func @negative(%q: !q, %k: !k, %v: !k) -> !q {
  %minus = tfc.constant dense<-2.0> : tensor<f32>
  %s = tfc.matmul %q, %k {transpose_b} : !q, !k
  %h = tfc.tanh %s : !s
  %i = tfc.mul %h, %minus : !s, tensor<f32>
  // expected-remark @below {{not fused: attention: the bound of the scores is not positive}}
  %p = tfc.softmax %i axis 3 : !s
  %o = tfc.matmul %p, %v : !s, !k
  return %o : !q
}

// -----

!q = tensor<2x3x4x8xf32>
!k = tensor<2x3x5x8xf32>
!s = tensor<2x3x4x5xf32>

// The bounded scores are used elsewhere too.
// CHECK-LABEL: @shared
// CHECK-NOT: tfc.attention
func.func @shared(%q: !q, %k: !k, %v: !k) -> (!q, !s) {
  %s = tfc.matmul %q, %k {transpose_b} : !q, !k
  %h = tfc.tanh %s : !s
  // expected-remark @below {{not fused: attention: the scores are used elsewhere too}}
  %p = tfc.softmax %h axis 3 : !s
  %o = tfc.matmul %p, %v : !s, !k
  return %o, %h : !q, !s
}
