//===- RuntimeSizes.h - Axes and sizes that only a run knows ----------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// Where axes, bounds or a target shape are data, the graph computes with them as with any other tensor until
// it has lengths, which are never negative, and binds those. The vectors here are of i64, one entry per dim.
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_FRONTEND_ONNX_RUNTIMESIZES_H
#define TFC_LIB_FRONTEND_ONNX_RUNTIMESIZES_H

#include "NodeContext.h"

namespace mlir::tfc::onnx_import {

/// Whether the elements are data: neither known nor expressions of symbols, not even some of them.
bool isData(Value value);

/// Integer arithmetic of vectors and numbers, written as it is read. Null operands give null.
struct VectorMath {
  NodeContext &node;

  Value number(int64_t value) { return node.dimValues(node.dim(value), /*isScalar=*/true); }
  Value wide(Value x) { return x ? node.cast(x, node.builder.getI64Type()) : x; }
  Value add(Value a, Value b) { return node.build<AddOp>({a, b}); }
  Value sub(Value a, Value b) { return node.build<SubOp>({a, b}); }
  Value mul(Value a, Value b) { return node.build<MulOp>({a, b}); }
  Value div(Value a, Value b) { return node.build<DivOp>({a, b}); }
  Value min(Value a, Value b) { return node.build<MinOp>({a, b}); }
  Value max(Value a, Value b) { return node.build<MaxOp>({a, b}); }
  Value clamp(Value x, Value low, Value high) { return min(max(x, low), high); }
  Value equal(Value a, Value b) { return node.compare(CompareKind::Eq, a, b); }
  Value isNegative(Value a) { return node.compare(CompareKind::Lt, a, number(0)); }
  Value select(Value condition, Value a, Value b) { return node.build<SelectOp>({condition, a, b}); }
  /// Counted from the end where negative.
  Value wrap(Value x, Value size) { return select(isNegative(x), add(x, size), x); }
  /// [0, 1, ..., count - 1]
  Value iota(int64_t count);
  /// One element, of rank 0.
  Value element(Value vector, int64_t i);
  /// The vector as a matrix of one column.
  Value column(Value vector);
  Value sum(Value x, int64_t axis) { return node.reduce(ReduceKind::Sum, x, axis, /*keepDims=*/false); }
};

/// Axes that are data: a vector of a known number of integers, wrapped by the rank. A run ends where one of
/// them is outside the rank or stands twice.
class RuntimeAxes {
public:
  /// Null axes mean all of them in order. `count` is negative after an error.
  RuntimeAxes(NodeContext &node, Value axes, int64_t rank);
  int64_t getCount() const { return count; }
  /// Which dims are named: bools.
  Value getFlags() const { return flags; }
  /// Entries that come in the axes' order, put in the order of the dims; `absent` where a dim is not named.
  Value spread(Value perAxis, int64_t absent) const;

private:
  NodeContext &node;
  /// [count, rank] bools: whether the axis is the dim.
  Value matches;
  Value flags;
  int64_t count = -1;
};

/// The entries whose flag is set, in order; there must be `count` of them.
Value compact(NodeContext &node, Value vector, Value flags, int64_t count);

} // namespace mlir::tfc::onnx_import

#endif // TFC_LIB_FRONTEND_ONNX_RUNTIMESIZES_H
