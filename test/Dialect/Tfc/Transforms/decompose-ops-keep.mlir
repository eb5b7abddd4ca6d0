// RUN: tfc-opt --split-input-file --tfc-decompose-ops=keep-attention %s | FileCheck %s

// What code is generated for as a whole stays.
// CHECK-LABEL: @plain
// CHECK-NEXT: tfc.attention %{{.*}}, %{{.*}}, %{{.*}} {causal}
// CHECK-NEXT: return
func.func @plain(%q: tensor<1x2x3x4xf32>, %k: tensor<1x2x5x4xf32>, %v: tensor<1x2x5x6xf32>) -> tensor<1x2x3x6xf32> {
  %o = tfc.attention %q, %k, %v {causal} : (tensor<1x2x3x4xf32>, tensor<1x2x5x4xf32>, tensor<1x2x5x6xf32>) -> tensor<1x2x3x6xf32>
  return %o : tensor<1x2x3x6xf32>
}

// -----

// A past becomes concats; their results are the present.
// CHECK-LABEL: @past
// CHECK: %[[K:.*]] = tfc.concat %arg3, %arg1 axis 2
// CHECK: %[[V:.*]] = tfc.concat %arg4, %arg2 axis 2
// CHECK: %[[O:.*]] = tfc.attention %arg0, %[[K]], %[[V]] masked_row zero {scale = 2.500000e-01 : f32}
// CHECK: return %[[O]], %[[K]], %[[V]]
func.func @past(%q: tensor<1x2x3x4xf32>, %k: tensor<1x2x5x4xf32>, %v: tensor<1x2x5x6xf32>, %pk: tensor<1x2x2x4xf32>, %pv: tensor<1x2x2x6xf32>)
    -> (tensor<1x2x3x6xf32>, tensor<1x2x7x4xf32>, tensor<1x2x7x6xf32>) {
  %o:3 = tfc.attention %q, %k, %v past %pk, %pv masked_row zero {scale = 0.25 : f32} : (tensor<1x2x3x4xf32>, tensor<1x2x5x4xf32>, tensor<1x2x5x6xf32>, tensor<1x2x2x4xf32>, tensor<1x2x2x6xf32>)
    -> (tensor<1x2x3x6xf32>, tensor<1x2x7x4xf32>, tensor<1x2x7x6xf32>)
  return %o#0, %o#1, %o#2 : tensor<1x2x3x6xf32>, tensor<1x2x7x4xf32>, tensor<1x2x7x6xf32>
}

// -----

// Other float types, long heads and heads of unknown length are taken apart.
// CHECK-LABEL: @halves
// CHECK-NOT: tfc.attention
func.func @halves(%q: tensor<1x2x3x4xf16>, %k: tensor<1x2x5x4xf16>) -> tensor<1x2x3x4xf16> {
  %o = tfc.attention %q, %k, %k : (tensor<1x2x3x4xf16>, tensor<1x2x5x4xf16>, tensor<1x2x5x4xf16>) -> tensor<1x2x3x4xf16>
  return %o : tensor<1x2x3x4xf16>
}
// CHECK-LABEL: @long
// CHECK-NOT: tfc.attention
func.func @long(%q: tensor<1x2x3x257xf32>, %k: tensor<1x2x5x257xf32>) -> tensor<1x2x3x257xf32> {
  %o = tfc.attention %q, %k, %k : (tensor<1x2x3x257xf32>, tensor<1x2x5x257xf32>, tensor<1x2x5x257xf32>) -> tensor<1x2x3x257xf32>
  return %o : tensor<1x2x3x257xf32>
}
// CHECK-LABEL: @unknown
// CHECK-NOT: tfc.attention
func.func @unknown(%q: tensor<1x2x3x?xf32, #tfc.dims<1, 2, 3, n>>) -> tensor<1x2x3x?xf32, #tfc.dims<1, 2, 3, n>> {
  %o = tfc.attention %q, %q, %q : (tensor<1x2x3x?xf32, #tfc.dims<1, 2, 3, n>>, tensor<1x2x3x?xf32, #tfc.dims<1, 2, 3, n>>, tensor<1x2x3x?xf32, #tfc.dims<1, 2, 3, n>>) -> tensor<1x2x3x?xf32, #tfc.dims<1, 2, 3, n>>
  return %o : tensor<1x2x3x?xf32, #tfc.dims<1, 2, 3, n>>
}

// -----

// A kernel knows windows, key lengths and a softcap, but gives no probabilities.
// CHECK-LABEL: @window
// CHECK-NEXT: tfc.attention %{{.*}}, %{{.*}}, %{{.*}} {window_left = 1 : i64}
func.func @window(%q: tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32> {
  %o = tfc.attention %q, %q, %q {window_left = 1 : i64} : (tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32>
  return %o : tensor<1x2x3x4xf32>
}
// CHECK-LABEL: @probabilities
// CHECK-NOT: tfc.attention
func.func @probabilities(%q: tensor<1x2x3x4xf32>) -> tensor<1x2x3x3xf32> {
  %o:2 = tfc.attention %q, %q, %q : (tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>) -> (tensor<1x2x3x4xf32>, tensor<1x2x3x3xf32>)
  return %o#1 : tensor<1x2x3x3xf32>
}
// CHECK-LABEL: @key_lengths
// CHECK-NEXT: tfc.attention %{{.*}}, %{{.*}}, %{{.*}} key_lengths %arg1 :
func.func @key_lengths(%q: tensor<1x2x3x4xf32>, %n: tensor<1xi64>) -> tensor<1x2x3x4xf32> {
  %o = tfc.attention %q, %q, %q key_lengths %n : (tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<1xi64>) -> tensor<1x2x3x4xf32>
  return %o : tensor<1x2x3x4xf32>
}
// CHECK-LABEL: @softcap
// CHECK: tfc.attention
func.func @softcap(%q: tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32> {
  %o = tfc.attention %q, %q, %q {softcap = 2.0 : f32} : (tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32>
  return %o : tensor<1x2x3x4xf32>
}
