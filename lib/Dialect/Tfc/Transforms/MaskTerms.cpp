//===- MaskTerms.cpp - What masks and biases of attention are made of ---------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "MaskTerms.h"
#include "GraphMatchers.h"

#include "tfc/Dialect/Tfc/IR/BuildOp.h"

#include <cmath>

using namespace mlir;
using namespace mlir::tfc;

namespace {

/// A bool that must hold, or with `isNegated` must not.
struct Condition {
  Value value;
  bool isNegated;
  bool isCut = false; ///< only its first columns count, as many as there are keys
};

/// A summand that is 0 where all conditions hold, else `fill`.
struct MaskTerm {
  SmallVector<Condition> conditions;
  double fill;
};

} // namespace

/// Takes a conjunction apart.
static void flatten(Condition condition, SmallVectorImpl<Condition> &parts) {
  Operation *op = condition.value.getDefiningOp();
  if (isa_and_nonnull<NotOp>(op))
    return flatten({op->getOperand(0), !condition.isNegated}, parts);
  if (condition.isNegated ? isa_and_nonnull<OrOp>(op) : isa_and_nonnull<AndOp>(op)) {
    flatten({op->getOperand(0), condition.isNegated}, parts);
    flatten({op->getOperand(1), condition.isNegated}, parts);
    return;
  }
  parts.push_back(condition);
}

/// True for the first `keys` columns of a tensor, and nothing else cut away.
static bool cutsToKeys(SliceOp op, DimExprAttr keys) {
  SmallVector<DimExprAttr> from = getDims(op.getX()), to = getDims(op.getType());
  if (from.empty() || ArrayRef(from).drop_back() != ArrayRef(to).drop_back() || (to.back() != keys && to.back() != from.back().min(keys)))
    return false;
  return llvm::all_of(op.getStrides(), [](int64_t stride) { return stride == 1; }) &&
         llvm::all_of(op.getOffsets().getAsRange<DimExprAttr>(), [](DimExprAttr offset) { return offset.isConstant(0); });
}

static std::optional<MaskTerm> readMaskTerm(Value value, DimExprAttr keys, const llvm::fltSemantics &semantics, int depth = 0) {
  if (std::optional<Band> band = matchBand(value);
      band && !band->isUniform() && (band->inside == 0) != (band->outside == 0)) {
    // The whole term is one condition: that it is 0.
    double fill = band->inside == 0 ? band->outside : band->inside;
    if (classifyFill(fill, semantics) != MaskFill::None)
      return MaskTerm{{{value, false}}, fill};
    return std::nullopt;
  }
  if (auto slice = value.getDefiningOp<SliceOp>(); slice && depth == 0 && cutsToKeys(slice, keys)) {
    std::optional<MaskTerm> whole = readMaskTerm(slice.getX(), keys, semantics, depth + 1);
    if (whole)
      for (Condition &condition : whole->conditions)
        condition.isCut = true;
    return whole;
  }
  auto select = value.getDefiningOp<SelectOp>();
  if (!select || depth > 8)
    return std::nullopt;
  std::optional<double> x = matchScalar(select.getX()), y = matchScalar(select.getY());
  bool isMaskedWhereTrue = x && classifyFill(*x, semantics) != MaskFill::None;
  if (!isMaskedWhereTrue && (!y || classifyFill(*y, semantics) == MaskFill::None))
    return std::nullopt;
  MaskTerm term{{}, isMaskedWhereTrue ? *x : *y};
  flatten({select.getCondition(), isMaskedWhereTrue}, term.conditions);
  std::optional<double> other = isMaskedWhereTrue ? y : x;
  if (other == 0.0)
    return term;
  if (other)
    return std::nullopt;
  // Another mask that puts the same number.
  std::optional<MaskTerm> inner = readMaskTerm(isMaskedWhereTrue ? select.getY() : select.getX(), keys, semantics, depth + 1);
  if (!inner || inner->fill != term.fill)
    return std::nullopt;
  term.conditions.append(inner->conditions);
  return term;
}

namespace {

class BoundTaker {
public:
  BoundTaker(OpBuilder &builder, Location loc, ScoreChain &chain, DimExprAttr queries, DimExprAttr keys, PositionBounds &bounds)
      : builder(builder), loc(loc), chain(chain), queries(queries), keys(keys), bounds(bounds) {}

  LogicalResult run() {
    if (chain.mask && failed(takeFromMask()))
      return failure();
    return chain.bias ? takeFromBias() : success();
  }

private:
  /// Takes what are positions into `found`; the others are left.
  SmallVector<Condition> take(ArrayRef<Condition> conditions, PositionBounds &found) {
    SmallVector<Condition> left;
    for (const Condition &condition : conditions) {
      // A float that is 0 where the key is allowed.
      bool isTerm = !getElementTypeOrSelf(condition.value.getType()).isInteger(1);
      if (!takeBand(condition.value, condition.isNegated != isTerm, queries, keys, found))
        left.push_back(condition);
    }
    return left;
  }

