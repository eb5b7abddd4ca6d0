// RUN: tfc-opt --split-input-file --tfc-fuse-gate --verify-diagnostics %s | FileCheck %s

// Two products are what a kernel wants already.
// CHECK-LABEL: @two_products
// CHECK: %[[G:.*]] = tfc.matmul
// CHECK: %[[U:.*]] = tfc.matmul
// CHECK: %[[S:.*]] = tfc.silu %[[G]]
// CHECK: tfc.mul %[[S]], %[[U]]
func.func @two_products(%x: tensor<4x8xf32>, %wg: tensor<8x16xf32>, %wu: tensor<8x16xf32>) -> tensor<4x16xf32> {
  %g = tfc.matmul %x, %wg : tensor<4x8xf32>, tensor<8x16xf32>
  %u = tfc.matmul %x, %wu : tensor<4x8xf32>, tensor<8x16xf32>
  %s = tfc.silu %g : tensor<4x16xf32>
  // expected-remark @below {{fused: swiglu: silu, two products}}
  %y = tfc.mul %s, %u : tensor<4x16xf32>, tensor<4x16xf32>
  return %y : tensor<4x16xf32>
}

// -----

// The split moves into the weight and the bias.
tfc.weight @w : tensor<8x32xf32> = #tfc.seed<normal, 1, 2, 0.0 : f32, 1.0 : f32>
tfc.weight @b : tensor<32xf32> = #tfc.seed<normal, 1, 3, 0.0 : f32, 1.0 : f32>
// CHECK-LABEL: @split_product
// CHECK-DAG: %[[W:.*]] = tfc.weight_ref @w
// CHECK-DAG: %[[B:.*]] = tfc.weight_ref @b
// CHECK: %[[WG:.*]] = tfc.slice %[[W]] offsets [0, 0] strides [1, 1]
// CHECK: tfc.matmul %{{.*}}, %[[WG]] : tensor<4x8xf32>, tensor<8x16xf32>
// CHECK: tfc.slice %[[B]] offsets [0] strides [1]
// CHECK: %[[WU:.*]] = tfc.slice %[[W]] offsets [0, 16] strides [1, 1]
// CHECK: tfc.matmul %{{.*}}, %[[WU]] : tensor<4x8xf32>, tensor<8x16xf32>
// CHECK: tfc.slice %[[B]] offsets [16] strides [1]
// CHECK: tfc.gelu tanh
func.func @split_product(%x: tensor<4x8xf32>) -> tensor<4x16xf32> {
  %w = tfc.weight_ref @w : tensor<8x32xf32>
  %b = tfc.weight_ref @b : tensor<32xf32>
  %p = tfc.matmul %x, %w : tensor<4x8xf32>, tensor<8x32xf32>
  %q = tfc.add %p, %b : tensor<4x32xf32>, tensor<32xf32>
  %g = tfc.slice %q offsets [0, 0] strides [1, 1] : tensor<4x32xf32> -> tensor<4x16xf32>
  %u = tfc.slice %q offsets [0, 16] strides [1, 1] : tensor<4x32xf32> -> tensor<4x16xf32>
  %s = tfc.gelu tanh %u : tensor<4x16xf32>
  // expected-remark @below {{fused: swiglu: gelu tanh, one split product}}
  %y = tfc.mul %s, %g : tensor<4x16xf32>, tensor<4x16xf32>
  return %y : tensor<4x16xf32>
}

// -----

// Every other column, of a weight that stands transposed.
tfc.weight @w : tensor<32x8xf32> = #tfc.seed<normal, 1, 2, 0.0 : f32, 1.0 : f32>
// CHECK-LABEL: @interleaved
// CHECK: tfc.slice %{{.*}} offsets [0, 0] strides [2, 1] : tensor<32x8xf32> -> tensor<16x8xf32>
// CHECK-NEXT: tfc.matmul %{{.*}} {transpose_b}
// CHECK: tfc.slice %{{.*}} offsets [1, 0] strides [2, 1] : tensor<32x8xf32> -> tensor<16x8xf32>
// CHECK-NEXT: tfc.matmul %{{.*}} {transpose_b}
func.func @interleaved(%x: tensor<4x8xf32>) -> tensor<4x16xf32> {
  %w = tfc.weight_ref @w : tensor<32x8xf32>
  %p = tfc.matmul %x, %w {transpose_b} : tensor<4x8xf32>, tensor<32x8xf32>
  %g = tfc.slice %p offsets [0, 0] strides [1, 2] : tensor<4x32xf32> -> tensor<4x16xf32>
  %u = tfc.slice %p offsets [0, 1] strides [1, 2] : tensor<4x32xf32> -> tensor<4x16xf32>
  %s = tfc.silu %g : tensor<4x16xf32>
  // expected-remark @below {{fused: swiglu: silu, one split product}}
  %y = tfc.mul %s, %u : tensor<4x16xf32>, tensor<4x16xf32>
  return %y : tensor<4x16xf32>
}

