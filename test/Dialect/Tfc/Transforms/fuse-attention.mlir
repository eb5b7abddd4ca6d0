// RUN: tfc-opt --split-input-file --tfc-fuse-attention --verify-diagnostics %s | FileCheck %s

!q = tensor<2x3x4x8xf32>
!k = tensor<2x3x5x8xf32>
!s = tensor<2x3x4x5xf32>

// CHECK-LABEL: @scale_and_bias
// CHECK-SAME: (%[[Q:.*]]: tensor<2x3x4x8xf32>, %[[K:.*]]: tensor<2x3x5x8xf32>, %[[V:.*]]: tensor<2x3x5x8xf32>, %[[B:.*]]: tensor<2x1x1x5xf32>)
// CHECK: %[[O:.*]] = tfc.attention %[[Q]], %[[K]], %[[V]] bias %[[B]] {scale = 2.500000e-01 : f32}
// CHECK-NEXT: return %[[O]]
func.func @scale_and_bias(%q: !q, %k: !k, %v: !k, %b: tensor<2x1x1x5xf32>) -> !q {
  %c = tfc.constant dense<4.0> : tensor<f32>
  %s = tfc.matmul %q, %k {transpose_b} : !q, !k
  %t = tfc.div %s, %c : !s, tensor<f32>
  %u = tfc.add %t, %b : !s, tensor<2x1x1x5xf32>
  // expected-remark @below {{fused: attention: scale 0.25, bias}}
  %p = tfc.softmax %u axis 3 : !s
  %o = tfc.matmul %p, %v : !s, !k
  return %o : !q
}

// -----

!q = tensor<2x3x4x8xf32>
!s = tensor<2x3x4x5xf32>

// The scale on both sides; keys that come transposed are turned back.
// CHECK-LABEL: @scale_on_both_sides
// CHECK-SAME: (%[[Q:.*]]: tensor<2x4x3x8xf32>, %[[K:.*]]: tensor<2x5x3x8xf32>, %[[V:.*]]: tensor<2x3x5x8xf32>)
// CHECK-DAG: %[[QT:.*]] = tfc.transpose %[[Q]] [0, 2, 1, 3]
// CHECK-DAG: %[[KT:.*]] = tfc.transpose %[[K]] [0, 2, 1, 3]
// CHECK: tfc.attention %[[QT]], %[[KT]], %[[V]] {scale = 1.250000e-01 : f32}
func.func @scale_on_both_sides(%q: tensor<2x4x3x8xf32>, %k: tensor<2x5x3x8xf32>, %v: tensor<2x3x5x8xf32>) -> !q {
  %half = tfc.constant dense<0.5> : tensor<f32>
  %quarter = tfc.constant dense<0.25> : tensor<f32>
  %q1 = tfc.mul %q, %half : tensor<2x4x3x8xf32>, tensor<f32>
  %q2 = tfc.transpose %q1 [0, 2, 1, 3] : tensor<2x4x3x8xf32>
  %k1 = tfc.transpose %k [0, 2, 3, 1] : tensor<2x5x3x8xf32>
  %k2 = tfc.mul %quarter, %k1 : tensor<f32>, tensor<2x3x8x5xf32>
  %s = tfc.matmul %q2, %k2 : !q, tensor<2x3x8x5xf32>
  // expected-remark @below {{fused: attention: scale 0.125}}
  %p = tfc.softmax %s axis 3 : !s
  %o = tfc.matmul %p, %v : !s, tensor<2x3x5x8xf32>
  return %o : !q
}

// -----

!q = tensor<2x3x4x8xf32>
!k = tensor<2x3x5x8xf32>
!s = tensor<2x3x4x5xf32>

// -inf: a row without keys is NaN. A bias added later commutes with it. No scale is scale 1.
// CHECK-LABEL: @mask_infinite_then_bias
// CHECK: tfc.attention %{{.*}}, %{{.*}}, %{{.*}} mask %[[M:.*]] bias %{{.*}} masked_row nan {scale = 1.000000e+00 : f32}
func.func @mask_infinite_then_bias(%q: !q, %k: !k, %v: !k, %m: tensor<4x5xi1>, %b: tensor<3x4x5xf32>) -> !q {
  %inf = tfc.constant dense<0xFF800000> : tensor<f32>
  %s = tfc.matmul %q, %k {transpose_b} : !q, !k
  %t = tfc.select %m, %s, %inf : tensor<4x5xi1>, !s, tensor<f32>
  %u = tfc.add %b, %t : tensor<3x4x5xf32>, !s
  // expected-remark @below {{fused: attention: scale 1, bias, mask, rows without keys are nan}}
  %p = tfc.softmax %u axis 3 : !s
  %o = tfc.matmul %p, %v : !s, !k
  return %o : !q
}

