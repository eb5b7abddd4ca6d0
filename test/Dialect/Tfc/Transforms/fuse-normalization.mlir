// RUN: tfc-opt --split-input-file --tfc-fuse-normalization --verify-diagnostics %s | FileCheck %s
// RUN: tfc-opt --split-input-file --tfc-fuse-normalization="layer-norm=false" %s 2>/dev/null | FileCheck %s --check-prefix=RMS-ONLY

// RMS-ONLY-NOT: tfc.layer_norm
// RMS-ONLY: tfc.rms_norm
// RMS-ONLY-NOT: tfc.layer_norm

// CHECK-LABEL: @layer_norm
// CHECK-SAME: (%[[X:.*]]: tensor<4x8xf32>, %[[G:.*]]: tensor<8xf32>, %[[B:.*]]: tensor<8xf32>)
// CHECK: %[[Y:.*]] = tfc.layer_norm %[[X]] scale %[[G]] bias %[[B]] axis 1 epsilon 9.9999997473787516E-6
// CHECK-NEXT: return %[[Y]]
func.func @layer_norm(%x: tensor<4x8xf32>, %g: tensor<8xf32>, %b: tensor<8xf32>) -> tensor<4x8xf32> {
  %two = tfc.constant dense<2.0> : tensor<f32>
  %eps = tfc.constant dense<1.0e-5> : tensor<f32>
  %m = tfc.reduce mean %x axes [1] keep_dims : tensor<4x8xf32>
  %d = tfc.sub %x, %m : tensor<4x8xf32>, tensor<4x1xf32>
  %s = tfc.pow %d, %two : tensor<4x8xf32>, tensor<f32>
  // expected-remark @below {{fused: layer_norm: epsilon 1e-05, scale, bias}}
  %v = tfc.reduce mean %s axes [1] keep_dims : tensor<4x8xf32>
  %e = tfc.add %v, %eps : tensor<4x1xf32>, tensor<f32>
  %r = tfc.sqrt %e : tensor<4x1xf32>
  %n = tfc.div %d, %r : tensor<4x8xf32>, tensor<4x1xf32>
  %t = tfc.mul %n, %g : tensor<4x8xf32>, tensor<8xf32>
  %y = tfc.add %t, %b : tensor<4x8xf32>, tensor<8xf32>
  return %y : tensor<4x8xf32>
}

// -----

// The subtraction twice, mul for the square, 1 / sqrt times the value, scale and bias on the left.
// CHECK-LABEL: @layer_norm_other_spellings
// CHECK: tfc.layer_norm %{{.*}} scale %{{.*}} bias %{{.*}} axis 1
// CHECK-NEXT: return
func.func @layer_norm_other_spellings(%x: tensor<4x8xf32>, %g: tensor<1x8xf32>, %b: tensor<8xf32>) -> tensor<4x8xf32> {
  %one = tfc.constant dense<1.0> : tensor<1xf32>
  %eps = tfc.constant dense<1.0e-12> : tensor<1x1xf32>
  %m = tfc.reduce mean %x axes [1] keep_dims : tensor<4x8xf32>
  %d = tfc.sub %x, %m : tensor<4x8xf32>, tensor<4x1xf32>
  %d2 = tfc.sub %x, %m : tensor<4x8xf32>, tensor<4x1xf32>
  %s = tfc.mul %d, %d : tensor<4x8xf32>, tensor<4x8xf32>
  // expected-remark @below {{fused: layer_norm: epsilon 1e-12, scale, bias}}
  %v = tfc.reduce mean %s axes [1] keep_dims : tensor<4x8xf32>
  %e = tfc.add %eps, %v : tensor<1x1xf32>, tensor<4x1xf32>
  %r = tfc.sqrt %e : tensor<4x1xf32>
  %i = tfc.div %one, %r : tensor<1xf32>, tensor<4x1xf32>
  %n = tfc.mul %i, %d2 : tensor<4x1xf32>, tensor<4x8xf32>
  %t = tfc.mul %g, %n : tensor<1x8xf32>, tensor<4x8xf32>
  %y = tfc.add %b, %t : tensor<8xf32>, tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}

// -----

