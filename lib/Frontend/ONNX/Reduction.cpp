//===- Reduction.cpp - Reductions, scans, top-k ---------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "OpTable.h"
#include "RuntimeSizes.h"

using namespace mlir;
using namespace mlir::tfc;
using namespace mlir::tfc::onnx_import;

//===----------------------------------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------------------------------===//

namespace {
struct ReduceAxes {
  SmallVector<int64_t> axes;
  bool keepDims;
  /// No axes are given, and that means: leave the tensor as it is.
  bool isNoop = false;
  /// Axes that are data; null where `axes` says them.
  Value runtime = {};
};
} // namespace

/// Axes are an attribute below opset 18 (13 for ReduceSum), an input from there on.
static std::optional<ReduceAxes> getReduceAxes(NodeContext &node, int64_t inputSince = 18) {
  int64_t rank = getRank(node.getInput(0));
  ReduceAxes result{{}, node.getInt("keepdims", 1) != 0};
  std::optional<SmallVector<int64_t>> given;
  if (node.opset < inputSince)
    given = node.getInts("axes");
  else if (node.hasInput(1) && isData(node.getInput(1)) &&
           !getElementCount(node.getInput(1).getType()).isConstant(0)) {
    result.runtime = node.getInput(1);
    return result;
  } else if (node.hasInput(1) && !getElementCount(node.getInput(1).getType()).isConstant(0))
    given = node.getConstantInts(node.getInput(1), "axes");
  if (node.hasFailed())
    return std::nullopt;
  if (!given || given->empty()) {
    result.isNoop = node.opset >= inputSince && node.getInt("noop_with_empty_axes", 0) != 0;
    result.axes.append(llvm::seq<int64_t>(0, rank).begin(), llvm::seq<int64_t>(0, rank).end());
    return result;
  }
  std::optional<SmallVector<int64_t>> axes = node.normalizeAxes(*given, rank);
  if (!axes)
    return std::nullopt;
  result.axes = *axes;
  return result;
}

/// One axis after the other: where an axis is named, every element along it becomes the reduction of all of
/// them, and the dim is cut to the length 1.
static Value reduceRuntimeAxes(NodeContext &node, ReduceKind kind, Value x, const ReduceAxes &how) {
  VectorMath m{node};
  int64_t rank = getRank(x);
  RuntimeAxes axes(node, how.runtime, rank);
  if (axes.getCount() < 0)
    return {};
  // Everything is bound before anything is computed: the result's place is then known when it is made.
  Value sizes = node.dimValues(getDims(x));
  std::optional<Dims> dims = node.getSizes(m.select(axes.getFlags(), m.number(1), sizes), "axes"),
                      rest = dims;
  if (!how.keepDims)
    rest = node.getSizes(compact(node, sizes, node.build<NotOp>(axes.getFlags()), rank - axes.getCount()),
                         "axes");
  if (!dims || !rest)
    return {};
  for (int64_t axis = 0; axis < rank && x; ++axis) {
    Value reduced = node.reduce(kind, x, axis, /*keepDims=*/true);
    // A reduction of no elements needs a place, too.
    if (!getDim(x, axis).isPositive())
      x = node.build<ConcatOp>({x, reduced}, node.attribute("axis", axis));
    if (!x)
      return x;
    reduced = node.expand(reduced, getDims(x));
    Value chosen = m.select(m.element(axes.getFlags(), axis), reduced, x);
    x = node.sliceAxis(chosen, axis, node.dim(0), (*dims)[axis]);
  }
  return how.keepDims ? x : node.reshape(x, *rest);
}

static Value reduceAxes(NodeContext &node, ReduceKind kind, Value x, const ReduceAxes &how) {
  return how.runtime ? reduceRuntimeAxes(node, kind, x, how) : node.reduce(kind, x, how.axes, how.keepDims);
}

template <ReduceKind kind, int64_t inputSince = 18> static LogicalResult importReduce(NodeContext &node) {
  Value x = node.getInput(0);
  std::optional<ReduceAxes> how = getReduceAxes(node, inputSince);
  if (!how)
    return failure();
  if (how->isNoop)
    return node.finish(x);
  // Bools have an order from opset 20 on: as numbers.
  Type type = getElementType(x);
  Value numbers = type.isInteger(1) ? node.cast(x, node.builder.getI8Type()) : x;
  return node.finish(node.cast(reduceAxes(node, kind, numbers, *how), type));
}

