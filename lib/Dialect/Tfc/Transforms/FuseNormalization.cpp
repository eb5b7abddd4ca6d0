//===- FuseNormalization.cpp - Primitives become layer_norm and rms_norm ------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// The anchor is a mean of squares; everything else follows from its operand and its uses:
//
//   d  = x, or x - mean(x)                  backward from the mean: x gives rms_norm, the centred value layer_norm
//   v  = mean(d * d) + epsilon              forward from here
//   y  = d / sqrt(v), or d * (1 / sqrt(v)), or d * ((1 / sqrt(v)) * scale)
//   y * scale + bias                        taken in when they lie along the normalized dims
//
// Casts between floats may stand anywhere between the squares and the product: the fused op takes its mean in f32. So may a cast
// of x, when its opposite stands behind the product.
//
// or, as TensorFlow writes a layer norm, with r = (1 / sqrt(v)) * scale:  x * r + (bias - mean * r).
//
//===----------------------------------------------------------------------------------------------===//

#include "GraphMatchers.h"

#include "tfc/Dialect/Tfc/IR/BuildOp.h"
#include "tfc/Dialect/Tfc/Transforms/FusionRemarks.h"
#include "tfc/Dialect/Tfc/Transforms/Passes.h"

#include <cmath>

namespace mlir::tfc {
#define GEN_PASS_DEF_FUSENORMALIZATION
#include "tfc/Dialect/Tfc/Transforms/Passes.h.inc"
} // namespace mlir::tfc

using namespace mlir;
using namespace mlir::tfc;

namespace {

constexpr llvm::StringLiteral kUsedElsewhere = "a value inside it is used elsewhere too";

/// `d` of mean(d * d) or mean(pow(d, 2)); null for other means.
Value matchSquare(Value value) {
  if (auto mul = value.getDefiningOp<MulOp>())
    return mul.getX() == mul.getY() ? mul.getX() : Value();
  auto pow = value.getDefiningOp<PowOp>();
  return pow && matchScalar(pow.getY()) == 2.0 && pow.getX().getType() == pow.getType() ? pow.getX() : Value();
}

class NormalizationMatcher {
public:
  NormalizationMatcher(ReduceOp anchor, Value centred)
      : meanOfSquares(anchor), centred(centred), decision("rms_norm", anchor) {
    noteOp(anchor);
    noteOp(anchor.getX().getDefiningOp());
  }

  /// Matches, without changing anything.
  LogicalResult match() {
    if (failed(matchCentring()) || failed(matchAxes(meanOfSquares)) || failed(matchInverse()) ||
        failed(matchProduct()) || failed(checkInnerUses()))
      return failure();
    narrow();
    takeScaleAndBias();
    if (result.getType() != x.getType())
      return decision.declineValue(result, "its result has another type than its operand");
    return success();
  }

  void rewrite() {
    OpBuilder builder(result.getDefiningOp());
    Location loc = fuseLocations(ops);
    SmallVector<Value> operands{x};
    for (Value extra : {scale, bias})
      if (extra)
        operands.push_back(extra);
    SmallVector<NamedAttribute> attributes{
        builder.getNamedAttr("axis", builder.getI64IntegerAttr(meanOfSquares.getAxes().front())),
        builder.getNamedAttr("epsilon", builder.getF64FloatAttr(epsilon))};
    if (isLayerNorm())
      attributes.push_back(builder.getNamedAttr(
          "operandSegmentSizes", builder.getDenseI32ArrayAttr({1, scale ? 1 : 0, bias ? 1 : 0})));
    FailureOr<Value> built = isLayerNorm() ? buildOp<LayerNormOp>(builder, loc, operands, attributes)
                                           : buildOp<RmsNormOp>(builder, loc, operands, attributes);
    if (failed(built))
      return;
    result.replaceAllUsesWith(*built);
    eraseDead(std::move(ops));
  }

