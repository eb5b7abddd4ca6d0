// RUN: tfc-opt --split-input-file --tfc-fold-constants %s | FileCheck %s

// A matmul with a transposed weight reads the weight as [K, N].
// CHECK: tfc.weight @w_view : tensor<2x3xf32> = #tfc.file<"a", 0, 24> layout <0, [1, 2]>
// CHECK-LABEL: @matmul_transpose_b
// CHECK: %[[W:.*]] = tfc.weight_ref @w_view
// CHECK: tfc.matmul %{{.*}}, %[[W]] : tensor<4x2xf32>, tensor<2x3xf32>
tfc.weight @w : tensor<3x2xf32> = #tfc.file<"a", 0, 24>
func.func @matmul_transpose_b(%x: tensor<4x2xf32>) -> tensor<4x3xf32> {
  %w = tfc.weight_ref @w : tensor<3x2xf32>
  %y = tfc.matmul %x, %w {transpose_b} : tensor<4x2xf32>, tensor<3x2xf32>
  return %y : tensor<4x3xf32>
}

// -----

// A tied weight is stored once: its bytes are also read in their own layout, so the matmul keeps its flag.
// CHECK-NOT: layout
// CHECK-LABEL: @tied_weight
// CHECK: tfc.matmul %{{.*}}, %{{.*}} {transpose_b}
tfc.weight @w : tensor<3x2xf32> = #tfc.file<"a", 0, 24>
func.func @tied_weight(%i: tensor<4xi64>) -> tensor<4x3xf32> {
  %w = tfc.weight_ref @w : tensor<3x2xf32>
  %x = tfc.gather %w, %i axis 0 : tensor<3x2xf32>, tensor<4xi64>
  %y = tfc.matmul %x, %w {transpose_b} : tensor<4x2xf32>, tensor<3x2xf32>
  return %y : tensor<4x3xf32>
}

// -----

// Slices, transposes and reshapes compose; equal views are one weight.
// CHECK-COUNT-1: tfc.weight @w_view{{.*}} : tensor<2x2xf32> = #tfc.file<"a", 0, 64> layout <1, [1, 4]>
// CHECK-LABEL: @views_compose
// CHECK: %[[A:.*]] = tfc.weight_ref @[[V:.*]] : tensor<2x2xf32>
// CHECK: %[[B:.*]] = tfc.weight_ref @[[V]] : tensor<2x2xf32>
// CHECK: return %[[A]], %[[B]]
tfc.weight @w : tensor<4x4xf32> = #tfc.file<"a", 0, 64>
func.func @views_compose() -> (tensor<2x2xf32>, tensor<2x2xf32>) {
  %w = tfc.weight_ref @w : tensor<4x4xf32>
  %s = tfc.slice %w offsets [0, 1] strides [1, 1] : tensor<4x4xf32> -> tensor<2x2xf32>
  %t = tfc.transpose %s [1, 0] : tensor<2x2xf32>
  %u = tfc.transpose %w [1, 0] : tensor<4x4xf32>
  %v = tfc.slice %u offsets [1, 0] strides [1, 1] : tensor<4x4xf32> -> tensor<2x2xf32>
  return %t, %v : tensor<2x2xf32>, tensor<2x2xf32>
}

// -----

// Zeros around a weight are bounds of its layout, and views of it have them too: columns that the slice cannot see need none.
// CHECK-DAG: tfc.weight @{{.*}} : tensor<6x4xf32> = #tfc.file<"a", 0, 24> layout <-2, [2, 1], pad[<-1, [1, 0] below 3>, <0, [0, 1] below 2>]>
// CHECK-DAG: tfc.weight @{{.*}} : tensor<2x2x3xf32> = #tfc.file<"a", 0, 24> layout <-2, [2, 1, 4], pad[<-1, [1, 0, 2] below 3>, <0, [0, 1, 0] below 2>]>
// CHECK-LABEL: @pad_with_zeros
// CHECK-NOT: tfc.pad
// CHECK-NOT: tfc.transpose
tfc.weight @w : tensor<3x2xf32> = #tfc.file<"a", 0, 24>
func.func @pad_with_zeros() -> (tensor<6x4xf32>, tensor<2x2x3xf32>) {
  %w = tfc.weight_ref @w : tensor<3x2xf32>
  %p = tfc.pad %w "constant" low [1, 0] : (tensor<3x2xf32>) -> tensor<6x4xf32>
  %s = tfc.slice %p offsets [0, 0] strides [1, 1] : tensor<6x4xf32> -> tensor<6x2xf32>
  %r = tfc.reshape %s : tensor<6x2xf32> -> tensor<3x2x2xf32>
  %t = tfc.transpose %r [1, 2, 0] : tensor<3x2x2xf32>
  return %p, %t : tensor<6x4xf32>, tensor<2x2x3xf32>
}

