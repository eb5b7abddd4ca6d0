//===- TfcElementwiseOps.td - One result element from one element of each operand ----------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_DIALECT_TFC_IR_TFCELEMENTWISEOPS
#define TFC_DIALECT_TFC_IR_TFCELEMENTWISEOPS

include "tfc/Dialect/Tfc/IR/TfcOpBase.td"

// All elementwise ops broadcast their operands by numpy's rule and infer their result type.
class Tfc_ElementwiseOp<string mnemonic, list<Trait> traits = []>
    : Tfc_InferredOp<mnemonic, !listconcat([DeclareOpInterfaceMethods<Tfc_RequirementsOpInterface>, Tfc_ElementwiseOpInterface], traits)> {
  let hasFolder = 1;
}

//===----------------------------------------------------------------------------------------------===//
// Unary
//===----------------------------------------------------------------------------------------------===//

class Tfc_UnaryOp<string mnemonic, string what, Type operandType, string meaning = ""> : Tfc_ElementwiseOp<mnemonic> {
  let summary = what;
  let description = "The result has the operand's type. " # meaning # "\n\n```mlir\n%y = tfc." # mnemonic #
                    " %x : tensor<?x64xf32, #tfc.dims<n, 64>>\n```\n";
  let arguments = (ins operandType:$x);
  let results = (outs operandType:$y);
  let assemblyFormat = "$x attr-dict `:` type($x)";
}
class Tfc_UnaryPredicateOp<string mnemonic, string what> : Tfc_ElementwiseOp<mnemonic> {
  let summary = what;
  let arguments = (ins Tfc_FloatTensor:$x);
  let results = (outs Tfc_BoolTensor:$y);
  let assemblyFormat = "$x attr-dict `:` type($x)";
}

def Tfc_AbsOp : Tfc_UnaryOp<"abs", "absolute value", Tfc_NumberTensor>;
def Tfc_NegOp : Tfc_UnaryOp<"neg", "negation", Tfc_NumberTensor>;
def Tfc_SignOp : Tfc_UnaryOp<"sign", "-1, 0 or 1 by sign", Tfc_NumberTensor, "NaN gives NaN.">;
def Tfc_CeilOp : Tfc_UnaryOp<"ceil", "smallest integer not below", Tfc_FloatTensor>;
def Tfc_FloorOp : Tfc_UnaryOp<"floor", "largest integer not above", Tfc_FloatTensor>;
def Tfc_RoundOp : Tfc_UnaryOp<"round", "nearest integer, halves to even", Tfc_FloatTensor>;
def Tfc_ExpOp : Tfc_UnaryOp<"exp", "e to the power of x", Tfc_FloatTensor>;
def Tfc_LogOp : Tfc_UnaryOp<"log", "natural logarithm", Tfc_FloatTensor>;
def Tfc_SqrtOp : Tfc_UnaryOp<"sqrt", "square root", Tfc_FloatTensor>;
def Tfc_ReciprocalOp : Tfc_UnaryOp<"reciprocal", "1 / x", Tfc_FloatTensor>;
def Tfc_SinOp : Tfc_UnaryOp<"sin", "sine", Tfc_FloatTensor>;
def Tfc_CosOp : Tfc_UnaryOp<"cos", "cosine", Tfc_FloatTensor>;
def Tfc_TanOp : Tfc_UnaryOp<"tan", "tangent", Tfc_FloatTensor>;
def Tfc_TanhOp : Tfc_UnaryOp<"tanh", "hyperbolic tangent", Tfc_FloatTensor>;
def Tfc_ErfOp : Tfc_UnaryOp<"erf", "error function", Tfc_FloatTensor>;
def Tfc_SigmoidOp : Tfc_UnaryOp<"sigmoid", "1 / (1 + exp(-x))", Tfc_FloatTensor>;
def Tfc_SiluOp : Tfc_UnaryOp<"silu", "x * sigmoid(x)", Tfc_FloatTensor, "Also called swish. (Elfwing et al., arXiv 1702.03118.)">;
def Tfc_ReluOp : Tfc_UnaryOp<"relu", "max(x, 0)", Tfc_NumberTensor, "NaN gives NaN.">;
def Tfc_NotOp : Tfc_UnaryOp<"not", "logical negation of bool, bitwise of integers", AnyTypeOf<[Tfc_BoolTensor, Tfc_IntTensor]>>;
def Tfc_IsNanOp : Tfc_UnaryPredicateOp<"is_nan", "true where x is NaN">;
def Tfc_IsInfOp : Tfc_ElementwiseOp<"is_inf"> {
  let summary = "true where x is infinite";
  let arguments = (ins Tfc_FloatTensor:$x, DefaultValuedAttr<BoolAttr, "true">:$negative, DefaultValuedAttr<BoolAttr, "true">:$positive);
  let results = (outs Tfc_BoolTensor:$y);
  let assemblyFormat = "$x attr-dict `:` type($x)";
}

