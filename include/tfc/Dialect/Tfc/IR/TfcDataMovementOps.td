//===- TfcDataMovementOps.td - Reshape, slice, gather and friends --------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_DIALECT_TFC_IR_TFCDATAMOVEMENTOPS
#define TFC_DIALECT_TFC_IR_TFCDATAMOVEMENTOPS

include "tfc/Dialect/Tfc/IR/TfcOpBase.td"

def Tfc_ReshapeOp : Tfc_Op<"reshape", [Pure, DeclareOpInterfaceMethods<Tfc_RequirementsOpInterface>]> {
  let summary = "the same elements in row-major order under other dims";
  let description = [{
    The target shape is the result type. In main a reshape is an alias: it costs nothing.

    (C1) element types are equal. (C2) static element counts are equal.

    ```mlir
    %y = tfc.reshape %x : tensor<?x?x768xf32, #tfc.dims<b, s, 768>> -> tensor<?x?x12x64xf32, #tfc.dims<b, s, 12, 64>>
    ```
  }];
  let arguments = (ins Tfc_Tensor:$x);
  let results = (outs Tfc_Tensor:$y);
  let assemblyFormat = "$x attr-dict `:` type($x) `->` type($y)";
  let hasFolder = 1;
  let hasVerifier = 1;
}

def Tfc_TransposeOp : Tfc_InferredOp<"transpose"> {
  let summary = "permutation of the dims: dim i of the result is dim permutation[i] of the operand";
  let description = [{
    (C1) permutation is a permutation of [0, rank).

    ```mlir
    %y = tfc.transpose %x [0, 2, 1, 3] : tensor<?x?x12x64xf32, #tfc.dims<b, s, 12, 64>>
    ```
  }];
  let arguments = (ins Tfc_Tensor:$x, DenseI64ArrayAttr:$permutation);
  let results = (outs Tfc_Tensor:$y);
  let assemblyFormat = "$x $permutation attr-dict `:` type($x)";
  let hasFolder = 1;
}

def Tfc_ExpandOp : Tfc_Op<"expand", [Pure, DeclareOpInterfaceMethods<Tfc_RequirementsOpInterface>]> {
  let summary = "numpy's broadcast_to: the target shape is the result type";
  let description = [{
    (C1) element types are equal. (C2) the operand's shape broadcasts to the result's.

    ```mlir
    %y = tfc.expand %x : tensor<1x1xi64> -> tensor<?x?xi64, #tfc.dims<batch, seq>>
    ```
  }];
  let arguments = (ins Tfc_Tensor:$x);
  let results = (outs Tfc_Tensor:$y);
  let assemblyFormat = "$x attr-dict `:` type($x) `->` type($y)";
  let hasFolder = 1;
  let hasVerifier = 1;
}

def Tfc_SliceOp : Tfc_Op<"slice", [Pure, DeclareOpInterfaceMethods<Tfc_RequirementsOpInterface>]> {
  let summary = "element i of the result is element offset + i*stride of the operand, dim by dim";
  let description = [{
    The lengths are the result type's. Offsets are expressions, strides integers (negative ones run backwards). Both
    have one entry per dim. Whoever builds the op has clamped: every index it reads lies inside the operand.

    (C1) element types and ranks are equal. (C2) one offset and one stride per dim. (C3) no stride is 0. (C4) static
    bounds lie inside the operand.

    ```mlir
    %y = tfc.slice %x offsets [0, past] strides [1, 1] : tensor<1x512xi64> -> tensor<1x?xi64, #tfc.dims<1, seq>>
    ```
  }];
  let arguments = (ins Tfc_Tensor:$x, Tfc_DimExprArrayAttr:$offsets, DenseI64ArrayAttr:$strides);
  let results = (outs Tfc_Tensor:$y);
  let assemblyFormat = "$x `offsets` custom<DimExprList>($offsets) `strides` $strides attr-dict `:` type($x) `->` type($y)";
  let hasFolder = 1;
  let hasVerifier = 1;
}

def Tfc_ConcatOp : Tfc_InferredOp<"concat", [DeclareOpInterfaceMethods<Tfc_RequirementsOpInterface>]> {
  let summary = "operands one after the other along an axis";
  let description = [{
    (C1) at least one operand; ranks and element types are equal. (C2) axis is in [0, rank). (C3) dims but the axis are equal.
  }];
  let arguments = (ins Variadic<Tfc_Tensor>:$inputs, I64Attr:$axis);
  let results = (outs Tfc_Tensor:$y);
  let assemblyFormat = "$inputs `axis` $axis attr-dict `:` type($inputs)";
  let hasFolder = 1;
}