// TensorFlow's form: x * r + (bias - mean * r), where r has the scale in it.
// CHECK-LABEL: @layer_norm_shifted
// CHECK-SAME: (%[[X:.*]]: tensor<4x8xf32>, %[[G:.*]]: tensor<8xf32>, %[[B:.*]]: tensor<8xf32>)
// CHECK: %[[Y:.*]] = tfc.layer_norm %[[X]] scale %[[G]] bias %[[B]]
// CHECK-NEXT: return %[[Y]]
func.func @layer_norm_shifted(%x: tensor<4x8xf32>, %g: tensor<8xf32>, %b: tensor<8xf32>) -> tensor<4x8xf32> {
  %eps = tfc.constant dense<1.0e-12> : tensor<f32>
  %m = tfc.reduce mean %x axes [1] keep_dims : tensor<4x8xf32>
  %d = tfc.sub %x, %m : tensor<4x8xf32>, tensor<4x1xf32>
  %s = tfc.mul %d, %d : tensor<4x8xf32>, tensor<4x8xf32>
  // expected-remark @below {{fused: layer_norm: epsilon 1e-12, scale, bias}}
  %v = tfc.reduce mean %s axes [1] keep_dims : tensor<4x8xf32>
  %e = tfc.add %v, %eps : tensor<4x1xf32>, tensor<f32>
  %q = tfc.sqrt %e : tensor<4x1xf32>
  %i = tfc.reciprocal %q : tensor<4x1xf32>
  %r = tfc.mul %i, %g : tensor<4x1xf32>, tensor<8xf32>
  %xr = tfc.mul %x, %r : tensor<4x8xf32>, tensor<4x8xf32>
  %mr = tfc.mul %m, %r : tensor<4x1xf32>, tensor<4x8xf32>
  %k = tfc.sub %b, %mr : tensor<8xf32>, tensor<4x8xf32>
  %y = tfc.add %xr, %k : tensor<4x8xf32>, tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}

// -----

// CHECK-LABEL: @rms_norm
// CHECK-SAME: (%[[X:.*]]: tensor<4x8xf32>, %[[G:.*]]: tensor<8xf32>)
// CHECK: %[[Y:.*]] = tfc.rms_norm %[[X]] scale %[[G]] axis 1
// CHECK-NEXT: return %[[Y]]
func.func @rms_norm(%x: tensor<4x8xf32>, %g: tensor<8xf32>) -> tensor<4x8xf32> {
  %eps = tfc.constant dense<1.0e-6> : tensor<f32>
  %s = tfc.mul %x, %x : tensor<4x8xf32>, tensor<4x8xf32>
  // expected-remark @below {{fused: rms_norm: epsilon 1e-06, scale}}
  %v = tfc.reduce mean %s axes [1] keep_dims : tensor<4x8xf32>
  %e = tfc.add %v, %eps : tensor<4x1xf32>, tensor<f32>
  %q = tfc.sqrt %e : tensor<4x1xf32>
  %r = tfc.reciprocal %q : tensor<4x1xf32>
  %n = tfc.mul %r, %x : tensor<4x1xf32>, tensor<4x8xf32>
  %y = tfc.mul %g, %n : tensor<8xf32>, tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}

// -----

// What multiplies the norm along other dims is no scale of it and stays outside.
// CHECK-LABEL: @scale_per_row_stays
// CHECK: %[[N:.*]] = tfc.rms_norm %{{.*}} axis 1
// CHECK: tfc.mul %[[N]]
func.func @scale_per_row_stays(%x: tensor<4x8xf32>, %g: tensor<4x1xf32>) -> tensor<4x8xf32> {
  %minus_half = tfc.constant dense<-0.5> : tensor<f32>
  %s = tfc.mul %x, %x : tensor<4x8xf32>, tensor<4x8xf32>
  // expected-remark @below {{fused: rms_norm: epsilon 0}}
  %v = tfc.reduce mean %s axes [1] keep_dims : tensor<4x8xf32>
  %r = tfc.pow %v, %minus_half : tensor<4x1xf32>, tensor<f32>
  %n = tfc.mul %r, %x : tensor<4x1xf32>, tensor<4x8xf32>
  %y = tfc.mul %n, %g : tensor<4x8xf32>, tensor<4x1xf32>
  return %y : tensor<4x8xf32>
}

// -----

