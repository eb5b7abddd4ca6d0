// The kernels that docs/Performance.md has a table of: shapes of BERT-base and GPT-2, with free numbers of rows.
// RUN: %python %S/gpu_table.py tfc-gpu-test --ptxas=%ptxas --check %S/../../../docs/Performance.md
// REQUIRES: long, gpu-emulator, ptxas

// TABLE bf16 product 768 x 768
func.func private @product_bf16(%a: tensor<?x768xbf16, #tfc.dims<s0, 768>>, %b: tensor<768x768xbf16> {tfc.weight_operand}) -> tensor<?x768xbf16, #tfc.dims<s0, 768>> attributes {tfc.kernel, tfc.symbols = ["s0"]} {
  %0 = tfc.matmul %a, %b : tensor<?x768xbf16, #tfc.dims<s0, 768>>, tensor<768x768xbf16>
  return %0 : tensor<?x768xbf16, #tfc.dims<s0, 768>>
}

// TABLE bf16 product 768 x 3072, bias, GELU
func.func private @ffn_bf16(%a: tensor<?x768xbf16, #tfc.dims<s0, 768>>, %b: tensor<768x3072xbf16> {tfc.weight_operand}, %v: tensor<3072xbf16>) -> tensor<?x3072xbf16, #tfc.dims<s0, 3072>> attributes {tfc.kernel, tfc.symbols = ["s0"]} {
  %0 = tfc.matmul %a, %b : tensor<?x768xbf16, #tfc.dims<s0, 768>>, tensor<768x3072xbf16>
  %1 = tfc.add %0, %v : tensor<?x3072xbf16, #tfc.dims<s0, 3072>>, tensor<3072xbf16>
  %2 = tfc.gelu erf %1 : tensor<?x3072xbf16, #tfc.dims<s0, 3072>>
  return %2 : tensor<?x3072xbf16, #tfc.dims<s0, 3072>>
}

// TABLE f32 product 768 x 768
func.func private @product_f32(%a: tensor<?x768xf32, #tfc.dims<s0, 768>>, %b: tensor<768x768xf32> {tfc.weight_operand}) -> tensor<?x768xf32, #tfc.dims<s0, 768>> attributes {tfc.kernel, tfc.symbols = ["s0"]} {
  %0 = tfc.matmul %a, %b : tensor<?x768xf32, #tfc.dims<s0, 768>>, tensor<768x768xf32>
  return %0 : tensor<?x768xf32, #tfc.dims<s0, 768>>
}

// TABLE f32 product 768 x 3072, bias, GELU
func.func private @ffn_f32(%a: tensor<?x768xf32, #tfc.dims<s0, 768>>, %b: tensor<768x3072xf32> {tfc.weight_operand}, %v: tensor<3072xf32>) -> tensor<?x3072xf32, #tfc.dims<s0, 3072>> attributes {tfc.kernel, tfc.symbols = ["s0"]} {
  %0 = tfc.matmul %a, %b : tensor<?x768xf32, #tfc.dims<s0, 768>>, tensor<768x3072xf32>
  %1 = tfc.add %0, %v : tensor<?x3072xf32, #tfc.dims<s0, 3072>>, tensor<3072xf32>
  %2 = tfc.gelu erf %1 : tensor<?x3072xf32, #tfc.dims<s0, 3072>>
  return %2 : tensor<?x3072xf32, #tfc.dims<s0, 3072>>
}

// TABLE bf16 product 768 x 50257, transposed
func.func private @head_bf16(%a: tensor<?x768xbf16, #tfc.dims<s0, 768>>, %b: tensor<50257x768xbf16> {tfc.weight_operand}) -> tensor<?x50257xbf16, #tfc.dims<s0, 50257>> attributes {tfc.kernel, tfc.symbols = ["s0"]} {
  %0 = tfc.matmul %a, %b {transpose_b} : tensor<?x768xbf16, #tfc.dims<s0, 768>>, tensor<50257x768xbf16>
  return %0 : tensor<?x50257xbf16, #tfc.dims<s0, 50257>>
}

