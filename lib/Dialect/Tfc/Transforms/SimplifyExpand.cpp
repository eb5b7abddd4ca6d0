//===- SimplifyExpand.cpp - Elements are computed once and repeated last -------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "SimplifyPatterns.h"

#include "tfc/Dialect/Tfc/IR/Broadcast.h"
#include "tfc/Dialect/Tfc/IR/TfcOps.h"

#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace mlir::tfc;

namespace {

/// elementwise(x, expand(y)) -> elementwise(x, y) where the op broadcasts to the same type without the expand.
struct DropExpandBeforeElementwise : OpInterfaceRewritePattern<ElementwiseOpInterface> {
  using OpInterfaceRewritePattern::OpInterfaceRewritePattern;

  LogicalResult matchAndRewrite(ElementwiseOpInterface op, PatternRewriter &rewriter) const override {
    auto type = cast<RankedTensorType>(op->getResult(0).getType());
    for (OpOperand &operand : op->getOpOperands()) {
      auto expand = operand.get().getDefiningOp<ExpandOp>();
      if (!expand || op->getNumOperands() == 1)
        continue;
      SmallVector<SmallVector<DimExprAttr>> shapes;
      for (OpOperand &other : op->getOpOperands())
        shapes.push_back(getDims(&other == &operand ? expand.getX() : other.get()));
      FailureOr<SmallVector<DimExprAttr>> dims = broadcastDims(shapes);
      if (failed(dims) || getTensorType(*dims, type.getElementType()) != type)
        continue;
      rewriter.modifyOpInPlace(op, [&] { operand.set(expand.getX()); });
      return success();
    }
    return rewriter.notifyMatchFailure(op, "no operand is an expand that broadcasting makes needless");
  }
};

/// elementwise(expand(x), numbers) -> expand(elementwise(x, numbers)): masks are often expanded to all scores before anything is made of
/// them.
struct ElementwiseBeforeExpand : OpInterfaceRewritePattern<ElementwiseOpInterface> {
  using OpInterfaceRewritePattern::OpInterfaceRewritePattern;

  LogicalResult matchAndRewrite(ElementwiseOpInterface op, PatternRewriter &rewriter) const override {
    auto type = cast<RankedTensorType>(op->getResult(0).getType());
    ExpandOp first;
    SmallVector<Value> operands;
    for (Value operand : op->getOperands()) {
      auto expand = operand.getDefiningOp<ExpandOp>();
      bool isNumber = getElementCount(operand.getType()).isConstant(1);
      if (!isNumber && (!expand || getDims(expand.getType()) != getDims(type) ||
                        (first && getDims(expand.getX()) != getDims(first.getX()))))
        return rewriter.notifyMatchFailure(op, "an operand is neither a number nor expanded to the result");
      if (!isNumber && !first)
        first = expand;
      operands.push_back(isNumber ? operand : expand.getX());
    }
    if (!first || op->getNumRegions() != 0)
      return rewriter.notifyMatchFailure(op, "nothing is expanded");
    SmallVector<DimExprAttr> dims = getDims(first.getX());
    for (Value operand : operands)
      if (getDims(operand).size() > dims.size())
        return rewriter.notifyMatchFailure(op, "a number has more dims than what is expanded");
    Operation *inner = rewriter.create(op->getLoc(), op->getName().getIdentifier(), operands, getTensorType(dims, type.getElementType()),
                                       op->getAttrs());
    rewriter.replaceOpWithNewOp<ExpandOp>(op, type, inner->getResult(0));
    return success();
  }
};

/// An expand to a type whose only change is leading or unit dims of length 1 is a reshape.
struct ExpandByUnitDimsToReshape : OpRewritePattern<ExpandOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ExpandOp op, PatternRewriter &rewriter) const override {
    SmallVector<DimExprAttr> from = getDims(op.getX()), to = getDims(op.getY());
    size_t added = to.size() - from.size();
    if (!llvm::all_of(ArrayRef(to).take_front(added), [](DimExprAttr dim) { return dim.isConstant(1); }) ||
        ArrayRef(to).drop_front(added) != ArrayRef(from))
      return rewriter.notifyMatchFailure(op, "repeats elements");
    rewriter.replaceOpWithNewOp<ReshapeOp>(op, op.getType(), op.getX());
    return success();
  }
};

} // namespace

void mlir::tfc::populateExpandPatterns(RewritePatternSet &patterns) {
  patterns.add<DropExpandBeforeElementwise, ElementwiseBeforeExpand, ExpandByUnitDimsToReshape>(patterns.getContext());
}
