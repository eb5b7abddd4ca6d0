//===- FuseAttention.cpp - Products around a softmax become tfc.attention --------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "AttentionOperands.h"
#include "GraphMatchers.h"
#include "MaskTerms.h"
#include "MergeAttentionHeads.h"
#include "WidenNumbers.h"

#include "tfc/Dialect/Tfc/IR/Broadcast.h"
#include "tfc/Dialect/Tfc/IR/BuildOp.h"
#include "tfc/Dialect/Tfc/Transforms/AttentionKernels.h"
#include "tfc/Dialect/Tfc/Transforms/FusionRemarks.h"
#include "tfc/Dialect/Tfc/Transforms/Passes.h"

#include <cmath>

namespace mlir::tfc {
#define GEN_PASS_DEF_FUSEATTENTION
#include "tfc/Dialect/Tfc/Transforms/Passes.h.inc"
} // namespace mlir::tfc

using namespace mlir;
using namespace mlir::tfc;

namespace {

class AttentionMatcher {
public:
  explicit AttentionMatcher(SoftmaxOp softmax)
      : softmax(softmax), builder(softmax), decision("attention", softmax), chain(builder, decision),
        operands(builder, decision, dims) {}

  /// A softmax is a candidate when a product uses its result, perhaps behind a guard or a reshape.
  bool isCandidate() {
    Value value = softmax.getY();
    for (int step = 0; step < 4; ++step) {
      Operation *next = nullptr;
      for (Operation *user : value.getUsers()) {
        if (isa<MatmulOp>(user))
          return true;
        if (isa<SelectOp, ReshapeOp, CastOp, MulOp, AddOp>(user))
          next = user;
      }
      if (!next)
        return false;
      value = next->getResult(0);
    }
    return false;
  }

  LogicalResult run() {
    if (failed(chain.find(softmax.getX())))
      return failure();
    if (failed(matchSoftmax()) || failed(matchOutput()))
      return failure();
    SmallVector<Type> types{softmax.getType(), chain.getProduct().getType(), output.getA().getType()};
    for (OpOperand *step : chain.getSteps())
      types.push_back(step->get().getType());
    FailureOr<ScoreDims> found = ScoreDims::get(types);
    if (failed(found))
      return decision.decline(softmax, "the scores have rank " + Twine(cast<RankedTensorType>(softmax.getType()).getRank()) +
                                           ", not 2, 3 or 4");
    dims = *found;
    builder.setInsertionPoint(output);
    if (failed(checkProduct()) || failed(chain.read(dims)) || (guard && failed(chain.applyGuard(guard))) || failed(applyZeroed()) ||
        failed(operands.prepare(chain, output)) ||
        failed(takePositionBounds(builder, output.getLoc(), chain, dims.dims[2], operands.getTotalKeys(), bounds)) ||
        failed(checkNumbers()))
      return failure();
    return build();
  }

  FusionDecision &getDecision() { return decision; }
  std::string describe() const { return description; }

private:
  LogicalResult matchSoftmax() {
    int64_t rank = cast<RankedTensorType>(softmax.getType()).getRank();
    if (softmax.getLog())
      return decision.decline(softmax, "it is a log-softmax");
    if (softmax.getAxis() != static_cast<uint64_t>(rank - 1))
      return decision.decline(softmax, "the softmax is over axis " + Twine(softmax.getAxis()) + ", not over the keys");
    return success();
  }

  /// select(is_nan(p), 0, p), or with `not` the other way round.
  SelectOp matchGuard(Value probabilities) {
    IsNanOp isNan;
    SelectOp select;
    for (Operation *user : probabilities.getUsers()) {
      if (auto op = dyn_cast<IsNanOp>(user))
        isNan = op;
      else if (auto op = dyn_cast<SelectOp>(user))
        select = op;
      else
        return {};
    }
    if (!isNan || !select || !isNan->hasOneUse())
      return {};
    Value condition = isNan.getY(), number = select.getY(), zero = select.getX();
    if (auto negated = dyn_cast<NotOp>(*isNan->user_begin())) {
      condition = negated.getY();
      std::swap(number, zero);
    }
    bool matches = select.getCondition() == condition && number == probabilities && matchScalar(zero) == 0.0 &&
                   select.getType() == probabilities.getType();
    return matches ? select : SelectOp();
  }

