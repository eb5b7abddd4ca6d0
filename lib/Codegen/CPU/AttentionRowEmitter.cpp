//===- AttentionRowEmitter.cpp - Attention of one query -------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// For the few queries of a decoding step, a lane per query would leave most lanes idle. Here lanes run along
// the head dim, and the rows of K and V are read as they lie, each once:
//
//   for each block of keys
//     scores = query . K[key], as many keys at a time as a vector has lanes; their partial sums are added up
//     across lanes by a
//              network that leaves one score per lane
//     running maximum, exponentials and sum as for many queries, a key per lane
//     output = output * exp(old maximum - maximum) + sum over keys of scores[key] * V[key]
//
// Sums run in an order that depends on the number of keys alone.
//
//===----------------------------------------------------------------------------------------------===//

#include "AttentionRowEmitter.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::tfc;
using arith::CmpFPredicate;

/// Scores this far below the greatest one have exponentials of 0.
static constexpr float kVanishing = 105;
static constexpr float kLowest = std::numeric_limits<float>::lowest();
static constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();
/// Accumulators of the output that fit the registers of every target.
static constexpr int64_t kOutputVectors = 8;

AttentionRowEmitter::AttentionRowEmitter(VectorEmitter &emitter, const Attention &problem,
                                         const ::tfc::AttentionSchedule &schedule,
                                         const AttentionOperands &operands, Value scratch)
    : e(emitter), p(problem), s(schedule), o(operands), scratch(scratch), headDim(problem.problem().headDim),
      valueDim(problem.problem().valueDim), valueVectors(llvm::divideCeil(valueDim, s.lanes)) {
  scoreRegion = 0;
  copyRegion = copySize = llvm::alignTo(s.keyBlock, s.lanes);
  outputRegion = copyRegion + o.scores.size() * copySize;
  size = outputRegion + valueVectors * s.lanes;
}

/// A vector of a row; lanes behind its end are 0.
Value AttentionRowEmitter::loadRow(const AttentionOperand &operand, Value row, int64_t vector,
                                   int64_t length) {
  Value offset = e.add(row, vector * s.lanes);
  int64_t rest = length - vector * s.lanes;
  return rest < s.lanes ? e.maskedLoad(operand.buffer, offset, e.mask(e.index(rest)))
                        : e.load(operand.buffer, offset);
}

void AttentionRowEmitter::emit(Value query) {
  Value row = o.query.row(e, query), factor = e.splat(p.scale);
  queryVectors.clear();
  for (int64_t v = 0; v * s.lanes < headDim; ++v)
    queryVectors.push_back(e.mulf(loadRow(o.query, row, v, headDim), factor));
  for (int64_t v = 0; v < valueVectors; ++v)
    e.store(e.zeros(), scratch, e.index(outputRegion + v * s.lanes));

  // A sum over no keys is 0, whatever it is divided by.
  Value noKeys = arith::SelectOp::create(e.b, e.loc, e.equal(o.keys, e.index(0)), e.splat(1), e.zeros());
  SmallVector<Value> running{e.splat(kLowest), noKeys};
  auto isAllowedNone = [&](ValueRange carried) {
    // The greatest score stands in all lanes.
    Value low = e.compare(CmpFPredicate::OLE, carried[0], e.splat(p.fill + kVanishing));
    return vector::ReductionOp::create(e.b, e.loc, vector::CombiningKind::OR, low).getResult();
  };
  auto emitRange = [&](AttentionOperands::KeyRange range, ValueRange carried) {
    return e.loop(range.from, range.to, s.keyBlock, carried, [&](Value first, ValueRange inner) {
      KeyBlock block{first, e.min(e.sub(range.to, first), e.index(s.keyBlock))};
      for (size_t i = 0; i < o.scores.size(); ++i)
        copyScoreOperand(i, query, block);
      Value max = emitScores(block, query, inner[0]);
      Value decay = e.expOfNonPositive(e.subf(inner[0], max), s.useFma);
      Value sum = emitExponentials(block, max, e.mulf(inner[1], decay));
      emitOutput(block, decay);
      return SmallVector<Value>{max, sum};
    });
  };
  running = emitKeyRanges(e, p, o.visibleKeys(e, query, query), o.keys, running, isAllowedNone, emitRange);

  Value sum = e.toLanes(vector::ReductionOp::create(e.b, e.loc, vector::CombiningKind::ADD, running[1]));
  Value inverse = e.inverseOfSum(sum, p.maskedRow == MaskedRowKind::Zero);
  Value output = o.output.row(e, query);
  for (int64_t v = 0; v < valueVectors; ++v) {
    Value result = e.mulf(e.load(scratch, e.index(outputRegion + v * s.lanes)), inverse);
    Value offset = e.add(output, v * s.lanes);
    int64_t rest = valueDim - v * s.lanes;
    if (rest < s.lanes)
      e.maskedStore(result, o.output.buffer, offset, e.mask(e.index(rest)));
    else
      e.store(result, o.output.buffer, offset);
  }
}

/// copy[key] = operand[query][key], however the operand is broadcast.
void AttentionRowEmitter::copyScoreOperand(size_t number, Value query, KeyBlock block) {
  const ScoreOperand &operand = o.scores[number];
  Value row = operand.row(e, query), to = e.index(copyRegion + number * copySize);
  e.loop(e.index(0), block.count, 1, [&](Value at) {
    Value from = e.add(row, e.mul(e.add(block.first, at), operand.strides[3]));
    e.storeScalar(operand.loadNumber(e, from), scratch, e.add(to, at));
  });
}

