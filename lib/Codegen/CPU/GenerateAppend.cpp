//===- GenerateAppend.cpp - Rows that are written behind others -----------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// A kernel that tfc-grow-in-place has found, `y = concat(past, new)`, becomes
//
//   for each tile = one place along the dims in front of the axis
//     for row in [0, moved rows)   y[row] = past[row]
//     for row in [0, new rows)     y[past rows + row] = new[row]
//
// Where past and y share a buffer no row is moved, so that nothing is read through one pointer and written
// through the other, and `noalias` holds.
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Codegen/Loops/KernelFrame.h"
#include "StridedView.h"
#include "VectorEmitter.h"
#include "tfc/Codegen/CPU/Passes.h"
#include "tfc/Codegen/Common/InPlace.h"
#include "tfc/Conversion/TfcToLinalg/ElementTypes.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace mlir::tfc {
#define GEN_PASS_DEF_GENERATEAPPEND
#include "tfc/Codegen/CPU/Passes.h.inc"
} // namespace mlir::tfc

using namespace mlir;
using namespace mlir::tfc;

namespace {
struct Append {
  StridedView past, rows, made;
  int64_t axis;
  DimExprAttr moved;
  Type element;
  Location loc;
};

/// A view whose offset is a value, in the middle of the dims.
struct Place {
  Value buffer, offset;
  const StridedView *view;
};

class AppendEmitter {
public:
  AppendEmitter(OpBuilder &builder, KernelFrame frame, const Append &problem)
      : frame(frame), p(problem), e(builder, problem.loc, /*lanes=*/8) {}

  DimExprAttr tileCount() {
    DimExprAttr count = DimExprAttr::constant(p.moved.getContext(), 1);
    for (DimExprAttr dim : ArrayRef(p.made.dims).take_front(p.axis))
      count = count * dim;
    return count;
  }

  void emit() {
    Place past = open(p.past), rows = open(p.rows), made = open(p.made);
    Value pastRows = number(p.past.dims[p.axis]), madeStride = number(p.made.strides[p.axis]);
    e.loop(frame.begin(), frame.end(), 1, [&](Value tile) {
      SmallVector<Value> indices = splitTile(tile);
      Place to = at(made, indices), behind = to;
      behind.offset = e.add(behind.offset, e.mul(pastRows, madeStride));
      copyRows(at(past, indices), to, number(p.moved));
      copyRows(at(rows, indices), behind, number(p.rows.dims[p.axis]));
    });
  }

private:
  Value number(DimExprAttr expr) {
    if (auto constant = expr.getConstant())
      return e.index(*constant);
    return DimOp::create(e.b, e.loc, e.b.getIndexType(), expr);
  }
  Place open(const StridedView &view) {
    return {e.bufferOf(frame.pointer(view.pointer), p.element), number(view.offset), &view};
  }

  SmallVector<Value> splitTile(Value tile) {
    SmallVector<Value> indices(p.axis);
    for (int64_t d = p.axis; d-- > 0;) {
      Value size = number(p.made.dims[d]);
      indices[d] = d ? e.rem(tile, size) : tile;
      tile = d ? e.div(tile, size) : tile;
    }
    return indices;
  }

  Place at(Place place, ArrayRef<Value> indices) {
    for (auto [d, index] : llvm::enumerate(indices))
      place.offset = e.add(place.offset, e.mul(index, number(place.view->strides[d])));
    return place;
  }

  void copyRows(Place from, Place to, Value count) {
    e.loop(e.index(0), count, 1, [&](Value row) { copyDims(step(from, p.axis, row), step(to, p.axis, row), p.axis + 1); });
  }
  Place step(Place place, int64_t dim, Value index) {
    place.offset = e.add(place.offset, e.mul(index, number(place.view->strides[dim])));
    return place;
  }
  void copyDims(Place from, Place to, int64_t dim) {
    if (dim == int64_t(p.made.dims.size()))
      return e.storeScalar(e.loadScalar(from.buffer, from.offset), to.buffer, to.offset);
    e.loop(e.index(0), number(p.made.dims[dim]), 1,
           [&](Value index) { copyDims(step(from, dim, index), step(to, dim, index), dim + 1); });
  }

  KernelFrame frame;
  const Append &p;
  VectorEmitter e;
};
} // namespace

static std::optional<Append> matchAppend(KernelFrame frame) {
  auto moved = frame.kernel->getAttrOfType<DimExprAttr>(kMovedRowsAttr);
  std::optional<KernelFrame::Result> stored = frame.singleResult();
  auto concat = moved && stored ? stored->tensor.getDefiningOp<ConcatOp>() : ConcatOp();
  if (!concat || concat.getInputs().size() != 2)
    return std::nullopt;
  auto past = viewOfOperand(concat.getInputs()[0]), rows = viewOfOperand(concat.getInputs()[1]);
  auto made = viewOfResult(concat.getY(), stored->tensor, stored->pointer);
  Type element = getMemoryType(cast<RankedTensorType>(concat.getY().getType()).getElementType());
  if (!past || !rows || !made || !element)
    return std::nullopt;
  return Append{*past, *rows, *made, int64_t(concat.getAxis()), moved, element, concat.getLoc()};
}

namespace {
struct GenerateAppend : mlir::tfc::impl::GenerateAppendBase<GenerateAppend> {
  void runOnOperation() override {
    FailureOr<SmallVector<KernelFrame>> frames = collectKernels(getOperation());
    if (failed(frames))
      return signalPassFailure();
    for (KernelFrame frame : *frames) {
      std::optional<Append> problem = frame.isPlain() ? std::nullopt : matchAppend(frame);
      if (!problem)
        continue;
      LogicalResult replaced = frame.replaceBody([&](OpBuilder &builder) {
        AppendEmitter emitter(builder, frame, *problem);
        frame.setTiles(emitter.tileCount());
        emitter.emit();
        return success();
      });
      if (failed(replaced))
        return signalPassFailure();
    }
  }
};
} // namespace
