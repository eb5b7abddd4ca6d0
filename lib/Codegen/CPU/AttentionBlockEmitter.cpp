//===- AttentionBlockEmitter.cpp - Attention of a block of queries --------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// Without a matrix of scores in memory (Dao et al., arXiv 2205.14135), and transposed, so that each lane of a
// vector is a query:
//
//   copy the queries, scaled, into scratch as [head dim][query]
//   for each block of keys
//     scores[key][query]  = sum over d of K[key, d] * queries[d][query], then bias and mask
//     running maximum per query; scores = exp(scores - maximum); running sum
//     output[d][query]    = output * exp(old maximum - maximum)
//                           + sum over keys of V[key, d] * scores[key][query]
//   store output / sum, transposed back
//
// The broadcast operand of both products is an element of K or V, read from where it lies through any
// strides, so nothing is packed but the queries; and softmax goes along the keys, from vector to vector,
// never across lanes. Queries beyond the last one are copies of it, which store the same bits once more.
//
//===----------------------------------------------------------------------------------------------===//

#include "AttentionBlockEmitter.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::tfc;
using arith::CmpFPredicate;

static constexpr float kLowest = std::numeric_limits<float>::lowest();
static constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();

AttentionBlockEmitter::AttentionBlockEmitter(VectorEmitter &emitter, const Attention &problem,
                                             const ::tfc::AttentionSchedule &schedule,
                                             const AttentionOperands &operands, Value scratch)
    : e(emitter), p(problem), s(schedule), o(operands), scratch(scratch), headDim(problem.problem().headDim),
      valueDim(problem.problem().valueDim) {
  queryRegion = 0;
  outputRegion = headDim;
  scoreRegion = outputRegion + valueDim;
  inverseRegion = scoreRegion + s.keyBlock;
  copiesRegion = inverseRegion + 1;
}

int64_t AttentionBlockEmitter::scratchSize(const Attention &p, const ::tfc::AttentionSchedule &s) {
  int64_t copies = (p.mask ? 1 : 0) + (p.bias ? 1 : 0);
  int64_t rows = p.problem().headDim + p.problem().valueDim + 1 + (1 + copies) * s.keyBlock;
  return rows * s.queryBlock();
}

/// Where the rows in the lanes of a vector begin.
SmallVector<Value> AttentionBlockEmitter::beginOfRows(const AttentionOperand &operand, Value vector) {
  SmallVector<Value> offsets;
  Value last = e.sub(o.rows, e.index(1)), row = e.add(firstRow, e.mul(vector, s.lanes));
  if (!o.mayJoinHeads) {
    for (int64_t lane = 0; lane < s.lanes; ++lane)
      offsets.push_back(operand.row(e, e.min(e.add(row, lane), last)));
    return offsets;
  }
  // From row to row, for a division per lane would take long: behind a head's last query stands the first one
  // of the next.
  row = e.min(row, last);
  Value lastPlace = e.sub(o.queries, e.index(1)), place = o.placeOf(e, row);
  Value nextHead = e.sub(operand.strides[1], e.mul(lastPlace, operand.strides[2]));
  offsets.push_back(o.beginOf(e, operand, row));
  for (int64_t lane = 1; lane < s.lanes; ++lane) {
    Value isLast = e.equal(row, last), ends = e.equal(place, lastPlace);
    Value step = e.select(ends, nextHead, operand.strides[2]);
    offsets.push_back(e.add(offsets.back(), e.select(isLast, e.index(0), step)));
    place = e.select(isLast, place, e.select(ends, e.index(0), e.add(place, 1)));
    row = e.min(e.add(row, 1), last);
  }
  return offsets;
}

/// The offset in scratch of a vector of a row of a region.
Value AttentionBlockEmitter::place(int64_t region, Value row, Value vector) {
  return e.add(e.mul(e.add(row, region), vectors * s.lanes), e.mul(vector, s.lanes));
}

void AttentionBlockEmitter::emit(Value first, int64_t vectorCount) {
  firstRow = first;
  vectors = vectorCount;
  findAllowedKeys();
  transposeQueries();
  clearOutput();
  // A sum over no keys is 0, whatever it is divided by.
  Value noKeys = arith::SelectOp::create(e.b, e.loc, e.equal(o.keys, e.index(0)), e.splat(1), e.zeros());
  Running running{SmallVector<Value>(vectors, e.splat(kLowest)), SmallVector<Value>(vectors, noKeys)};
  running = emitKeys(running);
  p.makesParts ? storePart(running) : storeOutput(running);
}