// -----

!q = tensor<2x3x4x8xf32>
!k = tensor<2x3x5x8xf32>
!s = tensor<2x3x4x5xf32>

// The mask on the other side of the select is negated; two masks are one.
// CHECK-LABEL: @two_masks_lowest
// CHECK-SAME: %[[M1:[a-z0-9]*]]: tensor<4x5xi1>, %[[M2:[a-z0-9]*]]: tensor<2x1x1x5xi1>
// CHECK: %[[NOT:.*]] = tfc.not %[[M2]]
// CHECK: %[[AND:.*]] = tfc.and %[[M1]], %[[NOT]]
// CHECK: tfc.attention %{{.*}}, %{{.*}}, %{{.*}} mask %[[AND]]{{ }}
// CHECK-NOT: masked_row
func.func @two_masks_lowest(%q: !q, %k: !k, %v: !k, %m1: tensor<4x5xi1>, %m2: tensor<2x1x1x5xi1>) -> !q {
  %low = tfc.constant dense<-3.40282347E+38> : tensor<f32>
  %s = tfc.matmul %q, %k {transpose_b} : !q, !k
  %t = tfc.select %m1, %s, %low : tensor<4x5xi1>, !s, tensor<f32>
  %u = tfc.select %m2, %low, %t : tensor<2x1x1x5xi1>, tensor<f32>, !s
  // expected-remark @below {{fused: attention: scale 1, mask, rows without keys are uniform}}
  %p = tfc.softmax %u axis 3 : !s
  %o = tfc.matmul %p, %v : !s, !k
  return %o : !q
}

// -----

!q = tensor<2x3x4x8xf32>
!k = tensor<2x3x5x8xf32>
!s = tensor<2x3x4x5xf32>

// A bias after a mask with the lowest number goes to masked scores too: a key that is masked twice is -inf, one masked once
// is not, so rows without an allowed key keep their meaning.
// CHECK-LABEL: @mask_lowest_then_bias
// CHECK-SAME: %[[M:[a-z0-9]*]]: tensor<1x1x4x5xi1>, %[[B:[a-z0-9]*]]: tensor<2x1x1x5xf32>
// CHECK: tfc.attention %{{.*}}, %{{.*}}, %{{.*}} mask %[[M]] bias %[[B]] masked_row biased {scale = 1.000000e+00 : f32}
func.func @mask_lowest_then_bias(%q: !q, %k: !k, %v: !k, %m: tensor<1x1x4x5xi1>, %b: tensor<2x1x1x5xf32>) -> !q {
  %low = tfc.constant dense<-3.40282347E+38> : tensor<f32>
  %s = tfc.matmul %q, %k {transpose_b} : !q, !k
  %t = tfc.select %m, %s, %low : tensor<1x1x4x5xi1>, !s, tensor<f32>
  %u = tfc.add %t, %b : !s, tensor<2x1x1x5xf32>
  // expected-remark @below {{fused: attention: scale 1, bias, mask, rows without keys are biased}}
  %p = tfc.softmax %u axis 3 : !s
  %o = tfc.matmul %p, %v : !s, !k
  return %o : !q
}

// -----

!q = tensor<2x3x4x8xf32>
!k = tensor<2x3x5x8xf32>
!s = tensor<2x3x4x5xf32>

// The guard against NaN: rows without a key are zero, and the additive mask is read as the mask that it is.
// CHECK-LABEL: @nan_guard
// CHECK-SAME: %[[M:[a-z0-9]*]]: tensor<4x5xi1>
// CHECK: tfc.attention %{{.*}}, %{{.*}}, %{{.*}} mask %[[M]] masked_row zero
// CHECK-NEXT: return
func.func @nan_guard(%q: !q, %k: !k, %v: !k, %m: tensor<4x5xi1>) -> !q {
  %inf = tfc.constant dense<0xFF800000> : tensor<f32>
  %zero = tfc.constant dense<0.0> : tensor<f32>
  %a = tfc.select %m, %zero, %inf : tensor<4x5xi1>, tensor<f32>, tensor<f32>
  %s = tfc.matmul %q, %k {transpose_b} : !q, !k
  %t = tfc.add %s, %a : !s, tensor<4x5xf32>
  // expected-remark @below {{fused: attention: scale 1, mask, rows without keys are zero}}
  %p = tfc.softmax %t axis 3 : !s
  %n = tfc.is_nan %p : !s
  %g = tfc.select %n, %zero, %p : tensor<2x3x4x5xi1>, tensor<f32>, !s
  %o = tfc.matmul %g, %v : !s, !k
  return %o : !q
}

