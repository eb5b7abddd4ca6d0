//===- AttentionViews.h - What attention reads and writes through strides -*- C++ -*- --------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_CODEGEN_COMMON_ATTENTIONVIEWS_H
#define TFC_CODEGEN_COMMON_ATTENTIONVIEWS_H

#include "tfc/Dialect/Tfc/IR/TfcOps.h"

namespace mlir::tfc {

/// True for an op whose result is its operand seen through other strides, with the last dim as it was: a
/// transpose that splits heads off a row, or a slice that cuts queries out of a packed row.
bool isStridedView(Operation *op);

/// True when `op`, whose result only `users` read, may be a view that attention reads its query, key or value
/// through. Users are the attention, and views and casts that have been found to be such.
bool isAttentionOperandView(Operation *op, ArrayRef<Operation *> users);

/// True when the attention reads what `op` makes as query, key or value alone.
bool isProductOperandOnly(Operation *op, Operation *attention);

} // namespace mlir::tfc

#endif // TFC_CODEGEN_COMMON_ATTENTIONVIEWS_H
