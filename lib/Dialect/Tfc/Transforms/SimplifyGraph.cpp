//===- SimplifyGraph.cpp - One spelling for what graphs spell in many ways -----------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "SimplifyPatterns.h"
#include "SliceOfMask.h"

#include "tfc/Dialect/Tfc/IR/BuildOp.h"
#include "tfc/Dialect/Tfc/Transforms/AttentionKernels.h"
#include "tfc/Dialect/Tfc/Transforms/Passes.h"

#include "mlir/IR/Dominance.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/CSE.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mlir::tfc {
#define GEN_PASS_DEF_SIMPLIFYGRAPH
#include "tfc/Dialect/Tfc/Transforms/Passes.h.inc"
} // namespace mlir::tfc

using namespace mlir;
using namespace mlir::tfc;

namespace {

/// gather(x, constant) with one index -> reshape(slice(x)): no index is left to check at run time.
struct GatherOfConstantToSlice : OpRewritePattern<GatherOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(GatherOp op, PatternRewriter &rewriter) const override {
    std::optional<SmallVector<DimExprAttr>> index = matchDimValues(op.getIndices(), 1);
    if (!index || index->size() != 1)
      return rewriter.notifyMatchFailure(op, "not one index that is known at compile time");
    int64_t axis = op.getAxis();
    DimExprAttr size = getDim(op.getX(), axis), offset = (*index)[0];
    if (offset.isConstant() && *offset.getConstant() < 0)
      offset = offset + size;
    // The slice must lie inside: an index that cannot be proven good stays a gather, which checks it.
    if (!offset.isNonNegative() || !(size - offset).isPositive())
      return rewriter.notifyMatchFailure(op, "the index is not provably inside");
    DimExprAttr zero = DimExprAttr::constant(getContext(), 0);
    SmallVector<Attribute> offsets(getDims(op.getX()).size(), zero);
    offsets[axis] = offset;
    SmallVector<int64_t> strides(offsets.size(), 1);
    SmallVector<DimExprAttr> dims = getDims(op.getX());
    dims[axis] = DimExprAttr::constant(getContext(), 1);
    Type sliced = getTensorType(dims, getElementTypeOrSelf(op.getType()));
    Value slice = SliceOp::create(rewriter, op.getLoc(), sliced, op.getX(), rewriter.getArrayAttr(offsets), strides);
    rewriter.replaceOpWithNewOp<ReshapeOp>(op, op.getType(), slice);
    return success();
  }
};

/// A transpose that keeps the order of all dims longer than 1 moves no element.
struct TransposeOfUnitDimsToReshape : OpRewritePattern<TransposeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(TransposeOp op, PatternRewriter &rewriter) const override {
    int64_t previous = -1;
    for (int64_t dim : op.getPermutation()) {
      if (getDim(op.getX(), dim).isConstant(1))
        continue;
      if (dim < previous)
        return rewriter.notifyMatchFailure(op, "moves a dim that may be longer than 1");
      previous = dim;
    }
    rewriter.replaceOpWithNewOp<ReshapeOp>(op, op.getType(), op.getX());
    return success();
  }
};

/// reshape(slice(x)) -> slice(reshape(x)) where the slice cuts a part out of each row that the reshape splits
/// into shorter rows, like the heads of the queries in a packed row. What is left is a view of x.
struct SplitRowsBeforeSlice : OpRewritePattern<ReshapeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ReshapeOp op, PatternRewriter &rewriter) const override {
    auto slice = op.getX().getDefiningOp<SliceOp>();
    SmallVector<DimExprAttr> dims = getDims(op.getType());
    if (!slice || dims.size() < 2 || getDims(slice.getX()).empty())
      return rewriter.notifyMatchFailure(op, "no slice whose rows are split");
    SmallVector<DimExprAttr> whole = getDims(slice.getX()), part = getDims(slice.getType());
    auto offsets = llvm::to_vector(slice.getOffsets().getAsRange<DimExprAttr>());
    if (ArrayRef(whole).drop_back() != ArrayRef(part).drop_back() ||
        !llvm::all_of(ArrayRef(offsets).drop_back(),
                      [](DimExprAttr offset) { return offset.isConstant(0); }) ||
        !llvm::all_of(slice.getStrides(), [](int64_t stride) { return stride == 1; }))
      return rewriter.notifyMatchFailure(op, "the slice does not only cut rows");

