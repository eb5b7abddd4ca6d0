//===- ContractionEpilogue.cpp - What a matrix product does to its elements at the end ------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Codegen/Common/ContractionEpilogue.h"

#include "llvm/ADT/SmallPtrSet.h"

using namespace mlir;
using namespace mlir::tfc;

static Type elementOf(Value value) { return cast<RankedTensorType>(value.getType()).getElementType(); }

std::optional<EpilogueRead> mlir::tfc::getEpilogueRead(Type type, ArrayRef<DimExprAttr> productDims) {
  SmallVector<DimExprAttr> dims = getDims(type);
  if (ArrayRef(dims) == productDims)
    return EpilogueRead::Same;
  auto isOne = [](DimExprAttr dim) { return dim && dim.isConstant(1); };
  if (dims.size() > productDims.size() || !llvm::all_of(ArrayRef(dims).drop_back(dims.empty() ? 0 : 1), isOne))
    return std::nullopt;
  if (dims.empty() || isOne(dims.back()))
    return EpilogueRead::One;
  return dims.back() == productDims.back() ? std::optional(EpilogueRead::Columns) : std::nullopt;
}

std::optional<double> mlir::tfc::matchSplat(Value value) {
  auto constant = value.getDefiningOp<ConstantOp>();
  auto splat = constant ? dyn_cast<SplatElementsAttr>(constant.getValue()) : SplatElementsAttr();
  if (!splat || !isa<FloatType>(splat.getElementType()))
    return std::nullopt;
  return splat.getSplatValue<APFloat>().convertToDouble();
}

/// A cast of numbers to whole bytes, which can be stored in place of them.
static bool isStoredCast(Operation *op) {
  auto cast = dyn_cast<CastOp>(op);
  Type element = cast ? elementOf(cast.getResult()) : Type();
  return cast && elementOf(cast.getX()).isF32() && (element.isF16() || element.isBF16() || element.isF64() || element.isInteger(8) || element.isInteger(32) || element.isInteger(64));
}

bool mlir::tfc::leadsToProduct(Value value) {
  for (int depth = 0; depth < 16; ++depth) {
    Operation *op = value.getDefiningOp();
    if (isa_and_nonnull<MatmulOp>(op))
      return op->hasOneUse();
    if (!isa_and_nonnull<ElementwiseOpInterface>(op) || !op->hasOneUse() || op->getNumResults() != 1)
      return false;
    // Of several operands, the product is the one that something computes beside what lies in memory.
    auto isMade = [&](Value operand) { return isa_and_nonnull<MatmulOp, ElementwiseOpInterface>(operand.getDefiningOp()) && operand.hasOneUse(); };
    auto next = llvm::find_if(op->getOperands(), isMade);
    if (next == op->operand_end())
      return false;
    value = *next;
  }
  return false;
}

bool mlir::tfc::isEpilogue(ArrayRef<Operation *> ops, MatmulOp product) {
  SmallVector<DimExprAttr> dims = getDims(product.getC());
  llvm::SmallPtrSet<Operation *, 16> members(ops.begin(), ops.end());
  auto isOperand = [&](Value operand) {
    Operation *maker = operand.getDefiningOp();
    if (maker && (maker == product || members.contains(maker)))
      return true;
    return elementOf(operand).isF32() &&
           (matchSplat(operand) || (!isa_and_nonnull<ConstantOp>(maker) && getEpilogueRead(operand.getType(), dims)));
  };
  if (!elementOf(product.getC()).isF32() || product.getTransposeA())
    return false;
  Value made = ops.empty() ? Value(product.getC()) : ops.back()->getResult(0);
  // How the result lies is the last thing to be said, and its type the last but one.
  if (auto transpose = ops.empty() ? TransposeOp() : dyn_cast<TransposeOp>(ops.back())) {
    ops = ops.drop_back();
    made = transpose.getX();
    if (made != (ops.empty() ? Value(product.getC()) : ops.back()->getResult(0)))
      return false;
  }
  Operation *last = ops.empty() ? nullptr : ops.back();
  for (Operation *op : ops) {
    if (!isa<ElementwiseOpInterface>(op) || op->getNumResults() != 1)
      return false;
    Value result = op->getResult(0);
    bool isTruth = elementOf(result).isInteger(1), isLastCast = op == last && isStoredCast(op);
    if ((!elementOf(result).isF32() && !isTruth && !isLastCast) || !getEpilogueRead(result.getType(), dims) ||
        !llvm::all_of(op->getOperands(), isOperand))
      return false;
  }
  return !last || (getDims(made) == dims && (elementOf(made).isF32() || isStoredCast(last)));
}
