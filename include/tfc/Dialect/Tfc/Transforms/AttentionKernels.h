//===- AttentionKernels.h - Which attentions are kernels as they stand -*- C++ -*- -----------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_DIALECT_TFC_TRANSFORMS_ATTENTIONKERNELS_H
#define TFC_DIALECT_TFC_TRANSFORMS_ATTENTIONKERNELS_H

#include "tfc/Dialect/Tfc/IR/TfcOps.h"

namespace mlir::tfc {

/// True when code is generated for the attention as a whole: f32, head dims of 1 to 256 that are known at
/// compile time, and nothing said that the generator does not know. The one place that decides this.
bool hasAttentionKernel(AttentionOp op);

/// Puts past and new keys and values together in front of an attention that has a kernel; without a past nothing changes.
LogicalResult splitPast(AttentionOp op);

/// On a tfc.matmul of f32: its operands may be rounded to TF32 (11 significant bits), where the target multiplies those faster.
inline constexpr llvm::StringLiteral kRoundsToTF32 = "tfc.tf32";

/// On an op of f32: the 16-bit float that its operands (query, key and value of an attention) were rounded to in the graph. They may be
/// rounded to it again.
inline constexpr llvm::StringLiteral kOperandType = "tfc.operand_type";

/// Gives `to` the operand type of `from`, for ops that stand for another.
inline void copyOperandType(Operation *from, Operation *to) {
  if (Attribute type = to ? from->getAttr(kOperandType) : Attribute())
    to->setAttr(kOperandType, type);
}

} // namespace mlir::tfc

#endif // TFC_DIALECT_TFC_TRANSFORMS_ATTENTIONKERNELS_H
