//===- ValueTable.cpp - The numbered expressions of an entry ----------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Codegen/Common/ValueTable.h"

using namespace mlir;
using namespace mlir::tfc;

DimExprAttr ValueTable::getReference(int64_t number) const {
  // Constants are spelled out: what folds at compile time need not be computed in the run.
  if (values[number].isConstant())
    return values[number];
  return DimExprAttr::symbol(context, "%" + std::to_string(number));
}

int64_t ValueTable::findSegment(DimExprAttr expr) {
  llvm::SetVector<StringAttr> symbols;
  expr.collectSymbols(symbols);
  int64_t segment = 0;
  for (StringAttr symbol : symbols) {
    int64_t number;
    StringRef name = symbol.getValue();
    if (name.consume_front("%") && !name.getAsInteger(10, number)) {
      segment = std::max(segment, segments[number]);
    } else if (auto found = symbolSegments.find(symbol); found != symbolSegments.end()) {
      segment = std::max(segment, found->second);
    } else if (!undeclared) {
      undeclared = symbol;
    }
  }
  return segment;
}

int64_t ValueTable::add(DimExprAttr expr) {
  int64_t number;
  if (std::optional<StringRef> name = expr.getSymbol();
      name && name->consume_front("%") && !name->getAsInteger(10, number))
    return number;
  auto [place, isNew] = numbers.try_emplace(expr, values.size());
  if (isNew) {
    segments.push_back(findSegment(expr));
    values.push_back(expr);
  }
  return place->second;
}
