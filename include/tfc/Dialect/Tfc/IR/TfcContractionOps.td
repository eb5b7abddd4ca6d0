//===- TfcContractionOps.td - Matmul and attention ------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_DIALECT_TFC_IR_TFCCONTRACTIONOPS
#define TFC_DIALECT_TFC_IR_TFCCONTRACTIONOPS

include "tfc/Dialect/Tfc/IR/TfcOpBase.td"

def Tfc_MatmulOp : Tfc_InferredOp<"matmul", [DeclareOpInterfaceMethods<Tfc_RequirementsOpInterface>]> {
  let summary = "matrix product over the last two dims, leading dims broadcast";
  let description = [{
    `C[..., m, n] = sum over k of A[..., m, k] * B[..., k, n]`. With `transpose_a` / `transpose_b` the last two dims
    of that operand stand swapped. Float sums run in the order of k, each step one fused multiply-add in f32 (f64 for
    f64), whatever the tile or thread, so results do not depend on the batch. Integer operands give the wider
    `result_type` if one is stated.

    (C1) both operands have rank 2 or more. (C2) their element types are equal, or both integer with a stated
    result type. (C3) the contracted dims are equal. (C4) leading dims broadcast by numpy's rule.

    ```mlir
    %c = tfc.matmul %a, %b : tensor<?x?x768xf32, #tfc.dims<batch, seq, 768>>, tensor<768x3072xf32>
    %s = tfc.matmul %q, %k {transpose_b} : tensor<?x12x?x64xf32, #tfc.dims<b, 12, s, 64>>, tensor<?x12x?x64xf32, #tfc.dims<b, 12, t, 64>>
    ```
  }];
  let arguments = (ins Tfc_NumberTensor:$a, Tfc_NumberTensor:$b, UnitAttr:$transpose_a, UnitAttr:$transpose_b,
                   OptionalAttr<TypeAttr>:$result_type);
  let results = (outs Tfc_NumberTensor:$c);
  let assemblyFormat = "$a `,` $b attr-dict `:` type($a) `,` type($b)";
  let hasCanonicalizer = 1;
}

def Tfc_MaskedRowKindAttr : I32EnumAttr<"MaskedRowKind", "what a row without any allowed key gives", [
    I32EnumAttrCase<"Uniform", 0, "uniform">, I32EnumAttrCase<"NaN", 1, "nan">, I32EnumAttrCase<"Zero", 2, "zero">,
    I32EnumAttrCase<"Biased", 3, "biased">]> {
  let cppNamespace = "::mlir::tfc";
}

