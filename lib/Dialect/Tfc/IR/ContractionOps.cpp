//===- ContractionOps.cpp - Matmul and attention -----------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Dialect/Tfc/IR/TfcOps.h"

#include "InferenceChecks.h"

#include "mlir/IR/PatternMatch.h"

#include <cmath>

using namespace mlir;
using namespace mlir::tfc;

//===----------------------------------------------------------------------------------------------===//
// MatmulOp
//===----------------------------------------------------------------------------------------------===//

LogicalResult MatmulOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc, Adaptor adaptor,
                                         SmallVectorImpl<Type> &types) {
  if (failed(checkKnownDims(loc, {adaptor.getA().getType(), adaptor.getB().getType()})))
    return failure();
  auto typeA = cast<RankedTensorType>(adaptor.getA().getType()), typeB = cast<RankedTensorType>(adaptor.getB().getType());
  if (typeA.getRank() < 2 || typeB.getRank() < 2)
    return emitOptionalError(loc, "(C1) operands need rank 2 or more, got ", typeA, " and ", typeB);
  Type elementA = typeA.getElementType(), elementB = typeB.getElementType(), result = elementA;
  // While an op is parsed, what its attr-dict says is not a property yet.
  auto find = [&](StringRef name) { return adaptor.getAttributes() ? adaptor.getAttributes().get(name) : Attribute(); };
  bool transposeA = adaptor.getTransposeA() || find("transpose_a");
  bool transposeB = adaptor.getTransposeB() || find("transpose_b");
  std::optional<Type> stated = adaptor.getResultType();
  if (auto parsed = dyn_cast_or_null<TypeAttr>(find("result_type")))
    stated = parsed.getValue();
  if (stated)
    result = *stated;
  bool integersWithResult = stated && isa<IntegerType>(elementA) && isa<IntegerType>(elementB) && isa<IntegerType>(*stated);
  if (!integersWithResult && (elementA != elementB || result != elementA))
    return emitOptionalError(loc, "(C2) element types differ: ", elementA, " and ", elementB);

  SmallVector<DimExprAttr> dimsA = getDims(typeA), dimsB = getDims(typeB);
  if (transposeA)
    std::swap(dimsA[dimsA.size() - 1], dimsA[dimsA.size() - 2]);
  if (transposeB)
    std::swap(dimsB[dimsB.size() - 1], dimsB[dimsB.size() - 2]);
  DimExprAttr k = dimsA.back(), k2 = dimsB[dimsB.size() - 2];
  if (k.isConstant() && k2.isConstant() && k != k2)
    return emitOptionalError(loc, "(C3) contracted dims differ: ", k.str(), " and ", k2.str());
  SmallVector<DimExprAttr> batchA(dimsA.begin(), dimsA.end() - 2), batchB(dimsB.begin(), dimsB.end() - 2);
  FailureOr<SmallVector<DimExprAttr>> dims = broadcastDims({batchA, batchB});
  if (failed(dims))
    return emitOptionalError(loc, "(C4) leading dims do not broadcast: ", typeA, " and ", typeB);
  dims->push_back(dimsA[dimsA.size() - 2]);
  dims->push_back(dimsB.back());
  types.push_back(getTensorType(*dims, result));
  return success();
}

void MatmulOp::collectRequirements(SmallVectorImpl<Requirement> &requirements) {
  SmallVector<DimExprAttr> dimsA = getDims(getA()), dimsB = getDims(getB()), dims = getDims(getC());
  DimExprAttr k = dimsA[dimsA.size() - (getTransposeA() ? 2 : 1)];
  DimExprAttr k2 = dimsB[dimsB.size() - (getTransposeB() ? 1 : 2)];
  if (k != k2)
    requirements.push_back({RequireKind::Equal, k2, k});
  for (const SmallVector<DimExprAttr> &operand : {dimsA, dimsB})
    for (size_t i = 0; i + 2 < operand.size(); ++i) {
      DimExprAttr resultDim = dims[dims.size() - operand.size() + i];
      if (operand[i] != resultDim && !operand[i].isConstant(1))
        requirements.push_back({RequireKind::Broadcastable, operand[i], resultDim});
    }
}

namespace {
/// matmul(x, transpose(y, swap of the last two)) -> matmul(x, y) with the flag flipped, and so for the left side.
struct FoldTransposeIntoMatmul : OpRewritePattern<MatmulOp> {
  using OpRewritePattern::OpRewritePattern;

  static bool swapsLastTwo(TransposeOp transpose) {
    ArrayRef<int64_t> permutation = transpose.getPermutation();
    int64_t rank = permutation.size();
    for (int64_t i = 0; i < rank - 2; ++i)
      if (permutation[i] != i)
        return false;
    return rank >= 2 && permutation[rank - 2] == rank - 1;
  }

