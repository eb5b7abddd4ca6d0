//===- FlashMma.cpp - Attention on tensor cores, by mma.sync -------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// For bf16 and f16 on sm_80 and later, head dims up to 128. Four warps have 16 queries each. Keys and values
// come 64 at a time through two buffers of shared memory by cp.async, in panels of 64 elements along the head
// dim: rows of 128 bytes whose 16-byte chunks are swizzled as in GemmMma. Scores stay in registers: the
// layout in which mma.sync leaves them is the one in which it takes a left operand, so the weights go
// straight into the second product (Dao, arXiv 2307.08691). Head dims that are no multiple of 16 are padded
// with zeros.
//
//===----------------------------------------------------------------------------------------------===//

#include "Attention.h"

#include <limits>

using namespace mlir;
using namespace mlir::tfc;

static constexpr int64_t kThreads = 128, kQueries = 64, kKeys = 64, kRowBytes = 128, kPanel = 64 * kRowBytes;
static constexpr int64_t kMostDim = 128;

namespace {
class FlashMma {
public:
  FlashMma(GpuKernelRequest request, const GpuAttention &problem)
      : p(problem), type(*getMmaType(problem.element)),
        k({request.module, request.kernel, request.target, "_flash", kThreads}),
        keySteps(llvm::divideCeil(problem.headDim, 16)), valueSteps(llvm::divideCeil(problem.valueDim, 16)) {}

  GpuStep emit();

private:
  using Sums = SmallVector<std::array<F32, 4>>;
  /// The place of a 16-byte chunk; chunks count along the head dim.
  I32 chunkPlace(I32 row, I32 chunk) {
    return chunk / 8 * kPanel + row * kRowBytes + (((chunk % 8) ^ (row & 7)) << 4);
  }
  int64_t keyBytes() const { return llvm::divideCeil(keySteps, 4) * kPanel; }
  int64_t valueBytes() const { return llvm::divideCeil(valueSteps, 4) * kPanel; }
  void copyRows(llvm::function_ref<GlobalPointer(I32)> rowAt, I32 first, I32 limit, int64_t dim,
                int64_t steps, SharedPointer to);
  void roundChunk(GlobalPointer from, Bool inside, SharedPointer to);
  void copyKeys(AttentionHead &head, I32 block);
  Sums multiplyKeys(SharedPointer keys);
  void multiplyValues(SharedPointer values, const Sums &weights, Sums &output);
  SmallVector<Value> block(AttentionHead &head, I32 number, ValueRange state);
  void storeRows(AttentionHead &head, ValueRange state);

  const GpuAttention &p;
  MmaType type;
  KernelBuilder k;
  int64_t keySteps, valueSteps; ///< of 16 elements
  SharedPointer queryRows, ring;
  I32 firstQuery; ///< of the warp
};
} // namespace

/// A chunk of numbers that lie in memory as f32.
void FlashMma::roundChunk(GlobalPointer from, Bool inside, SharedPointer to) {
  SmallVector<Value> zeros(8, k.f32(0).v);
  SmallVector<Value> numbers = k.when(inside, zeros, [&] { return k.load(from, 8); }), words;
  for (int64_t i = 0; i < 8; i += 2)
    words.push_back(k.packPair({k.b, numbers[i]}, {k.b, numbers[i + 1]}, type));
  k.store(words, to);
}

/// 64 rows, from row `first` on; zeros outside.
void FlashMma::copyRows(llvm::function_ref<GlobalPointer(I32)> rowAt, I32 first, I32 limit, int64_t dim,
                        int64_t steps, SharedPointer to) {
  int64_t perRow = steps * 2;
  for (int64_t i = 0; i < 64 * perRow; i += kThreads) {
    I32 index = k.thread() + i, line = index / perRow, chunk = index % perRow, row = first + line;
    Bool inside = row < limit & chunk < dim / 8;
    // The address must be good where nothing is read, too.
    GlobalPointer from = rowAt(select(inside, row, k.i32(0))) + select(inside, chunk * 8, k.i32(0));
    if (from.element == p.element)
      k.copyAsync(to + chunkPlace(line, chunk), from, select(inside, k.i32(16), k.i32(0)));
    else
      roundChunk(from, inside, to + chunkPlace(line, chunk));
  }
}

