//===- Normalization.cpp - Lowering of softmax, layer_norm and rms_norm ----------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each is a chain of linalg ops over rows: reductions of a row and elementwise ops, all with the row's loops
// outermost. So tiling the outer loops of the last op fuses the whole chain. Sums are plain reductions here;
// their order is fixed by tfc-lower-row-reductions.
//
//===----------------------------------------------------------------------------------------------===//

#include "EmitScalar.h"
#include "LinalgBody.h"

#include "tfc/Conversion/TfcToLinalg/TfcToLinalg.h"

#include "mlir/Transforms/DialectConversion.h"

using namespace mlir;
using namespace mlir::tfc;

namespace {
/// A normalization under construction: loops over x's dims, of which some make the row that is reduced.
class RowBuilder {
public:
  RowBuilder(ConversionPatternRewriter &rewriter, Location loc, Value original, Value converted,
             int64_t firstRowDim, int64_t lastRowDim)
      : rewriter(rewriter), loc(loc), original(original), converted(converted), dims(getDims(original)) {
    elementType = cast<RankedTensorType>(original.getType()).getElementType();
    computeType = getComputeType(elementType);
    for (auto [loop, dim] : llvm::enumerate(dims)) {
      bool isRow = static_cast<int64_t>(loop) >= firstRowDim && static_cast<int64_t>(loop) <= lastRowDim;
      (isRow ? rowDims : outerDims).push_back(dim);
      if (!isRow)
        outerLoops.push_back(loop);
    }
  }

  /// Operands (x, plain tensors over the outer loops...).
  LoopOperands operands(ArrayRef<Value> perRow) {
    LoopOperands result(rewriter, loc, dims);
    result.add(original, converted, iota(dims.size()));
    for (Value tensor : perRow)
      result.addPlain(tensor, outerLoops);
    return result;
  }

  /// Reduces `element(x, perRow...)` along the rows.
  Value reduce(ArrayRef<Value> perRow, double init,
               llvm::function_ref<Value(ScalarEmitter &, ValueRange)> element,
               llvm::function_ref<Value(ScalarEmitter &, Value, Value)> combine) {
    LoopOperands inputs = operands(perRow);
    for (int64_t loop : iota(dims.size()))
      inputs.cover(loop);
    Value start = createFilled(rewriter, loc, outerDims, createConstant(rewriter, loc, computeType, init));
    return createGeneric(rewriter, loc, inputs, start, dims.size(), outerLoops,
                         [&](OpBuilder &body, ValueRange scalars, Value accumulator) {
                           ScalarEmitter e(body, loc);
                           return combine(e, accumulator, element(e, toComputeAll(body, scalars)));
                         });
  }

  Value sum(ArrayRef<Value> perRow, llvm::function_ref<Value(ScalarEmitter &, ValueRange)> element) {
    return reduce(perRow, 0, element,
                  [](ScalarEmitter &e, Value a, Value b) { return e.create<arith::AddFOp>(a, b); });
  }

  /// One number per row from another.
  Value mapRows(Value perRow, llvm::function_ref<Value(ScalarEmitter &, Value)> compute) {
    LoopOperands inputs(rewriter, loc, outerDims);
    inputs.addPlain(perRow, iota(outerDims.size()));
    return createElementwise(rewriter, loc, inputs, mlir::tfc::getTensorType(outerDims, computeType),
                             [&](OpBuilder &body, ValueRange scalars) {
                               ScalarEmitter e(body, loc);
                               return compute(e, scalars[0]);
                             });
  }

  /// One number per element of x, of the compute type or of the result's.
  Value mapElements(const LoopOperands &inputs, Type resultElementType,
                    llvm::function_ref<Value(ScalarEmitter &, ValueRange)> compute) {
    return createElementwise(rewriter, loc, inputs, mlir::tfc::getTensorType(dims, resultElementType),
                             [&](OpBuilder &body, ValueRange scalars) {
                               ScalarEmitter e(body, loc);
                               return fromCompute(body, loc, compute(e, toComputeAll(body, scalars)),
                                                  resultElementType);
                             });
  }

