//===- Contraction.cpp - Lowering of matmul --------------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "LinalgBody.h"

#include "tfc/Conversion/TfcToLinalg/ElementTypes.h"
#include "tfc/Conversion/TfcToLinalg/EmitElementwise.h"
#include "tfc/Conversion/TfcToLinalg/TfcToLinalg.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Transforms/DialectConversion.h"

using namespace mlir;
using namespace mlir::tfc;

/// The element types of accumulator and result: floats accumulate in their compute type.
static Type getAccumulatorType(Type resultElementType) {
  return isa<FloatType>(resultElementType) ? getComputeType(resultElementType) : resultElementType;
}

/// One step of the sum: acc + a * b.
static Value emitStep(OpBuilder &body, Location loc, MatmulOp op, ValueRange scalars, Value accumulator) {
  if (isa<FloatType>(accumulator.getType()))
    return math::FmaOp::create(body, loc, toCompute(body, loc, scalars[0]), toCompute(body, loc, scalars[1]),
                               accumulator);
  Type to = op.getType().getElementType();
  Value a = *emitCast(body, loc, scalars[0], op.getA().getType().getElementType(), to);
  Value b = *emitCast(body, loc, scalars[1], op.getB().getType().getElementType(), to);
  return arith::AddIOp::create(body, loc, accumulator, arith::MulIOp::create(body, loc, a, b));
}

namespace {
/// The loops are (batch..., m, k, n): every element sums in the order of k, one fused multiply-add at a time,
/// and the innermost loop is parallel, so that it becomes vectors without reordering any sum.
struct LowerMatmul : OpConversionPattern<MatmulOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(MatmulOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    RankedTensorType type = op.getType();
    int64_t rank = type.getRank(), batch = rank - 2;
    int64_t m = batch, k = batch + 1, n = batch + 2;
    SmallVector<DimExprAttr> loopDims = getDims(type);
    int64_t rankA = op.getA().getType().getRank();
    loopDims.insert(loopDims.begin() + k, getDim(op.getA(), op.getTransposeA() ? rankA - 2 : rankA - 1));

    LoopOperands operands(rewriter, loc, loopDims);
    auto add = [&](Value original, Value converted, bool transposed, int64_t row, int64_t column) {
      int64_t operandBatch = cast<RankedTensorType>(original.getType()).getRank() - 2;
      SmallVector<int64_t> loops = llvm::to_vector(llvm::seq<int64_t>(batch - operandBatch, batch));
      loops.append({transposed ? column : row, transposed ? row : column});
      operands.add(original, converted, loops, operandBatch);
    };
    add(op.getA(), adaptor.getA(), op.getTransposeA(), m, k);
    add(op.getB(), adaptor.getB(), op.getTransposeB(), k, n);
    operands.cover(k);

    Type accumulatorType = getAccumulatorType(type.getElementType());
    Value zero = createConstant(rewriter, loc, getScalarType(accumulatorType), 0);
    Value init = createFilled(rewriter, loc, getDims(type), zero);
    SmallVector<int64_t> resultLoops = iota(batch);
    resultLoops.append({m, n});
    Value sum = createGeneric(rewriter, loc, operands, init, rank + 1, resultLoops,
                              [&](OpBuilder &body, ValueRange scalars, Value accumulator) {
                                return emitStep(body, loc, op, scalars, accumulator);
                              });
    if (accumulatorType != type.getElementType()) {
      LoopOperands rounded(rewriter, loc, getDims(type));
      rounded.addPlain(sum, iota(rank));
      sum = createElementwise(rewriter, loc, rounded, type, [&](OpBuilder &body, ValueRange scalars) {
        return fromCompute(body, loc, scalars[0], type.getElementType());
      });
    }
    rewriter.replaceOp(op, sum);
    return success();
  }
};
} // namespace

void mlir::tfc::populateTfcToLinalgContractionPatterns(const TypeConverter &converter,
                                                       RewritePatternSet &patterns) {
  patterns.add<LowerMatmul>(converter, patterns.getContext());
}
