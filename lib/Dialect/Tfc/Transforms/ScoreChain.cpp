//===- ScoreChain.cpp - What stands between a product and its softmax ---------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "ScoreChain.h"
#include "GraphMatchers.h"
#include "WidenNumbers.h"

#include "tfc/Dialect/Tfc/IR/Broadcast.h"
#include "tfc/Dialect/Tfc/IR/BuildOp.h"

#include <cmath>

using namespace mlir;
using namespace mlir::tfc;

//===----------------------------------------------------------------------------------------------===//
// ScoreDims
//===----------------------------------------------------------------------------------------------===//

FailureOr<ScoreDims> ScoreDims::get(ArrayRef<Type> types) {
  // Where the graph merges batch and heads for the products and splits them for the mask, the split form counts.
  SmallVector<DimExprAttr> widest;
  for (Type type : types)
    if (SmallVector<DimExprAttr> candidate = getDims(type); candidate.size() > widest.size() && candidate.size() <= 4)
      widest = candidate;
  if (widest.size() < 2 || widest.size() > 4)
    return failure();
  DimExprAttr one = DimExprAttr::constant(types.front().getContext(), 1);
  ScoreDims result;
  result.rank = widest.size();
  result.dims = widest;
  while (result.dims.size() < 4)
    result.dims.insert(result.dims.end() - 2, one);
  return result;
}

FailureOr<SmallVector<DimExprAttr>> ScoreDims::align(ArrayRef<DimExprAttr> tensor) const {
  DimExprAttr one = DimExprAttr::constant(dims[0].getContext(), 1);
  SmallVector<DimExprAttr> aligned(tensor);
  if (tensor.size() == 4 && rank == 4)
    return aligned;
  if (tensor.size() == 3 && rank == 3) {
    aligned.insert(aligned.begin() + 1, one);
    return aligned;
  }
  // Batch and heads merged, in a graph that splits them elsewhere. The batch may be one that a mask broadcasts.
  if (tensor.size() == 3 && !tensor[0].isConstant(1))
    if (std::optional<DimExprAttr> batch = tensor[0].exactDiv(dims[1]); batch && isBroadcastOf(dims[0], *batch)) {
      aligned[0] = dims[1];
      aligned.insert(aligned.begin(), *batch);
      return aligned;
    }
  if (tensor.size() > 3 || (tensor.size() == 3 && !tensor[0].isConstant(1)))
    return failure();
  aligned.insert(aligned.begin(), 4 - aligned.size(), one);
  return aligned;
}

//===----------------------------------------------------------------------------------------------===//
// Finding the product
//===----------------------------------------------------------------------------------------------===//

/// True when `to` are the scores `from`, not broadcast by what is done to them, or only where the run's batches or numbers
/// of queries decide it. The number of keys may be written anew, as broadcast(past + seq, total): the product with the
/// values asks for as many keys as there are values.
static bool areSameScores(Type from, Type to) {
  if (from == to)
    return true;
  SmallVector<DimExprAttr> a = getDims(from), b = getDims(to);
  if (a.size() != b.size() || a.size() < 2 || getElementTypeOrSelf(from) != getElementTypeOrSelf(to))
    return false;
  for (size_t i = 0; i < a.size(); ++i) {
    bool isKeys = i + 1 == a.size();
    bool mayBroadcast = a.size() >= 3 && (i == 0 || i + 2 == a.size()) && isBroadcastableTo({a[i]}, {b[i]});
    if (a[i] != b[i] && (a[i].isConstant() || b[i].isConstant() || !(isKeys || mayBroadcast)))
      return false;
  }
  return true;
}

