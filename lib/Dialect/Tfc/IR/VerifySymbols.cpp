//===- VerifySymbols.cpp - Every symbol is bound before it is used ----------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// An op's verifier sees its own types only, so that a symbol nobody binds passes it. Whoever takes IR from outside
// (the pipeline, for a .mlir file) asks here once; passes after that may take symbols for granted.
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Dialect/Tfc/IR/VerifySymbols.h"

#include "tfc/Dialect/Tfc/IR/TfcOps.h"

#include "mlir/IR/AttrTypeSubElements.h"

using namespace mlir;
using namespace mlir::tfc;

namespace {

class SymbolChecker {
public:
  SymbolChecker() {
    // Expressions stand in encodings of types and in attributes; nothing below an expression is of interest.
    finder.addWalk([this](DimExprAttr expr) {
      expr.collectSymbols(used);
      return WalkResult::skip();
    });
  }

  LogicalResult bindSignature(FunctionOpInterface function);
  /// Binds inside the region end with it; ops and regions are visited in order.
  LogicalResult checkRegion(Region &region);

private:
  LogicalResult bind(Operation *op, StringAttr name);
  LogicalResult checkUses(Operation *op);
  LogicalResult checkOp(Operation &op);

  AttrTypeWalker finder;
  llvm::SetVector<StringAttr> used;
  llvm::SetVector<StringAttr> bound;
};

LogicalResult SymbolChecker::bind(Operation *op, StringAttr name) {
  if (name.getValue().empty() || name.getValue().starts_with("%"))
    return op->emitError("a symbol cannot have the name ") << name;
  bound.insert(name);
  return success();
}

LogicalResult SymbolChecker::bindSignature(FunctionOpInterface function) {
  for (TypeRange types : {TypeRange(function.getArgumentTypes()), TypeRange(function.getResultTypes())})
    for (Type type : types)
      if (isa<TensorType>(type) && !hasKnownDims(type))
        return function.emitError(kKnownDimsMessage) << type;
  if (function->hasAttr("tfc.kernel")) {
    auto names = function->getAttrOfType<ArrayAttr>("tfc.symbols");
    if (!names || !llvm::all_of(names, llvm::IsaPred<StringAttr>))
      return function.emitError("a kernel lists the names of its symbols in tfc.symbols");
    for (StringAttr name : names.getAsRange<StringAttr>())
      if (failed(bind(function, name)))
        return failure();
  } else {
    for (Type type : function.getArgumentTypes())
      if (isa<RankedTensorType>(type))
        for (DimExprAttr dim : getDims(type))
          if (std::optional<StringRef> name = dim.getSymbol())
            if (failed(bind(function, StringAttr::get(function.getContext(), *name))))
              return failure();
  }
  for (Type type : function.getArgumentTypes())
    finder.walk(type);
  return checkUses(function);
}

LogicalResult SymbolChecker::checkUses(Operation *op) {
  for (StringAttr name : used.takeVector())
    if (!bound.contains(name))
      return op->emitError("symbol ") << name << " is not bound here: it is no dim of an argument by itself, and no "
                                         "tfc.bind before this op makes it";
  return success();
}

LogicalResult SymbolChecker::checkOp(Operation &op) {
  for (Type type : op.getResultTypes())
    finder.walk(type);
  finder.walk(op.getAttrDictionary());
  if (failed(checkUses(&op)))
    return failure();
  if (auto bindOp = dyn_cast<BindOp>(op))
    for (StringAttr name : bindOp.getSymbols().getAsRange<StringAttr>())
      if (failed(bind(&op, name)))
        return failure();
  LogicalResult result = success();
  for (Region &region : op.getRegions())
    if (failed(checkRegion(region)))
      result = failure();
  return result;
}

LogicalResult SymbolChecker::checkRegion(Region &region) {
  size_t boundOutside = bound.size();
  LogicalResult result = success();
  for (Block &block : region) {
    for (Type type : block.getArgumentTypes())
      finder.walk(type);
    if (failed(checkUses(region.getParentOp())))
      result = failure();
    for (Operation &op : block)
      if (failed(checkOp(op)))
        result = failure();
  }
  while (bound.size() > boundOutside)
    bound.pop_back();
  return result;
}

} // namespace

LogicalResult mlir::tfc::verifySymbols(FunctionOpInterface function) {
  SymbolChecker checker;
  if (failed(checker.bindSignature(function)))
    return failure();
  return function.isExternal() ? success() : checker.checkRegion(function.getFunctionBody());
}
