//===- FlashRows.cpp - Rows of scores on tensor cores --------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "FlashRows.h"

#include <limits>

using namespace mlir;
using namespace mlir::tfc;

static constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// Which of the lane's two rows an element belongs to.
static int64_t rowOf(size_t element) { return element / 2 % 2; }

FlashState FlashState::begin(KernelBuilder &k) {
  FlashState state;
  for (int64_t i = 0; i < 2; ++i)
    state.most[i] = k.f32(-kInfinity), state.sum[i] = k.f32(0);
  return state;
}

SmallVector<Value> FlashState::carry() const {
  SmallVector<Value> all{most[0].v, most[1].v, sum[0].v, sum[1].v};
  llvm::append_range(all, words);
  return all;
}

FlashState FlashState::from(KernelBuilder &k, ValueRange carried) {
  FlashState state;
  for (int64_t i = 0; i < 2; ++i)
    state.most[i] = {k.b, carried[i]}, state.sum[i] = {k.b, carried[2 + i]};
  state.words.assign(carried.begin() + kCarried, carried.end());
  return state;
}

/// Products become scores. Where nothing but its place decides whether a key counts, most blocks are left as
/// they are.
SmallVector<Value> FlashRows::limit(ValueRange products, I32 firstKey) {
  I32 column = firstKey + k.lane() % 4 * 2;
  int64_t blockKeys = products.size() * 2;
  auto score = [&] {
    SmallVector<Value> scores;
    for (auto [i, product] : llvm::enumerate(products))
      scores.push_back(
          head.score({k.b, product}, row + rowOf(i) * 8, column + (int64_t(i) / 4 * 8 + i % 2)).v);
    return scores;
  };
  if (!p.hasPlainScores() || p.mask)
    return score();
  Bool isEdge = head.keysSeenBy(firstRow).to < firstKey + blockKeys;
  if (p.left)
    isEdge = isEdge | firstKey < head.keysSeenBy(firstRow + (rows - 1)).from;
  return k.when(isEdge, products, score);
}

FlashState FlashRows::weigh(ValueRange products, I32 firstKey, const FlashState &before) {
  SmallVector<Value> scores = limit(products, firstKey);
  FlashState after;
  SmallVector<F32> weights(scores.size());
  for (int64_t half = 0; half < 2; ++half) {
    F32 most = before.most[half];
    for (auto [i, score] : llvm::enumerate(scores))
      if (rowOf(i) == half)
        most = k.max(most, {k.b, score});
    most = after.most[half] = k.warpMax(most, 4);
    ScoreWeights weight(k, p, most);
    after.scale[half] = weight(before.most[half]);
    F32 sum = before.sum[half] * after.scale[half];
    for (auto [i, score] : llvm::enumerate(scores))
      if (rowOf(i) == half) {
        weights[i] = weight({k.b, score});
        sum = sum + weights[i];
      }
    after.sum[half] = sum;
  }
  for (size_t i = 0; i < weights.size(); i += 2)
    after.words.push_back(k.packPair(weights[i], weights[i + 1], *getMmaType(p.element)));
  return after;
}

SmallVector<Value> FlashRows::rescale(ValueRange output, const FlashState &state) {
  SmallVector<Value> scaled;
  for (auto [i, x] : llvm::enumerate(output))
    scaled.push_back((F32(k.b, x) * state.scale[rowOf(i)]).v);
  return scaled;
}

void FlashRows::store(ValueRange output, const FlashState &state) {
  for (int64_t half = 0; half < 2; ++half) {
    F32 factor = head.factor(k.warpSum(state.sum[half], 4), state.most[half]);
    I32 query = row + half * 8;
    k.when(query < head.queries, [&] {
      GlobalPointer to = head.output(query) + k.lane() % 4 * 2;
      for (int64_t n = 0; n < p.valueDim / 8; ++n) {
        Value low = k.fromF32(F32(k.b, output[n * 4 + half * 2]) * factor, to.element);
        Value high = k.fromF32(F32(k.b, output[n * 4 + half * 2 + 1]) * factor, to.element);
        k.store({low, high}, to + k.i64(n * 8));
      }
    });
  }
}
