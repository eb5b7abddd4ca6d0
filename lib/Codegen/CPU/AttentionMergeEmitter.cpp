//===- AttentionMergeEmitter.cpp - Attention from parts of its keys -------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// A part has seen some of the keys: it knows the greatest score among them, and sums that are relative to it.
// With the greatest score of all parts,
//
//   weight = exp(a part's greatest score - the greatest of all)
//   output = sum over parts of weight * its sums of values / sum over parts of weight * its sum of
//   exponentials
//
// in the order of the parts. NaN comes through: it is in the sums of its part.
//
// A query that is allowed no key at all may have to count all of them. No part knows that it is alone in
// having found none, so such a row is left to be done again over all keys: few models ever have one.
//
//===----------------------------------------------------------------------------------------------===//

#include "AttentionMergeEmitter.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::tfc;

static constexpr float kLowest = std::numeric_limits<float>::lowest();

AttentionMergeEmitter::AttentionMergeEmitter(VectorEmitter &emitter, const Attention &problem,
                                             const ::tfc::AttentionSchedule &schedule,
                                             const AttentionOperands &operands)
    : e(emitter), p(problem), s(schedule), o(operands), valueDim(problem.problem().valueDim) {}

/// The body gets where a part begins.
Value AttentionMergeEmitter::loopOverParts(Value init, function_ref<Value(Value, Value)> body) {
  return e.loop(e.index(0), o.partCount, 1, init, [&](Value part, ValueRange carried) {
    return SmallVector<Value>{body(e.add(begin, e.mul(part, p.partSize())), carried[0])};
  })[0];
}

Value AttentionMergeEmitter::weightOf(Value part, Value max) {
  Value own = e.loadScalarToLanes(o.parts.buffer, e.add(part, valueDim));
  return e.expOfNonPositive(e.subf(own, max), s.useFma);
}

Value AttentionMergeEmitter::emit(Value row) {
  begin = o.beginOf(e, o.parts, row);
  Value max = loopOverParts(e.splat(kLowest), [&](Value part, Value carried) {
    return e.larger(carried, e.loadScalarToLanes(o.parts.buffer, e.add(part, valueDim)));
  });
  if (!p.countsSkippedKeys()) {
    emitOutput(row, max);
    return e.truth(false);
  }
  Value none = vector::ReductionOp::create(e.b, e.loc, vector::CombiningKind::OR, isAllowedNone(e, p, max));
  e.branch(
      none, [] {}, [&] { emitOutput(row, max); });
  return none;
}

void AttentionMergeEmitter::emitOutput(Value row, Value max) {
  Value sum = loopOverParts(e.zeros(), [&](Value part, Value carried) {
    Value own = e.loadScalarToLanes(o.parts.buffer, e.add(part, valueDim + 1));
    return e.multiplyAdd(weightOf(part, max), own, carried, s.useFma);
  });
  Value inverse = e.inverseOfSum(sum, p.maskedRow == MaskedRowKind::Zero);
  Value output = o.beginOf(e, o.output, row);
  for (int64_t at = 0; at < valueDim; at += s.lanes) {
    Value mask = valueDim - at < s.lanes ? e.mask(e.index(valueDim - at)) : Value();
    Value total = loopOverParts(e.zeros(), [&](Value part, Value carried) {
      Value from = e.add(part, at);
      Value own = mask ? e.maskedLoad(o.parts.buffer, from, mask) : e.load(o.parts.buffer, from);
      return e.multiplyAdd(weightOf(part, max), own, carried, s.useFma);
    });
    Value result = e.mulf(total, inverse), to = e.add(output, at);
    if (mask)
      e.maskedStore(result, o.output.buffer, to, mask);
    else
      e.store(result, o.output.buffer, to);
  }
}