// -----

!q = tensor<2x3x4x8xf32>
!k = tensor<2x3x5x8xf32>
!s = tensor<2x3x4x5xf32>

// A guard behind any other bias: it masks where it is -inf.
// CHECK-LABEL: @nan_guard_bias
// CHECK-SAME: %[[B:[a-z0-9]*]]: tensor<4x5xf32>
// CHECK: %[[M:.*]] = tfc.compare gt %[[B]], %{{.*}}
// CHECK: tfc.attention %{{.*}}, %{{.*}}, %{{.*}} mask %[[M]] bias %[[B]] masked_row zero
func.func @nan_guard_bias(%q: !q, %k: !k, %v: !k, %b: tensor<4x5xf32>) -> !q {
  %zero = tfc.constant dense<0.0> : tensor<f32>
  %s = tfc.matmul %q, %k {transpose_b} : !q, !k
  %t = tfc.add %s, %b : !s, tensor<4x5xf32>
  // expected-remark @below {{fused: attention: scale 1, bias, mask, rows without keys are zero}}
  %p = tfc.softmax %t axis 3 : !s
  %n = tfc.is_nan %p : !s
  %g = tfc.select %n, %zero, %p : tensor<2x3x4x5xi1>, tensor<f32>, !s
  %o = tfc.matmul %g, %v : !s, !k
  return %o : !q
}

// -----

// Batch and heads merged for the products, split for the mask.
// CHECK-LABEL: @merged_heads
// CHECK: tfc.attention %{{.*}}, %{{.*}}, %{{.*}} bias %{{.*}} : (tensor<2x3x4x8xf32>, tensor<2x3x5x8xf32>, tensor<2x3x5x8xf32>, tensor<2x1x1x5xf32>)
// CHECK: tfc.reshape %{{.*}} -> tensor<6x4x8xf32>
func.func @merged_heads(%q: tensor<6x4x8xf32>, %k: tensor<6x5x8xf32>, %v: tensor<6x5x8xf32>, %b: tensor<2x1x1x5xf32>) -> tensor<6x4x8xf32> {
  %s = tfc.matmul %q, %k {transpose_b} : tensor<6x4x8xf32>, tensor<6x5x8xf32>
  %s4 = tfc.reshape %s : tensor<6x4x5xf32> -> tensor<2x3x4x5xf32>
  %t = tfc.add %s4, %b : tensor<2x3x4x5xf32>, tensor<2x1x1x5xf32>
  %t3 = tfc.reshape %t : tensor<2x3x4x5xf32> -> tensor<6x4x5xf32>
  // expected-remark @below {{fused: attention: scale 1, bias}}
  %p = tfc.softmax %t3 axis 2 : tensor<6x4x5xf32>
  %o = tfc.matmul %p, %v : tensor<6x4x5xf32>, tensor<6x5x8xf32>
  return %o : tensor<6x4x8xf32>
}

// -----

// Rank 3 alone: one head.
// CHECK-LABEL: @rank_3
// CHECK: tfc.attention %{{.*}} bias %{{.*}} : (tensor<6x1x4x8xf32>, tensor<6x1x5x8xf32>, tensor<6x1x5x8xf32>, tensor<6x1x1x5xf32>)
func.func @rank_3(%q: tensor<6x4x8xf32>, %k: tensor<6x5x8xf32>, %v: tensor<6x5x8xf32>, %b: tensor<6x1x5xf32>) -> tensor<6x4x8xf32> {
  %s = tfc.matmul %q, %k {transpose_b} : tensor<6x4x8xf32>, tensor<6x5x8xf32>
  %t = tfc.sub %s, %b : tensor<6x4x5xf32>, tensor<6x1x5xf32>
  // expected-remark @below {{fused: attention: scale 1, bias}}
  %p = tfc.softmax %t axis 2 : tensor<6x4x5xf32>
  %o = tfc.matmul %p, %v : tensor<6x4x5xf32>, tensor<6x5x8xf32>
  return %o : tensor<6x4x8xf32>
}

// -----

