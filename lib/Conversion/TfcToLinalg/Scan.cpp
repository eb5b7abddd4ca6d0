//===- Scan.cpp - Lowering of cumsum, top_k, nonzero and scatter -----------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// These go through elements in order and remember what came before, which linalg has no form for: scf loops
// over tensors.
//
//===----------------------------------------------------------------------------------------------===//

#include "EmitScalar.h"
#include "LinalgBody.h"

#include "tfc/Conversion/TfcToLinalg/DimArithmetic.h"
#include "tfc/Conversion/TfcToLinalg/TfcToLinalg.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/DialectConversion.h"

using namespace mlir;
using namespace mlir::tfc;
using arith::CmpIPredicate;

static Type elementTypeOf(Value value) { return cast<RankedTensorType>(value.getType()).getElementType(); }

/// A body of a loop nest: from the indices (one per dim) and the carried values to the values of the next
/// round.
using NestBody = llvm::function_ref<SmallVector<Value>(OpBuilder &, ValueRange indices, ValueRange state)>;

/// Loops over all dims but `skipped` (-1: none), whose index is 0 for the body.
static SmallVector<Value> createLoops(OpBuilder &builder, Location loc, ArrayRef<DimExprAttr> dims,
                                      int64_t skipped, ValueRange state, NestBody body) {
  Value zero = arith::ConstantIndexOp::create(builder, loc, 0),
        one = arith::ConstantIndexOp::create(builder, loc, 1);
  SmallVector<Value> ends;
  for (auto [position, dim] : llvm::enumerate(dims))
    if (static_cast<int64_t>(position) != skipped)
      ends.push_back(materializeDim(builder, loc, dim));
  SmallVector<Value> starts(ends.size(), zero), steps(ends.size(), one);
  scf::LoopNest nest = scf::buildLoopNest(
      builder, loc, starts, ends, steps, state,
      [&](OpBuilder &nested, Location, ValueRange loops, ValueRange carried) -> scf::ValueVector {
        SmallVector<Value> indices(loops);
        if (skipped >= 0)
          indices.insert(indices.begin() + skipped, zero);
        SmallVector<Value> next = body(nested, indices, carried);
        return scf::ValueVector(next.begin(), next.end());
      });
  return SmallVector<Value>(nest.results);
}

/// One scf.for from 0 to `end`.
static SmallVector<Value>
createLoop(OpBuilder &builder, Location loc, Value end, ValueRange state,
           llvm::function_ref<SmallVector<Value>(OpBuilder &, Value, ValueRange)> body) {
  Value zero = arith::ConstantIndexOp::create(builder, loc, 0),
        one = arith::ConstantIndexOp::create(builder, loc, 1);
  auto loop = scf::ForOp::create(builder, loc, zero, end, one, state,
                                 [&](OpBuilder &nested, Location, Value index, ValueRange carried) {
                                   scf::YieldOp::create(nested, loc, body(nested, index, carried));
                                 });
  return SmallVector<Value>(loop.getResults());
}

static Value insert(OpBuilder &builder, Location loc, Value memory, Value tensor, ValueRange indices) {
  return tensor::InsertOp::create(builder, loc, memory, tensor, indices);
}

