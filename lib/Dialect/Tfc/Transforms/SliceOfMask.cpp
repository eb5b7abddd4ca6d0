//===- SliceOfMask.cpp - Of a buffer for all positions, only the part that is used ---------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "SliceOfMask.h"

#include "tfc/Dialect/Tfc/IR/TfcOps.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::tfc;

namespace {

/// A slice with stride 1 in main, whose requirements may move into the body.
bool mayMove(SliceOp op) {
  return isa_and_nonnull<func::FuncOp>(op->getParentOp()) && !op->getParentOp()->hasAttr("tfc.kernel") &&
         llvm::all_of(op.getStrides(), [](int64_t stride) { return stride == 1; });
}

/// What the slice asked of the symbols, once it is gone. Layers ask the same, which is said once.
void keepRequirements(SliceOp op, PatternRewriter &rewriter) {
  SmallVector<Requirement> requirements;
  op.collectRequirements(requirements);
  auto isSaid = [&](const Requirement &requirement) {
    return llvm::any_of(op->getBlock()->getOps<RequireOp>(), [&](RequireOp other) {
      return other.getKind() == requirement.kind && other.getLhs() == requirement.lhs && other.getRhs() == requirement.rhs;
    });
  };
  for (const Requirement &requirement : requirements)
    if (!isSaid(requirement))
      RequireOp::create(rewriter, op.getLoc(), requirement.kind, requirement.lhs, requirement.rhs);
}

/// slice(trilu(x)) -> trilu(slice(x)) with the diagonal moved: of a large triangle only the part is made that is used.
struct SliceOfTriluToTriluOfSlice : OpRewritePattern<SliceOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(SliceOp op, PatternRewriter &rewriter) const override {
    auto trilu = op.getX().getDefiningOp<TriluOp>();
    if (!trilu || !mayMove(op))
      return rewriter.notifyMatchFailure(op, "the operand is no triangle");
    auto offset = [&](size_t fromEnd) { return cast<DimExprAttr>(op.getOffsets()[op.getOffsets().size() - fromEnd]); };
    DimExprAttr k = trilu.getK() + offset(2) - offset(1);
    auto sliced = SliceOp::create(rewriter, op.getLoc(), op.getType(), trilu.getX(), op.getOffsets(), op.getStrides());
    rewriter.replaceOpWithNewOp<TriluOp>(op, op.getType(), sliced, k, trilu.getUpper());
    return success();
  }
};

/// A slice of what is one number everywhere is that number, expanded.
struct SliceOfNumbersToExpand : OpRewritePattern<SliceOp> {
  using OpRewritePattern::OpRewritePattern;

  static Value getNumber(Value x, Location loc, PatternRewriter &rewriter) {
    if (auto expand = x.getDefiningOp<ExpandOp>(); expand && getElementCount(expand.getX().getType()).isConstant(1))
      return expand.getX();
    DenseElementsAttr dense;
    if (!matchPattern(x, m_Constant(&dense)) || !dense.isSplat() || dense.getNumElements() == 0)
      return nullptr;
    auto scalar = DenseElementsAttr::get(RankedTensorType::get({}, dense.getElementType()), dense.getSplatValue<Attribute>());
    return ConstantOp::create(rewriter, loc, scalar.getType(), scalar);
  }

  LogicalResult matchAndRewrite(SliceOp op, PatternRewriter &rewriter) const override {
    if (!mayMove(op) || cast<RankedTensorType>(op.getType()).hasStaticShape())
      return rewriter.notifyMatchFailure(op, "known when compiled, or not in main");
    Value number = getNumber(op.getX(), op.getLoc(), rewriter);
    if (!number)
      return rewriter.notifyMatchFailure(op, "the operand is not one number everywhere");
    keepRequirements(op, rewriter);
    rewriter.replaceOpWithNewOp<ExpandOp>(op, op.getType(), number);
    return success();
  }
};

/// slice(select(c, a, b)) -> select(slice(c), a, b) where a and b are single numbers; slice(and(x, y)) of triangles alike.
struct SliceOfMaskToMaskOfSlice : OpRewritePattern<SliceOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(SliceOp op, PatternRewriter &rewriter) const override {
    Operation *mask = op.getX().getDefiningOp();
    if (!isa_and_nonnull<SelectOp, AndOp>(mask) || !mayMove(op) || !isTriangle(mask->getOperand(0)) ||
        (isa<AndOp>(mask) && !isTriangle(mask->getOperand(1))))
      return rewriter.notifyMatchFailure(op, "the operand is no mask made of triangles");
    SmallVector<Value> operands;
    for (Value operand : mask->getOperands()) {
      bool isNumber = getElementCount(operand.getType()).isConstant(1);
      if (!isNumber && cast<RankedTensorType>(operand.getType()).getShape() !=
                           cast<RankedTensorType>(op.getX().getType()).getShape())
        return rewriter.notifyMatchFailure(op, "an operand broadcasts");
      Type type = getTensorType(getDims(op.getType()), getElementTypeOrSelf(operand.getType()));
      operands.push_back(isNumber ? operand
                                  : SliceOp::create(rewriter, op.getLoc(), type, operand, op.getOffsets(), op.getStrides()));
    }
    if (isa<AndOp>(mask))
      rewriter.replaceOpWithNewOp<AndOp>(op, op.getType(), operands);
    else
      rewriter.replaceOpWithNewOp<SelectOp>(op, op.getType(), operands);
    return success();
  }

  static bool isTriangle(Value value) {
    if (auto both = value.getDefiningOp<AndOp>())
      return isTriangle(both.getX()) && isTriangle(both.getY());
    return isa_and_nonnull<TriluOp>(value.getDefiningOp());
  }
};

} // namespace

void mlir::tfc::populateSliceOfMaskPatterns(RewritePatternSet &patterns) {
  patterns.add<SliceOfTriluToTriluOfSlice, SliceOfNumbersToExpand, SliceOfMaskToMaskOfSlice>(patterns.getContext());
}
