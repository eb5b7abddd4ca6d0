//===- ConstantTensor.h - Small constants as folders see them -*- C++ -*---------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// Folders of the dialect work on scalars and shapes: tensors of a few elements, each a number or an expression of
// symbols. Anything larger is left to tfc-fold-constants, which runs it through the reference lowering.
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_DIALECT_TFC_IR_CONSTANTTENSOR_H
#define TFC_LIB_DIALECT_TFC_IR_CONSTANTTENSOR_H

#include "tfc/Dialect/Tfc/IR/TfcDialect.h"

namespace mlir::tfc {

/// One element: a float, an integer (bool is 0 or 1), or an expression that is not constant.
struct ConstantElement {
  enum Kind { Float, Int, Dim } kind;
  double number = 0;
  int64_t integer = 0;
  DimExprAttr dim;

  static ConstantElement ofFloat(double value) { return {Float, value, 0, {}}; }
  static ConstantElement ofInt(int64_t value) { return {Int, 0, value, {}}; }
  static ConstantElement ofDim(DimExprAttr expr) {
    if (std::optional<int64_t> value = expr.getConstant())
      return ofInt(*value);
    return {Dim, 0, 0, expr};
  }
  /// The element of an integer tensor as an expression.
  DimExprAttr asDim(MLIRContext *context) const {
    return kind == Dim ? dim : DimExprAttr::constant(context, integer);
  }
};

/// A tensor of such elements in row-major order.
struct ConstantTensor {
  RankedTensorType type;
  SmallVector<ConstantElement> elements;

  /// Tensors of more elements than this are not folded here.
  static constexpr int64_t kLimit = 1024;

  /// Reads a constant attribute (dense elements, dim values); nullopt for anything else, or too large.
  static std::optional<ConstantTensor> load(Attribute attribute);
  /// The attribute for these elements: dense when all are numbers. Floats are rounded to the element type, integers
  /// wrap. Null where an expression cannot be kept (not a 32- or 64-bit integer type).
  Attribute store() const;
};

/// How many elements a static shape has, when that is at most `limit`. Unlike getNumElements it never wraps around.
std::optional<int64_t> countElements(ShapedType type, int64_t limit);

/// Row-major strides of a static shape.
SmallVector<int64_t> computeStrides(ArrayRef<int64_t> shape);

/// The result of an elementwise op on constant operands; null where it does not fold.
Attribute foldElementwise(Operation *op, ArrayRef<Attribute> operands);

} // namespace mlir::tfc

#endif // TFC_LIB_DIALECT_TFC_IR_CONSTANTTENSOR_H