bool ScoreChain::search(Value value, int depth) {
  Operation *op = value.getDefiningOp();
  if (!op || depth > 24)
    return false;
  if (auto matmul = dyn_cast<MatmulOp>(op)) {
    product = matmul;
    return true;
  }
  // Which operands may be the scores.
  SmallVector<unsigned> operands;
  if (isa<AddOp, MulOp, MaxOp>(op))
    operands = {0, 1};
  else if (isa<SubOp, DivOp, TanhOp, ReshapeOp, CastOp>(op))
    operands = {0};
  else if (isa<SelectOp>(op))
    operands = {1, 2};
  for (unsigned i : operands) {
    // The scores are never broadcast by what is done to them.
    if (!isa<ReshapeOp, CastOp>(op) && !areSameScores(op->getOperand(i).getType(), value.getType())) {
      broadcast = broadcast ? broadcast : op;
      continue;
    }
    if (search(op->getOperand(i), depth + 1)) {
      steps.push_back(&op->getOpOperand(i));
      return true;
    }
  }
  if (!blocked && operands.empty())
    blocked = op;
  return false;
}

LogicalResult ScoreChain::find(Value softmaxInput) {
  if (search(softmaxInput, 0))
    return success();
  if (broadcast)
    return decision.decline(broadcast, "a mask or bias may broadcast the scores");
  if (blocked)
    return decision.decline(blocked, blocked->getName().getStringRef() + " stands where the product of queries and keys should be");
  return decision.declineValue(softmaxInput, "the softmax is not over scaled and masked products");
}

//===----------------------------------------------------------------------------------------------===//
// Reading the steps
//===----------------------------------------------------------------------------------------------===//

template <typename OpTy>
FailureOr<Value> ScoreChain::build(Operation *at, ValueRange operands, ArrayRef<NamedAttribute> attributes, TypeRange types) {
  return buildOp<OpTy>(builder, at->getLoc(), operands, attributes, types);
}

const llvm::fltSemantics &ScoreChain::semantics() {
  return cast<FloatType>(element).getFloatSemantics();
}

FailureOr<Value> ScoreChain::constant(Operation *at, const APFloat &value) {
  auto type = RankedTensorType::get({}, element);
  return build<ConstantOp>(at, {}, builder.getNamedAttr("value", DenseElementsAttr::get(type, value)), type);
}

LogicalResult ScoreChain::read(const ScoreDims &scoreDims) {
  dims = scoreDims;
  element = getElementTypeOrSelf(product.getC().getType());
  if (!isa<FloatType>(element))
    return decision.decline(product, "the product is not of floats");
  if (!product.getC().hasOneUse())
    return decision.decline(product, "the scores are used elsewhere too");
  for (OpOperand *step : steps) {
    if (failed(readStep(*step)))
      return failure();
    if (!step->getOwner()->hasOneUse())
      return decision.decline(step->getOwner(), "the scores are used elsewhere too");
  }
  return success();
}

LogicalResult ScoreChain::readStep(OpOperand &score) {
  Operation *op = score.getOwner();
  if (isa<ReshapeOp>(op)) {
    SmallVector<DimExprAttr> from = getDims(score.get()), to = getDims(op->getResult(0));
    if (from.size() < 2 || to.size() < 2 || ArrayRef(from).take_back(2) != ArrayRef(to).take_back(2))
      return decision.decline(op, "the scores are reshaped beyond batch and heads");
    return success();
  }
  if (isa<AddOp>(op))
    return add(op, getOtherOperand(op, score.get()), /*subtract=*/false);
  if (isa<SubOp>(op))
    return add(op, op->getOperand(1), /*subtract=*/true);
  if (auto selectOp = dyn_cast<SelectOp>(op))
    return select(selectOp, score.getOperandNumber() == 1);
  if (isa<MulOp, DivOp>(op)) {
    std::optional<ScaledValue> scaled = matchScaling(op);
    if (!scaled || scaled->x != score.get())
      return decision.decline(op, "the scores are scaled by something that is no scalar constant");
    return scaleBy(op, scaled->factor);
  }
  if (isa<TanhOp>(op))
    return cap(op);
  if (auto max = dyn_cast<MaxOp>(op))
    return raise(max, getOtherOperand(op, score.get()));
  if (auto cast = dyn_cast<CastOp>(op))
    return widen(cast);
  return decision.decline(op, op->getName().getStringRef() + " stands between the product and the softmax");
}

