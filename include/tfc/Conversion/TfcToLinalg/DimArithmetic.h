//===- DimArithmetic.h - Dim expressions as index values -------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_CONVERSION_TFCTOLINALG_DIMARITHMETIC_H
#define TFC_CONVERSION_TFCTOLINALG_DIMARITHMETIC_H

#include "tfc/Dialect/Tfc/IR/TfcDialect.h"

#include "mlir/IR/Builders.h"

namespace mlir::tfc {

/// The value of an expression as an index: a constant, or a tfc.dim that tfc-lower-dims turns into
/// arithmetic.
Value materializeDim(OpBuilder &builder, Location loc, DimExprAttr dim);

/// The same as a static or dynamic size of an op.
OpFoldResult getDimSize(OpBuilder &builder, Location loc, DimExprAttr dim);

/// Index arithmetic for an expression. The callback gives the value of a symbol, null for one it does not
/// know (then the result is null). Division and remainder by zero give 0.
Value emitDimExpr(OpBuilder &builder, Location loc, DimExprAttr dim,
                  llvm::function_ref<Value(StringAttr)> symbolValue);

} // namespace mlir::tfc

#endif // TFC_CONVERSION_TFCTOLINALG_DIMARITHMETIC_H