/// The first and the last key that each query may see, as far as their places decide it.
void AttentionBlockEmitter::findAllowedKeys() {
  firstAllowed.clear();
  lastAllowed.clear();
  auto integers = VectorType::get({s.lanes}, e.b.getI32Type());
  // What lies beyond all keys may lie anywhere there.
  auto toVector = [&](Value index) {
    static constexpr int64_t kBeyondKeys = int64_t(1) << 30;
    index = e.min(e.max(index, e.index(-kBeyondKeys)), e.index(kBeyondKeys));
    return e.toLanes(arith::IndexCastOp::create(e.b, e.loc, e.b.getI32Type(), index));
  };
  lastRow = e.min(e.add(firstRow, vectors * s.lanes - 1), e.sub(o.rows, e.index(1)));
  // Blocks that hold several heads have all places, as far as they are looked at together.
  lastPlace = o.mayJoinHeads ? e.min(lastRow, e.sub(o.queries, e.index(1))) : lastRow;
  firstPlace = o.mayJoinHeads ? e.select(e.lessEqual(o.rows, o.queries), firstRow, e.index(0)) : firstRow;
  for (int64_t v = 0; v < vectors; ++v) {
    SmallVector<int32_t> lanes(s.lanes);
    std::iota(lanes.begin(), lanes.end(), v * s.lanes);
    Value lane = arith::ConstantOp::create(e.b, e.loc, DenseElementsAttr::get(integers, ArrayRef(lanes)));
    Value place = arith::AddIOp::create(e.b, e.loc, toVector(firstRow), lane);
    place = arith::MinSIOp::create(e.b, e.loc, place, toVector(lastRow));
    if (o.mayJoinHeads && p.hasBounds())
      place = arith::RemUIOp::create(e.b, e.loc, place, toVector(o.queries));
    if (o.low)
      firstAllowed.push_back(arith::AddIOp::create(e.b, e.loc, place, toVector(o.low)));
    if (!o.high && !p.lengths)
      continue;
    Value last = toVector(e.sub(o.length, e.index(1)));
    if (o.high)
      last = arith::MinSIOp::create(e.b, e.loc, last,
                                    arith::AddIOp::create(e.b, e.loc, place, toVector(o.high)));
    lastAllowed.push_back(last);
  }
}

void AttentionBlockEmitter::transposeQueries() {
  int64_t whole = headDim - headDim % s.lanes, rest = headDim - whole;
  Value factor = e.splat(p.scale);
  e.loop(e.index(0), e.index(vectors), 1, [&](Value vector) {
    SmallVector<Value> offsets = beginOfRows(o.query, vector);
    auto square = [&](Value at, int64_t columns) {
      Value mask = columns < s.lanes ? e.mask(e.index(columns)) : Value();
      SmallVector<Value> rows;
      for (Value offset : offsets) {
        Value from = e.add(offset, at);
        rows.push_back(
            e.mulf(mask ? e.maskedLoad(o.query.buffer, from, mask) : e.load(o.query.buffer, from), factor));
      }
      SmallVector<Value> columnsOfRows = e.transpose(rows);
      for (int64_t i = 0; i < columns; ++i)
        e.store(columnsOfRows[i], scratch, place(queryRegion, e.add(at, i), vector));
    };
    if (whole > 0)
      e.loop(e.index(0), e.index(whole), s.lanes, [&](Value at) { square(at, s.lanes); });
    if (rest > 0)
      square(e.index(whole), rest);
  });
}

void AttentionBlockEmitter::clearOutput() {
  e.loop(e.index(0), e.index(valueDim), 1, [&](Value row) {
    for (int64_t v = 0; v < vectors; ++v)
      e.store(e.zeros(), scratch, place(outputRegion, row, v));
  });
}

void AttentionBlockEmitter::storeOutput(const Running &running) {
  for (int64_t v = 0; v < vectors; ++v) {
    Value inverse = e.inverseOfSum(running.sum[v], p.maskedRow == MaskedRowKind::Zero);
    e.store(inverse, scratch, place(inverseRegion, e.index(0), v));
  }
  storeTransposed(inverseRegion);
}

/// A part's greatest scores and sums stand behind its sums of values.
void AttentionBlockEmitter::storePart(const Running &running) {
  storeTransposed(std::nullopt);
  for (int64_t v = 0; v < vectors; ++v) {
    SmallVector<Value> offsets = beginOfRows(o.output, e.index(v));
    Value from = place(inverseRegion, e.index(0), v);
    for (auto [values, behind] :
         {std::pair(running.max[v], valueDim), std::pair(running.sum[v], valueDim + 1)}) {
      e.store(values, scratch, from);
      for (auto [lane, offset] : llvm::enumerate(offsets))
        e.storeScalar(e.loadScalar(scratch, e.add(from, lane)), o.output.buffer, e.add(offset, behind));
    }
  }
}

