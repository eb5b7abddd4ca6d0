//===- FlashWgmma.cpp - Attention on Hopper's tensor cores ---------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// For bf16 and f16 on sm_90a, head dims up to 128. A block has three warpgroups and stays on its
// multiprocessor: it takes one tile of 128 queries of a head after the other. A thread of the first
// warpgroup has the copy engine bring the queries, and keys and values 64 or 128 at a time through a ring of
// buffers; the other two have 64 queries each. Tiles in shared memory are panels of 64 elements along the
// head dim. What the copy engine finds outside of a tensor is zero: rows behind the last one, and the rest
// of a head dim's last panel.
//
// Scores stay in registers, and are the left operand of the second product from there. That product of a
// block of keys is under way while the scores of the next one become weights (Shah et al.,
// arXiv 2407.08608): its tensor cores and the exponentials take about the same time.
//
//===----------------------------------------------------------------------------------------------===//

#include "../KernelHopper.h"
#include "FlashRows.h"

using namespace mlir;
using namespace mlir::tfc;

static constexpr int64_t kThreads = 384, kConsumers = 2, kRows = 64, kQueries = kConsumers * kRows;
static constexpr int64_t kRowBytes = 128, kStages = 3, kMostDim = 128;
// Of 64 K registers, 168 for each of 384 threads at first: the producer gives most of its away.
static constexpr HopperBuilder::RoleRegisters kRegisters{40, 232};

namespace {
/// The numbers of the tensor maps.
enum Map : unsigned { kQueryMap, kKeyMap, kValueMap };

class FlashWgmma {
public:
  FlashWgmma(GpuKernelRequest request, const GpuAttention &problem)
      : p(problem), type(*getMmaType(problem.element)), multiprocessors(request.target.multiprocessors),
        k({request.module, request.kernel, request.target, "_flash", kThreads, /*minBlocks=*/1, /*maps=*/3}),
        h(k), keys(needsRoom() ? 64 : 128) {}

  GpuStep emit();

private:
  /// Scores of each query's own mask or bias take registers besides, while these are loaded.
  bool needsRoom() const {
    auto movesWithQuery = [](const std::optional<StridedView> &view) {
      return view && view->dims.size() > 1 && !view->dims[view->dims.size() - 2].isConstant(1);
    };
    return movesWithQuery(p.mask) || movesWithQuery(p.bias);
  }
  int64_t keyPanels() const { return llvm::divideCeil(p.headDim, 64); }
  int64_t valuePanels() const { return llvm::divideCeil(p.valueDim, 64); }
  int64_t queryBytes() const { return keyPanels() * kQueries * kRowBytes; }
  int64_t keyBytes() const { return keyPanels() * keys * kRowBytes; }
  int64_t valueBytes() const { return valuePanels() * keys * kRowBytes; }
  SharedPointer keysAt(I32 stage) { return ring + stage * (keyBytes() + valueBytes()); }
  SharedPointer valuesAt(I32 stage) { return keysAt(stage) + keyBytes(); }
  /// Barriers of a stage, and those of the queries behind them.
  enum Barrier { kFullKeys, kEmptyKeys, kFullValues, kEmptyValues, kPerStage };
  SharedPointer barrier(Barrier which, I32 stage) { return barriers + (stage * (kPerStage * 8) + which * 8); }
  SharedPointer fullQueries() { return barriers + kStages * kPerStage * 8; }
  SharedPointer emptyQueries() { return fullQueries() + 8; }

