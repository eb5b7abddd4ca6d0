// RUN: tfc-opt --split-input-file --tfc-merge-products --verify-diagnostics %s | FileCheck %s

// Weights stand as [columns, K]; what has no bias gets zeros.
// CHECK-DAG: tfc.weight @wq_part : tensor<16x8xf32> = #tfc.file<"w", 0, 512> layout <0, [1, 16]>
// CHECK-DAG: tfc.weight @wk_part : tensor<16x8xf32> = #tfc.file<"w", 512, 512> layout <0, [8, 1]>
// CHECK-DAG: tfc.weight @wv_part : tensor<32x8xf32> = #tfc.seed<normal, 1, 2, 0.000000e+00 : f32, 1.000000e+00 : f32> layout <0, [1, 32]>
// CHECK-DAG: tfc.weight @wq_stack : tensor<64x8xf32> = #tfc.stack<[@wq_part, @wk_part, @wv_part]>
// CHECK-DAG: tfc.weight @wk_bias_part : tensor<16xf32> = dense<0.000000e+00>
// CHECK-DAG: tfc.weight @bq_stack : tensor<64xf32> = #tfc.stack<[@bq_part, @wk_bias_part, @wv_bias_part]>
tfc.weight @wq : tensor<8x16xf32> = #tfc.file<"w", 0, 512>
tfc.weight @wk : tensor<16x8xf32> = #tfc.file<"w", 512, 512>
tfc.weight @wv : tensor<8x32xf32> = #tfc.seed<normal, 1, 2, 0.0 : f32, 1.0 : f32>
tfc.weight @bq : tensor<16xf32> = #tfc.file<"w", 2048, 64>
// CHECK-LABEL: @query_key_value
// CHECK-SAME: (%[[X:.*]]: tensor<4x8xf32>)
// CHECK: %[[W:.*]] = tfc.weight_ref @wq_stack
// CHECK-NEXT: %[[P:.*]] = tfc.matmul %[[X]], %[[W]] {transpose_b}
// CHECK-NEXT: %[[B:.*]] = tfc.weight_ref @bq_stack
// CHECK-NEXT: %[[A:.*]] = tfc.add %[[P]], %[[B]]
// CHECK-NEXT: %[[Q:.*]] = tfc.slice %[[A]] offsets [0, 0] strides [1, 1] : tensor<4x64xf32> -> tensor<4x16xf32>
// CHECK-NEXT: %[[K:.*]] = tfc.slice %[[A]] offsets [0, 16] strides [1, 1] : tensor<4x64xf32> -> tensor<4x16xf32>
// CHECK-NEXT: %[[V:.*]] = tfc.slice %[[A]] offsets [0, 32] strides [1, 1] : tensor<4x64xf32> -> tensor<4x32xf32>
// CHECK-DAG: tfc.reshape %[[Q]]
// CHECK-DAG: tfc.reshape %[[K]]
// CHECK-DAG: tfc.reshape %[[V]]
func.func @query_key_value(%x: tensor<4x8xf32>) -> (tensor<4x2x8xf32>, tensor<4x2x8xf32>, tensor<4x2x16xf32>) {
  %wq = tfc.weight_ref @wq : tensor<8x16xf32>
  %wk = tfc.weight_ref @wk : tensor<16x8xf32>
  %wv = tfc.weight_ref @wv : tensor<8x32xf32>
  %bq = tfc.weight_ref @bq : tensor<16xf32>
  %bv = tfc.constant dense<0.5> : tensor<32xf32>
  // expected-remark @below {{fused: qkv: 3 products of 16, 16, 32 columns, bias}}
  %q = tfc.matmul %x, %wq : tensor<4x8xf32>, tensor<8x16xf32>
  %qb = tfc.add %q, %bq : tensor<4x16xf32>, tensor<16xf32>
  %k = tfc.matmul %x, %wk {transpose_b} : tensor<4x8xf32>, tensor<16x8xf32>
  %v = tfc.matmul %x, %wv : tensor<4x8xf32>, tensor<8x32xf32>
  %vb = tfc.add %bv, %v : tensor<32xf32>, tensor<4x32xf32>
  %qh = tfc.reshape %qb : tensor<4x16xf32> -> tensor<4x2x8xf32>
  %kh = tfc.reshape %k : tensor<4x16xf32> -> tensor<4x2x8xf32>
  %vh = tfc.reshape %vb : tensor<4x32xf32> -> tensor<4x2x16xf32>
  return %qh, %kh, %vh : tensor<4x2x8xf32>, tensor<4x2x8xf32>, tensor<4x2x16xf32>
}