// CHECK-LABEL: @different_axes
// CHECK-NOT: tfc.layer_norm
// CHECK-NOT: tfc.rms_norm
func.func @different_axes(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %m = tfc.reduce mean %x axes [0] keep_dims : tensor<4x8xf32>
  %d = tfc.sub %x, %m : tensor<4x8xf32>, tensor<1x8xf32>
  %s = tfc.mul %d, %d : tensor<4x8xf32>, tensor<4x8xf32>
  // expected-remark @below {{not fused: layer_norm: mean and variance are taken over different axes}}
  %v = tfc.reduce mean %s axes [1] keep_dims : tensor<4x8xf32>
  %r = tfc.sqrt %v : tensor<4x1xf32>
  %y = tfc.div %d, %r : tensor<4x8xf32>, tensor<4x1xf32>
  return %y : tensor<4x8xf32>
}

// -----

// CHECK-LABEL: @not_the_last_axis
// CHECK-NOT: tfc.rms_norm
func.func @not_the_last_axis(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %s = tfc.mul %x, %x : tensor<4x8xf32>, tensor<4x8xf32>
  // expected-remark @below {{not fused: rms_norm: the mean is not over the last dims}}
  %v = tfc.reduce mean %s axes [0] keep_dims : tensor<4x8xf32>
  %r = tfc.sqrt %v : tensor<1x8xf32>
  %y = tfc.div %x, %r : tensor<4x8xf32>, tensor<1x8xf32>
  return %y : tensor<4x8xf32>
}

// -----

// CHECK-LABEL: @variance_used_elsewhere
// CHECK-NOT: tfc.layer_norm
func.func @variance_used_elsewhere(%x: tensor<4x8xf32>) -> (tensor<4x8xf32>, tensor<4x1xf32>) {
  %m = tfc.reduce mean %x axes [1] keep_dims : tensor<4x8xf32>
  %d = tfc.sub %x, %m : tensor<4x8xf32>, tensor<4x1xf32>
  %s = tfc.mul %d, %d : tensor<4x8xf32>, tensor<4x8xf32>
  // expected-remark @below {{not fused: layer_norm: a value inside it is used elsewhere too}}
  %v = tfc.reduce mean %s axes [1] keep_dims : tensor<4x8xf32>
  %r = tfc.sqrt %v : tensor<4x1xf32>
  %y = tfc.div %d, %r : tensor<4x8xf32>, tensor<4x1xf32>
  return %y, %v : tensor<4x8xf32>, tensor<4x1xf32>
}

// -----

// CHECK-LABEL: @centred_used_elsewhere
// CHECK-NOT: tfc.layer_norm
func.func @centred_used_elsewhere(%x: tensor<4x8xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>) {
  %m = tfc.reduce mean %x axes [1] keep_dims : tensor<4x8xf32>
  %d = tfc.sub %x, %m : tensor<4x8xf32>, tensor<4x1xf32>
  %s = tfc.mul %d, %d : tensor<4x8xf32>, tensor<4x8xf32>
  // expected-remark @below {{not fused: layer_norm: a value inside it is used elsewhere too}}
  %v = tfc.reduce mean %s axes [1] keep_dims : tensor<4x8xf32>
  %r = tfc.sqrt %v : tensor<4x1xf32>
  %y = tfc.div %d, %r : tensor<4x8xf32>, tensor<4x1xf32>
  return %y, %d : tensor<4x8xf32>, tensor<4x8xf32>
}

// -----

// CHECK-LABEL: @other_numerator
// CHECK-NOT: tfc.rms_norm
func.func @other_numerator(%x: tensor<4x8xf32>, %z: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %s = tfc.mul %x, %x : tensor<4x8xf32>, tensor<4x8xf32>
  // expected-remark @below {{not fused: rms_norm: what is divided by the root is not the value whose squares were averaged}}
  %v = tfc.reduce mean %s axes [1] keep_dims : tensor<4x8xf32>
  %r = tfc.sqrt %v : tensor<4x1xf32>
  %y = tfc.div %z, %r : tensor<4x8xf32>, tensor<4x1xf32>
  return %y : tensor<4x8xf32>
}

// -----

