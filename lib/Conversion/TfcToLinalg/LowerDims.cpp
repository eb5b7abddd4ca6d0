//===- LowerDims.cpp - tfc.dim becomes arithmetic on symbol values ---------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Conversion/TfcToLinalg/DimArithmetic.h"
#include "tfc/Conversion/TfcToLinalg/Passes.h"
#include "tfc/Dialect/Tfc/IR/TfcOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::tfc {
#define GEN_PASS_DEF_LOWERDIMS
#include "tfc/Conversion/TfcToLinalg/Passes.h.inc"
} // namespace mlir::tfc

using namespace mlir;
using namespace mlir::tfc;

/// The dims of an argument: its type's encoding, or the attribute that tfc-convert-to-linalg left in its
/// place.
static DimsAttr getArgumentDims(func::FuncOp function, unsigned argument) {
  if (auto type = dyn_cast<RankedTensorType>(function.getArgument(argument).getType()))
    if (auto dims = dyn_cast_or_null<DimsAttr>(type.getEncoding()))
      return dims;
  return function.getArgAttrOfType<DimsAttr>(argument, "tfc.dims");
}

/// The value of each symbol at the head of the function, as far as arguments give it.
static llvm::DenseMap<StringAttr, Value> collectSymbols(func::FuncOp function, OpBuilder &builder) {
  llvm::DenseMap<StringAttr, Value> symbols;
  for (BlockArgument argument : function.getArguments())
    if (auto name = function.getArgAttrOfType<StringAttr>(argument.getArgNumber(), "tfc.symbol"))
      if (argument.getType().isIndex())
        symbols.try_emplace(name, argument);
  for (BlockArgument argument : function.getArguments()) {
    DimsAttr dims = getArgumentDims(function, argument.getArgNumber());
    auto type = dyn_cast<RankedTensorType>(argument.getType());
    if (!dims || !type || type.getRank() != static_cast<int64_t>(dims.getDims().size()))
      continue;
    for (auto [position, dim] : llvm::enumerate(dims.getDims())) {
      std::optional<StringRef> name = dim.getSymbol();
      if (!name || symbols.contains(builder.getStringAttr(*name)))
        continue;
      symbols[builder.getStringAttr(*name)] =
          tensor::DimOp::create(builder, function.getLoc(), argument, position);
    }
  }
  return symbols;
}

namespace {
struct LowerDims : mlir::tfc::impl::LowerDimsBase<LowerDims> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    SmallVector<DimOp> dims;
    function.walk([&](DimOp op) { dims.push_back(op); });
    if (dims.empty())
      return;
    OpBuilder head = OpBuilder::atBlockBegin(&function.getBody().front());
    llvm::DenseMap<StringAttr, Value> symbols = collectSymbols(function, head);
    llvm::DenseMap<DimExprAttr, Value> values;
    // All arithmetic stands at the head: expressions only know symbols, and equal ones share their value.
    for (DimOp op : dims) {
      Value &value = values[op.getExpr()];
      if (!value)
        value = emitDimExpr(head, op.getLoc(), op.getExpr(), [&](StringAttr name) {
          Value symbol = symbols.lookup(name);
          if (!symbol)
            op.emitError() << "no argument gives the value of symbol '" << name.getValue() << "'";
          return symbol;
        });
      if (!value)
        return signalPassFailure();
      op.getValue().replaceAllUsesWith(value);
    }
    // Not before: the builder may stand at the first of them.
    for (DimOp op : dims)
      op.erase();
  }
};
} // namespace
