//===- SimplifyLayout.cpp - Where reshapes and slices stand
//-------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// A reshape costs nothing by itself, but what stands on its two sides cannot share a kernel. Exporters
// flatten rows in front of a Gemm and unflatten them behind it; here the reshape behind moves up until it
// meets the one in front.
//
//===----------------------------------------------------------------------------------------------===//

#include "SimplifyPatterns.h"

#include "tfc/Dialect/Tfc/IR/TfcOps.h"

#include "mlir/IR/IRMapping.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace mlir::tfc;

namespace {

bool isOne(DimExprAttr dim) { return dim.isConstant(1); }

/// How the operand of an elementwise op on rows [R, n] is written when the rows are [..., n]; null where it
/// cannot be.
Value unflattenOperand(Value operand, ArrayRef<DimExprAttr> flat, ArrayRef<DimExprAttr> dims, Location loc,
                       PatternRewriter &rewriter) {
  SmallVector<DimExprAttr> own = getDims(operand);
  Type element = getElementTypeOrSelf(operand.getType());
  if (ArrayRef(own) == flat)
    return ReshapeOp::create(rewriter, loc, getTensorType(dims, element), operand);
  // A bias: the same for all rows.
  if (own.size() <= 1)
    return operand;
  if (isOne(own[0]))
    return ReshapeOp::create(rewriter, loc, getTensorType(ArrayRef(own).drop_front(), element), operand);
  return {};
}

/// True when no symbol is born between `op` and the reshape that uses it.
bool areDimsKnownAt(Operation *op, ReshapeOp reshape) {
  Block *block = op->getBlock();
  return block == reshape->getBlock() && llvm::none_of(block->getOps<BindOp>(), [&](BindOp bind) {
           return op->isBeforeInBlock(bind) && bind->isBeforeInBlock(reshape);
         });
}

/// reshape(op(x)) : [R, n] -> [a, b, n], with op elementwise or a product with a matrix, becomes
/// op(reshape(x)).
struct UnflattenRowsEarly : OpRewritePattern<ReshapeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ReshapeOp reshape, PatternRewriter &rewriter) const override {
    Operation *op = reshape.getX().getDefiningOp();
    SmallVector<DimExprAttr> flat = getDims(reshape.getX()), dims = getDims(reshape.getY());
    if (!op || op->getNumResults() != 1 || flat.size() != 2 || dims.size() < 3 || dims.back() != flat.back())
      return rewriter.notifyMatchFailure(reshape, "it does not split the rows of a matrix");
    DimExprAttr rows = DimExprAttr::constant(getContext(), 1);
    for (DimExprAttr dim : ArrayRef(dims).drop_back())
      rows = rows * dim;
    if (rows != flat.front())
      return rewriter.notifyMatchFailure(reshape, "the rows cannot be proven to be the leading dims");
    if (!areDimsKnownAt(op, reshape))
      return rewriter.notifyMatchFailure(reshape, "its dims are born after what it reshapes");
    OpBuilder::InsertionGuard guard(rewriter);
    rewriter.setInsertionPoint(op);
    SmallVector<Value> operands;
    if (auto matmul = dyn_cast<MatmulOp>(op)) {
      if (matmul.getTransposeA() || getDims(matmul.getB()).size() != 2)
        return rewriter.notifyMatchFailure(reshape, "the product is not one of rows with a matrix");
      SmallVector<DimExprAttr> dimsA(ArrayRef(dims).drop_back());
      dimsA.push_back(getDims(matmul.getA()).back());
      Type type = getTensorType(dimsA, getElementTypeOrSelf(matmul.getA().getType()));
      operands = {ReshapeOp::create(rewriter, op->getLoc(), type, matmul.getA()), matmul.getB()};
    } else if (isa<ElementwiseOpInterface>(op)) {
      bool hasRows = llvm::any_of(op->getOperands(), [&](Value operand) { return getDims(operand) == flat; });
      auto fits = [&](Value operand) {
        SmallVector<DimExprAttr> own = getDims(operand);
        return own == flat || own.size() <= 1 || isOne(own[0]);
      };
      if (!hasRows || !llvm::all_of(op->getOperands(), fits))
        return rewriter.notifyMatchFailure(reshape, "an operand is neither rows nor the same for all rows");
      for (Value operand : op->getOperands())
        operands.push_back(unflattenOperand(operand, flat, dims, op->getLoc(), rewriter));
    } else {
      return rewriter.notifyMatchFailure(reshape, "what makes it works on more than one row at a time");
    }
    IRMapping mapping;
    mapping.map(op->getOperands(), operands);
    Operation *unflattened = rewriter.clone(*op, mapping);
    unflattened->getResult(0).setType(getTensorType(dims, getElementTypeOrSelf(op->getResult(0).getType())));
    rewriter.replaceOpWithNewOp<ReshapeOp>(op, op->getResult(0).getType(), unflattened->getResult(0));
    return success();
  }
};

