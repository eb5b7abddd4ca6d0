//===- Quantization.cpp - Lowering of quantize and dequantize --------------------------------------===//
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

static Type elementTypeOf(Value value) { return cast<RankedTensorType>(value.getType()).getElementType(); }

/// The element of scale or zero point that belongs to the current loops: the only one, the one of the axis,
/// or the one of the block along the axis.
template <typename OpTy>
static Value readParameter(OpBuilder &body, OpTy op, Value original, Value converted) {
  Location loc = op.getLoc();
  int64_t rank = cast<RankedTensorType>(original.getType()).getRank();
  SmallVector<Value> indices;
  if (op.getBlockSize() && *op.getBlockSize() > 0) {
    indices = createLoopIndices(body, loc, rank);
    Value size = arith::ConstantIndexOp::create(body, loc, *op.getBlockSize());
    Value &index = indices[*op.getAxis()];
    index = arith::DivUIOp::create(body, loc, index, size);
  } else if (rank == 1) {
    indices.push_back(linalg::IndexOp::create(body, loc, op.getAxis().value_or(0)));
  }
  return readElement(body, loc, converted, indices, elementTypeOf(original));
}

namespace {
/// saturate(round_half_even(x / scale) + zero_point): the cast to integers saturates by itself.
struct LowerQuantize : OpConversionPattern<QuantizeOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(QuantizeOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Type to = elementTypeOf(op.getY()), computeType = getComputeType(elementTypeOf(op.getX()));
    LoopOperands operands(rewriter, loc, getDims(op.getY()));
    operands.add(op.getX(), adaptor.getX(), iota(getDims(op.getX()).size()));
    Value result = createElementwise(
        rewriter, loc, operands, op.getY().getType(), [&](OpBuilder &body, ValueRange scalars) {
          ScalarEmitter e(body, loc);
          Value scale = readParameter(body, op, op.getScale(), adaptor.getScale());
          scale = *emitCast(body, loc, scale, elementTypeOf(op.getScale()), computeType);
          Value y = e.create<arith::DivFOp>(toCompute(body, loc, scalars[0]), scale);
          // The cast to 8-bit floats rounds to what they can hold.
          if (!isFloat8(to))
            y = e.create<math::RoundEvenOp>(y);
          if (op.getZeroPoint()) {
            Value zeroPoint = readParameter(body, op, op.getZeroPoint(), adaptor.getZeroPoint());
            y = e.create<arith::AddFOp>(y, *emitCast(body, loc, zeroPoint, to, computeType));
          }
          return *emitCast(body, loc, y, computeType, to);
        });
    rewriter.replaceOp(op, result);
    return success();
  }
};

/// (x - zero_point) * scale: the difference is exact, in 32 bits for narrow integers and 64 for wide ones.
struct LowerDequantize : OpConversionPattern<DequantizeOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(DequantizeOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Type from = elementTypeOf(op.getX()), to = elementTypeOf(op.getY()), computeType = getComputeType(to);
    Type exact = from.getIntOrFloatBitWidth() <= 16 ? rewriter.getI32Type() : rewriter.getI64Type();
    LoopOperands operands(rewriter, loc, getDims(op.getY()));
    operands.add(op.getX(), adaptor.getX(), iota(getDims(op.getX()).size()));
    Value result = createElementwise(
        rewriter, loc, operands, op.getY().getType(), [&](OpBuilder &body, ValueRange scalars) {
          ScalarEmitter e(body, loc);
          Value scale = readParameter(body, op, op.getScale(), adaptor.getScale());
          scale = *emitCast(body, loc, scale, elementTypeOf(op.getScale()), computeType);
          if (isFloat8(from)) {
            Value x = *emitCast(body, loc, scalars[0], from, computeType);
            return fromCompute(body, loc, e.create<arith::MulFOp>(x, scale), to);
          }
          Value x = *emitCast(body, loc, scalars[0], from, exact);
          if (op.getZeroPoint()) {
            Value zeroPoint = readParameter(body, op, op.getZeroPoint(), adaptor.getZeroPoint());
            x = e.create<arith::SubIOp>(x, *emitCast(body, loc, zeroPoint, from, exact));
          }
          Value y = e.create<arith::MulFOp>(*emitCast(body, loc, x, exact, computeType), scale);
          return fromCompute(body, loc, y, to);
        });
    rewriter.replaceOp(op, result);
    return success();
  }
};
} // namespace

void mlir::tfc::populateTfcToLinalgQuantizationPatterns(const TypeConverter &converter,
                                                        RewritePatternSet &patterns) {
  patterns.add<LowerQuantize, LowerDequantize>(converter, patterns.getContext());
}