  /// How many elements a row has.
  Value rowLength() { return createCount(rewriter, loc, rowDims, computeType); }

  Type elementType, computeType;

private:
  SmallVector<Value> toComputeAll(OpBuilder &body, ValueRange scalars) {
    return llvm::map_to_vector(scalars, [&](Value scalar) {
      // Loops that are covered by a tensor without meaning come as bytes.
      return isa<FloatType>(scalar.getType()) ? toCompute(body, loc, scalar) : scalar;
    });
  }

  ConversionPatternRewriter &rewriter;
  Location loc;
  Value original, converted;
  SmallVector<DimExprAttr> dims, rowDims, outerDims;
  SmallVector<int64_t> outerLoops;
};

struct LowerSoftmax : OpConversionPattern<SoftmaxOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(SoftmaxOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    int64_t axis = op.getAxis();
    RowBuilder rows(rewriter, op.getLoc(), op.getX(), adaptor.getX(), axis, axis);
    // A NaN may be left out of the maximum: its exponential makes the sum, and so the whole row, NaN.
    Value max = rows.reduce(
        {}, -INFINITY, [](ScalarEmitter &, ValueRange x) { return x[0]; },
        [](ScalarEmitter &e, Value a, Value b) { return e.create<arith::MaxNumFOp>(a, b); });
    auto centred = [](ScalarEmitter &e, Value x, Value max) { return e.create<arith::SubFOp>(x, max); };
    Value exponentials =
        rows.mapElements(rows.operands(max), rows.computeType, [&](ScalarEmitter &e, ValueRange scalars) {
          return e.create<math::ExpOp>(centred(e, scalars[0], scalars[1]));
        });
    Value sum = sumOf(rewriter, op, exponentials);
    Value result;
    if (op.getLog()) {
      Value logarithm =
          rows.mapRows(sum, [](ScalarEmitter &e, Value sum) { return e.create<math::LogOp>(sum); });
      result = rows.mapElements(
          rows.operands({max, logarithm}), rows.elementType, [&](ScalarEmitter &e, ValueRange scalars) {
            return e.create<arith::SubFOp>(centred(e, scalars[0], scalars[1]), scalars[2]);
          });
    } else {
      // The sum is at least 1 (or NaN), so its reciprocal is harmless, and one division per row is enough.
      Value factor = rows.mapRows(
          sum, [](ScalarEmitter &e, Value sum) { return e.create<arith::DivFOp>(e.like(sum, 1), sum); });
      result = scale(rewriter, op, exponentials, factor);
    }
    rewriter.replaceOp(op, result);
    return success();
  }

private:
  static SmallVector<int64_t> outerLoops(SoftmaxOp op) {
    return llvm::filter_to_vector(iota(op.getType().getRank()),
                                  [&](int64_t loop) { return loop != static_cast<int64_t>(op.getAxis()); });
  }

  static Value sumOf(OpBuilder &builder, SoftmaxOp op, Value exponentials) {
    SmallVector<DimExprAttr> dims = getDims(op.getType());
    SmallVector<int64_t> outer = outerLoops(op);
    auto outerDims = llvm::map_to_vector(outer, [&](int64_t loop) { return dims[loop]; });
    LoopOperands operands(builder, op.getLoc(), dims);
    operands.addPlain(exponentials, iota(dims.size()));
    Type computeType = cast<RankedTensorType>(exponentials.getType()).getElementType();
    Value zero =
        createFilled(builder, op.getLoc(), outerDims, createConstant(builder, op.getLoc(), computeType, 0));
    return createGeneric(builder, op.getLoc(), operands, zero, dims.size(), outer,
                         [&](OpBuilder &body, ValueRange scalars, Value accumulator) -> Value {
                           return arith::AddFOp::create(body, op.getLoc(), accumulator, scalars[0]);
                         });
  }

