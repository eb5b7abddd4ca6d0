//===- FlashDecode.cpp - Attention of a few queries over many keys -------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// Where there are hardly any queries, the keys are what can be shared out: a block takes a part of the keys,
// and one query of up to four heads that share a head of the keys, so that these are read once for all of
// them. Eight lanes share a key, 16 bytes each, so that a row of the keys is read in one piece; each such
// group keeps a maximum, a sum and weighted values of its own. What groups and then parts have found is put
// together in a fixed order, the parts by a second step through the workspace: results are the same in every
// run. How many parts there are depends on the number of keys alone.
//
//===----------------------------------------------------------------------------------------------===//

#include "Attention.h"

#include <limits>
#include <vector>

using namespace mlir;
using namespace mlir::tfc;

static constexpr int64_t kThreads = 128, kWarps = 4, kLanes = 8, kGroups = kThreads / kLanes;
/// Keys of a part, until there are as many parts as lanes of the warp that puts them together.
static constexpr int64_t kPartKeys = 64, kMostParts = 32, kMostShared = 4;

namespace {
/// What a set of keys comes to. The weighted values are scaled by 2^-most.
struct Partial {
  F32 most, sum;
  SmallVector<F32> weighted;
};

/// A query of one head.
struct DecodeRow {
  AttentionHead head;
  I32 number; ///< by batches, heads, queries of a head
  SmallVector<F32> query;
};

class FlashDecode {
public:
  FlashDecode(GpuKernelRequest request, const GpuAttention &problem, StringRef name)
      : p(problem), k({request.module, request.kernel, request.target, name, kThreads}),
        rows(problem.query.dims[2] * problem.query.dims[1] * problem.query.dims[0]) {
    MLIRContext *context = p.element.getContext();
    auto constant = [&](int64_t value) { return DimExprAttr::constant(context, value); };
    parts = p.key.dims[2].ceilDiv(constant(kPartKeys)).max(constant(1)).min(constant(kMostParts));
    for (int64_t width : {16 / (problem.element.getIntOrFloatBitWidth() / 8), 4u, 2u, 1u})
      if (!vector && problem.isAligned(width))
        vector = width;
    // Rows of keys and of values that are asked for at once.
    atOnce = std::max<int64_t>(1, 4 / std::max(chunks(p.headDim), chunks(p.valueDim)));
    std::optional<int64_t> heads = p.query.dims[1].getConstant(), keyHeads = p.key.dims[1].getConstant();
    for (int64_t count = 2; heads && keyHeads && count <= kMostShared; ++count)
      if (*heads / *keyHeads % count == 0)
        shared = count;
  }

  GpuStep emitParts();
  GpuStep emitMerge();
  DimExprAttr workspaceBytes() const { return rows * parts * (recordFloats() * 4); }

private:
  int64_t chunks(int64_t dim) const { return llvm::divideCeil(dim, kLanes * vector); }
  I32 elementAt(int64_t chunk) { return (lane * vector) + chunk * kLanes * vector; }
  std::vector<DecodeRow> enter(I32 number);
  SmallVector<F32> loadRow(GlobalPointer row, int64_t dim, Bool wanted);
  Partial merge(AttentionHead &head, const Partial &x, const Partial &y);
  void addKeys(MutableArrayRef<DecodeRow> rows, ArrayRef<I32> keys, I32 end, MutableArrayRef<Partial> states);
  void storePart(DecodeRow &row, const Partial &state, I32 part, SharedPointer exchange);
  /// Of a part: the weighted values, the maximum, the sum.
  int64_t recordFloats() const { return p.valueDim + 2; }
  GlobalPointer record(I32 row, I32 part) {
    return k.workspace(k.b.getF32Type()) + (row.wide() * k.wideDim(parts) + part.wide()) * recordFloats();
  }
  F32 read(GlobalPointer from, I32 at) { return {k.b, k.load(from + at, 1, /*readOnly=*/false)[0]}; }

