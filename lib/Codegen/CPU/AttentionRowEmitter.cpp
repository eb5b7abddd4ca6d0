//===- AttentionRowEmitter.cpp - Attention of a few queries ---------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// For the few queries of a decoding step, a lane per query would leave most lanes idle. Here lanes run along
// the head dim, and the rows of K and V are read as they lie. Rows are queries of one head, or of several
// that read the same keys; a block of keys is in the first cache for all rows but the first:
//
//   for each block of keys
//   for each row
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
  stateRegion = copyRegion + o.scores.size() * copySize;
  maxPlace = valueVectors * s.lanes;
  sumPlace = maxPlace + s.lanes;
  stateSize = sumPlace + s.lanes;
  size = stateRegion + s.rowQueries * stateSize;
}

/// A vector of a row; lanes behind its end are 0.
Value AttentionRowEmitter::loadRow(const AttentionOperand &operand, Value row, int64_t vector,
                                   int64_t length) {
  Value offset = e.add(row, vector * s.lanes);
  int64_t rest = length - vector * s.lanes;
  return rest < s.lanes ? e.maskedLoad(operand.buffer, offset, e.mask(e.index(rest)))
                        : e.load(operand.buffer, offset);
}

void AttentionRowEmitter::emit(Value first, Value end) {
  auto eachRow = [&](ValueRange carried, function_ref<SmallVector<Value>(Value, Value, ValueRange)> body) {
    return e.loop(first, end, 1, carried, [&](Value row, ValueRange inner) {
      return body(row, e.add(e.mul(e.sub(row, first), stateSize), stateRegion), inner);
    });
  };
  eachRow({}, [&](Value, Value state, ValueRange) {
    clear(state);
    return SmallVector<Value>();
  });
  auto isRowAllowedNone = [&](Value state) {
    Value low = isAllowedNone(e, p, e.load(scratch, e.add(state, maxPlace)));
    return vector::ReductionOp::create(e.b, e.loc, vector::CombiningKind::OR, low).getResult();
  };
  auto isAnyAllowedNone = [&](ValueRange) {
    return eachRow(e.truth(false), [&](Value, Value state, ValueRange carried) {
      return SmallVector<Value>{arith::OrIOp::create(e.b, e.loc, carried[0], isRowAllowedNone(state))};
    })[0];
  };
  Value firstPlace = o.placeOf(e, first), lastPlace = o.placeOf(e, e.sub(end, e.index(1)));
  if (o.mayJoinHeads) {
    Value isOneHead = e.equal(e.div(first, o.queries), e.div(e.sub(end, e.index(1)), o.queries));
    firstPlace = e.select(isOneHead, firstPlace, e.index(0));
    lastPlace = e.select(isOneHead, lastPlace, e.sub(o.queries, e.index(1)));
  }
  AttentionOperands::KeyRange visible = o.visibleKeys(e, firstPlace, lastPlace);
  auto emitRange = [&](AttentionOperands::KeyRange range, ValueRange) {
    e.loop(range.from, range.to, s.keyBlock, [&](Value from) {
      KeyBlock block{from, e.min(e.sub(range.to, from), e.index(s.keyBlock))};
      eachRow({}, [&](Value row, Value state, ValueRange) {
        if (!p.countsSkippedKeys() || p.makesParts) {
          emitBlock(block, row, state);
          return SmallVector<Value>();
        }
        // Keys that no row may see are for the rows alone that are allowed none.
        Value isVisible = arith::AndIOp::create(e.b, e.loc, e.lessEqual(visible.from, from),
                                                e.lessEqual(e.add(from, 1), visible.to));
        e.branch(
            arith::OrIOp::create(e.b, e.loc, isVisible, isRowAllowedNone(state)),
            [&] { emitBlock(block, row, state); }, [] {});
        return SmallVector<Value>();
      });
    });
    return SmallVector<Value>();
  };
  emitKeyRanges(e, p, o, firstPlace, lastPlace, {}, isAnyAllowedNone, emitRange);
  eachRow({}, [&](Value row, Value state, ValueRange) {
    store(row, state);
    return SmallVector<Value>();
  });
}

void AttentionRowEmitter::clear(Value state) {
  for (int64_t v = 0; v < valueVectors; ++v)
    e.store(e.zeros(), scratch, e.add(state, v * s.lanes));
  e.store(e.splat(kLowest), scratch, e.add(state, maxPlace));
  // A sum over no keys is 0, whatever it is divided by.
  Value noKeys = arith::SelectOp::create(e.b, e.loc, e.equal(o.keys, e.index(0)), e.splat(1), e.zeros());
  e.store(noKeys, scratch, e.add(state, sumPlace));
}

