//===- FlashSimt.cpp - Attention without tensor cores --------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// Four lanes share a query, each with a quarter of its head dim in registers; a block has 32 queries. Keys
// and values come through shared memory as f32, 32 at a time, and are worked on eight at a time: scores, a
// running maximum, and sums that are scaled when it grows (Dao et al., arXiv 2205.14135). For f32 on every
// chip, and for 16-bit floats where mma.sync does not fit.
//
//===----------------------------------------------------------------------------------------------===//

#include "Attention.h"

#include <limits>

using namespace mlir;
using namespace mlir::tfc;

static constexpr int64_t kThreads = 128, kQueries = 32, kKeys = 32, kStep = 8;
static constexpr int64_t kMostDim = 256;

namespace {
class FlashSimt {
public:
  FlashSimt(GpuKernelRequest request, const GpuAttention &problem)
      : p(problem), k({request.module, request.kernel, request.target, "_flash", kThreads}),
        keyChunks(llvm::divideCeil(problem.headDim, 16)),
        valueChunks(llvm::divideCeil(problem.valueDim, 16)) {}

  GpuStep emit();

private:
  /// Rows in shared memory hold a multiple of 16 floats. Chunk c of a lane is the four floats at 16 * c + 4 *
  /// lane.
  I32 chunkAt(int64_t chunk) { return part * 4 + chunk * 16; }
  SmallVector<F32> loadNumbers(GlobalPointer row, I32 at, int64_t dim);
  void copyRows(AttentionHead &head, I32 first, I32 end, bool isValue, SharedPointer to);
  SmallVector<Value> step(AttentionHead &head, I32 first, SharedPointer keys, SharedPointer values,
                          ValueRange state);

  const GpuAttention &p;
  KernelBuilder k;
  int64_t keyChunks, valueChunks;
  I32 query, part; ///< The lane's query, and which quarter of it.
  SmallVector<F32> q;
};
} // namespace

/// Four neighbours of a row of `dim` elements; zeros behind its end.
SmallVector<F32> FlashSimt::loadNumbers(GlobalPointer row, I32 at, int64_t dim) {
  int64_t width = p.isAligned(4) ? 4 : 1;
  SmallVector<F32> numbers;
  for (int64_t i = 0; i < 4; i += width) {
    auto load = [&] {
      return llvm::map_to_vector(k.load(row + (at + i), width), [&](Value x) { return k.toF32(x).v; });
    };
    SmallVector<Value> zeros(width, k.f32(0).v);
    SmallVector<Value> loaded = dim % 16 == 0 ? load() : k.when(at + i < dim, zeros, load);
    for (Value x : loaded)
      numbers.push_back({k.b, x});
  }
  return numbers;
}

/// kKeys rows of keys or values, from row `first` on; zeros from `end` on, for what does not count may be
/// anything.
void FlashSimt::copyRows(AttentionHead &head, I32 first, I32 end, bool isValue, SharedPointer to) {
  int64_t chunks = isValue ? valueChunks : keyChunks, perRow = chunks * 4;
  int64_t dim = isValue ? p.valueDim : p.headDim;
  k.loop(k.thread(), k.i32(kKeys * perRow), k.i32(kThreads), [&](I32 index) {
    I32 line = index / perRow, at = index % perRow * 4, row = first + line;
    SmallVector<Value> numbers = k.when(row < end, SmallVector<Value>(4, k.f32(0).v), [&] {
      GlobalPointer from = isValue ? head.value(row) : head.key(row);
      return llvm::map_to_vector(loadNumbers(from, at, dim), [](F32 x) { return x.v; });
    });
    k.store(numbers, to + (line * (perRow * 4) + at) * 4);
  });
}