// Keys and values that are repeated for groups of heads go in once.
// CHECK-LABEL: @grouped
// CHECK: tfc.attention %{{.*}} : (tensor<2x6x4x8xf32>, tensor<2x3x5x8xf32>, tensor<2x3x5x8xf32>) -> tensor<2x6x4x8xf32>
func.func @grouped(%q: tensor<2x6x4x8xf32>, %k: tensor<2x3x5x8xf32>, %v: tensor<2x3x5x8xf32>) -> tensor<2x6x4x8xf32> {
  %k5 = tfc.reshape %k : tensor<2x3x5x8xf32> -> tensor<2x3x1x5x8xf32>
  %ke = tfc.expand %k5 : tensor<2x3x1x5x8xf32> -> tensor<2x3x2x5x8xf32>
  %k4 = tfc.reshape %ke : tensor<2x3x2x5x8xf32> -> tensor<2x6x5x8xf32>
  %v5 = tfc.reshape %v : tensor<2x3x5x8xf32> -> tensor<2x3x1x5x8xf32>
  %ve = tfc.expand %v5 : tensor<2x3x1x5x8xf32> -> tensor<2x3x2x5x8xf32>
  %v4 = tfc.reshape %ve : tensor<2x3x2x5x8xf32> -> tensor<2x6x5x8xf32>
  %s = tfc.matmul %q, %k4 {transpose_b} : tensor<2x6x4x8xf32>, tensor<2x6x5x8xf32>
  // expected-remark @below {{fused: attention: scale 1, 3 key heads}}
  %p = tfc.softmax %s axis 3 : tensor<2x6x4x5xf32>
  %o = tfc.matmul %p, %v4 : tensor<2x6x4x5xf32>, tensor<2x6x5x8xf32>
  return %o : tensor<2x6x4x8xf32>
}

// -----

!q = tensor<2x3x4x8xf32>
!k = tensor<2x3x4x8xf32>
!s = tensor<2x3x4x4xf32>

// CHECK-LABEL: @wrong_axis
// CHECK-NOT: tfc.attention
func.func @wrong_axis(%q: !q, %k: !k, %v: !k) -> !q {
  %s = tfc.matmul %q, %k {transpose_b} : !q, !k
  // expected-remark @below {{not fused: attention: the softmax is over axis 2, not over the keys}}
  %p = tfc.softmax %s axis 2 : !s
  %o = tfc.matmul %p, %v : !s, !k
  return %o : !q
}

// -----

!q = tensor<2x3x4x8xf32>
!k = tensor<2x3x5x8xf32>
!s = tensor<2x3x4x5xf32>

// CHECK-LABEL: @probabilities_used_elsewhere
// CHECK-NOT: tfc.attention
func.func @probabilities_used_elsewhere(%q: !q, %k: !k, %v: !k) -> (!q, !s) {
  %s = tfc.matmul %q, %k {transpose_b} : !q, !k
  // expected-remark @below {{not fused: attention: the probabilities are used elsewhere too}}
  %p = tfc.softmax %s axis 3 : !s
  %o = tfc.matmul %p, %v : !s, !k
  return %o, %p : !q, !s
}

// -----

!q = tensor<2x3x4x8xf32>
!k = tensor<2x3x5x8xf32>
!s = tensor<2x3x4x5xf32>

// CHECK-LABEL: @scores_used_elsewhere
// CHECK-NOT: tfc.attention
func.func @scores_used_elsewhere(%q: !q, %k: !k, %v: !k, %b: tensor<4x5xf32>) -> (!q, !s) {
  %s = tfc.matmul %q, %k {transpose_b} : !q, !k
  %t = tfc.add %s, %b : !s, tensor<4x5xf32>
  // expected-remark @below {{not fused: attention: the scores are used elsewhere too}}
  %p = tfc.softmax %t axis 3 : !s
  %o = tfc.matmul %p, %v : !s, !k
  return %o, %s : !q, !s
}

// -----

!q = tensor<2x3x4x8xf32>
!k = tensor<2x3x5x8xf32>
!s = tensor<2x3x4x5xf32>

// CHECK-LABEL: @masked_with_a_small_number
// CHECK-NOT: tfc.attention
func.func @masked_with_a_small_number(%q: !q, %k: !k, %v: !k, %m: tensor<4x5xi1>) -> !q {
  %c = tfc.constant dense<-5.0> : tensor<f32>
  %s = tfc.matmul %q, %k {transpose_b} : !q, !k
  %t = tfc.select %m, %s, %c : tensor<4x5xi1>, !s, tensor<f32>
  // expected-remark @below {{not fused: attention: masked scores become -5, which softmax does not take for nothing}}
  %p = tfc.softmax %t axis 3 : !s
  %o = tfc.matmul %p, %v : !s, !k
  return %o : !q
}

// -----

!q = tensor<2x3x4x8xf32>
!k = tensor<2x3x5x8xf32>
!s = tensor<2x3x4x5xf32>

