// One failing case for each numbered constraint of each op; (C0), known dims, is every op's.
// RUN: tfc-opt %s -split-input-file -verify-diagnostics

func.func @matmul_c0(%x: tensor<?x4xf32>, %y: tensor<4x4xf32>) {
  // expected-error @+1 {{(C0)}}
  %0 = tfc.matmul %x, %y : tensor<?x4xf32>, tensor<4x4xf32>
  return
}

// -----

func.func @neg_c0_unknown_encoding(%x: tensor<4xf32, "strange">) {
  // expected-error @+1 {{(C0)}}
  %0 = tfc.neg %x : tensor<4xf32, "strange">
  return
}

// -----

func.func @extern_call_c0(%x: tensor<?xf32>) {
  // expected-error @+1 {{(C0)}}
  %0 = tfc.extern_call "f"(%x) {} : (tensor<?xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @attention_c0_mask(%q: tensor<1x2x3x4xf32>, %m: tensor<1x1x?x3xi1>) {
  // expected-error @+1 {{(C0)}}
  %0 = tfc.attention %q, %q, %q mask %m : (tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<1x1x?x3xi1>) -> tensor<1x2x3x4xf32>
  return
}

// -----

func.func @quantize_c0_scale(%x: tensor<4xf32>, %s: tensor<?xf32>) {
  // expected-error @+1 {{(C0)}}
  %0 = tfc.quantize %x scale %s {axis = 0 : i64} : (tensor<4xf32>, tensor<?xf32>) -> tensor<4xi8>
  return
}

// -----

func.func @cast_c0_result(%x: tensor<4xf32>) {
  // expected-error @+1 {{(C0)}}
  %0 = tfc.cast %x : tensor<4xf32> -> tensor<?xi32>
  return
}

// -----

func.func @shape_c0(%x: tensor<?xf32>) {
  // expected-error @+1 {{(C0)}}
  %0 = tfc.shape %x from 0 to 1 : tensor<?xf32>
  return
}

// -----

func.func @matmul_c1(%x: tensor<4xf32>, %y: tensor<4x4xf32>) {
  // expected-error @+1 {{(C1) operands need rank 2 or more}}
  %0 = tfc.matmul %x, %y : tensor<4xf32>, tensor<4x4xf32>
  return
}

// -----

func.func @matmul_c2(%x: tensor<4x4xf32>, %y: tensor<4x4xf16>) {
  // expected-error @+1 {{(C2) element types differ}}
  %0 = tfc.matmul %x, %y : tensor<4x4xf32>, tensor<4x4xf16>
  return
}

// -----

func.func @matmul_c2_integers_without_result_type(%x: tensor<4x4xi8>, %y: tensor<4x4xui8>) {
  // expected-error @+1 {{(C2) element types differ}}
  %0 = tfc.matmul %x, %y : tensor<4x4xi8>, tensor<4x4xui8>
  return
}

// -----

func.func @matmul_c3(%x: tensor<4x4xf32>, %y: tensor<5x4xf32>) {
  // expected-error @+1 {{(C3) contracted dims differ: 4 and 5}}
  %0 = tfc.matmul %x, %y : tensor<4x4xf32>, tensor<5x4xf32>
  return
}

// -----

func.func @matmul_c3_transposed(%x: tensor<4x5xf32>, %y: tensor<5x4xf32>) {
  // expected-error @+1 {{(C3) contracted dims differ: 5 and 4}}
  %0 = tfc.matmul %x, %y {transpose_b} : tensor<4x5xf32>, tensor<5x4xf32>
  return
}

// -----

func.func @matmul_c4(%x: tensor<2x4x4xf32>, %y: tensor<3x4x4xf32>) {
  // expected-error @+1 {{(C4) leading dims do not broadcast}}
  %0 = tfc.matmul %x, %y : tensor<2x4x4xf32>, tensor<3x4x4xf32>
  return
}

// -----

func.func @attention_c1(%q: tensor<4x3x8xf32>, %k: tensor<1x4x3x8xf32>, %v: tensor<1x4x3x8xf32>) {
  // expected-error @+1 {{(C1) query, key and value need rank 4}}
  %0 = tfc.attention %q, %k, %v : (tensor<4x3x8xf32>, tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>) -> tensor<1x4x3x8xf32>
  return
}

// -----

func.func @attention_c1_types(%q: tensor<1x4x3x8xf32>, %k: tensor<1x4x3x8xf16>, %v: tensor<1x4x3x8xf32>) {
  // expected-error @+1 {{(C1) query, key and value need rank 4}}
  %0 = tfc.attention %q, %k, %v : (tensor<1x4x3x8xf32>, tensor<1x4x3x8xf16>, tensor<1x4x3x8xf32>) -> tensor<1x4x3x8xf32>
  return
}

// -----

func.func @attention_c2_batch(%q: tensor<1x4x3x8xf32>, %k: tensor<2x4x3x8xf32>, %v: tensor<2x4x3x8xf32>) {
  // expected-error @+1 {{(C2) key and value disagree}}
  %0 = tfc.attention %q, %k, %v : (tensor<1x4x3x8xf32>, tensor<2x4x3x8xf32>, tensor<2x4x3x8xf32>) -> tensor<1x4x3x8xf32>
  return
}

// -----

func.func @attention_c2_length(%q: tensor<1x4x3x8xf32>, %k: tensor<1x4x3x8xf32>, %v: tensor<1x4x5x8xf32>) {
  // expected-error @+1 {{(C2) key and value disagree}}
  %0 = tfc.attention %q, %k, %v : (tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>, tensor<1x4x5x8xf32>) -> tensor<1x4x3x8xf32>
  return
}

// -----

func.func @attention_c3(%q: tensor<1x4x3x8xf32>, %k: tensor<1x4x3x16xf32>, %v: tensor<1x4x3x8xf32>) {
  // expected-error @+1 {{(C3) query and key have different head dims: 8 and 16}}
  %0 = tfc.attention %q, %k, %v : (tensor<1x4x3x8xf32>, tensor<1x4x3x16xf32>, tensor<1x4x3x8xf32>) -> tensor<1x4x3x8xf32>
  return
}

// -----

func.func @attention_c4(%q: tensor<1x4x3x8xf32>, %k: tensor<1x3x3x8xf32>, %v: tensor<1x3x3x8xf32>) {
  // expected-error @+1 {{(C4) the number of query heads, 4, is not a multiple of the key heads, 3}}
  %0 = tfc.attention %q, %k, %v : (tensor<1x4x3x8xf32>, tensor<1x3x3x8xf32>, tensor<1x3x3x8xf32>) -> tensor<1x4x3x8xf32>
  return
}

// -----

func.func @attention_c4_no_key_heads(%q: tensor<1x4x3x8xf32>, %k: tensor<1x0x3x8xf32>, %v: tensor<1x0x3x8xf32>) {
  // expected-error @+1 {{(C4)}}
  %0 = tfc.attention %q, %k, %v : (tensor<1x4x3x8xf32>, tensor<1x0x3x8xf32>, tensor<1x0x3x8xf32>) -> tensor<1x4x3x8xf32>
  return
}

// -----

func.func @attention_c5_mask(%q: tensor<1x4x3x8xf32>, %k: tensor<1x4x3x8xf32>, %v: tensor<1x4x3x8xf32>, %m: tensor<3x5xi1>) {
  // expected-error @+1 {{(C5) the mask does not broadcast}}
  %0 = tfc.attention %q, %k, %v mask %m : (tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>, tensor<3x5xi1>) -> tensor<1x4x3x8xf32>
  return
}

// -----

func.func @attention_c5_bias(%q: tensor<1x4x3x8xf32>, %k: tensor<1x4x3x8xf32>, %v: tensor<1x4x3x8xf32>, %m: tensor<3x3xf16>) {
  // expected-error @+1 {{(C5) the bias does not broadcast}}
  %0 = tfc.attention %q, %k, %v bias %m : (tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>, tensor<3x3xf16>) -> tensor<1x4x3x8xf32>
  return
}

// -----

func.func @attention_c5_rank(%q: tensor<1x4x3x8xf32>, %k: tensor<1x4x3x8xf32>, %v: tensor<1x4x3x8xf32>, %m: tensor<1x1x1x3x3xi1>) {
  // expected-error @+1 {{(C5) the mask does not broadcast}}
  %0 = tfc.attention %q, %k, %v mask %m : (tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>, tensor<1x1x1x3x3xi1>) -> tensor<1x4x3x8xf32>
  return
}

// -----

func.func @attention_c6(%q: tensor<1x4x3x8xf32>, %k: tensor<1x4x3x8xf32>, %v: tensor<1x4x3x8xf32>, %p: tensor<1x4x2x8xf32>, %r: tensor<1x4x2x9xf32>) {
  // expected-error @+1 {{(C6) past key and value must agree}}
  %0 = tfc.attention %q, %k, %v past %p, %r : (tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>, tensor<1x4x2x8xf32>, tensor<1x4x2x9xf32>) -> tensor<1x4x3x8xf32>
  return
}

// -----

func.func @attention_c6_key_alone(%q: tensor<1x4x3x8xf32>) {
  // expected-error @+1 {{(C6) past key and past value come together}}
  %0 = "tfc.attention"(%q, %q, %q, %q) <{operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 1, 0, 0>}> : (tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>) -> tensor<1x4x3x8xf32>
  return
}

// -----

func.func @attention_c7(%q: tensor<1x4x3x8xf32>, %k: tensor<1x4x3x8xf32>, %v: tensor<1x4x3x8xf32>) {
  // expected-error @+1 {{(C7) the output should be}}
  %0 = tfc.attention %q, %k, %v : (tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>) -> tensor<1x4x3x9xf32>
  return
}

// -----

func.func @attention_c7_present_without_past(%q: tensor<1x4x3x8xf32>, %k: tensor<1x4x3x8xf32>, %v: tensor<1x4x3x8xf32>) {
  // expected-error @+1 {{(C7) present key and value come only with a past}}
  %0:3 = tfc.attention %q, %k, %v : (tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>) -> (tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>)
  return
}

// -----

func.func @attention_c7_present_type(%q: tensor<1x4x3x8xf32>, %k: tensor<1x4x3x8xf32>, %v: tensor<1x4x3x8xf32>, %p: tensor<1x4x3x8xf32>) {
  // expected-error @+1 {{(C7) the present key should be}}
  %0:3 = tfc.attention %q, %k, %v past %p, %p : (tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>) -> (tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>)
  return
}

// -----

func.func @attention_c7_probabilities(%q: tensor<1x4x3x8xf32>, %k: tensor<1x4x3x8xf32>, %v: tensor<1x4x3x8xf32>) {
  // expected-error @+1 {{(C7) the probabilities should be}}
  %0:2 = tfc.attention %q, %k, %v : (tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>) -> (tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>)
  return
}

// -----

func.func @attention_c7_present_value(%q: tensor<1x4x3x8xf32>, %k: tensor<1x4x3x8xf32>, %v: tensor<1x4x3x8xf32>) {
  // expected-error @+1 {{(C7) the present value should be}}
  %0:3 = tfc.attention %q, %k, %v past %k, %v : (tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>) -> (tensor<1x4x3x8xf32>, tensor<1x4x6x8xf32>, tensor<1x4x3x8xf32>)
  return
}

// -----

func.func @attention_c7_probabilities_behind_present(%q: tensor<1x4x3x8xf32>, %k: tensor<1x4x3x8xf32>, %v: tensor<1x4x3x8xf32>) {
  // expected-error @+1 {{(C7) the probabilities should be}}
  %0:4 = tfc.attention %q, %k, %v past %k, %v : (tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>) -> (tensor<1x4x3x8xf32>, tensor<1x4x6x8xf32>, tensor<1x4x6x8xf32>, tensor<1x4x3x3xf32>)
  return
}

// -----

func.func @attention_c7_count(%q: tensor<1x4x3x8xf32>, %k: tensor<1x4x3x8xf32>, %v: tensor<1x4x3x8xf32>) {
  // expected-error @+1 {{(C7) there are at most 4 results, got 5}}
  %0:5 = tfc.attention %q, %k, %v : (tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>) -> (tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>)
  return
}

// -----

func.func @attention_c8(%q: tensor<1x4x3x8xf32>, %k: tensor<1x4x3x8xf32>, %v: tensor<1x4x3x8xf32>) {
  // expected-error @+1 {{(C8) the scale is not finite}}
  %0 = tfc.attention %q, %k, %v {scale = 0x7F800000 : f32} : (tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>) -> tensor<1x4x3x8xf32>
  return
}

// -----

func.func @attention_c9_zero(%q: tensor<1x4x3x8xf32>, %k: tensor<1x4x3x8xf32>, %v: tensor<1x4x3x8xf32>) {
  // expected-error @+1 {{(C9) the softcap is not a finite number above 0}}
  %0 = tfc.attention %q, %k, %v {softcap = 0.0 : f32} : (tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>) -> tensor<1x4x3x8xf32>
  return
}

// -----

func.func @attention_c9_negative(%q: tensor<1x4x3x8xf32>, %k: tensor<1x4x3x8xf32>, %v: tensor<1x4x3x8xf32>) {
  // expected-error @+1 {{(C9) the softcap is not a finite number above 0}}
  %0 = tfc.attention %q, %k, %v {softcap = -2.0 : f32} : (tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>) -> tensor<1x4x3x8xf32>
  return
}

// -----

func.func @attention_c9_infinite(%q: tensor<1x4x3x8xf32>, %k: tensor<1x4x3x8xf32>, %v: tensor<1x4x3x8xf32>) {
  // expected-error @+1 {{(C9) the softcap is not a finite number above 0}}
  %0 = tfc.attention %q, %k, %v {softcap = 0x7F800000 : f32} : (tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>) -> tensor<1x4x3x8xf32>
  return
}

// -----

func.func @attention_c9_nan(%q: tensor<1x4x3x8xf32>, %k: tensor<1x4x3x8xf32>, %v: tensor<1x4x3x8xf32>) {
  // expected-error @+1 {{(C9) the softcap is not a finite number above 0}}
  %0 = tfc.attention %q, %k, %v {softcap = 0x7FC00000 : f32} : (tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>) -> tensor<1x4x3x8xf32>
  return
}

// -----

func.func @attention_c10_left(%q: tensor<1x4x3x8xf32>, %k: tensor<1x4x3x8xf32>, %v: tensor<1x4x3x8xf32>) {
  // expected-error @+1 {{(C10) a window is negative: -1}}
  %0 = tfc.attention %q, %k, %v {window_left = -1 : i64} : (tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>) -> tensor<1x4x3x8xf32>
  return
}

// -----

func.func @attention_c10_right(%q: tensor<1x4x3x8xf32>, %k: tensor<1x4x3x8xf32>, %v: tensor<1x4x3x8xf32>) {
  // expected-error @+1 {{(C10) a window is negative: -5}}
  %0 = tfc.attention %q, %k, %v {window_right = -5 : i64} : (tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>) -> tensor<1x4x3x8xf32>
  return
}

// -----

func.func @attention_c10_causal(%q: tensor<1x4x3x8xf32>, %k: tensor<1x4x3x8xf32>, %v: tensor<1x4x3x8xf32>) {
  // expected-error @+1 {{(C10) a causal attention has no window_right}}
  %0 = tfc.attention %q, %k, %v {causal, window_right = 0 : i64} : (tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>) -> tensor<1x4x3x8xf32>
  return
}

// -----

func.func @attention_c11_rank(%q: tensor<1x4x3x8xf32>, %k: tensor<1x4x3x8xf32>, %v: tensor<1x4x3x8xf32>, %n: tensor<1x1xi64>) {
  // expected-error @+1 {{(C11) key_lengths is no vector}}
  %0 = tfc.attention %q, %k, %v key_lengths %n : (tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>, tensor<1x1xi64>) -> tensor<1x4x3x8xf32>
  return
}

// -----

func.func @attention_c11_count(%q: tensor<1x4x3x8xf32>, %k: tensor<1x4x3x8xf32>, %v: tensor<1x4x3x8xf32>, %n: tensor<2xi32>) {
  // expected-error @+1 {{(C11) key_lengths is no vector}}
  %0 = tfc.attention %q, %k, %v key_lengths %n : (tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>, tensor<2xi32>) -> tensor<1x4x3x8xf32>
  return
}

// -----

func.func @attention_c11_type(%q: tensor<1x4x3x8xf32>, %k: tensor<1x4x3x8xf32>, %v: tensor<1x4x3x8xf32>, %n: tensor<1xf32>) {
  // expected-error @+1 {{operand #3 must be}}
  %0 = tfc.attention %q, %k, %v key_lengths %n : (tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>, tensor<1xf32>) -> tensor<1x4x3x8xf32>
  return
}

// -----

func.func @attention_c12_infinite(%q: tensor<1x4x3x8xf32>) {
  // expected-error @+1 {{(C12) a fill is finite}}
  %0 = tfc.attention %q, %q, %q masked_row biased {fill = 0xFF800000 : f32} : (tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>) -> tensor<1x4x3x8xf32>
  return
}

// -----

func.func @attention_c12_nan(%q: tensor<1x4x3x8xf32>) {
  // expected-error @+1 {{(C12) a fill is finite}}
  %0 = tfc.attention %q, %q, %q masked_row nan {fill = -1.0 : f32} : (tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>) -> tensor<1x4x3x8xf32>
  return
}

// -----

func.func @attention_c12_zero(%q: tensor<1x4x3x8xf32>) {
  // expected-error @+1 {{(C12) a fill is finite}}
  %0 = tfc.attention %q, %q, %q masked_row zero {fill = -1.0 : f32} : (tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>) -> tensor<1x4x3x8xf32>
  return
}

// -----

func.func @add_c1(%x: tensor<4xf32>, %y: tensor<4xf16>) {
  // expected-error @+1 {{(C1) element types differ}}
  %0 = tfc.add %x, %y : tensor<4xf32>, tensor<4xf16>
  return
}

// -----

func.func @add_c2(%x: tensor<4xf32>, %y: tensor<3xf32>) {
  // expected-error @+1 {{(C2) shapes do not broadcast}}
  %0 = tfc.add %x, %y : tensor<4xf32>, tensor<3xf32>
  return
}

// -----

func.func @compare_c1(%x: tensor<4xf32>, %y: tensor<4xi32>) {
  // expected-error @+1 {{(C1) element types differ}}
  %0 = tfc.compare lt %x, %y : tensor<4xf32>, tensor<4xi32>
  return
}

// -----

func.func @compare_c2(%x: tensor<4xf32>, %y: tensor<3xf32>) {
  // expected-error @+1 {{(C2) shapes do not broadcast}}
  %0 = tfc.compare lt %x, %y : tensor<4xf32>, tensor<3xf32>
  return
}

// -----

func.func @select_c1(%c: tensor<4xi1>, %x: tensor<4xf32>, %y: tensor<4xi32>) {
  // expected-error @+1 {{(C1) element types differ}}
  %0 = tfc.select %c, %x, %y : tensor<4xi1>, tensor<4xf32>, tensor<4xi32>
  return
}

// -----

func.func @select_c2(%c: tensor<3xi1>, %x: tensor<4xf32>) {
  // expected-error @+1 {{(C2) shapes do not broadcast}}
  %0 = tfc.select %c, %x, %x : tensor<3xi1>, tensor<4xf32>, tensor<4xf32>
  return
}

// -----

func.func @cast_c1(%x: tensor<4xf32>) {
  // expected-error @+1 {{(C1) operand and result have different dims}}
  %0 = tfc.cast %x : tensor<4xf32> -> tensor<5xi32>
  return
}

// -----

func.func @quantize_c1(%x: tensor<4xf32>, %s: tensor<f32>) {
  // expected-error @+1 {{(C1) needs a float tensor and an integer or 8-bit float tensor}}
  %0 = tfc.quantize %x scale %s : (tensor<4xf32>, tensor<f32>) -> tensor<4xf16>
  return
}

// -----

func.func @quantize_c1_dims(%x: tensor<4xf32>, %s: tensor<f32>) {
  // expected-error @+1 {{(C1)}}
  %0 = tfc.quantize %x scale %s : (tensor<4xf32>, tensor<f32>) -> tensor<5xi8>
  return
}

// -----

func.func @quantize_c2(%x: tensor<4xf32>, %s: tensor<3xf32>) {
  // expected-error @+1 {{(C2) the scale's shape does not fit}}
  %0 = tfc.quantize %x scale %s {axis = 0 : i64} : (tensor<4xf32>, tensor<3xf32>) -> tensor<4xi8>
  return
}

// -----

func.func @quantize_c2_axis(%x: tensor<4xf32>, %s: tensor<4xf32>) {
  // expected-error @+1 {{(C2) the scale's shape does not fit}}
  %0 = tfc.quantize %x scale %s {axis = 7 : i64} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xi8>
  return
}

// -----

func.func @quantize_c2_block(%x: tensor<4xf32>, %s: tensor<2xf32>) {
  // expected-error @+1 {{(C2) the scale's shape does not fit}}
  %0 = tfc.quantize %x scale %s {axis = 0 : i64, block_size = 0 : i64} : (tensor<4xf32>, tensor<2xf32>) -> tensor<4xi8>
  return
}

// -----

func.func @quantize_c3(%x: tensor<4xf32>, %s: tensor<f32>, %z: tensor<ui8>) {
  // expected-error @+1 {{(C3) zero_point needs}}
  %0 = tfc.quantize %x scale %s zero_point %z : (tensor<4xf32>, tensor<f32>, tensor<ui8>) -> tensor<4xi8>
  return
}

// -----

func.func @dequantize_c1(%x: tensor<4xi1>, %s: tensor<f32>) {
  // expected-error @+1 {{(C1)}}
  %0 = tfc.dequantize %x scale %s : (tensor<4xi1>, tensor<f32>) -> tensor<4xf32>
  return
}

// -----

func.func @dequantize_c2(%x: tensor<4xi8>, %s: tensor<1xf32>) {
  // expected-error @+1 {{(C2)}}
  %0 = tfc.dequantize %x scale %s : (tensor<4xi8>, tensor<1xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @dequantize_c3(%x: tensor<4xi8>, %s: tensor<f32>, %z: tensor<1xi8>) {
  // expected-error @+1 {{(C3)}}
  %0 = tfc.dequantize %x scale %s zero_point %z : (tensor<4xi8>, tensor<f32>, tensor<1xi8>) -> tensor<4xf32>
  return
}

// -----

func.func @softmax_c1(%x: tensor<2x8xf32>) {
  // expected-error @+1 {{(C1) axis 2 is outside [0, 2)}}
  %0 = tfc.softmax %x axis 2 : tensor<2x8xf32>
  return
}

// -----

func.func @softmax_c1_rank_0(%x: tensor<f32>) {
  // expected-error @+1 {{(C1) axis 0 is outside [0, 0)}}
  %0 = tfc.softmax %x axis 0 : tensor<f32>
  return
}

// -----

func.func @layer_norm_c1(%x: tensor<2x8xf32>) {
  // expected-error @+2 {{(C1) axis -1 is outside [0, 2)}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = tfc.layer_norm %x axis -1 epsilon 1.0e-5 : (tensor<2x8xf32>) -> tensor<2x8xf32>
  return
}

// -----

func.func @layer_norm_c2(%x: tensor<2x8xf32>, %g: tensor<7xf32>) {
  // expected-error @+2 {{(C2)}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = tfc.layer_norm %x scale %g axis 1 epsilon 1.0e-5 : (tensor<2x8xf32>, tensor<7xf32>) -> tensor<2x8xf32>
  return
}

// -----

func.func @layer_norm_c2_bias(%x: tensor<2x8xf32>, %g: tensor<8xf16>) {
  // expected-error @+2 {{(C2)}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = tfc.layer_norm %x bias %g axis 1 epsilon 1.0e-5 : (tensor<2x8xf32>, tensor<8xf16>) -> tensor<2x8xf32>
  return
}

// -----

func.func @layer_norm_c3(%x: tensor<2x8xf32>) {
  // expected-error @+2 {{(C3) epsilon is}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = tfc.layer_norm %x axis 1 epsilon -1.0 : (tensor<2x8xf32>) -> tensor<2x8xf32>
  return
}

// -----

func.func @rms_norm_c1(%x: tensor<2x8xf32>) {
  // expected-error @+2 {{(C1) axis 2 is outside}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = tfc.rms_norm %x axis 2 epsilon 1.0e-5 : (tensor<2x8xf32>) -> tensor<2x8xf32>
  return
}

// -----

func.func @rms_norm_c2(%x: tensor<2x8xf32>, %g: tensor<1x2x8xf32>) {
  // expected-error @+2 {{(C2)}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = tfc.rms_norm %x scale %g axis 1 epsilon 1.0e-5 : (tensor<2x8xf32>, tensor<1x2x8xf32>) -> tensor<2x8xf32>
  return
}

// -----

func.func @rms_norm_c3(%x: tensor<2x8xf32>) {
  // expected-error @+2 {{(C3) epsilon is}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = tfc.rms_norm %x axis 1 epsilon 0x7FF8000000000000 : (tensor<2x8xf32>) -> tensor<2x8xf32>
  return
}

// -----

func.func @reduce_c1(%x: tensor<2x8xf32>) {
  // expected-error @+1 {{(C1) axes must be ascending}}
  %0 = tfc.reduce sum %x axes [1, 0] : tensor<2x8xf32>
  return
}

// -----

func.func @reduce_c1_repeated(%x: tensor<2x8xf32>) {
  // expected-error @+1 {{(C1) axes must be ascending}}
  %0 = tfc.reduce sum %x axes [1, 1] : tensor<2x8xf32>
  return
}

// -----

func.func @reduce_c1_rank_0(%x: tensor<f32>) {
  // expected-error @+1 {{(C1) axes must be ascending}}
  %0 = tfc.reduce sum %x axes [0] : tensor<f32>
  return
}

// -----

func.func @arg_reduce_c1(%x: tensor<2x8xf32>) {
  // expected-error @+1 {{(C1) axis 9 is outside [0, 2)}}
  %0 = tfc.arg_reduce %x axis 9 : tensor<2x8xf32>
  return
}

// -----

func.func @arg_reduce_c2(%x: tensor<2x0xf32>) {
  // expected-error @+1 {{(C2) dim 1 is empty}}
  %0 = tfc.arg_reduce %x axis 1 : tensor<2x0xf32>
  return
}

// -----

func.func @cumsum_c1(%x: tensor<2x8xf32>) {
  // expected-error @+1 {{(C1) axis -2 is outside [0, 2)}}
  %0 = tfc.cumsum %x axis -2 : tensor<2x8xf32>
  return
}

// -----

func.func @top_k_c1(%x: tensor<2x8xf32>) {
  // expected-error @+1 {{(C1) axis 2 is outside [0, 2)}}
  %0:2 = tfc.top_k %x axis 2 : tensor<2x8xf32> -> tensor<2x3xf32>, tensor<2x3xi64>
  return
}

// -----

func.func @top_k_c2(%x: tensor<2x8xf32>) {
  // expected-error @+1 {{(C2) the results' dims must be x's but for the axis}}
  %0:2 = tfc.top_k %x axis 1 : tensor<2x8xf32> -> tensor<3x3xf32>, tensor<3x3xi64>
  return
}

// -----

func.func @top_k_c2_ranks(%x: tensor<2x8xf32>) {
  // expected-error @+1 {{(C2) the results' dims must be x's but for the axis}}
  %0:2 = tfc.top_k %x axis 1 : tensor<2x8xf32> -> tensor<3xf32>, tensor<3xi64>
  return
}

// -----

func.func @top_k_c3(%x: tensor<2x8xf32>) {
  // expected-error @+1 {{(C3) the values' element type must be x's}}
  %0:2 = tfc.top_k %x axis 1 : tensor<2x8xf32> -> tensor<2x3xf16>, tensor<2x3xi64>
  return
}

// -----

func.func @top_k_c4(%x: tensor<2x8xf32>) {
  // expected-error @+1 {{(C4) cannot take 9 elements of 8}}
  %0:2 = tfc.top_k %x axis 1 : tensor<2x8xf32> -> tensor<2x9xf32>, tensor<2x9xi64>
  return
}

// -----

func.func @reshape_c1(%x: tensor<2x8xf32>) {
  // expected-error @+1 {{(C1) element types differ}}
  %0 = tfc.reshape %x : tensor<2x8xf32> -> tensor<16xf16>
  return
}

// -----

func.func @reshape_c2(%x: tensor<2x8xf32>) {
  // expected-error @+1 {{(C2) cannot make 15 elements of 16}}
  %0 = tfc.reshape %x : tensor<2x8xf32> -> tensor<15xf32>
  return
}

// -----

func.func @transpose_c1(%x: tensor<2x8xf32>) {
  // expected-error @+1 {{(C1) [0, 0] is no permutation of [0, 2)}}
  %0 = tfc.transpose %x [0, 0] : tensor<2x8xf32>
  return
}

// -----

func.func @transpose_c1_short(%x: tensor<2x8xf32>) {
  // expected-error @+1 {{(C1) [0] is no permutation of [0, 2)}}
  %0 = tfc.transpose %x [0] : tensor<2x8xf32>
  return
}

// -----

func.func @transpose_c1_outside(%x: tensor<2x8xf32>) {
  // expected-error @+1 {{(C1) [0, 2] is no permutation of [0, 2)}}
  %0 = tfc.transpose %x [0, 2] : tensor<2x8xf32>
  return
}

// -----

func.func @expand_c1(%x: tensor<1xf32>) {
  // expected-error @+1 {{(C1) element types differ}}
  %0 = tfc.expand %x : tensor<1xf32> -> tensor<4xf16>
  return
}

// -----

func.func @expand_c2(%x: tensor<2xf32>) {
  // expected-error @+1 {{(C2) 'tensor<2xf32>' does not broadcast to 'tensor<4xf32>'}}
  %0 = tfc.expand %x : tensor<2xf32> -> tensor<4xf32>
  return
}

// -----

func.func @slice_c1(%x: tensor<2x8xf32>) {
  // expected-error @+1 {{(C1) element types or ranks differ}}
  %0 = tfc.slice %x offsets [0, 0] strides [1, 1] : tensor<2x8xf32> -> tensor<2xf32>
  return
}

// -----

func.func @slice_c2(%x: tensor<2x8xf32>) {
  // expected-error @+1 {{(C2) needs one offset and one stride per dim}}
  %0 = tfc.slice %x offsets [0] strides [1, 1] : tensor<2x8xf32> -> tensor<2x3xf32>
  return
}

// -----

func.func @slice_c3(%x: tensor<2x8xf32>) {
  // expected-error @+1 {{(C3) the stride of dim 1 is 0}}
  %0 = tfc.slice %x offsets [0, 0] strides [1, 0] : tensor<2x8xf32> -> tensor<2x3xf32>
  return
}

// -----

func.func @slice_c4(%x: tensor<2x8xf32>) {
  // expected-error @+1 {{(C4) dim 1: 3 elements from 6 in steps of 1 leave [0, 8)}}
  %0 = tfc.slice %x offsets [0, 6] strides [1, 1] : tensor<2x8xf32> -> tensor<2x3xf32>
  return
}

// -----

func.func @slice_c4_backwards(%x: tensor<2x8xf32>) {
  // expected-error @+1 {{(C4) dim 1: 3 elements from 1 in steps of -1 leave [0, 8)}}
  %0 = tfc.slice %x offsets [0, 1] strides [1, -1] : tensor<2x8xf32> -> tensor<2x3xf32>
  return
}

// -----

func.func @slice_c4_overflow(%x: tensor<2x8xf32>) {
  // expected-error @+1 {{(C4)}}
  %0 = tfc.slice %x offsets [0, 0] strides [1, 9223372036854775807] : tensor<2x8xf32> -> tensor<2x3xf32>
  return
}

// -----

func.func @concat_c1() {
  // expected-error @+2 {{(C1) needs at least one operand}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = "tfc.concat"() <{axis = 0 : i64}> : () -> tensor<2xf32>
  return
}

// -----

func.func @concat_c1_ranks(%x: tensor<2x8xf32>, %y: tensor<2xf32>) {
  // expected-error @+1 {{(C1) ranks or element types differ}}
  %0 = tfc.concat %x, %y axis 0 : tensor<2x8xf32>, tensor<2xf32>
  return
}

// -----

func.func @concat_c2(%x: tensor<2x8xf32>) {
  // expected-error @+1 {{(C2) axis 2 is outside [0, 2)}}
  %0 = tfc.concat %x, %x axis 2 : tensor<2x8xf32>, tensor<2x8xf32>
  return
}

// -----

func.func @concat_c3(%x: tensor<2x8xf32>, %y: tensor<3x9xf32>) {
  // expected-error @+1 {{(C3) dim 1 differs: 8 and 9}}
  %0 = tfc.concat %x, %y axis 0 : tensor<2x8xf32>, tensor<3x9xf32>
  return
}

// -----

func.func @pad_c1(%x: tensor<2x8xf32>, %v: tensor<1xf32>) {
  // expected-error @+1 {{(C1) element types or ranks do not fit}}
  %0 = tfc.pad %x value %v "constant" low [0, 1] : (tensor<2x8xf32>, tensor<1xf32>) -> tensor<2x10xf32>
  return
}

// -----

func.func @pad_c2(%x: tensor<2x8xf32>) {
  // expected-error @+1 {{(C2) needs one low per dim}}
  %0 = tfc.pad %x "edge" low [0] : (tensor<2x8xf32>) -> tensor<2x10xf32>
  return
}

// -----

func.func @pad_c3(%x: tensor<2x8xf32>) {
  // expected-error @+1 {{(C3) unknown mode 'around'}}
  %0 = tfc.pad %x "around" low [0, 1] : (tensor<2x8xf32>) -> tensor<2x10xf32>
  return
}

// -----

func.func @tile_c1(%x: tensor<2x8xf32>) {
  // expected-error @+1 {{(C1) element types or ranks differ}}
  %0 = tfc.tile %x : tensor<2x8xf32> -> tensor<4x8x1xf32>
  return
}

// -----

func.func @tile_c2(%x: tensor<0xf32>) {
  // expected-error @+1 {{(C2) cannot repeat an empty dim 3 elements long}}
  %0 = tfc.tile %x : tensor<0xf32> -> tensor<3xf32>
  return
}

// -----

func.func @gather_c1(%x: tensor<2x8xf32>, %i: tensor<3xi64>) {
  // expected-error @+1 {{(C1) axis 2 is outside [0, 2)}}
  %0 = tfc.gather %x, %i axis 2 : tensor<2x8xf32>, tensor<3xi64>
  return
}

// -----

func.func @gather_c2(%x: tensor<2x8xf32>, %i: tensor<3xi8>) {
  // expected-error @+1 {{operand #1 must be ranked tensor of 32-bit signless integer or 64-bit signless integer}}
  %0 = tfc.gather %x, %i axis 0 : tensor<2x8xf32>, tensor<3xi8>
  return
}

// -----

func.func @gather_elements_c1(%x: tensor<2x8xf32>, %i: tensor<3xi64>) {
  // expected-error @+1 {{(C1) ranks differ}}
  %0 = tfc.gather_elements %x, %i axis 0 : tensor<2x8xf32>, tensor<3xi64>
  return
}

// -----

func.func @gather_elements_c2(%x: tensor<2x8xf32>, %i: tensor<3x9xi64>) {
  // expected-error @+1 {{(C2) dim 1 of the indices, 9, exceeds 8}}
  %0 = tfc.gather_elements %x, %i axis 0 : tensor<2x8xf32>, tensor<3x9xi64>
  return
}

// -----

func.func @scatter_elements_c1(%x: tensor<2x8xf32>, %i: tensor<3xi64>, %u: tensor<3xf32>) {
  // expected-error @+1 {{(C1) ranks differ}}
  %0 = tfc.scatter_elements set %x, %i, %u axis 0 : tensor<2x8xf32>, tensor<3xi64>, tensor<3xf32>
  return
}

// -----

func.func @scatter_elements_c1_axis(%x: tensor<2xf32>, %i: tensor<3xi64>, %u: tensor<3xf32>) {
  // expected-error @+1 {{(C1) axis 1 is outside [0, 1)}}
  %0 = tfc.scatter_elements set %x, %i, %u axis 1 : tensor<2xf32>, tensor<3xi64>, tensor<3xf32>
  return
}

// -----

func.func @scatter_elements_c2(%x: tensor<2x8xf32>, %i: tensor<3x9xi64>, %u: tensor<3x9xf32>) {
  // expected-error @+1 {{(C2) dim 1 of the indices, 9, exceeds 8}}
  %0 = tfc.scatter_elements set %x, %i, %u axis 0 : tensor<2x8xf32>, tensor<3x9xi64>, tensor<3x9xf32>
  return
}

// -----

func.func @scatter_elements_c3(%x: tensor<2x8xf32>, %i: tensor<3x8xi64>, %u: tensor<2x8xf32>) {
  // expected-error @+1 {{(C3) dims of indices and updates differ: 3 and 2}}
  %0 = tfc.scatter_elements set %x, %i, %u axis 0 : tensor<2x8xf32>, tensor<3x8xi64>, tensor<2x8xf32>
  return
}

// -----

func.func @scatter_elements_c4(%x: tensor<4xf32>, %i: tensor<3xi64>, %u: tensor<3xf16>) {
  // expected-error @+1 {{(C4) element types differ}}
  %0 = tfc.scatter_elements set %x, %i, %u axis 0 : tensor<4xf32>, tensor<3xi64>, tensor<3xf16>
  return
}

// -----

func.func @scatter_elements_c5(%x: tensor<4xi1>, %i: tensor<3xi64>, %u: tensor<3xi1>) {
  // expected-error @+1 {{(C5) bools can only be set}}
  %0 = tfc.scatter_elements add %x, %i, %u axis 0 : tensor<4xi1>, tensor<3xi64>, tensor<3xi1>
  return
}

// -----

func.func @trilu_c1(%x: tensor<4xf32>) {
  // expected-error @+1 {{(C1) needs rank 2 or more}}
  %0 = tfc.trilu %x k 0 : tensor<4xf32>
  return
}

// -----

func.func @range_c1(%x: tensor<1xi64>, %y: tensor<i64>) {
  // expected-error @+1 {{(C1) start and step must be scalars}}
  %0 = tfc.range %x, %y : (tensor<1xi64>, tensor<i64>) -> tensor<4xi64>
  return
}

// -----

func.func @range_c2(%x: tensor<i64>) {
  // expected-error @+1 {{(C2) the result has rank 1}}
  %0 = tfc.range %x, %x : (tensor<i64>, tensor<i64>) -> tensor<4x1xi64>
  return
}

// -----

func.func @eye_c1() {
  // expected-error @+1 {{(C1) the result has rank 2}}
  %0 = tfc.eye k 0 : tensor<4xf32>
  return
}

// -----

func.func @one_hot_c1(%i: tensor<3xi64>, %v: tensor<f32>) {
  // expected-error @+1 {{(C1) the result's dims must be}}
  %0 = tfc.one_hot %i off %v on %v axis 1 : (tensor<3xi64>, tensor<f32>, tensor<f32>) -> tensor<4x9xf32>
  return
}

// -----

func.func @one_hot_c1_axis(%i: tensor<3xi64>, %v: tensor<f32>) {
  // expected-error @+1 {{(C1) the result's dims must be}}
  %0 = tfc.one_hot %i off %v on %v axis 2 : (tensor<3xi64>, tensor<f32>, tensor<f32>) -> tensor<3x9xf32>
  return
}

// -----

func.func @one_hot_c2(%i: tensor<3xi64>, %v: tensor<f32>) {
  // expected-error @+1 {{(C2) off and on must be scalars}}
  %0 = tfc.one_hot %i off %v on %v axis 1 : (tensor<3xi64>, tensor<f32>, tensor<f32>) -> tensor<3x9xf16>
  return
}

// -----

func.func @nonzero_c1(%x: tensor<2x8xf32>) {
  // expected-error @+1 {{(C1) the result is [rank of x, count]}}
  %0 = tfc.nonzero %x : tensor<2x8xf32> -> tensor<1x4xi64>
  return
}

// -----

func.func @shape_c1(%x: tensor<2x8xf32>) {
  // expected-error @+1 {{(C1) range [1, 3) is outside [0, 2]}}
  %0 = tfc.shape %x from 1 to 3 : tensor<2x8xf32>
  return
}

// -----

func.func @shape_c1_reversed(%x: tensor<2x8xf32>) {
  // expected-error @+1 {{(C1) range [2, 1) is outside [0, 2]}}
  %0 = tfc.shape %x from 2 to 1 : tensor<2x8xf32>
  return
}

// -----

func.func @bind_c1(%x: tensor<2xi64>) {
  // expected-error @+1 {{(C1) needs as many elements as names}}
  tfc.bind %x as ["n"] : tensor<2xi64>
  return
}

// -----

func.func @bind_c1_huge(%x: tensor<4294967296x4294967296xi64>) {
  // expected-error @+1 {{(C1) needs as many elements as names}}
  tfc.bind %x as [] : tensor<4294967296x4294967296xi64>
  return
}

// -----

func.func @bind_c2(%x: tensor<?xi64, #tfc.dims<n>>, %y: tensor<i64>) {
  // expected-error @+1 {{(C2) symbol "n" is bound twice}}
  tfc.bind %y as ["n"] : tensor<i64>
  return
}

// -----

func.func @bind_c2_two_binds(%y: tensor<i64>) {
  tfc.bind %y as ["n"] : tensor<i64>
  // expected-error @+1 {{(C2) symbol "n" is bound twice}}
  tfc.bind %y as ["n"] : tensor<i64>
  return
}

// -----

func.func @bind_c3(%y: tensor<i64>) {
  // expected-error @+1 {{(C3) "%n" cannot name a symbol}}
  tfc.bind %y as ["%n"] : tensor<i64>
  return
}

// -----

// expected-error @+1 {{(C1) a weight has static dims}}
tfc.weight @weight_c1 : tensor<?xf32, #tfc.dims<n>> = #tfc.file<"f", 0, 4>

// -----

// expected-error @+1 {{(C2) the layout reads 4 elements of 'f32', but the source has 15 bytes}}
tfc.weight @weight_c2 : tensor<4xf32> = #tfc.file<"f", 0, 15>

// -----

// expected-error @+1 {{(C2) the layout reads 14 elements}}
tfc.weight @weight_c2_layout : tensor<4xf32> = #tfc.file<"f", 0, 16> layout <1, [4]>

// -----

// expected-error @+1 {{(C2) the layout reads before the source's start or beyond any file}}
tfc.weight @weight_c2_huge : tensor<4294967296x4294967296xf32> = #tfc.file<"f", 0, 16>

// -----

// expected-error @+1 {{(C3) a bound of the layout has 2 strides for rank 1}}
tfc.weight @weight_c3_bound : tensor<4xf32> = #tfc.file<"f", 0, 16> layout <0, [1], pad [<0, [1, 1] below 4>]>

// -----

// expected-error @+1 {{(C3) a bound of the layout has a negative extent, -1}}
tfc.weight @weight_c3_extent : tensor<4xf32> = #tfc.file<"f", 0, 16> layout <0, [1], pad [<0, [1] below -1>]>

// -----

// A scalar has no dim that could be padded.
// expected-error @+1 {{expected '['}}
tfc.weight @weight_c3_scalar : tensor<f32> = #tfc.file<"f", 0, 16> layout <0, pad [<0, [1] below 1>]>

// -----

// expected-error @+1 {{(C2) no file has bytes [-4, + 16)}}
tfc.weight @weight_c2_negative : tensor<4xf32> = #tfc.file<"f", -4, 16>

// -----

// expected-error @+1 {{(C2) no file has bytes}}
tfc.weight @weight_c2_end : tensor<4xf32> = #tfc.file<"f", 9223372036854775800, 16>

// -----

// expected-error @+1 {{(C2) the layout reads before}}
tfc.weight @weight_c2_stride : tensor<4xf32> = #tfc.file<"f", 0, 16> layout <3, [-1]>

// -----

// expected-error @+1 {{(C2) the layout reads before}}
tfc.weight @weight_c2_last : tensor<1xf32> = #tfc.file<"f", 0, 16> layout <9223372036854775807, [1]>

// -----

// expected-error @+1 {{(C2) the source's elements are no numbers}}
tfc.weight @weight_c2_element : tensor<4xf32> = #tfc.file<"f", 0, 16> as i7

// -----

// expected-error @+1 {{(C2) the source must be}}
tfc.weight @weight_c2_source : tensor<4xf32> = "somewhere"

// -----

// expected-error @+1 {{(C3) the layout has 2 strides for rank 1}}
tfc.weight @weight_c3 : tensor<4xf32> = #tfc.file<"f", 0, 16> layout <0, [1, 1]>

// -----

// expected-error @+1 {{(C4) the dense source does not have the elements}}
tfc.weight @weight_c4 : tensor<4xf32> = dense<1.0> : tensor<3xf32>

// -----

// expected-error @+1 {{(C5) part @nothing does not exist}}
tfc.weight @weight_c5 : tensor<4xf32> = #tfc.stack<[@nothing]>

// -----

tfc.weight @a : tensor<3x2xf32> = #tfc.file<"f", 0, 24>
// expected-error @+1 {{(C5) part @a of type 'tensor<3x2xf32>' does not fit into 'tensor<6x3xf32>'}}
tfc.weight @weight_c5_dims : tensor<6x3xf32> = #tfc.stack<[@a, @a]>

// -----

tfc.weight @a : tensor<3x2xf32> = #tfc.file<"f", 0, 24>
// expected-error @+1 {{(C5) the parts have 6 rows together, the type is 'tensor<7x2xf32>'}}
tfc.weight @weight_c5_rows : tensor<7x2xf32> = #tfc.stack<[@a, @a]>

// -----

tfc.weight @a : tensor<3xf32> = #tfc.file<"f", 0, 12>
// expected-error @+1 {{(C5) a stack has neither a layout nor another element type}}
tfc.weight @weight_c5_layout : tensor<3xf32> = #tfc.stack<[@a]> layout <0, [1]>

// -----

tfc.weight @a : tensor<3xf32> = #tfc.stack<[@a]>
// expected-error @-1 {{(C5) part @a of type 'tensor<3xf32>' does not fit}}

// -----

func.func @weight_ref_c1() {
  // expected-error @+1 {{(C1) weight @nothing does not exist}}
  %0 = tfc.weight_ref @nothing : tensor<4xf32>
  return
}

// -----

tfc.weight @w : tensor<4xf32> = dense<0.0> : tensor<4xf32>
func.func @weight_ref_c1_type() {
  // expected-error @+1 {{(C1) weight @w has type 'tensor<4xf32>', not 'tensor<5xf32>'}}
  %0 = tfc.weight_ref @w : tensor<5xf32>
  return
}

// -----

func.func private @k(tensor<?xf32, #tfc.dims<s0>>) -> tensor<?xf32, #tfc.dims<s0>> attributes {tfc.kernel, tfc.symbols = ["s0"]}
func.func @launch_c1(%x: tensor<?xf32, #tfc.dims<n>>) {
  // expected-error @+1 {{(C1) kernel @l does not exist}}
  %0 = tfc.launch @l(%x) symbols [n] nodes [] : (tensor<?xf32, #tfc.dims<n>>) -> tensor<?xf32, #tfc.dims<n>>
  return
}

// -----

func.func private @k(tensor<?xf32, #tfc.dims<s0>>) -> tensor<?xf32, #tfc.dims<s0>> attributes {tfc.symbols = ["s0"]}
func.func @launch_c1_no_kernel(%x: tensor<?xf32, #tfc.dims<n>>) {
  // expected-error @+1 {{has no tfc.kernel attribute}}
  %0 = tfc.launch @k(%x) symbols [n] nodes [] : (tensor<?xf32, #tfc.dims<n>>) -> tensor<?xf32, #tfc.dims<n>>
  return
}

// -----

func.func private @k(tensor<?xf32, #tfc.dims<s0>>) -> tensor<?xf32, #tfc.dims<s0>> attributes {tfc.kernel, tfc.symbols = ["s0"]}
func.func @launch_c2(%x: tensor<?xf32, #tfc.dims<n>>) {
  // expected-error @+1 {{(C2) 'tensor<?xf32, #tfc.dims<n>>' does not match the kernel's}}
  %0 = tfc.launch @k(%x) symbols [n + 1] nodes [] : (tensor<?xf32, #tfc.dims<n>>) -> tensor<?xf32, #tfc.dims<n>>
  return
}

// -----

func.func private @k(tensor<?xf32, #tfc.dims<s0>>) -> tensor<?xf32, #tfc.dims<s0>> attributes {tfc.kernel, tfc.symbols = ["s0"]}
func.func @launch_c2_number(%x: tensor<?xf32, #tfc.dims<n>>) {
  // expected-error @+1 {{(C2) operands or results do not match the kernel's in number}}
  %0 = tfc.launch @k(%x, %x) symbols [n] nodes [] : (tensor<?xf32, #tfc.dims<n>>, tensor<?xf32, #tfc.dims<n>>) -> tensor<?xf32, #tfc.dims<n>>
  return
}

// -----

func.func private @k(tensor<?xf32, #tfc.dims<s0>>) -> tensor<?xf32, #tfc.dims<s0>> attributes {tfc.kernel, tfc.symbols = ["s0"]}
func.func @launch_c3(%x: tensor<?xf32, #tfc.dims<n>>) {
  // expected-error @+1 {{(C3) gives 2 expressions, but the kernel has 1 local symbols}}
  %0 = tfc.launch @k(%x) symbols [n, n] nodes [] : (tensor<?xf32, #tfc.dims<n>>) -> tensor<?xf32, #tfc.dims<n>>
  return
}

// -----

func.func private @k(tensor<?xf32, #tfc.dims<s0>>) -> tensor<?xf32, #tfc.dims<s0>> attributes {tfc.kernel, tfc.symbols = [0]}
func.func @launch_c3_no_names(%x: tensor<?xf32, #tfc.dims<n>>) {
  // expected-error @+1 {{(C3) the kernel's tfc.symbols are no strings}}
  %0 = tfc.launch @k(%x) symbols [n] nodes [] : (tensor<?xf32, #tfc.dims<n>>) -> tensor<?xf32, #tfc.dims<n>>
  return
}

// -----

func.func private @k(tensor<?xf32, #tfc.dims<s0>>) -> tensor<?xf32, #tfc.dims<s0>> attributes {tfc.kernel, tfc.symbols = ["s0", "s0"]}
func.func @launch_c3_repeated(%x: tensor<?xf32, #tfc.dims<n>>) {
  // expected-error @+1 {{(C3) the kernel has two local symbols of the name "s0"}}
  %0 = tfc.launch @k(%x) symbols [n, n] nodes [] : (tensor<?xf32, #tfc.dims<n>>) -> tensor<?xf32, #tfc.dims<n>>
  return
}

// -----

func.func private @k(tensor<?xf32, #tfc.dims<s0>>) -> tensor<?xf32, #tfc.dims<s0>> attributes {tfc.kernel, tfc.symbols = ["s0"]}
func.func @launch_c4(%x: tensor<?xf32, #tfc.dims<n>>) {
  // expected-error @+1 {{(C4) has 2 places for 1 results}}
  %0 = tfc.launch @k(%x) symbols [n] nodes [] places [#tfc.place<slot, 0>, #tfc.place<slot, 0>] : (tensor<?xf32, #tfc.dims<n>>) -> tensor<?xf32, #tfc.dims<n>>
  return
}

// -----

func.func private @k(tensor<?xf32, #tfc.dims<s0>>) -> tensor<?xf32, #tfc.dims<s0>> attributes {tfc.kernel, tfc.symbols = ["s0"]}
func.func @launch_c4_kind(%x: tensor<?xf32, #tfc.dims<n>>) {
  // expected-error @+1 {{(C4) places are #tfc.place attributes, not 0 : i64}}
  %0 = tfc.launch @k(%x) symbols [n] nodes [] places [0] : (tensor<?xf32, #tfc.dims<n>>) -> tensor<?xf32, #tfc.dims<n>>
  return
}

// -----

func.func private @k(tensor<?xf32, #tfc.dims<s0>>) -> tensor<?xf32, #tfc.dims<s0>> attributes {tfc.kernel, tfc.symbols = ["s0"]}
func.func @launch_c4_output(%x: tensor<?xf32, #tfc.dims<n>>) {
  // expected-error @+1 {{(C4) there is no output 0}}
  %0 = tfc.launch @k(%x) symbols [n] nodes [] places [#tfc.place<output, 0>] : (tensor<?xf32, #tfc.dims<n>>) -> tensor<?xf32, #tfc.dims<n>>
  return
}

// -----

func.func private @k(tensor<?xf32, #tfc.dims<s0>>) -> tensor<?xf32, #tfc.dims<s0>> attributes {tfc.kernel, tfc.symbols = ["s0"]}
func.func @launch_c4_negative(%x: tensor<?xf32, #tfc.dims<n>>) {
  // expected-error @+1 {{(C4) there is no slot -1}}
  %0 = tfc.launch @k(%x) symbols [n] nodes [] places [#tfc.place<slot, -1>] : (tensor<?xf32, #tfc.dims<n>>) -> tensor<?xf32, #tfc.dims<n>>
  return
}

// -----

func.func private @k(tensor<?xf32, #tfc.dims<s0>>) -> tensor<?xf32, #tfc.dims<s0>> attributes {tfc.kernel, tfc.symbols = ["s0"]}
func.func @launch_symbols_are_expressions(%x: tensor<?xf32, #tfc.dims<n>>) {
  // expected-error @+1 {{array of dim expressions}}
  %0 = "tfc.launch"(%x) <{kernel = @k, symbols = [1], nodes = []}> : (tensor<?xf32, #tfc.dims<n>>) -> tensor<?xf32, #tfc.dims<n>>
  return
}

// -----

func.func @matmul_of_no_tensor(%x: i32, %y: f32) {
  // expected-error @+1 {{invalid kind of type specified: expected builtin.tensor}}
  %0 = tfc.matmul %x, %y : i32, f32
  return
}

// -----

func.func @neg_of_no_tensor(%x: tensor<*xf32>) {
  // expected-error @+1 {{invalid kind of type specified: expected builtin.tensor}}
  %0 = tfc.neg %x : tensor<*xf32>
  return
}

// -----

func.func @transpose_of_no_tensor(%x: index) {
  // expected-error @+1 {{invalid kind of type specified: expected builtin.tensor}}
  %0 = tfc.transpose %x [0] : index
  return
}

// -----

func.func @shape_of_no_tensor(%x: vector<4xf32>) {
  // expected-error @+1 {{invalid kind of type specified: expected builtin.tensor}}
  %0 = tfc.shape %x from 0 to 1 : vector<4xf32>
  return
}

// -----

func.func @softmax_of_no_tensor(%x: i1) {
  // expected-error @+1 {{invalid kind of type specified: expected builtin.tensor}}
  %0 = tfc.softmax %x axis 0 : i1
  return
}

// -----

func.func @concat_of_no_tensor(%x: memref<4xf32>) {
  // expected-error @+1 {{(C0)}}
  %0 = tfc.concat %x axis 0 : memref<4xf32>
  return
}

// -----

func.func @gather_of_no_tensor(%x: i32) {
  // expected-error @+1 {{invalid kind of type specified: expected builtin.tensor}}
  %0 = tfc.gather %x, %x axis 0 : i32, i32
  return
}

// -----

func.func @gather_elements_of_no_tensor(%x: i32) {
  // expected-error @+1 {{invalid kind of type specified: expected builtin.tensor}}
  %0 = tfc.gather_elements %x, %x axis 0 : i32, i32
  return
}

// -----

func.func @reduce_of_no_tensor(%x: i32) {
  // expected-error @+1 {{invalid kind of type specified: expected builtin.tensor}}
  %0 = tfc.reduce sum %x axes [0] : i32
  return
}

// -----

func.func @arg_reduce_of_no_tensor(%x: i32) {
  // expected-error @+1 {{invalid kind of type specified: expected builtin.tensor}}
  %0 = tfc.arg_reduce %x axis 0 : i32
  return
}

// -----

func.func @cumsum_of_no_tensor(%x: i32) {
  // expected-error @+1 {{invalid kind of type specified: expected builtin.tensor}}
  %0 = tfc.cumsum %x axis 0 : i32
  return
}

// -----

func.func @count_nonzero_of_no_tensor(%x: i32) {
  // expected-error @+1 {{invalid kind of type specified: expected builtin.tensor}}
  %0 = tfc.count_nonzero %x : i32
  return
}

// -----

func.func @trilu_of_no_tensor(%x: i32) {
  // expected-error @+1 {{invalid kind of type specified: expected builtin.tensor}}
  %0 = tfc.trilu %x k 0 : i32
  return
}

// -----

func.func @add_of_no_tensor(%x: i32) {
  // expected-error @+1 {{invalid kind of type specified: expected builtin.tensor}}
  %0 = tfc.add %x, %x : i32, i32
  return
}

// -----

func.func @select_of_no_tensor(%x: i32) {
  // expected-error @+1 {{invalid kind of type specified: expected builtin.tensor}}
  %0 = tfc.select %x, %x, %x : i32, i32, i32
  return
}

// -----

func.func @compare_of_no_tensor(%x: i32) {
  // expected-error @+1 {{invalid kind of type specified: expected builtin.tensor}}
  %0 = tfc.compare lt %x, %x : i32, i32
  return
}

// -----

func.func @generic_no_operands() {
  // expected-error @+1 {{expected 2 operands, but found 0}}
  %0 = "tfc.matmul"() : () -> tensor<4x4xf32>
  return
}

// -----

func.func @generic_no_attribute(%x: tensor<2x8xf32>) {
  // expected-error @+1 {{requires attribute 'axis'}}
  %0 = "tfc.softmax"(%x) : (tensor<2x8xf32>) -> tensor<2x8xf32>
  return
}

// -----

func.func @generic_no_permutation(%x: tensor<2x8xf32>) {
  // expected-error @+1 {{requires attribute 'permutation'}}
  %0 = "tfc.transpose"(%x) : (tensor<2x8xf32>) -> tensor<2x8xf32>
  return
}

// -----

func.func @generic_wrong_result(%x: tensor<2x8xf32>) {
  // expected-error @+2 {{are incompatible with return type(s) of operation}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = "tfc.neg"(%x) : (tensor<2x8xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @generic_no_result(%x: tensor<2x8xf32>) {
  // expected-error @+1 {{op requires one result}}
  "tfc.neg"(%x) : (tensor<2x8xf32>) -> ()
  return
}

// -----

func.func @generic_regions(%x: tensor<2x8xf32>) {
  // expected-error @+1 {{requires zero regions}}
  %0 = "tfc.neg"(%x) ({}) : (tensor<2x8xf32>) -> tensor<2x8xf32>
  return
}

// -----

func.func @generic_bind_no_names(%x: tensor<i64>) {
  // expected-error @+1 {{requires attribute 'symbols'}}
  "tfc.bind"(%x) : (tensor<i64>) -> ()
  return
}

// -----

func.func @complex_elements() {
  // expected-error @+1 {{must be ranked tensor of number or bool values}}
  %0 = tfc.constant dense<(1.0, 2.0)> : tensor<2xcomplex<f32>>
  return
}

// -----

func.func @vector_constant() {
  // expected-error @+1 {{must be ranked tensor of number or bool values}}
  %0 = tfc.constant dense<1.0> : vector<2xf32>
  return
}

// -----

func.func @generic_segments(%q: tensor<1x4x3x8xf32>) {
  // expected-error @+1 {{each required operand has a segment of size 1}}
  %0 = "tfc.attention"(%q, %q, %q) <{operandSegmentSizes = array<i32: 3, 0, 0, 0, 0, 0, 0, 0>}> : (tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>) -> tensor<1x4x3x8xf32>
  return
}

// -----

func.func @generic_segments_layer_norm(%x: tensor<4xf32>) {
  // expected-error @+1 {{each required operand has a segment of size 1}}
  %0 = "tfc.layer_norm"(%x) <{operandSegmentSizes = array<i32: 0, 0, 1>, axis = 0 : i64, epsilon = 1.0 : f64}> : (tensor<4xf32>) -> tensor<4xf32>
  return
}