/// reshape(slice(x)), which splits the dim that was sliced, becomes slice(reshape(x)): whole heads are
/// sliced.
struct SplitHeadsBeforeSlice : OpRewritePattern<ReshapeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ReshapeOp reshape, PatternRewriter &rewriter) const override {
    auto slice = reshape.getX().getDefiningOp<SliceOp>();
    if (!slice)
      return rewriter.notifyMatchFailure(reshape, "its operand is no slice");
    SmallVector<DimExprAttr> whole = getDims(slice.getX()), sliced = getDims(slice.getY()),
                             dims = getDims(reshape.getY());
    size_t rank = whole.size();
    if (rank == 0 || dims.size() != rank + 1 ||
        ArrayRef(dims).take_front(rank - 1) != ArrayRef(sliced).drop_back())
      return rewriter.notifyMatchFailure(reshape, "it does not split the last dim into two");
    for (size_t i = 0; i + 1 < rank; ++i)
      if (whole[i] != sliced[i] || slice.getStrides()[i] != 1)
        return rewriter.notifyMatchFailure(reshape, "another dim than the last is sliced too");
    std::optional<int64_t> size = dims.back().getConstant(), length = whole.back().getConstant(),
                           offset = cast<DimExprAttr>(slice.getOffsets()[rank - 1]).getConstant();
    if (!size || !length || !offset || *size == 0 || *length % *size || *offset % *size ||
        slice.getStrides()[rank - 1] != 1)
      return rewriter.notifyMatchFailure(reshape, "the slice does not begin and end with a head");
    auto constant = [&](int64_t value) { return DimExprAttr::constant(getContext(), value); };
    SmallVector<DimExprAttr> split(ArrayRef(whole).drop_back());
    split.append({constant(*length / *size), constant(*size)});
    Type element = getElementTypeOrSelf(reshape.getType());
    Value heads = ReshapeOp::create(rewriter, reshape.getLoc(), getTensorType(split, element), slice.getX());
    SmallVector<Attribute> offsets(rank + 1, constant(0));
    offsets[rank - 1] = constant(*offset / *size);
    SmallVector<int64_t> strides(rank + 1, 1);
    rewriter.replaceOpWithNewOp<SliceOp>(reshape, reshape.getType(), heads, rewriter.getArrayAttr(offsets),
                                         strides);
    return success();
  }
};

/// A tile that repeats dims of 1 only is an expand.
struct ExpandForTile : OpRewritePattern<TileOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(TileOp tile, PatternRewriter &rewriter) const override {
    for (auto [from, to] : llvm::zip_equal(getDims(tile.getX()), getDims(tile.getY())))
      if (from != to && !isOne(from))
        return rewriter.notifyMatchFailure(tile, "a dim of more than one element is repeated");
    rewriter.replaceOpWithNewOp<ExpandOp>(tile, tile.getType(), tile.getX());
    return success();
  }
};

/// A product with [1, 1, k, n] becomes one with the matrix [k, n], where the left operand has the leading dims too.
struct DropUnitDimsOfMatrix : OpRewritePattern<MatmulOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(MatmulOp matmul, PatternRewriter &rewriter) const override {
    SmallVector<DimExprAttr> a = getDims(matmul.getA()), b = getDims(matmul.getB());
    if (b.size() <= 2 || a.size() < b.size() || !llvm::all_of(ArrayRef(b).drop_back(2), isOne))
      return rewriter.notifyMatchFailure(matmul, "the right operand is no matrix with leading dims of 1 that the left one has too");
    Type type = getTensorType(ArrayRef(b).take_back(2), getElementTypeOrSelf(matmul.getB().getType()));
    Value matrix = ReshapeOp::create(rewriter, matmul.getLoc(), type, matmul.getB());
    rewriter.modifyOpInPlace(matmul, [&] { matmul.getBMutable().assign(matrix); });
    return success();
  }
};

} // namespace

void mlir::tfc::populateLayoutPatterns(RewritePatternSet &patterns) {
  patterns.add<UnflattenRowsEarly, SplitHeadsBeforeSlice, ExpandForTile, DropUnitDimsOfMatrix>(patterns.getContext());
}