namespace {
struct LowerCumSum : OpConversionPattern<CumSumOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(CumSumOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    int64_t axis = op.getAxis();
    Type elementType = elementTypeOf(op.getX());
    Value length = materializeDim(rewriter, loc, getDim(op.getX(), axis));
    Value last =
        arith::SubIOp::create(rewriter, loc, length, arith::ConstantIndexOp::create(rewriter, loc, 1));
    Value start = createConstant(rewriter, loc, getComputeType(elementType), 0);
    auto step = [&](OpBuilder &body, SmallVector<Value> indices, Value place,
                    ValueRange state) -> SmallVector<Value> {
      ScalarEmitter e(body, loc);
      indices[axis] = op.getReverse() ? e.create<arith::SubIOp>(last, place) : place;
      Value x = toCompute(body, loc, readElement(body, loc, adaptor.getX(), indices, elementType));
      Value sum = isa<FloatType>(x.getType()) ? e.create<arith::AddFOp>(state[1], x)
                                              : e.create<arith::AddIOp>(state[1], x);
      Value stored = fromCompute(body, loc, op.getExclusive() ? state[1] : sum, elementType);
      return {insert(body, loc, stored, state[0], indices), sum};
    };
    SmallVector<Value> result =
        createLoops(rewriter, loc, getDims(op.getX()), axis, createEmpty(rewriter, loc, op.getType()),
                    [&](OpBuilder &body, ValueRange indices, ValueRange state) -> SmallVector<Value> {
                      return {createLoop(body, loc, length, {state[0], start},
                                         [&](OpBuilder &inner, Value place, ValueRange carried) {
                                           return step(inner, SmallVector<Value>(indices), place, carried);
                                         })[0]};
                    });
    rewriter.replaceOp(op, result[0]);
    return success();
  }
};

/// Chooses k times the best element that comes after the one chosen before, in the order of (value, index).
/// That takes k passes over a row and no memory.
struct LowerTopK : OpConversionPattern<TopKOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(TopKOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    int64_t axis = op.getAxis();
    Value length = materializeDim(rewriter, loc, getDim(op.getX(), axis));
    Value count = materializeDim(rewriter, loc, getDim(op.getValues(), axis));
    SmallVector<Value> tensors{createEmpty(rewriter, loc, op.getValues().getType()),
                               createEmpty(rewriter, loc, op.getIndices().getType())};
    Value none = createConstant(rewriter, loc, rewriter.getI64Type(), -1);
    Value start = createConstant(rewriter, loc, getScalarType(elementTypeOf(op.getX())), 0);
    // State: values, indices, the element chosen last and its index (-1 before the first).
    auto choose = [&](OpBuilder &body, SmallVector<Value> indices, Value place,
                      ValueRange state) -> SmallVector<Value> {
      SmallVector<Value> best =
          createLoop(body, loc, length, {start, none}, [&](OpBuilder &inner, Value index, ValueRange found) {
            indices[axis] = index;
            return emitScan(inner, op, adaptor.getX(), indices, state.drop_front(2), found);
          });
      indices[axis] = place;
      return {insert(body, loc, best[0], state[0], indices), insert(body, loc, best[1], state[1], indices),
              best[0], best[1]};
    };
    SmallVector<Value> result =
        createLoops(rewriter, loc, getDims(op.getX()), axis, tensors,
                    [&](OpBuilder &body, ValueRange indices, ValueRange state) -> SmallVector<Value> {
                      SmallVector<Value> row =
                          createLoop(body, loc, count, {state[0], state[1], start, none},
                                     [&](OpBuilder &inner, Value place, ValueRange carried) {
                                       return choose(inner, SmallVector<Value>(indices), place, carried);
                                     });
                      return {row[0], row[1]};
                    });
    rewriter.replaceOp(op, result);
    return success();
  }

