//===- DataMovement.cpp - Lowering of transpose, expand, slice, concat, pad, tile and trilu --------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// All but transpose and expand read the operand at indices computed from the result's: one parallel
// linalg.generic over the result, which tiles by any of its loops.
//
//===----------------------------------------------------------------------------------------------===//

#include "EmitScalar.h"
#include "LinalgBody.h"
#include "ViewReader.h"

#include "tfc/Conversion/TfcToLinalg/DimArithmetic.h"
#include "tfc/Conversion/TfcToLinalg/TfcToLinalg.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/DialectConversion.h"

using namespace mlir;
using namespace mlir::tfc;
using arith::CmpIPredicate;

static Type elementTypeOf(Value value) { return cast<RankedTensorType>(value.getType()).getElementType(); }

static SmallVector<Value> materializeDims(OpBuilder &builder, Location loc, ArrayRef<DimExprAttr> dims) {
  return llvm::map_to_vector(dims, [&](DimExprAttr dim) { return materializeDim(builder, loc, dim); });
}

namespace {
struct LowerTranspose : OpConversionPattern<TransposeOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(TransposeOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Value init = createEmpty(rewriter, op.getLoc(), op.getType());
    auto transpose =
        linalg::TransposeOp::create(rewriter, op.getLoc(), adaptor.getX(), init, op.getPermutation());
    rewriter.replaceOp(op, transpose->getResults());
    return success();
  }
};

struct LowerExpand : OpConversionPattern<ExpandOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(ExpandOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    LoopOperands operands(rewriter, op.getLoc(), getDims(op.getType()));
    operands.addAligned(op.getX(), adaptor.getX());
    rewriter.replaceOp(op, createElementwise(rewriter, op.getLoc(), operands, op.getType(),
                                             [](OpBuilder &, ValueRange scalars) { return scalars[0]; }));
    return success();
  }
};

struct LowerSlice : OpConversionPattern<SliceOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(SliceOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    SmallVector<Value> offsets, strides;
    for (auto [offset, stride] :
         llvm::zip_equal(op.getOffsets().getAsRange<DimExprAttr>(), op.getStrides())) {
      offsets.push_back(materializeDim(rewriter, loc, offset));
      strides.push_back(arith::ConstantIndexOp::create(rewriter, loc, stride));
    }
    Value result = createFromIndices(rewriter, loc, op.getType(), [&](OpBuilder &body, ValueRange indices) {
      ScalarEmitter e(body, loc);
      SmallVector<Value> source;
      for (auto [index, offset, stride] : llvm::zip_equal(indices, offsets, strides))
        source.push_back(e.create<arith::AddIOp>(offset, e.create<arith::MulIOp>(index, stride)));
      return readElement(body, loc, adaptor.getX(), source, elementTypeOf(op.getX()));
    });
    rewriter.replaceOp(op, result);
    return success();
  }
};

/// Reads through views, so that what a cache of keys gets is not copied before it is copied there.
struct LowerConcat : OpConversionPattern<ConcatOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(ConcatOp op, OpAdaptor, ConversionPatternRewriter &rewriter) const override {
    ViewReader reader(rewriter, op.getLoc(), op.getResult());
    Value result =
        createFromIndices(rewriter, op.getLoc(), op.getType(), [&](OpBuilder &body, ValueRange indices) {
          return reader.read(body, llvm::to_vector(indices));
        });
    rewriter.replaceOp(op, result);
    return success();
  }
};

/// An index outside the operand is first mapped back into it as the mode says; what is outside even then
/// (mode `constant`, or an empty operand) gets the value.
struct LowerPad : OpConversionPattern<PadOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(PadOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Type elementType = elementTypeOf(op.getX());
    SmallVector<Value> dims = materializeDims(rewriter, loc, getDims(op.getX()));
    SmallVector<Value> lows =
        materializeDims(rewriter, loc, llvm::to_vector(op.getLow().getAsRange<DimExprAttr>()));
    Value fill = op.getValue() ? readElement(rewriter, loc, adaptor.getValue(), {}, elementType)
                               : createConstant(rewriter, loc, getScalarType(elementType), 0);
    Value result = createFromIndices(rewriter, loc, op.getType(), [&](OpBuilder &body, ValueRange indices) {
      ScalarEmitter e(body, loc);
      SmallVector<Value> source;
      Value inside = e.boolean(true);
      for (auto [index, low, dim] : llvm::zip_equal(indices, lows, dims)) {
        source.push_back(mapIndex(e, op.getMode(), e.create<arith::SubIOp>(index, low), dim));
        // One unsigned comparison covers both ends.
        inside = e.create<arith::AndIOp>(inside, e.compare(CmpIPredicate::ult, source.back(), dim));
      }
      auto choice = scf::IfOp::create(
          body, loc, inside,
          [&](OpBuilder &b, Location) {
            scf::YieldOp::create(b, loc, readElement(b, loc, adaptor.getX(), source, elementType));
          },
          [&](OpBuilder &b, Location) { scf::YieldOp::create(b, loc, fill); });
      return choice.getResult(0);
    });
    rewriter.replaceOp(op, result);
    return success();
  }

