//===- TensorScatter.cpp - Writing new rows into a cache --------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "TensorScatter.h"
#include "AttentionParts.h"
#include "OpTable.h"

using namespace mlir;
using namespace mlir::tfc;
using namespace mlir::tfc::onnx_import;

/// A tensor whose dims but `axis` (and the batch, when it is given) are 1.
static Dims alongAxis(NodeContext &node, int64_t rank, int64_t axis, DimExprAttr length,
                      DimExprAttr batch = {}) {
  Dims dims(rank, node.dim(1));
  dims[axis] = length;
  if (batch)
    dims[0] = batch;
  return dims;
}

/// Rows of an update that begins outside of the cache, or ends there, get an index that ends the run.
static Value refuseOutside(NodeContext &node, Value index, Value place, Value row, DimExprAttr capacity,
                           DimExprAttr length) {
  auto number = [&](DimExprAttr value) { return node.dimValues(value, /*isScalar=*/true); };
  // The place of the update's first row.
  Value begin = node.build<SubOp>({place, row});
  Value fits = node.build<AndOp>({node.compare(CompareKind::Ge, begin, number(node.dim(0))),
                                  node.compare(CompareKind::Le, begin, number(capacity - length))});
  return node.build<SelectOp>(
      {fits, index, node.build<AddOp>({node.build<AbsOp>(begin), number(capacity + 1)})});
}

Value mlir::tfc::onnx_import::writeIntoCache(NodeContext &node, Value cache, Value update, Value first,
                                             int64_t axis, bool circular) {
  if (node.hasFailed() || !cache || !update)
    return {};
  int64_t rank = getRank(cache);
  Dims dims = getDims(cache);
  DimExprAttr capacity = dims[axis], length = getDim(update, axis);
  auto number = [&](DimExprAttr value) { return node.dimValues(value, /*isScalar=*/true); };
  // Which row of the update stands at a place of the cache.
  Value place = node.reshape(countUp(node, capacity), alongAxis(node, rank, axis, capacity));
  Value row = place;
  if (first) {
    Value begin = node.reshape(node.cast(first, node.builder.getI64Type()),
                               alongAxis(node, rank, axis, node.dim(1), getElementCount(first.getType())));
    row = node.build<SubOp>({place, begin});
    if (circular)
      row = node.build<ModOp>({row, number(capacity)});
  }
  Value isNew = node.build<AndOp>({node.compare(CompareKind::Ge, row, number(node.dim(0))),
                                   node.compare(CompareKind::Lt, row, number(length))});
  // One more row, for places that take none: an update may be empty.
  Dims oneRow = getDims(update);
  oneRow[axis] = node.dim(1);
  Value nothing = node.expand(node.scalar(0, getElementType(update)), oneRow);
  Value rows = node.build<ConcatOp>({update, nothing}, node.attribute("axis", axis));
  Value index = node.build<SelectOp>({isNew, row, number(length)});
  if (first && !circular)
    index = refuseOutside(node, index, place, row, capacity, length);
  Value written =
      node.build<GatherElementsOp>({rows, node.expand(index, dims)}, node.attribute("axis", axis));
  return node.build<SelectOp>({isNew, written, cache});
}

static LogicalResult importTensorScatter(NodeContext &node) {
  Value cache = node.getInput(0), update = node.getInput(1), first = node.getInput(2);
  if (failed(node.allowAttributes({"axis", "mode"})))
    return failure();
  std::string mode = node.getString("mode").value_or("linear");
  if (mode != "linear" && mode != "circular")
    return node.fail("the mode is neither linear nor circular");
  int64_t rank = getRank(cache);
  std::optional<int64_t> axis = node.normalizeAxis(node.getInt("axis", -2), rank);
  if (!axis || node.hasFailed())
    return failure();
  if (*axis == 0)
    return node.fail("the axis may not be the batch");
  if (getRank(update) != rank || getElementType(update) != getElementType(cache))
    return node.fail("cache and update differ in rank or type");
  if (first && (getRank(first) != 1 || !getElementType(first).isInteger(64)))
    return node.fail("write_indices must have rank 1 and be of type int64");
  for (int64_t i = 0; i < rank; ++i)
    if (i != *axis)
      update = node.conform(update, i, getDim(cache, i));
  if (update && first)
    first = node.conform(first, 0, getDim(cache, 0));
  if (update) {
    DimExprAttr length = getDim(update, *axis), capacity = getDim(cache, *axis);
    if (length.isConstant() && capacity.isConstant() && *length.getConstant() > *capacity.getConstant())
      return node.fail("the update is longer than the cache");
    if (!(capacity - length).isNonNegative())
      node.require(RequireKind::AtMost, length, capacity);
  }
  return node.finish(writeIntoCache(node, cache, update, first, *axis, mode == "circular"));
}

void mlir::tfc::onnx_import::addTensorScatterOps(OpTable &table) {
  table.add("TensorScatter", importTensorScatter, 2, 3, 24);
}
