//===- BuildOp.h - Building ops from data that is not trusted -*- C++ -*- -----------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// MLIR's generated `create` aborts when types cannot be inferred. Whoever builds ops from what a user gave
// (importers, rewrites of user IR) builds them here: operands that do not fit end in a diagnostic at the Location, and
// whatever folds is folded at once, so that shape arithmetic never stays.
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_DIALECT_TFC_IR_BUILDOP_H
#define TFC_DIALECT_TFC_IR_BUILDOP_H

#include "tfc/Dialect/Tfc/IR/TfcOps.h"

#include "mlir/IR/Builders.h"

namespace mlir::tfc {

/// Builds op `name`, infers its result types (when `resultTypes` is empty and the op infers them), verifies and folds
/// it. Gives its results, or what they folded to. On failure a diagnostic has been emitted and nothing was built.
/// `attributes` are the op's attributes by their ODS names; ops with several optional operands need
/// `operandSegmentSizes` among them.
FailureOr<SmallVector<Value>> buildOp(OpBuilder &builder, Location loc, StringRef name, ValueRange operands,
                                      ArrayRef<NamedAttribute> attributes = {}, TypeRange resultTypes = {});

/// The same for an op class: `auto sum = buildOp<AddOp>(builder, loc, {x, y});`, for ops with one result.
template <typename OpTy>
FailureOr<Value> buildOp(OpBuilder &builder, Location loc, ValueRange operands,
                         ArrayRef<NamedAttribute> attributes = {}, TypeRange resultTypes = {}) {
  auto results = buildOp(builder, loc, OpTy::getOperationName(), operands, attributes, resultTypes);
  if (failed(results) || results->empty())
    return failure();
  return results->front();
}

/// The elements of an integer tensor as expressions when they are known at compile time (tfc.constant,
/// tfc.dim_values), at most `limit` of them.
std::optional<SmallVector<DimExprAttr>> matchDimValues(Value value, size_t limit = 4096);

/// The same when all are constants.
std::optional<SmallVector<int64_t>> matchIntegers(Value value, size_t limit = 4096);

/// A tensor of integers made of expressions: tfc.constant when all are constants, else tfc.dim_values.
Value buildDimValues(OpBuilder &builder, Location loc, ArrayRef<DimExprAttr> values, RankedTensorType type);

} // namespace mlir::tfc

#endif // TFC_DIALECT_TFC_IR_BUILDOP_H
