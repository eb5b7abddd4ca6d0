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
    I32EnumAttrCase<"Uniform", 0, "uniform">, I32EnumAttrCase<"NaN", 1, "nan">, I32EnumAttrCase<"Zero", 2, "zero">]> {
  let cppNamespace = "::mlir::tfc";
}

def Tfc_AttentionOp : Tfc_Op<"attention", [Pure, AttrSizedOperandSegments, DeclareOpInterfaceMethods<Tfc_RequirementsOpInterface>]> {
  let summary = "scaled dot-product attention";
  let description = [{
    With K' and V' the past followed by the new keys and values along dim 2, and query head h reading key head
    `h / (heads / kv_heads)`:

    `O[b,h,q,:] = sum over k of softmax_k(scale * Q[b,h,q,:] . K'[b,h',k,:] + bias[b,h,q,k], where mask[b,h,q,k]) * V'[b,h',k,:]`

    `mask` is bool (true: may be attended) and `bias` is added to the scaled score; both broadcast to
    `[batch, heads, queries, keys]`. `causal` allows query q the keys up to `q + keys - queries` (bottom right).
    A row without any allowed key gives what `masked_row` says: `uniform` (masked scores count as the lowest finite
    number), `nan` (as -inf through softmax) or `zero`. (Vaswani et al., arXiv 1706.03762; grouped queries: arXiv
    2305.13245.)

    (C1) query, key and value are rank 4, `[batch, heads, length, head dim]`, of one float type. (C2) batch dims
    are equal; key and value agree in heads and length. (C3) query and key have one head dim. (C4) the query heads
    are a multiple of the key heads. (C5) mask is bool, bias has the query's element type, both broadcast to the
    scores. (C6) past key and value come together and agree with key and value but for dim 2. (C7) result types
    follow from the operands; present key and value come together, and only with a past. (C8) scale is finite.

    ```mlir
    %o = tfc.attention %q, %k, %v bias %m {scale = 0.125 : f32} : (...) -> tensor<?x12x?x64xf32, #tfc.dims<b, 12, s, 64>>
    ```
  }];
  let arguments = (ins Tfc_FloatTensor:$query, Tfc_FloatTensor:$key, Tfc_FloatTensor:$value,
                   Optional<Tfc_BoolTensor>:$mask, Optional<Tfc_FloatTensor>:$bias,
                   Optional<Tfc_FloatTensor>:$past_key, Optional<Tfc_FloatTensor>:$past_value,
                   OptionalAttr<F32Attr>:$scale, UnitAttr:$causal,
                   DefaultValuedAttr<Tfc_MaskedRowKindAttr, "MaskedRowKind::Uniform">:$masked_row);
  let results = (outs Tfc_FloatTensor:$output, Variadic<Tfc_FloatTensor>:$present);
  let assemblyFormat = [{
    $query `,` $key `,` $value (`mask` $mask^)? (`bias` $bias^)? (`past` $past_key^ `,` $past_value)? (`masked_row` $masked_row^)? attr-dict
    `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Past and new keys (values) in one tensor, when the op gives them; else null.
    Value getPresentKey() { return getPresent().empty() ? Value() : getPresent()[0]; }
    Value getPresentValue() { return getPresent().empty() ? Value() : getPresent()[1]; }
  }];
}

#endif // TFC_DIALECT_TFC_IR_TFCCONTRACTIONOPS
