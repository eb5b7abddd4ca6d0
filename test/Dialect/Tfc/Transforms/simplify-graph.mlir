// RUN: tfc-opt --split-input-file --tfc-simplify-graph %s | FileCheck %s

// CHECK-LABEL: @expand_before_elementwise
// CHECK-SAME: (%[[X:.*]]: tensor<{{.*}}>, %[[M:.*]]: tensor<1x64xf32>)
// CHECK-NEXT: tfc.add %[[X]], %[[M]]
func.func @expand_before_elementwise(%x: tensor<?x64xf32, #tfc.dims<n, 64>>, %m: tensor<1x64xf32>) -> tensor<?x64xf32, #tfc.dims<n, 64>> {
  %e = tfc.expand %m : tensor<1x64xf32> -> tensor<?x64xf32, #tfc.dims<n, 64>>
  %s = tfc.add %x, %e : tensor<?x64xf32, #tfc.dims<n, 64>>, tensor<?x64xf32, #tfc.dims<n, 64>>
  return %s : tensor<?x64xf32, #tfc.dims<n, 64>>
}

// -----

// Nothing else gives the result its length: the expand stays.
// CHECK-LABEL: @expand_that_makes_the_shape
// CHECK: tfc.expand
func.func @expand_that_makes_the_shape(%x: tensor<1x64xf32>, %m: tensor<1x64xf32>) -> tensor<4x64xf32> {
  %e = tfc.expand %m : tensor<1x64xf32> -> tensor<4x64xf32>
  %s = tfc.add %x, %e : tensor<1x64xf32>, tensor<4x64xf32>
  return %s : tensor<4x64xf32>
}

// -----

// CHECK-LABEL: @gather_of_constant
// CHECK: %[[S:.*]] = tfc.slice %{{.*}} offsets [0, 2] strides [1, 1] : tensor<4x8xf32> -> tensor<4x1xf32>
// CHECK: tfc.reshape %[[S]] : tensor<4x1xf32> -> tensor<4xf32>
// CHECK-NOT: tfc.gather
func.func @gather_of_constant(%x: tensor<4x8xf32>) -> tensor<4xf32> {
  %i = tfc.constant dense<2> : tensor<i64>
  %y = tfc.gather %x, %i axis 1 : tensor<4x8xf32>, tensor<i64>
  return %y : tensor<4xf32>
}

// -----

// Whether row 2 is there is known only at run time: the gather stays, and checks it.
// CHECK-LABEL: @gather_that_may_be_outside
// CHECK: tfc.gather
func.func @gather_that_may_be_outside(%x: tensor<?x8xf32, #tfc.dims<n, 8>>) -> tensor<8xf32> {
  %i = tfc.constant dense<2> : tensor<i64>
  %y = tfc.gather %x, %i axis 0 : tensor<?x8xf32, #tfc.dims<n, 8>>, tensor<i64>
  return %y : tensor<8xf32>
}

// -----

// CHECK-LABEL: @transpose_of_unit_dim
// CHECK-NEXT: tfc.reshape %{{.*}} : tensor<1x4x8xf32> -> tensor<4x1x8xf32>
func.func @transpose_of_unit_dim(%x: tensor<1x4x8xf32>) -> tensor<4x1x8xf32> {
  %y = tfc.transpose %x [1, 0, 2] : tensor<1x4x8xf32>
  return %y : tensor<4x1x8xf32>
}

// -----

// CHECK-LABEL: @transpose_that_moves
// CHECK-NEXT: tfc.transpose
func.func @transpose_that_moves(%x: tensor<2x4x8xf32>) -> tensor<4x2x8xf32> {
  %y = tfc.transpose %x [1, 0, 2] : tensor<2x4x8xf32>
  return %y : tensor<4x2x8xf32>
}

// -----

// CHECK-LABEL: @expand_by_unit_dims
// CHECK-NEXT: tfc.reshape %{{.*}} : tensor<4x8xf32> -> tensor<1x1x4x8xf32>
func.func @expand_by_unit_dims(%x: tensor<4x8xf32>) -> tensor<1x1x4x8xf32> {
  %y = tfc.expand %x : tensor<4x8xf32> -> tensor<1x1x4x8xf32>
  return %y : tensor<1x1x4x8xf32>
}

// -----

// CHECK-LABEL: @expand_that_repeats
// CHECK-NEXT: tfc.expand
func.func @expand_that_repeats(%x: tensor<4x1xf32>) -> tensor<1x4x8xf32> {
  %y = tfc.expand %x : tensor<4x1xf32> -> tensor<1x4x8xf32>
  return %y : tensor<1x4x8xf32>
}

// -----

