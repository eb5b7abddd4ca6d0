// RUN: tfc-opt --split-input-file --tfc-fuse-attention --verify-diagnostics %s | FileCheck %s

!q = tensor<2x3x5x8xf32>
!s = tensor<2x3x5x5xf32>
!n = tensor<5x5xf32>

// The upper triangle of -inf, added.
// CHECK-LABEL: @triangle_infinite
// CHECK: tfc.attention %{{.*}}, %{{.*}}, %{{[a-z0-9]*}} masked_row nan {causal, scale = 1.000000e+00 : f32}
func.func @triangle_infinite(%q: !q, %k: !q, %v: !q) -> !q {
  %inf = tfc.constant dense<0xFF800000> : !n
  %m = tfc.trilu %inf k 1 upper : !n
  %s = tfc.matmul %q, %k {transpose_b} : !q, !q
  %t = tfc.add %s, %m : !s, !n
  // expected-remark @below {{fused: attention: scale 1, causal, rows without keys are nan}}
  %p = tfc.softmax %t axis 3 : !s
  %o = tfc.matmul %p, %v : !s, !q
  return %o : !q
}

// -----

!q = tensor<2x3x5x8xf32>
!s = tensor<2x3x5x5xf32>
!n = tensor<5x5xf32>

// A bias with the lowest number beside it: a key that both mask is -inf, one that one of them masks is not.
// CHECK-LABEL: @triangle_lowest_and_padding
// CHECK-SAME: %[[B:[a-z0-9]*]]: tensor<2x1x1x5xf32>
// CHECK: tfc.attention %{{.*}}, %{{.*}}, %{{.*}} bias %[[B]] masked_row biased {causal, scale = 1.000000e+00 : f32}
func.func @triangle_lowest_and_padding(%q: !q, %k: !q, %v: !q, %b: tensor<2x1x1x5xf32>) -> !q {
  %low = tfc.constant dense<-3.40282347E+38> : !n
  %m = tfc.trilu %low k 1 upper : !n
  %both = tfc.add %m, %b : !n, tensor<2x1x1x5xf32>
  %s = tfc.matmul %q, %k {transpose_b} : !q, !q
  %t = tfc.add %s, %both : !s, tensor<2x1x5x5xf32>
  // expected-remark @below {{fused: attention: scale 1, bias, causal, rows without keys are biased}}
  %p = tfc.softmax %t axis 3 : !s
  %o = tfc.matmul %p, %v : !s, !q
  return %o : !q
}

// -----

!q = tensor<2x3x5x8xf32>
!s = tensor<2x3x5x5xf32>

// Ranges that are compared, and a padding mask that stays a mask; both select the same number.
// CHECK-LABEL: @ranges_and_padding
// CHECK-SAME: %[[M:[a-z0-9]*]]: tensor<2x1x1x5xi1>
// CHECK: tfc.attention %{{.*}}, %{{.*}}, %{{.*}} mask %[[M]] {causal, scale = 1.000000e+00 : f32}
func.func @ranges_and_padding(%q: !q, %k: !q, %v: !q, %m: tensor<2x1x1x5xi1>) -> !q {
  %zero = tfc.constant dense<0.0> : tensor<f32>
  %low = tfc.constant dense<-3.40282347E+38> : tensor<f32>
  %i = tfc.constant dense<[[0], [1], [2], [3], [4]]> : tensor<5x1xi64>
  %j = tfc.constant dense<[0, 1, 2, 3, 4]> : tensor<5xi64>
  %c = tfc.compare le %j, %i : tensor<5xi64>, tensor<5x1xi64>
  %both = tfc.and %c, %m : tensor<5x5xi1>, tensor<2x1x1x5xi1>
  %b = tfc.select %both, %zero, %low : tensor<2x1x5x5xi1>, tensor<f32>, tensor<f32>
  %s = tfc.matmul %q, %k {transpose_b} : !q, !q
  %t = tfc.add %s, %b : !s, tensor<2x1x5x5xf32>
  // expected-remark @below {{fused: attention: scale 1, causal, mask, rows without keys are uniform}}
  %p = tfc.softmax %t axis 3 : !s
  %o = tfc.matmul %p, %v : !s, !q
  return %o : !q
}

// -----

!q = tensor<2x3x?x8xf32, #tfc.dims<2, 3, s, 8>>
!k = tensor<2x3x?x8xf32, #tfc.dims<2, 3, past + s, 8>>
!s = tensor<2x3x?x?xf32, #tfc.dims<2, 3, s, past + s>>
!m = tensor<?x?xi1, #tfc.dims<s, past + s>>