  /// What broadcasts over the keys stays as it is, also where only the run knows that it does.
  FailureOr<Value> cut(Value value) {
    SmallVector<DimExprAttr> dims = getDims(value);
    if (dims.empty() || dims.back().isConstant(1) || dims.back() == keys)
      return value;
    SmallVector<Attribute> offsets(dims.size(), DimExprAttr::constant(builder.getContext(), 0));
    SmallVector<int64_t> strides(dims.size(), 1);
    dims.back() = dims.back().min(keys);
    return buildOp<SliceOp>(builder, loc, value,
                            {builder.getNamedAttr("offsets", builder.getArrayAttr(offsets)),
                             builder.getNamedAttr("strides", builder.getDenseI64ArrayAttr(strides))},
                            getTensorType(dims, getElementTypeOrSelf(value.getType())));
  }

  FailureOr<Value> conjunction(ArrayRef<Condition> conditions) {
    Value all;
    for (const Condition &condition : conditions) {
      FailureOr<Value> one = condition.isCut ? cut(condition.value) : FailureOr<Value>(condition.value);
      if (succeeded(one) && condition.isNegated)
        one = buildOp<NotOp>(builder, loc, *one);
      if (succeeded(one) && all)
        one = buildOp<AndOp>(builder, loc, {all, *one});
      if (failed(one))
        return failure();
      all = *one;
    }
    return all;
  }

  LogicalResult takeFromMask() {
    SmallVector<Condition> conditions;
    flatten({chain.mask, false}, conditions);
    PositionBounds found;
    SmallVector<Condition> left = take(conditions, found);
    if (!found.any())
      return success();
    FailureOr<Value> mask = conjunction(left);
    if (failed(mask))
      return failure();
    chain.mask = *mask;
    bounds = found;
    return success();
  }

  /// Whether masking with the term's number is what adding it was; `others` are the other summands.
  bool isMask(const MaskTerm &term, bool hasOthers, bool isAllPositions) {
    bool isMasked = chain.mask || bounds.any();
    switch (classifyFill(term.fill, chain.semantics())) {
    case MaskFill::Infinite:
      return !isMasked || chain.fill == MaskFill::Infinite;
    case MaskFill::Lowest:
      // A score of usual size vanishes beside it, but not in the narrow range of f16.
      return !isMasked && &chain.semantics() != &APFloat::IEEEhalf();
    case MaskFill::Low:
      // Right only where every row has a key that is allowed: then the others get no probability either way.
      return !isMasked && !hasOthers && isAllPositions && (keys - queries).isNonNegative();
    case MaskFill::None:
      return false;
    }
    return false;
  }

  LogicalResult takeFromBias() {
    SmallVector<Value> summands, rest;
    SmallVector<Value> stack{chain.bias};
    while (!stack.empty()) {
      Value value = stack.pop_back_val();
      if (auto add = value.getDefiningOp<AddOp>(); add && summands.size() + stack.size() < 64)
        stack.append({add.getY(), add.getX()});
      else
        summands.push_back(value);
    }
    bool changed = false;
    for (auto [i, summand] : llvm::enumerate(summands)) {
      std::optional<MaskTerm> term = readMaskTerm(summand, keys, chain.semantics());
      PositionBounds found = bounds;
      SmallVector<Condition> left;
      if (term)
        left = take(term->conditions, found);
      // What is left must be bools, to make a mask of.
      bool isNew = term && left.size() < term->conditions.size() && llvm::all_of(left, [](const Condition &condition) {
                     return getElementTypeOrSelf(condition.value.getType()).isInteger(1);
                   });
      bool hasOthers = summands.size() > 1;
      if (!isNew || chain.isBiased || !isMask(*term, hasOthers, left.empty())) {
        rest.push_back(summand);
        continue;
      }
      if (chain.mask)
        left.push_back({chain.mask, false});
      FailureOr<Value> mask = conjunction(left);
      if (failed(mask))
        return failure();
      chain.mask = *mask;
      chain.fill = classifyFill(term->fill, chain.semantics());
      chain.fillValue = term->fill;
      chain.isBiased = chain.fill != MaskFill::Infinite && hasOthers;
      bounds = found;
      changed = true;
    }
    return changed ? rebuildBias(rest) : success();
  }

  LogicalResult rebuildBias(ArrayRef<Value> summands) {
    Value sum;
    for (Value summand : summands) {
      FailureOr<Value> next = sum ? buildOp<AddOp>(builder, loc, {sum, summand}) : FailureOr<Value>(summand);
      if (failed(next))
        return failure();
      sum = *next;
    }
    chain.bias = sum;
    return success();
  }

  OpBuilder &builder;
  Location loc;
  ScoreChain &chain;
  DimExprAttr queries, keys;
  PositionBounds &bounds;
};

} // namespace

LogicalResult mlir::tfc::takePositionBounds(OpBuilder &builder, Location loc, ScoreChain &chain, DimExprAttr queries,
                                            DimExprAttr keys, PositionBounds &bounds) {
  return BoundTaker(builder, loc, chain, queries, keys, bounds).run();
}