// -----

// Layers that share their weights (ALBERT) share the stack.
tfc.weight @wk : tensor<8x16xf32> = #tfc.file<"w", 0, 512>
tfc.weight @wv : tensor<8x16xf32> = #tfc.file<"w", 512, 512>
// CHECK-COUNT-1: #tfc.stack
// CHECK-LABEL: @two_layers
// CHECK-COUNT-2: tfc.weight_ref @wk_stack
func.func @two_layers(%x: tensor<4x8xf32>, %z: tensor<4x8xf32>) -> (tensor<4x2x8xf32>, tensor<4x2x8xf32>, tensor<4x2x8xf32>, tensor<4x2x8xf32>) {
  %wk = tfc.weight_ref @wk : tensor<8x16xf32>
  %wv = tfc.weight_ref @wv : tensor<8x16xf32>
  // expected-remark @below {{fused: qkv: 2 products of 16, 16 columns}}
  %k = tfc.matmul %x, %wk : tensor<4x8xf32>, tensor<8x16xf32>
  %v = tfc.matmul %x, %wv : tensor<4x8xf32>, tensor<8x16xf32>
  // expected-remark @below {{fused: qkv: 2 products of 16, 16 columns}}
  %l = tfc.matmul %z, %wk : tensor<4x8xf32>, tensor<8x16xf32>
  %w = tfc.matmul %z, %wv : tensor<4x8xf32>, tensor<8x16xf32>
  %kh = tfc.reshape %k : tensor<4x16xf32> -> tensor<4x2x8xf32>
  %vh = tfc.reshape %v : tensor<4x16xf32> -> tensor<4x2x8xf32>
  %lh = tfc.reshape %l : tensor<4x16xf32> -> tensor<4x2x8xf32>
  %wh = tfc.reshape %w : tensor<4x16xf32> -> tensor<4x2x8xf32>
  return %kh, %vh, %lh, %wh : tensor<4x2x8xf32>, tensor<4x2x8xf32>, tensor<4x2x8xf32>, tensor<4x2x8xf32>
}

// -----

tfc.weight @wk : tensor<8x12xf32> = #tfc.file<"w", 0, 384>
tfc.weight @wv : tensor<8x12xf32> = #tfc.file<"w", 384, 384>
// CHECK-LABEL: @odd_columns
// CHECK-COUNT-2: tfc.matmul
func.func @odd_columns(%x: tensor<4x8xf32>) -> (tensor<4x2x6xf32>, tensor<4x2x6xf32>) {
  %wk = tfc.weight_ref @wk : tensor<8x12xf32>
  %wv = tfc.weight_ref @wv : tensor<8x12xf32>
  // expected-remark @below {{not fused: qkv: its 12 columns are no multiple of 16}}
  %k = tfc.matmul %x, %wk : tensor<4x8xf32>, tensor<8x12xf32>
  %v = tfc.matmul %x, %wv : tensor<4x8xf32>, tensor<8x12xf32>
  %kh = tfc.reshape %k : tensor<4x12xf32> -> tensor<4x2x6xf32>
  %vh = tfc.reshape %v : tensor<4x12xf32> -> tensor<4x2x6xf32>
  return %kh, %vh : tensor<4x2x6xf32>, tensor<4x2x6xf32>
}

// -----