  static Value scale(OpBuilder &builder, SoftmaxOp op, Value exponentials, Value factor) {
    LoopOperands operands(builder, op.getLoc(), getDims(op.getType()));
    operands.addPlain(exponentials, iota(op.getType().getRank()));
    operands.addPlain(factor, outerLoops(op));
    return createElementwise(
        builder, op.getLoc(), operands, op.getType(), [&](OpBuilder &body, ValueRange scalars) {
          Value product = arith::MulFOp::create(body, op.getLoc(), scalars[0], scalars[1]);
          return fromCompute(body, op.getLoc(), product, op.getType().getElementType());
        });
  }
};

/// 1 / sqrt(sum / length + epsilon).
Value emitReciprocalRoot(ScalarEmitter &e, Value sum, Value length, double epsilon) {
  Value mean = e.create<arith::DivFOp>(sum, length);
  Value root = e.create<math::SqrtOp>(e.create<arith::AddFOp>(mean, e.like(mean, epsilon)));
  return e.create<arith::DivFOp>(e.like(mean, 1), root);
}

struct LowerLayerNorm : OpConversionPattern<LayerNormOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(LayerNormOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    int64_t rank = op.getType().getRank();
    double epsilon = op.getEpsilon().convertToDouble();
    RowBuilder rows(rewriter, op.getLoc(), op.getX(), adaptor.getX(), op.getAxis(), rank - 1);
    Value length = rows.rowLength();
    Value sum = rows.sum({}, [](ScalarEmitter &, ValueRange scalars) { return scalars[0]; });
    Value mean =
        rows.mapRows(sum, [&](ScalarEmitter &e, Value sum) { return e.create<arith::DivFOp>(sum, length); });
    Value squares = rows.sum(mean, [](ScalarEmitter &e, ValueRange scalars) {
      Value centred = e.create<arith::SubFOp>(scalars[0], scalars[1]);
      return e.create<arith::MulFOp>(centred, centred);
    });
    Value factor = rows.mapRows(squares, [&](ScalarEmitter &e, Value squares) {
      return emitReciprocalRoot(e, squares, length, epsilon);
    });

    LoopOperands operands = rows.operands({mean, factor});
    if (op.getScale())
      operands.addAligned(op.getScale(), adaptor.getScale());
    if (op.getBias())
      operands.addAligned(op.getBias(), adaptor.getBias());
    Value result = rows.mapElements(operands, rows.elementType, [&](ScalarEmitter &e, ValueRange scalars) {
      Value y = e.create<arith::MulFOp>(e.create<arith::SubFOp>(scalars[0], scalars[1]), scalars[2]);
      if (op.getScale())
        y = e.create<arith::MulFOp>(y, scalars[3]);
      return op.getBias() ? e.create<arith::AddFOp>(y, scalars.back()) : y;
    });
    rewriter.replaceOp(op, result);
    return success();
  }
};

struct LowerRmsNorm : OpConversionPattern<RmsNormOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(RmsNormOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    int64_t rank = op.getType().getRank();
    double epsilon = op.getEpsilon().convertToDouble();
    RowBuilder rows(rewriter, op.getLoc(), op.getX(), adaptor.getX(), op.getAxis(), rank - 1);
    Value length = rows.rowLength();
    Value squares = rows.sum({}, [](ScalarEmitter &e, ValueRange scalars) {
      return e.create<arith::MulFOp>(scalars[0], scalars[0]);
    });
    Value factor = rows.mapRows(squares, [&](ScalarEmitter &e, Value squares) {
      return emitReciprocalRoot(e, squares, length, epsilon);
    });
    LoopOperands operands = rows.operands(factor);
    if (op.getScale())
      operands.addAligned(op.getScale(), adaptor.getScale());
    Value result = rows.mapElements(operands, rows.elementType, [&](ScalarEmitter &e, ValueRange scalars) {
      Value y = e.create<arith::MulFOp>(scalars[0], scalars[1]);
      return op.getScale() ? e.create<arith::MulFOp>(y, scalars[2]) : y;
    });
    rewriter.replaceOp(op, result);
    return success();
  }
};
} // namespace

void mlir::tfc::populateTfcToLinalgNormalizationPatterns(const TypeConverter &converter,
                                                         RewritePatternSet &patterns) {
  patterns.add<LowerSoftmax, LowerLayerNorm, LowerRmsNorm>(converter, patterns.getContext());
}