  /// A value and whether it is negated.
  static std::pair<Value, bool> stripNot(Value value) {
    bool isNegated = false;
    for (auto op = value.getDefiningOp<NotOp>(); op; op = value.getDefiningOp<NotOp>()) {
      value = op.getX();
      isNegated = !isNegated;
    }
    return {value, isNegated};
  }

  /// select(mask, p, 0): probabilities of masked keys are 0 whatever the softmax made of them.
  bool isZeroing(SelectOp select, Value probabilities) {
    bool isX = select.getX() == probabilities, isY = select.getY() == probabilities;
    return isX != isY && matchScalar(isX ? select.getY() : select.getX()) == 0.0 && select.getType() == probabilities.getType() && !zeroed;
  }

  /// Zeros behind the softmax are those of the mask in front of it: then a row without any allowed key is 0.
  LogicalResult applyZeroed() {
    if (!zeroed)
      return success();
    auto [allowed, isNegated] = stripNot(zeroed.getCondition());
    if (matchScalar(zeroed.getX()) == 0.0)
      isNegated = !isNegated;
    if (!chain.mask || chain.isBiased || stripNot(chain.mask) != std::pair(allowed, isNegated))
      return decision.decline(zeroed, "tfc.select behind the softmax has another mask than the scores");
    chain.fill = MaskFill::Infinite;
    return success();
  }

  static bool isNarrowing(CastOp op) {
    auto from = dyn_cast<FloatType>(getElementTypeOrSelf(op.getX().getType()));
    auto to = dyn_cast<FloatType>(getElementTypeOrSelf(op.getType()));
    return from && to && to.getWidth() < from.getWidth() && to.getWidth() >= 16;
  }

  /// Whether queries and keys stay what they are. Where only the run knows how long a mask is, the graph may call keys that it may
  /// have broadcast by the number that they must have; what then does not fit the values, the op refuses as the graph does.
  static bool keepsRows(ArrayRef<DimExprAttr> from, ArrayRef<DimExprAttr> to) {
    if (from.size() < 2 || to.size() < 2)
      return false;
    for (auto [a, b] : llvm::zip_equal(from.take_back(2), to.take_back(2)))
      if (!isBroadcastOf(a, b))
        return false;
    return true;
  }

  /// From the softmax to the product with the values.
  LogicalResult matchOutput() {
    Value value = softmax.getY();
    ops.push_back(softmax);
    for (int step = 0; step < 8; ++step) {
      if (SelectOp select = matchGuard(value); select && !guard) {
        guard = select;
        for (Operation *user : value.getUsers())
          ops.push_back(user);
        value = guard.getZ();
        continue;
      }
      if (!value.hasOneUse())
        return decision.declineValue(value, "the probabilities are used elsewhere too");
      Operation *user = *value.user_begin();
      ops.push_back(user);
      if (auto select = dyn_cast<SelectOp>(user); select && isZeroing(select, value)) {
        zeroed = select;
        value = select.getZ();
        continue;
      }
      if (auto cast = dyn_cast<CastOp>(user); cast && isNarrowing(cast)) {
        value = cast.getResult();
        continue;
      }
      if (auto matmul = dyn_cast<MatmulOp>(user)) {
        if (matmul.getA() != value || matmul.getTransposeA())
          return decision.decline(matmul, "the probabilities are not the rows of the product with the values");
        output = matmul;
        return success();
      }
      if (!isa<ReshapeOp>(user) || !keepsRows(getDims(value), getDims(user->getResult(0))))
        return decision.decline(user, user->getName().getStringRef() + " stands between the softmax and the product with the values");
      value = user->getResult(0);
    }
    return decision.decline(softmax, "no product with values follows");
  }

