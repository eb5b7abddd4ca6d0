//===- TfcReductionOps.td - Reductions and scans ------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_DIALECT_TFC_IR_TFCREDUCTIONOPS
#define TFC_DIALECT_TFC_IR_TFCREDUCTIONOPS

include "tfc/Dialect/Tfc/IR/TfcOpBase.td"

def Tfc_ReduceKindAttr : I32EnumAttr<"ReduceKind", "what a reduction computes", [
    I32EnumAttrCase<"Sum", 0, "sum">, I32EnumAttrCase<"Mean", 1, "mean">, I32EnumAttrCase<"Max", 2, "max">,
    I32EnumAttrCase<"Min", 3, "min">, I32EnumAttrCase<"Prod", 4, "prod">]> {
  let cppNamespace = "::mlir::tfc";
}

def Tfc_ReduceOp : Tfc_InferredOp<"reduce"> {
  let summary = "sum, mean, max, min or product over some axes";
  let description = [{
    Reduced axes become 1 with `keep_dims`, else they go. Nothing reduced gives sum 0, product 1, mean NaN (integers:
    0), max -inf and min inf (integers: the ends of their range). NaN wins over numbers in max and min. Sums of f16
    and bf16 run in f32.

    (C1) axes are in [0, rank), ascending, without repeats.

    ```mlir
    %m = tfc.reduce mean %x axes [2] keep_dims : tensor<?x?x768xf32, #tfc.dims<b, s, 768>>
    ```
  }];
  let arguments = (ins Tfc_ReduceKindAttr:$kind, Tfc_NumberTensor:$x, DenseI64ArrayAttr:$axes, UnitAttr:$keep_dims);
  let results = (outs Tfc_NumberTensor:$y);
  let assemblyFormat = "$kind $x `axes` $axes (`keep_dims` $keep_dims^)? attr-dict `:` type($x)";
  let hasFolder = 1;
}

def Tfc_ArgReduceOp : Tfc_InferredOp<"arg_reduce"> {
  let summary = "index of the largest (or smallest) element along an axis";
  let description = [{
    The first such index, with `last` the last one. The first NaN counts as largest and as smallest, as in numpy. The result is i64.

    (C1) axis is in [0, rank). (C2) a static axis is not empty.
  }];
  let arguments = (ins Tfc_NumberTensor:$x, I64Attr:$axis, UnitAttr:$min, UnitAttr:$last, UnitAttr:$keep_dims);
  let results = (outs RankedTensorOf<[I64]>:$y);
  let assemblyFormat = "$x `axis` $axis (`min` $min^)? (`last` $last^)? (`keep_dims` $keep_dims^)? attr-dict `:` type($x)";
}

def Tfc_CumSumOp : Tfc_InferredOp<"cumsum"> {
  let summary = "running sum along an axis";
  let description = [{
    `exclusive` leaves the element itself out; `reverse` runs from the end.

    (C1) axis is in [0, rank).
  }];
  let arguments = (ins Tfc_NumberTensor:$x, I64Attr:$axis, UnitAttr:$exclusive, UnitAttr:$reverse);
  let results = (outs Tfc_NumberTensor:$y);
  let assemblyFormat = "$x `axis` $axis (`exclusive` $exclusive^)? (`reverse` $reverse^)? attr-dict `:` type($x)";
}

def Tfc_CountNonzeroOp : Tfc_InferredOp<"count_nonzero"> {
  let summary = "how many elements are not zero (true, for bool), as a rank-0 i64";
  let arguments = (ins Tfc_Tensor:$x);
  let results = (outs RankedTensorOf<[I64]>:$y);
  let assemblyFormat = "$x attr-dict `:` type($x)";
}

def Tfc_TopKOp : Tfc_Op<"top_k", [Pure, DeclareOpInterfaceMethods<Tfc_RequirementsOpInterface>]> {
  let summary = "the k largest (or smallest) elements along an axis, and their indices";
  let description = [{
    k is the length of the results' axis. Equal elements come in the order of their index; NaN counts as the largest.

    (C1) axis is in [0, rank). (C2) results have x's dims but for the axis, and equal dims. (C3) values have x's
    element type, indices are i64. (C4) a static k does not exceed a static axis.
  }];
  let arguments = (ins Tfc_NumberTensor:$x, I64Attr:$axis, UnitAttr:$smallest);
  let results = (outs Tfc_NumberTensor:$values, RankedTensorOf<[I64]>:$indices);
  let assemblyFormat = "$x `axis` $axis (`smallest` $smallest^)? attr-dict `:` type($x) `->` type(results)";
  let hasVerifier = 1;
}

#endif // TFC_DIALECT_TFC_IR_TFCREDUCTIONOPS
