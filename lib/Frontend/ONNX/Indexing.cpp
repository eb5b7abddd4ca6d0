//===- Indexing.cpp - Gathers, one-hot, nonzero ---------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "OpTable.h"
#include "RuntimeSizes.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::tfc;
using namespace mlir::tfc::onnx_import;

/// ONNX allows i32 and i64 here and tfc takes both; anything else is refused before the op is built.
static LogicalResult checkIndices(NodeContext &node, Value indices) {
  Type type = getElementType(indices);
  if (type.isSignlessInteger(32) || type.isSignlessInteger(64))
    return success();
  return node.fail("indices must be int32 or int64");
}

template <typename OpTy> static LogicalResult importGatherAlongAxis(NodeContext &node) {
  Value x = node.getInput(0), indices = node.getInput(1);
  std::optional<int64_t> axis = node.normalizeAxis(node.getInt("axis", 0), getRank(x));
  if (!axis || node.hasFailed() || failed(checkIndices(node, indices)))
    return failure();
  return node.finish(node.build<OpTy>({x, indices}, node.attribute("axis", *axis)));
}

namespace {
/// Rows of a tensor that index tuples name: its dims are [batch..., tuple..., row...], and those of the tuples
/// [batch..., outer...].
struct Tuples {
  /// The tensor's batch and tuple dims as one, its row dims.
  DimExprAttr count;
  Dims row;
  /// Dims of the indices but the last, and for each of them the index into `count`. A tuple with an entry
  /// outside its dim gives an index that no check lets pass.
  Dims outer;
  Value linear;
};
} // namespace

static DimExprAttr product(NodeContext &node, ArrayRef<DimExprAttr> dims) {
  DimExprAttr result = node.dim(1);
  for (DimExprAttr dim : dims)
    result = result * dim;
  return result;
}

static std::optional<Tuples> readTuples(NodeContext &node, Value x, Value indices, int64_t batchDims,
                                        int64_t depth) {
  VectorMath m{node};
  Dims dims = getDims(x);
  for (int64_t i = 0; i < batchDims; ++i)
    indices = node.conform(indices, i, dims[i]);
  indices = m.wide(node.conform(indices, getRank(indices) - 1, node.dim(depth)));
  if (!indices)
    return std::nullopt;
  Tuples tuples;
  tuples.outer = getDims(indices);
  tuples.outer.pop_back();
  ArrayRef<DimExprAttr> all(dims), batch = all.take_front(batchDims);
  tuples.row.append(dims.begin() + batchDims + depth, dims.end());
  tuples.count = product(node, all.take_front(batchDims + depth));
  Type i64 = node.builder.getI64Type();
  if (batchDims > 0) {
    RankedTensorType type = node.tensorType(product(node, batch), i64);
    Dims shape(batch);
    shape.resize(tuples.outer.size(), node.dim(1));
    tuples.linear = node.reshape(node.build<RangeOp>({m.number(0), m.number(1)}, {}, type), shape);
  }
  Value isBad;
  for (int64_t i = 0; i < depth; ++i) {
    Value size = node.dimValues(dims[batchDims + i], /*isScalar=*/true);
    Value given = node.sliceAxis(indices, tuples.outer.size(), node.dim(i), node.dim(1));
    Value index = m.wrap(node.reshape(given, tuples.outer), size);
    Value outside =
        node.build<OrOp>({m.isNegative(index), node.compare(CompareKind::Ge, index, size)});
    isBad = isBad ? node.build<OrOp>({isBad, outside}) : outside;
    tuples.linear = tuples.linear ? m.add(m.mul(tuples.linear, size), index) : index;
  }
  if (depth + batchDims > 1)
    tuples.linear = m.select(isBad, m.number(INT64_MAX), tuples.linear);
  else
    tuples.linear = node.reshape(node.sliceAxis(indices, tuples.outer.size(), node.dim(0), node.dim(1)),
                                 tuples.outer);
  return tuples.linear ? std::optional(tuples) : std::nullopt;
}

