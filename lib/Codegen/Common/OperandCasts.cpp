//===- OperandCasts.cpp - Products of f32 that read 16-bit operands ------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Codegen/Common/OperandCasts.h"

#include "tfc/Codegen/Common/AttentionViews.h"
#include "tfc/Dialect/Tfc/Transforms/AttentionKernels.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mlir::tfc;

static bool isCast(Operation *op, bool (*isFrom)(Type), bool (*isTo)(Type)) {
  auto cast = dyn_cast_or_null<CastOp>(op);
  return cast && isFrom(getElementTypeOrSelf(cast.getX().getType())) &&
         isTo(getElementTypeOrSelf(cast.getY().getType()));
}
static bool isHalf(Type type) { return type.isF16() || type.isBF16(); }
static bool isF32(Type type) { return type.isF32(); }

bool mlir::tfc::isWideningCast(Operation *op) { return isCast(op, isHalf, isF32); }
bool mlir::tfc::isNarrowingCast(Operation *op) { return isCast(op, isF32, isHalf); }

bool mlir::tfc::areNarrowingCasts(ArrayRef<Operation *> ops) { return llvm::all_of(ops, isNarrowingCast); }

/// Whether a kernel of its own makes the value and could store it narrow: no cast of it need be anywhere else.
static bool isMadeNarrow(Value value) {
  Operation *maker = value.getDefiningOp();
  return maker && value.hasOneUse() && !isa<ReshapeOp, TransposeOp, SliceOp, ConcatOp>(maker);
}

bool mlir::tfc::isOperandCast(CastOp cast, ArrayRef<Operation *> users) {
  bool isWidening = isWideningCast(cast);
  if (!isWidening && (!isNarrowingCast(cast) || isMadeNarrow(cast.getX())))
    return false;
  return llvm::all_of(users, [&](Operation *user) {
    if (auto matmul = dyn_cast<MatmulOp>(user))
      return isWidening && !matmul.getTransposeA();
    if (isa<AttentionOp>(user))
      return isWidening && isProductOperandOnly(cast, user);
    return isStridedView(user) || isWideningCast(user);
  });
}

static bool isOfWeight(CastOp op) {
  return op.getX().getDefiningOp<WeightRefOp>() && cast<RankedTensorType>(op.getX().getType()).getRank() == 2;
}

bool mlir::tfc::isStoredOperandCast(CastOp cast, ArrayRef<Operation *> users) {
  if (!isWideningCast(cast))
    return false;
  auto isOfAttention = [&](Operation *user) { return isa<AttentionOp>(user) ? isProductOperandOnly(cast, user) : isStridedView(user); };
  auto matmul = users.size() == 1 ? dyn_cast<MatmulOp>(users.front()) : MatmulOp();
  if (!matmul)
    return llvm::all_of(users, isOfAttention);
  return isOfWeight(cast) && matmul.getB() == cast.getY() && matmul.getA() != cast.getY() && !matmul.getTransposeA();
}

Value mlir::tfc::skipWideningCast(Value operand) {
  Operation *maker = operand.getDefiningOp();
  return isWideningCast(maker) ? maker->getOperand(0) : operand;
}

bool mlir::tfc::hasHalfNumbers(ModuleOp module) {
  auto isOfHalf = [](Type type) { return isHalf(getElementTypeOrSelf(type)); };
  auto find = [&](Operation *op) {
    bool hasHalf = op->hasAttr(kOperandType) || llvm::any_of(op->getResultTypes(), isOfHalf) || llvm::any_of(op->getOperandTypes(), isOfHalf);
    return hasHalf ? WalkResult::interrupt() : WalkResult::advance();
  };
  return module.walk(find).wasInterrupted();
}

void mlir::tfc::separateOperandCasts(Block &block, bool weightsOnly) {
  SmallVector<CastOp> casts;
  for (auto cast : block.getOps<CastOp>())
    if (isWideningCast(cast) && !cast->hasOneUse() && (!weightsOnly || isOfWeight(cast)))
      casts.push_back(cast);
  for (CastOp cast : casts)
    for (OpOperand &use : llvm::make_early_inc_range(cast.getY().getUses())) {
      if (cast.getY().hasOneUse() || !isa<MatmulOp, AttentionOp>(use.getOwner()))
        continue;
      OpBuilder builder(use.getOwner());
      use.set(builder.clone(*cast)->getResult(0));
    }
}