  const GpuAttention &p;
  KernelBuilder k;
  DimExprAttr rows, parts; ///< Queries of all heads and batches; parts of the keys.
  int64_t vector = 0, atOnce = 1;
  int64_t shared = 1; ///< Heads that a block works on.
  I32 lane, query;
};
} // namespace

/// The rows of a block: `number` counts queries of a head, groups of heads, batches.
std::vector<DecodeRow> FlashDecode::enter(I32 number) {
  I32 queries = k.dim(p.query.dims[2]), heads = k.dim(p.query.dims[1]), groups = heads / shared;
  query = number % queries;
  I32 batch = number / queries / groups, first = number / queries % groups * shared;
  std::vector<DecodeRow> result;
  for (int64_t i = 0; i < shared; ++i)
    result.push_back(
        {AttentionHead(k, p, batch, first + i), (batch * heads + first + i) * queries + query, {}});
  return result;
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
void FlashDecode::addKeys(MutableArrayRef<DecodeRow> rows, ArrayRef<I32> keys, I32 end,
                          MutableArrayRef<Partial> states) {
  SmallVector<SmallVector<F32>> keyRows, valueRows;
  AttentionHead &any = rows.front().head;
  for (I32 key : keys) {
    keyRows.push_back(loadRow(any.key(key), p.headDim, key < end));
    valueRows.push_back(loadRow(any.value(key), p.valueDim, key < end));
  }
  for (auto [i, key] : llvm::enumerate(keys))
    for (size_t r = 0; r < rows.size(); ++r) {
      F32 product = k.f32(0);
      for (auto [x, y] : llvm::zip_equal(rows[r].query, keyRows[i]))
        product = k.fma(x, y, product);
      F32 score = rows[r].head.score(k.warpSum(product, kLanes), query, key);
      score = select(key < end, score, k.f32(-std::numeric_limits<float>::infinity()));
      F32 one = select(key < end, k.f32(1), k.f32(0));
      states[r] = merge(rows[r].head, states[r], {score, one, valueRows[i]});
    }
}

/// Puts the groups of the block together.
void FlashDecode::storePart(DecodeRow &row, const Partial &state, I32 part, SharedPointer exchange) {
  Partial ofWarp = state;
  for (int64_t distance = kLanes; distance < 32; distance *= 2) {
    Partial other{k.shuffleXor(ofWarp.most, distance), k.shuffleXor(ofWarp.sum, distance), {}};
    for (F32 x : ofWarp.weighted)
      other.weighted.push_back(k.shuffleXor(x, distance));
    ofWarp = merge(row.head, ofWarp, other);
  }
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
  GlobalPointer to = record(row.number, part);
  k.loop(k.thread(), k.i32(p.valueDim), k.i32(kThreads), [&](I32 at) {
    Partial all;
    for (int64_t warp = 0; warp < kWarps; ++warp) {
      Partial one{readShared(warp, k.i32(p.valueDim)),
                  readShared(warp, k.i32(p.valueDim + 1)),
                  {readShared(warp, at)}};
      all = warp == 0 ? one : merge(row.head, all, one);
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
  I32 group = k.thread() / kLanes, partCount = k.dim(parts), part = k.blockIndex() % partCount;
  std::vector<DecodeRow> block = enter(k.blockIndex() / partCount);
  for (DecodeRow &row : block)
    row.query = loadRow(row.head.query(query), p.headDim, k.boolean(true));
  KeyRange range = block.front().head.keysNeededBy(query, 1);
  I32 each = ((range.to - range.from).max(k.i32(0)) + partCount - 1) / partCount;
  I32 from = (range.from + part * each).min(range.to), end = (from + each).min(range.to);
  int64_t weighted = chunks(p.valueDim) * vector;
  auto toStates = [&](ValueRange values) {
    SmallVector<Partial> states;
    for (; !values.empty(); values = values.drop_front(2 + weighted)) {
      states.push_back({F32(k.b, values[0]), F32(k.b, values[1]), {}});
      for (Value x : values.slice(2, weighted))
        states.back().weighted.push_back({k.b, x});
    }
    return states;
  };
  SmallVector<Value> carried(shared * (2 + weighted), k.f32(0).v);
  for (int64_t i = 0; i < shared; ++i)
    carried[i * (2 + weighted)] = k.f32(-std::numeric_limits<float>::infinity()).v;
  carried = k.loop(from, end, k.i32(kGroups * atOnce), carried, [&](I32 first, ValueRange values) {
    SmallVector<Partial> states = toStates(values);
    SmallVector<I32> keys;
    for (int64_t i = 0; i < atOnce; ++i)
      keys.push_back(first + group + i * kGroups);
    addKeys(block, keys, end, states);
    SmallVector<Value> next;
    for (const Partial &state : states) {
      next.append({state.most.v, state.sum.v});
      for (F32 x : state.weighted)
        next.push_back(x.v);
    }
    return next;
  });
  SmallVector<Partial> states = toStates(carried);
  for (auto [row, state] : llvm::zip_equal(block, states))
    storePart(row, state, part, k.shared(kWarps * recordFloats() * 4));
  GpuStep step = k.finish();
  step.grid = {rows.floorDiv(DimExprAttr::constant(context, shared)) * parts, one, one};
  return step;
}

/// One warp per row; lane i knows what part i weighs.
GpuStep FlashDecode::emitMerge() {
  static constexpr int64_t kAtOnce = 8;
  MLIRContext *context = p.element.getContext();
  DimExprAttr one = DimExprAttr::constant(context, 1);
  shared = 1;
  SharedPointer scales = k.shared(kThreads * 4) + k.warp() * (32 * 4);
  I32 number = k.blockIndex() * kWarps + k.warp(), last = k.dim(parts) - 1;
  k.when(number < k.dim(rows), [&] {
    AttentionHead head = enter(number).front().head;
    GlobalPointer own = record(number, k.lane().min(last));
    F32 most = read(own, k.i32(p.valueDim)), all = k.warpMax(most);
    F32 scale = select(k.lane() <= last, head.weight(most, all), k.f32(0));
    F32 sum = k.warpSum(read(own, k.i32(p.valueDim + 1)) * scale);
    k.store({scale.v}, scales + k.lane() * 4);
    k.intrinsic("llvm.nvvm.bar.warp.sync", {}, {k.i32(-1).v});
    F32 factor = head.factor(sum, all);
    k.loop(k.lane(), k.i32(p.valueDim), k.i32(32), [&](I32 at) {
      SmallVector<Value> total{k.f32(0).v};
      total = k.loop(k.i32(0), last + 1, k.i32(kAtOnce), total, [&](I32 first, ValueRange values) {
        F32 weighted(k.b, values[0]);
        for (int64_t i = 0; i < kAtOnce; ++i) {
          // Behind the last part the scale is 0.
          F32 scale(k.b, k.load(scales + (first + i) * 4, k.b.getF32Type(), 1)[0]);
          weighted = weighted + read(record(number, (first + i).min(last)), at) * scale;
        }
        return SmallVector<Value>{weighted.v};
      });
      GlobalPointer to = head.output(query) + at;
      k.store({k.fromF32(F32(k.b, total[0]) * factor, to.element)}, to);
    });
  });
  GpuStep step = k.finish();
  step.grid = {rows.ceilDiv(DimExprAttr::constant(context, kWarps)), one, one};
  return step;
}

FlashDecodeSteps mlir::tfc::emitFlashDecode(GpuKernelRequest request, const GpuAttention &p) {
  FlashDecode parts(request, p, "_decode");
  return {{parts.emitParts(), FlashDecode(request, p, "_decode_merge").emitMerge()}, parts.workspaceBytes()};
}