void FlashMma::copyKeys(AttentionHead &head, I32 block) {
  SharedPointer to = ring + (block & 1) * (keyBytes() + valueBytes());
  I32 first = block * kKeys;
  copyRows([&](I32 row) { return head.key(row); }, first, head.keys, p.headDim, keySteps, to);
  copyRows([&](I32 row) { return head.value(row); }, first, head.keys, p.valueDim, valueSteps,
           to + keyBytes());
}

/// Products of the warp's 16 queries with 64 keys: eight blocks of 16 x 8.
FlashMma::Sums FlashMma::multiplyKeys(SharedPointer keys) {
  Sums sums(kKeys / 8, {k.f32(0), k.f32(0), k.f32(0), k.f32(0)});
  I32 lane = k.lane();
  for (int64_t step = 0; step < keySteps; ++step) {
    I32 line = k.warp() * 16 + (lane & 15);
    std::array<Value, 4> a =
        k.loadMatrices(queryRows + chunkPlace(line, (lane >> 4) + step * 2), /*transposed=*/false);
    for (int64_t n = 0; n < kKeys / 16; ++n) {
      I32 row = (lane & 7) + ((lane >> 4) << 3) + n * 16;
      std::array<Value, 4> b =
          k.loadMatrices(keys + chunkPlace(row, ((lane >> 3) & 1) + step * 2), /*transposed=*/false);
      sums[2 * n] = k.mma(type, a, {b[0], b[1]}, sums[2 * n]);
      sums[2 * n + 1] = k.mma(type, a, {b[2], b[3]}, sums[2 * n + 1]);
    }
  }
  return sums;
}

void FlashMma::multiplyValues(SharedPointer values, const Sums &weights, Sums &output) {
  I32 lane = k.lane();
  for (int64_t step = 0; step < kKeys / 16; ++step) {
    const std::array<F32, 4> &left = weights[2 * step], &right = weights[2 * step + 1];
    Value a[] = {k.packPair(left[0], left[1], type), k.packPair(left[2], left[3], type),
                 k.packPair(right[0], right[1], type), k.packPair(right[2], right[3], type)};
    I32 row = (lane & 15) + step * 16;
    for (int64_t n = 0; n < valueSteps; ++n) {
      std::array<Value, 4> b =
          k.loadMatrices(values + chunkPlace(row, (lane >> 4) + n * 2), /*transposed=*/true);
      output[2 * n] = k.mma(type, a, {b[0], b[1]}, output[2 * n]);
      output[2 * n + 1] = k.mma(type, a, {b[2], b[3]}, output[2 * n + 1]);
    }
  }
}

/// One block of keys. A lane works on two rows, r and r + 8; the state is their maxima, sums (the lane's
/// part), and weighted values.
SmallVector<Value> FlashMma::block(AttentionHead &head, I32 number, ValueRange state) {
  SharedPointer keys = ring + (number & 1) * (keyBytes() + valueBytes());
  Sums scores = multiplyKeys(keys);
  I32 lane = k.lane(), row = firstQuery + lane / 4, column = number * kKeys + lane % 4 * 2;
  F32 most[2], sum[2], scale[2];
  for (int64_t half = 0; half < 2; ++half) {
    F32 before(k.b, state[half]), next = before;
    for (int64_t n = 0; n < kKeys / 8; ++n)
      for (int64_t i = 0; i < 2; ++i) {
        F32 &s = scores[n][half * 2 + i];
        s = head.score(s, row + half * 8, column + (n * 8 + i));
        next = k.max(next, s);
      }
    most[half] = k.warpMax(next, 4);
    scale[half] = head.exponential(before, most[half]);
    sum[half] = F32(k.b, state[2 + half]) * scale[half];
    for (int64_t n = 0; n < kKeys / 8; ++n)
      for (int64_t i = 0; i < 2; ++i) {
        F32 &s = scores[n][half * 2 + i];
        s = head.exponential(s, most[half]);
        sum[half] = sum[half] + s;
      }
  }
  Sums output(valueSteps * 2);
  for (auto [n, four] : llvm::enumerate(output))
    for (int64_t i = 0; i < 4; ++i)
      four[i] = F32(k.b, state[4 + n * 4 + i]) * scale[i / 2];
  multiplyValues(keys + keyBytes(), scores, output);
  SmallVector<Value> next{most[0].v, most[1].v, sum[0].v, sum[1].v};
  for (const std::array<F32, 4> &four : output)
    for (F32 x : four)
      next.push_back(x.v);
  return next;
}