  LogicalResult checkProduct() {
    MatmulOp product = chain.getProduct();
    // In a loop the product would be computed in every turn.
    if (product->getBlock() != output->getBlock())
      return decision.decline(product, "the two products stand in different regions");
    if (product.getResultType())
      return decision.decline(product, "the product is not of floats");
    for (MatmulOp matmul : {product, output})
      for (Value operand : {matmul.getA(), matmul.getB()})
        if (operand.getDefiningOp<WeightRefOp>())
          return decision.decline(matmul, "it is a product with a weight");
    return success();
  }

  LogicalResult checkNumbers() {
    auto isFinite = [](double number) { return std::isfinite(static_cast<float>(number)); };
    if (!isFinite(chain.getScale()) || !isFinite(chain.getSoftcap()))
      return decision.decline(chain.getProduct(), "the scale is not finite");
    if (isMasked() && chain.fillValue != -INFINITY && !isFinite(chain.fillValue))
      return decision.decline(chain.getProduct(), "masked scores become a number beyond f32");
    if (chain.getSoftcap() != 0 && !(static_cast<float>(chain.getSoftcap()) > 0))
      return decision.decline(chain.getProduct(), "the bound of the scores is not positive");
    return success();
  }

  MaskedRowKind getMaskedRow() const {
    if (!isMasked())
      return MaskedRowKind::Uniform;
    if (chain.fill == MaskFill::Infinite)
      return guard || zeroed ? MaskedRowKind::Zero : MaskedRowKind::NaN;
    return chain.isBiased ? MaskedRowKind::Biased : MaskedRowKind::Uniform;
  }

  bool isMasked() const { return chain.mask || bounds.any(); }

  SmallVector<NamedAttribute> getAttributes() {
    auto has = [](Value value) { return value ? 1 : 0; };
    SmallVector<NamedAttribute> attributes{
        builder.getNamedAttr("scale", builder.getF32FloatAttr(static_cast<float>(chain.getScale()))),
        builder.getNamedAttr("masked_row", MaskedRowKindAttr::get(builder.getContext(), getMaskedRow())),
        builder.getNamedAttr("operandSegmentSizes",
                             builder.getDenseI32ArrayAttr({1, 1, 1, has(chain.mask), has(chain.bias), has(operands.pastKey),
                                                           has(operands.pastValue), 0}))};
    if (chain.getSoftcap() != 0)
      attributes.push_back(builder.getNamedAttr("softcap", builder.getF32FloatAttr(static_cast<float>(chain.getSoftcap()))));
    if (bounds.isCausal)
      attributes.push_back(builder.getNamedAttr("causal", builder.getUnitAttr()));
    if (bounds.left)
      attributes.push_back(builder.getNamedAttr("window_left", builder.getI64IntegerAttr(*bounds.left)));
    if (bounds.right)
      attributes.push_back(builder.getNamedAttr("window_right", builder.getI64IntegerAttr(*bounds.right)));
    // Beside a bias it shows which number masked scores have.
    if (isMasked() && chain.fill == MaskFill::Low && chain.bias)
      attributes.push_back(builder.getNamedAttr("fill", builder.getF32FloatAttr(static_cast<float>(chain.fillValue))));
    return attributes;
  }

  void describeResult() {
    description = "scale " + formatNumber(chain.getScale());
    if (getDim(operands.query, 1) != getDim(operands.key, 1))
      description += ", " + getDim(operands.key, 1).str() + " key heads";
    if (operands.pastKey)
      description += ", past";
    if (getElementTypeOrSelf(output.getC().getType()) != chain.getElementType())
      description += ", in f" + std::to_string(chain.getElementType().getIntOrFloatBitWidth());
    if (chain.getSoftcap() != 0)
      description += ", softcap " + formatNumber(chain.getSoftcap());
    if (chain.bias)
      description += ", bias";
    if (bounds.isCausal)
      description += ", causal";
    if (bounds.left)
      description += ", window of " + std::to_string(*bounds.left) + " to the left";
    if (bounds.right)
      description += ", window of " + std::to_string(*bounds.right) + " to the right";
    if (isMasked())
      description += ((chain.mask ? ", mask, rows without keys are " : ", rows without keys are ") +
                      stringifyMaskedRowKind(getMaskedRow())).str();
  }

