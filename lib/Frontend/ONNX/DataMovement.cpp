//===- DataMovement.cpp - Reshape, transpose, concat, expand, tile, pad ----------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "OpTable.h"
#include "RuntimeSizes.h"
#include "TensorReader.h"

using namespace mlir;
using namespace mlir::tfc;
using namespace mlir::tfc::onnx_import;

static DimExprAttr product(NodeContext &node, ArrayRef<DimExprAttr> dims) {
  DimExprAttr result = node.dim(1);
  for (DimExprAttr dim : dims)
    result = result * dim;
  return result;
}

//===----------------------------------------------------------------------------------------------===//
// Other dims, same elements
//===----------------------------------------------------------------------------------------------===//

/// What -1 stands for: the elements that are left when all other dims have their share. Dims that stand on
/// both sides are left out of the division first, so that `[batch, seq, 64]` to `[batch, seq, -1]` gives 64
/// whatever they are.
static std::optional<DimExprAttr> divideRest(NodeContext &node, Dims from, Dims to) {
  for (auto it = to.begin(); it != to.end();) {
    auto same = llvm::find(from, *it);
    if (same != from.end() && !it->isConstant()) {
      from.erase(same);
      it = to.erase(it);
    } else {
      ++it;
    }
  }
  DimExprAttr total = product(node, from), known = product(node, to);
  if (known.isConstant(0)) {
    (void)node.fail("the dim -1 cannot be told: another dim is 0");
    return std::nullopt;
  }
  if (std::optional<DimExprAttr> exact = total.exactDiv(known))
    return exact;
  if (total.isConstant() && known.isConstant()) {
    (void)node.fail("cannot reshape " + Twine(*total.getConstant()) + " elements to a multiple of " +
                    Twine(*known.getConstant()));
    return std::nullopt;
  }
  // The requirement of tfc.reshape checks that nothing is left over.
  return total.floorDiv(known);
}

/// A target shape that is data, with the meaning of 0 and -1 put in place: lengths that may be bound. Two
/// entries of -1 leave one negative, which ends the run.
static Value resolveTarget(NodeContext &node, Value x, Value target, bool allowZero) {
  VectorMath m{node};
  std::optional<int64_t> count = getRank(target) == 1 ? getDim(target, 0).getConstant() : std::nullopt;
  if (!count || *count == 0)
    return target;
  target = m.wide(target);
  if (!allowZero) {
    // A 0 beyond the operand's rank stays one.
    Dims copied = getDims(x);
    copied.resize(*count, node.dim(0));
    target = m.select(m.equal(target, m.number(0)), node.dimValues(copied), target);
  }
  Value isOpen = m.equal(target, m.number(-1));
  Value known = node.reduce(ReduceKind::Prod, m.select(isOpen, m.number(1), target), 0, /*keepDims=*/false);
  Value rest = m.div(node.dimValues(getElementCount(x.getType()), /*isScalar=*/true), known);
  Value isOnly = m.equal(m.sum(m.wide(isOpen), 0), m.number(1));
  return m.select(node.build<AndOp>({isOpen, isOnly}), rest, target);
}

static LogicalResult importReshape(NodeContext &node) {
  Value x = node.getInput(0), shape = node.getInput(1);
  bool allowZero = node.getInt("allowzero", 0) != 0, isResolved = isData(shape);
  if (isResolved)
    shape = resolveTarget(node, x, shape, allowZero);
  std::optional<Dims> target = node.getSizes(shape, "the target shape");
  if (!target)
    return failure();
  if (isResolved)
    return node.finish(node.reshape(x, *target));
  Dims from = getDims(x);
  std::optional<size_t> open;
  for (auto [i, dim] : llvm::enumerate(*target)) {
    std::optional<int64_t> constant = dim.getConstant();
    if (constant && *constant < -1)
      return node.fail("the target shape has a dim of " + Twine(*constant));
    if (constant == -1 && open)
      return node.fail("the target shape has -1 twice");
    if (constant == -1)
      open = i;
    if (constant == 0 && !allowZero) {
      if (i >= from.size())
        return node.fail("the target shape copies dim " + Twine(i) + " of a tensor of rank " +
                         Twine(from.size()));
      dim = from[i];
    }
  }
  if (open) {
    Dims others = *target;
    others.erase(others.begin() + *open);
    std::optional<DimExprAttr> rest = divideRest(node, from, others);
    if (!rest)
      return failure();
    (*target)[*open] = *rest;
  }
  return node.finish(node.reshape(x, *target));
}

