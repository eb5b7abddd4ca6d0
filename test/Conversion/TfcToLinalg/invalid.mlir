// RUN: tfc-opt --split-input-file --verify-diagnostics --tfc-convert-to-linalg %s

// Only tfc-decompose-ops takes attention apart.
func.func @attention(%q: tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32> {
  // expected-error@+1 {{failed to legalize operation 'tfc.attention'}}
  %o = tfc.attention %q, %q, %q : (tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32>
  return %o : tensor<1x2x3x4xf32>
}
