//===- MatmulMath.h - What the matrix products share ----------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_FRONTEND_ONNX_MATMULMATH_H
#define TFC_LIB_FRONTEND_ONNX_MATMULMATH_H

#include "NodeContext.h"

namespace mlir::tfc::onnx_import {

/// numpy's matmul: a vector counts as a row on the left and as a column on the right, and that dim goes
/// again. `attributes` are tfc.matmul's.
Value buildMatmul(NodeContext &node, Value a, Value b, ArrayRef<NamedAttribute> attributes = {});

/// An integer operand minus its zero point, as int32. The zero point is one number, or one per row of A
/// (column of B).
Value centre(NodeContext &node, Value x, Value zeroPoint, bool perRow);

/// A scale of the product's rows (columns), or of all of it.
Value placeScale(NodeContext &node, Value scale, bool perRow);

/// What DynamicQuantizeLinear gives.
struct DynamicallyQuantized {
  Value values, scale, zeroPoint;
};
DynamicallyQuantized quantizeDynamically(NodeContext &node, Value x);

} // namespace mlir::tfc::onnx_import

#endif // TFC_LIB_FRONTEND_ONNX_MATMULMATH_H