def Tfc_PadOp : Tfc_Op<"pad", [Pure]> {
  let summary = "the operand inside a larger tensor";
  let description = [{
    `low` elements stand before each dim; how many stand after follows from the result type. Mode `constant` fills
    with `value` (0 if absent), `edge` repeats the border, `reflect` mirrors without the border, `wrap` starts again.
    Low may be negative: then that many elements are cut.

    (C1) element types and ranks are equal; value, if any, is a scalar of that type. (C2) one low per dim.
    (C3) the mode is one of these.
  }];
  let arguments = (ins Tfc_Tensor:$x, Optional<Tfc_Tensor>:$value, Tfc_DimExprArrayAttr:$low, StrAttr:$mode);
  let results = (outs Tfc_Tensor:$y);
  let assemblyFormat = "$x (`value` $value^)? $mode `low` custom<DimExprList>($low) attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def Tfc_TileOp : Tfc_Op<"tile", [Pure]> {
  let summary = "the operand repeated along each dim as often as the result type has room";
  let description = [{
    Element i of the result is element `i mod dim` of the operand, dim by dim.

    (C1) element types and ranks are equal. (C2) a dim that is 0 stays 0.
  }];
  let arguments = (ins Tfc_Tensor:$x);
  let results = (outs Tfc_Tensor:$y);
  let assemblyFormat = "$x attr-dict `:` type($x) `->` type($y)";
  let hasFolder = 1;
  let hasVerifier = 1;
}

def Tfc_GatherOp : Tfc_InferredOp<"gather", [DeclareOpInterfaceMethods<Tfc_CheckedIndexOpInterface>]> {
  let summary = "rows of x along an axis, chosen by indices: embedding lookup";
  let description = [{
    `y[..., i..., ...] = x[..., indices[i...], ...]`: the dims of indices take the axis's place. Negative indices count from the end.
    An index outside `[-n, n)` ends the run with an error.

    (C1) axis is in [0, rank). (C2) indices are i32 or i64.

    ```mlir
    %y = tfc.gather %table, %ids axis 0 : tensor<30522x768xf32>, tensor<?x?xi64, #tfc.dims<batch, seq>>
    ```
  }];
  let arguments = (ins Tfc_Tensor:$x, Tfc_IndexTensor:$indices, I64Attr:$axis);
  let results = (outs Tfc_Tensor:$y);
  let assemblyFormat = "$x `,` $indices `axis` $axis attr-dict `:` type($x) `,` type($indices)";
  let hasFolder = 1;
}

def Tfc_GatherElementsOp : Tfc_InferredOp<"gather_elements", [DeclareOpInterfaceMethods<Tfc_CheckedIndexOpInterface>,
                                                                DeclareOpInterfaceMethods<Tfc_RequirementsOpInterface>]> {
  let summary = "y[i,j] = x[indices[i,j], j] for axis 0, and so on";
  let description = [{
    (C1) ranks are equal; axis is in [0, rank). (C2) static dims of indices but the axis do not exceed x's.
  }];
  let arguments = (ins Tfc_Tensor:$x, Tfc_IndexTensor:$indices, I64Attr:$axis);
  let results = (outs Tfc_Tensor:$y);
  let assemblyFormat = "$x `,` $indices `axis` $axis attr-dict `:` type($x) `,` type($indices)";
}

def Tfc_ScatterKindAttr : I32EnumAttr<"ScatterKind", "what becomes of an element and an update that meet", [
    I32EnumAttrCase<"Set", 0, "set">, I32EnumAttrCase<"Add", 1, "add">, I32EnumAttrCase<"Mul", 2, "mul">,
    I32EnumAttrCase<"Min", 3, "min">, I32EnumAttrCase<"Max", 4, "max">]> {
  let cppNamespace = "::mlir::tfc";
}