// TABLE bf16 attention, D = 64
func.func private @attention_bf16_64_all(%q: tensor<?x12x?x64xbf16, #tfc.dims<s0, 12, s1, 64>>, %k: tensor<?x12x?x64xbf16, #tfc.dims<s0, 12, s2, 64>>, %v: tensor<?x12x?x64xbf16, #tfc.dims<s0, 12, s2, 64>>) -> tensor<?x12x?x64xbf16, #tfc.dims<s0, 12, s1, 64>> attributes {tfc.kernel, tfc.symbols = ["s0", "s1", "s2"]} {
  %0 = tfc.attention %q, %k, %v {} : (tensor<?x12x?x64xbf16, #tfc.dims<s0, 12, s1, 64>>, tensor<?x12x?x64xbf16, #tfc.dims<s0, 12, s2, 64>>, tensor<?x12x?x64xbf16, #tfc.dims<s0, 12, s2, 64>>) -> tensor<?x12x?x64xbf16, #tfc.dims<s0, 12, s1, 64>>
  return %0 : tensor<?x12x?x64xbf16, #tfc.dims<s0, 12, s1, 64>>
}

// TABLE bf16 attention, D = 64, causal
func.func private @attention_bf16_64_causal(%q: tensor<?x12x?x64xbf16, #tfc.dims<s0, 12, s1, 64>>, %k: tensor<?x12x?x64xbf16, #tfc.dims<s0, 12, s2, 64>>, %v: tensor<?x12x?x64xbf16, #tfc.dims<s0, 12, s2, 64>>) -> tensor<?x12x?x64xbf16, #tfc.dims<s0, 12, s1, 64>> attributes {tfc.kernel, tfc.symbols = ["s0", "s1", "s2"]} {
  %0 = tfc.attention %q, %k, %v {causal} : (tensor<?x12x?x64xbf16, #tfc.dims<s0, 12, s1, 64>>, tensor<?x12x?x64xbf16, #tfc.dims<s0, 12, s2, 64>>, tensor<?x12x?x64xbf16, #tfc.dims<s0, 12, s2, 64>>) -> tensor<?x12x?x64xbf16, #tfc.dims<s0, 12, s1, 64>>
  return %0 : tensor<?x12x?x64xbf16, #tfc.dims<s0, 12, s1, 64>>
}

// TABLE bf16 attention, D = 64, padding mask
func.func private @attention_bf16_64_mask(%q: tensor<?x12x?x64xbf16, #tfc.dims<s0, 12, s1, 64>>, %k: tensor<?x12x?x64xbf16, #tfc.dims<s0, 12, s2, 64>>, %v: tensor<?x12x?x64xbf16, #tfc.dims<s0, 12, s2, 64>>, %m: tensor<?x1x1x?xi1, #tfc.dims<s0, 1, 1, s2>>) -> tensor<?x12x?x64xbf16, #tfc.dims<s0, 12, s1, 64>> attributes {tfc.kernel, tfc.symbols = ["s0", "s1", "s2"]} {
  %0 = tfc.attention %q, %k, %v mask %m {} : (tensor<?x12x?x64xbf16, #tfc.dims<s0, 12, s1, 64>>, tensor<?x12x?x64xbf16, #tfc.dims<s0, 12, s2, 64>>, tensor<?x12x?x64xbf16, #tfc.dims<s0, 12, s2, 64>>, tensor<?x1x1x?xi1, #tfc.dims<s0, 1, 1, s2>>) -> tensor<?x12x?x64xbf16, #tfc.dims<s0, 12, s1, 64>>
  return %0 : tensor<?x12x?x64xbf16, #tfc.dims<s0, 12, s1, 64>>
}

// TABLE bf16 attention, D = 128, causal
func.func private @attention_bf16_128_causal(%q: tensor<?x12x?x128xbf16, #tfc.dims<s0, 12, s1, 128>>, %k: tensor<?x12x?x128xbf16, #tfc.dims<s0, 12, s2, 128>>, %v: tensor<?x12x?x128xbf16, #tfc.dims<s0, 12, s2, 128>>) -> tensor<?x12x?x128xbf16, #tfc.dims<s0, 12, s1, 128>> attributes {tfc.kernel, tfc.symbols = ["s0", "s1", "s2"]} {
  %0 = tfc.attention %q, %k, %v {causal} : (tensor<?x12x?x128xbf16, #tfc.dims<s0, 12, s1, 128>>, tensor<?x12x?x128xbf16, #tfc.dims<s0, 12, s2, 128>>, tensor<?x12x?x128xbf16, #tfc.dims<s0, 12, s2, 128>>) -> tensor<?x12x?x128xbf16, #tfc.dims<s0, 12, s1, 128>>
  return %0 : tensor<?x12x?x128xbf16, #tfc.dims<s0, 12, s1, 128>>
}

// TABLE f32 attention, D = 64, padding mask
func.func private @attention_f32_64_mask(%q: tensor<?x12x?x64xf32, #tfc.dims<s0, 12, s1, 64>>, %k: tensor<?x12x?x64xf32, #tfc.dims<s0, 12, s2, 64>>, %v: tensor<?x12x?x64xf32, #tfc.dims<s0, 12, s2, 64>>, %m: tensor<?x1x1x?xi1, #tfc.dims<s0, 1, 1, s2>>) -> tensor<?x12x?x64xf32, #tfc.dims<s0, 12, s1, 64>> attributes {tfc.kernel, tfc.symbols = ["s0", "s1", "s2"]} {
  %0 = tfc.attention %q, %k, %v mask %m {} : (tensor<?x12x?x64xf32, #tfc.dims<s0, 12, s1, 64>>, tensor<?x12x?x64xf32, #tfc.dims<s0, 12, s2, 64>>, tensor<?x12x?x64xf32, #tfc.dims<s0, 12, s2, 64>>, tensor<?x1x1x?xi1, #tfc.dims<s0, 1, 1, s2>>) -> tensor<?x12x?x64xf32, #tfc.dims<s0, 12, s1, 64>>
  return %0 : tensor<?x12x?x64xf32, #tfc.dims<s0, 12, s1, 64>>
}

// TABLE f32 residual, layer_norm of 768
func.func private @norm_f32(%x: tensor<?x768xf32, #tfc.dims<s0, 768>>, %r: tensor<?x768xf32, #tfc.dims<s0, 768>>, %g: tensor<768xf32>, %b: tensor<768xf32>) -> tensor<?x768xf32, #tfc.dims<s0, 768>> attributes {tfc.kernel, tfc.symbols = ["s0"]} {
  %0 = tfc.add %x, %r : tensor<?x768xf32, #tfc.dims<s0, 768>>, tensor<?x768xf32, #tfc.dims<s0, 768>>
  %1 = tfc.layer_norm %0 scale %g bias %b axis 1 epsilon 1.0e-5 : (tensor<?x768xf32, #tfc.dims<s0, 768>>, tensor<768xf32>, tensor<768xf32>) -> tensor<?x768xf32, #tfc.dims<s0, 768>>
  return %1 : tensor<?x768xf32, #tfc.dims<s0, 768>>
}

// TABLE bf16 residual, layer_norm of 768
func.func private @norm_bf16(%x: tensor<?x768xbf16, #tfc.dims<s0, 768>>, %r: tensor<?x768xbf16, #tfc.dims<s0, 768>>, %g: tensor<768xbf16>, %b: tensor<768xbf16>) -> tensor<?x768xbf16, #tfc.dims<s0, 768>> attributes {tfc.kernel, tfc.symbols = ["s0"]} {
  %0 = tfc.add %x, %r : tensor<?x768xbf16, #tfc.dims<s0, 768>>, tensor<?x768xbf16, #tfc.dims<s0, 768>>
  %1 = tfc.layer_norm %0 scale %g bias %b axis 1 epsilon 1.0e-5 : (tensor<?x768xbf16, #tfc.dims<s0, 768>>, tensor<768xbf16>, tensor<768xbf16>) -> tensor<?x768xbf16, #tfc.dims<s0, 768>>
  return %1 : tensor<?x768xbf16, #tfc.dims<s0, 768>>
}

// TABLE f32 lookup, positions, layer_norm of 768
func.func private @embedding(%w: tensor<30522x768xf32>, %i: tensor<?x?xi64, #tfc.dims<s0, s1>>, %p: tensor<512x768xf32>, %g: tensor<768xf32>, %b: tensor<768xf32>) -> tensor<?x?x768xf32, #tfc.dims<s0, s1, 768>> attributes {tfc.kernel, tfc.symbols = ["s0", "s1"]} {
  %0 = tfc.gather %w, %i axis 0 : tensor<30522x768xf32>, tensor<?x?xi64, #tfc.dims<s0, s1>>
  %1 = tfc.slice %p offsets [0, 0] strides [1, 1] : tensor<512x768xf32> -> tensor<?x768xf32, #tfc.dims<s1, 768>>
  %2 = tfc.add %0, %1 : tensor<?x?x768xf32, #tfc.dims<s0, s1, 768>>, tensor<?x768xf32, #tfc.dims<s1, 768>>
  %3 = tfc.layer_norm %2 scale %g bias %b axis 2 epsilon 1.0e-12 : (tensor<?x?x768xf32, #tfc.dims<s0, s1, 768>>, tensor<768xf32>, tensor<768xf32>) -> tensor<?x?x768xf32, #tfc.dims<s0, s1, 768>>
  return %3 : tensor<?x?x768xf32, #tfc.dims<s0, s1, 768>>
}

// TABLE bf16 GELU
func.func private @gelu(%x: tensor<?x3072xbf16, #tfc.dims<s0, 3072>>) -> tensor<?x3072xbf16, #tfc.dims<s0, 3072>> attributes {tfc.kernel, tfc.symbols = ["s0"]} {
  %0 = tfc.gelu erf %x : tensor<?x3072xbf16, #tfc.dims<s0, 3072>>
  return %0 : tensor<?x3072xbf16, #tfc.dims<s0, 3072>>
}

// TABLE bf16 past and new keys
func.func private @append(%x: tensor<?x12x?x64xbf16, #tfc.dims<s0, 12, s1, 64>>, %y: tensor<?x12x?x64xbf16, #tfc.dims<s0, 12, s2, 64>>) -> tensor<?x12x?x64xbf16, #tfc.dims<s0, 12, s1 + s2, 64>> attributes {tfc.kernel, tfc.symbols = ["s0", "s1", "s2"]} {
  %0 = tfc.concat %x, %y axis 2 : tensor<?x12x?x64xbf16, #tfc.dims<s0, 12, s1, 64>>, tensor<?x12x?x64xbf16, #tfc.dims<s0, 12, s2, 64>>
  return %0 : tensor<?x12x?x64xbf16, #tfc.dims<s0, 12, s1 + s2, 64>>
}