LogicalResult ScoreChain::scaleBy(Operation *op, double factor) {
  if (mask && !(fill == MaskFill::Infinite && factor > 0))
    return decision.decline(op, "the scores are scaled after they are masked");
  if (hasCap && factor <= 0)
    return decision.decline(op, "the bound of the scores is not positive");
  scale *= factor;
  if (!bias)
    return success();
  // The same op on the bias: the constant is its other operand.
  Value number = matchScalar(op->getOperand(1)) ? op->getOperand(1) : op->getOperand(0);
  FailureOr<Value> scaled = isa<MulOp>(op) ? build<MulOp>(op, {bias, number}) : build<DivOp>(op, {bias, number});
  if (failed(scaled))
    return failure();
  bias = *scaled;
  return success();
}

LogicalResult ScoreChain::cap(Operation *op) {
  if (hasCap)
    return decision.decline(op, "the scores go through two tanh");
  if (bias || mask)
    return decision.decline(op, "a mask or bias stands in front of the tanh of the scores");
  innerScale = scale;
  scale = 1;
  hasCap = true;
  return success();
}

/// The op takes what came before in the wider type too, and rounds less than the graph.
LogicalResult ScoreChain::widen(CastOp op) {
  auto to = dyn_cast<FloatType>(getElementTypeOrSelf(op.getType()));
  if (!to || to.getWidth() <= cast<FloatType>(element).getWidth())
    return decision.decline(op, "the scores lose digits between the product and the softmax");
  if (bias) {
    FailureOr<Value> wide = widenNumbers(builder, bias, to);
    if (failed(wide))
      return failure();
    bias = *wide;
  }
  element = to;
  if (mask && fill != MaskFill::Infinite)
    fill = classifyFill(fillValue, semantics());
  return success();
}

/// What stands beside scores of rank 5, whose batch is split into images and windows: one batch again, for which it is expanded where it is
/// the same for all images.
FailureOr<Value> ScoreChain::mergeWindows(Operation *at, Value extra) {
  SmallVector<DimExprAttr> scores = getDims(at->getResult(0)), own = getDims(extra);
  if (scores[0] * scores[1] != dims.dims[0] || scores[2] != dims.dims[1]) {
    (void)decision.decline(at, "the scores are split into other leading dims than batch and heads");
    return failure();
  }
  DimExprAttr one = DimExprAttr::constant(builder.getContext(), 1);
  own.insert(own.begin(), 5 - own.size(), one);
  Type element = getElementTypeOrSelf(extra.getType());
  bool isOneBatch = own[0] == one && own[1] == one;
  FailureOr<Value> whole = extra;
  if (!isOneBatch && (own[0] != scores[0] || own[1] != scores[1])) {
    own[0] = scores[0], own[1] = scores[1];
    whole = build<ExpandOp>(at, extra, {}, getTensorType(own, element));
  }
  SmallVector<DimExprAttr> merged(ArrayRef(own).drop_front());
  merged[0] = own[0] * own[1];
  return failed(whole) ? whole : build<ReshapeOp>(at, *whole, {}, getTensorType(merged, element));
}

