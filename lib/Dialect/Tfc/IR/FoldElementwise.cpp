//===- FoldElementwise.cpp - Elementwise ops on scalars and shapes -----------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "ConstantTensor.h"

#include "tfc/Dialect/Tfc/IR/TfcOps.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

using namespace mlir;
using namespace mlir::tfc;

namespace {

using Element = ConstantElement;
using MaybeElement = std::optional<ConstantElement>;

MaybeElement foldFloatUnary(Operation *op, double x) {
  return llvm::TypeSwitch<Operation *, MaybeElement>(op)
      .Case<AbsOp>([&](auto) { return Element::ofFloat(std::fabs(x)); })
      .Case<NegOp>([&](auto) { return Element::ofFloat(-x); })
      .Case<SignOp>([&](auto) { return Element::ofFloat(std::isnan(x) ? x : (x > 0) - (x < 0)); })
      .Case<CeilOp>([&](auto) { return Element::ofFloat(std::ceil(x)); })
      .Case<FloorOp>([&](auto) { return Element::ofFloat(std::floor(x)); })
      .Case<RoundOp>([&](auto) { return Element::ofFloat(std::nearbyint(x)); })
      .Case<ExpOp>([&](auto) { return Element::ofFloat(std::exp(x)); })
      .Case<LogOp>([&](auto) { return Element::ofFloat(std::log(x)); })
      .Case<SqrtOp>([&](auto) { return Element::ofFloat(std::sqrt(x)); })
      .Case<ReciprocalOp>([&](auto) { return Element::ofFloat(1.0 / x); })
      .Case<SinOp>([&](auto) { return Element::ofFloat(std::sin(x)); })
      .Case<CosOp>([&](auto) { return Element::ofFloat(std::cos(x)); })
      .Case<TanhOp>([&](auto) { return Element::ofFloat(std::tanh(x)); })
      .Case<ErfOp>([&](auto) { return Element::ofFloat(std::erf(x)); })
      .Case<SigmoidOp>([&](auto) { return Element::ofFloat(1.0 / (1.0 + std::exp(-x))); })
      .Case<SiluOp>([&](auto) { return Element::ofFloat(x / (1.0 + std::exp(-x))); })
      .Case<ReluOp>([&](auto) { return Element::ofFloat(x < 0 ? 0.0 : x); })
      .Case<IsNanOp>([&](auto) { return Element::ofInt(std::isnan(x)); })
      .Default([](Operation *) { return std::nullopt; });
}

MaybeElement foldIntUnary(Operation *op, int64_t x) {
  bool isBool = getElementTypeOrSelf(op->getOperand(0).getType()).isInteger(1);
  return llvm::TypeSwitch<Operation *, MaybeElement>(op)
      .Case<AbsOp>([&](auto) { return Element::ofInt(x < 0 ? static_cast<int64_t>(-static_cast<uint64_t>(x)) : x); })
      .Case<NegOp>([&](auto) { return Element::ofInt(static_cast<int64_t>(-static_cast<uint64_t>(x))); })
      .Case<SignOp>([&](auto) { return Element::ofInt((x > 0) - (x < 0)); })
      .Case<ReluOp>([&](auto) { return Element::ofInt(std::max<int64_t>(x, 0)); })
      .Case<NotOp>([&](auto) { return Element::ofInt(isBool ? !x : ~x); })
      .Default([](Operation *) { return std::nullopt; });
}

MaybeElement foldFloatBinary(Operation *op, double x, double y) {
  return llvm::TypeSwitch<Operation *, MaybeElement>(op)
      .Case<AddOp>([&](auto) { return Element::ofFloat(x + y); })
      .Case<SubOp>([&](auto) { return Element::ofFloat(x - y); })
      .Case<MulOp>([&](auto) { return Element::ofFloat(x * y); })
      .Case<DivOp>([&](auto) { return Element::ofFloat(x / y); })
      .Case<PowOp>([&](auto) { return Element::ofFloat(std::pow(x, y)); })
      .Case<MinOp>([&](auto) { return Element::ofFloat(std::isnan(x) || y > x ? x : y); })
      .Case<MaxOp>([&](auto) { return Element::ofFloat(std::isnan(x) || y < x ? x : y); })
      .Default([](Operation *) { return std::nullopt; });
}

MaybeElement foldIntBinary(Operation *op, int64_t x, int64_t y) {
  uint64_t ux = x, uy = y;
  return llvm::TypeSwitch<Operation *, MaybeElement>(op)
      .Case<AddOp>([&](auto) { return Element::ofInt(static_cast<int64_t>(ux + uy)); })
      .Case<SubOp>([&](auto) { return Element::ofInt(static_cast<int64_t>(ux - uy)); })
      .Case<MulOp>([&](auto) { return Element::ofInt(static_cast<int64_t>(ux * uy)); })
      .Case<DivOp>([&](auto) { return Element::ofInt(y == 0 ? 0 : (y == -1 ? static_cast<int64_t>(-ux) : x / y)); })
      .Case<ModOp>([&](ModOp mod) {
        if (y == 0 || y == -1)
          return Element::ofInt(0);
        int64_t rest = x % y;
        return Element::ofInt(!mod.getFmod() && rest != 0 && (rest < 0) != (y < 0) ? rest + y : rest);
      })
      .Case<MinOp>([&](auto) { return Element::ofInt(std::min(x, y)); })
      .Case<MaxOp>([&](auto) { return Element::ofInt(std::max(x, y)); })
      .Case<AndOp>([&](auto) { return Element::ofInt(x & y); })
      .Case<OrOp>([&](auto) { return Element::ofInt(x | y); })
      .Case<XorOp>([&](auto) { return Element::ofInt(x ^ y); })
      .Default([](Operation *) { return std::nullopt; });
}

/// Integer arithmetic on expressions. Truncating division is floor division where both sides are not negative.
MaybeElement foldDimBinary(Operation *op, DimExprAttr x, DimExprAttr y) {
  return llvm::TypeSwitch<Operation *, MaybeElement>(op)
      .Case<AddOp>([&](auto) { return Element::ofDim(x + y); })
      .Case<SubOp>([&](auto) { return Element::ofDim(x - y); })
      .Case<MulOp>([&](auto) { return Element::ofDim(x * y); })
      .Case<DivOp>([&](auto) -> MaybeElement {
        if (std::optional<DimExprAttr> exact = x.exactDiv(y); exact && y.isConstant() && !y.isConstant(0))
          return Element::ofDim(*exact);
        if (!x.isNonNegative() || !y.isNonNegative())
          return std::nullopt;
        return Element::ofDim(x.floorDiv(y));
      })
      .Case<ModOp>([&](auto) -> MaybeElement {
        if (!x.isNonNegative() || !y.isNonNegative())
          return std::nullopt;
        return Element::ofDim(x.mod(y));
      })
      .Case<MinOp>([&](auto) { return Element::ofDim(x.min(y)); })
      .Case<MaxOp>([&](auto) { return Element::ofDim(x.max(y)); })
      .Default([](Operation *) { return std::nullopt; });
}

template <typename T> bool compareValues(CompareKind kind, T x, T y) {
  switch (kind) {
  case CompareKind::Eq:
    return x == y;
  case CompareKind::Ne:
    return x != y;
  case CompareKind::Lt:
    return x < y;
  case CompareKind::Le:
    return x <= y;
  case CompareKind::Gt:
    return x > y;
  case CompareKind::Ge:
    return x >= y;
  }
  return false;
}

/// Decides a comparison of expressions from the sign of their difference; symbols are lengths.
MaybeElement compareDims(CompareKind kind, DimExprAttr x, DimExprAttr y) {
  DimExprAttr difference = x - y, opposite = y - x;
  if (x == y)
    return Element::ofInt(compareValues<int64_t>(kind, 0, 0));
  // x >= y + 1 or y >= x + 1: every comparison is decided.
  if (difference.isPositive())
    return Element::ofInt(compareValues<int64_t>(kind, 1, 0));
  if (opposite.isPositive())
    return Element::ofInt(compareValues<int64_t>(kind, 0, 1));
  if (difference.isNonNegative() && (kind == CompareKind::Ge || kind == CompareKind::Lt))
    return Element::ofInt(kind == CompareKind::Ge);
  if (opposite.isNonNegative() && (kind == CompareKind::Le || kind == CompareKind::Gt))
    return Element::ofInt(kind == CompareKind::Le);
  return std::nullopt;
}

MaybeElement foldCast(CastOp cast, const Element &x) {
  Type to = getElementTypeOrSelf(cast.getY().getType());
  unsigned width = to.getIntOrFloatBitWidth();
  if (isa<FloatType>(to)) {
    if (width < 16 || x.kind == Element::Dim)
      return std::nullopt;
    return Element::ofFloat(x.kind == Element::Float ? x.number : static_cast<double>(x.integer));
  }
  if (x.kind == Element::Float) {
    if (to.isInteger(1))
      return Element::ofInt(x.number != 0);
    // Out of range is the lowering's business: it decides what the target does.
    if (!(std::fabs(x.number) < 9.0e18))
      return std::nullopt;
    return Element::ofInt(static_cast<int64_t>(x.number));
  }
  if (x.kind == Element::Dim)
    return width >= 32 && to.isSignlessInteger() ? MaybeElement(x) : std::nullopt;
  return to.isInteger(1) ? Element::ofInt(x.integer != 0) : x;
}

/// One element from one element of each operand.
MaybeElement foldElement(Operation *op, ArrayRef<Element> x) {
  MLIRContext *context = op->getContext();
  if (auto cast = dyn_cast<CastOp>(op))
    return foldCast(cast, x[0]);
  if (isa<SelectOp>(op))
    return x[0].kind == Element::Int ? MaybeElement(x[0].integer ? x[1] : x[2]) : std::nullopt;
  if (auto compare = dyn_cast<CompareOp>(op)) {
    if (x[0].kind == Element::Float)
      return Element::ofInt(compareValues(compare.getKind(), x[0].number, x[1].number));
    return compareDims(compare.getKind(), x[0].asDim(context), x[1].asDim(context));
  }
  if (x.size() == 1) {
    if (x[0].kind == Element::Float)
      return foldFloatUnary(op, x[0].number);
    if (x[0].kind == Element::Int)
      return foldIntUnary(op, x[0].integer);
    if (isa<NegOp>(op))
      return Element::ofDim(x[0].dim * -1);
    if (isa<AbsOp, ReluOp>(op) && x[0].dim.isNonNegative())
      return x[0];
    return std::nullopt;
  }
  if (x[0].kind == Element::Float)
    return foldFloatBinary(op, x[0].number, x[1].number);
  if (x[0].kind == Element::Int && x[1].kind == Element::Int)
    return foldIntBinary(op, x[0].integer, x[1].integer);
  return foldDimBinary(op, x[0].asDim(context), x[1].asDim(context));
}

/// Unsigned 64-bit values do not fit the elements here; leave them to the reference lowering.
bool hasUnsigned64(Operation *op) {
  auto isUnsigned64 = [](Type type) { return getElementTypeOrSelf(type).isUnsignedInteger(64); };
  return llvm::any_of(op->getOperandTypes(), isUnsigned64) || llvm::any_of(op->getResultTypes(), isUnsigned64);
}

} // namespace