// CHECK-LABEL: @two_masks_of_different_values
// CHECK-NOT: tfc.attention
func.func @two_masks_of_different_values(%q: !q, %k: !k, %v: !k, %m: tensor<4x5xi1>, %m2: tensor<5xi1>) -> !q {
  %a = tfc.constant dense<-1.0e+09> : tensor<f32>
  %b = tfc.constant dense<0xFF800000> : tensor<f32>
  %s = tfc.matmul %q, %k {transpose_b} : !q, !k
  %t = tfc.select %m, %s, %a : tensor<4x5xi1>, !s, tensor<f32>
  %u = tfc.select %m2, %t, %b : tensor<5xi1>, !s, tensor<f32>
  // expected-remark @below {{not fused: attention: two masks put different numbers for masked scores}}
  %p = tfc.softmax %u axis 3 : !s
  %o = tfc.matmul %p, %v : !s, !k
  return %o : !q
}

// -----

!q = tensor<2x3x4x8xf32>
!k = tensor<2x3x5x8xf32>
!s = tensor<2x3x4x5xf32>

// A scale that differs from head to head is no scale of the op.
// CHECK-LABEL: @scale_per_head
// CHECK-NOT: tfc.attention
func.func @scale_per_head(%q: !q, %k: !k, %v: !k, %c: tensor<3x1x1xf32>) -> !q {
  %s = tfc.matmul %q, %k {transpose_b} : !q, !k
  %t = tfc.mul %s, %c : !s, tensor<3x1x1xf32>
  // expected-remark @below {{not fused: attention: the scores are scaled by something that is no scalar constant}}
  %p = tfc.softmax %t axis 3 : !s
  %o = tfc.matmul %p, %v : !s, !k
  return %o : !q
}

// -----

!q = tensor<1x3x4x8xf32>
!k = tensor<1x3x5x8xf32>

// CHECK-LABEL: @bias_broadcasts_the_batch
// CHECK-NOT: tfc.attention
func.func @bias_broadcasts_the_batch(%q: !q, %k: !k, %v: !k, %b: tensor<2x1x1x5xf32>) -> tensor<2x3x4x8xf32> {
  %s = tfc.matmul %q, %k {transpose_b} : !q, !k
  %t = tfc.add %s, %b : tensor<1x3x4x5xf32>, tensor<2x1x1x5xf32>
  // expected-remark @below {{not fused: attention: a mask or bias may broadcast the scores}}
  %p = tfc.softmax %t axis 3 : tensor<2x3x4x5xf32>
  %o = tfc.matmul %p, %v : tensor<2x3x4x5xf32>, !k
  return %o : tensor<2x3x4x8xf32>
}

// -----

!q = tensor<2x3x4x8xf32>
!k = tensor<2x3x5x8xf32>
!s = tensor<2x3x4x5xf32>

// Something else than a bound, a scale or a mask.
// CHECK-LABEL: @other_function
// CHECK-NOT: tfc.attention
func.func @other_function(%q: !q, %k: !k, %v: !k) -> !q {
  %s = tfc.matmul %q, %k {transpose_b} : !q, !k
  %t = tfc.sigmoid %s : !s
  // expected-remark @below {{not fused: attention: tfc.sigmoid stands where the product of queries and keys should be}}
  %p = tfc.softmax %t axis 3 : !s
  %o = tfc.matmul %p, %v : !s, !k
  return %o : !q
}

// -----

// A classifier's softmax is no candidate.
// CHECK-LABEL: @classifier
// CHECK-NOT: tfc.attention
func.func @classifier(%x: tensor<4x8xf32>, %w: tensor<8x3xf32>) -> tensor<4x3xf32> {
  %s = tfc.matmul %x, %w : tensor<4x8xf32>, tensor<8x3xf32>
  %p = tfc.softmax %s axis 1 : tensor<4x3xf32>
  return %p : tensor<4x3xf32>
}

// -----

// The remark names the node.
func.func @named(%q: tensor<1x1x4x8xf32>, %k: tensor<1x1x4x8xf32>) -> tensor<1x1x4x8xf32> {
  %s = tfc.matmul %q, %k {transpose_b} : tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>
  %t = tfc.exp %s : tensor<1x1x4x4xf32> loc("Exp_7")
  // expected-remark @below {{not fused: attention: tfc.exp stands where the product of queries and keys should be, at node 'Exp_7'}}
  %p = tfc.softmax %t axis 3 : tensor<1x1x4x4xf32>
  %o = tfc.matmul %p, %k : tensor<1x1x4x4xf32>, tensor<1x1x4x8xf32>
  return %o : tensor<1x1x4x8xf32>
}

// -----

