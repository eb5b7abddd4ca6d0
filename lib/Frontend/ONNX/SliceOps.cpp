//===- SliceOps.cpp - Slice and Split -------------------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// ONNX counts negative bounds from the end and clamps every bound into the tensor. tfc.slice does neither: it
// reads `length` elements from `offset`, and its own requirement ends a run that would leave the tensor. So
// the clamping is done here, on expressions.
//
// One case is not clamped: a bound that is an expression, on a dim that is a number. That is a table that is
// cut to the length of the run (`position_ids[:, :seq]` of 512). Clamped, its length would be min(seq, 512),
// which is equal to no other dim of the graph; a run with more than 512 would then fail in some later
// broadcast. Unclamped, its length is seq, and the requirement of tfc.slice says at the start of the run what
// is wrong.
//
//===----------------------------------------------------------------------------------------------===//

#include "OpTable.h"
#include "RuntimeSizes.h"
#include <climits>

using namespace mlir;
using namespace mlir::tfc;
using namespace mlir::tfc::onnx_import;

namespace {
struct Range {
  DimExprAttr offset;
  DimExprAttr length;
};
} // namespace

/// Bounds of this size mean "the end" (or "the start"): exporters write INT32_MAX and INT64_MAX.
static bool isFarUp(DimExprAttr bound) { return bound.getConstant().value_or(0) >= INT32_MAX; }
static bool isFarDown(DimExprAttr bound) { return bound.getConstant().value_or(0) <= -INT32_MAX; }

/// A bound as a distance from the start, clamped into [0, size].
static DimExprAttr clampBound(NodeContext &node, DimExprAttr bound, DimExprAttr size) {
  if (isFarUp(bound) || bound == size)
    return size;
  if (isFarDown(bound))
    return node.dim(0);
  DimExprAttr fromStart = DimExprAttr::call(DimCallKind::Wrap, bound, size);
  if (size.isConstant() && !bound.isConstant() && bound.isNonNegative())
    return fromStart;
  return fromStart.max(node.dim(0)).min(size);
}

static Range sliceForward(NodeContext &node, DimExprAttr start, DimExprAttr end, int64_t step,
                          DimExprAttr size) {
  DimExprAttr stop = clampBound(node, end, size), zero = node.dim(0), begin, length;
  int64_t number = start.getConstant().value_or(0);
  if (number < 0 && !isFarDown(start) && stop == size && !size.isConstant()) {
    // The last k elements: min(k, size) says more than size - max(size - k, 0).
    begin = (size + number).max(zero);
    length = size.min(node.dim(-number));
  } else {
    // A number needs no clamping: where it lies beyond the end, nothing is read.
    begin = number > 0 && !isFarUp(start) ? start : clampBound(node, start, size);
    length = stop - begin;
    // Both bounds lie in [0, size] now; only their order is open.
    if (!length.isNonNegative() && !begin.isConstant(0))
      length = length.max(zero);
  }
  return {length.isConstant(0) ? zero : begin, length.ceilDiv(node.dim(step))};
}

/// Bounds are clamped to [-1, size - 1] here.
static Range sliceBackward(NodeContext &node, DimExprAttr start, DimExprAttr end, int64_t step,
                           DimExprAttr size) {
  auto clamp = [&](DimExprAttr bound) {
    if (isFarUp(bound))
      return size - 1;
    if (isFarDown(bound))
      return node.dim(-1);
    return DimExprAttr::call(DimCallKind::Wrap, bound, size).max(node.dim(-1)).min(size - 1);
  };
  DimExprAttr begin = clamp(start), stop = clamp(end);
  DimExprAttr length = (begin - stop).max(node.dim(0)).ceilDiv(node.dim(-step));
  if (length.isConstant(0))
    begin = node.dim(0);
  return {begin, length};
}

namespace {
struct SliceBounds {
  Dims starts, ends;
  SmallVector<int64_t> axes, steps;
};
} // namespace