private:
  /// Whether x comes before y whatever their indices.
  static Value emitBefore(ScalarEmitter &e, TopKOp op, Value x, Value y) {
    if (isa<FloatType>(x.getType())) {
      using F = arith::CmpFPredicate;
      x = toCompute(e.builder, e.loc, x);
      y = toCompute(e.builder, e.loc, y);
      Value before = op.getSmallest() ? e.less(x, y) : e.less(y, x);
      // NaN counts as the largest.
      Value first = op.getSmallest() ? y : x, second = op.getSmallest() ? x : y;
      Value byNaN =
          e.create<arith::AndIOp>(e.compare(F::UNO, first, first), e.compare(F::ORD, second, second));
      return e.create<arith::OrIOp>(before, byNaN);
    }
    bool isUnsigned = elementTypeOf(op.getX()).isUnsignedInteger();
    CmpIPredicate less = isUnsigned ? CmpIPredicate::ult : CmpIPredicate::slt;
    return op.getSmallest() ? e.compare(less, x, y) : e.compare(less, y, x);
  }

  /// One element: it is taken when it comes after `previous` (element, index) and before the best `found` so
  /// far.
  static SmallVector<Value> emitScan(OpBuilder &body, TopKOp op, Value tensor, ValueRange indices,
                                     ValueRange previous, ValueRange found) {
    ScalarEmitter e(body, op.getLoc());
    Value x = readElement(body, op.getLoc(), tensor, indices, elementTypeOf(op.getX()));
    Value index = e.create<arith::IndexCastOp>(body.getI64Type(), indices[op.getAxis()]);
    Value zero = e.like(index, 0);
    Value isFirst = e.compare(CmpIPredicate::slt, previous[1], zero);
    Value isBehind = emitBefore(e, op, previous[0], x);
    Value notAhead = e.create<arith::XOrIOp>(emitBefore(e, op, x, previous[0]), e.boolean(true));
    Value later = e.create<arith::AndIOp>(notAhead, e.compare(CmpIPredicate::sgt, index, previous[1]));
    Value isLeft = e.create<arith::OrIOp>(isFirst, e.create<arith::OrIOp>(isBehind, later));
    Value isBest =
        e.create<arith::OrIOp>(e.compare(CmpIPredicate::slt, found[1], zero), emitBefore(e, op, x, found[0]));
    Value take = e.create<arith::AndIOp>(isLeft, isBest);
    return {e.select(take, x, found[0]), e.select(take, index, found[1])};
  }
};

struct LowerNonzero : OpConversionPattern<NonzeroOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(NonzeroOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Type elementType = elementTypeOf(op.getX());
    Value room = materializeDim(rewriter, loc, getDim(op.getType(), 1));
    Value zero = arith::ConstantIndexOp::create(rewriter, loc, 0);
    SmallVector<Value> state{createEmpty(rewriter, loc, op.getType()), zero};
    SmallVector<Value> result =
        createLoops(rewriter, loc, getDims(op.getX()), -1, state,
                    [&](OpBuilder &body, ValueRange indices, ValueRange state) -> SmallVector<Value> {
                      ScalarEmitter e(body, loc);
                      Value x = readElement(body, loc, adaptor.getX(), indices, elementType);
                      Value isSet = *emitCast(body, loc, x, elementType, body.getI1Type());
                      // The count was taken from the same data; the bound only guards memory against a
                      // caller's wrong one.
                      isSet = e.create<arith::AndIOp>(isSet, e.compare(CmpIPredicate::ult, state[1], room));
                      auto choice = scf::IfOp::create(
                          body, loc, isSet,
                          [&](OpBuilder &b, Location) {
                            scf::YieldOp::create(b, loc, emitFound(b, loc, indices, state));
                          },
                          [&](OpBuilder &b, Location) { scf::YieldOp::create(b, loc, state); });
                      return SmallVector<Value>(choice.getResults());
                    });
    rewriter.replaceOp(op, result[0]);
    return success();
  }

private:
  static SmallVector<Value> emitFound(OpBuilder &builder, Location loc, ValueRange indices,
                                      ValueRange state) {
    ScalarEmitter e(builder, loc);
    Value tensor = state[0];
    for (auto [row, index] : llvm::enumerate(indices)) {
      Value value = e.create<arith::IndexCastOp>(builder.getI64Type(), index);
      tensor =
          insert(builder, loc, value, tensor, {e.create<arith::ConstantIndexOp>(int64_t(row)), state[1]});
    }
    return {tensor, e.create<arith::AddIOp>(state[1], e.like(state[1], 1))};
  }
};