namespace {
/// What is summed, and what is made of the sum.
enum class SumForm { L1, L2, Log, Square };
} // namespace

/// Roots and logarithms of integers are computed in f64 and cut to integers again.
static Value widenIntegers(NodeContext &node, Value x) {
  return isa<IntegerType>(getElementType(x)) ? node.cast(x, node.builder.getF64Type()) : x;
}

template <SumForm form> static LogicalResult importReduceSumForm(NodeContext &node) {
  Type type = getElementType(node.getInput(0));
  bool hasRoot = form == SumForm::L2 || form == SumForm::Log;
  Value x = hasRoot ? widenIntegers(node, node.getInput(0)) : node.getInput(0);
  std::optional<ReduceAxes> how = getReduceAxes(node);
  if (!how)
    return failure();
  Value terms = x;
  if (form == SumForm::L1)
    terms = node.build<AbsOp>(x);
  else if (form == SumForm::L2 || form == SumForm::Square)
    terms = node.build<MulOp>({x, x});
  Value sum = how->isNoop ? terms : reduceAxes(node, ReduceKind::Sum, terms, *how);
  if (form == SumForm::L2)
    sum = node.build<SqrtOp>(sum);
  else if (form == SumForm::Log)
    sum = node.build<LogOp>(sum);
  return node.finish(node.cast(sum, type));
}

/// The same with axes that are data: the maximum is that of the whole tensor, which is finite as well.
static Value buildRuntimeLogSumExp(NodeContext &node, Value x, const ReduceAxes &how) {
  SmallVector<int64_t> all = llvm::to_vector(llvm::seq<int64_t>(0, getRank(x)));
  Value largest = node.reduce(ReduceKind::Max, x, all, /*keepDims=*/false);
  Value shift =
      node.build<SelectOp>({node.build<IsInfOp>(largest), node.scalar(0, getElementType(x)), largest});
  Value terms = node.build<ExpOp>(node.build<SubOp>({x, shift}));
  Value sum = node.build<LogOp>(reduceAxes(node, ReduceKind::Sum, terms, how));
  return node.build<AddOp>({sum, shift});
}

/// max + log(sum(exp(x - max))); where the maximum is infinite it is left out, because inf - inf is NaN.
static LogicalResult importReduceLogSumExp(NodeContext &node) {
  Type type = getElementType(node.getInput(0));
  std::optional<ReduceAxes> how = getReduceAxes(node);
  if (!how)
    return failure();
  if (how->isNoop)
    return node.finish(node.getInput(0));
  Value x = widenIntegers(node, node.getInput(0));
  if (how->runtime)
    return node.finish(node.cast(buildRuntimeLogSumExp(node, x, *how), type));
  Value largest = node.reduce(ReduceKind::Max, x, how->axes, /*keepDims=*/true);
  Value zero = node.scalar(0, getElementType(x));
  Value shift = node.build<SelectOp>({node.build<IsInfOp>(largest), zero, largest});
  Value terms = node.build<ExpOp>(node.build<SubOp>({x, shift}));
  Value sum = node.build<LogOp>(node.reduce(ReduceKind::Sum, terms, how->axes, /*keepDims=*/true));
  Value result = node.build<AddOp>({sum, shift});
  if (!result || how->keepDims)
    return node.finish(node.cast(result, type));
  Dims dims;
  for (auto [i, dim] : llvm::enumerate(getDims(x)))
    if (!llvm::is_contained(how->axes, static_cast<int64_t>(i)))
      dims.push_back(dim);
  return node.finish(node.cast(node.reshape(result, dims), type));
}

template <bool isMin> static LogicalResult importArgReduce(NodeContext &node) {
  Value x = node.getInput(0);
  std::optional<int64_t> axis = node.normalizeAxis(node.getInt("axis", 0), getRank(x));
  if (!axis)
    return failure();
  SmallVector<NamedAttribute> attributes = {node.attribute("axis", *axis)};
  if (isMin)
    attributes.push_back(node.flag("min"));
  if (node.getInt("select_last_index", 0) != 0)
    attributes.push_back(node.flag("last"));
  if (node.getInt("keepdims", 1) != 0)
    attributes.push_back(node.flag("keep_dims"));
  return node.finish(node.build<ArgReduceOp>(x, attributes));
}

//===----------------------------------------------------------------------------------------------===//
// Scans and top-k
//===----------------------------------------------------------------------------------------------===//