/// kStep keys. The state is the maximum, the sum of exponentials, and the lane's part of the weighted values.
SmallVector<Value> FlashSimt::step(AttentionHead &head, I32 first, SharedPointer keys, SharedPointer values,
                                   ValueRange state) {
  Type f32 = k.b.getF32Type();
  SmallVector<F32> scores;
  F32 most(k.b, state[0]), sum(k.b, state[1]), next = most;
  for (int64_t n = 0; n < kStep; ++n) {
    F32 product = k.f32(0);
    for (int64_t c = 0; c < keyChunks; ++c)
      for (auto [i, x] : llvm::enumerate(k.load(keys + (chunkAt(c) + n * keyChunks * 16) * 4, f32, 4)))
        product = k.fma(q[c * 4 + i], {k.b, x}, product);
    scores.push_back(head.score(k.warpSum(product, 4), query, first + n));
    next = k.max(next, scores.back());
  }
  F32 scale = head.weight(most, next);
  sum = sum * scale;
  SmallVector<F32> weighted;
  for (Value value : state.drop_front(2))
    weighted.push_back(F32(k.b, value) * scale);
  for (int64_t n = 0; n < kStep; ++n) {
    F32 weight = head.weight(scores[n], next);
    sum = sum + weight;
    for (int64_t c = 0; c < valueChunks; ++c)
      for (auto [i, x] : llvm::enumerate(k.load(values + (chunkAt(c) + n * valueChunks * 16) * 4, f32, 4)))
        weighted[c * 4 + i] = k.fma(weight, {k.b, x}, weighted[c * 4 + i]);
  }
  SmallVector<Value> result{next.v, sum.v};
  for (F32 x : weighted)
    result.push_back(x.v);
  return result;
}

GpuStep FlashSimt::emit() {
  MLIRContext *context = p.element.getContext();
  DimExprAttr one = DimExprAttr::constant(context, 1);
  DimExprAttr tiles = p.query.dims[2].ceilDiv(DimExprAttr::constant(context, kQueries));
  SharedPointer keyRows = k.shared(kKeys * keyChunks * 64), valueRows = k.shared(kKeys * valueChunks * 64);
  I32 number = k.blockIndex(), tilesPerHead = k.dim(tiles), heads = k.dim(p.query.dims[1]);
  I32 tile = number % tilesPerHead, headNumber = number / tilesPerHead % heads,
      batch = number / tilesPerHead / heads;
  AttentionHead head(k, p, batch, headNumber);
  query = tile * kQueries + k.thread() / 4;
  part = k.thread() % 4;
  for (int64_t c = 0; c < keyChunks; ++c)
    llvm::append_range(q, loadNumbers(head.query(query.min(head.queries - 1)), chunkAt(c), p.headDim));

  SmallVector<Value> state(2 + valueChunks * 4, k.f32(0).v);
  state[0] = k.f32(-std::numeric_limits<float>::infinity()).v;
  KeyRange range = head.keysNeededBy(tile * kQueries, kQueries);
  state = k.loop(range.from, range.to, k.i32(kKeys), state, [&](I32 first, ValueRange values) {
    k.barrier(); // All have done with the rows before.
    copyRows(head, first, range.to, /*isValue=*/false, keyRows);
    copyRows(head, first, range.to, /*isValue=*/true, valueRows);
    k.barrier();
    return k.loop(k.i32(0), k.i32(kKeys), k.i32(kStep), values, [&](I32 offset, ValueRange values) {
      return step(head, first + offset, keyRows + offset * (keyChunks * 64),
                  valueRows + offset * (valueChunks * 64), values);
    });
  });
  F32 factor = head.factor({k.b, state[1]}, {k.b, state[0]});
  k.when(query < head.queries, [&] {
    GlobalPointer row = head.output(query);
    int64_t width = p.isAligned(4) ? 4 : 1;
    for (int64_t i = 0; i < valueChunks * 4; i += width) {
      I32 at = chunkAt(i / 4) + i % 4;
      auto store = [&] {
        SmallVector<Value> numbers;
        for (int64_t n = 0; n < width; ++n)
          numbers.push_back(k.fromF32(F32(k.b, state[2 + i + n]) * factor, row.element));
        k.store(numbers, row + at);
      };
      if (p.valueDim % 16 == 0)
        store();
      else
        k.when(at < p.valueDim, store);
    }
  });
  GpuStep result = k.finish();
  result.grid = {tiles * p.query.dims[1] * p.query.dims[0], one, one};
  return result;
}

std::optional<GpuStep> mlir::tfc::emitFlashSimt(GpuKernelRequest request, const GpuAttention &problem) {
  if (problem.headDim > kMostDim || problem.valueDim > kMostDim)
    return std::nullopt;
  return FlashSimt(request, problem).emit();
}