  /// A tile of queries of one head.
  struct Tile {
    I32 batch, head, keyHead, firstQuery;
  };
  /// Runs `body` for each of the block's tiles; the place in the ring goes on from tile to tile.
  void overTiles(I32 parity, function_ref<RingPlace(Tile, I32 tileParity, RingPlace)> body);
  RingPlace next(RingPlace place);
  void produce();
  void copyRows(unsigned map, int64_t panels, int64_t rows, I32 first, I32 head, I32 batch,
                SharedPointer barrier, SharedPointer to);
  void consume(I32 consumer);
  void release(SharedPointer barrier) {
    k.when(leader, [&] { h.arrive(barrier); });
  }
  void awaitKeys(RingPlace place) { h.wait(barrier(kFullKeys, place.stage), place.parity); }
  SmallVector<Value> startScores(I32 consumer, RingPlace place);
  SmallVector<Value> startWeighting(RingPlace place, ValueRange words, ValueRange output);
  GpuTensorMap map(const StridedView &view, int64_t rows);

  const GpuAttention &p;
  MmaType type;
  int64_t multiprocessors;
  KernelBuilder k;
  HopperBuilder h;
  int64_t keys; ///< in a block of them
  SharedPointer queryRows, ring, barriers;
  I32 tiles, tilesPerHead, heads;
  Bool leader; ///< of the warpgroup
};
} // namespace

RingPlace FlashWgmma::next(RingPlace place) {
  I32 stage = place.stage + 1;
  Bool wraps = stage == kStages;
  return {select(wraps, k.i32(0), stage), select(wraps, place.parity ^ 1, place.parity)};
}

void FlashWgmma::overTiles(I32 parity, function_ref<RingPlace(Tile, I32, RingPlace)> body) {
  I32 group = heads / k.dim(p.key.dims[1]);
  k.loop(k.blockIndex(), tiles, k.gridSize(), {k.i32(0).v, parity.v, parity.v},
         [&](I32 number, ValueRange carried) {
           I32 inHead = number % tilesPerHead, head = number / tilesPerHead % heads;
           // With a diagonal the last queries see most keys: the longest work goes first.
           if (p.right)
             inHead = tilesPerHead - 1 - inHead;
           I32 tileParity(k.b, carried[2]);
           Tile tile{number / tilesPerHead / heads, head, head / group, inHead * kQueries};
           RingPlace end = body(tile, tileParity, {I32(k.b, carried[0]), I32(k.b, carried[1])});
           return SmallVector<Value>{end.stage.v, end.parity.v, (tileParity ^ 1).v};
         });
}

void FlashWgmma::copyRows(unsigned map, int64_t panels, int64_t rows, I32 first, I32 head, I32 batch,
                          SharedPointer barrier, SharedPointer to) {
  h.arriveExpecting(barrier, panels * rows * kRowBytes);
  for (int64_t panel = 0; panel < panels; ++panel)
    h.copyTile(to + panel * (rows * kRowBytes), map, barrier, {k.i32(panel * 64), first, head, batch});
}

void FlashWgmma::produce() {
  // A buffer that nobody has filled yet counts as empty: its barrier's phase before the first is over.
  overTiles(k.i32(1), [&](Tile tile, I32 tileParity, RingPlace start) {
    AttentionHead head(k, p, tile.batch, tile.head);
    h.wait(emptyQueries(), tileParity);
    copyRows(kQueryMap, keyPanels(), kQueries, tile.firstQuery, tile.head, tile.batch, fullQueries(),
             queryRows);
    KeyRange range = head.keysNeededBy(tile.firstQuery, kQueries).inBlocksOf(keys);
    SmallVector<Value> end = k.loop(
        range.from, range.to, k.i32(1), {start.stage.v, start.parity.v}, [&](I32 number, ValueRange carried) {
          RingPlace place{I32(k.b, carried[0]), I32(k.b, carried[1])};
          // Without keys there still is a block, all of it outside.
          I32 first = number * keys + select(head.keys == 0, k.i32(1), k.i32(0));
          h.wait(barrier(kEmptyKeys, place.stage), place.parity);
          copyRows(kKeyMap, keyPanels(), keys, first, tile.keyHead, tile.batch,
                   barrier(kFullKeys, place.stage), keysAt(place.stage));
          h.wait(barrier(kEmptyValues, place.stage), place.parity);
          copyRows(kValueMap, valuePanels(), keys, first, tile.keyHead, tile.batch,
                   barrier(kFullValues, place.stage), valuesAt(place.stage));
          RingPlace after = next(place);
          return SmallVector<Value>{after.stage.v, after.parity.v};
        });
    return RingPlace{I32(k.b, end[0]), I32(k.b, end[1])};
  });
}

