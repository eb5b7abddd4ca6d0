//===- Broadcast.cpp - Numpy's broadcasting on dim expressions -----------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Dialect/Tfc/IR/Broadcast.h"

using namespace mlir;
using namespace mlir::tfc;

/// min(c, x) with c > 1 where x is the result: the requirement (min(c, x) is 1 or x) holds only where they are equal.
static bool isBoundedBy(DimExprAttr operandDim, DimExprAttr resultDim) {
  if (operandDim.getCoefficients().size() != 1 || operandDim.getCoefficients()[0] != 1 ||
      operandDim.getMonomials()[0].size() != 1)
    return false;
  auto call = dyn_cast<DimCallAttr>(operandDim.getMonomials()[0][0]);
  if (!call || call.getKind() != DimCallKind::Min)
    return false;
  return (call.getLhs() == resultDim && call.getRhs().getConstant().value_or(0) > 1) ||
         (call.getRhs() == resultDim && call.getLhs().getConstant().value_or(0) > 1);
}

BroadcastRelation mlir::tfc::relateBroadcast(DimExprAttr operandDim, DimExprAttr resultDim) {
  if (operandDim == resultDim || isBoundedBy(operandDim, resultDim))
    return BroadcastRelation::Same;
  if (operandDim.isConstant(1))
    return BroadcastRelation::One;
  // A constant other than 1 must be equal.
  if (operandDim.isConstant())
    return BroadcastRelation::Same;
  return BroadcastRelation::Unknown;
}

FailureOr<DimExprAttr> mlir::tfc::broadcastDim(DimExprAttr a, DimExprAttr b) {
  std::optional<int64_t> x = a.getConstant(), y = b.getConstant();
  if (x && y && *x != *y && *x != 1 && *y != 1)
    return failure();
  return DimExprAttr::call(DimCallKind::Broadcast, a, b);
}

FailureOr<SmallVector<DimExprAttr>> mlir::tfc::broadcastDims(ArrayRef<SmallVector<DimExprAttr>> shapes) {
  SmallVector<DimExprAttr> result;
  for (const SmallVector<DimExprAttr> &shape : shapes) {
    if (shape.size() > result.size())
      result.insert(result.begin(), shape.size() - result.size(), DimExprAttr{});
    size_t offset = result.size() - shape.size();
    for (auto [index, dim] : llvm::enumerate(shape)) {
      DimExprAttr &slot = result[offset + index];
      if (!slot) {
        slot = dim;
        continue;
      }
      FailureOr<DimExprAttr> both = broadcastDim(slot, dim);
      if (failed(both))
        return failure();
      slot = *both;
    }
  }
  return result;
}

bool mlir::tfc::isBroadcastableTo(ArrayRef<DimExprAttr> from, ArrayRef<DimExprAttr> to) {
  if (from.size() > to.size())
    return false;
  for (auto [operandDim, resultDim] : llvm::zip_equal(from, to.take_back(from.size()))) {
    std::optional<int64_t> x = operandDim.getConstant(), y = resultDim.getConstant();
    if (x && y && *x != *y && *x != 1)
      return false;
  }
  return true;
}
