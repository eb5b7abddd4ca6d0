//===- AttentionOperands.cpp - What the loops of attention read and write -------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "AttentionOperands.h"

#include "tfc/Dialect/Tfc/IR/Broadcast.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::tfc;

Value mlir::tfc::dimValue(VectorEmitter &e, DimExprAttr expr) {
  if (auto constant = expr.getConstant())
    return e.index(*constant);
  return DimOp::create(e.b, e.loc, e.b.getIndexType(), expr);
}

static AttentionOperand openView(VectorEmitter &e, KernelFrame frame, const StridedView &view, Type element = {}) {
  AttentionOperand operand{e.bufferOf(frame.pointer(view.pointer), element ? element : e.b.getF32Type()), dimValue(e, view.offset), {}};
  for (DimExprAttr stride : view.strides)
    operand.strides.push_back(dimValue(e, stride));
  return operand;
}

/// A dim of 1 is read again and again.
static ScoreOperand openScores(VectorEmitter &e, KernelFrame frame, const StridedView &view, bool isMask,
                               ArrayRef<DimExprAttr> scoreDims, bool mayJoinHeads) {
  ScoreOperand operand;
  operand.buffer = e.bufferOf(frame.pointer(view.pointer), isMask ? Type(e.b.getI8Type()) : e.b.getF32Type());
  operand.base = dimValue(e, view.offset);
  operand.strides.assign(4, e.index(0));
  operand.isMask = isMask;
  for (size_t i = 0, missing = 4 - view.dims.size(); i < view.dims.size(); ++i) {
    BroadcastRelation relation = relateBroadcast(view.dims[i], scoreDims[missing + i]);
    if (relation == BroadcastRelation::One)
      continue;
    Value stride = dimValue(e, view.strides[i]);
    if (relation == BroadcastRelation::Unknown)
      stride = e.select(e.equal(dimValue(e, view.dims[i]), e.index(1)), e.index(0), stride);
    operand.strides[missing + i] = stride;
    operand.perQuery |= missing + i == 2 || (missing + i == 1 && mayJoinHeads);
  }
  return operand;
}

/// Far beyond any number of keys, and far from the ends of i64.
static constexpr int64_t kFar = int64_t(1) << 60;

static Value clamp(VectorEmitter &e, Value x, Value least, Value most) {
  return e.max(e.min(x, most), least);
}

/// Scores this far below the greatest one have exponentials of 0.
static constexpr float kVanishing = 105;

Value mlir::tfc::isAllowedNone(VectorEmitter &e, const Attention &p, Value greatestScores) {
  return e.compare(arith::CmpFPredicate::OLE, greatestScores, e.splat(p.fill + kVanishing));
}

DimExprAttr Attention::joinsHeads() const {
  MLIRContext *context = query.offset.getContext();
  auto most = DimExprAttr::constant(context, ::tfc::DecodeSplit::kMostRows);
  return most.floorDiv(query.dims[2] * group()).min(DimExprAttr::constant(context, 1));
}

bool Attention::skipsKeys() const {
  // A bias behind the mask can make the score of any key the greatest; only the lowest number swallows
  // whatever is added to it.
  return hasBounds() && (maskedRow != MaskedRowKind::Biased || fill <= std::numeric_limits<float>::lowest());
}

AttentionOperands AttentionOperands::open(VectorEmitter &e, KernelFrame frame, const Attention &p) {
  AttentionOperands operands;
  operands.queries = operands.rows = dimValue(e, p.query.dims[2]);
  operands.keys = dimValue(e, p.key.dims[2]);
  operands.mayJoinHeads = p.group() > 1;
  if (p.partCount)
    operands.partCount = dimValue(e, p.partCount);
  if (p.parts)
    operands.parts = openView(e, frame, *p.parts);
  operands.query = openView(e, frame, p.query, p.elements[0]);
  operands.key = openView(e, frame, p.key, p.elements[1]);
  operands.value = openView(e, frame, p.value, p.elements[2]);
  operands.output = openView(e, frame, p.output);
  if (p.lengths) {
    operands.lengths = {
        e.bufferOf(frame.pointer(p.lengths->pointer), p.lengthType), dimValue(e, p.lengths->offset), {}};
    operands.lengths.strides.push_back(dimValue(e, p.lengths->strides[0]));
  }
  DimExprAttr scoreDims[] = {p.query.dims[0], p.query.dims[1], p.query.dims[2], p.key.dims[2]};
  if (p.bias)
    operands.scores.push_back(
        openScores(e, frame, *p.bias, /*isMask=*/false, scoreDims, operands.mayJoinHeads));
  if (p.mask)
    operands.scores.push_back(
        openScores(e, frame, *p.mask, /*isMask=*/true, scoreDims, operands.mayJoinHeads));
  return operands;
}

