//===- Reduction.cpp - Lowering of reductions ------------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "EmitScalar.h"
#include "LinalgBody.h"

#include "tfc/Conversion/TfcToLinalg/TfcToLinalg.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Transforms/DialectConversion.h"

using namespace mlir;
using namespace mlir::tfc;

/// What a reduction starts from.
static Value createIdentity(OpBuilder &builder, Location loc, ReduceKind kind, Type type, bool isUnsigned) {
  bool isMax = kind == ReduceKind::Max;
  if (kind != ReduceKind::Max && kind != ReduceKind::Min)
    return createConstant(builder, loc, type, kind == ReduceKind::Prod ? 1 : 0);
  if (isa<FloatType>(type))
    return createConstant(builder, loc, type, isMax ? -INFINITY : INFINITY);
  unsigned width = type.getIntOrFloatBitWidth();
  APInt end = isMax ? (isUnsigned ? APInt::getMinValue(width) : APInt::getSignedMinValue(width))
                    : (isUnsigned ? APInt::getMaxValue(width) : APInt::getSignedMaxValue(width));
  return arith::ConstantOp::create(builder, loc, IntegerAttr::get(type, end));
}

/// One op, so that tfc-lower-row-reductions recognizes what is reduced.
static Value emitCombine(OpBuilder &builder, Location loc, ReduceKind kind, Value a, Value b,
                         bool isUnsigned) {
  ScalarEmitter e(builder, loc);
  bool isFloat = isa<FloatType>(a.getType());
  switch (kind) {
  case ReduceKind::Sum:
  case ReduceKind::Mean:
    return isFloat ? e.create<arith::AddFOp>(a, b) : e.create<arith::AddIOp>(a, b);
  case ReduceKind::Prod:
    return isFloat ? e.create<arith::MulFOp>(a, b) : e.create<arith::MulIOp>(a, b);
  case ReduceKind::Max:
    return isFloat      ? e.create<arith::MaximumFOp>(a, b)
           : isUnsigned ? e.create<arith::MaxUIOp>(a, b)
                        : e.create<arith::MaxSIOp>(a, b);
  case ReduceKind::Min:
    return isFloat      ? e.create<arith::MinimumFOp>(a, b)
           : isUnsigned ? e.create<arith::MinUIOp>(a, b)
                        : e.create<arith::MinSIOp>(a, b);
  }
  return nullptr;
}

/// The dims of `all` at these positions.
static SmallVector<DimExprAttr> pick(ArrayRef<DimExprAttr> all, ArrayRef<int64_t> positions) {
  return llvm::map_to_vector(positions, [&](int64_t position) { return all[position]; });
}

namespace {
/// The loops stand in the order of x's dims. A reduction over the last dim is left to
/// tfc-lower-row-reductions, which fixes its order; any other runs its terms in the order of the loops, the
/// innermost loop being parallel.
struct LowerReduce : OpConversionPattern<ReduceOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(ReduceOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto xType = op.getX().getType();
    SmallVector<DimExprAttr> dims = getDims(xType);
    SmallVector<int64_t> kept = llvm::filter_to_vector(
        iota(xType.getRank()), [&](int64_t dim) { return !llvm::is_contained(op.getAxes(), dim); });
    Type elementType = xType.getElementType();
    Type accumulatorType = getComputeType(elementType);
    bool isUnsigned = elementType.isUnsignedInteger();

    LoopOperands operands(rewriter, loc, dims);
    operands.add(op.getX(), adaptor.getX(), iota(xType.getRank()));
    for (int64_t axis : op.getAxes())
      operands.cover(axis);
    Value init = createFilled(rewriter, loc, pick(dims, kept),
                              createIdentity(rewriter, loc, op.getKind(), accumulatorType, isUnsigned));
    Value result = createGeneric(rewriter, loc, operands, init, xType.getRank(), kept,
                                 [&](OpBuilder &body, ValueRange scalars, Value accumulator) {
                                   return emitCombine(body, loc, op.getKind(), accumulator,
                                                      toCompute(body, loc, scalars[0]), isUnsigned);
                                 });
    if (op.getKeepDims() || op.getKind() == ReduceKind::Mean || accumulatorType != getScalarType(elementType))
      result = finish(rewriter, op, result, kept, accumulatorType);
    rewriter.replaceOp(op, result);
    return success();
  }

private:
  /// Divides by the count, rounds to the element type, puts the dims of 1 where they are kept.
  static Value finish(OpBuilder &builder, ReduceOp op, Value reduced, ArrayRef<int64_t> kept,
                      Type accumulatorType) {
    Location loc = op.getLoc();
    RankedTensorType type = op.getType();
    bool isMean = op.getKind() == ReduceKind::Mean;
    Value count;
    if (isMean)
      count = createCount(builder, loc, pick(getDims(op.getX()), op.getAxes()), accumulatorType);
    LoopOperands operands(builder, loc, getDims(type));
    operands.addPlain(reduced, op.getKeepDims() ? SmallVector<int64_t>(kept) : iota(kept.size()));
    return createElementwise(builder, loc, operands, type, [&](OpBuilder &body, ValueRange scalars) {
      ScalarEmitter e(body, loc);
      Value value = scalars[0];
      if (isMean && isa<FloatType>(accumulatorType))
        value = e.create<arith::DivFOp>(value, count);
      else if (isMean)
        value = emitIntegerDiv(e, value, count, type.getElementType().isUnsignedInteger());
      return fromCompute(body, loc, value, type.getElementType());
    });
  }
};

