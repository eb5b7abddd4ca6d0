//===- FlashDecode.cpp - Attention of a few queries over many keys -------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// Where there are hardly any queries, the keys are what can be shared out: a block takes one query of one
// head and a part of the keys. Eight lanes share a key, 16 bytes each, so that a row of the keys is read in
// one piece; each such group keeps a maximum, a sum and weighted values of its own. What groups and then
// parts have found is put together in a fixed order, the parts by a second step through the workspace:
// results are the same in every run.
//
//===----------------------------------------------------------------------------------------------===//

#include "Attention.h"

#include <limits>

using namespace mlir;
using namespace mlir::tfc;

static constexpr int64_t kThreads = 128, kWarps = 4, kLanes = 8, kGroups = kThreads / kLanes, kParts = 8,
                         kAtOnce = 2;

namespace {
/// What a set of keys comes to. The weighted values are scaled by 2^-most.
struct Partial {
  F32 most, sum;
  SmallVector<F32> weighted;
};

class FlashDecode {
public:
  FlashDecode(GpuKernelRequest request, const GpuAttention &problem, StringRef name)
      : p(problem), k({request.module, request.kernel, request.target, name, kThreads}),
        rows(problem.query.dims[2] * problem.query.dims[1] * problem.query.dims[0]) {
    for (int64_t width : {16 / (problem.element.getIntOrFloatBitWidth() / 8), 4u, 2u, 1u})
      if (!vector && problem.isAligned(width))
        vector = width;
  }

  GpuStep emitParts();
  GpuStep emitMerge();

private:
  int64_t chunks(int64_t dim) const { return llvm::divideCeil(dim, kLanes * vector); }
  I32 elementAt(int64_t chunk) { return (lane * vector) + chunk * kLanes * vector; }
  AttentionHead enter(I32 row);
  SmallVector<F32> loadRow(GlobalPointer row, int64_t dim, Bool wanted);
  Partial merge(AttentionHead &head, const Partial &x, const Partial &y);
  void addKeys(AttentionHead &head, ArrayRef<I32> keys, I32 end, ArrayRef<F32> q, Partial &state);
  void storePart(AttentionHead &head, const Partial &state, I32 part);
  /// Of a part: the weighted values, the maximum, the sum.
  int64_t recordFloats() const { return p.valueDim + 2; }
  GlobalPointer record(I32 row, I32 part) {
    return k.workspace(k.b.getF32Type()) + (row.wide() * kParts + part.wide()) * recordFloats();
  }
  F32 read(GlobalPointer from, I32 at) { return {k.b, k.load(from + at, 1, /*readOnly=*/false)[0]}; }

  const GpuAttention &p;
  KernelBuilder k;
  DimExprAttr rows; ///< Queries of all heads and batches.
  int64_t vector = 0;
  I32 lane, query, row;
};
} // namespace

/// Row by row: queries of a head, heads, batches.
AttentionHead FlashDecode::enter(I32 number) {
  row = number;
  I32 queries = k.dim(p.query.dims[2]), heads = k.dim(p.query.dims[1]);
  query = number % queries;
  return AttentionHead(k, p, number / queries / heads, number / queries % heads);
}

/// The lane's elements of a row; zeros behind its end, and where it is not wanted.
SmallVector<F32> FlashDecode::loadRow(GlobalPointer from, int64_t dim, Bool wanted) {
  SmallVector<F32> numbers;
  for (int64_t chunk = 0; chunk < chunks(dim); ++chunk) {
    I32 at = elementAt(chunk);
    SmallVector<Value> zeros(vector, k.f32(0).v);
    for (Value x : k.when(wanted & at < dim, zeros, [&] {
           return llvm::map_to_vector(k.load(from + at, vector), [&](Value x) { return k.toF32(x).v; });
         }))
      numbers.push_back({k.b, x});
  }
  return numbers;
}

Partial FlashDecode::merge(AttentionHead &head, const Partial &x, const Partial &y) {
  Partial both;
  both.most = k.max(x.most, y.most);
  F32 ofX = head.weight(x.most, both.most), ofY = head.weight(y.most, both.most);
  both.sum = x.sum * ofX + y.sum * ofY;
  for (auto [a, b] : llvm::zip_equal(x.weighted, y.weighted))
    both.weighted.push_back(a * ofX + b * ofY);
  return both;
}

/// All rows are asked for before the first is used.
void FlashDecode::addKeys(AttentionHead &head, ArrayRef<I32> keys, I32 end, ArrayRef<F32> q, Partial &state) {
  SmallVector<SmallVector<F32>> keyRows, valueRows;
  for (I32 key : keys) {
    keyRows.push_back(loadRow(head.key(key), p.headDim, key < end));
    valueRows.push_back(loadRow(head.value(key), p.valueDim, key < end));
  }
  for (auto [i, key] : llvm::enumerate(keys)) {
    F32 product = k.f32(0);
    for (auto [x, y] : llvm::zip_equal(q, keyRows[i]))
      product = k.fma(x, y, product);
    F32 score = head.score(k.warpSum(product, kLanes), query, key);
    score = select(key < end, score, k.f32(-std::numeric_limits<float>::infinity()));
    state = merge(head, state, {score, select(key < end, k.f32(1), k.f32(0)), valueRows[i]});
  }
}

