//===- Broadcast.h - Numpy's broadcasting on dim expressions -*- C++ -*- -----------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_DIALECT_TFC_IR_BROADCAST_H
#define TFC_DIALECT_TFC_IR_BROADCAST_H

#include "tfc/Dialect/Tfc/IR/TfcDialect.h"

namespace mlir::tfc {

/// How an operand's dim relates to the dim of the result it is broadcast to.
enum class BroadcastRelation {
  Same,   ///< equal for every value of the symbols that passes the requirements
  One,    ///< always 1: the operand's only element serves all
  Unknown ///< 1 or equal, decided at run time
};
BroadcastRelation relateBroadcast(DimExprAttr operandDim, DimExprAttr resultDim);

/// The dim that two dims broadcast to, or failure when constants exclude each other.
FailureOr<DimExprAttr> broadcastDim(DimExprAttr a, DimExprAttr b);

/// The shape that all shapes broadcast to by numpy's rule (aligned at the last dim), or failure.
FailureOr<SmallVector<DimExprAttr>> broadcastDims(ArrayRef<SmallVector<DimExprAttr>> shapes);

/// True when `from` can be broadcast to `to` as far as constants tell, without changing `to`.
bool isBroadcastableTo(ArrayRef<DimExprAttr> from, ArrayRef<DimExprAttr> to);

} // namespace mlir::tfc

#endif // TFC_DIALECT_TFC_IR_BROADCAST_H
