//===- WidenNumbers.cpp - A bias in a wider type ----------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// In f16, a score plus the lowest number is that number, whatever the score: a row of masked scores only has equal
// probabilities. In f32 the same sum would keep the score, so the lowest number of f16 has to become that of f32.
//
//===----------------------------------------------------------------------------------------------===//

#include "WidenNumbers.h"

#include "tfc/Dialect/Tfc/IR/BuildOp.h"
#include "tfc/Dialect/Tfc/IR/TfcOps.h"

#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::tfc;

static APFloat lowestOf(FloatType type) { return APFloat::getLargest(type.getFloatSemantics(), /*Negative=*/true); }

static Type withElement(Value value, Type element) { return getTensorType(getDims(value), element); }

/// Exact, but for the lowest number, and the largest, which makes it of a mask.
static APFloat widen(APFloat number, FloatType from, FloatType to) {
  APFloat lowest = lowestOf(from);
  if (number.bitwiseIsEqual(lowest))
    return lowestOf(to);
  if (number.bitwiseIsEqual(neg(lowest)))
    return neg(lowestOf(to));
  bool losesInfo;
  number.convert(to.getFloatSemantics(), APFloat::rmNearestTiesToEven, &losesInfo);
  return number;
}

/// An op that only moves its operands' elements, or adds and multiplies them.
static bool isComputedAlike(Operation *op) {
  return isa<AddOp, SubOp, MulOp, NegOp, SelectOp, ExpandOp, ReshapeOp, SliceOp, TransposeOp, TriluOp, ConcatOp>(op);
}

static FailureOr<Value> widenAny(OpBuilder &builder, Value value, FloatType to) {
  Location loc = value.getLoc();
  auto from = cast<FloatType>(getElementTypeOrSelf(value.getType()));
  FailureOr<Value> wide = buildOp<CastOp>(builder, loc, value, {}, withElement(value, to));
  // The lowest numbers of bf16 and f32 are near enough.
  if (failed(wide) || !from.isF16())
    return wide;
  auto constant = [&](FloatType element) {
    auto scalar = RankedTensorType::get({}, element);
    return buildOp<ConstantOp>(builder, loc, {}, builder.getNamedAttr("value", DenseElementsAttr::get(scalar, lowestOf(element))), scalar);
  };
  FailureOr<Value> narrowLowest = constant(from), lowest = constant(to);
  if (failed(narrowLowest) || failed(lowest))
    return failure();
  FailureOr<Value> isLowest = buildOp<CompareOp>(
      builder, loc, {value, *narrowLowest},
      builder.getNamedAttr("kind", CompareKindAttr::get(builder.getContext(), CompareKind::Eq)));
  return failed(isLowest) ? isLowest : buildOp<SelectOp>(builder, loc, {*isLowest, *lowest, *wide});
}

static FailureOr<Value> widenTree(OpBuilder &builder, Value value, FloatType to, int depth) {
  auto from = dyn_cast<FloatType>(getElementTypeOrSelf(value.getType()));
  Operation *op = value.getDefiningOp();
  if (!from)
    return value;
  if (!op || depth > 12)
    return widenAny(builder, value, to);
  if (DenseFPElementsAttr dense; matchPattern(value, m_Constant(&dense)) && isa<ConstantOp>(op)) {
    auto wide = dense.mapValues(to, [&](const APFloat &number) { return widen(number, from, to).bitcastToAPInt(); });
    return buildOp<ConstantOp>(builder, op->getLoc(), {}, builder.getNamedAttr("value", wide), withElement(value, to));
  }
  // Conditions and counts become numbers of any type.
  if (auto castOp = dyn_cast<CastOp>(op); castOp && !isa<FloatType>(getElementTypeOrSelf(castOp.getX().getType()))) {
    Operation *copy = builder.clone(*op);
    copy->getResult(0).setType(withElement(value, to));
    return copy->getResult(0);
  }
  if (!isComputedAlike(op))
    return widenAny(builder, value, to);
  IRMapping mapping;
  for (Value operand : op->getOperands()) {
    FailureOr<Value> wide = mapping.contains(operand) ? FailureOr<Value>(mapping.lookup(operand))
                                                      : widenTree(builder, operand, to, depth + 1);
    if (failed(wide))
      return failure();
    mapping.map(operand, *wide);
  }
  Operation *copy = builder.clone(*op, mapping);
  copy->getResult(0).setType(withElement(value, to));
  return copy->getResult(0);
}

/// The value itself where it holds no cast of f16.
static FailureOr<Value> widenLowestOf(OpBuilder &builder, Value value, int depth) {
  Operation *op = value.getDefiningOp();
  if (!op || depth > 12)
    return value;
  if (auto castOp = dyn_cast<CastOp>(op); castOp && getElementTypeOrSelf(castOp.getX().getType()).isF16())
    return widenAny(builder, castOp.getX(), cast<FloatType>(getElementTypeOrSelf(value.getType())));
  if (!isComputedAlike(op))
    return value;
  IRMapping mapping;
  bool changed = false;
  for (Value operand : op->getOperands()) {
    FailureOr<Value> wide = widenLowestOf(builder, operand, depth + 1);
    if (failed(wide))
      return failure();
    changed |= *wide != operand;
    mapping.map(operand, *wide);
  }
  return changed ? builder.clone(*op, mapping)->getResult(0) : value;
}

FailureOr<Value> mlir::tfc::widenLowest(OpBuilder &builder, Value value) {
  return getElementTypeOrSelf(value.getType()).isF32() ? widenLowestOf(builder, value, 0) : FailureOr<Value>(value);
}

FailureOr<Value> mlir::tfc::widenNumbers(OpBuilder &builder, Value value, FloatType to) {
  return widenTree(builder, value, to, 0);
}
