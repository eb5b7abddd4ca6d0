// RUN: tfc-opt --split-input-file --tfc-decompose-ops %s | FileCheck %s

// No mask: nothing is selected. The scale is 1 / sqrt(head dim).
// CHECK-LABEL: @plain
// CHECK: %[[S:.*]] = tfc.matmul %{{.*}}, %{{.*}} {transpose_b}
// CHECK: %[[SCALE:.*]] = tfc.constant dense<5.000000e-01>
// CHECK: %[[T:.*]] = tfc.mul %[[S]], %[[SCALE]]
// CHECK-NOT: tfc.select
// CHECK: %[[P:.*]] = tfc.softmax %[[T]] axis 3
// CHECK: tfc.matmul %[[P]]
func.func @plain(%q: tensor<1x2x3x4xf32>, %k: tensor<1x2x5x4xf32>, %v: tensor<1x2x5x6xf32>) -> tensor<1x2x3x6xf32> {
  %o = tfc.attention %q, %k, %v : (tensor<1x2x3x4xf32>, tensor<1x2x5x4xf32>, tensor<1x2x5x6xf32>) -> tensor<1x2x3x6xf32>
  return %o : tensor<1x2x3x6xf32>
}

// -----

// Query heads that share a key head become rows of one product.
// CHECK-LABEL: @grouped
// CHECK: %[[Q:.*]] = tfc.reshape %{{.*}} -> tensor<1x2x9x4xf32>
// CHECK: tfc.matmul %[[Q]], %{{.*}} {transpose_b}
// CHECK: tfc.reshape %{{.*}} -> tensor<1x6x3x5xf32>
func.func @grouped(%q: tensor<1x6x3x4xf32>, %k: tensor<1x2x5x4xf32>, %v: tensor<1x2x5x4xf32>) -> tensor<1x6x3x4xf32> {
  %o = tfc.attention %q, %k, %v : (tensor<1x6x3x4xf32>, tensor<1x2x5x4xf32>, tensor<1x2x5x4xf32>) -> tensor<1x6x3x4xf32>
  return %o : tensor<1x6x3x4xf32>
}

// -----

