//===- SimplifyFunctions.cpp - Functions of one value that graphs write out
//---------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "GraphMatchers.h"
#include "SimplifyPatterns.h"

#include "mlir/IR/PatternMatch.h"

#include <cmath>

using namespace mlir;
using namespace mlir::tfc;

namespace {

/// `v` of exp(v) + 1 when nothing else uses either.
Value matchExpPlusOne(Value value) {
  auto add = value.getDefiningOp<AddOp>();
  if (!add || !add->hasOneUse())
    return {};
  for (auto [x, y] : {std::pair(add.getX(), add.getY()), {add.getY(), add.getX()}})
    if (auto exp = x.getDefiningOp<ExpOp>();
        exp && exp->hasOneUse() && matchScalar(y) == 1.0 && x.getType() == add.getType())
      return exp.getX();
  return {};
}

/// -v, without a negation where v is one already or has a scalar factor.
Value negate(Value v, Location loc, PatternRewriter &rewriter) {
  if (auto neg = v.getDefiningOp<NegOp>())
    return neg.getX();
  if (std::optional<ScaledValue> scaled = matchScaling(v.getDefiningOp())) {
    if (scaled->factor == -1)
      return scaled->x;
    auto type = RankedTensorType::get({}, getElementTypeOrSelf(v.getType()));
    auto factor = DenseElementsAttr::get(type, rewriter.getFloatAttr(type.getElementType(), -scaled->factor));
    return MulOp::create(rewriter, loc, scaled->x, ConstantOp::create(rewriter, loc, factor));
  }
  return NegOp::create(rewriter, loc, v);
}

/// a / (1 + exp(v)) -> a * sigmoid(-v), and 1 / (1 + exp(v)) -> sigmoid(-v), written as a quotient or a
/// reciprocal.
struct QuotientToSigmoid : RewritePattern {
  explicit QuotientToSigmoid(MLIRContext *context)
      : RewritePattern(MatchAnyOpTypeTag(), /*benefit=*/1, context) {}

  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    if (!isa<DivOp, ReciprocalOp>(op))
      return failure();
    Value v = matchExpPlusOne(op->getOperands().back());
    if (!v)
      return rewriter.notifyMatchFailure(op, "the denominator is not 1 + exp(v)");
    Type type = op->getResult(0).getType();
    bool isOne = isa<ReciprocalOp>(op) || (matchScalar(op->getOperand(0)) == 1.0 && v.getType() == type);
    Value sigmoid = SigmoidOp::create(rewriter, op->getLoc(), negate(v, op->getLoc(), rewriter));
    if (isOne)
      rewriter.replaceOp(op, sigmoid);
    else
      rewriter.replaceOpWithNewOp<MulOp>(op, op->getOperand(0), sigmoid);
    return success();
  }
};

/// max(x, 0) -> relu(x)
struct MaxWithZeroToRelu : OpRewritePattern<MaxOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(MaxOp op, PatternRewriter &rewriter) const override {
    for (auto [x, y] : {std::pair(op.getX(), op.getY()), {op.getY(), op.getX()}})
      if (matchScalar(y) == 0.0 && x.getType() == op.getType()) {
        rewriter.replaceOpWithNewOp<ReluOp>(op, x);
        return success();
      }
    return rewriter.notifyMatchFailure(op, "no operand is the scalar 0");
  }
};

/// select(bool(x), y, x) -> select(bool(x), y, 0): inverted masks are filled so, where they are not 0.
struct SelectOfItselfToZero : OpRewritePattern<SelectOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(SelectOp op, PatternRewriter &rewriter) const override {
    auto test = op.getCondition().getDefiningOp<CastOp>();
    Value x = op.getY();
    if (!test || test.getX() != x || matchScalar(x) || getDims(op.getType()) != getDims(x))
      return rewriter.notifyMatchFailure(op, "it does not give what it tests");
    Type element = getElementTypeOrSelf(x.getType());
    auto type = RankedTensorType::get({}, element);
    auto zero = DenseElementsAttr::get(type, rewriter.getZeroAttr(element));
    Value number = ConstantOp::create(rewriter, op.getLoc(), zero);
    rewriter.modifyOpInPlace(op, [&] { op.getYMutable().assign(number); });
    return success();
  }
};

