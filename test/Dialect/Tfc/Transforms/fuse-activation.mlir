// RUN: tfc-opt --split-input-file --tfc-fuse-activation --verify-diagnostics %s | FileCheck %s

// x * (1 + erf(x / sqrt(2))) * 0.5
// CHECK-LABEL: @erf_half_last
// CHECK-SAME: (%[[X:.*]]: tensor<4xf32>)
// CHECK: %[[Y:.*]] = tfc.gelu erf %[[X]]
// CHECK-NEXT: return %[[Y]]
func.func @erf_half_last(%x: tensor<4xf32>) -> tensor<4xf32> {
  %s = tfc.constant dense<1.41421354> : tensor<f32>
  %one = tfc.constant dense<1.0> : tensor<f32>
  %half = tfc.constant dense<0.5> : tensor<f32>
  %u = tfc.div %x, %s : tensor<4xf32>, tensor<f32>
  // expected-remark @below {{fused: gelu: erf}}
  %e = tfc.erf %u : tensor<4xf32>
  %a = tfc.add %e, %one : tensor<4xf32>, tensor<f32>
  %m = tfc.mul %x, %a : tensor<4xf32>, tensor<4xf32>
  %y = tfc.mul %m, %half : tensor<4xf32>, tensor<f32>
  return %y : tensor<4xf32>
}

// -----