static SmallVector<NamedAttribute> getCumSumAttributes(NodeContext &node, int64_t axis) {
  SmallVector<NamedAttribute> attributes = {node.attribute("axis", axis)};
  for (StringRef name : {"exclusive", "reverse"})
    if (node.getInt(name, 0) != 0)
      attributes.push_back(node.flag(name));
  return attributes;
}

/// An axis that is data: the sums along every axis, of which one is chosen.
static LogicalResult importRuntimeCumSum(NodeContext &node) {
  Value x = node.getInput(0);
  VectorMath m{node};
  RuntimeAxes axes(node, node.toScalar(node.getInput(1), "axis"), getRank(x));
  Value result = x;
  for (int64_t axis = 0; axis < getRank(x) && axes.getCount() == 1; ++axis) {
    Value sums = node.build<CumSumOp>(x, getCumSumAttributes(node, axis));
    result = m.select(m.element(axes.getFlags(), axis), sums, result);
  }
  return node.finish(result);
}

static LogicalResult importCumSum(NodeContext &node) {
  Value x = node.getInput(0);
  if (isData(node.getInput(1)) && getRank(x) > 0)
    return importRuntimeCumSum(node);
  std::optional<SmallVector<int64_t>> given = node.getConstantInts(node.getInput(1), "axis");
  if (!given)
    return failure();
  if (given->size() != 1)
    return node.fail("axis must be a single number");
  std::optional<int64_t> axis = node.normalizeAxis(given->front(), getRank(x));
  if (!axis)
    return failure();
  return node.finish(node.build<CumSumOp>(x, getCumSumAttributes(node, *axis)));
}

/// k is an attribute below opset 10, an input from there on.
static LogicalResult importTopK(NodeContext &node) {
  Value x = node.getInput(0);
  std::optional<int64_t> axis = node.normalizeAxis(node.getInt("axis", -1), getRank(x));
  std::optional<DimExprAttr> k;
  if (node.opset < 10)
    k = node.dim(node.getInt("k", -1));
  else
    k = node.getSize(node.getInput(1), "k");
  if (!axis || !k || node.hasFailed())
    return failure();
  Dims dims = getDims(x);
  if (k->getConstant().value_or(0) < 0 ||
      (k->isConstant() && dims[*axis].getConstant().value_or(INT64_MAX) < *k->getConstant()))
    return node.fail("k is " + k->str() + ", the axis has " + dims[*axis].str() + " elements");
  if (!(dims[*axis] - *k).isNonNegative())
    node.require(RequireKind::AtMost, *k, dims[*axis]);
  dims[*axis] = *k;
  SmallVector<NamedAttribute> attributes = {node.attribute("axis", *axis)};
  if (node.getInt("largest", 1) == 0)
    attributes.push_back(node.flag("smallest"));
  Type values = node.tensorType(dims, getElementType(x)),
       indices = node.tensorType(dims, node.builder.getI64Type());
  if (!values || node.hasFailed())
    return failure();
  SmallVector<Value> results = node.buildAll(TopKOp::getOperationName(), x, attributes, {values, indices});
  return node.finish(results);
}

void mlir::tfc::onnx_import::addReductionOps(OpTable &table) {
  table.add("ReduceSum", importReduce<ReduceKind::Sum, 13>, 1, 2);
  table.add("ReduceMean", importReduce<ReduceKind::Mean>, 1, 2);
  table.add("ReduceMax", importReduce<ReduceKind::Max>, 1, 2);
  table.add("ReduceMin", importReduce<ReduceKind::Min>, 1, 2);
  table.add("ReduceProd", importReduce<ReduceKind::Prod>, 1, 2);
  table.add("ReduceL1", importReduceSumForm<SumForm::L1>, 1, 2);
  table.add("ReduceL2", importReduceSumForm<SumForm::L2>, 1, 2);
  table.add("ReduceLogSum", importReduceSumForm<SumForm::Log>, 1, 2);
  table.add("ReduceSumSquare", importReduceSumForm<SumForm::Square>, 1, 2);
  table.add("ReduceLogSumExp", importReduceLogSumExp, 1, 2);
  table.add("ArgMax", importArgReduce<false>, 1, 1);
  table.add("ArgMin", importArgReduce<true>, 1, 1);
  table.add("CumSum", importCumSum, 2, 2);
  table.add("TopK", importTopK, 1, 2);
}