/// 2 * sigmoid(2 * x) - 1 -> tanh(x)
struct ScaledSigmoidToTanh : RewritePattern {
  explicit ScaledSigmoidToTanh(MLIRContext *context)
      : RewritePattern(MatchAnyOpTypeTag(), /*benefit=*/1, context) {}

  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    if (!isa<AddOp, SubOp>(op) || matchScalar(op->getOperand(1)) != (isa<AddOp>(op) ? -1.0 : 1.0))
      return failure();
    std::optional<ScaledValue> outer = matchScaling(op->getOperand(0).getDefiningOp());
    auto sigmoid = outer && outer->factor == 2.0 ? outer->x.getDefiningOp<SigmoidOp>() : SigmoidOp();
    std::optional<ScaledValue> inner;
    if (sigmoid)
      inner = matchScaling(sigmoid.getX().getDefiningOp());
    if (!inner || inner->factor != 2.0 || inner->x.getType() != op->getResult(0).getType())
      return rewriter.notifyMatchFailure(op, "it is not 2 * sigmoid(2 * x) - 1");
    rewriter.replaceOpWithNewOp<TanhOp>(op, inner->x);
    return success();
  }
};

/// sum(x) / n or sum(x) * (1 / n), with n elements summed -> mean(x)
struct ScaledSumToMean : RewritePattern {
  explicit ScaledSumToMean(MLIRContext *context)
      : RewritePattern(MatchAnyOpTypeTag(), /*benefit=*/1, context) {}

  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    std::optional<ScaledValue> scaled = matchScaling(op);
    auto sum = scaled ? scaled->x.getDefiningOp<ReduceOp>() : ReduceOp();
    if (!sum || sum.getKind() != ReduceKind::Sum || !sum->hasOneUse())
      return failure();
    double count = 1;
    for (int64_t axis : sum.getAxes()) {
      std::optional<int64_t> size = getDim(sum.getX(), axis).getConstant();
      if (!size || *size == 0)
        return rewriter.notifyMatchFailure(op, "how many elements are summed is not known");
      count *= *size;
    }
    // 1 / n is rounded as a constant of f32.
    if (std::abs(scaled->factor * count - 1) > 1e-7)
      return rewriter.notifyMatchFailure(op, "the sum is not divided by the number of its elements");
    rewriter.replaceOpWithNewOp<ReduceOp>(op, op->getResult(0).getType(), ReduceKind::Mean, sum.getX(),
                                          sum.getAxes(), sum.getKeepDims());
    return success();
  }
};

/// A reduction that drops its dims, and a reshape that puts them back, is one that keeps them.
struct ReshapedReductionKeepsDims : OpRewritePattern<ReshapeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ReshapeOp op, PatternRewriter &rewriter) const override {
    auto reduce = op.getX().getDefiningOp<ReduceOp>();
    if (!reduce || reduce.getKeepDims() || !reduce->hasOneUse())
      return rewriter.notifyMatchFailure(op, "its operand is no reduction that drops its dims");
    SmallVector<DimExprAttr> dims = getDims(reduce.getX());
    for (int64_t axis : reduce.getAxes())
      dims[axis] = DimExprAttr::constant(getContext(), 1);
    if (getDims(op.getY()) != dims)
      return rewriter.notifyMatchFailure(op, "the dims do not come back as ones");
    rewriter.replaceOpWithNewOp<ReduceOp>(op, op.getType(), reduce.getKind(), reduce.getX(), reduce.getAxes(),
                                          /*keep_dims=*/true);
    return success();
  }
};

} // namespace

void mlir::tfc::populateFunctionPatterns(RewritePatternSet &patterns) {
  patterns.add<QuotientToSigmoid, MaxWithZeroToRelu, SelectOfItselfToZero, ScaledSigmoidToTanh, ScaledSumToMean,
               ReshapedReductionKeepsDims>(patterns.getContext());
}
