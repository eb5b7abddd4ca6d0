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
  for (Operation *op : ops) {
    if (!isa<ElementwiseOpInterface>(op) || op->getNumResults() != 1)
      return false;
    Value result = op->getResult(0);
    bool isTruth = elementOf(result).isInteger(1);
    if ((!elementOf(result).isF32() && !isTruth) || !getEpilogueRead(result.getType(), dims) ||
        !llvm::all_of(op->getOperands(), isOperand))
      return false;
  }
  return elementOf(product.getC()).isF32() && !product.getTransposeA() &&
         (ops.empty() || (getDims(ops.back()->getResult(0)) == dims && elementOf(ops.back()->getResult(0)).isF32()));
}