/// How many dims a tuple names: the length of the indices' last dim. Where that is open, the rank that the
/// file states for the result tells it.
static std::optional<int64_t> getTupleDepth(NodeContext &node, Value x, Value indices, int64_t batchDims) {
  int64_t rank = getRank(x) - batchDims;
  if (getRank(indices) <= batchDims || rank < 1 || batchDims < 0) {
    (void)node.fail("batch_dims must be less than the ranks of the operands, which are 1 or more");
    return std::nullopt;
  }
  std::optional<int64_t> depth = getDim(indices, getRank(indices) - 1).getConstant();
  if (!depth)
    if (std::optional<int64_t> declared = node.getDeclaredRank(0))
      depth = getRank(x) + getRank(indices) - 1 - batchDims - *declared;
  if (depth && *depth >= 1 && *depth <= rank)
    return depth;
  (void)node.fail("the last dim of the indices must lie in [1, " + Twine(rank) + "]");
  return std::nullopt;
}

static LogicalResult importGatherND(NodeContext &node) {
  Value x = node.getInput(0), indices = node.getInput(1);
  int64_t batchDims = node.getInt("batch_dims", 0);
  if (failed(checkIndices(node, indices)))
    return failure();
  std::optional<int64_t> depth = getTupleDepth(node, x, indices, batchDims);
  if (!depth)
    return failure();
  std::optional<Tuples> tuples = readTuples(node, x, indices, batchDims, *depth);
  if (!tuples)
    return failure();
  Dims flat = {tuples->count};
  flat.append(tuples->row);
  return node.finish(
      node.build<GatherOp>({node.reshape(x, flat), tuples->linear}, node.attribute("axis", int64_t(0))));
}

//===----------------------------------------------------------------------------------------------===//
// Scatter
//===----------------------------------------------------------------------------------------------===//

static Value buildScatter(NodeContext &node, Value x, Value indices, Value updates, int64_t axis) {
  std::string name = node.getString("reduction").value_or("none");
  std::optional<ScatterKind> kind = symbolizeScatterKind(name == "none" ? "set" : name);
  if (!kind || name == "set") {
    (void)node.fail("reduction must be none, add, mul, min or max");
    return {};
  }
  Attribute attribute = ScatterKindAttr::get(node.builder.getContext(), *kind);
  return node.build<ScatterElementsOp>({x, indices, updates},
                                       {node.attribute("kind", attribute), node.attribute("axis", axis)});
}

static LogicalResult importScatterElements(NodeContext &node) {
  Value x = node.getInput(0), indices = node.getInput(1);
  std::optional<int64_t> axis = node.normalizeAxis(node.getInt("axis", 0), getRank(x));
  if (!axis || failed(checkIndices(node, indices)))
    return failure();
  return node.finish(buildScatter(node, x, indices, node.getInput(2), *axis));
}

/// Whole rows: each element of one is scattered by the row's index.
static LogicalResult importScatterND(NodeContext &node) {
  Value x = node.getInput(0), indices = node.getInput(1), updates = node.getInput(2);
  if (failed(checkIndices(node, indices)) || getRank(indices) == 0)
    return node.fail("indices must have rank 1 or more");
  // A row has as many dims as the updates have beyond the tuples.
  int64_t depth = getRank(x) - (getRank(updates) - (getRank(indices) - 1));
  if (depth < 1 || depth > getRank(x))
    return node.fail("the ranks of data, indices and updates do not fit");
  std::optional<Tuples> tuples = readTuples(node, x, indices, /*batchDims=*/0, depth);
  if (!tuples)
    return failure();
  DimExprAttr tupleCount = product(node, tuples->outer), row = product(node, tuples->row);
  Value places = node.expand(node.reshape(tuples->linear, {tupleCount, node.dim(1)}), {tupleCount, row});
  Value rows = node.reshape(updates, {tupleCount, row});
  Value y = buildScatter(node, node.reshape(x, {tuples->count, row}), places, rows, /*axis=*/0);
  return node.finish(node.reshape(y, getDims(x)));
}