void FlashMma::storeRows(AttentionHead &head, ValueRange state) {
  I32 lane = k.lane();
  for (int64_t half = 0; half < 2; ++half) {
    F32 factor = head.factor(k.warpSum({k.b, state[2 + half]}, 4), {k.b, state[half]});
    I32 row = firstQuery + lane / 4 + half * 8;
    k.when(row < head.queries, [&] {
      GlobalPointer to = head.output(row) + lane % 4 * 2;
      for (int64_t n = 0; n < valueSteps * 2 && n * 8 < p.valueDim; ++n) {
        Value low = k.fromF32(F32(k.b, state[4 + n * 4 + half * 2]) * factor, to.element);
        Value high = k.fromF32(F32(k.b, state[4 + n * 4 + half * 2 + 1]) * factor, to.element);
        k.store({low, high}, to + k.i64(n * 8));
      }
    });
  }
}

GpuStep FlashMma::emit() {
  MLIRContext *context = p.element.getContext();
  DimExprAttr one = DimExprAttr::constant(context, 1);
  DimExprAttr tiles = p.query.dims[2].ceilDiv(DimExprAttr::constant(context, kQueries));
  queryRows = k.shared(keyBytes(), 1024);
  ring = k.shared(2 * (keyBytes() + valueBytes()), 1024);
  I32 number = k.blockIndex(), tilesPerHead = k.dim(tiles), heads = k.dim(p.query.dims[1]);
  I32 tile = number % tilesPerHead, headNumber = number / tilesPerHead % heads,
      batch = number / tilesPerHead / heads;
  AttentionHead head(k, p, batch, headNumber);
  firstQuery = tile * kQueries + k.warp() * 16;
  I32 end = head.keysUpTo((tile * kQueries + (kQueries - 1)).min(head.queries - 1)),
      blocks = end.ceilDiv(kKeys);

  copyRows([&](I32 row) { return head.query(row); }, tile * kQueries, head.queries, p.headDim, keySteps,
           queryRows);
  k.when(k.i32(0) < blocks, [&] { copyKeys(head, k.i32(0)); });
  k.commitCopies();
  SmallVector<Value> state(4 + valueSteps * 8, k.f32(0).v);
  state[0] = state[1] = k.f32(-std::numeric_limits<float>::infinity()).v;
  state = k.loop(k.i32(0), blocks, k.i32(1), state, [&](I32 number, ValueRange values) {
    // All see the block, and all have done with the one before, whose place the next copies take.
    k.waitCopies(0);
    k.barrier();
    k.when(number + 1 < blocks, [&] { copyKeys(head, number + 1); });
    k.commitCopies();
    return block(head, number, values);
  });
  k.waitCopies(0);
  storeRows(head, state);
  GpuStep result = k.finish();
  result.grid = {tiles * p.query.dims[1] * p.query.dims[0], one, one};
  return result;
}

std::optional<GpuStep> mlir::tfc::emitFlashMma(GpuKernelRequest request, const GpuAttention &problem) {
  if (!request.target.hasMmaSync || !getMmaType(problem.element) || problem.headDim > kMostDim ||
      problem.valueDim > kMostDim || !problem.isAligned(8))
    return std::nullopt;
  return FlashMma(request, problem).emit();
}
