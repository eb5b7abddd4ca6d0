// What folds, and beside it what looks alike and does not.
// RUN: tfc-opt %s -canonicalize -split-input-file | FileCheck %s

// CHECK-LABEL: @shape_of_symbols
// CHECK: tfc.dim_values [b, 8] : tensor<2xi64>
func.func @shape_of_symbols(%x: tensor<?x?x8xf32, #tfc.dims<s, b, 8>>) -> tensor<2xi64> {
  %0 = tfc.shape %x from 1 to 3 : tensor<?x?x8xf32, #tfc.dims<s, b, 8>>
  return %0 : tensor<2xi64>
}

// Shape arithmetic as exporters write it: the target shape of a reshape into heads.
// CHECK-LABEL: @shape_arithmetic
// CHECK-NEXT: %[[SHAPE:.*]] = tfc.dim_values [b, s, 12, floordiv(h, 12)] : tensor<4xi64>
// CHECK-NEXT: return %[[SHAPE]]
func.func @shape_arithmetic(%x: tensor<?x?x?xf32, #tfc.dims<b, s, h>>) -> tensor<4xi64> {
  %heads = tfc.constant dense<12> : tensor<1xi64>
  %lead = tfc.shape %x from 0 to 2 : tensor<?x?x?xf32, #tfc.dims<b, s, h>>
  %width = tfc.shape %x from 2 to 3 : tensor<?x?x?xf32, #tfc.dims<b, s, h>>
  %head = tfc.div %width, %heads : tensor<1xi64>, tensor<1xi64>
  %shape = tfc.concat %lead, %heads, %head axis 0 : tensor<2xi64>, tensor<1xi64>, tensor<1xi64>
  return %shape : tensor<4xi64>
}

// CHECK-LABEL: @gather_from_shape
// CHECK: tfc.dim_values [b] : tensor<1xi64>
func.func @gather_from_shape(%x: tensor<?x?xf32, #tfc.dims<s, b>>) -> tensor<1xi64> {
  %shape = tfc.shape %x from 0 to 2 : tensor<?x?xf32, #tfc.dims<s, b>>
  %last = tfc.constant dense<-1> : tensor<1xi64>
  %0 = tfc.gather %shape, %last axis 0 : tensor<2xi64>, tensor<1xi64>
  return %0 : tensor<1xi64>
}

// CHECK-LABEL: @gather_outside_stays
// CHECK: tfc.gather
func.func @gather_outside_stays(%x: tensor<?x?xf32, #tfc.dims<s, b>>) -> tensor<1xi64> {
  %shape = tfc.shape %x from 0 to 2 : tensor<?x?xf32, #tfc.dims<s, b>>
  %outside = tfc.constant dense<2> : tensor<1xi64>
  %0 = tfc.gather %shape, %outside axis 0 : tensor<2xi64>, tensor<1xi64>
  return %0 : tensor<1xi64>
}

// CHECK-LABEL: @compare_of_lengths
// CHECK: tfc.constant dense<true> : tensor<i1>
func.func @compare_of_lengths() -> tensor<i1> {
  %s = tfc.dim_values [s] : tensor<i64>
  %longer = tfc.dim_values [s + 1] : tensor<i64>
  %0 = tfc.compare lt %s, %longer : tensor<i64>, tensor<i64>
  return %0 : tensor<i1>
}

// CHECK-LABEL: @compare_of_unrelated_lengths_stays
// CHECK: tfc.compare lt
func.func @compare_of_unrelated_lengths_stays() -> tensor<i1> {
  %s = tfc.dim_values [s] : tensor<i64>
  %t = tfc.dim_values [t] : tensor<i64>
  %0 = tfc.compare lt %s, %t : tensor<i64>, tensor<i64>
  return %0 : tensor<i1>
}

// Division truncates in the graph and floors in expressions: they differ where a sign is open.
// CHECK-LABEL: @division_of_a_difference_stays
// CHECK: tfc.div
func.func @division_of_a_difference_stays() -> tensor<i64> {
  %x = tfc.dim_values [s - t] : tensor<i64>
  %two = tfc.constant dense<2> : tensor<i64>
  %0 = tfc.div %x, %two : tensor<i64>, tensor<i64>
  return %0 : tensor<i64>
}