// (0.5 * x) * (1 + erf(0.7071 * x))
// CHECK-LABEL: @erf_half_first
// CHECK-SAME: (%[[X:.*]]: tensor<4xf32>)
// CHECK: tfc.gelu erf %[[X]]
// CHECK-NEXT: return
func.func @erf_half_first(%x: tensor<4xf32>) -> tensor<4xf32> {
  %s = tfc.constant dense<0.7071> : tensor<1xf32>
  %one = tfc.constant dense<1.0> : tensor<f32>
  %half = tfc.constant dense<0.5> : tensor<f32>
  %h = tfc.mul %half, %x : tensor<f32>, tensor<4xf32>
  %u = tfc.mul %s, %x : tensor<1xf32>, tensor<4xf32>
  // expected-remark @below {{fused: gelu: erf}}
  %e = tfc.erf %u : tensor<4xf32>
  %a = tfc.add %one, %e : tensor<f32>, tensor<4xf32>
  %y = tfc.mul %a, %h : tensor<4xf32>, tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// x * ((1 + erf(..)) * 0.5), and x itself a product with a scalar: the GELU is of that product.
// CHECK-LABEL: @erf_half_inside
// CHECK: %[[X:.*]] = tfc.mul
// CHECK-NEXT: tfc.gelu erf %[[X]]
// CHECK-NEXT: return
func.func @erf_half_inside(%z: tensor<4xf32>) -> tensor<4xf32> {
  %s = tfc.constant dense<1.41421354> : tensor<f32>
  %one = tfc.constant dense<1.0> : tensor<f32>
  %half = tfc.constant dense<0.5> : tensor<f32>
  %three = tfc.constant dense<3.0> : tensor<f32>
  %x = tfc.mul %z, %three : tensor<4xf32>, tensor<f32>
  %u = tfc.div %x, %s : tensor<4xf32>, tensor<f32>
  // expected-remark @below {{fused: gelu: erf}}
  %e = tfc.erf %u : tensor<4xf32>
  %a = tfc.add %e, %one : tensor<4xf32>, tensor<f32>
  %m = tfc.mul %a, %half : tensor<4xf32>, tensor<f32>
  %y = tfc.mul %x, %m : tensor<4xf32>, tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// x * (0.5 * erf(..) + 0.5)
// CHECK-LABEL: @erf_half_distributed
// CHECK: tfc.gelu erf
// CHECK-NEXT: return
func.func @erf_half_distributed(%x: tensor<4xf32>) -> tensor<4xf32> {
  %s = tfc.constant dense<0.707106769> : tensor<f32>
  %half = tfc.constant dense<0.5> : tensor<f32>
  %u = tfc.mul %x, %s : tensor<4xf32>, tensor<f32>
  // expected-remark @below {{fused: gelu: erf}}
  %e = tfc.erf %u : tensor<4xf32>
  %h = tfc.mul %e, %half : tensor<4xf32>, tensor<f32>
  %a = tfc.add %h, %half : tensor<4xf32>, tensor<f32>
  %y = tfc.mul %x, %a : tensor<4xf32>, tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// CHECK-LABEL: @tanh_pow
// CHECK-SAME: (%[[X:.*]]: tensor<4xf32>)
// CHECK: tfc.gelu tanh %[[X]]
// CHECK-NEXT: return
func.func @tanh_pow(%x: tensor<4xf32>) -> tensor<4xf32> {
  %three = tfc.constant dense<3.0> : tensor<f32>
  %c3 = tfc.constant dense<0.044715> : tensor<f32>
  %c1 = tfc.constant dense<0.797884583> : tensor<f32>
  %one = tfc.constant dense<1.0> : tensor<f32>
  %half = tfc.constant dense<0.5> : tensor<f32>
  %p = tfc.pow %x, %three : tensor<4xf32>, tensor<f32>
  %q = tfc.mul %p, %c3 : tensor<4xf32>, tensor<f32>
  %r = tfc.add %x, %q : tensor<4xf32>, tensor<4xf32>
  %u = tfc.mul %r, %c1 : tensor<4xf32>, tensor<f32>
  // expected-remark @below {{fused: gelu: tanh}}
  %t = tfc.tanh %u : tensor<4xf32>
  %a = tfc.add %t, %one : tensor<4xf32>, tensor<f32>
  %h = tfc.mul %x, %half : tensor<4xf32>, tensor<f32>
  %y = tfc.mul %h, %a : tensor<4xf32>, tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// tanh((0.79788 x) * (1 + 0.044715 x * x))
// CHECK-LABEL: @tanh_factored
// CHECK: tfc.gelu tanh
// CHECK-NEXT: return
func.func @tanh_factored(%x: tensor<4xf32>) -> tensor<4xf32> {
  %c3 = tfc.constant dense<0.044715> : tensor<f32>
  %c1 = tfc.constant dense<0.797884583> : tensor<f32>
  %one = tfc.constant dense<1.0> : tensor<f32>
  %half = tfc.constant dense<0.5> : tensor<f32>
  %q = tfc.mul %x, %c3 : tensor<4xf32>, tensor<f32>
  %q2 = tfc.mul %q, %x : tensor<4xf32>, tensor<4xf32>
  %r = tfc.add %q2, %one : tensor<4xf32>, tensor<f32>
  %v = tfc.mul %x, %c1 : tensor<4xf32>, tensor<f32>
  %u = tfc.mul %v, %r : tensor<4xf32>, tensor<4xf32>
  // expected-remark @below {{fused: gelu: tanh}}
  %t = tfc.tanh %u : tensor<4xf32>
  %a = tfc.add %t, %one : tensor<4xf32>, tensor<f32>
  %m = tfc.mul %x, %a : tensor<4xf32>, tensor<4xf32>
  %y = tfc.mul %m, %half : tensor<4xf32>, tensor<f32>
  return %y : tensor<4xf32>
}

// -----

// CHECK-LABEL: @quick
// CHECK: tfc.gelu quick
// CHECK-NEXT: return
func.func @quick(%x: tensor<4xf32>) -> tensor<4xf32> {
  %c = tfc.constant dense<1.702> : tensor<f32>
  %u = tfc.mul %x, %c : tensor<4xf32>, tensor<f32>
  // expected-remark @below {{fused: gelu: quick}}
  %s = tfc.sigmoid %u : tensor<4xf32>
  %y = tfc.mul %s, %x : tensor<4xf32>, tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// CHECK-LABEL: @wrong_constant
// CHECK-NOT: tfc.gelu
func.func @wrong_constant(%x: tensor<4xf32>) -> tensor<4xf32> {
  %s = tfc.constant dense<0.7> : tensor<f32>
  %one = tfc.constant dense<1.0> : tensor<f32>
  %half = tfc.constant dense<0.5> : tensor<f32>
  %u = tfc.mul %x, %s : tensor<4xf32>, tensor<f32>
  // expected-remark @below {{not fused: gelu: the argument of erf is 0.7 x, not 0.707107 x}}
  %e = tfc.erf %u : tensor<4xf32>
  %a = tfc.add %e, %one : tensor<4xf32>, tensor<f32>
  %m = tfc.mul %x, %a : tensor<4xf32>, tensor<4xf32>
  %y = tfc.mul %m, %half : tensor<4xf32>, tensor<f32>
  return %y : tensor<4xf32>
}

// -----

// CHECK-LABEL: @wrong_power
// CHECK-NOT: tfc.gelu
func.func @wrong_power(%x: tensor<4xf32>) -> tensor<4xf32> {
  %two = tfc.constant dense<2.0> : tensor<f32>
  %c3 = tfc.constant dense<0.044715> : tensor<f32>
  %c1 = tfc.constant dense<0.797884583> : tensor<f32>
  %one = tfc.constant dense<1.0> : tensor<f32>
  %half = tfc.constant dense<0.5> : tensor<f32>
  %p = tfc.pow %x, %two : tensor<4xf32>, tensor<f32>
  %q = tfc.mul %p, %c3 : tensor<4xf32>, tensor<f32>
  %r = tfc.add %x, %q : tensor<4xf32>, tensor<4xf32>
  %u = tfc.mul %r, %c1 : tensor<4xf32>, tensor<f32>
  // expected-remark @below {{not fused: gelu: the argument of tanh is 0.797885 x + 0.0356774 x^2, not 0.797885 x + 0.0356774 x^3}}
  %t = tfc.tanh %u : tensor<4xf32>
  %a = tfc.add %t, %one : tensor<4xf32>, tensor<f32>
  %h = tfc.mul %x, %half : tensor<4xf32>, tensor<f32>
  %y = tfc.mul %h, %a : tensor<4xf32>, tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// CHECK-LABEL: @other_factor
// CHECK-NOT: tfc.gelu
func.func @other_factor(%x: tensor<4xf32>, %z: tensor<4xf32>) -> tensor<4xf32> {
  %s = tfc.constant dense<0.707106769> : tensor<f32>
  %one = tfc.constant dense<1.0> : tensor<f32>
  %half = tfc.constant dense<0.5> : tensor<f32>
  %u = tfc.mul %x, %s : tensor<4xf32>, tensor<f32>
  // expected-remark @below {{not fused: gelu: the argument of erf is no polynomial of what it is multiplied with}}
  %e = tfc.erf %u : tensor<4xf32>
  %a = tfc.add %e, %one : tensor<4xf32>, tensor<f32>
  %m = tfc.mul %z, %a : tensor<4xf32>, tensor<4xf32>
  %y = tfc.mul %m, %half : tensor<4xf32>, tensor<f32>
  return %y : tensor<4xf32>
}

// -----

// CHECK-LABEL: @used_elsewhere
// CHECK-NOT: tfc.gelu
func.func @used_elsewhere(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %s = tfc.constant dense<0.707106769> : tensor<f32>
  %one = tfc.constant dense<1.0> : tensor<f32>
  %half = tfc.constant dense<0.5> : tensor<f32>
  %u = tfc.mul %x, %s : tensor<4xf32>, tensor<f32>
  // expected-remark @below {{not fused: gelu: a value inside it is used elsewhere too}}
  %e = tfc.erf %u : tensor<4xf32>
  %a = tfc.add %e, %one : tensor<4xf32>, tensor<f32>
  %m = tfc.mul %x, %a : tensor<4xf32>, tensor<4xf32>
  %y = tfc.mul %m, %half : tensor<4xf32>, tensor<f32>
  return %y, %a : tensor<4xf32>, tensor<4xf32>
}

// -----

// CHECK-LABEL: @silu
// CHECK-SAME: (%[[X:.*]]: tensor<4xf32>)
// CHECK: %[[Y:.*]] = tfc.silu %[[X]]
// CHECK-NEXT: return %[[Y]]
func.func @silu(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-remark @below {{fused: silu}}
  %s = tfc.sigmoid %x : tensor<4xf32>
  %y = tfc.mul %s, %x : tensor<4xf32>, tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// The SiLU of a product with a scalar is still one: 1.702 is not its argument's factor but x's.
// CHECK-LABEL: @silu_of_scaled
// CHECK: %[[X:.*]] = tfc.mul
// CHECK-NEXT: tfc.silu %[[X]]
// CHECK-NEXT: return
func.func @silu_of_scaled(%z: tensor<4xf32>) -> tensor<4xf32> {
  %c = tfc.constant dense<1.702> : tensor<f32>
  %x = tfc.mul %z, %c : tensor<4xf32>, tensor<f32>
  // expected-remark @below {{fused: silu}}
  %s = tfc.sigmoid %x : tensor<4xf32>
  %y = tfc.mul %x, %s : tensor<4xf32>, tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// CHECK-LABEL: @swish_with_another_factor
// CHECK-NOT: tfc.silu
func.func @swish_with_another_factor(%x: tensor<4xf32>) -> tensor<4xf32> {
  %c = tfc.constant dense<1.1> : tensor<f32>
  %u = tfc.mul %x, %c : tensor<4xf32>, tensor<f32>
  // expected-remark @below {{not fused: silu: the argument of sigmoid is 1.1 x, not 1 x}}
  %s = tfc.sigmoid %u : tensor<4xf32>
  %y = tfc.mul %s, %x : tensor<4xf32>, tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// CHECK-LABEL: @quick_rounded_too_far
// CHECK-NOT: tfc.gelu
func.func @quick_rounded_too_far(%x: tensor<4xf32>) -> tensor<4xf32> {
  %c = tfc.constant dense<1.7> : tensor<f32>
  %u = tfc.mul %x, %c : tensor<4xf32>, tensor<f32>
  // expected-remark @below {{not fused: gelu: the argument of sigmoid is 1.7 x, not 1.702 x}}
  %s = tfc.sigmoid %u : tensor<4xf32>
  %y = tfc.mul %s, %x : tensor<4xf32>, tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// CHECK-LABEL: @sigmoid_used_elsewhere
// CHECK-NOT: tfc.silu
func.func @sigmoid_used_elsewhere(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  // expected-remark @below {{not fused: silu: a value inside it is used elsewhere too}}
  %s = tfc.sigmoid %x : tensor<4xf32>
  %y = tfc.mul %s, %x : tensor<4xf32>, tensor<4xf32>
  return %y, %s : tensor<4xf32>, tensor<4xf32>
}

// -----

// 0.7071 is near enough (above), 0.707 is not: it would change the result by 4e-5 of its size.
// CHECK-LABEL: @rounded_too_far
// CHECK-NOT: tfc.gelu
func.func @rounded_too_far(%x: tensor<4xf32>) -> tensor<4xf32> {
  %s = tfc.constant dense<0.707> : tensor<f32>
  %one = tfc.constant dense<1.0> : tensor<f32>
  %half = tfc.constant dense<0.5> : tensor<f32>
  %u = tfc.mul %x, %s : tensor<4xf32>, tensor<f32>
  // expected-remark @below {{not fused: gelu: the argument of erf is 0.707 x, not 0.707107 x}}
  %e = tfc.erf %u : tensor<4xf32>
  %a = tfc.add %e, %one : tensor<4xf32>, tensor<f32>
  %m = tfc.mul %x, %a : tensor<4xf32>, tensor<4xf32>
  %y = tfc.mul %m, %half : tensor<4xf32>, tensor<f32>
  return %y : tensor<4xf32>
}

// -----

// The cubic term counts for less: 0.04472 is near enough.
// CHECK-LABEL: @tanh_rounded
// CHECK: tfc.gelu tanh
// CHECK-NEXT: return
func.func @tanh_rounded(%x: tensor<4xf32>) -> tensor<4xf32> {
  %three = tfc.constant dense<3.0> : tensor<f32>
  %c3 = tfc.constant dense<0.04472> : tensor<f32>
  %c1 = tfc.constant dense<0.797885> : tensor<f32>
  %one = tfc.constant dense<1.0> : tensor<f32>
  %half = tfc.constant dense<0.5> : tensor<f32>
  %p = tfc.pow %x, %three : tensor<4xf32>, tensor<f32>
  %q = tfc.mul %p, %c3 : tensor<4xf32>, tensor<f32>
  %r = tfc.add %x, %q : tensor<4xf32>, tensor<4xf32>
  %u = tfc.mul %r, %c1 : tensor<4xf32>, tensor<f32>
  // expected-remark @below {{fused: gelu: tanh}}
  %t = tfc.tanh %u : tensor<4xf32>
  %a = tfc.add %t, %one : tensor<4xf32>, tensor<f32>
  %h = tfc.mul %x, %half : tensor<4xf32>, tensor<f32>
  %y = tfc.mul %h, %a : tensor<4xf32>, tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// 0.0447 is not: an output whose elements are all small would show it.
// CHECK-LABEL: @tanh_rounded_too_far
// CHECK-NOT: tfc.gelu
func.func @tanh_rounded_too_far(%x: tensor<4xf32>) -> tensor<4xf32> {
  %three = tfc.constant dense<3.0> : tensor<f32>
  %c3 = tfc.constant dense<0.0447> : tensor<f32>
  %c1 = tfc.constant dense<0.797885> : tensor<f32>
  %one = tfc.constant dense<1.0> : tensor<f32>
  %half = tfc.constant dense<0.5> : tensor<f32>
  %p = tfc.pow %x, %three : tensor<4xf32>, tensor<f32>
  %q = tfc.mul %p, %c3 : tensor<4xf32>, tensor<f32>
  %r = tfc.add %x, %q : tensor<4xf32>, tensor<4xf32>
  %u = tfc.mul %r, %c1 : tensor<4xf32>, tensor<f32>
  // expected-remark @below {{not fused: gelu: the argument of tanh is 0.797885 x + 0.0356655 x^3, not 0.797885 x + 0.0356774 x^3}}
  %t = tfc.tanh %u : tensor<4xf32>
  %a = tfc.add %t, %one : tensor<4xf32>, tensor<f32>
  %h = tfc.mul %x, %half : tensor<4xf32>, tensor<f32>
  %y = tfc.mul %h, %a : tensor<4xf32>, tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// Half precision has no constant nearer to 0.70711 than 0.70703.
// CHECK-LABEL: @half_precision
// CHECK: tfc.gelu erf
// CHECK-NEXT: return
func.func @half_precision(%x: tensor<4xf16>) -> tensor<4xf16> {
  %s = tfc.constant dense<0.70703125> : tensor<f16>
  %one = tfc.constant dense<1.0> : tensor<f16>
  %half = tfc.constant dense<0.5> : tensor<f16>
  %u = tfc.mul %x, %s : tensor<4xf16>, tensor<f16>
  // expected-remark @below {{fused: gelu: erf}}
  %e = tfc.erf %u : tensor<4xf16>
  %a = tfc.add %e, %one : tensor<4xf16>, tensor<f16>
  %m = tfc.mul %x, %a : tensor<4xf16>, tensor<4xf16>
  %y = tfc.mul %m, %half : tensor<4xf16>, tensor<f16>
  return %y : tensor<4xf16>
}

// -----

// A bias in front is part of x, whatever it is added to.
// CHECK-LABEL: @gelu_of_biased
// CHECK: %[[X:.*]] = tfc.add
// CHECK-NEXT: tfc.gelu erf %[[X]]
// CHECK-NEXT: return
func.func @gelu_of_biased(%z: tensor<2x4xf32>, %b: tensor<4xf32>) -> tensor<2x4xf32> {
  %s = tfc.constant dense<1.41421354> : tensor<f32>
  %one = tfc.constant dense<1.0> : tensor<f32>
  %half = tfc.constant dense<0.5> : tensor<f32>
  %x = tfc.add %z, %b : tensor<2x4xf32>, tensor<4xf32>
  %u = tfc.div %x, %s : tensor<2x4xf32>, tensor<f32>
  // expected-remark @below {{fused: gelu: erf}}
  %e = tfc.erf %u : tensor<2x4xf32>
  %a = tfc.add %e, %one : tensor<2x4xf32>, tensor<f32>
  %h = tfc.mul %x, %half : tensor<2x4xf32>, tensor<f32>
  %y = tfc.mul %h, %a : tensor<2x4xf32>, tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// -----

// A tanh of its own and a gate are no candidates; neither may be touched.
// CHECK-LABEL: @no_candidates
// CHECK: tfc.tanh
// CHECK: tfc.sigmoid
// CHECK: tfc.mul
func.func @no_candidates(%x: tensor<4xf32>, %z: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %t = tfc.tanh %x : tensor<4xf32>
  %s = tfc.sigmoid %x : tensor<4xf32>
  %y = tfc.mul %s, %z : tensor<4xf32>, tensor<4xf32>
  return %t, %y : tensor<4xf32>, tensor<4xf32>
}