  bool isLayerNorm() const { return mean != nullptr; }
  FusionDecision &getDecision() { return decision; }
  std::string describe() const {
    return "epsilon " + formatNumber(epsilon) + (scale ? ", scale" : "") + (bias ? ", bias" : "");
  }

private:
  void noteOp(Operation *op) {
    if (op && !llvm::is_contained(ops, op))
      ops.push_back(op);
  }

  /// The operand of a cast between floats: the squares of f16 are often averaged in f32, as the fused op does anyway.
  static Value stripCast(Value value) {
    auto cast = value.getDefiningOp<CastOp>();
    return cast && isa<FloatType>(getElementTypeOrSelf(cast.getX().getType())) &&
                   isa<FloatType>(getElementTypeOrSelf(cast.getType()))
               ? cast.getX()
               : Value();
  }

  /// `value - mean(value)`, with the mean over the dims that the squares are averaged over.
  LogicalResult matchCentring() {
    if (Value uncast = stripCast(centred); uncast && uncast.getDefiningOp<SubOp>()) {
      noteOp(centred.getDefiningOp());
      centred = uncast;
    }
    x = centred;
    auto sub = centred.getDefiningOp<SubOp>();
    auto reduce = sub ? sub.getY().getDefiningOp<ReduceOp>() : ReduceOp();
    if (!reduce || reduce.getKind() != ReduceKind::Mean || reduce.getX() != sub.getX())
      return success();
    decision.setKind("layer_norm");
    if (reduce.getAxes() != meanOfSquares.getAxes() || reduce.getKeepDims() != meanOfSquares.getKeepDims())
      return decision.decline(reduce, "mean and variance are taken over different axes");
    x = sub.getX();
    mean = reduce;
    noteOp(reduce);
    noteOp(sub);
    return success();
  }

  /// Reductions keep the dims and run over the last ones.
  LogicalResult matchAxes(ReduceOp reduce) {
    int64_t rank = cast<RankedTensorType>(reduce.getX().getType()).getRank();
    ArrayRef<int64_t> axes = reduce.getAxes();
    if (axes.empty() || axes.back() != rank - 1 || axes.back() - axes.front() + 1 != static_cast<int64_t>(axes.size()))
      return decision.decline(reduce, "the mean is not over the last dims");
    if (!reduce.getKeepDims())
      return decision.decline(reduce, "the mean does not keep its dims");
    return success();
  }

  /// The one op that uses `value`; null after declining.
  Operation *onlyUser(Value value) {
    if (value.use_empty() || !llvm::all_equal(value.getUsers())) {
      (void)decision.declineValue(value, kUsedElsewhere);
      return nullptr;
    }
    return *value.user_begin();
  }

  /// As onlyUser, behind casts between floats, which move `root` along.
  Operation *onlyUserOfRoot() {
    Operation *user = onlyUser(root);
    while (user && isa<CastOp>(user) && stripCast(user->getResult(0))) {
      noteOp(user);
      root = user->getResult(0);
      user = onlyUser(root);
    }
    return user;
  }

  /// From the mean of squares to sqrt(v) (`inverse` false) or 1 / sqrt(v) (`inverse` true).
  LogicalResult matchInverse() {
    root = meanOfSquares.getY();
    Operation *user = onlyUserOfRoot();
    if (!user)
      return failure();
    if (isa<AddOp>(user)) {
      Value other = getOtherOperand(user, root);
      std::optional<double> constant = other ? matchScalar(other) : std::nullopt;
      if (!constant || !(*constant >= 0) || !std::isfinite(*constant))
        return decision.decline(user, "what is added to the mean of squares is not a constant that is not negative");
      if (user->getResult(0).getType() != root.getType())
        return decision.decline(user, "epsilon changes the shape");
      epsilon = *constant;
      noteOp(user);
      root = user->getResult(0);
      if (!(user = onlyUserOfRoot()))
        return failure();
    }
    if (auto pow = dyn_cast<PowOp>(user)) {
      std::optional<double> exponent = matchScalar(pow.getY());
      if (pow.getX() != root || (exponent != 0.5 && exponent != -0.5))
        return decision.decline(user, "the exponent is neither 1/2 nor -1/2");
      inverse = *exponent < 0;
    } else if (!isa<SqrtOp>(user)) {
      return decision.decline(user, "no square root follows the mean of squares");
    }
    noteOp(user);
    root = user->getResult(0);
    if (inverse)
      return success();
    if (!(user = onlyUserOfRoot()))
      return failure();
    if (auto div = dyn_cast<DivOp>(user))
      inverse = div.getY() == root && matchScalar(div.getX()) == 1.0;
    else
      inverse = isa<ReciprocalOp>(user);
    if (inverse) {
      noteOp(user);
      root = user->getResult(0);
    }
    return success();
  }