def Tfc_ScatterElementsOp : Tfc_InferredOp<"scatter_elements", [DeclareOpInterfaceMethods<Tfc_CheckedIndexOpInterface>,
                                                                  DeclareOpInterfaceMethods<Tfc_RequirementsOpInterface>]> {
  let summary = "x, where y[indices[i,j], j] meets updates[i,j] for axis 0, and so on";
  let description = [{
    Updates come in row-major order of the indices, each on top of the ones before. Negative indices count from the
    end. An index outside `[-n, n)` ends the run with an error.

    (C1) ranks are equal; axis is in [0, rank). (C2) static dims of indices but the axis do not exceed x's. (C3)
    static dims of updates are those of indices. (C4) updates have x's element type. (C5) bools are only `set`.

    ```mlir
    %y = tfc.scatter_elements add %x, %i, %u axis 0 : tensor<4x8xf32>, tensor<2x8xi64>, tensor<2x8xf32>
    ```
  }];
  let arguments = (ins Tfc_ScatterKindAttr:$kind, Tfc_Tensor:$x, Tfc_IndexTensor:$indices, Tfc_Tensor:$updates, I64Attr:$axis);
  let results = (outs Tfc_Tensor:$y);
  let assemblyFormat = "$kind $x `,` $indices `,` $updates `axis` $axis attr-dict `:` type($x) `,` type($indices) `,` type($updates)";
}

def Tfc_TriluOp : Tfc_InferredOp<"trilu"> {
  let summary = "upper or lower triangle of the last two dims; the rest is zero";
  let description = [{
    Keeps elements with `column - row >= k` (upper) or `<= k` (lower).

    (C1) the operand has rank 2 or more.
  }];
  let arguments = (ins Tfc_Tensor:$x, Tfc_DimExprAttr:$k, UnitAttr:$upper);
  let results = (outs Tfc_Tensor:$y);
  let assemblyFormat = "$x `k` custom<DimExpr>($k) (`upper` $upper^)? attr-dict `:` type($x)";
}

def Tfc_RangeOp : Tfc_Op<"range", [Pure]> {
  let summary = "start, start + step, ...: as many as the result type says";
  let description = [{
    (C1) start and step are scalars of the result's element type. (C2) the result has rank 1.
  }];
  let arguments = (ins Tfc_NumberTensor:$start, Tfc_NumberTensor:$step);
  let results = (outs Tfc_NumberTensor:$y);
  let assemblyFormat = "$start `,` $step attr-dict `:` functional-type(operands, results)";
  let hasFolder = 1;
  let hasVerifier = 1;
}

def Tfc_EyeOp : Tfc_Op<"eye", [Pure]> {
  let summary = "ones where column - row == k, zeros elsewhere";
  let description = [{
    (C1) the result has rank 2.
  }];
  let arguments = (ins Tfc_DimExprAttr:$k);
  let results = (outs Tfc_NumberTensor:$y);
  let assemblyFormat = "`k` custom<DimExpr>($k) attr-dict `:` type($y)";
  let hasVerifier = 1;
}

def Tfc_OneHotOp : Tfc_Op<"one_hot", [Pure]> {
  let summary = "`on` at the place each index names along a new axis, `off` elsewhere";
  let description = [{
    The depth is the length of the result's axis. Negative indices count from the end; indices outside the depth give only `off`.

    (C1) the result's dims are those of indices with one inserted at axis. (C2) off and on are scalars of the result's element type.
  }];
  let arguments = (ins Tfc_NumberTensor:$indices, Tfc_Tensor:$off, Tfc_Tensor:$on, I64Attr:$axis);
  let results = (outs Tfc_Tensor:$y);
  let assemblyFormat = "$indices `off` $off `on` $on `axis` $axis attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def Tfc_NonzeroOp : Tfc_Op<"nonzero", [Pure]> {
  let summary = "indices of the elements that are not zero, in row-major order: [rank of x, count]";
  let description = [{
    The count is a symbol that a `tfc.bind` of `tfc.count_nonzero` has made.

    (C1) the result is i64 of rank 2 whose first dim is x's rank.

    ```mlir
    %n = tfc.count_nonzero %x : tensor<?xi1, #tfc.dims<seq>>
    tfc.bind %n as ["count"] : tensor<i64>
    %i = tfc.nonzero %x : tensor<?xi1, #tfc.dims<seq>> -> tensor<1x?xi64, #tfc.dims<1, count>>
    ```
  }];
  let arguments = (ins Tfc_Tensor:$x);
  let results = (outs RankedTensorOf<[I64]>:$y);
  let assemblyFormat = "$x attr-dict `:` type($x) `->` type($y)";
  let hasVerifier = 1;
}

#endif // TFC_DIALECT_TFC_IR_TFCDATAMOVEMENTOPS
