//===- ValueTable.h - The numbered expressions of an entry -*- C++ -*- ------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_CODEGEN_COMMON_VALUETABLE_H
#define TFC_CODEGEN_COMMON_VALUETABLE_H

#include "tfc/Dialect/Tfc/IR/TfcDialect.h"

#include "llvm/ADT/DenseMap.h"

namespace mlir::tfc {

/// The expressions that a run evaluates, each once, in an order in which every value uses only those before
/// it. In an expression, the symbol `%i` means value number i.
class ValueTable {
public:
  explicit ValueTable(MLIRContext *context) : context(context) { add(DimExprAttr::constant(context, 0)); }

  /// Symbols exist once `segment` binds have run.
  void declareSymbol(StringAttr name, int64_t segment) { symbolSegments[name] = segment; }

  /// The number of the expression's value.
  int64_t add(DimExprAttr expr);
  int64_t addConstant(int64_t value) { return add(DimExprAttr::constant(context, value)); }
  /// The number of the largest of these values; of none it is 0.
  int64_t addLargest(ArrayRef<int64_t> numbers);
  /// A value as an operand of further expressions.
  DimExprAttr getReference(int64_t number) const;

  ArrayRef<DimExprAttr> getValues() const { return values; }
  /// Binds that must have run before each value exists.
  ArrayRef<int64_t> getSegments() const { return segments; }
  /// A symbol that an expression used though nothing gives it a value; null if all is well.
  StringAttr getUndeclaredSymbol() const { return undeclared; }

private:
  int64_t findSegment(DimExprAttr expr);

  MLIRContext *context;
  DenseMap<StringAttr, int64_t> symbolSegments;
  DenseMap<DimExprAttr, int64_t> numbers;
  SmallVector<DimExprAttr> values;
  SmallVector<int64_t> segments;
  StringAttr undeclared;
};

} // namespace mlir::tfc

#endif // TFC_CODEGEN_COMMON_VALUETABLE_H
