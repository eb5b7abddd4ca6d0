// RUN: tfc-opt --split-input-file --verify-diagnostics --tfc-convert-to-linalg %s

// expected-error@+1 {{element type 'i4' has no lowering to linalg}}
func.func @four_bits(%x: tensor<4xi4>) -> tensor<4xi4> {
  return %x : tensor<4xi4>
}

// -----

func.func @eight_bit_float(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{element type 'f8E4M3FN' has no lowering to linalg}}
  %y = tfc.cast %x : tensor<4xf32> -> tensor<4xf8E4M3FN>
  %z = tfc.cast %y : tensor<4xf8E4M3FN> -> tensor<4xf32>
  return %z : tensor<4xf32>
}

// -----

// Only tfc-decompose-ops takes attention apart.
func.func @attention(%q: tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32> {
  // expected-error@+1 {{failed to legalize operation 'tfc.attention'}}
  %o = tfc.attention %q, %q, %q : (tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32>
  return %o : tensor<1x2x3x4xf32>
}