// Equal values are one, dead ops go, and so do weights that nothing refers to; used ones stay.
// CHECK: tfc.weight @used
// CHECK-NOT: tfc.weight @unused
// CHECK-LABEL: @tidy
// CHECK: %[[W:.*]] = tfc.weight_ref @used
// CHECK-NEXT: %[[A:.*]] = tfc.exp %{{.*}}
// CHECK-NEXT: %[[B:.*]] = tfc.add %[[A]], %[[A]]
// CHECK-NEXT: %[[C:.*]] = tfc.add %[[B]], %[[W]]
// CHECK-NEXT: return %[[C]]
tfc.weight @used : tensor<2xf32> = dense<[1.0, 2.0]> : tensor<2xf32>
tfc.weight @unused : tensor<2xf32> = dense<[3.0, 4.0]> : tensor<2xf32>
func.func @tidy(%x: tensor<2xf32>) -> tensor<2xf32> {
  %dead = tfc.weight_ref @unused : tensor<2xf32>
  %w = tfc.weight_ref @used : tensor<2xf32>
  %a = tfc.exp %x : tensor<2xf32>
  %b = tfc.exp %x : tensor<2xf32>
  %c = tfc.add %a, %b : tensor<2xf32>, tensor<2xf32>
  %d = tfc.add %c, %w : tensor<2xf32>, tensor<2xf32>
  return %d : tensor<2xf32>
}

// -----

// Rows are split into heads before a part of them is cut out, whatever happens to the other dims.
// CHECK-LABEL: @packed_rows
// CHECK-NEXT: %[[R:.*]] = tfc.reshape %arg0 : {{.*}} -> tensor<?x?x36x64xf32, #tfc.dims<b, s, 36, 64>>
// CHECK-NEXT: %[[S:.*]] = tfc.slice %[[R]] offsets [0, 0, 12, 0] strides [1, 1, 1, 1] : {{.*}} -> tensor<?x?x12x64xf32, #tfc.dims<b, s, 12, 64>>
// CHECK-NEXT: return %[[S]]
func.func @packed_rows(%x: tensor<?x2304xf32, #tfc.dims<b * s, 2304>>) -> tensor<?x?x12x64xf32, #tfc.dims<b, s, 12, 64>> {
  %0 = tfc.slice %x offsets [0, 768] strides [1, 1] : tensor<?x2304xf32, #tfc.dims<b * s, 2304>> -> tensor<?x768xf32, #tfc.dims<b * s, 768>>
  %1 = tfc.reshape %0 : tensor<?x768xf32, #tfc.dims<b * s, 768>> -> tensor<?x?x12x64xf32, #tfc.dims<b, s, 12, 64>>
  return %1 : tensor<?x?x12x64xf32, #tfc.dims<b, s, 12, 64>>
}

// -----

// Not where a head would be cut in two, nor where other dims are cut.
// CHECK-LABEL: @cut_heads
// CHECK-NEXT: tfc.slice
// CHECK-NEXT: tfc.reshape
func.func @cut_heads(%x: tensor<5x2304xf32>) -> tensor<5x12x64xf32> {
  %0 = tfc.slice %x offsets [0, 32] strides [1, 1] : tensor<5x2304xf32> -> tensor<5x768xf32>
  %1 = tfc.reshape %0 : tensor<5x768xf32> -> tensor<5x12x64xf32>
  return %1 : tensor<5x12x64xf32>
}
// CHECK-LABEL: @cut_rows
// CHECK-NEXT: tfc.slice
// CHECK-NEXT: tfc.reshape
func.func @cut_rows(%x: tensor<5x1536xf32>) -> tensor<2x12x64xf32> {
  %0 = tfc.slice %x offsets [1, 768] strides [1, 1] : tensor<5x1536xf32> -> tensor<2x768xf32>
  %1 = tfc.reshape %0 : tensor<2x768xf32> -> tensor<2x12x64xf32>
  return %1 : tensor<2x12x64xf32>
}

// -----

// An activation comes before the reshape of what it is applied to, not before one that others want as well.
// CHECK-LABEL: @activation
// CHECK: %[[A:.*]] = tfc.add
// CHECK-NEXT: %[[G:.*]] = tfc.gelu erf %[[A]] : tensor<?x8xf32, #tfc.dims<b * s, 8>>
// CHECK-NEXT: %[[R:.*]] = tfc.reshape %[[G]]
// CHECK-NEXT: return %[[R]]
func.func @activation(%x: tensor<?x8xf32, #tfc.dims<b * s, 8>>, %c: tensor<8xf32>) -> tensor<?x?x8xf32, #tfc.dims<b, s, 8>> {
  %0 = tfc.add %x, %c : tensor<?x8xf32, #tfc.dims<b * s, 8>>, tensor<8xf32>
  %1 = tfc.reshape %0 : tensor<?x8xf32, #tfc.dims<b * s, 8>> -> tensor<?x?x8xf32, #tfc.dims<b, s, 8>>
  %2 = tfc.gelu erf %1 : tensor<?x?x8xf32, #tfc.dims<b, s, 8>>
  return %2 : tensor<?x?x8xf32, #tfc.dims<b, s, 8>>
}
// CHECK-LABEL: @shared
// CHECK: tfc.add
// CHECK-NEXT: tfc.reshape
// CHECK-NEXT: tfc.gelu
func.func @shared(%x: tensor<6x8xf32>, %c: tensor<8xf32>) -> (tensor<2x3x8xf32>, tensor<2x3x8xf32>) {
  %0 = tfc.add %x, %c : tensor<6x8xf32>, tensor<8xf32>
  %1 = tfc.reshape %0 : tensor<6x8xf32> -> tensor<2x3x8xf32>
  %2 = tfc.gelu erf %1 : tensor<2x3x8xf32>
  return %1, %2 : tensor<2x3x8xf32>, tensor<2x3x8xf32>
}
