//===- FlashMma.cpp - Attention on tensor cores, by mma.sync -------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// For bf16 and f16 on sm_80 and later, head dims up to 128. Four warps have 16 queries each. Keys and values
// come 64 at a time through two buffers of shared memory by cp.async, in panels of 64 elements along the head
// dim: rows of 128 bytes whose 16-byte chunks are swizzled as in GemmMma. Scores stay in registers
// (FlashRows.h). Head dims that are no multiple of 16 are padded with zeros.
//
//===----------------------------------------------------------------------------------------------===//

#include "FlashRows.h"

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
  static SmallVector<Value> flatten(const Sums &sums) {
    SmallVector<Value> values;
    for (const std::array<F32, 4> &four : sums)
      for (F32 x : four)
        values.push_back(x.v);
    return values;
  }
  /// The place of a 16-byte chunk; chunks count along the head dim.
  I32 chunkPlace(I32 row, I32 chunk) {
    return chunk / 8 * kPanel + row * kRowBytes + (((chunk % 8) ^ (row & 7)) << 4);
  }
  int64_t keyBytes() const { return llvm::divideCeil(keySteps, 4) * kPanel; }
  int64_t valueBytes() const { return llvm::divideCeil(valueSteps, 4) * kPanel; }
  void copyRows(llvm::function_ref<GlobalPointer(I32)> rowAt, I32 first, I32 limit, int64_t dim,
                int64_t steps, SharedPointer to);
  void roundChunk(GlobalPointer from, Bool inside, SharedPointer to);
  void copyKeys(AttentionHead &head, I32 block, I32 end);
  SmallVector<Value> multiplyKeys(SharedPointer keys);
  SmallVector<Value> multiplyValues(SharedPointer values, ArrayRef<Value> weights, ValueRange output);
  SmallVector<Value> block(FlashRows &rows, I32 number, ValueRange carried);

  const GpuAttention &p;
  MmaType type;
  KernelBuilder k;
  int64_t keySteps, valueSteps; ///< of 16 elements
  SharedPointer queryRows, ring;
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

/// Keys from `end` on do not count: their values may be anything, and a weight of 0 would not help.
void FlashMma::copyKeys(AttentionHead &head, I32 block, I32 end) {
  SharedPointer to = ring + (block & 1) * (keyBytes() + valueBytes());
  I32 first = block * kKeys;
  copyRows([&](I32 row) { return head.key(row); }, first, end, p.headDim, keySteps, to);
  copyRows([&](I32 row) { return head.value(row); }, first, end, p.valueDim, valueSteps, to + keyBytes());
}

/// Products of the warp's 16 queries with 64 keys: eight blocks of 16 x 8.
SmallVector<Value> FlashMma::multiplyKeys(SharedPointer keys) {
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
  return flatten(sums);
}

SmallVector<Value> FlashMma::multiplyValues(SharedPointer values, ArrayRef<Value> weights,
                                            ValueRange output) {
  I32 lane = k.lane();
  Sums sums(valueSteps * 2);
  for (auto [i, x] : llvm::enumerate(output))
    sums[i / 4][i % 4] = {k.b, x};
  for (int64_t step = 0; step < kKeys / 16; ++step) {
    ArrayRef<Value> a = weights.slice(step * 4, 4);
    I32 row = (lane & 15) + step * 16;
    for (int64_t n = 0; n < valueSteps; ++n) {
      std::array<Value, 4> b =
          k.loadMatrices(values + chunkPlace(row, (lane >> 4) + n * 2), /*transposed=*/true);
      sums[2 * n] = k.mma(type, a, {b[0], b[1]}, sums[2 * n]);
      sums[2 * n + 1] = k.mma(type, a, {b[2], b[3]}, sums[2 * n + 1]);
    }
  }
  return flatten(sums);
}

/// One block of keys. Carried are the state of the rows, without weights, and weighted values.
SmallVector<Value> FlashMma::block(FlashRows &rows, I32 number, ValueRange carried) {
  SharedPointer keys = ring + (number & 1) * (keyBytes() + valueBytes());
  FlashState before = FlashState::from(k, carried.take_front(FlashState::kCarried));
  FlashState state = rows.weigh(multiplyKeys(keys), number * kKeys, before);
  SmallVector<Value> output = rows.rescale(carried.drop_front(FlashState::kCarried), state);
  output = multiplyValues(keys + keyBytes(), state.words, output);
  SmallVector<Value> next = state.carry();
  next.resize(FlashState::kCarried);
  llvm::append_range(next, output);
  return next;
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
  I32 firstQuery = tile * kQueries + k.warp() * 16;
  FlashRows rows(k, p, head, firstQuery, 16, firstQuery + k.lane() / 4);
  KeyRange keys = head.keysNeededBy(tile * kQueries, kQueries);
  I32 from = keys.from / kKeys, to = keys.to.ceilDiv(kKeys);

  copyRows([&](I32 row) { return head.query(row); }, tile * kQueries, head.queries, p.headDim, keySteps,
           queryRows);
  k.when(from < to, [&] { copyKeys(head, from, keys.to); });
  k.commitCopies();
  SmallVector<Value> state = FlashState::begin(k).carry();
  state.append(valueSteps * 8, k.f32(0).v);
  state = k.loop(from, to, k.i32(1), state, [&](I32 number, ValueRange values) {
    // All see the block, and all have done with the one before, whose place the next copies take.
    k.waitCopies(0);
    k.barrier();
    k.when(number + 1 < to, [&] { copyKeys(head, number + 1, keys.to); });
    k.commitCopies();
    return block(rows, number, values);
  });
  k.waitCopies(0);
  rows.store(ValueRange(state).drop_front(FlashState::kCarried),
             FlashState::from(k, ValueRange(state).take_front(FlashState::kCarried)));
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
