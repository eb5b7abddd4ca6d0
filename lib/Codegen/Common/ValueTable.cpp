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

int64_t ValueTable::addLargest(ArrayRef<int64_t> numbers) {
  // An expression has room for a limited number of terms only, so that many values are compared in several
  // steps.
  constexpr size_t kAtOnce = 16;
  llvm::SetVector<int64_t> rest(numbers.begin(), numbers.end());
  while (rest.size() > 1) {
    llvm::SetVector<int64_t> largest;
    for (ArrayRef<int64_t> list = rest.getArrayRef(); !list.empty();
         list = list.drop_front(std::min(kAtOnce, list.size()))) {
      DimExprAttr expr = getReference(list.front());
      for (int64_t number : list.take_front(kAtOnce).drop_front())
        expr = expr.max(getReference(number));
      largest.insert(add(expr));
    }
    rest = std::move(largest);
  }
  return rest.empty() ? addConstant(0) : rest.front();
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
