//===- AttentionViews.cpp - What attention reads and writes through strides -----------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Codegen/Common/AttentionViews.h"

using namespace mlir;
using namespace mlir::tfc;

bool mlir::tfc::isStridedView(Operation *op) {
  if (auto transpose = dyn_cast<TransposeOp>(op))
    return !transpose.getPermutation().empty() &&
           transpose.getPermutation().back() + 1 == static_cast<int64_t>(transpose.getPermutation().size());
  if (auto slice = dyn_cast<SliceOp>(op))
    return !slice.getStrides().empty() && slice.getStrides().back() == 1;
  return false;
}

bool mlir::tfc::isProductOperandOnly(Operation *op, Operation *attention) {
  // Query, key, value; masks and biases are read through strides of their own.
  constexpr unsigned kProductOperands = 3;
  return llvm::all_of(attention->getOpOperands(), [&](OpOperand &operand) {
    return operand.get().getDefiningOp() != op || operand.getOperandNumber() < kProductOperands;
  });
}

bool mlir::tfc::isAttentionOperandView(Operation *op, ArrayRef<Operation *> users) {
  return isStridedView(op) && llvm::all_of(users, [&](Operation *user) {
           return isa<AttentionOp>(user) ? isProductOperandOnly(op, user) : isStridedView(user) || isa<CastOp>(user);
         });
}
