//===- Index.cpp - Lowering of gather, gather_elements, one_hot, range and eye ---------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "EmitScalar.h"
#include "LinalgBody.h"
#include "ViewReader.h"

#include "tfc/Conversion/TfcToLinalg/DimArithmetic.h"
#include "tfc/Conversion/TfcToLinalg/TfcToLinalg.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/DialectConversion.h"

using namespace mlir;
using namespace mlir::tfc;
using arith::CmpIPredicate;

static constexpr StringLiteral checkAttrName = "tfc.check";

void mlir::tfc::numberCheckedIndices(func::FuncOp function) {
  Builder builder(function.getContext());
  int64_t number = 0;
  function.walk<WalkOrder::PreOrder>(
      [&](CheckedIndexOpInterface op) { op->setAttr(checkAttrName, builder.getI64IntegerAttr(number++)); });
}

static Type elementTypeOf(Value value) { return cast<RankedTensorType>(value.getType()).getElementType(); }

/// The index that data gives, made safe by tfc.check_index.
Value mlir::tfc::emitCheckedIndex(OpBuilder &builder, Operation *op, Value scalar, Value bound) {
  Location loc = op->getLoc();
  Value wide = scalar;
  if (!scalar.getType().isInteger(64))
    wide = arith::ExtSIOp::create(builder, loc, builder.getI64Type(), scalar);
  auto check = op->getAttrOfType<IntegerAttr>(checkAttrName);
  return CheckIndexOp::create(builder, loc, builder.getIndexType(), wide, bound,
                              check ? check : builder.getI64IntegerAttr(0), /*no_wrap=*/UnitAttr());
}

namespace {
struct LowerGather : OpConversionPattern<GatherOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(GatherOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    int64_t axis = op.getAxis(), indicesRank = op.getIndices().getType().getRank();
    Value bound = materializeDim(rewriter, loc, getDim(op.getX(), axis));
    ViewReader table(rewriter, loc, op.getX());
    LoopOperands operands(rewriter, loc, getDims(op.getType()));
    operands.add(op.getIndices(), adaptor.getIndices(),
                 llvm::to_vector(llvm::seq<int64_t>(axis, axis + indicesRank)));
    Value result =
        createElementwise(rewriter, loc, operands, op.getType(), [&](OpBuilder &body, ValueRange scalars) {
          SmallVector<Value> loops = createLoopIndices(body, loc, op.getType().getRank());
          SmallVector<Value> source(ArrayRef<Value>(loops).take_front(axis));
          source.push_back(emitCheckedIndex(body, op, scalars[0], bound));
          source.append(loops.begin() + axis + indicesRank, loops.end());
          return table.read(body, source);
        });
    rewriter.replaceOp(op, result);
    return success();
  }
};

struct LowerGatherElements : OpConversionPattern<GatherElementsOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(GatherElementsOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    int64_t rank = op.getType().getRank();
    Value bound = materializeDim(rewriter, loc, getDim(op.getX(), op.getAxis()));
    LoopOperands operands(rewriter, loc, getDims(op.getType()));
    operands.add(op.getIndices(), adaptor.getIndices(), iota(rank));
    Value result =
        createElementwise(rewriter, loc, operands, op.getType(), [&](OpBuilder &body, ValueRange scalars) {
          SmallVector<Value> source = createLoopIndices(body, loc, rank);
          source[op.getAxis()] = emitCheckedIndex(body, op, scalars[0], bound);
          return readElement(body, loc, adaptor.getX(), source, elementTypeOf(op.getX()));
        });
    rewriter.replaceOp(op, result);
    return success();
  }
};

struct LowerOneHot : OpConversionPattern<OneHotOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(OneHotOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto type = cast<RankedTensorType>(op.getType());
    int64_t axis = op.getAxis();
    Type i64 = rewriter.getI64Type();
    Type indexType = elementTypeOf(op.getIndices());
    Value depth = arith::IndexCastOp::create(rewriter, loc, i64,
                                             materializeDim(rewriter, loc, getDim(op.getType(), axis)));
    SmallVector<int64_t> indexLoops =
        llvm::filter_to_vector(iota(type.getRank()), [&](int64_t loop) { return loop != axis; });
    LoopOperands operands(rewriter, loc, getDims(op.getType()));
    operands.add(op.getIndices(), adaptor.getIndices(), indexLoops);
    operands.add(op.getOff(), adaptor.getOff(), {});
    operands.add(op.getOn(), adaptor.getOn(), {});
    Value result = createElementwise(rewriter, loc, operands, type, [&](OpBuilder &body, ValueRange scalars) {
      ScalarEmitter e(body, loc);
      Value wanted = *emitCast(body, loc, scalars[0], indexType, i64);
      if (!indexType.isUnsignedInteger()) {
        Value isNegative = e.compare(CmpIPredicate::slt, wanted, e.like(wanted, 0));
        wanted = e.select(isNegative, e.create<arith::AddIOp>(wanted, depth), wanted);
      }
      Value place = e.create<arith::IndexCastOp>(i64, e.create<linalg::IndexOp>(uint64_t(axis)));
      return e.select(e.compare(CmpIPredicate::eq, place, wanted), scalars[2], scalars[1]);
    });
    rewriter.replaceOp(op, result);
    return success();
  }
};

struct LowerRange : OpConversionPattern<RangeOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(RangeOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Type elementType = elementTypeOf(op.getResult());
    LoopOperands operands(rewriter, loc, getDims(op.getType()));
    operands.add(op.getStart(), adaptor.getStart(), {});
    operands.add(op.getStep(), adaptor.getStep(), {});
    Value result =
        createElementwise(rewriter, loc, operands, op.getType(), [&](OpBuilder &body, ValueRange scalars) {
          ScalarEmitter e(body, loc);
          Value start = toCompute(body, loc, scalars[0]), step = toCompute(body, loc, scalars[1]);
          Value count =
              e.create<arith::IndexCastOp>(body.getI64Type(), e.create<linalg::IndexOp>(uint64_t(0)));
          Value times = *emitCast(body, loc, count, body.getI64Type(), start.getType());
          Value sum = isa<FloatType>(start.getType())
                          ? e.create<arith::AddFOp>(start, e.create<arith::MulFOp>(times, step))
                          : e.create<arith::AddIOp>(start, e.create<arith::MulIOp>(times, step));
          return fromCompute(body, loc, sum, elementType);
        });
    rewriter.replaceOp(op, result);
    return success();
  }
};

struct LowerEye : OpConversionPattern<EyeOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(EyeOp op, OpAdaptor, ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Type scalarType = getScalarType(elementTypeOf(op.getResult()));
    Value k = materializeDim(rewriter, loc, op.getK());
    Value result = createFromIndices(rewriter, loc, op.getType(), [&](OpBuilder &body, ValueRange indices) {
      ScalarEmitter e(body, loc);
      Value diagonal = e.create<arith::SubIOp>(indices[1], indices[0]);
      return e.select(e.compare(CmpIPredicate::eq, diagonal, k), createConstant(body, loc, scalarType, 1),
                      createConstant(body, loc, scalarType, 0));
    });
    rewriter.replaceOp(op, result);
    return success();
  }
};
} // namespace

void mlir::tfc::populateTfcToLinalgIndexPatterns(const TypeConverter &converter,
                                                 RewritePatternSet &patterns) {
  patterns.add<LowerGather, LowerGatherElements, LowerOneHot, LowerRange, LowerEye>(converter,
                                                                                    patterns.getContext());
}