// -----

// A small weight does not become a large one.
// CHECK-LABEL: @pad_beyond_the_budget
// CHECK: tfc.pad
tfc.weight @w : tensor<3x2xf32> = #tfc.file<"a", 0, 24>
func.func @pad_beyond_the_budget() -> tensor<1048576x1048576xf32> {
  %w = tfc.weight_ref @w : tensor<3x2xf32>
  %p = tfc.pad %w "constant" low [1, 0] : (tensor<3x2xf32>) -> tensor<1048576x1048576xf32>
  return %p : tensor<1048576x1048576xf32>
}

// -----

// Other fillings stay: no layout says them. Cutting is a view without bounds.
// CHECK: tfc.weight @{{.*}} : tensor<2x2xf32> = #tfc.file<"a", 0, 24> layout <2, [2, 1]>
// CHECK-LABEL: @pad_otherwise
// CHECK: tfc.pad %{{.*}} value
// CHECK: tfc.pad %{{.*}} "edge"
tfc.weight @w : tensor<3x2xf32> = #tfc.file<"a", 0, 24>
func.func @pad_otherwise() -> (tensor<4x2xf32>, tensor<4x2xf32>, tensor<2x2xf32>) {
  %w = tfc.weight_ref @w : tensor<3x2xf32>
  %one = tfc.constant dense<1.0> : tensor<f32>
  %p = tfc.pad %w value %one "constant" low [1, 0] : (tensor<3x2xf32>, tensor<f32>) -> tensor<4x2xf32>
  %q = tfc.pad %w "edge" low [1, 0] : (tensor<3x2xf32>) -> tensor<4x2xf32>
  %r = tfc.pad %w "constant" low [-1, 0] : (tensor<3x2xf32>) -> tensor<2x2xf32>
  return %p, %q, %r : tensor<4x2xf32>, tensor<4x2xf32>, tensor<2x2xf32>
}

// -----

// No strided view merges the dims of a transposed weight: the reshape stays.
// CHECK-LABEL: @reshape_across_a_transpose
// CHECK: tfc.reshape %{{.*}} : tensor<2x3xf32> -> tensor<6xf32>
tfc.weight @w : tensor<3x2xf32> = #tfc.file<"a", 0, 24>
func.func @reshape_across_a_transpose() -> tensor<6xf32> {
  %w = tfc.weight_ref @w : tensor<3x2xf32>
  %t = tfc.transpose %w [1, 0] : tensor<3x2xf32>
  %r = tfc.reshape %t : tensor<2x3xf32> -> tensor<6xf32>
  return %r : tensor<6xf32>
}

// -----

// What is no weight is not touched, nor is a slice whose place is known only at run time.
// CHECK-LABEL: @not_weights
// CHECK: tfc.transpose
// CHECK: tfc.slice
tfc.weight @w : tensor<8x2xf32> = #tfc.file<"a", 0, 64>
func.func @not_weights(%x: tensor<3x2xf32>, %y: tensor<?xf32, #tfc.dims<n>>) -> (tensor<2x3xf32>, tensor<1x2xf32>) {
  %w = tfc.weight_ref @w : tensor<8x2xf32>
  %t = tfc.transpose %x [1, 0] : tensor<3x2xf32>
  %s = tfc.slice %w offsets [n, 0] strides [1, 1] : tensor<8x2xf32> -> tensor<1x2xf32>
  return %t, %s : tensor<2x3xf32>, tensor<1x2xf32>
}
