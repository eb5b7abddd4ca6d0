//===- RuntimeSizes.cpp - Axes and sizes that only a run knows --------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "RuntimeSizes.h"
#include "TensorReader.h"

using namespace mlir;
using namespace mlir::tfc;
using namespace mlir::tfc::onnx_import;

bool mlir::tfc::onnx_import::isData(Value value) {
  return value && !matchDimValues(value) && !value.getDefiningOp<ConcatOp>();
}

Value VectorMath::iota(int64_t count) {
  Dims values;
  for (int64_t i = 0; i < count; ++i)
    values.push_back(node.dim(i));
  return node.dimValues(values);
}

Value VectorMath::element(Value vector, int64_t i) {
  return node.reshape(node.sliceAxis(vector, 0, node.dim(i), node.dim(1)), {});
}

Value VectorMath::column(Value vector) {
  return vector ? node.reshape(vector, {getDim(vector, 0), node.dim(1)}) : vector;
}

RuntimeAxes::RuntimeAxes(NodeContext &node, Value axes, int64_t rank) : node(node) {
  VectorMath m{node};
  if (!axes)
    axes = m.iota(rank);
  if (axes && getRank(axes) == 0)
    axes = node.reshape(axes, node.dim(1));
  std::optional<int64_t> length = axes && getRank(axes) == 1 ? getDim(axes, 0).getConstant() : std::nullopt;
  if (!length || *length > rank) {
    (void)node.fail("how many axes there are must be known, and at most " + Twine(rank));
    return;
  }
  matches = m.equal(m.column(m.wrap(m.wide(axes), m.number(rank))), m.iota(rank));
  Value hits = m.sum(m.wide(matches), 0);
  flags = node.compare(CompareKind::Gt, hits, m.number(0));
  // As many dims are hit as there are axes: each axis hits one, and no two the same.
  if (std::optional<DimExprAttr> found = node.getSize(m.sum(m.wide(flags), 0), "axes"))
    node.require(RequireKind::Equal, *found, node.dim(*length));
  if (!node.hasFailed())
    count = *length;
}

Value RuntimeAxes::spread(Value perAxis, int64_t absent) const {
  VectorMath m{node};
  Value entries = m.sum(m.select(matches, m.column(m.wide(perAxis)), m.number(0)), 0);
  return m.select(flags, entries, m.number(absent));
}

Value mlir::tfc::onnx_import::compact(NodeContext &node, Value vector, Value flags, int64_t count) {
  VectorMath m{node};
  Value place = node.build<CumSumOp>(m.wide(flags),
                                     {node.attribute("axis", int64_t(0)), node.flag("exclusive")});
  Value matches = node.build<AndOp>({m.equal(m.column(place), m.iota(count)), m.column(flags)});
  return m.sum(m.select(matches, m.column(vector), m.number(0)), 0);
}
