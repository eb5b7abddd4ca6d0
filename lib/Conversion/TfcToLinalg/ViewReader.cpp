//===- ViewReader.cpp - Reading elements of what views make of tensors -----------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "ViewReader.h"
#include "EmitScalar.h"

#include "tfc/Conversion/TfcToLinalg/DimArithmetic.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::tfc;
using arith::CmpIPredicate;

static Type elementTypeOf(Value value) { return cast<RankedTensorType>(value.getType()).getElementType(); }

/// The dims of both types that are not the same at the beginning and at the end: [first, source.size() -
/// last) of the source.
static std::pair<size_t, size_t> commonEnds(ArrayRef<DimExprAttr> source, ArrayRef<DimExprAttr> result) {
  size_t first = 0, last = 0, shorter = std::min(source.size(), result.size());
  while (first < shorter && source[first] == result[first])
    ++first;
  while (last < shorter - first && source[source.size() - 1 - last] == result[result.size() - 1 - last])
    ++last;
  return {first, last};
}

ViewReader::ViewReader(ConversionPatternRewriter &rewriter, Location loc, Value value)
    : loc(loc), value(value) {
  collect(rewriter, value);
}

void ViewReader::collect(ConversionPatternRewriter &rewriter, Value view) {
  auto need = [&](DimExprAttr expr) {
    Value &known = dims[expr];
    if (!known)
      known = materializeDim(rewriter, loc, expr);
  };
  Operation *op = view.getDefiningOp();
  if (isa_and_nonnull<TransposeOp>(op)) {
    collect(rewriter, op->getOperand(0));
  } else if (auto slice = dyn_cast_if_present<SliceOp>(op)) {
    for (DimExprAttr offset : slice.getOffsets().getAsRange<DimExprAttr>())
      need(offset);
    collect(rewriter, slice.getX());
  } else if (auto reshape = dyn_cast_if_present<ReshapeOp>(op)) {
    for (DimExprAttr dim : llvm::concat<DimExprAttr>(getDims(reshape.getX()), getDims(reshape.getType())))
      need(dim);
    collect(rewriter, reshape.getX());
  } else if (auto concat = dyn_cast_if_present<ConcatOp>(op)) {
    for (Value input : concat.getInputs()) {
      need(getDim(input, concat.getAxis()));
      collect(rewriter, input);
    }
  } else {
    sources[view] = rewriter.getRemappedValue(view);
  }
}

Value ViewReader::read(OpBuilder &body, Value view, ArrayRef<Value> indices) const {
  if (Value source = sources.lookup(view))
    return readElement(body, loc, source, indices, elementTypeOf(view));
  Operation *op = view.getDefiningOp();
  ScalarEmitter e(body, loc);
  if (auto transpose = dyn_cast<TransposeOp>(op)) {
    SmallVector<Value> from(indices.size());
    for (auto [index, dim] : llvm::zip_equal(indices, transpose.getPermutation()))
      from[dim] = index;
    return read(body, transpose.getX(), from);
  }
  if (auto slice = dyn_cast<SliceOp>(op)) {
    SmallVector<Value> from;
    for (auto [index, offset, step] :
         llvm::zip_equal(indices, slice.getOffsets().getAsRange<DimExprAttr>(), slice.getStrides()))
      from.push_back(
          e.create<arith::AddIOp>(dim(offset), e.create<arith::MulIOp>(index, e.like(index, step))));
    return read(body, slice.getX(), from);
  }
  if (auto reshape = dyn_cast<ReshapeOp>(op))
    return read(body, reshape.getX(), indicesBeforeReshape(body, reshape, indices));
  return readConcat(body, cast<ConcatOp>(op), 0, SmallVector<Value>(indices));
}

/// Which operand an element comes from is a chain of scf.if on the index along the axis; LLVM moves it out of
/// the inner loops when the axis is not the last dim.
Value ViewReader::readConcat(OpBuilder &body, ConcatOp concat, size_t first,
                             SmallVector<Value> indices) const {
  Value input = concat.getInputs()[first];
  if (first + 1 == concat.getInputs().size())
    return read(body, input, indices);
  Value length = dim(getDim(input, concat.getAxis())), &index = indices[concat.getAxis()];
  Value isHere = ScalarEmitter(body, loc).compare(CmpIPredicate::slt, index, length);
  auto choice = scf::IfOp::create(
      body, loc, isHere,
      [&](OpBuilder &b, Location) { scf::YieldOp::create(b, loc, read(b, input, indices)); },
      [&](OpBuilder &b, Location) {
        SmallVector<Value> rest = indices;
        rest[concat.getAxis()] = arith::SubIOp::create(b, loc, index, length);
        scf::YieldOp::create(b, loc, readConcat(b, concat, first + 1, rest));
      });
  return choice.getResult(0);
}

/// The dims that differ are counted through; those that are the same before and behind them keep their
/// indices.
SmallVector<Value> ViewReader::indicesBeforeReshape(OpBuilder &body, ReshapeOp reshape,
                                                    ArrayRef<Value> indices) const {
  ScalarEmitter e(body, loc);
  SmallVector<DimExprAttr> from = getDims(reshape.getX()), to = getDims(reshape.getType());
  auto [first, last] = commonEnds(from, to);
  SmallVector<Value> result(from.size());
  llvm::copy(indices.take_front(first), result.begin());
  llvm::copy(indices.take_back(last), result.end() - last);
  Value place = arith::ConstantIndexOp::create(body, loc, 0);
  for (size_t i = first; i < to.size() - last; ++i)
    place = e.create<arith::AddIOp>(e.create<arith::MulIOp>(place, dim(to[i])), indices[i]);
  for (size_t i = from.size() - last; i-- > first;) {
    // Nothing is read where a dim is 0; the 1 keeps a hoisted division from trapping.
    Value size = e.create<arith::MaxSIOp>(dim(from[i]), e.like(place, 1));
    result[i] = i == first ? place : e.create<arith::RemUIOp>(place, size);
    place = e.create<arith::DivUIOp>(place, size);
  }
  return result;
}
