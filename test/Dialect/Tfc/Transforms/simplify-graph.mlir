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
