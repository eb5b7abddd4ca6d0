//===- LocalSymbols.cpp - A kernel's own names for main's symbols -----------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Codegen/Common/LocalSymbols.h"

#include "mlir/IR/Operation.h"

using namespace mlir;
using namespace mlir::tfc;

std::string mlir::tfc::getLocalSymbolName(size_t index) { return "s" + std::to_string(index); }

LocalSymbols::LocalSymbols() {
  walker.addWalk([this](DimExprAttr expr) {
    expr.collectSymbols(symbols);
    return WalkResult::skip();
  });
  // Skip: the names inside an expression are not to be visited as the strings they are.
  replacer.addReplacement([this](DimExprAttr expr) -> std::optional<std::pair<Attribute, WalkResult>> {
    return std::pair<Attribute, WalkResult>(localize(expr), WalkResult::skip());
  });
}

void LocalSymbols::add(Operation *op) {
  for (Value operand : op->getOperands())
    add(operand.getType());
  add(Attribute(op->getAttrDictionary()));
  for (Type type : op->getResultTypes())
    add(type);
}

DimExprAttr LocalSymbols::localize(DimExprAttr expr) {
  return expr.substitute([&](StringAttr name) -> DimExprAttr {
    auto found = llvm::find(symbols, name);
    if (found == symbols.end())
      return {};
    return DimExprAttr::symbol(name.getContext(), getLocalSymbolName(found - symbols.begin()));
  });
}

SmallVector<Attribute> LocalSymbols::getMainSymbols(MLIRContext *context) const {
  return llvm::map_to_vector(
      symbols, [&](StringAttr name) -> Attribute { return DimExprAttr::symbol(context, name); });
}