// CHECK-LABEL: @epsilon_per_row
// CHECK-NOT: tfc.rms_norm
func.func @epsilon_per_row(%x: tensor<4x8xf32>, %eps: tensor<4x1xf32>) -> tensor<4x8xf32> {
  %s = tfc.mul %x, %x : tensor<4x8xf32>, tensor<4x8xf32>
  // expected-remark @below {{not fused: rms_norm: what is added to the mean of squares is not a constant}}
  %v = tfc.reduce mean %s axes [1] keep_dims : tensor<4x8xf32>
  %e = tfc.add %v, %eps : tensor<4x1xf32>, tensor<4x1xf32>
  %r = tfc.sqrt %e : tensor<4x1xf32>
  %y = tfc.div %x, %r : tensor<4x8xf32>, tensor<4x1xf32>
  return %y : tensor<4x8xf32>
}

// -----

// A mean of cubes is no candidate at all.
// CHECK-LABEL: @cubes
// CHECK-NOT: tfc.rms_norm
func.func @cubes(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %three = tfc.constant dense<3.0> : tensor<f32>
  %s = tfc.pow %x, %three : tensor<4x8xf32>, tensor<f32>
  %v = tfc.reduce mean %s axes [1] keep_dims : tensor<4x8xf32>
  %r = tfc.sqrt %v : tensor<4x1xf32>
  %y = tfc.div %x, %r : tensor<4x8xf32>, tensor<4x1xf32>
  return %y : tensor<4x8xf32>
}

// -----

// The mean in f32, everything else in f16.
// CHECK-LABEL: @layer_norm_casts_inside
// CHECK-SAME: (%[[X:.*]]: tensor<4x8xf16>, %[[G:.*]]: tensor<8xf16>)
// CHECK: %[[Y:.*]] = tfc.layer_norm %[[X]] scale %[[G]] axis 1
// CHECK-NEXT: return %[[Y]]
func.func @layer_norm_casts_inside(%x: tensor<4x8xf16>, %g: tensor<8xf16>) -> tensor<4x8xf16> {
  %two = tfc.constant dense<2.0> : tensor<f32>
  %eps = tfc.constant dense<1.0e-5> : tensor<f32>
  %m = tfc.reduce mean %x axes [1] keep_dims : tensor<4x8xf16>
  %d = tfc.sub %x, %m : tensor<4x8xf16>, tensor<4x1xf16>
  %c = tfc.cast %d : tensor<4x8xf16> -> tensor<4x8xf32>
  %s = tfc.pow %c, %two : tensor<4x8xf32>, tensor<f32>
  // expected-remark @below {{fused: layer_norm: epsilon 1e-05, scale}}
  %v = tfc.reduce mean %s axes [1] keep_dims : tensor<4x8xf32>
  %e = tfc.add %v, %eps : tensor<4x1xf32>, tensor<f32>
  %q = tfc.sqrt %e : tensor<4x1xf32>
  %r = tfc.cast %q : tensor<4x1xf32> -> tensor<4x1xf16>
  %n = tfc.div %d, %r : tensor<4x8xf16>, tensor<4x1xf16>
  %y = tfc.mul %n, %g : tensor<4x8xf16>, tensor<8xf16>
  return %y : tensor<4x8xf16>
}

// -----

// CHECK-LABEL: @rms_norm_casts_inside
// CHECK-SAME: (%[[X:.*]]: tensor<4x8xf16>)
// CHECK: tfc.rms_norm %[[X]] axis 1
// CHECK-NEXT: return
func.func @rms_norm_casts_inside(%x: tensor<4x8xf16>) -> tensor<4x8xf16> {
  %eps = tfc.constant dense<1.0e-6> : tensor<f32>
  %c = tfc.cast %x : tensor<4x8xf16> -> tensor<4x8xf32>
  %s = tfc.mul %c, %c : tensor<4x8xf32>, tensor<4x8xf32>
  // expected-remark @below {{fused: rms_norm: epsilon 1e-06}}
  %v = tfc.reduce mean %s axes [1] keep_dims : tensor<4x8xf32>
  %e = tfc.add %v, %eps : tensor<4x1xf32>, tensor<f32>
  %q = tfc.sqrt %e : tensor<4x1xf32>
  %r = tfc.reciprocal %q : tensor<4x1xf32>
  %h = tfc.cast %r : tensor<4x1xf32> -> tensor<4x1xf16>
  %y = tfc.mul %x, %h : tensor<4x8xf16>, tensor<4x1xf16>
  return %y : tensor<4x8xf16>
}