/// Products of the warpgroup's queries with a block of keys.
SmallVector<Value> FlashWgmma::startScores(I32 consumer, RingPlace place) {
  awaitKeys(place);
  I64 a = h.describeTile(queryRows + consumer * (kRows * kRowBytes), /*alongK=*/true);
  I64 b = h.describeTile(keysAt(place.stage), /*alongK=*/true);
  SmallVector<HopperBuilder::TileProduct> products;
  for (int64_t step = 0, steps = llvm::divideCeil(p.headDim, 16); step < steps; ++step) {
    // In units of 16 bytes: 16 elements on, and the panels before.
    int64_t inPanel = step % 4 * 2, panel = step / 4 * (kRowBytes / 16);
    products.emplace_back(a + (inPanel + panel * kQueries), b + (inPanel + panel * keys));
  }
  return h.multiply(type, keys, /*transposedB=*/true, products);
}

/// Adds the values of a block of keys to `output`, with the weights in `words`.
SmallVector<Value> FlashWgmma::startWeighting(RingPlace place, ValueRange words, ValueRange output) {
  h.wait(barrier(kFullValues, place.stage), place.parity);
  I64 b = h.describeTile(valuesAt(place.stage), /*alongK=*/false, keys);
  SmallVector<HopperBuilder::TileProduct> products;
  SmallVector<Value> all(words);
  for (int64_t step = 0; step < keys / 16; ++step)
    products.emplace_back(ArrayRef(all).slice(step * 4, 4), b + step * kRowBytes);
  return h.multiply(type, p.valueDim, /*transposedB=*/false, products, output);
}

void FlashWgmma::consume(I32 consumer) {
  leader = k.thread() % 128 == 0;
  int64_t outputs = p.valueDim / 2;
  auto placeOf = [&](ValueRange carried) {
    return RingPlace{I32(k.b, carried[carried.size() - 2]), I32(k.b, carried.back())};
  };
  auto stateOf = [&](ValueRange carried) {
    return FlashState::from(k, carried.drop_front(outputs).drop_back(2));
  };
  auto carry = [&](SmallVector<Value> output, const FlashState &state, RingPlace place) {
    llvm::append_range(output, state.carry());
    output.append({place.stage.v, place.parity.v});
    return output;
  };
  overTiles(k.i32(0), [&](Tile tile, I32 tileParity, RingPlace start) {
    AttentionHead head(k, p, tile.batch, tile.head);
    I32 firstRow = tile.firstQuery + consumer * kRows;
    FlashRows rows(k, p, head, firstRow, kRows, firstRow + k.warp() % 4 * 16 + k.lane() / 4);
    KeyRange blocks = head.keysNeededBy(tile.firstQuery, kQueries).inBlocksOf(keys);

    h.wait(fullQueries(), tileParity);
    SmallVector<Value> scores = h.waitProducts(0, startScores(consumer, start));
    release(barrier(kEmptyKeys, start.stage));
    FlashState state = rows.weigh(scores, blocks.from * keys, FlashState::begin(k));
    SmallVector<Value> carried = carry(SmallVector<Value>(outputs, k.f32(0).v), state, start);
    carried = k.loop(blocks.from + 1, blocks.to, k.i32(1), carried, [&](I32 number, ValueRange values) {
      FlashState before = stateOf(values);
      RingPlace last = placeOf(values), place = next(last);
      SmallVector<Value> scores = startScores(consumer, place);
      SmallVector<Value> output = startWeighting(last, before.words, values.take_front(outputs));
      scores = h.waitProducts(1, scores);
      release(barrier(kEmptyKeys, place.stage));
      FlashState state = rows.weigh(scores, number * keys, before);
      // The next keys are needed soon. Here a branch stands between the exponentials and the wait for the values:
      // in one piece of straight code ptxas moves the wait above the exponentials, and nothing overlaps.
      k.when(number + 1 < blocks.to, [&] { awaitKeys(next(place)); });
      output = h.waitProducts(0, output);
      release(barrier(kEmptyValues, last.stage));
      return carry(rows.rescale(output, state), state, place);
    });
    release(emptyQueries());
    state = stateOf(carried);
    RingPlace last = placeOf(carried);
    SmallVector<Value> output =
        h.waitProducts(0, startWeighting(last, state.words, ValueRange(carried).take_front(outputs)));
    release(barrier(kEmptyValues, last.stage));
    rows.store(output, state);
    return next(last);
  });
}