// CHECK-LABEL: @reduce_of_shape
// CHECK: tfc.dim_values [8 * b] : tensor<i64>
func.func @reduce_of_shape(%x: tensor<?x8xf32, #tfc.dims<b, 8>>) -> tensor<i64> {
  %shape = tfc.shape %x from 0 to 2 : tensor<?x8xf32, #tfc.dims<b, 8>>
  %0 = tfc.reduce prod %shape axes [0] : tensor<2xi64>
  return %0 : tensor<i64>
}

// CHECK-LABEL: @range_of_scalars
// CHECK: tfc.constant dense<[1, 3, 5]> : tensor<3xi64>
func.func @range_of_scalars() -> tensor<3xi64> {
  %one = tfc.constant dense<1> : tensor<i64>
  %two = tfc.constant dense<2> : tensor<i64>
  %0 = tfc.range %one, %two : (tensor<i64>, tensor<i64>) -> tensor<3xi64>
  return %0 : tensor<3xi64>
}

// CHECK-LABEL: @integers_wrap
// CHECK-DAG: dense<-128> : tensor<i8>
// CHECK-DAG: dense<0> : tensor<i8>
func.func @integers_wrap() -> (tensor<i8>, tensor<i8>) {
  %x = tfc.constant dense<127> : tensor<i8>
  %one = tfc.constant dense<1> : tensor<i8>
  %zero = tfc.constant dense<0> : tensor<i8>
  %0 = tfc.add %x, %one : tensor<i8>, tensor<i8>
  %1 = tfc.div %x, %zero : tensor<i8>, tensor<i8>
  return %0, %1 : tensor<i8>, tensor<i8>
}

// CHECK-LABEL: @neutral_elements
// CHECK-SAME: (%[[X:.*]]: tensor<4xf32>, %[[I:.*]]: tensor<4xi32>)
// CHECK-NEXT: return %[[X]], %[[I]]
func.func @neutral_elements(%x: tensor<4xf32>, %i: tensor<4xi32>) -> (tensor<4xf32>, tensor<4xi32>) {
  %one = tfc.constant dense<1.0> : tensor<f32>
  %zero = tfc.constant dense<0> : tensor<1xi32>
  %0 = tfc.mul %x, %one : tensor<4xf32>, tensor<f32>
  %1 = tfc.add %i, %zero : tensor<4xi32>, tensor<1xi32>
  return %0, %1 : tensor<4xf32>, tensor<4xi32>
}

// -0 + 0 is 0, so the sum of floats is not its operand; and a 1 that broadcasts changes the shape.
// CHECK-LABEL: @not_quite_neutral
// CHECK: tfc.add
// CHECK: tfc.mul
func.func @not_quite_neutral(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<2x4xf32>) {
  %zero = tfc.constant dense<0.0> : tensor<f32>
  %ones = tfc.constant dense<1.0> : tensor<2x1xf32>
  %0 = tfc.add %x, %zero : tensor<4xf32>, tensor<f32>
  %1 = tfc.mul %x, %ones : tensor<4xf32>, tensor<2x1xf32>
  return %0, %1 : tensor<4xf32>, tensor<2x4xf32>
}

// CHECK-LABEL: @movements_of_constants
// CHECK-DAG: dense<{{\[\[}}1, 4], [2, 5], [3, 6]]> : tensor<3x2xi64>
// CHECK-DAG: dense<[3, 2, 1]> : tensor<3xi64>
// CHECK-DAG: dense<[7, 8, 7, 8]> : tensor<4xi64>
func.func @movements_of_constants() -> (tensor<3x2xi64>, tensor<3xi64>, tensor<4xi64>) {
  %x = tfc.constant dense<[[1, 2, 3], [4, 5, 6]]> : tensor<2x3xi64>
  %y = tfc.constant dense<[1, 2, 3]> : tensor<3xi64>
  %z = tfc.constant dense<[7, 8]> : tensor<2xi64>
  %0 = tfc.transpose %x [1, 0] : tensor<2x3xi64>
  %1 = tfc.slice %y offsets [2] strides [-1] : tensor<3xi64> -> tensor<3xi64>
  %2 = tfc.tile %z : tensor<2xi64> -> tensor<4xi64>
  return %0, %1, %2 : tensor<3x2xi64>, tensor<3xi64>, tensor<4xi64>
}