static LogicalResult importFlatten(NodeContext &node) {
  Value x = node.getInput(0);
  Dims dims = getDims(x);
  int64_t axis = node.getInt("axis", 1), rank = dims.size();
  if (axis < -rank || axis > rank)
    return node.fail("axis " + Twine(axis) + " is outside a tensor of rank " + Twine(rank));
  if (axis < 0)
    axis += rank;
  ArrayRef<DimExprAttr> all(dims);
  return node.finish(
      node.reshape(x, {product(node, all.take_front(axis)), product(node, all.drop_front(axis))}));
}

/// Axes are an attribute below opset 13, an input from there on. Nullopt where there are none; the node may
/// have failed.
static std::optional<SmallVector<int64_t>> getSqueezeAxes(NodeContext &node) {
  if (node.opset < 13)
    return node.getInts("axes");
  if (!node.hasInput(1))
    return std::nullopt;
  return node.getConstantInts(node.getInput(1), "axes");
}

static bool hasRuntimeAxes(NodeContext &node) {
  return node.opset >= 13 && node.hasInput(1) && isData(node.getInput(1));
}

static LogicalResult reshapeToData(NodeContext &node, Value x, Value target) {
  std::optional<Dims> dims = node.getSizes(target, "the dims");
  return dims ? node.finish(node.reshape(x, *dims)) : failure();
}

/// Entry j of the result's dims is 1 where an axis names it, else the operand's next dim.
static LogicalResult importRuntimeUnsqueeze(NodeContext &node, Dims dims) {
  VectorMath m{node};
  Value x = node.getInput(0), given = node.getInput(1);
  std::optional<int64_t> count = getElementCount(given.getType()).getConstant();
  if (!count || *count > maxRank)
    return node.fail("how many axes there are must be known");
  RuntimeAxes axes(node, given, dims.size() + *count);
  Value isOld = node.build<NotOp>(axes.getFlags());
  Value place = node.build<CumSumOp>(m.wide(isOld),
                                     {node.attribute("axis", int64_t(0)), node.flag("exclusive")});
  dims.push_back(node.dim(1));
  Value old = node.build<GatherOp>({node.dimValues(dims), place}, node.attribute("axis", int64_t(0)));
  return reshapeToData(node, x, m.select(isOld, old, m.number(1)));
}

static LogicalResult importSqueeze(NodeContext &node) {
  Value x = node.getInput(0);
  Dims dims = getDims(x);
  if (hasRuntimeAxes(node)) {
    RuntimeAxes axes(node, node.getInput(1), dims.size());
    Value kept = node.build<NotOp>(axes.getFlags());
    return reshapeToData(
        node, x, compact(node, node.dimValues(dims), kept, int64_t(dims.size()) - axes.getCount()));
  }
  std::optional<SmallVector<int64_t>> axes = getSqueezeAxes(node);
  if (node.hasFailed())
    return failure();
  if (axes)
    axes = node.normalizeAxes(*axes, dims.size());
  if (node.hasFailed())
    return failure();
  Dims result;
  for (auto [i, dim] : llvm::enumerate(dims)) {
    bool named = axes && llvm::is_contained(*axes, static_cast<int64_t>(i));
    if (named && dim.isConstant() && !dim.isConstant(1))
      return node.fail("dim " + Twine(i) + " is " + dim.str() + ", only dims of 1 can be squeezed");
    if (axes ? !named : !dim.isConstant(1))
      result.push_back(dim);
  }
  return node.finish(node.reshape(x, result));
}

static LogicalResult importUnsqueeze(NodeContext &node) {
  Value x = node.getInput(0);
  Dims dims = getDims(x);
  if (hasRuntimeAxes(node))
    return importRuntimeUnsqueeze(node, dims);
  std::optional<SmallVector<int64_t>> axes = getSqueezeAxes(node);
  if (node.hasFailed())
    return failure();
  if (!axes)
    return node.fail("axes are missing");
  axes = node.normalizeAxes(*axes, dims.size() + axes->size());
  if (!axes)
    return failure();
  for (int64_t axis : *axes)
    dims.insert(dims.begin() + axis, node.dim(1));
  return node.finish(node.reshape(x, dims));
}

//===----------------------------------------------------------------------------------------------===//
// Transpose and concat
//===----------------------------------------------------------------------------------------------===//

static LogicalResult importTranspose(NodeContext &node) {
  Value x = node.getInput(0);
  std::optional<SmallVector<int64_t>> permutation = node.getInts("perm");
  if (!permutation) {
    permutation.emplace();
    for (int64_t i = getRank(x); i > 0; --i)
      permutation->push_back(i - 1);
  }
  if (static_cast<int64_t>(permutation->size()) != getRank(x))
    return node.fail("perm has " + Twine(permutation->size()) + " entries for a tensor of rank " +
                     Twine(getRank(x)));
  return node.finish(node.transpose(x, *permutation));
}