// Queries behind a past: their positions begin at its length.
// CHECK-LABEL: @ranges_with_past
// CHECK: tfc.attention %{{.*}}, %{{.*}}, %{{[a-z0-9]*}} {causal, scale = 1.000000e+00 : f32}
func.func @ranges_with_past(%q: !q, %k: !k, %v: !k) -> !q {
  %low = tfc.constant dense<-3.40282347E+38> : tensor<f32>
  %zero = tfc.constant dense<0> : tensor<i64>
  %one = tfc.constant dense<1> : tensor<i64>
  %past = tfc.dim_values [past] : tensor<i64>
  %i = tfc.range %past, %one : (tensor<i64>, tensor<i64>) -> tensor<?xi64, #tfc.dims<s>>
  %i2 = tfc.reshape %i : tensor<?xi64, #tfc.dims<s>> -> tensor<?x1xi64, #tfc.dims<s, 1>>
  %j = tfc.range %zero, %one : (tensor<i64>, tensor<i64>) -> tensor<?xi64, #tfc.dims<past + s>>
  %m = tfc.compare gt %j, %i2 : tensor<?xi64, #tfc.dims<past + s>>, tensor<?x1xi64, #tfc.dims<s, 1>>
  %s = tfc.matmul %q, %k {transpose_b} : !q, !k
  %t = tfc.select %m, %low, %s : !m, tensor<f32>, !s
  // expected-remark @below {{fused: attention: scale 1, causal, rows without keys are uniform}}
  %p = tfc.softmax %t axis 3 : !s
  %o = tfc.matmul %p, %v : !s, !k
  return %o : !q
}

// -----

!q = tensor<2x3x?x8xf32, #tfc.dims<2, 3, s, 8>>
!k = tensor<2x3x?x8xf32, #tfc.dims<2, 3, past + s, 8>>
!s = tensor<2x3x?x?xf32, #tfc.dims<2, 3, s, past + s>>

// A slice of a triangle, as GPT-2 has it: rows from the past's length on. -10000 shows in rows that a padding masks, so it
// is kept.
// CHECK-LABEL: @sliced_triangle
// CHECK: tfc.attention %{{.*}}, %{{.*}}, %{{.*}} bias %{{.*}} masked_row biased {causal, fill = -1.000000e+04 : f32, scale = 1.000000e+00 : f32}
func.func @sliced_triangle(%q: !q, %k: !k, %v: !k, %b: tensor<2x1x1x?xf32, #tfc.dims<2, 1, 1, past + s>>) -> !q {
  %low = tfc.constant dense<-1.0E+4> : tensor<f32>
  %true = tfc.constant dense<true> : tensor<1x1x64x64xi1>
  %m = tfc.trilu %true k 0 : tensor<1x1x64x64xi1>
  %c = tfc.slice %m offsets [0, 0, past, 0] strides [1, 1, 1, 1] : tensor<1x1x64x64xi1> -> tensor<1x1x?x?xi1, #tfc.dims<1, 1, s, past + s>>
  %s = tfc.matmul %q, %k {transpose_b} : !q, !k
  %t = tfc.select %c, %s, %low : tensor<1x1x?x?xi1, #tfc.dims<1, 1, s, past + s>>, !s, tensor<f32>
  %u = tfc.add %t, %b : !s, tensor<2x1x1x?xf32, #tfc.dims<2, 1, 1, past + s>>
  // expected-remark @below {{fused: attention: scale 1, bias, causal, rows without keys are biased}}
  %p = tfc.softmax %u axis 3 : !s
  %o = tfc.matmul %p, %v : !s, !k
  return %o : !q
}

// -----

!q = tensor<2x3x5x8xf32>
!s = tensor<2x3x5x5xf32>

// k <= q and k > q - 3.
// CHECK-LABEL: @sliding_window
// CHECK: tfc.attention %{{.*}}, %{{.*}}, %{{[a-z0-9]*}} masked_row nan {causal, scale = 1.000000e+00 : f32, window_left = 2 : i64}
func.func @sliding_window(%q: !q, %k: !q, %v: !q) -> !q {
  %inf = tfc.constant dense<0xFF800000> : tensor<f32>
  %three = tfc.constant dense<3> : tensor<i64>
  %i = tfc.constant dense<[[0], [1], [2], [3], [4]]> : tensor<5x1xi64>
  %j = tfc.constant dense<[[0, 1, 2, 3, 4]]> : tensor<1x5xi64>
  %future = tfc.compare gt %j, %i : tensor<1x5xi64>, tensor<5x1xi64>
  %begin = tfc.sub %i, %three : tensor<5x1xi64>, tensor<i64>
  %old = tfc.compare ge %begin, %j : tensor<5x1xi64>, tensor<1x5xi64>
  %bad = tfc.or %future, %old : tensor<5x5xi1>, tensor<5x5xi1>
  %s = tfc.matmul %q, %k {transpose_b} : !q, !q
  %t = tfc.select %bad, %inf, %s : tensor<5x5xi1>, tensor<f32>, !s
  // expected-remark @below {{fused: attention: scale 1, causal, window of 2 to the left, rows without keys are nan}}
  %p = tfc.softmax %t axis 3 : !s
  %o = tfc.matmul %p, %v : !s, !q
  return %o : !q
}