// -----

// CHECK-LABEL: @different_values
func.func @different_values(%x: tensor<4x8xf32>, %z: tensor<4x8xf32>, %wg: tensor<8x16xf32>, %wu: tensor<8x16xf32>) -> tensor<4x16xf32> {
  %g = tfc.matmul %x, %wg : tensor<4x8xf32>, tensor<8x16xf32>
  %u = tfc.matmul %z, %wu : tensor<4x8xf32>, tensor<8x16xf32>
  %s = tfc.silu %g : tensor<4x16xf32>
  // expected-remark @below {{not fused: swiglu: its factors are products of different values}}
  %y = tfc.mul %s, %u : tensor<4x16xf32>, tensor<4x16xf32>
  return %y : tensor<4x16xf32>
}

// -----

// CHECK-LABEL: @activation_used_elsewhere
func.func @activation_used_elsewhere(%x: tensor<4x8xf32>, %wg: tensor<8x16xf32>, %wu: tensor<8x16xf32>) -> (tensor<4x16xf32>, tensor<4x16xf32>) {
  %g = tfc.matmul %x, %wg : tensor<4x8xf32>, tensor<8x16xf32>
  %u = tfc.matmul %x, %wu : tensor<4x8xf32>, tensor<8x16xf32>
  %s = tfc.silu %g : tensor<4x16xf32>
  // expected-remark @below {{not fused: swiglu: the activation is used elsewhere too}}
  %y = tfc.mul %s, %u : tensor<4x16xf32>, tensor<4x16xf32>
  return %y, %s : tensor<4x16xf32>, tensor<4x16xf32>
}

// -----

// CHECK-LABEL: @product_used_as_a_whole
// CHECK: tfc.matmul {{.*}} tensor<4x8xf32>, tensor<8x32xf32>
// CHECK-NOT: tfc.matmul
tfc.weight @w : tensor<8x32xf32> = #tfc.seed<normal, 1, 2, 0.0 : f32, 1.0 : f32>
func.func @product_used_as_a_whole(%x: tensor<4x8xf32>) -> (tensor<4x16xf32>, tensor<4x32xf32>) {
  %w = tfc.weight_ref @w : tensor<8x32xf32>
  %p = tfc.matmul %x, %w : tensor<4x8xf32>, tensor<8x32xf32>
  %g = tfc.slice %p offsets [0, 0] strides [1, 1] : tensor<4x32xf32> -> tensor<4x16xf32>
  %u = tfc.slice %p offsets [0, 16] strides [1, 1] : tensor<4x32xf32> -> tensor<4x16xf32>
  %s = tfc.silu %g : tensor<4x16xf32>
  // expected-remark @below {{not fused: swiglu: the product is used as a whole too}}
  %y = tfc.mul %s, %u : tensor<4x16xf32>, tensor<4x16xf32>
  return %y, %p : tensor<4x16xf32>, tensor<4x32xf32>
}

// -----

// CHECK-LABEL: @split_along_the_rows
// CHECK: tfc.matmul {{.*}} tensor<4x8xf32>, tensor<8x32xf32>
tfc.weight @w : tensor<8x32xf32> = #tfc.seed<normal, 1, 2, 0.0 : f32, 1.0 : f32>
func.func @split_along_the_rows(%x: tensor<4x8xf32>) -> tensor<2x32xf32> {
  %w = tfc.weight_ref @w : tensor<8x32xf32>
  %p = tfc.matmul %x, %w : tensor<4x8xf32>, tensor<8x32xf32>
  %g = tfc.slice %p offsets [0, 0] strides [1, 1] : tensor<4x32xf32> -> tensor<2x32xf32>
  %u = tfc.slice %p offsets [2, 0] strides [1, 1] : tensor<4x32xf32> -> tensor<2x32xf32>
  %s = tfc.silu %g : tensor<2x32xf32>
  // expected-remark @below {{not fused: swiglu: the product is not split along its columns}}
  %y = tfc.mul %s, %u : tensor<2x32xf32>, tensor<2x32xf32>
  return %y : tensor<2x32xf32>
}