/// Attributes below opset 10, inputs from there on.
static std::optional<SliceBounds> getSliceBounds(NodeContext &node, int64_t rank) {
  SliceBounds bounds;
  if (node.opset < 10) {
    std::optional<SmallVector<int64_t>> starts = node.getInts("starts"), ends = node.getInts("ends");
    if (!starts || !ends) {
      (void)node.fail("starts or ends are missing");
      return std::nullopt;
    }
    for (int64_t start : *starts)
      bounds.starts.push_back(node.dim(start));
    for (int64_t end : *ends)
      bounds.ends.push_back(node.dim(end));
    if (std::optional<SmallVector<int64_t>> axes = node.getInts("axes"))
      bounds.axes = *axes;
    else
      bounds.axes.append(llvm::seq<int64_t>(0, starts->size()).begin(),
                         llvm::seq<int64_t>(0, starts->size()).end());
    bounds.steps.assign(starts->size(), 1);
    return bounds;
  }
  if (!node.hasInput(1) || !node.hasInput(2)) {
    (void)node.fail("starts or ends are missing");
    return std::nullopt;
  }
  std::optional<Dims> starts = node.getSizes(node.getInput(1), "starts"),
                      ends = node.getSizes(node.getInput(2), "ends");
  if (!starts || !ends)
    return std::nullopt;
  bounds.starts = *starts;
  bounds.ends = *ends;
  for (size_t i = 0; i < starts->size(); ++i)
    bounds.axes.push_back(i);
  bounds.steps.assign(starts->size(), 1);
  for (auto [input, target, what] :
       {std::tuple(3u, &bounds.axes, "axes"), std::tuple(4u, &bounds.steps, "steps")}) {
    if (!node.hasInput(input))
      continue;
    std::optional<SmallVector<int64_t>> given = node.getConstantInts(node.getInput(input), what);
    if (!given)
      return std::nullopt;
    *target = *given;
  }
  return bounds;
}

namespace {
/// The bounds of one dim as numbers that the run knows.
struct RuntimeBounds {
  Value start, end, step;
};
} // namespace

/// The first index and the length are computed by the run and bound. A step of 0 gives the length -1, which
/// ends it.
static Value sliceRuntimeDim(NodeContext &node, Value x, int64_t axis, RuntimeBounds bounds) {
  VectorMath m{node};
  if (!x)
    return x;
  Value size = node.dimValues(getDim(x, axis), /*isScalar=*/true);
  Value zero = m.number(0), one = m.number(1), lowest = m.number(-1), last = m.sub(size, one);
  Value step = m.clamp(bounds.step, m.number(-INT32_MAX), m.number(INT32_MAX));
  Value backward = m.isNegative(step);
  Value start = m.wrap(bounds.start, size), end = m.wrap(bounds.end, size);
  Value begin = m.select(backward, m.clamp(start, zero, last), m.clamp(start, zero, size));
  Value stop = m.select(backward, m.clamp(end, lowest, last), m.clamp(end, zero, size));
  Value nudge = m.sub(step, m.select(backward, lowest, one));
  Value length = m.max(m.div(m.add(m.sub(stop, begin), nudge), step), zero);
  length = m.select(m.equal(step, zero), lowest, length);
  std::optional<DimExprAttr> count = node.getSize(length, "the length");
  if (!count)
    return {};
  std::optional<SmallVector<int64_t>> known = matchIntegers(step);
  if (known && known->front() == 1) {
    std::optional<DimExprAttr> offset = node.getSize(begin, "the start");
    return offset ? node.sliceAxis(x, axis, *offset, *count) : Value();
  }
  Value indices =
      node.build<RangeOp>({begin, step}, {}, node.tensorType(*count, node.builder.getI64Type()));
  return node.build<GatherOp>({x, indices}, node.attribute("axis", axis));
}

/// Bounds, axes or steps that are data.
static LogicalResult importRuntimeSlice(NodeContext &node) {
  VectorMath m{node};
  Value x = node.getInput(0), starts = m.wide(node.getInput(1)), ends = m.wide(node.getInput(2));
  int64_t rank = getRank(x);
  std::optional<int64_t> count = getElementCount(starts.getType()).getConstant();
  if (!count || *count > rank || getRank(starts) != 1)
    return node.fail("how many starts there are must be known");
  for (unsigned i = 2; i < node.getNumInputs(); ++i)
    if (node.hasInput(i) &&
        (getRank(node.getInput(i)) != 1 || !getDim(node.getInput(i), 0).isConstant(*count)))
      return node.fail("starts, ends, axes and steps differ in length");
  Value steps = node.hasInput(4) ? m.wide(node.getInput(4)) : node.expand(m.number(1), node.dim(*count));
  if (isData(node.getInput(3))) {
    RuntimeAxes axes(node, node.getInput(3), rank);
    if (axes.getCount() < 0)
      return failure();
    starts = axes.spread(starts, 0);
    ends = axes.spread(ends, INT64_MAX);
    steps = axes.spread(steps, 1);
    for (int64_t axis = 0; axis < rank; ++axis)
      x = sliceRuntimeDim(node, x, axis,
                          {m.element(starts, axis), m.element(ends, axis), m.element(steps, axis)});
    return node.finish(x);
  }
  SmallVector<int64_t> axes = llvm::to_vector(llvm::seq<int64_t>(0, *count));
  if (node.hasInput(3)) {
    std::optional<SmallVector<int64_t>> given = node.getConstantInts(node.getInput(3), "axes");
    if (!given || !node.normalizeAxes(*given, rank))
      return failure();
    axes = *given;
  }
  for (auto [i, axis] : llvm::enumerate(axes))
    x = sliceRuntimeDim(node, x, axis < 0 ? axis + rank : axis,
                        {m.element(starts, i), m.element(ends, i), m.element(steps, i)});
  return node.finish(x);
}