void AttentionRowEmitter::emitBlock(KeyBlock block, Value row, Value state) {
  Value query = o.beginOf(e, o.query, row), place = o.placeOf(e, row), factor = e.splat(p.scale);
  queryVectors.clear();
  for (int64_t v = 0; v * s.lanes < headDim; ++v)
    queryVectors.push_back(e.mulf(loadRow(o.query, query, v, headDim), factor));
  for (size_t i = 0; i < o.scores.size(); ++i)
    copyScoreOperand(i, row, block);
  Value before = e.load(scratch, e.add(state, maxPlace)), sum = e.load(scratch, e.add(state, sumPlace));
  Value max = emitScores(block, place, before);
  Value decay = e.expOfNonPositive(e.subf(before, max), s.useFma);
  sum = emitExponentials(block, max, e.mulf(sum, decay));
  emitOutput(block, state, decay);
  e.store(max, scratch, e.add(state, maxPlace));
  e.store(sum, scratch, e.add(state, sumPlace));
}

/// The output of a row, or what a part of the keys makes of it.
void AttentionRowEmitter::store(Value row, Value state) {
  Value output = o.beginOf(e, o.output, row);
  Value sum = vector::ReductionOp::create(e.b, e.loc, vector::CombiningKind::ADD,
                                          e.load(scratch, e.add(state, sumPlace)));
  Value inverse;
  if (p.makesParts) {
    e.storeScalar(e.loadScalar(scratch, e.add(state, maxPlace)), o.output.buffer, e.add(output, valueDim));
    e.storeScalar(sum, o.output.buffer, e.add(output, valueDim + 1));
  } else {
    inverse = e.inverseOfSum(e.toLanes(sum), p.maskedRow == MaskedRowKind::Zero);
  }
  for (int64_t v = 0; v < valueVectors; ++v) {
    Value result = e.load(scratch, e.add(state, v * s.lanes));
    if (inverse)
      result = e.mulf(result, inverse);
    Value offset = e.add(output, v * s.lanes);
    int64_t rest = valueDim - v * s.lanes;
    if (rest < s.lanes)
      e.maskedStore(result, o.output.buffer, offset, e.mask(e.index(rest)));
    else
      e.store(result, o.output.buffer, offset);
  }
}

/// copy[key] = operand[row][key], however the operand is broadcast.
void AttentionRowEmitter::copyScoreOperand(size_t number, Value row, KeyBlock block) {
  const ScoreOperand &operand = o.scores[number];
  Value begin = o.beginOf(e, operand, row), to = e.index(copyRegion + number * copySize);
  e.loop(e.index(0), block.count, 1, [&](Value at) {
    Value from = e.add(begin, e.mul(e.add(block.first, at), operand.strides[3]));
    e.storeScalar(operand.loadNumber(e, from), scratch, e.add(to, at));
  });
}

/// Stores the scores of a block; the last vector is filled up with -inf. Gives the greatest score so far, in
/// all lanes.
Value AttentionRowEmitter::emitScores(KeyBlock block, Value place, Value max) {
  Value plainEnd = block.count;
  if (p.hasBounds()) {
    AttentionOperands::KeyRange visible = o.visibleKeys(e, place, place);
    plainEnd = e.max(e.min(plainEnd, e.sub(visible.to, block.first)), e.index(0));
    if (o.low)
      plainEnd = e.select(e.lessEqual(visible.from, block.first), plainEnd, e.index(0));
  }
  plainEnd = e.sub(plainEnd, e.rem(plainEnd, e.index(s.lanes)));
  auto vectors = [&](Value from, Value to, bool masked) {
    max = e.loop(from, to, s.lanes, max, [&](Value at, ValueRange carried) {
      Value score = emitScoreVector(block, place, at, masked);
      e.store(score, scratch, e.add(at, scoreRegion));
      return SmallVector<Value>{e.larger(carried[0], score)};
    })[0];
  };
  vectors(e.index(0), plainEnd, false);
  vectors(plainEnd, block.count, true);
  return e.toLanes(vector::ReductionOp::create(e.b, e.loc, vector::CombiningKind::MAXIMUMF, max));
}

/// The scores of as many keys as there are lanes, from the block's key `at` on.
Value AttentionRowEmitter::emitScoreVector(KeyBlock block, Value place, Value at, bool masked) {
  SmallVector<Value> products;
  for (int64_t lane = 0; lane < s.lanes; ++lane) {
    Value key = e.add(at, lane);
    if (masked)
      key = e.min(key, e.sub(block.count, e.index(1)));
    Value row = o.key.row(e, e.add(block.first, key));
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
    AttentionOperands::KeyRange visible = o.visibleKeys(e, place, place);
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

void AttentionRowEmitter::emitOutput(KeyBlock block, Value state, Value decay) {
  for (int64_t from = 0; from < valueVectors; from += kOutputVectors) {
    int64_t to = std::min(from + kOutputVectors, valueVectors);
    SmallVector<Value> sums;
    for (int64_t v = from; v < to; ++v)
      sums.push_back(e.mulf(e.load(scratch, e.add(state, v * s.lanes)), decay));
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
      e.store(sums[v - from], scratch, e.add(state, v * s.lanes));
  }
}