/// A reduction to a pair: the best element so far and its index, -1 before the first.
struct LowerArgReduce : OpConversionPattern<ArgReduceOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(ArgReduceOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto xType = op.getX().getType();
    int64_t rank = xType.getRank(), axis = op.getAxis();
    SmallVector<DimExprAttr> dims = getDims(xType);
    SmallVector<int64_t> kept = llvm::filter_to_vector(iota(rank), [&](int64_t dim) { return dim != axis; });
    Type computeType = getComputeType(xType.getElementType());

    LoopOperands operands(rewriter, loc, dims);
    operands.add(op.getX(), adaptor.getX(), iota(rank));
    operands.cover(axis);
    Value minusOne = createConstant(rewriter, loc, rewriter.getI64Type(), -1);
    SmallVector<Value> inits{
        createFilled(rewriter, loc, pick(dims, kept), createConstant(rewriter, loc, computeType, 0)),
        createFilled(rewriter, loc, pick(dims, kept), minusOne)};
    SmallVector<AffineMap> maps(operands.getMaps());
    SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
    iterators[axis] = utils::IteratorType::reduction;
    maps.append(2, AffineMap::getMultiDimIdentityMap(rank, rewriter.getContext()).dropResult(axis));
    auto generic = linalg::GenericOp::create(
        rewriter, loc, TypeRange(ValueRange(inits)), operands.getTensors(), inits, maps, iterators,
        [&](OpBuilder &body, Location, ValueRange arguments) {
          Value x = toCompute(body, loc, operands.read(body, arguments.drop_back(2))[0]);
          emitBody(body, op, x, arguments.drop_front(arguments.size() - 2), minusOne);
        });
    Value result = generic.getResult(1);
    if (op.getKeepDims()) {
      LoopOperands indices(rewriter, loc, getDims(op.getType()));
      indices.addPlain(result, kept);
      result = createElementwise(rewriter, loc, indices, op.getType(),
                                 [](OpBuilder &, ValueRange scalars) { return scalars[0]; });
    }
    rewriter.replaceOp(op, result);
    return success();
  }

private:
  static void emitBody(OpBuilder &body, ArgReduceOp op, Value x, ValueRange state, Value minusOne) {
    Location loc = op.getLoc();
    ScalarEmitter e(body, loc);
    Value best = state[0], bestIndex = state[1];
    Value index =
        e.create<arith::IndexCastOp>(body.getI64Type(), e.create<linalg::IndexOp>(uint64_t(op.getAxis())));
    Value isFirst = e.compare(arith::CmpIPredicate::eq, bestIndex, minusOne);
    Value better;
    if (isa<FloatType>(x.getType())) {
      using F = arith::CmpFPredicate;
      F predicate = op.getMin() ? (op.getLast() ? F::OLE : F::OLT) : (op.getLast() ? F::OGE : F::OGT);
      // A NaN is taken and never left: comparisons with it are false.
      Value bestIsNumber = e.compare(F::ORD, best, best);
      Value isNaN = e.create<arith::AndIOp>(bestIsNumber, e.compare(F::UNO, x, x));
      better = e.create<arith::OrIOp>(e.compare(predicate, x, best), isNaN);
    } else {
      using I = arith::CmpIPredicate;
      bool isUnsigned = op.getX().getType().getElementType().isUnsignedInteger();
      I less = isUnsigned ? (op.getLast() ? I::ule : I::ult) : (op.getLast() ? I::sle : I::slt);
      better = op.getMin() ? e.compare(less, x, best) : e.compare(less, best, x);
    }
    Value take = e.create<arith::OrIOp>(isFirst, better);
    linalg::YieldOp::create(body, loc, ValueRange{e.select(take, x, best), e.select(take, index, bestIndex)});
  }
};

struct LowerCountNonzero : OpConversionPattern<CountNonzeroOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(CountNonzeroOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto xType = op.getX().getType();
    Type elementType = xType.getElementType();
    LoopOperands operands(rewriter, loc, getDims(xType));
    operands.add(op.getX(), adaptor.getX(), iota(xType.getRank()));
    for (int64_t loop : iota(xType.getRank()))
      operands.cover(loop);
    Value init = createFilled(rewriter, loc, {}, createConstant(rewriter, loc, rewriter.getI64Type(), 0));
    Value count = createGeneric(rewriter, loc, operands, init, xType.getRank(), {},
                                [&](OpBuilder &body, ValueRange scalars, Value accumulator) -> Value {
                                  Value isSet =
                                      *emitCast(body, loc, scalars[0], elementType, body.getI1Type());
                                  Value one = arith::ExtUIOp::create(body, loc, body.getI64Type(), isSet);
                                  return arith::AddIOp::create(body, loc, accumulator, one);
                                });
    rewriter.replaceOp(op, count);
    return success();
  }
};
} // namespace

void mlir::tfc::populateTfcToLinalgReductionPatterns(const TypeConverter &converter,
                                                     RewritePatternSet &patterns) {
  patterns.add<LowerReduce, LowerArgReduce, LowerCountNonzero>(converter, patterns.getContext());
}