/// Stores the output, one row per lane, times the row of factors in a region of scratch.
void AttentionBlockEmitter::storeTransposed(std::optional<int64_t> factorRegion) {
  int64_t whole = valueDim - valueDim % s.lanes, rest = valueDim - whole;
  e.loop(e.index(0), e.index(vectors), 1, [&](Value vector) {
    SmallVector<Value> offsets = beginOfRows(o.output, vector);
    Value factor = factorRegion ? e.load(scratch, place(*factorRegion, e.index(0), vector)) : Value();
    auto square = [&](Value at, int64_t columns) {
      SmallVector<Value> rows(s.lanes, e.zeros());
      for (int64_t i = 0; i < columns; ++i) {
        rows[i] = e.load(scratch, place(outputRegion, e.add(at, i), vector));
        if (factor)
          rows[i] = e.mulf(rows[i], factor);
      }
      Value mask = columns < s.lanes ? e.mask(e.index(columns)) : Value();
      for (auto [offset, row] : llvm::zip_equal(offsets, e.transpose(rows))) {
        if (mask)
          e.maskedStore(row, o.output.buffer, e.add(offset, at), mask);
        else
          e.store(row, o.output.buffer, e.add(offset, at));
      }
    };
    if (whole > 0)
      e.loop(e.index(0), e.index(whole), s.lanes, [&](Value at) { square(at, s.lanes); });
    if (rest > 0)
      square(e.index(whole), rest);
  });
}

//===----------------------------------------------------------------------------------------------===//
// Keys
//===----------------------------------------------------------------------------------------------===//

SmallVector<Value> AttentionBlockEmitter::Running::values() const {
  return llvm::to_vector(llvm::concat<const Value>(max, sum));
}

AttentionBlockEmitter::Running AttentionBlockEmitter::Running::of(ValueRange values) {
  size_t half = values.size() / 2;
  return {llvm::to_vector(values.take_front(half)), llvm::to_vector(values.drop_front(half))};
}

AttentionBlockEmitter::Running AttentionBlockEmitter::emitKeys(Running running) {
  auto isAnyAllowedNone = [&](ValueRange carried) {
    Value isLow;
    for (Value max : Running::of(carried).max) {
      Value low = isAllowedNone(e, p, max);
      isLow = isLow ? arith::OrIOp::create(e.b, e.loc, isLow, low).getResult() : low;
    }
    return vector::ReductionOp::create(e.b, e.loc, vector::CombiningKind::OR, isLow).getResult();
  };
  auto emitRange = [&](AttentionOperands::KeyRange range, ValueRange carried) {
    return e.loop(range.from, range.to, s.keyBlock, carried, [&](Value first, ValueRange inner) {
      KeyBlock block{first, e.min(e.sub(range.to, first), e.index(s.keyBlock))};
      return emitKeyBlock(block, Running::of(inner)).values();
    });
  };
  return Running::of(
      emitKeyRanges(e, p, o, firstPlace, lastPlace, running.values(), isAnyAllowedNone, emitRange));
}

AttentionBlockEmitter::Running AttentionBlockEmitter::emitKeyBlock(KeyBlock block, Running running) {
  for (auto [i, operand] : llvm::enumerate(o.scores))
    if (operand.perQuery)
      copyScoreOperand(i, block);
  SmallVector<Value> before = running.max;
  running = emitScores(block, running);
  SmallVector<Value> decay;
  for (int64_t v = 0; v < vectors; ++v) {
    decay.push_back(e.expOfNonPositive(e.subf(before[v], running.max[v]), s.useFma));
    running.sum[v] = e.mulf(running.sum[v], decay[v]);
  }
  running.sum = emitExponentials(block, running.max, running.sum);
  emitOutput(block, decay);
  return running;
}