private:
  static Value mapIndex(ScalarEmitter &e, StringRef mode, Value index, Value dim) {
    Value zero = e.like(index, 0), one = e.like(index, 1);
    Value last = e.create<arith::SubIOp>(dim, one);
    if (mode == "edge")
      return e.create<arith::MaxSIOp>(zero, e.create<arith::MinSIOp>(index, last));
    if (mode == "wrap")
      return floorMod(e, index, dim);
    if (mode != "reflect")
      return index;
    // A period goes there and back: 2 * (dim - 1) elements.
    Value period = e.create<arith::AddIOp>(last, last);
    Value place = floorMod(e, index, period);
    return e.select(e.compare(CmpIPredicate::slt, place, dim), place, e.create<arith::SubIOp>(period, place));
  }

  static Value floorMod(ScalarEmitter &e, Value index, Value period) {
    Value one = e.like(index, 1);
    Value divisor = e.create<arith::MaxSIOp>(period, one);
    Value rest = e.create<arith::RemSIOp>(index, divisor);
    Value isNegative = e.compare(CmpIPredicate::slt, rest, e.like(index, 0));
    return e.select(isNegative, e.create<arith::AddIOp>(rest, divisor), rest);
  }
};

struct LowerTile : OpConversionPattern<TileOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(TileOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    SmallVector<DimExprAttr> from = getDims(op.getX()), to = getDims(op.getType());
    SmallVector<Value> dims;
    for (auto [source, target] : llvm::zip_equal(from, to))
      dims.push_back(source == target ? Value() : materializeDim(rewriter, loc, source));
    Value result = createFromIndices(rewriter, loc, op.getType(), [&](OpBuilder &body, ValueRange indices) {
      ScalarEmitter e(body, loc);
      SmallVector<Value> source;
      for (auto [index, dim] : llvm::zip_equal(indices, dims)) {
        // A dim of 0 has no element to repeat: the result is empty too, yet the division must not trap when
        // hoisted.
        Value divisor = dim ? e.create<arith::MaxSIOp>(dim, e.like(dim, 1)) : Value();
        source.push_back(dim ? e.create<arith::RemUIOp>(index, divisor) : index);
      }
      return readElement(body, loc, adaptor.getX(), source, elementTypeOf(op.getX()));
    });
    rewriter.replaceOp(op, result);
    return success();
  }
};

struct LowerTrilu : OpConversionPattern<TriluOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(TriluOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    int64_t rank = op.getType().getRank();
    Value k = materializeDim(rewriter, loc, op.getK());
    LoopOperands operands(rewriter, loc, getDims(op.getType()));
    operands.add(op.getX(), adaptor.getX(), iota(rank));
    Value result =
        createElementwise(rewriter, loc, operands, op.getType(), [&](OpBuilder &body, ValueRange scalars) {
          ScalarEmitter e(body, loc);
          SmallVector<Value> indices = createLoopIndices(body, loc, rank);
          Value diagonal = e.create<arith::SubIOp>(indices[rank - 1], indices[rank - 2]);
          Value keep = e.compare(op.getUpper() ? CmpIPredicate::sge : CmpIPredicate::sle, diagonal, k);
          return e.select(keep, scalars[0], e.like(scalars[0], 0));
        });
    rewriter.replaceOp(op, result);
    return success();
  }
};
} // namespace

void mlir::tfc::populateTfcToLinalgDataMovementPatterns(const TypeConverter &converter,
                                                        RewritePatternSet &patterns) {
  patterns.add<LowerTranspose, LowerExpand, LowerSlice, LowerConcat, LowerPad, LowerTile, LowerTrilu>(
      converter, patterns.getContext());
}