// -----

!q = tensor<2x3x5x8xf32>
!s = tensor<2x3x5x5xf32>

// |q - k| < 3, both ways.
// CHECK-LABEL: @distance
// CHECK: tfc.attention %{{.*}}, %{{.*}}, %{{[a-z0-9]*}} {scale = 1.000000e+00 : f32, window_left = 2 : i64, window_right = 2 : i64}
func.func @distance(%q: !q, %k: !q, %v: !q) -> !q {
  %low = tfc.constant dense<-3.40282347E+38> : tensor<f32>
  %three = tfc.constant dense<3> : tensor<i64>
  %i = tfc.constant dense<[[0], [1], [2], [3], [4]]> : tensor<5x1xi64>
  %j = tfc.constant dense<[[0, 1, 2, 3, 4]]> : tensor<1x5xi64>
  %d = tfc.sub %i, %j : tensor<5x1xi64>, tensor<1x5xi64>
  %a = tfc.abs %d : tensor<5x5xi64>
  %near = tfc.compare lt %a, %three : tensor<5x5xi64>, tensor<i64>
  %s = tfc.matmul %q, %k {transpose_b} : !q, !q
  %t = tfc.select %near, %s, %low : tensor<5x5xi1>, !s, tensor<f32>
  // expected-remark @below {{fused: attention: scale 1, window of 2 to the left, window of 2 to the right, rows without keys are uniform}}
  %p = tfc.softmax %t axis 3 : !s
  %o = tfc.matmul %p, %v : !s, !q
  return %o : !q
}

// -----

!q = tensor<2x3x5x8xf32>
!s = tensor<2x3x5x5xf32>
!n = tensor<5x5xf32>

// (1 - triangle) * -10000: every row has a key, so the number does not show.
// CHECK-LABEL: @small_number_alone
// CHECK: tfc.attention %{{.*}}, %{{.*}}, %{{[a-z0-9]*}} {causal, scale = 1.000000e+00 : f32}
func.func @small_number_alone(%q: !q, %k: !q, %v: !q) -> !q {
  %one = tfc.constant dense<1.0> : tensor<f32>
  %low = tfc.constant dense<-1.0E+4> : tensor<f32>
  %ones = tfc.constant dense<1.0> : !n
  %m = tfc.trilu %ones k 0 : !n
  %n = tfc.sub %one, %m : tensor<f32>, !n
  %b = tfc.mul %n, %low : !n, tensor<f32>
  %s = tfc.matmul %q, %k {transpose_b} : !q, !q
  %t = tfc.add %s, %b : !s, !n
  // expected-remark @below {{fused: attention: scale 1, causal, rows without keys are uniform}}
  %p = tfc.softmax %t axis 3 : !s
  %o = tfc.matmul %p, %v : !s, !q
  return %o : !q
}

// -----

!q = tensor<2x3x5x8xf32>
!s = tensor<2x3x5x5xf32>
!n = tensor<5x5xf32>

// With a padding of the same kind beside it, it does: a row whose keys are all padded goes by its scores. It stays a bias.
// CHECK-LABEL: @small_number_and_padding
// CHECK: tfc.attention %{{.*}}, %{{.*}}, %{{.*}} bias %{{[a-z0-9]*}} {scale = 1.000000e+00 : f32}
func.func @small_number_and_padding(%q: !q, %k: !q, %v: !q, %b: tensor<2x1x1x5xf32>) -> !q {
  %low = tfc.constant dense<-1.0E+4> : !n
  %m = tfc.trilu %low k 1 upper : !n
  %s = tfc.matmul %q, %k {transpose_b} : !q, !q
  %t = tfc.add %s, %m : !s, !n
  %u = tfc.add %t, %b : !s, tensor<2x1x1x5xf32>
  // expected-remark @below {{fused: attention: scale 1, bias}}
  %p = tfc.softmax %u axis 3 : !s
  %o = tfc.matmul %p, %v : !s, !q
  return %o : !q
}

