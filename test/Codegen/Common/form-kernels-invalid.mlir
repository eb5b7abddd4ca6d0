// RUN: tfc-opt %s --tfc-form-kernels --split-input-file --verify-diagnostics

// expected-error @below {{argument 0 is of type 'tensor<?xf32>', a tensor with known dims is needed}}
func.func @no_dims(%x: tensor<?xf32>) attributes {tfc.entry} {
  return
}

// -----

// expected-error @below {{an entry function needs a body of one block}}
func.func private @no_body(%x: tensor<4xf32>) attributes {tfc.entry}

// -----

func.func @foreign(%x: tensor<4xf32>) -> tensor<4xf32> attributes {tfc.entry} {
  // expected-error @below {{'arith.addf' cannot stand in an entry function}}
  %0 = arith.addf %x, %x : tensor<4xf32>
  return %0 : tensor<4xf32>
}