def Tfc_GeluKindAttr : I32EnumAttr<"GeluKind", "how GELU is computed", [
    I32EnumAttrCase<"Erf", 0, "erf">, I32EnumAttrCase<"Tanh", 1, "tanh">, I32EnumAttrCase<"Quick", 2, "quick">]> {
  let cppNamespace = "::mlir::tfc";
}

def Tfc_GeluOp : Tfc_ElementwiseOp<"gelu"> {
  let summary = "Gaussian error linear unit";
  let description = [{
    `erf`: `x/2 * (1 + erf(x/sqrt(2)))`; `tanh`: `x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715*x^3)))`;
    `quick`: `x * sigmoid(1.702*x)`. (Hendrycks and Gimpel, arXiv 1606.08415.)

    ```mlir
    %y = tfc.gelu erf %x : tensor<?x3072xf32, #tfc.dims<n, 3072>>
    ```
  }];
  let arguments = (ins Tfc_FloatTensor:$x, Tfc_GeluKindAttr:$kind);
  let results = (outs Tfc_FloatTensor:$y);
  let assemblyFormat = "$kind $x attr-dict `:` type($x)";
}

def Tfc_CastOp : Tfc_Op<"cast", [Pure, DeclareOpInterfaceMethods<Tfc_RequirementsOpInterface>, Tfc_ElementwiseOpInterface]> {
  let summary = "conversion of the element type";
  let description = [{
    Float to integer truncates; float to narrower float rounds to nearest even, overflow gives infinity; to bool is
    `!= 0`. Casts to 8-bit floats saturate unless `saturate = false`.

    (C1) operand and result have the same dims.

    ```mlir
    %y = tfc.cast %x : tensor<?xi64, #tfc.dims<n>> -> tensor<?xf32, #tfc.dims<n>>
    ```
  }];
  let arguments = (ins Tfc_Tensor:$x, DefaultValuedAttr<BoolAttr, "true">:$saturate);
  let results = (outs Tfc_Tensor:$y);
  let assemblyFormat = "$x attr-dict `:` type($x) `->` type($y)";
  let hasFolder = 1;
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------------------------------===//
// Binary and ternary
//===----------------------------------------------------------------------------------------------===//

class Tfc_BinaryOp<string mnemonic, string what, Type operandType, string meaning = "", list<Trait> traits = []>
    : Tfc_ElementwiseOp<mnemonic, traits> {
  let summary = what;
  let description = meaning # [{

    (C1) operands have the same element type. (C2) their shapes broadcast by numpy's rule.
  }] # "\n```mlir\n%z = tfc." # mnemonic # " %x, %y : tensor<?x64xf32, #tfc.dims<n, 64>>, tensor<64xf32>\n```\n";
  let arguments = (ins operandType:$x, operandType:$y);
  let results = (outs operandType:$z);
  let assemblyFormat = "$x `,` $y attr-dict `:` type($x) `,` type($y)";
  let hasCanonicalizeMethod = 0;
}

def Tfc_AddOp : Tfc_BinaryOp<"add", "sum", Tfc_NumberTensor, "Integers wrap around.", [Commutative]>;
def Tfc_SubOp : Tfc_BinaryOp<"sub", "difference", Tfc_NumberTensor, "Integers wrap around.">;
def Tfc_MulOp : Tfc_BinaryOp<"mul", "product", Tfc_NumberTensor, "Integers wrap around.", [Commutative]>;
def Tfc_DivOp : Tfc_BinaryOp<"div", "quotient", Tfc_NumberTensor,
    "Integers truncate toward zero; integer division by zero gives 0 and the least integer by -1 gives itself (never a trap).">;