static bool hasRuntimeBounds(NodeContext &node) {
  return node.opset >= 10 && node.hasInput(2) &&
         llvm::any_of(node.getInputs().drop_front(), [](Value input) { return isData(input); });
}

static LogicalResult importSlice(NodeContext &node) {
  Value x = node.getInput(0);
  if (hasRuntimeBounds(node))
    return importRuntimeSlice(node);
  Dims dims = getDims(x);
  std::optional<SliceBounds> bounds = getSliceBounds(node, dims.size());
  if (!bounds || node.hasFailed())
    return failure();
  size_t count = bounds->starts.size();
  if (bounds->ends.size() != count || bounds->axes.size() != count || bounds->steps.size() != count)
    return node.fail("starts, ends, axes and steps differ in length");
  if (!node.normalizeAxes(bounds->axes, dims.size()))
    return failure();
  Dims offsets(dims.size(), node.dim(0)), lengths = dims;
  SmallVector<int64_t> strides(dims.size(), 1);
  for (size_t i = 0; i < count; ++i) {
    int64_t axis = *node.normalizeAxis(bounds->axes[i], dims.size()), step = bounds->steps[i];
    if (step == 0)
      return node.fail("a step is 0");
    // A longer step reads one element either way; the limit keeps products of it small.
    step = std::clamp<int64_t>(step, -INT32_MAX, INT32_MAX);
    auto slice = step > 0 ? sliceForward : sliceBackward;
    Range range = slice(node, bounds->starts[i], bounds->ends[i], step, dims[axis]);
    offsets[axis] = range.offset;
    lengths[axis] = range.length;
    strides[axis] = step;
  }
  return node.finish(node.slice(x, offsets, strides, lengths));
}

//===----------------------------------------------------------------------------------------------===//
// Split
//===----------------------------------------------------------------------------------------------===//

/// Lengths of the parts: an attribute below opset 13, an input from there on; equal parts where there is
/// neither. From opset 18 the last of them may be shorter.
static std::optional<Dims> getSplitLengths(NodeContext &node, DimExprAttr size) {
  int64_t parts = node.getNumOutputs();
  if (node.opset < 13 && node.hasAttribute("split")) {
    std::optional<SmallVector<int64_t>> given = node.getInts("split");
    if (!given)
      return std::nullopt;
    Dims lengths;
    for (int64_t length : *given)
      lengths.push_back(node.dim(length));
    return lengths;
  }
  if (node.opset >= 13 && node.hasInput(1))
    return node.getSizes(node.getInput(1), "split");
  if (node.getInt("num_outputs", parts) != parts) {
    (void)node.fail("num_outputs is not the number of outputs");
    return std::nullopt;
  }
  if (node.opset < 18 && size.isConstant() && *size.getConstant() % parts != 0) {
    (void)node.fail("a dim of " + size.str() + " does not split into " + Twine(parts) + " equal parts");
    return std::nullopt;
  }
  std::optional<DimExprAttr> exact = size.exactDiv(node.dim(parts));
  DimExprAttr part = exact ? *exact : size.ceilDiv(node.dim(parts));
  Dims lengths(parts, part);
  if (!exact)
    lengths.back() = size - part * (parts - 1);
  return lengths;
}

static LogicalResult importSplit(NodeContext &node) {
  Value x = node.getInput(0);
  std::optional<int64_t> axis = node.normalizeAxis(node.getInt("axis", 0), getRank(x));
  if (!axis || node.hasFailed())
    return failure();
  DimExprAttr size = getDim(x, *axis);
  if (node.getNumOutputs() == 0)
    return node.fail("there are no outputs");
  std::optional<Dims> lengths = getSplitLengths(node, size);
  if (!lengths)
    return failure();
  if (lengths->size() != node.getNumOutputs())
    return node.fail("split has " + Twine(lengths->size()) + " entries for " + Twine(node.getNumOutputs()) +
                     " outputs");
  SmallVector<Value> parts;
  DimExprAttr offset = node.dim(0);
  for (DimExprAttr length : *lengths) {
    if (length.getConstant().value_or(0) < 0)
      return node.fail("a part has a negative length");
    parts.push_back(node.sliceAxis(x, *axis, offset, length));
    offset = offset + length;
  }
  if (offset.isConstant() && size.isConstant() && offset != size)
    return node.fail("the parts have " + offset.str() + " elements in all, the dim " + size.str());
  return node.finish(parts);
}

void mlir::tfc::onnx_import::addSliceOps(OpTable &table) {
  table.add("Slice", importSlice, 1, 5);
  table.add("Split", importSplit, 1, 2, 2);
}