tfc.weight @wk : tensor<8x16xf32> = #tfc.file<"w", 0, 512>
tfc.weight @wv : tensor<8x16xf32> = #tfc.file<"w", 512, 512>
// CHECK-LABEL: @bias_of_data
// CHECK-COUNT-2: tfc.matmul
func.func @bias_of_data(%x: tensor<4x8xf32>, %b: tensor<16xf32>) -> (tensor<4x2x8xf32>, tensor<4x2x8xf32>) {
  %wk = tfc.weight_ref @wk : tensor<8x16xf32>
  %wv = tfc.weight_ref @wv : tensor<8x16xf32>
  // expected-remark @below {{not fused: qkv: its bias is not one constant per column}}
  %k = tfc.matmul %x, %wk : tensor<4x8xf32>, tensor<8x16xf32>
  %kb = tfc.add %k, %b : tensor<4x16xf32>, tensor<16xf32>
  %v = tfc.matmul %x, %wv : tensor<4x8xf32>, tensor<8x16xf32>
  %kh = tfc.reshape %kb : tensor<4x16xf32> -> tensor<4x2x8xf32>
  %vh = tfc.reshape %v : tensor<4x16xf32> -> tensor<4x2x8xf32>
  return %kh, %vh : tensor<4x2x8xf32>, tensor<4x2x8xf32>
}

// -----

// Different inputs, and the two products of a gate, are no candidates.
tfc.weight @wk : tensor<8x16xf32> = #tfc.file<"w", 0, 512>
tfc.weight @wv : tensor<8x16xf32> = #tfc.file<"w", 512, 512>
// CHECK-LABEL: @no_candidates
// CHECK-COUNT-4: tfc.matmul
func.func @no_candidates(%x: tensor<4x8xf32>, %z: tensor<4x8xf32>) -> (tensor<4x2x8xf32>, tensor<4x2x8xf32>, tensor<4x16xf32>) {
  %wk = tfc.weight_ref @wk : tensor<8x16xf32>
  %wv = tfc.weight_ref @wv : tensor<8x16xf32>
  %k = tfc.matmul %x, %wk : tensor<4x8xf32>, tensor<8x16xf32>
  %v = tfc.matmul %z, %wv : tensor<4x8xf32>, tensor<8x16xf32>
  %kh = tfc.reshape %k : tensor<4x16xf32> -> tensor<4x2x8xf32>
  %vh = tfc.reshape %v : tensor<4x16xf32> -> tensor<4x2x8xf32>
  %g = tfc.matmul %x, %wv : tensor<4x8xf32>, tensor<8x16xf32>
  %s = tfc.silu %g : tensor<4x16xf32>
  %u = tfc.matmul %x, %wk : tensor<4x8xf32>, tensor<8x16xf32>
  %y = tfc.mul %s, %u : tensor<4x16xf32>, tensor<4x16xf32>
  return %kh, %vh, %y : tensor<4x2x8xf32>, tensor<4x2x8xf32>, tensor<4x16xf32>
}

// -----

// One that is wanted as a whole too stays apart, and says so.
tfc.weight @q : tensor<32x32xf32> = #tfc.file<"w.bin", 0, 4096>
tfc.weight @k : tensor<32x32xf32> = #tfc.file<"w.bin", 4096, 4096>
tfc.weight @v : tensor<32x32xf32> = #tfc.file<"w.bin", 8192, 4096>
!x = tensor<?x32xf32, #tfc.dims<n, 32>>
!h = tensor<?x4x8xf32, #tfc.dims<n, 4, 8>>
// CHECK-LABEL: func.func @whole_too
// CHECK-COUNT-2: tfc.matmul
// CHECK-NOT: tfc.matmul
func.func @whole_too(%x: !x) -> (!h, !h, !h, !x) {
  %q = tfc.weight_ref @q : tensor<32x32xf32>
  %k = tfc.weight_ref @k : tensor<32x32xf32>
  %v = tfc.weight_ref @v : tensor<32x32xf32>
  // expected-remark @below {{not fused: qkv: it is used as a whole too, not only split into heads}}
  %0 = tfc.matmul %x, %q : !x, tensor<32x32xf32>
  // expected-remark @below {{fused: qkv: 2 products of 32, 32 columns}}
  %1 = tfc.matmul %x, %k : !x, tensor<32x32xf32>
  %2 = tfc.matmul %x, %v : !x, tensor<32x32xf32>
  %3 = tfc.reshape %0 : !x -> !h
  %4 = tfc.reshape %1 : !x -> !h
  %5 = tfc.reshape %2 : !x -> !h
  return %3, %4, %5, %0 : !h, !h, !h, !x
}
