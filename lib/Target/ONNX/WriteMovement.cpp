//===- WriteMovement.cpp - Ops that move data as nodes ---------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "GraphWriter.h"

using namespace mlir;
using namespace mlir::tfc;
using namespace mlir::tfc::onnx_export;

/// The target as numbers where that is possible: 0 is the operand's own dim there, one dim may follow from the others.
static std::optional<SmallVector<int64_t>> getPlainTarget(ArrayRef<DimExprAttr> from, ArrayRef<DimExprAttr> to) {
  SmallVector<int64_t> target;
  bool isOpen = false, isPositive = true;
  for (auto [index, dim] : llvm::enumerate(to)) {
    if (dim.isConstant(0))
      return std::nullopt;
    if (dim.isConstant()) {
      target.push_back(*dim.getConstant());
    } else if (index < from.size() && from[index] == dim) {
      isPositive = false;
      target.push_back(0);
    } else if (!isOpen) {
      isOpen = true;
      target.push_back(-1);
    } else {
      return std::nullopt;
    }
  }
  // Nothing follows from a product that may be 0.
  return isOpen && !isPositive ? std::nullopt : std::optional(target);
}

void GraphWriter::writeReshape(ReshapeOp op) {
  SmallVector<DimExprAttr> from = getDims(op.getX()), to = getDims(op.getY());
  std::optional<SmallVector<int64_t>> target = getPlainTarget(from, to);
  if (target)
    return give(add("Reshape", {getName(op.getX()), makeInts(*target)}), op);
  give(add("Reshape", {getName(op.getX()), makeDims(to)}).set("allowzero", int64_t(1)), op);
}

void GraphWriter::writeSlice(SliceOp op) {
  SmallVector<DimExprAttr> from = getDims(op.getX()), to = getDims(op.getY());
  auto offsets = llvm::to_vector(op.getOffsets().getAsRange<DimExprAttr>());
  SmallVector<DimExprAttr> starts, ends;
  SmallVector<int64_t> axes, steps;
  for (auto [axis, offset, stride] : llvm::enumerate(offsets, op.getStrides())) {
    if (offset.isConstant(0) && stride == 1 && from[axis] == to[axis])
      continue;
    axes.push_back(axis);
    steps.push_back(stride);
    starts.push_back(offset);
    ends.push_back(offset + to[axis] * stride);
  }
  if (axes.empty())
    return give(add("Identity", {getName(op.getX())}), op);
  Name end = makeDims(ends);
  // Backwards an end in front of the first element is below zero, where ONNX counts from the end; far below it does not.
  if (llvm::any_of(steps, [](int64_t step) { return step < 0; })) {
    Name isBefore = make("Less", {end, makeInts({0})});
    end = make("Where", {isBefore, makeInts({std::numeric_limits<int64_t>::min() + 1}), end});
  }
  give(add("Slice", {getName(op.getX()), makeDims(starts), end, makeInts(axes), makeInts(steps)}), op);
}

void GraphWriter::writePad(PadOp op) {
  SmallVector<DimExprAttr> from = getDims(op.getX()), to = getDims(op.getY()), pads;
  llvm::append_range(pads, op.getLow().getAsRange<DimExprAttr>());
  for (size_t axis = 0; axis < from.size(); ++axis)
    pads.push_back(to[axis] - from[axis] - pads[axis]);
  std::vector<Name> inputs{getName(op.getX()), makeDims(pads)};
  if (op.getValue())
    inputs.push_back(getName(op.getValue()));
  give(add("Pad", inputs).set("mode", op.getMode()), op);
}

void GraphWriter::writeRange(RangeOp op) {
  Type type = getElementTypeOrSelf(op.getY());
  // Counted in integers: a limit in floats might give one element more or less.
  Name length = make("Reshape", {makeDim(getDim(op.getY(), 0)), makeInts({})});
  Name count = make("Range", {makeInts({0}, /*isScalar=*/true), length, makeInts({1}, /*isScalar=*/true)});
  if (!type.isInteger(64))
    count = makeCast(count, type);
  Name scaled = make("Mul", {count, getName(op.getStep())});
  give(add("Add", {scaled, getName(op.getStart())}), op);
}

