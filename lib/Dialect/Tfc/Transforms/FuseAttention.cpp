//===- FuseAttention.cpp - Products around a softmax become tfc.attention --------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "GraphMatchers.h"
#include "ScoreChain.h"

#include "tfc/Dialect/Tfc/IR/BuildOp.h"
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

/// Queries, keys or values on their way into the op: `factor * value`.
struct Operand {
  Value value;
  double factor = 1;
};

/// Takes a scalar factor out of a value that is only scaled, transposed and reshaped between; what is left is built
/// anew without it.
FailureOr<Operand> takeFactor(OpBuilder &builder, Value value, int depth = 0) {
  Operation *op = value.getDefiningOp();
  if (!op || !value.hasOneUse() || depth > 8)
    return Operand{value};
  if (std::optional<ScaledValue> scaled = matchScaling(op)) {
    FailureOr<Operand> inner = takeFactor(builder, scaled->x, depth + 1);
    if (succeeded(inner))
      inner->factor *= scaled->factor;
    return inner;
  }
  if (!isa<TransposeOp, ReshapeOp>(op))
    return Operand{value};
  FailureOr<Operand> inner = takeFactor(builder, op->getOperand(0), depth + 1);
  if (failed(inner) || inner->value == op->getOperand(0))
    return failed(inner) ? inner : FailureOr<Operand>(Operand{value});
  FailureOr<Value> moved =
      isa<TransposeOp>(op) ? buildOp<TransposeOp>(builder, op->getLoc(), inner->value,
                                                  builder.getNamedAttr("permutation", cast<TransposeOp>(op).getPermutationAttr()))
                           : buildOp<ReshapeOp>(builder, op->getLoc(), inner->value, {}, op->getResultTypes());
  if (failed(moved))
    return failure();
  return Operand{*moved, inner->factor};
}

class AttentionMatcher {
public:
  explicit AttentionMatcher(SoftmaxOp softmax)
      : softmax(softmax), builder(softmax), decision("attention", softmax), chain(builder, decision) {}

