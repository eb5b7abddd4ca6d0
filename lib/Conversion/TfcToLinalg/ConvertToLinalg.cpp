//===- ConvertToLinalg.cpp - The pass that lowers tfc ops to linalg --------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Conversion/TfcToLinalg/ElementTypes.h"
#include "tfc/Conversion/TfcToLinalg/Passes.h"
#include "tfc/Conversion/TfcToLinalg/TfcToLinalg.h"
#include "tfc/Dialect/Tfc/IR/TfcOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Func/Transforms/FuncConversions.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Transforms/Patterns.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::tfc {
#define GEN_PASS_DEF_CONVERTTOLINALG
#include "tfc/Conversion/TfcToLinalg/Passes.h.inc"
} // namespace mlir::tfc

using namespace mlir;
using namespace mlir::tfc;

/// Types without a lowering, and dims that nothing names, are said before anything is changed.
static LogicalResult checkTypes(func::FuncOp function) {
  auto check = [&](Operation *op, Type type) -> LogicalResult {
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (!tensor)
      return success();
    if (!getMemoryType(tensor.getElementType()))
      return op->emitError() << "element type " << tensor.getElementType() << " has no lowering to linalg";
    return success();
  };
  for (Type type : function.getArgumentTypes())
    if (failed(check(function, type)))
      return failure();
  WalkResult result = function.walk([&](Operation *op) {
    for (Type type : op->getResultTypes()) {
      if (failed(check(op, type)))
        return WalkResult::interrupt();
      if (isa<RankedTensorType>(type) && isa_and_nonnull<TfcDialect>(op->getDialect()) && !hasKnownDims(type)) {
        op->emitError() << "result type " << type << " has a dim without an expression";
        return WalkResult::interrupt();
      }
    }
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

/// Keeps the dims of arguments where tfc-lower-dims looks for them.
static void recordArgumentDims(func::FuncOp function) {
  for (BlockArgument argument : function.getArguments())
    if (auto type = dyn_cast<RankedTensorType>(argument.getType()))
      if (auto dims = dyn_cast_or_null<DimsAttr>(type.getEncoding()))
        function.setArgAttr(argument.getArgNumber(), "tfc.dims", dims);
}

static bool isProgram(func::FuncOp function) {
  return function.walk([](LaunchOp) { return WalkResult::interrupt(); }).wasInterrupted();
}

namespace {
struct ConvertToLinalg : mlir::tfc::impl::ConvertToLinalgBase<ConvertToLinalg> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isDeclaration() || isProgram(function))
      return;
    if (failed(checkTypes(function)))
      return signalPassFailure();
    recordArgumentDims(function);
    numberCheckedIndices(function);

    TfcTypeConverter converter;
    ConversionTarget target(getContext());
    RewritePatternSet patterns(&getContext());
    populateTfcToLinalgConstantPatterns(converter, patterns);
    populateTfcToLinalgElementwisePatterns(converter, patterns);
    populateTfcToLinalgContractionPatterns(converter, patterns);
    populateTfcToLinalgNormalizationPatterns(converter, patterns);
    populateTfcToLinalgReductionPatterns(converter, patterns);
    populateTfcToLinalgScanPatterns(converter, patterns);
    populateTfcToLinalgDataMovementPatterns(converter, patterns);
    populateTfcToLinalgReshapePatterns(converter, patterns);
    populateTfcToLinalgIndexPatterns(converter, patterns);
    populateTfcToLinalgQuantizationPatterns(converter, patterns);
    populateFunctionOpInterfaceTypeConversionPattern<func::FuncOp>(patterns, converter);
    populateReturnOpTypeConversionPattern(patterns, converter);
    scf::populateSCFStructuralTypeConversionsAndLegality(converter, patterns, target);

    target.addIllegalDialect<TfcDialect>();
    target.addLegalOp<DimOp, CheckIndexOp>();
    target.addDynamicallyLegalOp<func::FuncOp>(
        [&](func::FuncOp op) { return converter.isSignatureLegal(op.getFunctionType()); });
    target.addDynamicallyLegalOp<func::ReturnOp>([&](func::ReturnOp op) { return converter.isLegal(op); });
    target.markUnknownOpDynamicallyLegal([](Operation *) { return true; });
    if (failed(applyPartialConversion(function, target, std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