static LogicalResult importConcat(NodeContext &node) {
  if (!node.hasAttribute("axis") && node.opset >= 4)
    return node.fail("attribute 'axis' is missing");
  std::optional<int64_t> axis = node.normalizeAxis(node.getInt("axis", 1), getRank(node.getInput(0)));
  if (!axis || node.hasFailed())
    return failure();
  return node.finish(node.build<ConcatOp>(node.getInputs(), node.attribute("axis", *axis)));
}

//===----------------------------------------------------------------------------------------------===//
// Repeating
//===----------------------------------------------------------------------------------------------===//

static LogicalResult importExpand(NodeContext &node) {
  Value x = node.getInput(0);
  std::optional<Dims> target = node.getSizes(node.getInput(1), "the target shape");
  if (!target)
    return failure();
  for (DimExprAttr dim : *target)
    if (dim.getConstant().value_or(0) < 0)
      return node.fail("the target shape has a dim of " + dim.str());
  FailureOr<Dims> dims = broadcastDims({getDims(x), *target});
  if (failed(dims))
    return node.fail("the operand's shape does not broadcast to the target shape");
  return node.finish(node.expand(x, *dims));
}

static LogicalResult importTile(NodeContext &node) {
  Value x = node.getInput(0);
  std::optional<Dims> repeats = node.getSizes(node.getInput(1), "repeats");
  if (!repeats)
    return failure();
  Dims dims = getDims(x);
  if (repeats->size() != dims.size())
    return node.fail("repeats has " + Twine(repeats->size()) + " entries for a tensor of rank " +
                     Twine(dims.size()));
  for (auto [dim, repeat] : llvm::zip_equal(dims, *repeats)) {
    if (repeat.getConstant().value_or(0) < 0)
      return node.fail("repeats has a negative entry");
    dim = dim * repeat;
  }
  RankedTensorType type = node.tensorType(dims, getElementType(x));
  if (!type || type == x.getType())
    return node.finish(type ? x : Value());
  return node.finish(node.build<TileOp>(x, {}, type));
}

//===----------------------------------------------------------------------------------------------===//
// Pad
//===----------------------------------------------------------------------------------------------===//

/// What stands before and after each dim: an attribute below opset 11, an input (for some axes from 18) from
/// there on.
static std::optional<Dims> getPads(NodeContext &node, int64_t rank) {
  Dims given;
  if (node.opset < 11) {
    std::optional<SmallVector<int64_t>> pads = node.getInts("pads");
    if (!pads) {
      (void)node.fail("attribute 'pads' is missing");
      return std::nullopt;
    }
    for (int64_t pad : *pads)
      given.push_back(node.dim(pad));
  } else {
    std::optional<Dims> pads = node.getSizes(node.getInput(1), "pads");
    if (!pads)
      return std::nullopt;
    given = *pads;
  }
  SmallVector<int64_t> axes = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  if (node.hasInput(3)) {
    std::optional<SmallVector<int64_t>> named = node.getConstantInts(node.getInput(3), "axes");
    // Their order matters here: pads come in it.
    if (!named || !node.normalizeAxes(*named, rank))
      return std::nullopt;
    axes = *named;
  }
  if (given.size() != 2 * axes.size()) {
    (void)node.fail("pads has " + Twine(given.size()) + " entries, not two for each of " +
                    Twine(axes.size()) + " axes");
    return std::nullopt;
  }
  Dims pads(2 * rank, node.dim(0));
  for (auto [i, axis] : llvm::enumerate(axes)) {
    int64_t at = axis < 0 ? axis + rank : axis;
    pads[at] = given[i];
    pads[at + rank] = given[i + axes.size()];
  }
  return pads;
}

/// Pads or axes that are data. A pad may be negative, which no symbol is: bound are how many elements of the
/// dim and the pad before it there are together, and the length of the result.
static std::optional<Dims> getRuntimePads(NodeContext &node, ArrayRef<DimExprAttr> dims) {
  VectorMath m{node};
  int64_t rank = dims.size();
  RuntimeAxes axes(node, node.getInput(3), rank);
  Value pads = m.wide(node.getInput(1));
  if (axes.getCount() < 0 || getRank(pads) != 1 || !getDim(pads, 0).isConstant(2 * axes.getCount())) {
    (void)node.fail("pads must have two entries for each axis");
    return std::nullopt;
  }
  DimExprAttr count = node.dim(axes.getCount());
  Value low = axes.spread(node.sliceAxis(pads, 0, node.dim(0), count), 0);
  Value high = axes.spread(node.sliceAxis(pads, 0, count, count), 0);
  Value withLow = m.add(low, node.dimValues(dims));
  std::optional<Dims> upTo = node.getSizes(withLow, "pads"),
                      lengths = node.getSizes(m.add(withLow, high), "pads");
  if (!upTo || !lengths)
    return std::nullopt;
  Dims result;
  for (int64_t i = 0; i < rank; ++i)
    result.push_back((*upTo)[i] - dims[i]);
  for (int64_t i = 0; i < rank; ++i)
    result.push_back((*lengths)[i] - (*upTo)[i]);
  return result;
}