// CHECK-LABEL: @whole_slice_and_same_shape
// CHECK-SAME: (%[[X:.*]]: tensor
// CHECK-NEXT: return %[[X]], %[[X]], %[[X]], %[[X]]
func.func @whole_slice_and_same_shape(%x: tensor<?x4xf32, #tfc.dims<n, 4>>)
    -> (tensor<?x4xf32, #tfc.dims<n, 4>>, tensor<?x4xf32, #tfc.dims<n, 4>>, tensor<?x4xf32, #tfc.dims<n, 4>>, tensor<?x4xf32, #tfc.dims<n, 4>>) {
  %0 = tfc.slice %x offsets [0, 0] strides [1, 1] : tensor<?x4xf32, #tfc.dims<n, 4>> -> tensor<?x4xf32, #tfc.dims<n, 4>>
  %1 = tfc.expand %x : tensor<?x4xf32, #tfc.dims<n, 4>> -> tensor<?x4xf32, #tfc.dims<n, 4>>
  %2 = tfc.reshape %x : tensor<?x4xf32, #tfc.dims<n, 4>> -> tensor<?xf32, #tfc.dims<4 * n>>
  %3 = tfc.reshape %2 : tensor<?xf32, #tfc.dims<4 * n>> -> tensor<?x4xf32, #tfc.dims<n, 4>>
  %4 = tfc.cast %x : tensor<?x4xf32, #tfc.dims<n, 4>> -> tensor<?x4xf32, #tfc.dims<n, 4>>
  return %0, %1, %3, %4 : tensor<?x4xf32, #tfc.dims<n, 4>>, tensor<?x4xf32, #tfc.dims<n, 4>>, tensor<?x4xf32, #tfc.dims<n, 4>>, tensor<?x4xf32, #tfc.dims<n, 4>>
}

// A reshape that needs 4 * m == n at run time keeps that need.
// CHECK-LABEL: @reshape_with_a_requirement_stays
// CHECK: tfc.reshape
// CHECK: tfc.reshape
func.func @reshape_with_a_requirement_stays(%x: tensor<?xf32, #tfc.dims<n>>, %y: tensor<?xf32, #tfc.dims<m>>) -> tensor<?x2xf32, #tfc.dims<2 * m, 2>> {
  %0 = tfc.reshape %x : tensor<?xf32, #tfc.dims<n>> -> tensor<?x4xf32, #tfc.dims<m, 4>>
  %1 = tfc.reshape %0 : tensor<?x4xf32, #tfc.dims<m, 4>> -> tensor<?x2xf32, #tfc.dims<2 * m, 2>>
  return %1 : tensor<?x2xf32, #tfc.dims<2 * m, 2>>
}

// -----

// Constants of every kind that hold more than they take: nothing is unfolded, nothing overflows.
// CHECK-LABEL: @huge_splats_stay
// CHECK: tfc.neg
// CHECK: tfc.add
// CHECK: tfc.reshape
// CHECK: tfc.reduce
func.func @huge_splats_stay() -> (tensor<1000000x1000000xf32>, tensor<4294967296x4294967296xi32>, tensor<1000000000000xf32>, tensor<1099511627776xi64>) {
  %x = tfc.constant dense<1.0> : tensor<1000000x1000000xf32>
  %y = tfc.constant dense<1> : tensor<4294967296x4294967296xi32>
  %e = tfc.constant dense<> : tensor<1099511627776x0xi64>
  %0 = tfc.neg %x : tensor<1000000x1000000xf32>
  %1 = tfc.add %y, %y : tensor<4294967296x4294967296xi32>, tensor<4294967296x4294967296xi32>
  %2 = tfc.reshape %x : tensor<1000000x1000000xf32> -> tensor<1000000000000xf32>
  %3 = tfc.reduce sum %e axes [1] : tensor<1099511627776x0xi64>
  return %0, %1, %2, %3 : tensor<1000000x1000000xf32>, tensor<4294967296x4294967296xi32>, tensor<1000000000000xf32>, tensor<1099511627776xi64>
}

// -----

// CHECK-LABEL: @sparse_and_resource_constants_stay
// CHECK: tfc.neg
// CHECK: tfc.neg
func.func @sparse_and_resource_constants_stay() -> (tensor<4xf32>, tensor<2xf32>) {
  %x = tfc.constant sparse<[[1]], [2.0]> : tensor<4xf32>
  %y = tfc.constant dense_resource<blob> : tensor<2xf32>
  %0 = tfc.neg %x : tensor<4xf32>
  %1 = tfc.neg %y : tensor<2xf32>
  return %0, %1 : tensor<4xf32>, tensor<2xf32>
}