  /// Another spelling of the value whose squares were averaged: the subtraction may be written twice.
  bool isCentred(Value value) {
    if (value == centred)
      return true;
    // The squares were taken of a cast, the quotient of what was cast.
    if (!mean && value == stripCast(centred)) {
      noteOp(centred.getDefiningOp());
      x = centred = value;
      return true;
    }
    auto sub = value.getDefiningOp<SubOp>();
    auto reduce = sub ? sub.getY().getDefiningOp<ReduceOp>() : ReduceOp();
    if (!mean || !reduce || sub.getX() != x || reduce.getX() != x || reduce.getKind() != ReduceKind::Mean ||
        reduce.getAxes() != mean.getAxes() || reduce.getKeepDims() != mean.getKeepDims())
      return false;
    noteOp(reduce);
    noteOp(sub);
    return true;
  }

  /// The division by the root, or the product with its inverse; sets `result`.
  LogicalResult matchProduct() {
    if (inverse && succeeded(matchShiftedProduct()))
      return success();
    Operation *user = onlyUserOfRoot();
    if (!user)
      return failure();
    if (!inverse) {
      auto div = dyn_cast<DivOp>(user);
      if (!div || div.getY() != root || !isCentred(div.getX()))
        return decision.decline(user, "what is divided by the root is not the value whose squares were averaged");
    } else {
      // The weight may be multiplied in first.
      Value other = isa<MulOp>(user) ? getOtherOperand(user, root) : Value();
      if (other && !isCentred(other) && liesAlongNormalizedDims(other)) {
        scale = other;
        noteOp(user);
        root = user->getResult(0);
        if (!(user = onlyUser(root)))
          return failure();
        other = isa<MulOp>(user) ? getOtherOperand(user, root) : Value();
      }
      if (!other || !isCentred(other))
        return decision.decline(user, "what the root's inverse multiplies is not the value whose squares were averaged");
    }
    noteOp(user);
    result = user->getResult(0);
    return success();
  }

  /// x * r + (bias - mean * r). Declines nothing: the plain product is tried after it.
  LogicalResult matchShiftedProduct() {
    if (!mean)
      return failure();
    SmallVector<Operation *> found;
    Value r = root, weight;
    if (r.hasOneUse())
      if (auto mul = dyn_cast<MulOp>(*r.user_begin())) {
        Value other = getOtherOperand(mul, r);
        if (!other || !liesAlongNormalizedDims(other))
          return failure();
        weight = other;
        found.push_back(mul);
        r = mul.getZ();
      }
    if (std::distance(r.use_begin(), r.use_end()) != 2)
      return failure();
    Operation *scaled = nullptr, *shift = nullptr;
    for (Operation *user : r.getUsers()) {
      Value other = isa<MulOp>(user) && user->hasOneUse() ? getOtherOperand(user, r) : Value();
      if (other && other == x)
        scaled = user;
      else if (other && other == mean.getY())
        shift = user;
    }
    if (!scaled || !shift)
      return failure();
    auto sub = dyn_cast<SubOp>(*shift->user_begin());
    auto add = dyn_cast<AddOp>(*scaled->user_begin());
    if (!sub || !add || sub.getY() != shift->getResult(0) || !sub->hasOneUse() || *sub->user_begin() != add ||
        !liesAlongNormalizedDims(sub.getX()))
      return failure();
    scale = weight;
    bias = sub.getX();
    for (Operation *op : {scaled, shift, sub.getOperation(), add.getOperation()})
      found.push_back(op);
    llvm::for_each(found, [&](Operation *op) { noteOp(op); });
    result = add.getZ();
    return success();
  }

