// RUN: tfc-opt %s --tfc-plan-memory --split-input-file --verify-diagnostics

func.func @argument(%x: tensor<4xf32>) -> tensor<4xf32> attributes {tfc.entry} {
  // expected-error @below {{result 0 is not made by a launch for it alone}}
  return %x : tensor<4xf32>
}

// -----

func.func private @k(%x: tensor<4xf32>) -> tensor<4xf32> attributes {tfc.kernel, tfc.symbols = []} { return %x : tensor<4xf32> }
func.func @twice(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) attributes {tfc.entry} {
  %0 = tfc.launch @k(%x) symbols [] nodes [] : (tensor<4xf32>) -> tensor<4xf32>
  // expected-error @below {{result 1 is not made by a launch for it alone}}
  return %0, %0 : tensor<4xf32>, tensor<4xf32>
}