// -----

!q = tensor<2x3x4x8xf32>
!k = tensor<2x3x6x8xf32>
!s = tensor<2x3x4x6xf32>

// A diagonal that starts in the other corner is no causal bound, and stays a mask.
// CHECK-LABEL: @top_left
// CHECK: %[[M:.*]] = tfc.trilu
// CHECK: tfc.attention %{{.*}}, %{{.*}}, %{{.*}} mask %[[M]] masked_row nan {scale = 1.000000e+00 : f32}
func.func @top_left(%q: !q, %k: !k, %v: !k) -> !q {
  %inf = tfc.constant dense<0xFF800000> : tensor<f32>
  %true = tfc.constant dense<true> : tensor<4x6xi1>
  %m = tfc.trilu %true k 0 : tensor<4x6xi1>
  %s = tfc.matmul %q, %k {transpose_b} : !q, !k
  %t = tfc.select %m, %s, %inf : tensor<4x6xi1>, !s, tensor<f32>
  // expected-remark @below {{fused: attention: scale 1, mask, rows without keys are nan}}
  %p = tfc.softmax %t axis 3 : !s
  %o = tfc.matmul %p, %v : !s, !k
  return %o : !q
}

// -----

!q = tensor<2x3x5x8xf32>
!s = tensor<2x3x5x5xf32>

// The mask of the other side: queries see themselves and what follows.
// CHECK-LABEL: @other_side
// CHECK: tfc.attention %{{.*}}, %{{.*}}, %{{[a-z0-9]*}} masked_row nan {scale = 1.000000e+00 : f32, window_left = 0 : i64}
func.func @other_side(%q: !q, %k: !q, %v: !q) -> !q {
  %inf = tfc.constant dense<0xFF800000> : tensor<f32>
  %true = tfc.constant dense<true> : tensor<5x5xi1>
  %m = tfc.trilu %true k -1 : tensor<5x5xi1>
  %s = tfc.matmul %q, %k {transpose_b} : !q, !q
  %t = tfc.select %m, %inf, %s : tensor<5x5xi1>, tensor<f32>, !s
  // expected-remark @below {{fused: attention: scale 1, window of 0 to the left, rows without keys are nan}}
  %p = tfc.softmax %t axis 3 : !s
  %o = tfc.matmul %p, %v : !s, !q
  return %o : !q
}

// -----

!q = tensor<2x3x5x8xf32>
!s = tensor<2x3x5x5xf32>

// Every second key is no window.
// CHECK-LABEL: @other_steps
// CHECK: tfc.attention %{{.*}}, %{{.*}}, %{{.*}} mask %{{.*}} masked_row nan {scale = 1.000000e+00 : f32}
func.func @other_steps(%q: !q, %k: !q, %v: !q) -> !q {
  %inf = tfc.constant dense<0xFF800000> : tensor<f32>
  %i = tfc.constant dense<[[0], [1], [2], [3], [4]]> : tensor<5x1xi64>
  %j = tfc.constant dense<[[0, 2, 4, 6, 8]]> : tensor<1x5xi64>
  %m = tfc.compare le %j, %i : tensor<1x5xi64>, tensor<5x1xi64>
  %s = tfc.matmul %q, %k {transpose_b} : !q, !q
  %t = tfc.select %m, %s, %inf : tensor<5x5xi1>, !s, tensor<f32>
  // expected-remark @below {{fused: attention: scale 1, mask, rows without keys are nan}}
  %p = tfc.softmax %t axis 3 : !s
  %o = tfc.matmul %p, %v : !s, !q
  return %o : !q
}

// -----

!q = tensor<2x3x5x8xf32>
!s = tensor<2x3x5x5xf32>
!n = tensor<5x5xf32>

// A triangle of a number that does not mask is a bias like any other.
// CHECK-LABEL: @wrong_constant
// CHECK: tfc.attention %{{.*}}, %{{.*}}, %{{.*}} bias %{{[a-z0-9]*}} {scale = 1.000000e+00 : f32}
func.func @wrong_constant(%q: !q, %k: !q, %v: !q) -> !q {
  %low = tfc.constant dense<-5.0> : !n
  %m = tfc.trilu %low k 1 upper : !n
  %s = tfc.matmul %q, %k {transpose_b} : !q, !q
  %t = tfc.add %s, %m : !s, !n
  // expected-remark @below {{fused: attention: scale 1, bias}}
  %p = tfc.softmax %t axis 3 : !s
  %o = tfc.matmul %p, %v : !s, !q
  return %o : !q
}

// -----