void GraphWriter::writeEye(EyeOp op) {
  auto count = [&](int64_t axis, ArrayRef<int64_t> shape) {
    Name length = make("Reshape", {makeDim(getDim(op.getY(), axis)), makeInts({})});
    Name range = make("Range", {makeInts({0}, /*isScalar=*/true), length, makeInts({1}, /*isScalar=*/true)});
    return make("Reshape", {range, makeInts(shape)});
  };
  Name distance = make("Sub", {count(1, {1, -1}), count(0, {-1, 1})});
  Name isOne = make("Equal", {distance, makeDim(op.getK())});
  give(add("Cast", {isOne}).set("to", int64_t(*getElementNumber(getElementTypeOrSelf(op.getY())))), op);
}

bool GraphWriter::writeMovement(Operation *op) {
  auto names = [&] { return getNames(op->getOperands()); };
  return llvm::TypeSwitch<Operation *, bool>(op)
      .Case([&](WeightRefOp reference) { return this->names[reference] = state.getWeightName(reference.getWeight()), true; })
      .Case([&](ConstantOp constant) { return this->names[constant] = makeConstant(constant.getValue()), true; })
      // These come when somebody reads them: they may stand before what binds their symbols.
      .Case([&](DimValuesOp) { return true; })
      .Case([&](ShapeOp shape) {
        SmallVector<DimExprAttr> dims = getDims(shape.getX());
        return this->names[shape] = makeDims(ArrayRef(dims).slice(shape.getStart(), shape.getEnd() - shape.getStart())), true;
      })
      .Case([&](ReshapeOp reshape) { return writeReshape(reshape), true; })
      .Case([&](TransposeOp transpose) {
        return give(add("Transpose", names()).set("perm", transpose.getPermutation()), transpose), true;
      })
      .Case([&](ExpandOp expand) {
        return give(add("Expand", {getName(expand.getX()), makeDims(getDims(expand.getY()))}), expand), true;
      })
      .Case([&](SliceOp slice) { return writeSlice(slice), true; })
      .Case([&](ConcatOp concat) { return give(add("Concat", names()).set("axis", int64_t(concat.getAxis())), concat), true; })
      .Case([&](PadOp pad) { return writePad(pad), true; })
      .Case([&](TileOp tile) {
        SmallVector<DimExprAttr> repeats;
        for (auto [from, to] : llvm::zip_equal(getDims(tile.getX()), getDims(tile.getY())))
          repeats.push_back(to.exactDiv(from).value_or(to.floorDiv(from.max(DimExprAttr::constant(op->getContext(), 1)))));
        return give(add("Tile", {getName(tile.getX()), makeDims(repeats)}), tile), true;
      })
      .Case([&](GatherOp gather) { return give(add("Gather", names()).set("axis", int64_t(gather.getAxis())), gather), true; })
      .Case([&](GatherElementsOp gather) {
        return give(add("GatherElements", names()).set("axis", int64_t(gather.getAxis())), gather), true;
      })
      .Case([&](ScatterElementsOp scatter) {
        NodeMaker node = add("ScatterElements", names()).set("axis", int64_t(scatter.getAxis()));
        if (scatter.getKind() != ScatterKind::Set)
          node.set("reduction", stringifyScatterKind(scatter.getKind()));
        return give(node, scatter), true;
      })
      .Case([&](TriluOp trilu) {
        Name k = make("Reshape", {makeDim(trilu.getK()), makeInts({})});
        return give(add("Trilu", {getName(trilu.getX()), k}).set("upper", int64_t(trilu.getUpper())), trilu), true;
      })
      .Case([&](RangeOp range) { return writeRange(range), true; })
      .Case([&](EyeOp eye) { return writeEye(eye), true; })
      .Case([&](OneHotOp oneHot) {
        Name off = make("Reshape", {getName(oneHot.getOff()), makeInts({1})});
        Name on = make("Reshape", {getName(oneHot.getOn()), makeInts({1})});
        Name values = add("Concat", {off, on}).set("axis", int64_t(0)).output();
        Name depth = makeDim(getDim(oneHot.getY(), oneHot.getAxis()));
        return give(add("OneHot", {getName(oneHot.getIndices()), depth, values}).set("axis", int64_t(oneHot.getAxis())), oneHot), true;
      })
      .Case([&](NonzeroOp nonzero) { return give(add("NonZero", names()), nonzero), true; })
      .Default([](Operation *) { return false; });
}