// -----

// The cast of x has another use, for which it stays; the norm reads x.
// CHECK-LABEL: @rms_norm_of_a_cast
// CHECK-SAME: (%[[X:.*]]: tensor<4x8xf16>)
// CHECK: %[[C:.*]] = tfc.cast %[[X]]
// CHECK: %[[N:.*]] = tfc.rms_norm %[[X]] axis 1
// CHECK: return %[[N]], %[[C]]
func.func @rms_norm_of_a_cast(%x: tensor<4x8xf16>) -> (tensor<4x8xf16>, tensor<4x8xf32>) {
  %eps = tfc.constant dense<1.0e-6> : tensor<f32>
  %c = tfc.cast %x : tensor<4x8xf16> -> tensor<4x8xf32>
  %s = tfc.mul %c, %c : tensor<4x8xf32>, tensor<4x8xf32>
  // expected-remark @below {{fused: rms_norm: epsilon 1e-06}}
  %v = tfc.reduce mean %s axes [1] keep_dims : tensor<4x8xf32>
  %e = tfc.add %v, %eps : tensor<4x1xf32>, tensor<f32>
  %q = tfc.sqrt %e : tensor<4x1xf32>
  %r = tfc.reciprocal %q : tensor<4x1xf32>
  %n = tfc.mul %c, %r : tensor<4x8xf32>, tensor<4x1xf32>
  %y = tfc.cast %n : tensor<4x8xf32> -> tensor<4x8xf16>
  return %y, %c : tensor<4x8xf16>, tensor<4x8xf32>
}

// -----

// Gemma scales with 1 + w.
// CHECK-LABEL: @rms_norm_scale_plus_one
// CHECK-SAME: (%[[X:.*]]: tensor<4x8xf32>, %[[W:.*]]: tensor<8xf32>)
// CHECK: %[[G:.*]] = tfc.add %[[W]]
// CHECK: tfc.rms_norm %[[X]] scale %[[G]] axis 1
// CHECK-NEXT: return
func.func @rms_norm_scale_plus_one(%x: tensor<4x8xf32>, %w: tensor<8xf32>) -> tensor<4x8xf32> {
  %eps = tfc.constant dense<1.0e-06> : tensor<f32>
  %one = tfc.constant dense<1.0> : tensor<f32>
  %s = tfc.mul %x, %x : tensor<4x8xf32>, tensor<4x8xf32>
  // expected-remark @below {{fused: rms_norm: epsilon 1e-06, scale}}
  %v = tfc.reduce mean %s axes [1] keep_dims : tensor<4x8xf32>
  %e = tfc.add %v, %eps : tensor<4x1xf32>, tensor<f32>
  %r = tfc.sqrt %e : tensor<4x1xf32>
  %i = tfc.reciprocal %r : tensor<4x1xf32>
  %n = tfc.mul %x, %i : tensor<4x8xf32>, tensor<4x1xf32>
  %g = tfc.add %w, %one : tensor<8xf32>, tensor<f32>
  %y = tfc.mul %n, %g : tensor<4x8xf32>, tensor<8xf32>
  return %y : tensor<4x8xf32>
}

// -----

// LLaMA in half precision: x is widened, the quotient narrowed, then scaled.
// CHECK-LABEL: @rms_norm_widened
// CHECK-SAME: (%[[X:.*]]: tensor<4x8xf16>, %[[W:.*]]: tensor<8xf16>)
// CHECK: %[[Y:.*]] = tfc.rms_norm %[[X]] scale %[[W]] axis 1
// CHECK-NEXT: return %[[Y]]
func.func @rms_norm_widened(%x: tensor<4x8xf16>, %w: tensor<8xf16>) -> tensor<4x8xf16> {
  %eps = tfc.constant dense<1.0e-06> : tensor<f32>
  %two = tfc.constant dense<2.0> : tensor<f32>
  %f = tfc.cast %x : tensor<4x8xf16> -> tensor<4x8xf32>
  %s = tfc.pow %f, %two : tensor<4x8xf32>, tensor<f32>
  // expected-remark @below {{fused: rms_norm: epsilon 1e-06, scale}}
  %v = tfc.reduce mean %s axes [1] keep_dims : tensor<4x8xf32>
  %e = tfc.add %v, %eps : tensor<4x1xf32>, tensor<f32>
  %r = tfc.sqrt %e : tensor<4x1xf32>
  %i = tfc.reciprocal %r : tensor<4x1xf32>
  %n = tfc.mul %f, %i : tensor<4x8xf32>, tensor<4x1xf32>
  %h = tfc.cast %n : tensor<4x8xf32> -> tensor<4x8xf16>
  %y = tfc.mul %w, %h : tensor<8xf16>, tensor<4x8xf16>
  return %y : tensor<4x8xf16>
}