/// Puts the groups of the block together.
void FlashDecode::storePart(AttentionHead &head, const Partial &state, I32 part) {
  Partial ofWarp = state;
  for (int64_t distance = kLanes; distance < 32; distance *= 2) {
    Partial other{k.shuffleXor(ofWarp.most, distance), k.shuffleXor(ofWarp.sum, distance), {}};
    for (F32 x : ofWarp.weighted)
      other.weighted.push_back(k.shuffleXor(x, distance));
    ofWarp = merge(head, ofWarp, other);
  }
  SharedPointer exchange = k.shared(kWarps * recordFloats() * 4);
  auto place = [&](I32 warp, I32 at) { return exchange + (warp * recordFloats() + at) * 4; };
  k.when(k.lane() < kLanes, [&] {
    for (size_t i = 0; i < ofWarp.weighted.size(); ++i) {
      I32 at = elementAt(i / vector) + i % vector;
      k.when(at < p.valueDim, [&] { k.store({ofWarp.weighted[i].v}, place(k.warp(), at)); });
    }
    k.when(lane == 0, [&] {
      k.store({ofWarp.most.v}, place(k.warp(), k.i32(p.valueDim)));
      k.store({ofWarp.sum.v}, place(k.warp(), k.i32(p.valueDim + 1)));
    });
  });
  k.barrier();
  auto readShared = [&](int64_t warp, I32 at) {
    return F32(k.b, k.load(place(k.i32(warp), at), k.b.getF32Type(), 1)[0]);
  };
  GlobalPointer to = record(row, part);
  k.loop(k.thread(), k.i32(p.valueDim), k.i32(kThreads), [&](I32 at) {
    Partial all;
    for (int64_t warp = 0; warp < kWarps; ++warp) {
      Partial one{readShared(warp, k.i32(p.valueDim)),
                  readShared(warp, k.i32(p.valueDim + 1)),
                  {readShared(warp, at)}};
      all = warp == 0 ? one : merge(head, all, one);
    }
    k.store({all.weighted[0].v}, to + at);
    k.when(at == 0, [&] {
      k.store({all.most.v}, to + k.i32(p.valueDim));
      k.store({all.sum.v}, to + k.i32(p.valueDim + 1));
    });
  });
}

GpuStep FlashDecode::emitParts() {
  MLIRContext *context = p.element.getContext();
  DimExprAttr one = DimExprAttr::constant(context, 1);
  lane = k.thread() % kLanes;
  I32 group = k.thread() / kLanes, part = k.blockIndex() % kParts;
  AttentionHead head = enter(k.blockIndex() / kParts);
  SmallVector<F32> q = loadRow(head.query(query), p.headDim, k.boolean(true));
  KeyRange range = head.keysNeededBy(query, 1);
  I32 each = (range.to - range.from).max(k.i32(0)).ceilDiv(kParts);
  I32 from = (range.from + part * each).min(range.to), end = (from + each).min(range.to);
  SmallVector<Value> carried(2 + chunks(p.valueDim) * vector, k.f32(0).v);
  carried[0] = k.f32(-std::numeric_limits<float>::infinity()).v;
  auto toPartial = [&](ValueRange values) {
    Partial state{F32(k.b, values[0]), F32(k.b, values[1]), {}};
    for (Value x : values.drop_front(2))
      state.weighted.push_back({k.b, x});
    return state;
  };
  carried = k.loop(from, end, k.i32(kGroups * kAtOnce), carried, [&](I32 first, ValueRange values) {
    Partial state = toPartial(values);
    SmallVector<I32> keys;
    for (int64_t i = 0; i < kAtOnce; ++i)
      keys.push_back(first + group + i * kGroups);
    addKeys(head, keys, end, q, state);
    SmallVector<Value> next{state.most.v, state.sum.v};
    for (F32 x : state.weighted)
      next.push_back(x.v);
    return next;
  });
  storePart(head, toPartial(carried), part);
  GpuStep step = k.finish();
  step.grid = {rows * kParts, one, one};
  return step;
}

/// One warp per row.
GpuStep FlashDecode::emitMerge() {
  MLIRContext *context = p.element.getContext();
  DimExprAttr one = DimExprAttr::constant(context, 1);
  I32 number = k.blockIndex() * kWarps + k.warp();
  k.when(number < k.dim(rows), [&] {
    AttentionHead head = enter(number);
    F32 most, sum = k.f32(0), scale[kParts];
    for (int64_t part = 0; part < kParts; ++part) {
      F32 own = read(record(row, k.i32(part)), k.i32(p.valueDim));
      most = most ? k.max(most, own) : own;
    }
    for (int64_t part = 0; part < kParts; ++part) {
      GlobalPointer from = record(row, k.i32(part));
      scale[part] = head.weight(read(from, k.i32(p.valueDim)), most);
      sum = sum + read(from, k.i32(p.valueDim + 1)) * scale[part];
    }
    F32 factor = head.factor(sum, most);
    k.loop(k.lane(), k.i32(p.valueDim), k.i32(32), [&](I32 at) {
      F32 weighted = k.f32(0);
      for (int64_t part = 0; part < kParts; ++part)
        weighted = weighted + read(record(row, k.i32(part)), at) * scale[part];
      GlobalPointer to = head.output(query) + at;
      k.store({k.fromF32(weighted * factor, to.element)}, to);
    });
  });
  GpuStep step = k.finish();
  step.grid = {rows.ceilDiv(DimExprAttr::constant(context, kWarps)), one, one};
  return step;
}

FlashDecodeSteps mlir::tfc::emitFlashDecode(GpuKernelRequest request, const GpuAttention &p) {
  DimExprAttr rows = p.query.dims[2] * p.query.dims[1] * p.query.dims[0];
  return {
      {FlashDecode(request, p, "_decode").emitParts(), FlashDecode(request, p, "_decode_merge").emitMerge()},
      rows * (kParts * (p.valueDim + 2) * 4)};
}