/// The slices along an axis (elements in order, without one) whose condition holds.
static LogicalResult importCompress(NodeContext &node) {
  Value x = node.getInput(0), condition = node.getInput(1);
  if (getRank(condition) != 1)
    return node.fail("the condition must have rank 1");
  int64_t axis = 0;
  if (!node.hasAttribute("axis")) {
    x = node.reshape(x, getElementCount(x.getType()));
  } else {
    std::optional<int64_t> given = node.normalizeAxis(node.getInt("axis", 0), getRank(x));
    if (!given)
      return failure();
    axis = *given;
  }
  std::optional<DimExprAttr> count = node.getSize(node.build<CountNonzeroOp>(condition), "the count");
  if (!count)
    return failure();
  Type i64 = node.builder.getI64Type();
  Value places = node.build<NonzeroOp>(condition, {}, node.tensorType({node.dim(1), *count}, i64));
  return node.finish(
      node.build<GatherOp>({x, node.reshape(places, *count)}, node.attribute("axis", axis)));
}

/// A tensor that is known to hold no zero: a constant, or one that is repeated.
static bool isNeverZero(Value x) {
  while (auto expand = x.getDefiningOp<ExpandOp>())
    x = expand.getX();
  DenseElementsAttr elements;
  if (!matchPattern(x, m_Constant(&elements)) || !elements.isSplat())
    return false;
  if (isa<FloatType>(elements.getElementType()))
    return !elements.getSplatValue<APFloat>().isZero();
  return !elements.getSplatValue<APInt>().isZero();
}

/// Exports below opset 11 spell an arange as NonZero of ones: there the count is no data.
static LogicalResult importNonZero(NodeContext &node) {
  Value x = node.getInput(0);
  Type i64 = node.builder.getI64Type();
  if (getRank(x) == 1 && isNeverZero(x)) {
    RankedTensorType type = node.tensorType(getDims(x), i64);
    Value range = node.build<RangeOp>({node.scalar(0, i64), node.scalar(1, i64)}, {}, type);
    return node.finish(node.reshape(range, {node.dim(1), getDim(x, 0)}));
  }
  std::optional<DimExprAttr> count = node.getSize(node.build<CountNonzeroOp>(x), "the count");
  if (!count)
    return failure();
  return node.finish(node.build<NonzeroOp>(x, {}, node.tensorType({node.dim(getRank(x)), *count}, i64)));
}

static LogicalResult importOneHot(NodeContext &node) {
  Value indices = node.getInput(0), values = node.getInput(2);
  std::optional<DimExprAttr> depth =
      node.getSize(node.cast(node.getInput(1), node.builder.getI64Type()), "depth");
  if (!depth)
    return failure();
  if (getRank(values) != 1)
    return node.fail("values must be two numbers");
  values = node.conform(values, 0, node.dim(2));
  Dims dims = getDims(indices);
  std::optional<int64_t> axis = node.normalizeAxis(node.getInt("axis", -1), dims.size() + 1);
  if (!axis || node.hasFailed())
    return failure();
  dims.insert(dims.begin() + *axis, *depth);
  Value off = node.reshape(node.sliceAxis(values, 0, node.dim(0), node.dim(1)), {});
  Value on = node.reshape(node.sliceAxis(values, 0, node.dim(1), node.dim(1)), {});
  return node.finish(node.build<OneHotOp>({indices, off, on}, node.attribute("axis", *axis),
                                          node.tensorType(dims, getElementType(values))));
}

void mlir::tfc::onnx_import::addIndexingOps(OpTable &table) {
  table.add("Gather", importGatherAlongAxis<GatherOp>, 2, 2);
  table.add("GatherElements", importGatherAlongAxis<GatherElementsOp>, 2, 2);
  table.add("GatherND", importGatherND, 2, 2);
  table.add("ScatterElements", importScatterElements, 3, 3);
  table.add("Scatter", importScatterElements, 3, 3, 9);
  table.add("ScatterND", importScatterND, 3, 3);
  table.add("Compress", importCompress, 2, 2);
  table.add("NonZero", importNonZero, 1, 1);
  table.add("OneHot", importOneHot, 3, 3);
}