// Batch and heads are merged for the products, and a mask of another input may broadcast what stands between: the keys must be as many as there are
// values, whatever they are called.
!m = tensor<?x?x8xf32, #tfc.dims<4 * b, n, 8>>
!s = tensor<?x4x?x?xf32, #tfc.dims<b, 4, n, n>>
!w = tensor<?x4x?x?xf32, #tfc.dims<broadcast(mb, b), 4, n, broadcast(mn, n)>>
!p = tensor<?x?x?xf32, #tfc.dims<floordiv(4 * broadcast(mb, b) * broadcast(mn, n), n), n, n>>
// CHECK-LABEL: func.func @merged_and_broadcast
// CHECK: tfc.attention
// CHECK-SAME: bias %arg3
func.func @merged_and_broadcast(%q: !m, %k: !m, %v: !m, %bias: tensor<?x1x1x?xf32, #tfc.dims<mb, 1, 1, mn>>) -> !m {
  %0 = tfc.matmul %q, %k {transpose_b} : !m, !m
  %1 = tfc.reshape %0 : tensor<?x?x?xf32, #tfc.dims<4 * b, n, n>> -> !s
  %2 = tfc.add %1, %bias : !s, tensor<?x1x1x?xf32, #tfc.dims<mb, 1, 1, mn>>
  // expected-remark @+1 {{fused: attention: scale 1, bias}}
  %3 = tfc.softmax %2 axis 3 : !w
  %4 = tfc.reshape %3 : !w -> !p
  %5 = tfc.matmul %4, %v : !p, !m
  %6 = tfc.reshape %5 : tensor<?x?x8xf32, #tfc.dims<broadcast(4 * b, floordiv(4 * broadcast(mb, b) * broadcast(mn, n), n)), n, 8>> -> !m
  return %6 : !m
}

// -----

// A reshape that gives queries and keys other lengths mixes the rows up.
!q = tensor<?x4x?x8xf32, #tfc.dims<b, 4, n, 8>>
!k = tensor<?x4x?x8xf32, #tfc.dims<b, 4, t, 8>>
!s = tensor<?x4x?x?xf32, #tfc.dims<b, 4, n, t>>
!x = tensor<?x4x?x?xf32, #tfc.dims<b, 4, t, n>>
// CHECK-LABEL: func.func @reshaped_rows
// CHECK-NOT: tfc.attention
func.func @reshaped_rows(%q: !q, %k: !k, %v: !q) -> !k {
  %0 = tfc.matmul %q, %k {transpose_b} : !q, !k
  // expected-remark @+1 {{not fused: attention: tfc.reshape stands between the softmax and the product with the values}}
  %1 = tfc.softmax %0 axis 3 : !s
  %2 = tfc.reshape %1 : !s -> !x
  %3 = tfc.matmul %2, %v : !x, !q
  return %3 : !k
}

// -----

// XSoftmax: the mask of the scores makes zeros of the probabilities too, so a row without any allowed key is 0.
!q = tensor<2x3x4x8xf32>
!s = tensor<2x3x4x4xf32>
!m = tensor<2x1x1x4xi1>
// CHECK-LABEL: func.func @zeroed
// CHECK: tfc.attention %arg0, %arg1, %arg2 mask %arg3 masked_row zero
func.func @zeroed(%q: !q, %k: !q, %v: !q, %m: !m) -> !q {
  %lowest = tfc.constant dense<-3.40282347E+38> : tensor<f32>
  %zero = tfc.constant dense<0.0> : tensor<f32>
  %not = tfc.not %m : !m
  %0 = tfc.matmul %q, %k {transpose_b} : !q, !q
  %1 = tfc.select %m, %0, %lowest : !m, !s, tensor<f32>
  // expected-remark @+1 {{fused: attention: scale 1, mask, rows without keys are zero}}
  %2 = tfc.softmax %1 axis 3 : !s
  %3 = tfc.select %not, %zero, %2 : !m, tensor<f32>, !s
  %4 = tfc.matmul %3, %v : !s, !q
  return %4 : !q
}

// -----

// Zeros of another mask, or the other way round, are none of it.
!q = tensor<2x3x4x8xf32>
!s = tensor<2x3x4x4xf32>
!m = tensor<2x1x1x4xi1>
// CHECK-LABEL: func.func @zeroed_otherwise
// CHECK-NOT: tfc.attention
func.func @zeroed_otherwise(%q: !q, %k: !q, %v: !q, %m: !m) -> !q {
  %lowest = tfc.constant dense<-3.40282347E+38> : tensor<f32>
  %zero = tfc.constant dense<0.0> : tensor<f32>
  %0 = tfc.matmul %q, %k {transpose_b} : !q, !q
  %1 = tfc.select %m, %0, %lowest : !m, !s, tensor<f32>
  // expected-remark @+1 {{not fused: attention: tfc.select behind the softmax has another mask than the scores}}
  %2 = tfc.softmax %1 axis 3 : !s
  %3 = tfc.select %m, %zero, %2 : !m, tensor<f32>, !s
  %4 = tfc.matmul %3, %v : !s, !q
  return %4 : !q
}