!q = tensor<?x3x?x8xf32, #tfc.dims<b, 3, q, 8>>
!k = tensor<?x3x?x8xf32, #tfc.dims<b, 3, p + q, 8>>
!s = tensor<?x3x?x?xf32, #tfc.dims<b, 3, q, p + q>>
!t = tensor<?x?xf32, #tfc.dims<q, q>>
!n = tensor<?x?xf32, #tfc.dims<q, p>>

// Columns for the past in front of the triangle, and a padding mask of a length of its own that is cut to the keys.
// CHECK-LABEL: @past_columns
// CHECK-SAME: %[[P:[a-z0-9]*]]: tensor<?x1x1x?xi1
// CHECK: %[[C:.*]] = tfc.slice %[[P]]{{.*}} -> tensor<?x1x1x?xi1, #tfc.dims<b, 1, 1, min(p + q, t)>>
// CHECK: %[[A:.*]] = tfc.not %[[C]]
// CHECK: tfc.attention %{{.*}}, %{{.*}}, %{{.*}} mask %[[A]] {causal, scale = 1.000000e+00 : f32}
func.func @past_columns(%q: !q, %k: !k, %v: !k, %m: tensor<?x1x1x?xi1, #tfc.dims<b, 1, 1, t>>) -> !q {
  %low = tfc.constant dense<-3.40282347E+38> : tensor<f32>
  %zero = tfc.constant dense<0.0> : tensor<f32>
  %full = tfc.expand %low : tensor<f32> -> !t
  %triangle = tfc.trilu %full k 1 upper : !t
  %none = tfc.expand %zero : tensor<f32> -> !n
  %both = tfc.concat %none, %triangle axis 1 : !n, !t
  %bits = tfc.cast %both : tensor<?x?xf32, #tfc.dims<q, p + q>> -> tensor<?x?xi1, #tfc.dims<q, p + q>>
  %padding = tfc.select %m, %low, %zero : tensor<?x1x1x?xi1, #tfc.dims<b, 1, 1, t>>, tensor<f32>, tensor<f32>
  %all = tfc.select %bits, %low, %padding : tensor<?x?xi1, #tfc.dims<q, p + q>>, tensor<f32>, tensor<?x1x1x?xf32, #tfc.dims<b, 1, 1, t>>
  %cut = tfc.slice %all offsets [0, 0, 0, 0] strides [1, 1, 1, 1] : tensor<?x1x?x?xf32, #tfc.dims<b, 1, q, broadcast(p + q, t)>> -> tensor<?x1x?x?xf32, #tfc.dims<b, 1, q, min(p + q, broadcast(p + q, t))>>
  %s = tfc.matmul %q, %k {transpose_b} : !q, !k
  %x = tfc.add %s, %cut : !s, tensor<?x1x?x?xf32, #tfc.dims<b, 1, q, min(p + q, broadcast(p + q, t))>>
  // expected-remark @below {{fused: attention: scale 1, causal, mask, rows without keys are uniform}}
  %y = tfc.softmax %x axis 3 : tensor<?x3x?x?xf32, #tfc.dims<b, 3, q, broadcast(min(p + q, broadcast(p + q, t)), p + q)>>
  %o = tfc.matmul %y, %v : tensor<?x3x?x?xf32, #tfc.dims<b, 3, q, broadcast(min(p + q, broadcast(p + q, t)), p + q)>>, !k
  return %o : !q
}

// -----

!q = tensor<2x3x5x8xf32>
!k = tensor<2x3x9x8xf32>
!s = tensor<2x3x5x9xf32>

// The past is masked, and what a query may see of the rest is no bound of its position: the bias stays.
// CHECK-LABEL: @masked_past
// CHECK: tfc.attention %{{.*}} bias %{{[^ ]*}} {scale = 1.000000e+00 : f32}
func.func @masked_past(%q: !q, %k: !k, %v: !k) -> !q {
  %low = tfc.constant dense<-3.40282347E+38> : tensor<5x5xf32>
  %past = tfc.constant dense<-3.40282347E+38> : tensor<5x4xf32>
  %triangle = tfc.trilu %low k 1 upper : tensor<5x5xf32>
  %both = tfc.concat %past, %triangle axis 1 : tensor<5x4xf32>, tensor<5x5xf32>
  %s = tfc.matmul %q, %k {transpose_b} : !q, !k
  %x = tfc.add %s, %both : !s, tensor<5x9xf32>
  // expected-remark @below {{fused: attention: scale 1, bias}}
  %y = tfc.softmax %x axis 3 : !s
  %o = tfc.matmul %y, %v : !s, !k
  return %o : !q
}
