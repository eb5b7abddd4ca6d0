// RUN: tfc-opt %s -tfc-insert-requirements | FileCheck %s

// The rows read end at past + seq, not at seq; an empty slice reads none.
// CHECK-LABEL: @moving_window
// CHECK: tfc.require at_most min(past * seq + seq * seq, past + seq), 512
func.func @moving_window(%ids: tensor<?x?xi64, #tfc.dims<past, seq>> {tfc.name = "ids"}, %table: tensor<512x8xf32> {tfc.name = "table"})
    -> (tensor<?x8xf32, #tfc.dims<seq, 8>> {tfc.name = "rows"}) attributes {tfc.entry} {
  %0 = tfc.slice %table offsets [past, 0] strides [1, 1] : tensor<512x8xf32> -> tensor<?x8xf32, #tfc.dims<seq, 8>>
  return %0 : tensor<?x8xf32, #tfc.dims<seq, 8>>
}

// CHECK-LABEL: @from_the_start
// CHECK: tfc.require at_most seq, 512
func.func @from_the_start(%ids: tensor<?xi64, #tfc.dims<seq>> {tfc.name = "ids"}, %table: tensor<512x8xf32> {tfc.name = "table"})
    -> (tensor<?x8xf32, #tfc.dims<seq, 8>> {tfc.name = "rows"}) attributes {tfc.entry} {
  %0 = tfc.slice %table offsets [0, 0] strides [1, 1] : tensor<512x8xf32> -> tensor<?x8xf32, #tfc.dims<seq, 8>>
  return %0 : tensor<?x8xf32, #tfc.dims<seq, 8>>
}

// CHECK-LABEL: @always_inside
// CHECK-NOT: at_most
func.func @always_inside(%x: tensor<?x8xf32, #tfc.dims<past + seq, 8>> {tfc.name = "x"}, %y: tensor<?x?xi64, #tfc.dims<past, seq>> {tfc.name = "y"})
    -> (tensor<?x8xf32, #tfc.dims<seq, 8>> {tfc.name = "rows"}) attributes {tfc.entry} {
  %0 = tfc.slice %x offsets [past, 0] strides [1, 1] : tensor<?x8xf32, #tfc.dims<past + seq, 8>> -> tensor<?x8xf32, #tfc.dims<seq, 8>>
  return %0 : tensor<?x8xf32, #tfc.dims<seq, 8>>
}