// -----

// A mask on the other side of the softmax is no mask of the scores.
!q = tensor<2x3x4x8xf32>
!s = tensor<2x3x4x4xf32>
// CHECK-LABEL: func.func @masked_behind
// CHECK-NOT: tfc.attention
func.func @masked_behind(%q: !q, %k: !q, %v: !q, %m: !s) -> !q {
  %0 = tfc.matmul %q, %k {transpose_b} : !q, !q
  // expected-remark @+1 {{not fused: attention: tfc.mul stands between the softmax and the product with the values}}
  %1 = tfc.softmax %0 axis 3 : !s
  %2 = tfc.mul %1, %m : !s, !s
  %3 = tfc.matmul %2, %v : !s, !q
  return %3 : !q
}

// -----

// Windows of images: the scores are split once more for a mask per window, which all images have.
!q = tensor<?x4x16x8xf32, #tfc.dims<6 * b, 4, 16, 8>>
!s = tensor<?x4x16x16xf32, #tfc.dims<6 * b, 4, 16, 16>>
!w = tensor<?x6x4x16x16xf32, #tfc.dims<b, 6, 4, 16, 16>>
// CHECK-LABEL: func.func @windows
// CHECK: %[[E:.*]] = tfc.expand %arg3 : tensor<6x1x16x16xf32> -> tensor<?x6x1x16x16xf32, #tfc.dims<b, 6, 1, 16, 16>>
// CHECK: %[[M:.*]] = tfc.reshape %[[E]] : {{.*}} -> tensor<?x1x16x16xf32, #tfc.dims<6 * b, 1, 16, 16>>
// CHECK: tfc.attention %arg0, %arg1, %arg2 bias %[[M]]
func.func @windows(%q: !q, %k: !q, %v: !q, %m: tensor<6x1x16x16xf32>) -> !q {
  %0 = tfc.matmul %q, %k {transpose_b} : !q, !q
  %1 = tfc.reshape %0 : !s -> !w
  %2 = tfc.add %1, %m : !w, tensor<6x1x16x16xf32>
  %3 = tfc.reshape %2 : !w -> !s
  // expected-remark @+1 {{fused: attention: scale 1, bias}}
  %4 = tfc.softmax %3 axis 3 : !s
  %5 = tfc.matmul %4, %v : !s, !q
  return %5 : !q
}

// -----

// Scores that are split into other dims than batch and heads.
!q = tensor<?x4x16x8xf32, #tfc.dims<b, 4, 16, 8>>
!s = tensor<?x4x16x16xf32, #tfc.dims<b, 4, 16, 16>>
!w = tensor<?x2x2x16x16xf32, #tfc.dims<b, 2, 2, 16, 16>>
// CHECK-LABEL: func.func @split_heads
// CHECK-NOT: tfc.attention
func.func @split_heads(%q: !q, %k: !q, %v: !q, %m: tensor<2x1x16x16xf32>) -> !q {
  %0 = tfc.matmul %q, %k {transpose_b} : !q, !q
  %1 = tfc.reshape %0 : !s -> !w
  %2 = tfc.add %1, %m : !w, tensor<2x1x16x16xf32>
  %3 = tfc.reshape %2 : !w -> !s
  // expected-remark @+1 {{not fused: attention: the scores are split into other leading dims than batch and heads}}
  %4 = tfc.softmax %3 axis 3 : !s
  %5 = tfc.matmul %4, %v : !s, !q
  return %5 : !q
}

// -----

!q = tensor<2x3x5x8xf32>
!s = tensor<2x3x5x5xf32>
!m = tensor<2x1x1x5xf32>

// The -inf of a mask becomes the lowest number again: two masks of the lowest number that were added are -inf.
// CHECK-LABEL: @raised_to_the_lowest
// CHECK-SAME: %[[M:[a-z0-9]*]]: tensor<2x1x1x5xf32>
// CHECK: %[[B:.*]] = tfc.max %[[M]], %{{.*}} : tensor<2x1x1x5xf32>, tensor<f32>
// CHECK: tfc.attention %{{.*}} bias %[[B]] {scale = 1.000000e+00 : f32}
func.func @raised_to_the_lowest(%q: !q, %k: !q, %v: !q, %m: !m) -> !q {
  %low = tfc.constant dense<-3.40282347E+38> : tensor<f32>
  %s = tfc.matmul %q, %k {transpose_b} : !q, !q
  %t = tfc.add %s, %m : !s, !m
  %r = tfc.max %t, %low : !s, tensor<f32>
  // expected-remark @below {{fused: attention: scale 1, bias}}
  %p = tfc.softmax %r axis 3 : !s
  %o = tfc.matmul %p, %v : !s, !q
  return %o : !q
}