  LogicalResult matchAndRewrite(MatmulOp op, PatternRewriter &rewriter) const override {
    auto transposeA = op.getA().getDefiningOp<TransposeOp>();
    auto transposeB = op.getB().getDefiningOp<TransposeOp>();
    bool foldA = transposeA && swapsLastTwo(transposeA), foldB = transposeB && swapsLastTwo(transposeB);
    if (!foldA && !foldB)
      return rewriter.notifyMatchFailure(op, "no operand is a transpose of the last two dims");
    rewriter.modifyOpInPlace(op, [&] {
      if (foldA) {
        op.getAMutable().assign(transposeA.getX());
        op.setTransposeA(!op.getTransposeA());
      }
      if (foldB) {
        op.getBMutable().assign(transposeB.getX());
        op.setTransposeB(!op.getTransposeB());
      }
    });
    return success();
  }
};

/// matmul(x, transpose(y) whose rows run along y's innermost dim) -> matmul(x, transpose' y) with the flag flipped, where
/// transpose' leaves the innermost dim in its place: heads that attention splits off then move as whole rows.
struct KeepInnermostDimOfTranspose : OpRewritePattern<MatmulOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(MatmulOp op, PatternRewriter &rewriter) const override {
    auto transpose = op.getB().getDefiningOp<TransposeOp>();
    if (!transpose || FoldTransposeIntoMatmul::swapsLastTwo(transpose))
      return rewriter.notifyMatchFailure(op, "the right operand is no transpose, or one that vanishes");
    SmallVector<int64_t> permutation(transpose.getPermutation());
    size_t rank = permutation.size();
    if (rank < 3 || permutation[rank - 2] != int64_t(rank) - 1)
      return rewriter.notifyMatchFailure(op, "the operand's columns are not what was innermost");
    std::swap(permutation[rank - 1], permutation[rank - 2]);
    auto rows = TransposeOp::create(rewriter, transpose.getLoc(), transpose.getX(), permutation);
    rewriter.modifyOpInPlace(op, [&] {
      op.getBMutable().assign(rows);
      op.setTransposeB(!op.getTransposeB());
    });
    return success();
  }
};
} // namespace

void MatmulOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<FoldTransposeIntoMatmul, KeepInnermostDimOfTranspose>(context);
}

//===----------------------------------------------------------------------------------------------===//
// AttentionOp
//===----------------------------------------------------------------------------------------------===//

/// False only where two constants differ; symbolic differences are checked at run time.
static bool mayBeEqual(DimExprAttr a, DimExprAttr b) { return !a.isConstant() || !b.isConstant() || a == b; }

DimExprAttr AttentionOp::getTotalKeys() {
  DimExprAttr keys = getDim(getKey(), 2);
  return getPastKey() ? getDim(getPastKey(), 2) + keys : keys;
}

/// (C7): output, present key and value, probabilities.
static LogicalResult verifyAttentionResults(AttentionOp op) {
  SmallVector<DimExprAttr> q = getDims(op.getQuery()), k = getDims(op.getKey()), v = getDims(op.getValue());
  Type element = getElementTypeOrSelf(op.getQuery().getType());
  DimExprAttr total = op.getTotalKeys();
  auto check = [&](StringRef name, Value result, ArrayRef<DimExprAttr> dims) -> LogicalResult {
    Type type = getTensorType(dims, element);
    if (result && result.getType() != type)
      return op.emitOpError("(C7) the ") << name << " should be " << type;
    return success();
  };
  if (op.getExtras().size() > 3)
    return op.emitOpError("(C7) there are at most 4 results, got ") << op->getNumResults();
  if (op.getPresentKey() && !op.getPastKey())
    return op.emitOpError("(C7) present key and value come only with a past");
  if (failed(check("output", op.getOutput(), {q[0], q[1], q[2], v[3]})) ||
      failed(check("present key", op.getPresentKey(), {k[0], k[1], total, k[3]})) ||
      failed(check("present value", op.getPresentValue(), {v[0], v[1], total, v[3]})))
    return failure();
  return check("probabilities", op.getProbabilities(), {q[0], q[1], q[2], total});
}

/// (C8) to (C12): numbers, windows and lengths.
static LogicalResult verifyAttentionBounds(AttentionOp op) {
  if (std::optional<APFloat> scale = op.getScale(); scale && !scale->isFinite())
    return op.emitOpError("(C8) the scale is not finite");
  if (std::optional<APFloat> cap = op.getSoftcap(); cap && (!cap->isFinite() || cap->isNegative() || cap->isZero()))
    return op.emitOpError("(C9) the softcap is not a finite number above 0");
  for (std::optional<uint64_t> window : {op.getWindowLeft(), op.getWindowRight()})
    if (window && static_cast<int64_t>(*window) < 0)
      return op.emitOpError("(C10) a window is negative: ") << static_cast<int64_t>(*window);
  if (op.getCausal() && op.getWindowRight())
    return op.emitOpError("(C10) a causal attention has no window_right");
  if (std::optional<APFloat> fill = op.getFill()) {
    bool isUsed = op.getMaskedRow() == MaskedRowKind::Uniform || op.getMaskedRow() == MaskedRowKind::Biased;
    if (!fill->isFinite() || !isUsed)
      return op.emitOpError("(C12) a fill is finite, and stands where masked_row is uniform or biased");
  }
  if (!op.getKeyLengths())
    return success();
  SmallVector<DimExprAttr> lengths = getDims(op.getKeyLengths());
  if (lengths.size() != 1 || !mayBeEqual(lengths[0], getDim(op.getQuery(), 0)))
    return op.emitOpError("(C11) key_lengths is no vector with one element for each batch: ") << op.getKeyLengths().getType();
  return success();
}