    DimExprAttr length = dims.back(), &pieces = dims[dims.size() - 2];
    std::optional<DimExprAttr> piecesOfWhole = whole.back().exactDiv(length),
                               offset = offsets.back().exactDiv(length);
    if (!length.isPositive() || part.back() != pieces * length || !piecesOfWhole || !offset)
      return rewriter.notifyMatchFailure(op, "the slice does not begin and end between the shorter rows");
    pieces = *piecesOfWhole;
    Type type = getTensorType(dims, getElementTypeOrSelf(op.getType()));
    Value reshaped = ReshapeOp::create(rewriter, op.getLoc(), type, slice.getX());
    SmallVector<Attribute> places(dims.size(), DimExprAttr::constant(getContext(), 0));
    places[dims.size() - 2] = *offset;
    SmallVector<int64_t> steps(dims.size(), 1);
    rewriter.replaceOpWithNewOp<SliceOp>(op, op.getType(), reshaped, rewriter.getArrayAttr(places), steps);
    return success();
  }
};

/// transpose(matmul(a, b)), of the last two dims -> matmul(b', a'): products of activations only, since weights stand on
/// the right. Einsums that name keys before queries come so.
struct TransposeOfMatmulToMatmul : OpRewritePattern<TransposeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(TransposeOp op, PatternRewriter &rewriter) const override {
    auto matmul = op.getX().getDefiningOp<MatmulOp>();
    ArrayRef<int64_t> permutation = op.getPermutation();
    size_t rank = permutation.size();
    if (!matmul || !matmul->hasOneUse() || rank < 3 || permutation[rank - 2] != int64_t(rank) - 1 ||
        !llvm::equal(permutation.drop_back(2), llvm::seq<int64_t>(0, rank - 2)))
      return rewriter.notifyMatchFailure(op, "no product whose last two dims are swapped");
    for (Value operand : {matmul.getA(), matmul.getB()})
      if (operand.getDefiningOp<WeightRefOp>() || cast<RankedTensorType>(operand.getType()).getRank() < 3)
        return rewriter.notifyMatchFailure(op, "a product with a weight");
    auto flag = [&](bool isSet) { return isSet ? rewriter.getUnitAttr() : UnitAttr(); };
    auto swapped = rewriter.replaceOpWithNewOp<MatmulOp>(op, op.getType(), matmul.getB(), matmul.getA(), flag(!matmul.getTransposeB()),
                                                         flag(!matmul.getTransposeA()), matmul.getResultTypeAttr());
    copyOperandType(matmul, swapped);
    return success();
  }
};

struct SimplifyGraphPass : mlir::tfc::impl::SimplifyGraphBase<SimplifyGraphPass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    MLIRContext *context = &getContext();
    RewritePatternSet patterns(context);
    for (RegisteredOperationName name : context->getRegisteredOperationsByDialect(TfcDialect::getDialectNamespace()))
      name.getCanonicalizationPatterns(patterns, context);
    patterns.add<GatherOfConstantToSlice, TransposeOfUnitDimsToReshape, SplitRowsBeforeSlice, TransposeOfMatmulToMatmul>(context);
    populateExpandPatterns(patterns);
    populateFunctionPatterns(patterns);
    populateLayoutPatterns(patterns);
    populateSliceOfMaskPatterns(patterns);
    FrozenRewritePatternSet frozen(std::move(patterns));
    IRRewriter rewriter(context);
    DominanceInfo dominance(module);
    bool changed = true;
    // Sharing equal values opens new folds and the other way round; three rounds settle every graph seen so far, and
    // stopping early only leaves a less tidy graph.
    for (int round = 0; changed && round < 8; ++round) {
      changed = false;
      bool rewritten = false;
      if (failed(applyPatternsGreedily(module, frozen, GreedyRewriteConfig(), &rewritten)))
        module.emitWarning("the graph did not settle; it is right, but may be less simple than it could be");
      bool shared = false;
      eliminateCommonSubExpressions(rewriter, dominance, module, &shared);
      changed = rewritten && shared;
    }
    eraseUnusedWeights(module);
  }

  void eraseUnusedWeights(ModuleOp module) {
    llvm::DenseSet<StringAttr> used;
    module.walk([&](WeightRefOp ref) { used.insert(ref.getWeightAttr().getAttr()); });
    for (WeightOp weight : module.getOps<WeightOp>())
      if (used.contains(weight.getSymNameAttr()))
        for (FlatSymbolRefAttr part : weight.getParts())
          used.insert(part.getAttr());
    for (WeightOp weight : llvm::make_early_inc_range(module.getOps<WeightOp>()))
      if (!used.contains(weight.getSymNameAttr())) {
        weight.erase();
        ++erasedWeights;
      }
  }
};

} // namespace