// -----

// Narrowed to another type than x had: the cast stays.
// CHECK-LABEL: @narrowed_to_another_type
// CHECK: tfc.cast
// CHECK: tfc.rms_norm {{.*}} : (tensor<4x8xf32>)
// CHECK: tfc.cast
func.func @narrowed_to_another_type(%x: tensor<4x8xf16>) -> tensor<4x8xbf16> {
  %eps = tfc.constant dense<1.0e-06> : tensor<f32>
  %f = tfc.cast %x : tensor<4x8xf16> -> tensor<4x8xf32>
  %s = tfc.mul %f, %f : tensor<4x8xf32>, tensor<4x8xf32>
  // expected-remark @below {{fused: rms_norm: epsilon 1e-06}}
  %v = tfc.reduce mean %s axes [1] keep_dims : tensor<4x8xf32>
  %e = tfc.add %v, %eps : tensor<4x1xf32>, tensor<f32>
  %r = tfc.sqrt %e : tensor<4x1xf32>
  %n = tfc.div %f, %r : tensor<4x8xf32>, tensor<4x1xf32>
  %h = tfc.cast %n : tensor<4x8xf32> -> tensor<4x8xbf16>
  return %h : tensor<4x8xbf16>
}

// -----

// Each norm keeps its own epsilon.
// CHECK-LABEL: @another_epsilon_each
// CHECK: tfc.rms_norm {{.*}} epsilon 9.9999999747524271E-7
// CHECK: tfc.rms_norm {{.*}} epsilon 9.9999997473787516E-6
func.func @another_epsilon_each(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %eps0 = tfc.constant dense<1.0e-06> : tensor<f32>
  %eps1 = tfc.constant dense<1.0e-05> : tensor<f32>
  %s = tfc.mul %x, %x : tensor<4x8xf32>, tensor<4x8xf32>
  // expected-remark @below {{fused: rms_norm: epsilon 1e-06}}
  %v = tfc.reduce mean %s axes [1] keep_dims : tensor<4x8xf32>
  %e = tfc.add %v, %eps0 : tensor<4x1xf32>, tensor<f32>
  %r = tfc.sqrt %e : tensor<4x1xf32>
  %n = tfc.div %x, %r : tensor<4x8xf32>, tensor<4x1xf32>
  %t = tfc.mul %n, %n : tensor<4x8xf32>, tensor<4x8xf32>
  // expected-remark @below {{fused: rms_norm: epsilon 1e-05}}
  %w = tfc.reduce mean %t axes [1] keep_dims : tensor<4x8xf32>
  %f = tfc.add %w, %eps1 : tensor<4x1xf32>, tensor<f32>
  %q = tfc.sqrt %f : tensor<4x1xf32>
  %y = tfc.div %n, %q : tensor<4x8xf32>, tensor<4x1xf32>
  return %y : tensor<4x8xf32>
}

// -----

// Epsilon added to the root, not under it, is another function.
// CHECK-LABEL: @epsilon_behind_the_root
// CHECK-NOT: tfc.rms_norm
func.func @epsilon_behind_the_root(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %eps = tfc.constant dense<1.0e-06> : tensor<f32>
  %s = tfc.mul %x, %x : tensor<4x8xf32>, tensor<4x8xf32>
  // expected-remark @below {{not fused: rms_norm: what is divided by the root is not the value whose squares were averaged}}
  %v = tfc.reduce mean %s axes [1] keep_dims : tensor<4x8xf32>
  %r = tfc.sqrt %v : tensor<4x1xf32>
  %e = tfc.add %r, %eps : tensor<4x1xf32>, tensor<f32>
  %y = tfc.div %x, %e : tensor<4x8xf32>, tensor<4x1xf32>
  return %y : tensor<4x8xf32>
}