  /// A parameter of the norm: one element per place along the normalized dims.
  bool liesAlongNormalizedDims(Value value) {
    SmallVector<DimExprAttr> dims = getDims(value), full = getDims(x);
    if (getElementTypeOrSelf(value.getType()) != getElementTypeOrSelf(x.getType()) || dims.empty() ||
        dims.size() > full.size())
      return false;
    size_t offset = full.size() - dims.size(), axis = meanOfSquares.getAxes().front();
    for (auto [i, dim] : llvm::enumerate(dims))
      if (i + offset < axis ? !dim.isConstant(1) : dim != full[i + offset])
        return false;
    return offset <= axis;
  }

  /// Nothing inside may be used outside: the fused op would compute it a second time.
  LogicalResult checkInnerUses() {
    for (Operation *op : ops)
      if (op->getResult(0) != result)
        for (Operation *user : op->getUsers())
          if (!llvm::is_contained(ops, user))
            return decision.decline(op, kUsedElsewhere);
    return success();
  }

  /// Mixed precision widens x in front of a norm, and narrows the quotient before it is scaled. The op does both inside.
  void narrow() {
    Value before = stripCast(x);
    auto cast = result.hasOneUse() ? dyn_cast<CastOp>(*result.user_begin()) : CastOp();
    if (scale || bias || !before || !cast || cast.getType() != before.getType() ||
        getElementTypeOrSelf(before.getType()).getIntOrFloatBitWidth() >= getElementTypeOrSelf(x.getType()).getIntOrFloatBitWidth())
      return;
    noteOp(cast);
    x = before;
    result = cast.getY();
  }

  /// Takes in y * scale and y + bias; what does not fit stays outside, which is just as right.
  void takeScaleAndBias() {
    auto next = [&](auto tag, Value &parameter) {
      using OpTy = decltype(tag);
      Operation *user = result.hasOneUse() ? *result.user_begin() : nullptr;
      Value other = isa_and_nonnull<OpTy>(user) ? getOtherOperand(user, result) : Value();
      if (!other || !liesAlongNormalizedDims(other) || user->getResult(0).getType() != x.getType())
        return;
      parameter = other;
      noteOp(user);
      result = user->getResult(0);
    };
    if (!scale && !bias)
      next(MulOp(), scale);
    if (isLayerNorm() && !bias)
      next(AddOp(), bias);
  }

  ReduceOp meanOfSquares, mean;
  Value centred, x, root, result, scale, bias;
  double epsilon = 0;
  bool inverse = false;
  SmallVector<Operation *> ops;
  FusionDecision decision;
};

struct FuseNormalizationPass : mlir::tfc::impl::FuseNormalizationBase<FuseNormalizationPass> {
  using FuseNormalizationBase::FuseNormalizationBase;

  void runOnOperation() override {
    SmallVector<ReduceOp> anchors;
    getOperation().walk([&](ReduceOp op) {
      if (op.getKind() == ReduceKind::Mean && matchSquare(op.getX()))
        anchors.push_back(op);
    });
    for (ReduceOp anchor : anchors) {
      NormalizationMatcher matcher(anchor, matchSquare(anchor.getX()));
      LogicalResult matched = matcher.match();
      if (succeeded(matched) && !(matcher.isLayerNorm() ? layerNorm : rmsNorm))
        continue;
      matcher.getDecision().report(matched, matcher.describe());
      if (failed(matched))
        continue;
      ++(matcher.isLayerNorm() ? fusedLayerNorms : fusedRmsNorms);
      matcher.rewrite();
    }
  }
};

} // namespace