  /// A softmax is a candidate when a product uses its result, perhaps behind a guard or a reshape.
  bool isCandidate() {
    Value value = softmax.getY();
    for (int step = 0; step < 4; ++step) {
      Operation *next = nullptr;
      for (Operation *user : value.getUsers()) {
        if (isa<MatmulOp>(user))
          return true;
        if (isa<SelectOp, ReshapeOp, CastOp>(user))
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
    if (failed(checkProduct()) || failed(chain.read(dims)) || (guard && failed(chain.applyGuard(guard))) ||
        failed(prepareOperands()))
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
      if (auto matmul = dyn_cast<MatmulOp>(user)) {
        if (matmul.getA() != value || matmul.getTransposeA())
          return decision.decline(matmul, "the probabilities are not the rows of the product with the values");
        output = matmul;
        return success();
      }
      SmallVector<DimExprAttr> from = getDims(value), to = getDims(user->getResult(0));
      if (!isa<ReshapeOp>(user) || from.size() < 2 || to.size() < 2 || ArrayRef(from).take_back(2) != ArrayRef(to).take_back(2))
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

  /// Swaps the last two dims.
  FailureOr<Value> swapLast(Value value, Location loc) {
    int64_t rank = cast<RankedTensorType>(value.getType()).getRank();
    SmallVector<int64_t> permutation = llvm::to_vector(llvm::seq<int64_t>(0, rank));
    std::swap(permutation[rank - 1], permutation[rank - 2]);
    return buildOp<TransposeOp>(builder, loc, value,
                                builder.getNamedAttr("permutation", builder.getDenseI64ArrayAttr(permutation)));
  }

  FailureOr<Value> alignOperand(Value value, MatmulOp at, bool isSwapped) {
    FailureOr<Value> straight = isSwapped ? swapLast(value, at.getLoc()) : FailureOr<Value>(value);
    if (failed(straight))
      return failure();
    FailureOr<SmallVector<DimExprAttr>> aligned = dims.align(getDims(*straight));
    if (failed(aligned)) {
      (void)decision.decline(at, "its operands have other leading dims than batch and heads");
      return failure();
    }
    Type type = getTensorType(*aligned, getElementTypeOrSelf(value.getType()));
    return type == straight->getType() ? straight : buildOp<ReshapeOp>(builder, at.getLoc(), *straight, {}, type);
  }

  /// `x` of [b, heads, t, d] where the value is x with each head repeated next to itself; null otherwise.
  Value matchRepeatedHeads(Value value) {
    auto merge = value.getDefiningOp<ReshapeOp>();
    auto expand = merge ? merge.getX().getDefiningOp<ExpandOp>() : ExpandOp();
    if (!expand)
      return nullptr;
    SmallVector<DimExprAttr> from = getDims(expand.getX()), to = getDims(expand.getY()), merged = getDims(value);
    if (from.size() != 5 || to.size() != 5 || !from[2].isConstant(1) || !to[1].isConstant() || !to[2].isConstant())
      return nullptr;
    for (size_t i : {0, 1, 3, 4})
      if (from[i] != to[i])
        return nullptr;
    bool matches = merged[0] == to[0] && merged[1] == to[1] * to[2] && merged[2] == to[3] && merged[3] == to[4];
    return matches ? expand.getX() : Value();
  }

  /// Keys and values that are repeated for groups of query heads go in once.
  LogicalResult takeGroups() {
    Value keys = matchRepeatedHeads(key), values = matchRepeatedHeads(value);
    if (!keys || !values || getDim(keys, 1) != getDim(values, 1))
      return success();
    for (auto [operand, grouped] : {std::pair(&key, keys), std::pair(&value, values)}) {
      SmallVector<DimExprAttr> shape = getDims(grouped);
      shape.erase(shape.begin() + 2);
      FailureOr<Value> reshaped = buildOp<ReshapeOp>(builder, output.getLoc(), grouped, {},
                                                     getTensorType(shape, getElementTypeOrSelf(grouped.getType())));
      if (failed(reshaped))
        return failure();
      *operand = *reshaped;
    }
    return success();
  }

  LogicalResult prepareOperands() {
    MatmulOp product = chain.getProduct();
    FailureOr<Operand> q = takeFactor(builder, product.getA()), k = takeFactor(builder, product.getB());
    if (failed(q) || failed(k))
      return failure();
    chain.scale *= q->factor * k->factor;
    FailureOr<Value> a = alignOperand(q->value, product, product.getTransposeA());
    FailureOr<Value> b = alignOperand(k->value, product, !product.getTransposeB());
    FailureOr<Value> v = alignOperand(output.getB(), output, output.getTransposeB());
    if (failed(a) || failed(b) || failed(v))
      return failure();
    query = *a, key = *b, value = *v;
    if (failed(takeGroups()))
      return failure();
    return checkOperands();
  }

  /// What tfc.attention asks of its operands, proven here: what its verifier leaves to run time would refuse inputs that
  /// the graph broadcasts.
  LogicalResult checkOperands() {
    MatmulOp product = chain.getProduct();
    SmallVector<DimExprAttr> q = getDims(query), k = getDims(key), v = getDims(value);
    std::optional<int64_t> heads = q[1].getConstant(), keyHeads = k[1].getConstant();
    if (q[0] != k[0] || k[0] != v[0])
      return decision.decline(product, "queries, keys and values have different batch dims: " + q[0].str() + ", " + k[0].str() +
                                           ", " + v[0].str());
    if (!heads || !keyHeads || *keyHeads <= 0 || *heads % *keyHeads != 0 || k[1] != v[1])
      return decision.decline(product, "the heads of queries, keys and values do not fit: " + q[1].str() + ", " + k[1].str() +
                                           ", " + v[1].str());
    if (k[2] != v[2])
      return decision.decline(output, "keys and values have different lengths: " + k[2].str() + " and " + v[2].str());
    if (q[3] != k[3])
      return decision.decline(product, "queries and keys have different head dims");
    if (q[0] != dims.dims[0] || q[1] != dims.dims[1])
      return decision.decline(product, "a mask or bias may broadcast the scores");
    float factor = static_cast<float>(chain.scale);
    if (!std::isfinite(factor))
      return decision.decline(product, "the scale is not finite");
    return success();
  }

  LogicalResult build() {
    SmallVector<Operation *> chainOps{chain.getProduct()};
    for (OpOperand *step : chain.getSteps())
      chainOps.push_back(step->getOwner());
    chainOps.append(ops);
    Location loc = fuseLocations(chainOps);
    MaskedRowKind maskedRow = MaskedRowKind::Uniform;
    if (chain.mask && chain.fill == MaskFill::Infinite)
      maskedRow = guard ? MaskedRowKind::Zero : MaskedRowKind::NaN;
    SmallVector<Value> operands{query, key, value};
    for (Value extra : {chain.mask, chain.bias})
      if (extra)
        operands.push_back(extra);
    SmallVector<NamedAttribute> attributes{
        builder.getNamedAttr("scale", builder.getF32FloatAttr(static_cast<float>(chain.scale))),
        builder.getNamedAttr("masked_row", MaskedRowKindAttr::get(builder.getContext(), maskedRow)),
        builder.getNamedAttr("operandSegmentSizes",
                             builder.getDenseI32ArrayAttr({1, 1, 1, chain.mask ? 1 : 0, chain.bias ? 1 : 0, 0, 0, 0}))};
    SmallVector<DimExprAttr> shape = getDims(query);
    shape[3] = getDim(value, 3);
    Type type = getTensorType(shape, getElementTypeOrSelf(query.getType()));
    FailureOr<Value> attention = buildOp<AttentionOp>(builder, loc, operands, attributes, type);
    if (failed(attention))
      return failure();
    Type resultType = output.getC().getType();
    FailureOr<Value> result = type == resultType ? attention
                                                 : buildOp<ReshapeOp>(builder, output.getLoc(), *attention, {}, resultType);
    if (failed(result))
      return failure();
    description = "scale " + formatNumber(chain.scale);
    if (query && getDim(query, 1) != getDim(key, 1))
      description += ", " + getDim(key, 1).str() + " key heads";
    if (chain.bias)
      description += ", bias";
    if (chain.mask)
      description += (", mask, rows without keys are " + stringifyMaskedRowKind(maskedRow)).str();
    output.getC().replaceAllUsesWith(*result);
    eraseDead(std::move(chainOps));
    return success();
  }

  SoftmaxOp softmax;
  MatmulOp output;
  SelectOp guard;
  OpBuilder builder;
  FusionDecision decision;
  ScoreChain chain;
  ScoreDims dims;
  Value query, key, value;
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
  }
};

} // namespace
