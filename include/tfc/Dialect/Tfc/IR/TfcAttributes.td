//===- TfcAttributes.td - Dim expressions, weights, plans ----------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_DIALECT_TFC_IR_TFCATTRIBUTES
#define TFC_DIALECT_TFC_IR_TFCATTRIBUTES

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/TensorEncoding.td"
include "tfc/Dialect/Tfc/IR/TfcDialect.td"

class Tfc_Attr<string name, string attrMnemonic, list<Trait> traits = []> : AttrDef<Tfc_Dialect, name, traits> {
  let mnemonic = attrMnemonic;
}

//===----------------------------------------------------------------------------------------------===//
// Dim expressions
//===----------------------------------------------------------------------------------------------===//

def Tfc_DimCallKind : I32Enum<"DimCallKind", "an integer function of two dim expressions", [
    I32EnumCase<"FloorDiv", 0, "floordiv">, I32EnumCase<"Mod", 1, "mod">,
    I32EnumCase<"Min", 2, "min">, I32EnumCase<"Max", 3, "max">,
    I32EnumCase<"Broadcast", 4, "broadcast">, I32EnumCase<"Wrap", 5, "wrap">]> {
  let cppNamespace = "::mlir::tfc";
}

def Tfc_DimExprAttr : Tfc_Attr<"DimExpr", "expr"> {
  let summary = "an integer expression over named symbols";
  let description = [{
    A polynomial with integer coefficients, kept in one canonical form: a sum of terms, each a coefficient times a
    sorted product of atoms. An atom is a named symbol (StringAttr) or a call `f(a, b)` (`#tfc.call`) of
    `floordiv`, `mod`, `min`, `max`, `broadcast` (numpy's rule: `a == 1 ? b : a`, both equal otherwise) or `wrap`
    (`a < 0 ? a + b : a`, how ONNX counts from the end). Two expressions are equal exactly when the attributes are.

    Symbols are lengths, so they are never negative. Names that are not identifiers are printed in quotes.
    Arithmetic saturates at the ends of int64: an overflow never becomes a small number. A constant from 2^30 on in a
    `min` means "to the end", as exporters write it. Operands of `broadcast` are equal, or one of them is 1.

    An expression of more than 128 terms, 2048 atoms or 48 nested calls is too complex: arithmetic then gives one
    expression that no type may carry, and the parser refuses the text.

    ```mlir
    #tfc.expr<4 * batch * seq + past>
    ```
  }];
  let parameters = (ins ArrayRefParameter<"int64_t">:$coefficients, ArrayRefParameter<"ArrayAttr">:$monomials);
  let hasCustomAssemblyFormat = 1;
  let extraClassDeclaration = [{
    /// Constant and symbol expressions.
    static DimExprAttr constant(MLIRContext *context, int64_t value);
    static DimExprAttr symbol(MLIRContext *context, StringRef name);
    /// `kind(a, b)`, folded where the value or the symbols' sign decides it.
    static DimExprAttr call(DimCallKind kind, DimExprAttr a, DimExprAttr b);

    DimExprAttr operator+(DimExprAttr other) const;
    DimExprAttr operator-(DimExprAttr other) const;
    DimExprAttr operator*(DimExprAttr other) const;
    DimExprAttr operator+(int64_t other) const;
    DimExprAttr operator-(int64_t other) const;
    DimExprAttr operator*(int64_t other) const;
    DimExprAttr floorDiv(DimExprAttr other) const;
    DimExprAttr ceilDiv(DimExprAttr other) const;
    DimExprAttr mod(DimExprAttr other) const;
    DimExprAttr min(DimExprAttr other) const;
    DimExprAttr max(DimExprAttr other) const;

    bool isConstant() const;
    std::optional<int64_t> getConstant() const;
    bool isConstant(int64_t value) const { return getConstant() == value; }
    /// The name when the expression is one bare symbol.
    std::optional<StringRef> getSymbol() const;
    /// True for what arithmetic gives in place of an expression beyond the limits.
    bool isTooComplex() const;
    /// True where the expression cannot be negative (symbols are lengths).
    bool isNonNegative() const;
    /// True where the expression is at least one for every value of the symbols.
    bool isPositive() const;
    /// `this / other` when the division leaves no rest for every value of the symbols.
    std::optional<DimExprAttr> exactDiv(DimExprAttr other) const;

    /// Adds the symbols of the expression, in order of appearance, without repeats.
    void collectSymbols(llvm::SetVector<StringAttr> &symbols) const;
    /// The expression with symbols replaced; the callback returns null for symbols that stay.
    DimExprAttr substitute(llvm::function_ref<DimExprAttr(StringAttr)> replacement) const;
    /// The value for given symbol values; nullopt where a symbol has none or a divisor is zero.
    std::optional<int64_t> evaluate(llvm::function_ref<std::optional<int64_t>(StringAttr)> value) const;
    /// The text between the angle brackets.
    std::string str() const;
    static FailureOr<DimExprAttr> parseExpr(AsmParser &parser);
    void printExpr(raw_ostream &os) const;
  }];
}

def Tfc_DimCallAttr : Tfc_Attr<"DimCall", "call"> {
  let summary = "an atom of a dim expression: a function of two expressions";
  let parameters = (ins "::mlir::tfc::DimCallKind":$kind, "::mlir::tfc::DimExprAttr":$lhs, "::mlir::tfc::DimExprAttr":$rhs);
  let assemblyFormat = "`<` $kind `,` $lhs `,` $rhs `>`";
}

def Tfc_DimsAttr : Tfc_Attr<"Dims", "dims", [DeclareAttrInterfaceMethods<VerifiableTensorEncoding>]> {
  let summary = "the dims of a tensor as expressions, one per dim";
  let description = [{
    The encoding of a tensor type. A dim that is constant here is static in the shape, any other is `?`.

    ```mlir
    tensor<?x?x768xf32, #tfc.dims<batch, past + seq, 768>>
    ```
  }];
  let parameters = (ins ArrayRefParameter<"DimExprAttr">:$dims);
  let hasCustomAssemblyFormat = 1;
}

def Tfc_DimValuesAttr : Tfc_Attr<"DimValues", "dim_values", [TypedAttrInterface]> {
  let summary = "an integer tensor whose elements are dim expressions";
  let description = [{
    What folding makes of shape arithmetic: `tfc.shape` of `[batch, seq, 768]` folds to this attribute, and so do
    gathers, concats and sums of it. Elements are in row-major order.
  }];
  let parameters = (ins ArrayRefParameter<"DimExprAttr">:$values, AttributeSelfTypeParameter<"", "::mlir::RankedTensorType">:$type);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

def Tfc_DimExprArrayAttr : TypedArrayAttrBase<Tfc_DimExprAttr, "array of dim expressions">;

//===----------------------------------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------------------------------===//

def Tfc_FileSourceAttr : Tfc_Attr<"FileSource", "file"> {
  let summary = "bytes of a weight in a file";
  let description = [{
    `bytes` bytes at `offset` of file `path`, little-endian, row-major. The path is as the module's
    `tfc.weight_base` folder sees it; absolute paths stand as they are.
  }];
  let parameters = (ins StringRefParameter<>:$path, "int64_t":$offset, "int64_t":$bytes);
  let assemblyFormat = "`<` $path `,` $offset `,` $bytes `>`";
}

def Tfc_SeedKind : I32Enum<"SeedKind", "a distribution of made-up weights", [
    I32EnumCase<"Normal", 0, "normal">, I32EnumCase<"Constant", 1, "constant">]> {
  let cppNamespace = "::mlir::tfc";
}

def Tfc_SeedSourceAttr : Tfc_Attr<"SeedSource", "seed"> {
  let summary = "made-up weights: element i is a function of (seed, stream, i) alone";
  let description = [{
    `normal`: `mean + scale * n(seed, stream, i)` with n of unit variance; `constant`: every element is `mean`.
    The function stands in `tfc/Weights/SeedStream.h`; compiler and runtime share it.
  }];
  let parameters = (ins "::mlir::tfc::SeedKind":$kind, "uint64_t":$seed, "uint64_t":$stream, "::mlir::FloatAttr":$mean, "::mlir::FloatAttr":$scale);
  let assemblyFormat = "`<` $kind `,` $seed `,` $stream `,` $mean `,` $scale `>`";
}

def Tfc_LayoutBoundAttr : Tfc_Attr<"LayoutBound", "layout_bound"> {
  let summary = "padding of a layout: where an element is the source's, and where it is zero";
  let description = [{
    Element `(i0, i1, ...)` is the source's only where `0 <= offset + i0*strides[0] + i1*strides[1] + ... < extent`, else
    zero. The expression is an index of the source before it was padded, so views of padded weights have such bounds too.
  }];
  let parameters = (ins "int64_t":$offset, ArrayRefParameter<"int64_t">:$strides, "int64_t":$extent);
  let assemblyFormat = "`<` $offset `,` `[` $strides `]` `below` $extent `>`";
}

def Tfc_StackedSourceAttr : Tfc_Attr<"StackedSource", "stack"> {
  let summary = "other weights, one behind the other along the first dim";
  let description = [{
    The parts are weights with sources and layouts of their own; each stands in one stack only. They get adjacent places in the
    segment of weights, in this order, so that all of them together are the tensor. Whoever makes their bytes (the artifact's
    writer, or the runtime from a seed) makes them part by part and need not know of the whole.
  }];
  let parameters = (ins ArrayRefParameter<"FlatSymbolRefAttr">:$parts);
  let assemblyFormat = "`<` `[` $parts `]` `>`";
}

def Tfc_LayoutAttr : Tfc_Attr<"Layout", "layout"> {
  let summary = "layout recipe of a weight: a strided view of its source, perhaps padded";
  let description = [{
    Element `(i0, i1, ...)` of the weight is element `offset + i0*strides[0] + i1*strides[1] + ...` of the source.
    Transposes, slices, splits, panels and their compositions are such views; they cost nothing until the artifact is
    written. Where one of the `bounds` does not hold the element is zero, and `offset` and strides may point outside of the
    source. The function that applies it stands in `tfc/Weights/LayoutRecipe.h`; compiler and runtime share it.

    ```mlir
    // 10x8, padded by two rows before it and to 16 columns.
    layout <-16, [8, 1], pad [<-2, [1, 0] below 10>, <0, [0, 1] below 8>]>
    ```
  }];
  let parameters = (ins "int64_t":$offset, OptionalArrayRefParameter<"int64_t">:$strides,
                        OptionalArrayRefParameter<"::mlir::tfc::LayoutBoundAttr">:$bounds);
  // A scalar has no strides: `<3>`.
  let assemblyFormat = "`<` $offset (`,` `[` $strides^ `]`)? (`,` `pad` `[` $bounds^ `]`)? `>`";
  let builders = [AttrBuilder<(ins "int64_t":$offset, "::llvm::ArrayRef<int64_t>":$strides), [{
    return $_get($_ctxt, offset, strides, ::llvm::ArrayRef<::mlir::tfc::LayoutBoundAttr>());
  }]>];
}

//===----------------------------------------------------------------------------------------------===//
// Plans
//===----------------------------------------------------------------------------------------------===//

def Tfc_SlotAttr : Tfc_Attr<"Slot", "slot"> {
  let summary = "one buffer of the arena: its size in bytes, and the slots it must lie above";
  let description = [{
    The offset of a slot is the largest end (offset + size) of the slots listed in `above`, 0 when there are none;
    so the plan is right for every value of the symbols. `segment` counts the `tfc.bind` ops before the slot's
    first use: each segment has an arena of its own.
  }];
  let parameters = (ins "::mlir::tfc::DimExprAttr":$bytes, OptionalArrayRefParameter<"int64_t">:$above, DefaultValuedParameter<"int64_t", "0">:$segment);
  let assemblyFormat = "`<` $bytes (`above` `[` $above^ `]`)? (`segment` $segment^)? `>`";
}

def Tfc_PlaceKind : I32Enum<"PlaceKind", "where a buffer lies", [
    I32EnumCase<"Slot", 0, "slot">, I32EnumCase<"Output", 1, "output">]> {
  let cppNamespace = "::mlir::tfc";
}

def Tfc_PlaceAttr : Tfc_Attr<"Place", "place"> {
  let summary = "where the result of a launch lies: a slot of the arena, or an output of the entry";
  let parameters = (ins "::mlir::tfc::PlaceKind":$kind, "int64_t":$index);
  let assemblyFormat = "`<` $kind `,` $index `>`";
}

#endif // TFC_DIALECT_TFC_IR_TFCATTRIBUTES