LogicalResult AttentionOp::verify() {
  Type element = getElementTypeOrSelf(getQuery().getType());
  for (Value operand : {getQuery(), getKey(), getValue()}) {
    auto type = cast<RankedTensorType>(operand.getType());
    if (type.getRank() != 4 || type.getElementType() != element || !hasKnownDims(type))
      return emitOpError("(C1) query, key and value need rank 4 and one element type, got ") << type;
  }
  SmallVector<DimExprAttr> q = getDims(getQuery()), k = getDims(getKey()), v = getDims(getValue());
  if (!mayBeEqual(q[0], k[0]) || !mayBeEqual(k[0], v[0]) || !mayBeEqual(k[1], v[1]) || !mayBeEqual(k[2], v[2]))
    return emitOpError("(C2) key and value disagree with each other or with the query's batch");
  if (!mayBeEqual(q[3], k[3]))
    return emitOpError("(C3) query and key have different head dims: ") << q[3].str() << " and " << k[3].str();
  std::optional<int64_t> heads = q[1].getConstant(), keyHeads = k[1].getConstant();
  if ((keyHeads && *keyHeads <= 0) || (heads && keyHeads && *heads % *keyHeads != 0))
    return emitOpError("(C4) the number of query heads, ") << q[1].str() << ", is not a multiple of the key heads, " << k[1].str();

  if (static_cast<bool>(getPastKey()) != static_cast<bool>(getPastValue()))
    return emitOpError("(C6) past key and past value come together");
  if (getPastKey())
    for (auto [past, now] : {std::pair(getPastKey(), k), std::pair(getPastValue(), v)}) {
      SmallVector<DimExprAttr> dims = getDims(past);
      if (dims.size() != 4 || getElementTypeOrSelf(past.getType()) != element || !mayBeEqual(dims[0], now[0]) ||
          dims[1] != now[1] || dims[3] != now[3])
        return emitOpError("(C6) past key and value must agree with key and value but for dim 2, got ") << past.getType();
    }
  SmallVector<DimExprAttr> scores{q[0], q[1], q[2], getTotalKeys()};
  if (getMask() && !isBroadcastableTo(getDims(getMask()), scores))
    return emitOpError("(C5) the mask does not broadcast to [batch, heads, queries, keys]: ") << getMask().getType();
  if (getBias() && (getElementTypeOrSelf(getBias().getType()) != element || !isBroadcastableTo(getDims(getBias()), scores)))
    return emitOpError("(C5) the bias does not broadcast to [batch, heads, queries, keys]: ") << getBias().getType();
  return success(succeeded(verifyAttentionResults(*this)) && succeeded(verifyAttentionBounds(*this)));
}

void AttentionOp::collectRequirements(SmallVectorImpl<Requirement> &requirements) {
  SmallVector<DimExprAttr> q = getDims(getQuery()), k = getDims(getKey()), v = getDims(getValue());
  auto require = [&](RequireKind kind, DimExprAttr lhs, DimExprAttr rhs) {
    if (lhs != rhs && !(kind == RequireKind::Broadcastable && lhs.isConstant(1)))
      requirements.push_back({kind, lhs, rhs});
  };
  require(RequireKind::Equal, k[0], q[0]);
  require(RequireKind::Equal, v[0], q[0]);
  require(RequireKind::Equal, v[1], k[1]);
  require(RequireKind::Equal, v[2], k[2]);
  require(RequireKind::Equal, k[3], q[3]);
  if (getKeyLengths())
    require(RequireKind::Equal, getDim(getKeyLengths(), 0), q[0]);
  if (getPastKey()) {
    require(RequireKind::Equal, getDim(getPastKey(), 0), q[0]);
    require(RequireKind::Equal, getDim(getPastValue(), 0), q[0]);
    require(RequireKind::Equal, getDim(getPastValue(), 2), getDim(getPastKey(), 2));
  }
  SmallVector<DimExprAttr> scores{q[0], q[1], q[2], getTotalKeys()};
  for (Value extra : {Value(getMask()), Value(getBias())}) {
    if (!extra)
      continue;
    SmallVector<DimExprAttr> dims = getDims(extra);
    for (auto [dim, score] : llvm::zip_equal(dims, ArrayRef(scores).take_back(dims.size())))
      require(RequireKind::Broadcastable, dim, score);
  }
}