/// copy[key][query] = operand[query][key]. Keys go by squares where they lie one after the other.
void AttentionBlockEmitter::copyScoreOperand(size_t number, KeyBlock block) {
  const ScoreOperand &operand = o.scores[number];
  Value isRow = e.equal(operand.strides[3], e.index(1));
  Value whole = e.select(isRow, e.sub(block.count, e.rem(block.count, e.index(s.lanes))), e.index(0));
  e.loop(e.index(0), e.index(vectors), 1, [&](Value vector) {
    SmallVector<Value> offsets = beginOfRows(operand, vector);
    e.loop(e.index(0), whole, s.lanes, [&](Value at) {
      SmallVector<Value> rows;
      for (Value offset : offsets)
        rows.push_back(operand.loadNumbers(e, e.add(offset, e.add(block.first, at))));
      for (auto [i, column] : llvm::enumerate(e.transpose(rows)))
        e.store(column, scratch, place(copyRegion(number), e.add(at, i), vector));
    });
    e.loop(whole, block.count, 1, [&](Value at) {
      Value column = e.mul(e.add(block.first, at), operand.strides[3]);
      Value to = place(copyRegion(number), at, vector);
      for (auto [lane, offset] : llvm::enumerate(offsets))
        e.storeScalar(operand.loadNumber(e, e.add(offset, column)), scratch, e.add(to, lane));
    });
  });
}

/// sums[row][vector] += sum over i < count of buffer[rows[row] + i * step] * region[i][vector].
SmallVector<Value> AttentionBlockEmitter::accumulate(Value buffer, ArrayRef<Value> rows, Value step,
                                                     int64_t region, Value count, SmallVector<Value> sums) {
  auto addOne = [&](Value at, SmallVector<Value> current) {
    SmallVector<Value> factors;
    for (int64_t v = 0; v < vectors; ++v)
      factors.push_back(e.load(scratch, place(region, at, v)));
    Value column = e.mul(at, step);
    for (auto [r, row] : llvm::enumerate(rows)) {
      Value element = e.loadScalarToLanes(buffer, e.add(row, column));
      for (int64_t v = 0; v < vectors; ++v)
        current[r * vectors + v] = e.multiplyAdd(element, factors[v], current[r * vectors + v], s.useFma);
    }
    return current;
  };
  Value unrolledEnd = e.sub(count, e.rem(count, e.index(s.unroll)));
  sums = e.loop(e.index(0), unrolledEnd, s.unroll, sums, [&](Value at, ValueRange carried) {
    SmallVector<Value> current(carried);
    for (int64_t u = 0; u < s.unroll; ++u)
      current = addOne(e.add(at, u), current);
    return current;
  });
  return e.loop(unrolledEnd, count, 1, sums,
                [&](Value at, ValueRange carried) { return addOne(at, SmallVector<Value>(carried)); });
}

//===----------------------------------------------------------------------------------------------===//
// Scores
//===----------------------------------------------------------------------------------------------===//

/// Blocks of keys that are whole and that every query may see, then those that need a look at each key.
AttentionBlockEmitter::Running AttentionBlockEmitter::emitScores(KeyBlock block, Running running) {
  Value plainEnd = e.sub(block.count, e.rem(block.count, e.index(s.scoreRows)));
  // The first query sees the fewest keys at the end, the last one at the beginning.
  if (p.hasBounds()) {
    Value end = o.high ? e.min(o.length, e.add(e.add(firstPlace, o.high), 1)) : o.length;
    plainEnd = e.select(e.lessEqual(e.add(block.first, block.count), end), plainEnd, e.index(0));
  }
  if (o.low)
    plainEnd = e.select(e.lessEqual(e.add(lastPlace, o.low), block.first), plainEnd, e.index(0));
  auto rows = [&](Value from, Value to, bool masked) {
    running = Running::of(e.loop(from, to, s.scoreRows, running.values(), [&](Value at, ValueRange carried) {
      return emitScoreRows(block, at, masked, Running::of(carried)).values();
    }));
  };
  rows(e.index(0), plainEnd, false);
  rows(plainEnd, block.count, true);
  return running;
}

/// Asks for the next keys and for the values of these: rows lie apart, often by some KiB, and the hardware
/// does not follow.
void AttentionBlockEmitter::prefetchRows(KeyBlock block, Value at) {
  static constexpr int64_t kLineFloats = 16;
  for (int64_t row = 0; row < s.scoreRows; ++row) {
    Value key = o.key.row(e, e.add(block.first, e.add(at, s.scoreRows + row)));
    for (int64_t i = 0; i < headDim; i += kLineFloats)
      e.prefetch(o.key.buffer, e.add(key, i), /*nearest=*/true);
    Value value = o.value.row(e, e.add(block.first, e.add(at, row)));
    for (int64_t i = 0; i < valueDim; i += kLineFloats)
      e.prefetch(o.value.buffer, e.add(value, i));
  }
}