static Value emitMeeting(OpBuilder &builder, Location loc, ScatterKind kind, Type elementType, Value x,
                         Value update) {
  ScalarEmitter e(builder, loc);
  bool isFloat = isa<FloatType>(x.getType()), isUnsigned = elementType.isUnsignedInteger();
  switch (kind) {
  case ScatterKind::Set:
    return update;
  case ScatterKind::Add:
    return isFloat ? e.create<arith::AddFOp>(x, update) : e.create<arith::AddIOp>(x, update);
  case ScatterKind::Mul:
    return isFloat ? e.create<arith::MulFOp>(x, update) : e.create<arith::MulIOp>(x, update);
  case ScatterKind::Min:
    if (isFloat)
      return emitMinimum(builder, loc, x, update);
    return isUnsigned ? e.create<arith::MinUIOp>(x, update) : e.create<arith::MinSIOp>(x, update);
  case ScatterKind::Max:
    if (isFloat)
      return emitMaximum(builder, loc, x, update);
    return isUnsigned ? e.create<arith::MaxUIOp>(x, update) : e.create<arith::MaxSIOp>(x, update);
  }
  return update;
}

/// A copy of x, and on it one update after the other.
struct LowerScatterElements : OpConversionPattern<ScatterElementsOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(ScatterElementsOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Type elementType = elementTypeOf(op.getX()), indexType = elementTypeOf(op.getIndices());
    Value bound = materializeDim(rewriter, loc, getDim(op.getX(), op.getAxis()));
    // As a linalg op the copy would fold away, and bufferization would make another whose size nobody knows.
    SmallVector<Value> copy = createLoops(
        rewriter, loc, getDims(op.getX()), /*skipped=*/-1, createEmpty(rewriter, loc, op.getType()),
        [&](OpBuilder &body, ValueRange indices, ValueRange state) -> SmallVector<Value> {
          Value x = readElement(body, loc, adaptor.getX(), indices, elementType);
          return {insert(body, loc, storeScalar(body, loc, x, elementType), state[0], indices)};
        });
    SmallVector<Value> result =
        createLoops(rewriter, loc, getDims(op.getIndices()), /*skipped=*/-1, copy,
                    [&](OpBuilder &body, ValueRange indices, ValueRange state) -> SmallVector<Value> {
                      SmallVector<Value> target(indices);
                      Value index = readElement(body, loc, adaptor.getIndices(), indices, indexType);
                      target[op.getAxis()] = emitCheckedIndex(body, op, index, bound);
                      Value update = readElement(body, loc, adaptor.getUpdates(), indices, elementType);
                      return {emitUpdate(body, op, bound, state[0], target, update)};
                    });
    rewriter.replaceOp(op, result[0]);
    return success();
  }

private:
  /// An axis of length 0 has no element that a bad index could be led to.
  static Value emitUpdate(OpBuilder &builder, ScatterElementsOp op, Value bound, Value tensor,
                          ValueRange target, Value update) {
    Location loc = op.getLoc();
    Type elementType = elementTypeOf(op.getX());
    auto emit = [&](OpBuilder &body) {
      Value x = toCompute(body, loc, readElement(body, loc, tensor, target, elementType));
      Value met = emitMeeting(body, loc, op.getKind(), elementType, x, toCompute(body, loc, update));
      return insert(body, loc, storeScalar(body, loc, fromCompute(body, loc, met, elementType), elementType),
                    tensor, target);
    };
    if (getDim(op.getX(), op.getAxis()).isPositive())
      return emit(builder);
    Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
    Value hasElements = arith::CmpIOp::create(builder, loc, CmpIPredicate::ne, bound, zero);
    auto choice = scf::IfOp::create(
        builder, loc, hasElements, [&](OpBuilder &b, Location) { scf::YieldOp::create(b, loc, emit(b)); },
        [&](OpBuilder &b, Location) { scf::YieldOp::create(b, loc, tensor); });
    return choice.getResult(0);
  }
};
} // namespace

void mlir::tfc::populateTfcToLinalgScanPatterns(const TypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<LowerCumSum, LowerTopK, LowerNonzero, LowerScatterElements>(converter, patterns.getContext());
}
