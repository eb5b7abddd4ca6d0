//===- Elementwise.cpp - Lowering of elementwise ops -----------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "LinalgBody.h"

#include "tfc/Conversion/TfcToLinalg/ElementTypes.h"
#include "tfc/Conversion/TfcToLinalg/EmitElementwise.h"
#include "tfc/Conversion/TfcToLinalg/TfcToLinalg.h"

#include "mlir/Transforms/DialectConversion.h"

using namespace mlir;
using namespace mlir::tfc;

namespace {
/// One linalg.generic for any elementwise op; what it computes stands in EmitElementwise.
struct LowerElementwise : OpInterfaceConversionPattern<ElementwiseOpInterface> {
  using OpInterfaceConversionPattern::OpInterfaceConversionPattern;

  LogicalResult matchAndRewrite(ElementwiseOpInterface op, ArrayRef<Value> converted,
                                ConversionPatternRewriter &rewriter) const override {
    Type resultType = op->getResult(0).getType();
    if (!getTypeConverter()->convertType(resultType))
      return rewriter.notifyMatchFailure(op, "the result's element type has no lowering");
    LoopOperands operands(rewriter, op.getLoc(), getDims(resultType));
    for (auto [original, plain] : llvm::zip_equal(op->getOperands(), converted))
      operands.addAligned(original, plain);
    bool failedBody = false;
    Value result = createElementwise(
        rewriter, op.getLoc(), operands, resultType, [&](OpBuilder &body, ValueRange scalars) {
          FailureOr<Value> value = emitElementwise(body, op.getLoc(), op, scalars);
          failedBody = failed(value);
          // A body needs something to yield even when the pattern fails.
          Type scalarType = getScalarType(cast<RankedTensorType>(resultType).getElementType());
          return failedBody ? createConstant(body, op.getLoc(), scalarType, 0) : *value;
        });
    if (failedBody)
      return rewriter.notifyMatchFailure(op, "the op has no meaning on scalars");
    rewriter.replaceOp(op, result);
    return success();
  }
};
} // namespace

void mlir::tfc::populateTfcToLinalgElementwisePatterns(const TypeConverter &converter,
                                                       RewritePatternSet &patterns) {
  patterns.add<LowerElementwise>(converter, patterns.getContext());
}