/// `scoreRows` keys from the block's key `at` on. Keys beyond the last one are computed as copies of it and
/// count as -inf.
AttentionBlockEmitter::Running AttentionBlockEmitter::emitScoreRows(KeyBlock block, Value at, bool masked,
                                                                    Running running) {
  SmallVector<Value> places, offsets;
  for (int64_t row = 0; row < s.scoreRows; ++row) {
    Value place = e.add(at, row);
    places.push_back(masked ? e.min(place, e.sub(block.count, e.index(1))) : place);
    offsets.push_back(o.key.row(e, e.add(block.first, places[row])));
  }
  // The head's first queries bring its keys and values into the second cache.
  e.branch(
      e.equal(firstRow, e.index(0)), [&] { prefetchRows(block, at); }, [] {});
  SmallVector<Value> scores(s.scoreRows * vectors, e.zeros());
  scores = accumulate(o.key.buffer, offsets, e.index(1), queryRegion, e.index(headDim), scores);
  for (int64_t row = 0; row < s.scoreRows; ++row) {
    Value beyond;
    if (masked)
      beyond = e.toLanes(
          e.select(e.lessEqual(e.add(at, row + 1), block.count), e.scalar(0), e.scalar(kMinusInfinity)));
    for (int64_t v = 0; v < vectors; ++v) {
      Value score = emitScore(scores[row * vectors + v], block, places[row], v, masked);
      if (masked)
        score = e.addf(score, beyond);
      running.max[v] = e.larger(running.max[v], score);
      e.store(score, scratch, place(scoreRegion, e.add(at, row), v));
    }
  }
  return running;
}

/// Cap, bias, mask and bounds of the block's key `at`.
Value AttentionBlockEmitter::emitScore(Value score, KeyBlock block, Value at, int64_t vector, bool masked) {
  Value bias, allowed;
  auto restrict = [&](Value condition) {
    allowed = allowed ? arith::AndIOp::create(e.b, e.loc, allowed, condition).getResult() : condition;
  };
  for (auto [i, operand] : llvm::enumerate(o.scores)) {
    Value offset = e.add(operand.base, e.mul(e.add(block.first, at), operand.strides[3]));
    Value numbers = operand.perQuery ? e.load(scratch, place(copyRegion(i), at, vector))
                                     : e.toLanes(operand.loadNumber(e, offset));
    if (operand.isMask)
      restrict(e.compare(CmpFPredicate::ONE, numbers, e.zeros()));
    else
      bias = numbers;
  }
  if (masked && (!firstAllowed.empty() || !lastAllowed.empty())) {
    Value key = e.toLanes(arith::IndexCastOp::create(e.b, e.loc, e.b.getI32Type(), e.add(block.first, at)));
    if (!firstAllowed.empty())
      restrict(arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::sge, key, firstAllowed[vector]));
    if (!lastAllowed.empty())
      restrict(arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::sle, key, lastAllowed[vector]));
  }
  return finishScores(e, p, score, bias, allowed);
}

SmallVector<Value> AttentionBlockEmitter::emitExponentials(KeyBlock block, ArrayRef<Value> max,
                                                           ArrayRef<Value> sum) {
  return e.loop(e.index(0), block.count, 1, SmallVector<Value>(sum), [&](Value at, ValueRange carried) {
    SmallVector<Value> sums(carried);
    for (int64_t v = 0; v < vectors; ++v) {
      Value where = place(scoreRegion, at, v);
      Value weight = e.expOfNonPositive(e.subf(e.load(scratch, where), max[v]), s.useFma);
      e.store(weight, scratch, where);
      sums[v] = e.addf(sums[v], weight);
    }
    return sums;
  });
}

void AttentionBlockEmitter::emitOutput(KeyBlock block, ArrayRef<Value> decay) {
  auto rows = [&](Value from, int64_t height) {
    SmallVector<Value> sums, offsets;
    Value first = e.add(o.value.row(e, block.first), from);
    for (int64_t row = 0; row < height; ++row) {
      offsets.push_back(e.add(first, row));
      for (int64_t v = 0; v < vectors; ++v)
        sums.push_back(e.mulf(e.load(scratch, place(outputRegion, e.add(from, row), v)), decay[v]));
    }
    sums = accumulate(o.value.buffer, offsets, o.value.strides[2], scoreRegion, block.count, sums);
    for (int64_t row = 0; row < height; ++row)
      for (int64_t v = 0; v < vectors; ++v)
        e.store(sums[row * vectors + v], scratch, place(outputRegion, e.add(from, row), v));
  };
  int64_t whole = valueDim - valueDim % s.valueRows;
  e.loop(e.index(0), e.index(whole), s.valueRows, [&](Value from) { rows(from, s.valueRows); });
  if (whole < valueDim)
    rows(e.index(whole), valueDim - whole);
}
