// RUN: tfc-opt %s --pass-pipeline='builtin.module(func.func(tfc-expose-tensors{names=^Gelu attention=true}))' --split-input-file --verify-diagnostics | FileCheck %s

// The named node and the attention become outputs; a name that is taken gets a number.
// CHECK-LABEL: func.func @both(
// CHECK-SAME: -> (tensor<1x2x3x4xf32> {tfc.name = "Gelu_1"}, tensor<1x2x3x4xf32> {tfc.name = "Gelu_1#2"}, tensor<1x2x3x3xf32> {tfc.name = "attention.0"})
// CHECK: %[[O:.*]], %[[P:.*]] = tfc.attention
// CHECK: %[[G:.*]] = tfc.gelu erf %[[O]]
// CHECK: %[[N:.*]] = tfc.neg %[[G]]
// CHECK: return %[[N]], %[[G]], %[[P]]
func.func @both(%q: tensor<1x2x3x4xf32> {tfc.name = "q"}) -> (tensor<1x2x3x4xf32> {tfc.name = "Gelu_1"}) attributes {tfc.entry} {
  %0 = tfc.attention %q, %q, %q {scale = 0.5 : f32} : (tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32> loc("Softmax_0")
  %1 = tfc.gelu erf %0 : tensor<1x2x3x4xf32> loc("Gelu_1")
  %2 = tfc.neg %1 : tensor<1x2x3x4xf32> loc("NotGelu_2")
  return %2 : tensor<1x2x3x4xf32>
}

// -----

// Nothing matches, which is said, and what is no entry point is left alone.
// CHECK-LABEL: func.func @neither(%{{.*}}: tensor<4xf32> {tfc.name = "x"}) -> (tensor<4xf32> {tfc.name = "y"})
// expected-warning @below {{no node has a name that '^Gelu' matches: nothing is exposed}}
func.func @neither(%x: tensor<4xf32> {tfc.name = "x"}) -> (tensor<4xf32> {tfc.name = "y"}) attributes {tfc.entry} {
  %0 = tfc.neg %x : tensor<4xf32> loc("Neg_0")
  return %0 : tensor<4xf32>
}
// CHECK-LABEL: func.func private @other(%{{.*}}: tensor<4xf32>) -> tensor<4xf32>
func.func private @other(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = tfc.gelu erf %x : tensor<4xf32> loc("Gelu_0")
  return %0 : tensor<4xf32>
}