/// Stores the scores of a block; the last vector is filled up with -inf. Gives the greatest score so far, in
/// all lanes.
Value AttentionRowEmitter::emitScores(KeyBlock block, Value query, Value max) {
  Value plainEnd = block.count;
  if (p.hasBounds()) {
    AttentionOperands::KeyRange visible = o.visibleKeys(e, query, query);
    plainEnd = e.max(e.min(plainEnd, e.sub(visible.to, block.first)), e.index(0));
    if (o.low)
      plainEnd = e.select(e.lessEqual(visible.from, block.first), plainEnd, e.index(0));
  }
  plainEnd = e.sub(plainEnd, e.rem(plainEnd, e.index(s.lanes)));
  auto vectors = [&](Value from, Value to, bool masked) {
    max = e.loop(from, to, s.lanes, max, [&](Value at, ValueRange carried) {
      Value score = emitScoreVector(block, query, at, masked);
      e.store(score, scratch, e.add(at, scoreRegion));
      return SmallVector<Value>{e.larger(carried[0], score)};
    })[0];
  };
  vectors(e.index(0), plainEnd, false);
  vectors(plainEnd, block.count, true);
  return e.toLanes(vector::ReductionOp::create(e.b, e.loc, vector::CombiningKind::MAXIMUMF, max));
}

/// The scores of as many keys as there are lanes, from the block's key `at` on.
Value AttentionRowEmitter::emitScoreVector(KeyBlock block, Value query, Value at, bool masked) {
  SmallVector<Value> products;
  for (int64_t lane = 0; lane < s.lanes; ++lane) {
    Value place = e.add(at, lane);
    if (masked)
      place = e.min(place, e.sub(block.count, e.index(1)));
    Value row = o.key.row(e, e.add(block.first, place));
    Value product = e.mulf(queryVectors[0], loadRow(o.key, row, 0, headDim));
    for (size_t v = 1; v < queryVectors.size(); ++v)
      product = e.multiplyAdd(queryVectors[v], loadRow(o.key, row, v, headDim), product, s.useFma);
    products.push_back(product);
  }
  Value score = e.sumOfLanes(products);
  Value bias, allowed;
  auto restrict = [&](Value condition) {
    allowed = allowed ? arith::AndIOp::create(e.b, e.loc, allowed, condition).getResult() : condition;
  };
  for (auto [i, operand] : llvm::enumerate(o.scores)) {
    Value numbers = e.load(scratch, e.add(at, copyRegion + i * copySize));
    if (operand.isMask)
      restrict(e.compare(CmpFPredicate::ONE, numbers, e.zeros()));
    else
      bias = numbers;
  }
  if (masked && p.hasBounds()) {
    AttentionOperands::KeyRange visible = o.visibleKeys(e, query, query);
    Value first = e.add(block.first, at);
    restrict(e.mask(e.sub(visible.to, first)));
    if (o.low) {
      Value before = e.mask(e.sub(visible.from, first));
      Value all = arith::ConstantOp::create(e.b, e.loc, DenseElementsAttr::get(e.maskType, true));
      restrict(arith::XOrIOp::create(e.b, e.loc, before, all));
    }
  }
  score = finishScores(e, p, score, bias, allowed);
  if (masked)
    score =
        arith::SelectOp::create(e.b, e.loc, e.mask(e.sub(block.count, at)), score, e.splat(kMinusInfinity));
  return score;
}

Value AttentionRowEmitter::emitExponentials(KeyBlock block, Value max, Value sum) {
  return e.loop(e.index(0), block.count, s.lanes, sum, [&](Value at, ValueRange carried) {
    Value where = e.add(at, scoreRegion);
    Value weight = e.expOfNonPositive(e.subf(e.load(scratch, where), max), s.useFma);
    e.store(weight, scratch, where);
    return SmallVector<Value>{e.addf(carried[0], weight)};
  })[0];
}

void AttentionRowEmitter::emitOutput(KeyBlock block, Value decay) {
  for (int64_t from = 0; from < valueVectors; from += kOutputVectors) {
    int64_t to = std::min(from + kOutputVectors, valueVectors);
    SmallVector<Value> sums;
    for (int64_t v = from; v < to; ++v)
      sums.push_back(e.mulf(e.load(scratch, e.index(outputRegion + v * s.lanes)), decay));
    auto addOne = [&](Value at, ValueRange carried) {
      SmallVector<Value> current(carried);
      Value weight = e.loadScalarToLanes(scratch, e.add(at, scoreRegion));
      Value row = o.value.row(e, e.add(block.first, at));
      for (int64_t v = from; v < to; ++v)
        current[v - from] =
            e.multiplyAdd(weight, loadRow(o.value, row, v, valueDim), current[v - from], s.useFma);
      return current;
    };
    Value unrolledEnd = e.sub(block.count, e.rem(block.count, e.index(s.unroll)));
    sums = e.loop(e.index(0), unrolledEnd, s.unroll, sums, [&](Value at, ValueRange carried) {
      SmallVector<Value> current(carried);
      for (int64_t u = 0; u < s.unroll; ++u)
        current = addOne(e.add(at, u), current);
      return current;
    });
    sums = e.loop(unrolledEnd, block.count, 1, sums, addOne);
    for (int64_t v = from; v < to; ++v)
      e.store(sums[v - from], scratch, e.index(outputRegion + v * s.lanes));
  }
}
