//===- MergeAttentionHeads.h - One attention instead of one per head -*- C++ -*- ----------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_DIALECT_TFC_TRANSFORMS_MERGEATTENTIONHEADS_H
#define TFC_LIB_DIALECT_TFC_TRANSFORMS_MERGEATTENTIONHEADS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::tfc {

/// Attentions of one head each, over neighbouring slices of the same queries, keys and values, whose outputs are
/// concatenated in that order, become one attention of all heads. Says what became of every such concatenation.
void mergeAttentionHeads(func::FuncOp function);

} // namespace mlir::tfc

#endif // TFC_LIB_DIALECT_TFC_TRANSFORMS_MERGEATTENTIONHEADS_H