def Tfc_ModOp : Tfc_BinaryOp<"mod", "remainder with the divisor's sign", Tfc_NumberTensor, "Integer remainder by zero gives 0."> {
  let arguments = (ins Tfc_NumberTensor:$x, Tfc_NumberTensor:$y, UnitAttr:$fmod);
  let summary = "remainder; with `fmod` it has the dividend's sign, as C's fmod";
}
def Tfc_PowOp : Tfc_BinaryOp<"pow", "x to the power of y", Tfc_NumberTensor, "For integers, negative powers of 0 give 0.">;
def Tfc_MinOp : Tfc_BinaryOp<"min", "smaller of two; NaN if one is NaN", Tfc_NumberTensor, "", [Commutative]>;
def Tfc_MaxOp : Tfc_BinaryOp<"max", "larger of two; NaN if one is NaN", Tfc_NumberTensor, "", [Commutative]>;
def Tfc_AndOp : Tfc_BinaryOp<"and", "logical and of bools, bitwise of integers", AnyTypeOf<[Tfc_BoolTensor, Tfc_IntTensor]>, "", [Commutative]>;
def Tfc_OrOp : Tfc_BinaryOp<"or", "logical or of bools, bitwise of integers", AnyTypeOf<[Tfc_BoolTensor, Tfc_IntTensor]>, "", [Commutative]>;
def Tfc_XorOp : Tfc_BinaryOp<"xor", "exclusive or of bools, bitwise of integers", AnyTypeOf<[Tfc_BoolTensor, Tfc_IntTensor]>, "", [Commutative]>;

def Tfc_CompareKindAttr : I32EnumAttr<"CompareKind", "a comparison", [
    I32EnumAttrCase<"Eq", 0, "eq">, I32EnumAttrCase<"Ne", 1, "ne">, I32EnumAttrCase<"Lt", 2, "lt">,
    I32EnumAttrCase<"Le", 3, "le">, I32EnumAttrCase<"Gt", 4, "gt">, I32EnumAttrCase<"Ge", 5, "ge">]> {
  let cppNamespace = "::mlir::tfc";
}

def Tfc_CompareOp : Tfc_ElementwiseOp<"compare"> {
  let summary = "comparison; false where an operand is NaN, but `ne` is true there";
  let description = [{
    (C1) operands have the same element type. (C2) their shapes broadcast by numpy's rule.

    ```mlir
    %m = tfc.compare lt %x, %y : tensor<?xi64, #tfc.dims<n>>, tensor<i64>
    ```
  }];
  let arguments = (ins Tfc_CompareKindAttr:$kind, Tfc_Tensor:$x, Tfc_Tensor:$y);
  let results = (outs Tfc_BoolTensor:$z);
  let assemblyFormat = "$kind $x `,` $y attr-dict `:` type($x) `,` type($y)";
}

def Tfc_SelectOp : Tfc_ElementwiseOp<"select"> {
  let summary = "x where the condition holds, else y";
  let description = [{
    (C1) x and y have the same element type. (C2) the three shapes broadcast by numpy's rule.

    ```mlir
    %z = tfc.select %m, %x, %y : tensor<1x1x?x?xi1, #tfc.dims<1, 1, s, t>>, tensor<f32>, tensor<?x12x?x?xf32, #tfc.dims<b, 12, s, t>>
    ```
  }];
  let arguments = (ins Tfc_BoolTensor:$condition, Tfc_Tensor:$x, Tfc_Tensor:$y);
  let results = (outs Tfc_Tensor:$z);
  let assemblyFormat = "$condition `,` $x `,` $y attr-dict `:` type($condition) `,` type($x) `,` type($y)";
}

//===----------------------------------------------------------------------------------------------===//
// Quantization
//===----------------------------------------------------------------------------------------------===//

class Tfc_QuantizationOp<string mnemonic> : Tfc_Op<mnemonic, [Pure]> {
  let arguments = (ins Tfc_Tensor:$x, Tfc_FloatTensor:$scale, Optional<Tfc_Tensor>:$zero_point,
                   OptionalAttr<I64Attr>:$axis, OptionalAttr<I64Attr>:$block_size);
  let results = (outs Tfc_Tensor:$y);
  let assemblyFormat = "$x `scale` $scale (`zero_point` $zero_point^)? attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}
def Tfc_QuantizeOp : Tfc_QuantizationOp<"quantize"> {
  let summary = "saturate(round_half_even(x / scale) + zero_point)";
  let description = [{
    One scale for the tensor (rank 0), one per index of `axis` (rank 1), or one per block of `block_size` along `axis`.

    (C1) x is float, y integer or 8-bit float of the same dims. (C2) scale's shape fits axis and block size.
    (C3) zero_point has scale's shape and y's element type.
  }];
}
def Tfc_DequantizeOp : Tfc_QuantizationOp<"dequantize"> {
  let summary = "(x - zero_point) * scale";
  let description = [{
    (C1) x is integer or 8-bit float, y float of the same dims. (C2) scale's shape fits axis and block size.
    (C3) zero_point has scale's shape and x's element type.
  }];
}

#endif // TFC_DIALECT_TFC_IR_TFCELEMENTWISEOPS