AttentionOperands AttentionOperands::at(VectorEmitter &e, const Attention &p, Value batch, Value head,
                                        Value heads) const {
  AttentionOperands result = *this;
  result.rows = e.mul(queries, heads);
  Value counted = keys;
  if (p.lengths) {
    counted = e.loadScalar(lengths.buffer, e.add(lengths.base, e.mul(batch, lengths.strides[0])));
    if (!counted.getType().isIndex())
      counted = arith::IndexCastOp::create(e.b, e.loc, e.b.getIndexType(), counted);
    counted = clamp(e, counted, e.index(-kFar), e.index(kFar));
  }
  result.length = p.lengths ? clamp(e, counted, e.index(0), keys) : keys;
  // The queries stand at the end of the keys that count.
  Value place = e.sub(counted, queries);
  if (p.windowLeft)
    result.low = e.sub(place, e.index(std::min(*p.windowLeft, kFar)));
  if (p.windowRight)
    result.high = e.add(place, e.index(std::min(*p.windowRight, kFar)));
  auto enter = [&](AttentionOperand &operand, Value ownHead) {
    Value place = e.add(e.mul(batch, operand.strides[0]), e.mul(ownHead, operand.strides[1]));
    operand.base = e.add(operand.base, place);
  };
  Value keyHead = e.div(head, e.index(p.group()));
  enter(result.query, head);
  enter(result.key, keyHead);
  enter(result.value, keyHead);
  enter(result.output, head);
  if (p.parts)
    enter(result.parts, head);
  for (ScoreOperand &operand : result.scores)
    enter(operand, head);
  return result;
}

AttentionOperands AttentionOperands::atPart(VectorEmitter &e, const Attention &p, Value part) const {
  AttentionOperands result = *this;
  result.partFrom = e.mul(part, ::tfc::DecodeSplit::kPartKeys);
  result.partTo = e.min(e.add(result.partFrom, ::tfc::DecodeSplit::kPartKeys), keys);
  result.output.base = e.add(output.base, e.mul(part, p.partSize()));
  return result;
}

Value AttentionOperands::beginOf(VectorEmitter &e, const AttentionOperand &operand, Value row) const {
  if (!mayJoinHeads)
    return operand.row(e, row);
  return e.add(operand.row(e, e.rem(row, queries)), e.mul(e.div(row, queries), operand.strides[1]));
}

AttentionOperands::KeyRange AttentionOperands::visibleKeys(VectorEmitter &e, Value first, Value last) const {
  Value to = length;
  if (high)
    to = clamp(e, e.add(e.add(last, high), 1), e.index(0), length);
  return {low ? clamp(e, e.add(first, low), e.index(0), to) : e.index(0), to};
}

SmallVector<Value>
mlir::tfc::emitKeyRanges(VectorEmitter &e, const Attention &p, const AttentionOperands &o, Value first,
                         Value last, SmallVector<Value> carried,
                         function_ref<Value(ValueRange)> isAnyAllowedNone,
                         function_ref<SmallVector<Value>(AttentionOperands::KeyRange, ValueRange)> body) {
  AttentionOperands::KeyRange visible{e.index(0), o.keys};
  if (p.skipsKeys())
    visible = o.visibleKeys(e, first, last);
  // What the other parts have of a query is known where they are combined.
  if (p.makesParts)
    return body({e.max(visible.from, o.partFrom), e.min(visible.to, o.partTo)}, carried);
  if (!p.countsSkippedKeys())
    return body(visible, carried);
  // Few models ever take the rounds behind the first. They go through the keys behind the visible ones, then
  // through those before.
  return e.loop(e.index(0), e.index(p.windowLeft ? 3 : 2), 1, carried, [&](Value round, ValueRange now) {
    Value isFirst = e.equal(round, e.index(0)), isSecond = e.equal(round, e.index(1));
    Value from = e.select(isFirst, visible.from, e.select(isSecond, visible.to, e.index(0)));
    Value to = e.select(isFirst, visible.to, e.select(isSecond, o.keys, visible.from));
    Value isNeeded = arith::OrIOp::create(e.b, e.loc, isFirst, isAnyAllowedNone(now));
    return body({from, e.select(isNeeded, to, from)}, now);
  });
}

/// 1 where an element of a mask is not 0.
static Value maskToNumber(VectorEmitter &e, Value element, Value one, Value zero) {
  Value none = arith::ConstantOp::create(e.b, e.loc, cast<TypedAttr>(e.b.getZeroAttr(element.getType())));
  Value holds = arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::ne, element, none);
  return arith::SelectOp::create(e.b, e.loc, holds, one, zero);
}

Value ScoreOperand::loadNumber(VectorEmitter &e, Value offset) const {
  Value element = e.loadScalar(buffer, offset);
  return isMask ? maskToNumber(e, element, e.scalar(1), e.scalar(0)) : element;
}

Value ScoreOperand::loadNumbers(VectorEmitter &e, Value offset) const {
  Type element = cast<MemRefType>(buffer.getType()).getElementType();
  Value row = vector::LoadOp::create(e.b, e.loc, VectorType::get({e.lanes}, element), buffer, offset);
  return isMask ? maskToNumber(e, row, e.splat(1), e.zeros()) : row;
}

Value mlir::tfc::finishScores(VectorEmitter &e, const Attention &p, Value scores, Value bias, Value allowed) {
  if (p.softcap) {
    Value cap = e.splat(*p.softcap);
    scores = e.mulf(math::TanhOp::create(e.b, e.loc, e.divf(scores, cap)), cap);
  }
  bool biasIsLast = p.maskedRow == MaskedRowKind::Biased;
  if (bias && !biasIsLast)
    scores = e.addf(scores, bias);
  if (allowed)
    scores = arith::SelectOp::create(e.b, e.loc, allowed, scores, e.splat(p.fill));
  return bias && biasIsLast ? e.addf(scores, bias) : scores;
}