// The causal bound is right for every length: key <= query + keys - queries.
// CHECK-LABEL: @causal
// CHECK: tfc.dim_values [-1 * s + t]
// CHECK: tfc.compare le
// CHECK: %[[LOWEST:.*]] = tfc.constant dense<-3.40282347E+38>
// CHECK: tfc.select %{{.*}}, %{{.*}}, %[[LOWEST]]
// CHECK: tfc.softmax
// CHECK-NOT: tfc.select
func.func @causal(%q: tensor<1x2x?x4xf32, #tfc.dims<1, 2, s, 4>>, %k: tensor<1x2x?x4xf32, #tfc.dims<1, 2, t, 4>>) -> tensor<1x2x?x4xf32, #tfc.dims<1, 2, s, 4>> {
  %o = tfc.attention %q, %k, %k {causal} : (tensor<1x2x?x4xf32, #tfc.dims<1, 2, s, 4>>, tensor<1x2x?x4xf32, #tfc.dims<1, 2, t, 4>>, tensor<1x2x?x4xf32, #tfc.dims<1, 2, t, 4>>) -> tensor<1x2x?x4xf32, #tfc.dims<1, 2, s, 4>>
  return %o : tensor<1x2x?x4xf32, #tfc.dims<1, 2, s, 4>>
}

// -----

// Rows in which every score is -inf give 0.
// CHECK-LABEL: @masked_row_zero
// CHECK: tfc.constant dense<0xFF800000>
// CHECK: %[[S:.*]] = tfc.select %[[MASK:.*]], %{{.*}}, %{{.*}}
// CHECK: %[[P:.*]] = tfc.softmax %[[S]] axis 3
// CHECK: %[[TOP:.*]] = tfc.reduce max %[[S]] axes [3] keep_dims
// CHECK: %[[EMPTY:.*]] = tfc.compare eq %[[TOP]], %{{.*}}
// CHECK: tfc.select %[[EMPTY]], %{{.*}}, %[[P]]
// CHECK: tfc.matmul
func.func @masked_row_zero(%q: tensor<1x2x3x4xf32>, %m: tensor<3x3xi1>) -> tensor<1x2x3x4xf32> {
  %o = tfc.attention %q, %q, %q mask %m masked_row zero : (tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<3x3xi1>) -> tensor<1x2x3x4xf32>
  return %o : tensor<1x2x3x4xf32>
}

// -----

// The cap comes behind the scale and before the bias.
// CHECK-LABEL: @softcap
// CHECK: %[[S:.*]] = tfc.mul %{{.*}}, %{{.*}}
// CHECK: %[[D:.*]] = tfc.div %[[S]], %[[CAP:.*]] :
// CHECK: %[[T:.*]] = tfc.tanh %[[D]]
// CHECK: %[[C:.*]] = tfc.mul %[[T]], %[[CAP]]
// CHECK: %[[B:.*]] = tfc.add %[[C]], %{{.*}}
// CHECK: tfc.softmax %[[B]] axis 3
func.func @softcap(%q: tensor<1x2x3x4xf32>, %b: tensor<3x3xf32>) -> tensor<1x2x3x4xf32> {
  %o = tfc.attention %q, %q, %q bias %b {softcap = 30.0 : f32} : (tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<3x3xf32>) -> tensor<1x2x3x4xf32>
  return %o : tensor<1x2x3x4xf32>
}

// -----

// The bias comes behind the mask.
// CHECK-LABEL: @biased
// CHECK: %[[S:.*]] = tfc.select %{{.*}}, %{{.*}}, %{{.*}}
// CHECK: %[[B:.*]] = tfc.add %[[S]], %{{.*}}
// CHECK: tfc.softmax %[[B]] axis 3
func.func @biased(%q: tensor<1x2x3x4xf32>, %b: tensor<3x3xf32>) -> tensor<1x2x3x4xf32> {
  %o = tfc.attention %q, %q, %q bias %b masked_row biased {causal} : (tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<3x3xf32>) -> tensor<1x2x3x4xf32>
  return %o : tensor<1x2x3x4xf32>
}

// -----

// With key lengths the queries stand at the end of the keys that count.
// CHECK-LABEL: @lengths
// CHECK: %[[L:.*]] = tfc.cast %{{.*}} -> tensor<?x1x1x1xi64
// CHECK: %[[K:.*]] = tfc.range
// CHECK: %[[OFFSET:.*]] = tfc.sub %[[L]]
// CHECK: %[[POSITION:.*]] = tfc.add %{{.*}}, %[[OFFSET]]
// CHECK: tfc.compare lt %[[K]], %[[L]]
// CHECK: %[[BEGIN:.*]] = tfc.sub %[[POSITION]]
// CHECK: tfc.compare ge %[[K]], %[[BEGIN]]
// CHECK: %[[END:.*]] = tfc.add %[[POSITION]]
// CHECK: tfc.compare le %[[K]], %[[END]]
// CHECK: tfc.and
// CHECK: tfc.and
// CHECK: tfc.select
func.func @lengths(%q: tensor<?x2x?x4xf32, #tfc.dims<b, 2, s, 4>>, %n: tensor<?xi32, #tfc.dims<b>>) -> tensor<?x2x?x4xf32, #tfc.dims<b, 2, s, 4>> {
  %o = tfc.attention %q, %q, %q key_lengths %n {window_left = 5 : i64, window_right = 2 : i64} : (tensor<?x2x?x4xf32, #tfc.dims<b, 2, s, 4>>, tensor<?x2x?x4xf32, #tfc.dims<b, 2, s, 4>>, tensor<?x2x?x4xf32, #tfc.dims<b, 2, s, 4>>, tensor<?xi32, #tfc.dims<b>>) -> tensor<?x2x?x4xf32, #tfc.dims<b, 2, s, 4>>
  return %o : tensor<?x2x?x4xf32, #tfc.dims<b, 2, s, 4>>
}

// -----

// The probabilities stand behind what else the op gives.
// CHECK-LABEL: @probabilities
// CHECK: %[[K:.*]] = tfc.concat
// CHECK: %[[V:.*]] = tfc.concat
// CHECK: %[[P:.*]] = tfc.softmax
// CHECK: %[[O:.*]] = tfc.matmul %[[P]], %[[V]]
// CHECK: return %[[O]], %[[K]], %[[V]], %[[P]]
func.func @probabilities(%q: tensor<1x2x3x4xf32>) -> (tensor<1x2x3x4xf32>, tensor<1x2x6x4xf32>, tensor<1x2x6x4xf32>, tensor<1x2x3x6xf32>) {
  %o:4 = tfc.attention %q, %q, %q past %q, %q : (tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>) -> (tensor<1x2x3x4xf32>, tensor<1x2x6x4xf32>, tensor<1x2x6x4xf32>, tensor<1x2x3x6xf32>)
  return %o#0, %o#1, %o#2, %o#3 : tensor<1x2x3x4xf32>, tensor<1x2x6x4xf32>, tensor<1x2x6x4xf32>, tensor<1x2x3x6xf32>
}