FailureOr<Value> ScoreChain::align(Operation *at, Value extra) {
  if (getDims(at->getResult(0)).size() == 5 && dims.rank == 4)
    return getDims(extra).size() <= 2 ? FailureOr<Value>(extra) : mergeWindows(at, extra);
  // What has no dims for batch and heads broadcasts over them as it stands.
  SmallVector<DimExprAttr> from = getDims(extra);
  if (from.size() < 3 || (from.size() == 4 && dims.rank == 4))
    return extra;
  FailureOr<SmallVector<DimExprAttr>> aligned = dims.align(from);
  // In a graph of rank 4, rank 3 may also mean [heads, queries, keys].
  int64_t rank = cast<RankedTensorType>(at->getResult(0).getType()).getRank();
  if (dims.rank == 4 && rank == 4)
    return extra;
  if (failed(aligned)) {
    (void)decision.decline(at, "a mask or bias has other leading dims than batch and heads");
    return failure();
  }
  if (*aligned == from)
    return extra;
  return build<ReshapeOp>(at, extra, {}, getTensorType(*aligned, getElementTypeOrSelf(extra.getType())));
}

LogicalResult ScoreChain::add(Operation *op, Value extra, bool subtract) {
  if (!extra)
    return decision.decline(op, "the scores are added to themselves");
  FailureOr<Value> aligned = align(op, extra);
  if (failed(aligned))
    return failure();
  if (mask && fill != MaskFill::Infinite && !isBiased) {
    // Behind a mask with a finite number: the op adds all of the bias before the mask, or all behind it.
    if (bias && failed(moveMaskIntoBias(op)))
      return failure();
    isBiased = mask != nullptr;
  }
  FailureOr<Value> sum = *aligned;
  if (bias && subtract)
    sum = build<SubOp>(op, {bias, *aligned});
  else if (bias)
    sum = build<AddOp>(op, {bias, *aligned});
  else if (subtract)
    sum = build<NegOp>(op, *aligned);
  if (failed(sum))
    return failure();
  bias = *sum;
  return success();
}

LogicalResult ScoreChain::moveMaskIntoBias(Operation *at) {
  // score + lowest is lowest for every score of usual size, but not in the narrow range of f16.
  if (fill != MaskFill::Lowest || &semantics() == &APFloat::IEEEhalf())
    return decision.decline(at, "scores are masked with " + formatNumber(fillValue) + " between two biases or masks");
  FailureOr<Value> lowest = constant(at, APFloat::getLargest(semantics(), /*Negative=*/true));
  FailureOr<Value> otherwise = bias && !isBiased ? FailureOr<Value>(bias) : constant(at, APFloat::getZero(semantics()));
  if (failed(lowest) || failed(otherwise))
    return failure();
  FailureOr<Value> selected = build<SelectOp>(at, {mask, *otherwise, *lowest});
  if (succeeded(selected) && isBiased)
    selected = build<AddOp>(at, {*selected, bias});
  if (failed(selected))
    return failure();
  bias = *selected;
  mask = nullptr;
  fill = MaskFill::None;
  isBiased = false;
  return success();
}

MaskFill mlir::tfc::classifyFill(double value, const llvm::fltSemantics &semantics) {
  APFloat lowest = APFloat::getLargest(semantics, /*Negative=*/true);
  bool losesInfo;
  lowest.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &losesInfo);
  if (value == -INFINITY)
    return MaskFill::Infinite;
  // -3.4e38 and the like, as people write the lowest number by hand.
  if (value <= 0.999 * lowest.convertToDouble())
    return MaskFill::Lowest;
  return value <= -10000 ? MaskFill::Low : MaskFill::None;
}

LogicalResult ScoreChain::select(SelectOp op, bool scoreIsX) {
  std::optional<double> value = matchScalar(scoreIsX ? op.getY() : op.getX());
  if (!value)
    return decision.decline(op, "what masked scores become is no scalar constant");
  MaskFill newFill = classifyFill(*value, semantics());
  if (newFill == MaskFill::None)
    return decision.decline(op, "masked scores become " + formatNumber(*value) + ", which softmax does not take for nothing");
  if (isBiased && failed(moveMaskIntoBias(op)))
    return failure();
  if (mask && fillValue != *value)
    return decision.decline(op, "two masks put different numbers for masked scores");
  FailureOr<Value> allowed = align(op, op.getCondition());
  if (succeeded(allowed) && !scoreIsX)
    allowed = build<NotOp>(op, *allowed);
  if (succeeded(allowed) && mask)
    allowed = build<AndOp>(op, {mask, *allowed});
  if (failed(allowed))
    return failure();
  mask = *allowed;
  fill = newFill;
  fillValue = *value;
  return success();
}