def Tfc_AttentionOp : Tfc_Op<"attention", [Pure, AttrSizedOperandSegments, DeclareOpInterfaceMethods<Tfc_RequirementsOpInterface>]> {
  let summary = "scaled dot-product attention";
  let description = [{
    K' and V' are the past followed by the new keys and values along dim 2; query head h reads key head
    `h' = h / (heads / kv_heads)`. For each batch b, head h and query q, in this order:

    1. `s[k] = scale * (Q[b,h,q,:] . K'[b,h',k,:])`; no `scale` means 1 / sqrt(head dim);
    2. `s[k] = softcap * tanh(s[k] / softcap)`, if there is a `softcap`;
    3. `s[k] = s[k] + bias[b,h,q,k]`, if there is a `bias`;
    4. `s[k]` of keys that are not allowed is masked as `masked_row` says;
    5. `p = softmax over k of s`, the optional result `probabilities`;
    6. `O[b,h,q,:] = sum over k of p[k] * V'[b,h',k,:]`.

    Key k is allowed when all of these hold. `L` is `key_lengths[b]`, or the number of keys where there are no
    `key_lengths`; `position = q + L - queries`, so the queries stand at the end of the keys that count (bottom right):

    - `mask[b,h,q,k]`, if there is a `mask`;
    - `k < L`: keys behind `key_lengths` are padding or room of a cache;
    - `k <= position`, if the op is `causal`;
    - `k >= position - window_left` and `k <= position + window_right`, for those of the two that are there.

    What a masked score becomes shows only in a row whose every score is that low, in most graphs one without any allowed
    key. `masked_row` says it:

    - `uniform`: `fill`, or the lowest finite number where there is no `fill`; such a row is the mean of all values;
    - `nan`: -inf, so such a row is NaN;
    - `zero`: -inf, and a row of which every score is -inf (masked, or by its bias) is 0;
    - `biased`: as `uniform`, plus the bias: what graphs give that mask first and add a bias then. A second mask in that bias
      then counts in such a row.

    Where there are no keys at all, the output is 0.

    The results are the output; then present key and present value, if the op gives them (K' and V'); then the probabilities,
    if it gives them: 1 to 4 results, and their number says which. (Vaswani et al., arXiv 1706.03762; grouped
    queries: arXiv 2305.13245; softcap: arXiv 2408.00118.)

    (C1) query, key and value are rank 4, `[batch, heads, length, head dim]`, of one float type. (C2) batch dims
    are equal; key and value agree in heads and length. (C3) query and key have one head dim. (C4) the query heads
    are a multiple of the key heads. (C5) mask is bool, bias has the query's element type, both broadcast to
    `[batch, heads, queries, keys]`. (C6) past key and value come together and agree with key and value but for dim 2. (C7) result
    types follow from the operands; present key and value come only with a past. (C8) scale is finite. (C9) softcap is finite and above
    0. (C10) windows are not negative, and `window_right` stands beside no `causal`, which is a `window_right` of 0. (C11) key_lengths
    is a vector of batch integers. (C12) fill is finite, and masked_row then uniform or biased.

    ```mlir
    %o = tfc.attention %q, %k, %v bias %m {scale = 0.125 : f32} : (...) -> tensor<?x12x?x64xf32, #tfc.dims<b, 12, s, 64>>
    %o, %p = tfc.attention %q, %k, %v key_lengths %n {causal, softcap = 50.0 : f32, window_left = 4095 : i64} : (...) -> (...)
    ```
  }];
  let arguments = (ins Tfc_FloatTensor:$query, Tfc_FloatTensor:$key, Tfc_FloatTensor:$value,
                   Optional<Tfc_BoolTensor>:$mask, Optional<Tfc_FloatTensor>:$bias,
                   Optional<Tfc_FloatTensor>:$past_key, Optional<Tfc_FloatTensor>:$past_value,
                   Optional<Tfc_IndexTensor>:$key_lengths,
                   OptionalAttr<F32Attr>:$scale, OptionalAttr<F32Attr>:$softcap, UnitAttr:$causal,
                   OptionalAttr<I64Attr>:$window_left, OptionalAttr<I64Attr>:$window_right,
                   DefaultValuedAttr<Tfc_MaskedRowKindAttr, "MaskedRowKind::Uniform">:$masked_row,
                   OptionalAttr<F32Attr>:$fill);
  let results = (outs Tfc_FloatTensor:$output, Variadic<Tfc_FloatTensor>:$extras);
  let assemblyFormat = [{
    $query `,` $key `,` $value (`mask` $mask^)? (`bias` $bias^)? (`past` $past_key^ `,` $past_value)? (`key_lengths` $key_lengths^)?
    (`masked_row` $masked_row^)? attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Past and new keys (values) in one tensor, when the op gives them; else null.
    Value getPresentKey() { return getExtras().size() < 2 ? Value() : getExtras()[0]; }
    Value getPresentValue() { return getExtras().size() < 2 ? Value() : getExtras()[1]; }
    /// What the values are weighted with, when the op gives it; else null.
    Value getProbabilities() { return getExtras().size() % 2 == 0 ? Value() : getExtras().back(); }
    /// The number of keys, past ones included: the last dim of the scores.
    DimExprAttr getTotalKeys();
  }];
}

#endif // TFC_DIALECT_TFC_IR_TFCCONTRACTIONOPS