static LogicalResult importPad(NodeContext &node) {
  Value x = node.getInput(0);
  Dims dims = getDims(x);
  int64_t rank = dims.size();
  bool isRuntime = node.opset >= 11 && (isData(node.getInput(1)) || isData(node.getInput(3)));
  std::optional<Dims> pads = isRuntime ? getRuntimePads(node, dims) : getPads(node, rank);
  if (!pads)
    return failure();
  std::string mode = node.getString("mode").value_or("constant");
  if (mode != "constant" && mode != "edge" && mode != "reflect" && mode != "wrap")
    return node.fail("mode must be 'constant', 'edge', 'reflect' or 'wrap'");
  Value value;
  if (mode == "constant" && node.opset < 11)
    value = node.scalar(node.getFloat("value", 0.0), getElementType(x));
  else if (mode == "constant" && node.hasInput(2))
    value = node.toScalar(node.getInput(2), "constant_value");
  for (int64_t i = 0; i < rank; ++i) {
    dims[i] = dims[i] + (*pads)[i] + (*pads)[i + rank];
    if (dims[i].getConstant().value_or(0) < 0)
      return node.fail("pads cut more than all of dim " + Twine(i));
  }
  RankedTensorType type = node.tensorType(dims, getElementType(x));
  if (!type || node.hasFailed())
    return failure();
  SmallVector<Value> operands = {x};
  if (value)
    operands.push_back(value);
  ArrayRef<DimExprAttr> low = ArrayRef<DimExprAttr>(*pads).take_front(rank);
  Attribute modeAttribute = node.builder.getStringAttr(mode);
  return node.finish(
      node.build<PadOp>(operands, {node.attribute("low", low), node.attribute("mode", modeAttribute)}, type));
}

//===----------------------------------------------------------------------------------------------===//
// Triangles
//===----------------------------------------------------------------------------------------------===//

static LogicalResult importTrilu(NodeContext &node) {
  DimExprAttr k = node.dim(0);
  if (node.hasInput(1) && isData(node.getInput(1)) && getRank(node.getInput(0)) >= 2) {
    // k may be negative. What lies beyond the matrix makes no difference, so k + rows is bound, clamped.
    VectorMath m{node};
    Dims dims = getDims(node.getInput(0));
    DimExprAttr columns = dims.back(), rows = dims[dims.size() - 2];
    auto number = [&](DimExprAttr size) { return node.dimValues(size, /*isScalar=*/true); };
    Value given = m.clamp(m.wide(node.toScalar(node.getInput(1), "k")), number(rows * -1), number(columns));
    std::optional<DimExprAttr> shifted = node.getSize(m.add(given, number(rows)), "k");
    if (!shifted)
      return failure();
    k = *shifted - rows;
  } else if (node.hasInput(1)) {
    std::optional<DimExprAttr> given = node.getSize(node.getInput(1), "k");
    if (!given)
      return failure();
    k = *given;
  }
  SmallVector<NamedAttribute> attributes = {node.attribute("k", Attribute(k))};
  if (node.getInt("upper", 1) != 0)
    attributes.push_back(node.flag("upper"));
  return node.finish(node.build<TriluOp>(node.getInput(0), attributes));
}

void mlir::tfc::onnx_import::addDataMovementOps(OpTable &table) {
  table.add("Reshape", importReshape, 2, 2, 5);
  table.add("Flatten", importFlatten, 1, 1);
  table.add("Squeeze", importSqueeze, 1, 2);
  table.add("Unsqueeze", importUnsqueeze, 1, 2);
  table.add("Transpose", importTranspose, 1, 1);
  table.add("Concat", importConcat, 1, anyNumber);
  table.add("Expand", importExpand, 2, 2);
  table.add("Tile", importTile, 2, 2, 6);
  table.add("Pad", importPad, 1, 4, 2);
  table.add("Trilu", importTrilu, 1, 2);
}
