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

static LogicalResult importSlice(NodeContext &node) {
  Value x = node.getInput(0);
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
