//===- Constant.cpp - Lowering of constants --------------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "EmitScalar.h"
#include "LinalgBody.h"

#include "tfc/Conversion/TfcToLinalg/DimArithmetic.h"
#include "tfc/Conversion/TfcToLinalg/TfcToLinalg.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/DialectConversion.h"

using namespace mlir;
using namespace mlir::tfc;

/// The same elements in memory form; null where they are not dense.
static DenseElementsAttr toMemoryForm(ElementsAttr value, RankedTensorType type) {
  auto dense = dyn_cast<DenseElementsAttr>(value);
  if (!dense)
    return nullptr;
  if (isa<FloatType>(type.getElementType()))
    return dense.reshape(type);
  if (isa<FloatType>(dense.getElementType()))
    return dense.bitcast(type.getElementType());
  unsigned width = type.getElementTypeBitWidth();
  // Bools and 4-bit numbers become bytes; all other integers keep their bits.
  bool isSigned = dense.getElementType().isSignlessInteger(4);
  auto widen = [&](const APInt &element) {
    return isSigned ? element.sextOrTrunc(width) : element.zextOrTrunc(width);
  };
  if (dense.isSplat())
    return DenseElementsAttr::get(type, widen(dense.getSplatValue<APInt>()));
  SmallVector<APInt> elements;
  for (APInt element : dense.getValues<APInt>())
    elements.push_back(widen(element));
  return DenseElementsAttr::get(type, elements);
}

namespace {
struct LowerConstant : OpConversionPattern<ConstantOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(ConstantOp op, OpAdaptor,
                                ConversionPatternRewriter &rewriter) const override {
    auto type = dyn_cast_or_null<RankedTensorType>(getTypeConverter()->convertType(op.getType()));
    DenseElementsAttr value = type ? toMemoryForm(op.getValue(), type) : nullptr;
    if (!value)
      return rewriter.notifyMatchFailure(op, "the constant has no lowering");
    rewriter.replaceOpWithNewOp<arith::ConstantOp>(op, value);
    return success();
  }
};

struct LowerDimValues : OpConversionPattern<DimValuesOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(DimValuesOp op, OpAdaptor,
                                ConversionPatternRewriter &rewriter) const override {
    auto type = dyn_cast_or_null<RankedTensorType>(getTypeConverter()->convertType(op.getType()));
    if (!type)
      return rewriter.notifyMatchFailure(op, "the element type has no lowering");
    SmallVector<Value> elements;
    for (DimExprAttr dim : op.getValue().getValues())
      elements.push_back(arith::IndexCastOp::create(rewriter, op.getLoc(), type.getElementType(),
                                                    materializeDim(rewriter, op.getLoc(), dim)));
    rewriter.replaceOpWithNewOp<tensor::FromElementsOp>(op, type, elements);
    return success();
  }
};
} // namespace

void mlir::tfc::populateTfcToLinalgConstantPatterns(const TypeConverter &converter,
                                                    RewritePatternSet &patterns) {
  patterns.add<LowerConstant, LowerDimValues>(converter, patterns.getContext());
}