  /// The op broadcasts masks and biases itself.
  Value stripExpand(Value extra) const {
    SmallVector<DimExprAttr> scores(dims.dims);
    scores[3] = operands.getTotalKeys();
    auto expand = extra.getDefiningOp<ExpandOp>();
    return expand && isBroadcastableTo(getDims(expand.getX()), scores) ? expand.getX() : extra;
  }

  LogicalResult build() {
    SmallVector<Operation *> chainOps{chain.getProduct()};
    for (OpOperand *step : chain.getSteps())
      chainOps.push_back(step->getOwner());
    chainOps.append(ops);
    Location loc = fuseLocations(chainOps);
    MatmulOp product = chain.getProduct();
    Attribute operandType = product->getAttr(kOperandType);
    if (chain.bias && operandType) {
      FailureOr<Value> wide = widenLowest(builder, chain.bias);
      if (failed(wide))
        return failure();
      chain.bias = *wide;
    }
    SmallVector<Value> values{operands.query, operands.key, operands.value};
    for (Value extra : {chain.mask, chain.bias})
      if (extra)
        values.push_back(stripExpand(extra));
    for (Value past : {operands.pastKey, operands.pastValue})
      if (past)
        values.push_back(past);
    SmallVector<DimExprAttr> shape = getDims(operands.query);
    shape[3] = getDim(operands.value, 3);
    Type type = getTensorType(shape, getElementTypeOrSelf(operands.query.getType()));
    FailureOr<Value> attention = buildOp<AttentionOp>(builder, loc, values, getAttributes(), type);
    if (failed(attention))
      return failure();
    Type resultType = output.getC().getType(), element = getElementTypeOrSelf(resultType);
    if (operandType && operandType == output->getAttr(kOperandType))
      copyOperandType(output, attention->getDefiningOp());
    FailureOr<Value> result = attention;
    if (element != chain.getElementType())
      result = buildOp<CastOp>(builder, output.getLoc(), *result, {}, getTensorType(shape, element));
    if (succeeded(result) && result->getType() != resultType)
      result = buildOp<ReshapeOp>(builder, output.getLoc(), *result, {}, resultType);
    if (failed(result))
      return failure();
    describeResult();
    output.getC().replaceAllUsesWith(*result);
    eraseDead(std::move(chainOps));
    operands.replacePresent(attention->getDefiningOp<AttentionOp>());
    return success();
  }

  SoftmaxOp softmax;
  MatmulOp output;
  SelectOp guard, zeroed;
  OpBuilder builder;
  FusionDecision decision;
  ScoreChain chain;
  ScoreDims dims;
  AttentionOperands operands;
  PositionBounds bounds;
  SmallVector<Operation *> ops;
  std::string description;
};

struct FuseAttentionPass : mlir::tfc::impl::FuseAttentionBase<FuseAttentionPass> {
  void runOnOperation() override {
    SmallVector<SoftmaxOp> anchors;
    getOperation().walk([&](SoftmaxOp op) { anchors.push_back(op); });
    for (SoftmaxOp anchor : anchors) {
      AttentionMatcher matcher(anchor);
      if (!matcher.isCandidate())
        continue;
      FusionDecision &decision = matcher.getDecision();
      LogicalResult fused = matcher.run();
      decision.report(fused, matcher.describe());
      if (succeeded(fused))
        ++fusedAttentions;
    }
    mergeAttentionHeads(getOperation());
  }
};

} // namespace