/// True when no element is below `floor`: as masks are made, of constants and choices between them.
static bool isNowhereBelow(Value value, double floor, int depth = 0) {
  Operation *op = value.getDefiningOp();
  if (!op || depth > 8)
    return false;
  if (std::optional<double> number = matchScalar(value))
    return *number >= floor;
  if (isa<ReshapeOp, ExpandOp, TransposeOp, SliceOp>(op))
    return isNowhereBelow(op->getOperand(0), floor, depth + 1);
  auto choice = dyn_cast<SelectOp>(op);
  return choice && isNowhereBelow(choice.getX(), floor, depth + 1) && isNowhereBelow(choice.getY(), floor, depth + 1);
}

/// max(scores, lowest), which lifts the -inf of two masks of the lowest number that were added: score + lowest is lowest for every score of
/// usual size, so the bias alone decides.
LogicalResult ScoreChain::raise(MaxOp op, Value floor) {
  std::optional<double> value = floor ? matchScalar(floor) : std::nullopt;
  if (!value || classifyFill(*value, semantics()) != MaskFill::Lowest)
    return decision.decline(op, value ? "scores below " + formatNumber(*value) + " are raised to it" : "the scores are raised to another tensor");
  if (mask && fill == MaskFill::Infinite) {
    fill = MaskFill::Lowest;
    fillValue = *value;
  }
  if (isBiased && failed(moveMaskIntoBias(op)))
    return failure();
  if (!bias || isNowhereBelow(bias, *value))
    return success();
  if (&semantics() == &APFloat::IEEEhalf())
    return decision.decline(op, "scores below " + formatNumber(*value) + " are raised to it behind a mask or bias");
  FailureOr<Value> number = constant(op, APFloat::getLargest(semantics(), /*Negative=*/true));
  FailureOr<Value> raised = failed(number) ? number : build<MaxOp>(op, {bias, *number});
  if (failed(raised))
    return failure();
  bias = *raised;
  return success();
}

LogicalResult ScoreChain::applyGuard(Operation *guard) {
  // Only a row of -inf makes a NaN of numbers; finite masks never do.
  if (mask && fill != MaskFill::Infinite) {
    if (bias)
      return decision.decline(guard, "a NaN guard follows a bias and a mask with a finite number");
    return success();
  }
  if (!bias)
    return success();
  // The bias masks where it is -inf.
  FailureOr<Value> allowed;
  auto selectOp = bias.getDefiningOp<SelectOp>();
  std::optional<double> x = selectOp ? matchScalar(selectOp.getX()) : std::nullopt;
  std::optional<double> y = selectOp ? matchScalar(selectOp.getY()) : std::nullopt;
  if (x == 0.0 && y == -INFINITY) {
    allowed = selectOp.getCondition();
    bias = nullptr;
  } else if (x == -INFINITY && y == 0.0) {
    allowed = build<NotOp>(guard, selectOp.getCondition());
    bias = nullptr;
  } else {
    FailureOr<Value> lowest = constant(guard, APFloat::getInf(semantics(), /*Negative=*/true));
    if (failed(lowest))
      return failure();
    allowed = build<CompareOp>(guard, {bias, *lowest},
                               builder.getNamedAttr("kind", CompareKindAttr::get(builder.getContext(), CompareKind::Gt)));
  }
  if (succeeded(allowed) && mask)
    allowed = build<AndOp>(guard, {mask, *allowed});
  if (failed(allowed))
    return failure();
  mask = *allowed;
  fill = MaskFill::Infinite;
  return success();
}
