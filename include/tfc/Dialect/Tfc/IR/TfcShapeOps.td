//===- TfcShapeOps.td - Constants, shape queries, symbols -----------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_DIALECT_TFC_IR_TFCSHAPEOPS
#define TFC_DIALECT_TFC_IR_TFCSHAPEOPS

include "tfc/Dialect/Tfc/IR/TfcOpBase.td"

def Tfc_ConstantOp : Tfc_Op<"constant", [Pure, ConstantLike, AllTypesMatch<["value", "y"]>]> {
  let summary = "a small constant tensor; large ones are weights";
  let arguments = (ins ElementsAttr:$value);
  let results = (outs Tfc_Tensor:$y);
  let assemblyFormat = "attr-dict $value";
  let hasFolder = 1;
}

def Tfc_DimValuesOp : Tfc_Op<"dim_values", [Pure, ConstantLike, AllTypesMatch<["value", "y"]>]> {
  let summary = "an integer tensor made of dim expressions";
  let description = [{
    ```mlir
    %s = tfc.dim_values [batch, seq, 12, 64] : tensor<4xi64>
    ```
  }];
  let arguments = (ins Tfc_DimValuesAttr:$value);
  let results = (outs Tfc_IntTensor:$y);
  let assemblyFormat = "custom<DimValues>($value) attr-dict";
  let hasFolder = 1;
}

def Tfc_ShapeOp : Tfc_InferredOp<"shape"> {
  let summary = "dims [start, end) of a tensor as a rank-1 i64; always folds";
  let description = [{
    (C1) 0 <= start <= end <= rank.
  }];
  let arguments = (ins Tfc_Tensor:$x, I64Attr:$start, I64Attr:$end);
  let results = (outs RankedTensorOf<[I64]>:$y);
  let assemblyFormat = "$x `from` $start `to` $end attr-dict `:` type($x)";
  let hasFolder = 1;
}

def Tfc_BindOp : Tfc_Op<"bind"> {
  let summary = "gives the elements of a tensor names as symbols, at run time";
  let description = [{
    The only place where a size comes from data. Symbols bound here may stand in types after this op. A negative
    element ends the run with an error.

    (C1) the operand is i64 with as many elements as there are names. (C2) no name is bound twice in a
    function. (C3) names are not empty and do not start with `%`.

    ```mlir
    tfc.bind %n as ["count"] : tensor<i64>
    ```
  }];
  let arguments = (ins RankedTensorOf<[I64]>:$x, StrArrayAttr:$symbols);
  let assemblyFormat = "$x `as` $symbols attr-dict `:` type($x)";
  let hasVerifier = 1;
}

def Tfc_RequireKindAttr : I32EnumAttr<"RequireKind", "a condition on two dim expressions", [
    I32EnumAttrCase<"Equal", 0, "equal">, I32EnumAttrCase<"Broadcastable", 1, "broadcastable">,
    I32EnumAttrCase<"AtMost", 2, "at_most">]> {
  let cppNamespace = "::mlir::tfc";
}

def Tfc_RequireOp : Tfc_Op<"require"> {
  let summary = "a condition on symbols, checked when a run's symbols are bound";
  let description = [{
    `broadcastable`: lhs is 1 or rhs. A run that breaks it ends in an error that names the node (the op's Location) and the symbols.

    ```mlir
    tfc.require broadcastable total_seq, past + seq loc("Add_12")
    ```
  }];
  let arguments = (ins Tfc_RequireKindAttr:$kind, Tfc_DimExprAttr:$lhs, Tfc_DimExprAttr:$rhs);
  let assemblyFormat = "$kind custom<DimExpr>($lhs) `,` custom<DimExpr>($rhs) attr-dict";
}

def Tfc_DimOp : Tfc_Op<"dim", [Pure]> {
  let summary = "the value of a dim expression as an index, inside a kernel";
  let description = [{
    What lowerings make of a dim; `tfc-lower-dims` turns it into arithmetic on the symbols of the kernel.

    ```mlir
    %n = tfc.dim s0 * s1
    ```
  }];
  let arguments = (ins Tfc_DimExprAttr:$expr);
  let results = (outs Index:$value);
  let assemblyFormat = "custom<DimExpr>($expr) attr-dict";
  let hasFolder = 1;
}

def Tfc_CheckIndexOp : Tfc_Op<"check_index", [Pure]> {
  let summary = "an index from data, wrapped and clamped into [0, bound); a bad one is noted";
  let description = [{
    Negative indices count from the end unless `no_wrap`. An index outside `[-bound, bound)` notes `check` and its value in the worker's error
    record (the first one stays) and gives 0, so that the kernel goes on safely until its range is done. `check`
    counts the kernel's checked ops in the order of its body.
  }];
  let arguments = (ins I64:$index, Index:$bound, I64Attr:$check, UnitAttr:$no_wrap);
  let results = (outs Index:$checked);
  let assemblyFormat = "$index `below` $bound `check` $check (`no_wrap` $no_wrap^)? attr-dict";
}

#endif // TFC_DIALECT_TFC_IR_TFCSHAPEOPS