/// A view as the copy engine sees it: boxes of `rows` pieces of 64 elements of one head.
GpuTensorMap FlashWgmma::map(const StridedView &view, int64_t rows) {
  MLIRContext *context = p.element.getContext();
  auto constant = [&](int64_t value) { return DimExprAttr::constant(context, value); };
  GpuTensorMap map{view.pointer, p.element, view.offset * 2, {}, {}, {64, rows, 1, 1}, kRowBytes};
  // Neither extents nor strides may be 0, where there are no keys either.
  for (int64_t dim : {3, 2, 1, 0})
    map.dims.push_back(view.dims[dim].max(constant(1)));
  for (int64_t dim : {2, 1, 0})
    map.strides.push_back((view.strides[dim] * 2).max(constant(16)));
  return map;
}

GpuStep FlashWgmma::emit() {
  MLIRContext *context = p.element.getContext();
  DimExprAttr one = DimExprAttr::constant(context, 1);
  DimExprAttr perHead = p.query.dims[2].ceilDiv(DimExprAttr::constant(context, kQueries));
  DimExprAttr allTiles = perHead * p.query.dims[1] * p.query.dims[0];
  queryRows = k.shared(queryBytes(), 1024);
  ring = k.shared(kStages * (keyBytes() + valueBytes()), 1024);
  barriers = k.shared((kStages * kPerStage + 2) * 8);
  tiles = k.dim(allTiles), tilesPerHead = k.dim(perHead), heads = k.dim(p.query.dims[1]);
  k.when(k.thread() == 0, [&] {
    for (int64_t stage = 0; stage < kStages; ++stage)
      for (Barrier which : {kFullKeys, kEmptyKeys, kFullValues, kEmptyValues})
        h.initBarrier(barrier(which, k.i32(stage)),
                      which == kFullKeys || which == kFullValues ? 1 : kConsumers);
    h.initBarrier(fullQueries(), 1);
    h.initBarrier(emptyQueries(), kConsumers);
    h.publishBarriers();
  });
  k.barrier();
  h.inRoles(kRegisters, [&] { produce(); }, [&](I32 consumer) { consume(consumer); });
  GpuStep step = k.finish();
  step.grid = {allTiles.min(DimExprAttr::constant(context, multiprocessors)), one, one};
  step.maps = {map(p.query, kQueries), map(p.key, keys), map(p.value, keys)};
  return step;
}

/// Where the run says how many keys count, the values behind them may be anything, and a weight of 0 does not
/// make NaN go away: only kernels that copy rows themselves can leave them out.
std::optional<GpuStep> mlir::tfc::emitFlashWgmma(GpuKernelRequest request, const GpuAttention &problem) {
  if (!request.target.hasWgmma || !getMmaType(problem.element) || !problem.isStoredNarrow || problem.headDim > kMostDim ||
      problem.valueDim > kMostDim || !problem.isAligned(8) || problem.lengths)
    return std::nullopt;
  return FlashWgmma(request, problem).emit();
}