// -----

!q = tensor<2x3x5x8xf32>
!s = tensor<2x3x5x5xf32>
!m = tensor<2x1x1x5xi1>

// A mask of -inf is one of the lowest number behind it; a bias that is nowhere lower needs nothing.
// CHECK-LABEL: @raised_mask
// CHECK-SAME: %[[M:[a-z0-9]*]]: tensor<2x1x1x5xi1>
// CHECK-NOT: tfc.max
// CHECK: tfc.attention %{{.*}} mask %[[M]] {scale = 1.000000e+00 : f32}
func.func @raised_mask(%q: !q, %k: !q, %v: !q, %m: !m) -> !q {
  %low = tfc.constant dense<-3.40282347E+38> : tensor<f32>
  %infinite = tfc.constant dense<0xFF800000> : tensor<f32>
  %s = tfc.matmul %q, %k {transpose_b} : !q, !q
  %t = tfc.select %m, %s, %infinite : !m, !s, tensor<f32>
  %r = tfc.max %low, %t : tensor<f32>, !s
  // expected-remark @below {{fused: attention: scale 1, mask, rows without keys are uniform}}
  %p = tfc.softmax %r axis 3 : !s
  %o = tfc.matmul %p, %v : !s, !q
  return %o : !q
}

// -----

!q = tensor<2x3x5x8xf32>
!s = tensor<2x3x5x5xf32>

// CHECK-LABEL: @raised_to_another_number
// CHECK-NOT: tfc.attention
func.func @raised_to_another_number(%q: !q, %k: !q, %v: !q) -> !q {
  %floor = tfc.constant dense<-5.0> : tensor<f32>
  %s = tfc.matmul %q, %k {transpose_b} : !q, !q
  %r = tfc.max %s, %floor : !s, tensor<f32>
  // expected-remark @below {{not fused: attention: scores below -5 are raised to it}}
  %p = tfc.softmax %r axis 3 : !s
  %o = tfc.matmul %p, %v : !s, !q
  return %o : !q
}

// -----

!q = tensor<?x3x?x8xf32, #tfc.dims<b, 3, q, 8>>
!r = tensor<?x?x8xf32, #tfc.dims<b, r, 8>>
!k = tensor<?x3x?x8xf32, #tfc.dims<b, 3, broadcast(q, r), 8>>
!s = tensor<?x3x?x?xf32, #tfc.dims<b, 3, q, broadcast(q, r)>>

// Keys that a rotary table of its own length may have broadcast are as many as the values, or the graph is refused anyway.
// CHECK-LABEL: @keys_times_a_table
// CHECK: tfc.attention
func.func @keys_times_a_table(%q: !q, %x: !q, %v: !q, %table: !r) -> !q {
  %flat = tfc.reshape %table : !r -> tensor<?x1x?x8xf32, #tfc.dims<b, 1, r, 8>>
  %k = tfc.mul %x, %flat : !q, tensor<?x1x?x8xf32, #tfc.dims<b, 1, r, 8>>
  %s = tfc.matmul %q, %k {transpose_b} : !q, !k
  // expected-remark @below {{fused: attention: scale 1}}
  %p = tfc.softmax %s axis 3 : !s
  %o = tfc.matmul %p, %v : !s, !q
  return %o : !q
}

// -----

!q = tensor<?x3x?x8xf32, #tfc.dims<b, 3, q, 8>>
!k = tensor<?x3x?x8xf32, #tfc.dims<b, 3, k, 8>>
!s = tensor<?x3x?x?xf32, #tfc.dims<b, 3, q, k>>

// CHECK-LABEL: @keys_and_values_of_two_lengths
// CHECK-NOT: tfc.attention
func.func @keys_and_values_of_two_lengths(%q: !q, %k: !k, %v: !q) -> !q {
  %s = tfc.matmul %q, %k {transpose_b} : !q, !k
  // expected-remark @below {{not fused: attention: keys and values have different lengths: k and q}}
  %p = tfc.softmax %s axis 3 : !s
  %o = tfc.matmul %p, %v : !s, !q
  return %o : !q
}
