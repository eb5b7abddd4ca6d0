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

// x / (1 + exp(-x))
// CHECK-LABEL: @quotient_to_sigmoid
// CHECK-SAME: (%[[X:.*]]: tensor<4xf32>)
// CHECK-NEXT: %[[S:.*]] = tfc.sigmoid %[[X]]
// CHECK-NEXT: tfc.mul %[[X]], %[[S]]
func.func @quotient_to_sigmoid(%x: tensor<4xf32>) -> tensor<4xf32> {
  %one = tfc.constant dense<1.0> : tensor<f32>
  %n = tfc.neg %x : tensor<4xf32>
  %e = tfc.exp %n : tensor<4xf32>
  %d = tfc.add %e, %one : tensor<4xf32>, tensor<f32>
  %y = tfc.div %x, %d : tensor<4xf32>, tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// 1 / (1 + exp(-1.702 x)), as a reciprocal and with the factor in the exponent
// CHECK-LABEL: @reciprocal_to_sigmoid
// CHECK-SAME: (%[[X:.*]]: tensor<4xf32>)
// CHECK: %[[C:.*]] = tfc.constant dense<1.702
// CHECK: %[[U:.*]] = tfc.mul %[[X]], %[[C]]
// CHECK-NEXT: %[[S:.*]] = tfc.sigmoid %[[U]]
// CHECK-NEXT: return %[[S]]
func.func @reciprocal_to_sigmoid(%x: tensor<4xf32>) -> tensor<4xf32> {
  %one = tfc.constant dense<1.0> : tensor<f32>
  %c = tfc.constant dense<-1.702> : tensor<f32>
  %n = tfc.mul %x, %c : tensor<4xf32>, tensor<f32>
  %e = tfc.exp %n : tensor<4xf32>
  %d = tfc.add %one, %e : tensor<f32>, tensor<4xf32>
  %y = tfc.reciprocal %d : tensor<4xf32>
  return %y : tensor<4xf32>
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

// Another constant than 1, and an exponential that is used elsewhere too.
// CHECK-LABEL: @no_sigmoid
// CHECK-NOT: tfc.sigmoid
func.func @no_sigmoid(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %one = tfc.constant dense<1.0> : tensor<f32>
  %two = tfc.constant dense<2.0> : tensor<f32>
  %e = tfc.exp %x : tensor<4xf32>
  %d = tfc.add %e, %two : tensor<4xf32>, tensor<f32>
  %y = tfc.div %x, %d : tensor<4xf32>, tensor<4xf32>
  %f = tfc.add %e, %one : tensor<4xf32>, tensor<f32>
  %z = tfc.reciprocal %f : tensor<4xf32>
  return %y, %z, %e : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// -----

// CHECK-LABEL: @relu_and_tanh
// CHECK: tfc.relu
// CHECK: tfc.tanh
// CHECK: tfc.max
// CHECK: tfc.sub
func.func @relu_and_tanh(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %zero = tfc.constant dense<0.0> : tensor<f32>
  %one = tfc.constant dense<1.0> : tensor<f32>
  %two = tfc.constant dense<2.0> : tensor<f32>
  %r = tfc.max %zero, %x : tensor<f32>, tensor<4xf32>
  %u = tfc.mul %x, %two : tensor<4xf32>, tensor<f32>
  %s = tfc.sigmoid %u : tensor<4xf32>
  %t = tfc.mul %s, %two : tensor<4xf32>, tensor<f32>
  %h = tfc.sub %t, %one : tensor<4xf32>, tensor<f32>
  %m = tfc.max %x, %one : tensor<4xf32>, tensor<f32>
  %v = tfc.sigmoid %x : tensor<4xf32>
  %w = tfc.mul %v, %two : tensor<4xf32>, tensor<f32>
  %i = tfc.sub %w, %one : tensor<4xf32>, tensor<f32>
  return %r, %h, %m, %i : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// -----

// CHECK-LABEL: @sum_to_mean
// CHECK: tfc.reduce mean %{{.*}} axes [1] keep_dims
// CHECK: tfc.reduce mean %{{.*}} axes [0]
// CHECK: tfc.reduce sum
func.func @sum_to_mean(%x: tensor<4x8xf32>) -> (tensor<4x1xf32>, tensor<8xf32>, tensor<4x1xf32>) {
  %eight = tfc.constant dense<8.0> : tensor<f32>
  %quarter = tfc.constant dense<0.25> : tensor<f32>
  %s = tfc.reduce sum %x axes [1] keep_dims : tensor<4x8xf32>
  %a = tfc.div %s, %eight : tensor<4x1xf32>, tensor<f32>
  %t = tfc.reduce sum %x axes [0] : tensor<4x8xf32>
  %b = tfc.mul %t, %quarter : tensor<8xf32>, tensor<f32>
  %c = tfc.mul %s, %quarter : tensor<4x1xf32>, tensor<f32>
  %u = tfc.exp %x : tensor<4x8xf32>
  %v = tfc.reduce sum %u axes [1] keep_dims : tensor<4x8xf32>
  %d = tfc.mul %v, %quarter : tensor<4x1xf32>, tensor<f32>
  return %a, %b, %d : tensor<4x1xf32>, tensor<8xf32>, tensor<4x1xf32>
}

// -----

// CHECK-LABEL: @reduction_keeps_dims
// CHECK-NEXT: tfc.reduce mean %{{.*}} axes [1] keep_dims
// CHECK-NEXT: return
func.func @reduction_keeps_dims(%x: tensor<4x8xf32>) -> tensor<4x1xf32> {
  %s = tfc.reduce mean %x axes [1] : tensor<4x8xf32>
  %y = tfc.reshape %s : tensor<4xf32> -> tensor<4x1xf32>
  return %y : tensor<4x1xf32>
}

// -----

// Gemm wants flat rows: the reshape behind it meets the one in front.
!rows = tensor<?x?x8xf32, #tfc.dims<b, s, 8>>
!flat = tensor<?x8xf32, #tfc.dims<b * s, 8>>
!flat16 = tensor<?x16xf32, #tfc.dims<b * s, 16>>
!rows16 = tensor<?x?x16xf32, #tfc.dims<b, s, 16>>
// CHECK-LABEL: @rows_are_not_flattened
// CHECK-NOT: tfc.reshape
// CHECK: tfc.matmul %{{.*}}, %{{.*}} : tensor<?x?x8xf32, #tfc.dims<b, s, 8>>
// CHECK-NOT: tfc.reshape
func.func @rows_are_not_flattened(%x: !rows, %w: tensor<8x16xf32>, %bias: tensor<16xf32>, %r: !rows16) -> !rows16 {
  %f = tfc.reshape %x : !rows -> !flat
  %p = tfc.matmul %f, %w : !flat, tensor<8x16xf32>
  %a = tfc.add %p, %bias : !flat16, tensor<16xf32>
  %g = tfc.gelu erf %a : !flat16
  %u = tfc.reshape %g : !flat16 -> !rows16
  %y = tfc.add %u, %r : !rows16, !rows16
  return %y : !rows16
}

// -----

// The other factor is one per row: it has no place among unflattened rows.
!flat = tensor<?x8xf32, #tfc.dims<b * s, 8>>
!one = tensor<?x1xf32, #tfc.dims<b * s, 1>>
!rows = tensor<?x?x8xf32, #tfc.dims<b, s, 8>>
// CHECK-LABEL: @one_per_row_stays_flat
// CHECK: tfc.mul
// CHECK-NEXT: tfc.reshape
func.func @one_per_row_stays_flat(%x: !flat, %z: !one, %like: !rows) -> !rows {
  %m = tfc.mul %x, %z : !flat, !one
  %u = tfc.reshape %m : !flat -> !rows
  return %u : !rows
}

// -----

// Dims that data gives are not known before it.
!flat = tensor<?x8xf32, #tfc.dims<n, 8>>
// CHECK-LABEL: @born_after
// CHECK: tfc.relu
// CHECK: tfc.bind
// CHECK: tfc.reshape
func.func @born_after(%x: tensor<4x8xf32>, %i: tensor<i64>) -> tensor<2x2x8xf32> {
  %r = tfc.relu %x : tensor<4x8xf32>
  tfc.bind %i as ["m"] : tensor<i64>
  %u = tfc.reshape %r : tensor<4x8xf32> -> tensor<2x2x8xf32>
  return %u : tensor<2x2x8xf32>
}

// -----

// CHECK-LABEL: @heads_before_slice
// CHECK: %[[H:.*]] = tfc.reshape %{{.*}} : tensor<4x48xf32> -> tensor<4x6x8xf32>
// CHECK-NEXT: %[[S:.*]] = tfc.slice %[[H]] offsets [0, 2, 0] strides [1, 1, 1] : tensor<4x6x8xf32> -> tensor<4x2x8xf32>
// CHECK-NEXT: return %[[S]]
func.func @heads_before_slice(%x: tensor<4x48xf32>) -> tensor<4x2x8xf32> {
  %s = tfc.slice %x offsets [0, 16] strides [1, 1] : tensor<4x48xf32> -> tensor<4x16xf32>
  %y = tfc.reshape %s : tensor<4x16xf32> -> tensor<4x2x8xf32>
  return %y : tensor<4x2x8xf32>
}

// -----

// The slice begins inside a head.
// CHECK-LABEL: @slice_through_a_head
// CHECK: tfc.slice
// CHECK-NEXT: tfc.reshape
func.func @slice_through_a_head(%x: tensor<4x48xf32>) -> tensor<4x2x8xf32> {
  %s = tfc.slice %x offsets [0, 4] strides [1, 1] : tensor<4x48xf32> -> tensor<4x16xf32>
  %y = tfc.reshape %s : tensor<4x16xf32> -> tensor<4x2x8xf32>
  return %y : tensor<4x2x8xf32>
}

// -----

// Of a triangle for all positions, a run makes its own part; the check that it is large enough stays.
// CHECK-LABEL: @slice_of_triangle
// CHECK-NOT: 64x64
// CHECK: tfc.require at_most past + s, 64
// CHECK: %[[ONES:.*]] = tfc.expand %{{.*}} : tensor<i1> -> tensor<?x?xi1, #tfc.dims<s, past + s>>
// CHECK: %[[T:.*]] = tfc.trilu %[[ONES]] k past
// CHECK: tfc.select %[[T]], %{{.*}}, %{{.*}}
func.func @slice_of_triangle(%x: tensor<?x?xf32, #tfc.dims<s, past + s>>) -> tensor<?x?xf32, #tfc.dims<s, past + s>> {
  %true = tfc.constant dense<true> : tensor<64x64xi1>
  %zero = tfc.constant dense<0.0> : tensor<f32>
  %inf = tfc.constant dense<0xFF800000> : tensor<f32>
  %t = tfc.trilu %true k 0 : tensor<64x64xi1>
  %m = tfc.select %t, %zero, %inf : tensor<64x64xi1>, tensor<f32>, tensor<f32>
  %c = tfc.slice %m offsets [past, 0] strides [1, 1] : tensor<64x64xf32> -> tensor<?x?xf32, #tfc.dims<s, past + s>>
  %y = tfc.add %x, %c : tensor<?x?xf32, #tfc.dims<s, past + s>>, tensor<?x?xf32, #tfc.dims<s, past + s>>
  return %y : tensor<?x?xf32, #tfc.dims<s, past + s>>
}

// -----

// With another stride it is no triangle any more.
// CHECK-LABEL: @strided_slice_of_triangle
// CHECK: tfc.trilu
// CHECK: tfc.slice
func.func @strided_slice_of_triangle(%x: tensor<8x8xf32>) -> tensor<4x8xf32> {
  %t = tfc.trilu %x k 0 : tensor<8x8xf32>
  %c = tfc.slice %t offsets [0, 0] strides [2, 1] : tensor<8x8xf32> -> tensor<4x8xf32>
  return %c : tensor<4x8xf32>
}

// -----

// A product of activations that is swapped is the product the other way round; one with a weight is not.
// CHECK-LABEL: @swapped_product
// CHECK: tfc.matmul %{{.*}}, %{{.*}} {transpose_b} : tensor<2x4x8xf32>, tensor<2x5x8xf32>
// CHECK-NOT: tfc.transpose
func.func @swapped_product(%k: tensor<2x5x8xf32>, %q: tensor<2x4x8xf32>) -> tensor<2x4x5xf32> {
  %s = tfc.matmul %k, %q {transpose_b} : tensor<2x5x8xf32>, tensor<2x4x8xf32>
  %t = tfc.transpose %s [0, 2, 1] : tensor<2x5x4xf32>
  return %t : tensor<2x4x5xf32>
}

// -----

// CHECK-LABEL: @swapped_product_of_matrix
// CHECK: tfc.transpose
func.func @swapped_product_of_matrix(%x: tensor<2x5x8xf32>, %w: tensor<8x4xf32>) -> tensor<2x4x5xf32> {
  %s = tfc.matmul %x, %w : tensor<2x5x8xf32>, tensor<8x4xf32>
  %t = tfc.transpose %s [0, 2, 1] : tensor<2x5x4xf32>
  return %t : tensor<2x4x5xf32>
}

// -----

// A matrix with leading dims of 1 is a matrix, where the other operand has those dims too.
// CHECK-LABEL: func.func @batch_of_one
// CHECK: %[[W:.*]] = tfc.reshape %arg1 : tensor<1x8x16xf32> -> tensor<8x16xf32>
// CHECK: tfc.matmul %arg0, %[[W]]
// CHECK: tfc.matmul %arg2, %arg1
func.func @batch_of_one(%x: tensor<?x4x8xf32, #tfc.dims<b, 4, 8>>, %w: tensor<1x8x16xf32>, %y: tensor<4x8xf32>)
    -> (tensor<?x4x16xf32, #tfc.dims<b, 4, 16>>, tensor<1x4x16xf32>) {
  %0 = tfc.matmul %x, %w : tensor<?x4x8xf32, #tfc.dims<b, 4, 8>>, tensor<1x8x16xf32>
  %1 = tfc.matmul %y, %w : tensor<4x8xf32>, tensor<1x8x16xf32>
  return %0, %1 : tensor<?x4x16xf32, #tfc.dims<b, 4, 16>>, tensor<1x4x16xf32>
}

// -----

// A tile that repeats dims of 1 only is an expand.
// CHECK-LABEL: func.func @tile_of_ones
// CHECK: tfc.expand %arg0
// CHECK: tfc.tile %arg1
func.func @tile_of_ones(%x: tensor<?x1x8xf32, #tfc.dims<b, 1, 8>>, %y: tensor<2x8xf32>) -> (tensor<?x3x8xf32, #tfc.dims<b, 3, 8>>, tensor<4x8xf32>) {
  %0 = tfc.tile %x : tensor<?x1x8xf32, #tfc.dims<b, 1, 8>> -> tensor<?x3x8xf32, #tfc.dims<b, 3, 8>>
  %1 = tfc.tile %y : tensor<2x8xf32> -> tensor<4x8xf32>
  return %0, %1 : tensor<?x3x8xf32, #tfc.dims<b, 3, 8>>, tensor<4x8xf32>
}

// -----

// What is done to each element alone is done before the expand; numbers may stand beside it.
// CHECK-LABEL: func.func @elementwise_before_expand
// CHECK: %[[S:.*]] = tfc.sub %{{.*}}, %arg0 : tensor<f32>, tensor<?x1x1x?xf32, #tfc.dims<b, 1, 1, s>>
// CHECK: %[[C:.*]] = tfc.cast %[[S]]
// CHECK: tfc.expand %[[C]] : tensor<?x1x1x?xi1, #tfc.dims<b, 1, 1, s>> -> tensor<?x1x?x?xi1, #tfc.dims<b, 1, s, s>>
func.func @elementwise_before_expand(%m: tensor<?x1x1x?xf32, #tfc.dims<b, 1, 1, s>>) -> tensor<?x1x?x?xi1, #tfc.dims<b, 1, s, s>> {
  %one = tfc.constant dense<1.0> : tensor<f32>
  %e = tfc.expand %m : tensor<?x1x1x?xf32, #tfc.dims<b, 1, 1, s>> -> tensor<?x1x?x?xf32, #tfc.dims<b, 1, s, s>>
  %i = tfc.sub %one, %e : tensor<f32>, tensor<?x1x?x?xf32, #tfc.dims<b, 1, s, s>>
  %c = tfc.cast %i : tensor<?x1x?x?xf32, #tfc.dims<b, 1, s, s>> -> tensor<?x1x?x?xi1, #tfc.dims<b, 1, s, s>>
  return %c : tensor<?x1x?x?xi1, #tfc.dims<b, 1, s, s>>
}

// -----

// Two that broadcast to the result together need no expand at all.
// CHECK-LABEL: func.func @two_expands
// CHECK-NEXT: %[[S:.*]] = tfc.add %arg0, %arg1 : tensor<4x1xf32>, tensor<1x8xf32>
// CHECK-NEXT: return %[[S]]
func.func @two_expands(%x: tensor<4x1xf32>, %y: tensor<1x8xf32>) -> tensor<4x8xf32> {
  %a = tfc.expand %x : tensor<4x1xf32> -> tensor<4x8xf32>
  %b = tfc.expand %y : tensor<1x8xf32> -> tensor<4x8xf32>
  %s = tfc.add %a, %b : tensor<4x8xf32>, tensor<4x8xf32>
  return %s : tensor<4x8xf32>
}

// -----

// Where x is not 0 it is replaced, so what is left of x is 0; where it is replaced by the other arm, x stays.
// CHECK-LABEL: func.func @select_of_itself
// CHECK: %[[Z:.*]] = tfc.constant dense<0.000000e+00> : tensor<f32>
// CHECK: %[[C:.*]] = tfc.cast %arg0
// CHECK: tfc.select %[[C]], %{{.*}}, %[[Z]]
// CHECK: tfc.select %[[C]], %arg0, %{{.*}}
func.func @select_of_itself(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %low = tfc.constant dense<-3.40282347E+38> : tensor<f32>
  %c = tfc.cast %x : tensor<4xf32> -> tensor<4xi1>
  %a = tfc.select %c, %low, %x : tensor<4xi1>, tensor<f32>, tensor<4xf32>
  %b = tfc.select %c, %x, %low : tensor<4xi1>, tensor<4xf32>, tensor<f32>
  return %a, %b : tensor<4xf32>, tensor<4xf32>
}