Attribute mlir::tfc::foldElementwise(Operation *op, ArrayRef<Attribute> operands) {
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  if (!countElements(type, ConstantTensor::kLimit) || hasUnsigned64(op))
    return {};
  SmallVector<ConstantTensor, 3> inputs;
  for (Attribute operand : operands) {
    std::optional<ConstantTensor> input = ConstantTensor::load(operand);
    if (!input)
      return {};
    inputs.push_back(std::move(*input));
  }
  SmallVector<int64_t> strides = computeStrides(type.getShape());
  ConstantTensor result{type, {}};
  for (int64_t linear = 0, count = type.getNumElements(); linear < count; ++linear) {
    SmallVector<Element, 3> elements;
    for (const ConstantTensor &input : inputs) {
      ArrayRef<int64_t> shape = input.type.getShape();
      SmallVector<int64_t> inputStrides = computeStrides(shape);
      int64_t at = 0;
      for (auto [index, size] : llvm::enumerate(shape)) {
        size_t dim = type.getRank() - shape.size() + index;
        at += size == 1 ? 0 : linear / strides[dim] % type.getDimSize(dim) * inputStrides[index];
      }
      elements.push_back(input.elements[at]);
    }
    MaybeElement element = foldElement(op, elements);
    if (!element)
      return {};
    result.elements.push_back(*element);
  }
  return result.store();
}
