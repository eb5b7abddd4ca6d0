//===- GemmWgmma.cpp - Matrix products on Hopper's tensor cores ----------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// For bf16 and f16 on sm_90a. A block has three warpgroups and stays on its multiprocessor: it takes one tile
// of C after the other. A thread of the first warpgroup has the copy engine bring slices of A and B into a
// ring of buffers, 64 deep; the other two multiply, each half of the tile's rows. Two barriers per buffer go
// between them: `full` (the bytes have come) and `empty` (both are done reading). While sums are stored,
// slices of the next tile are already on their way. Sums pass through shared memory, 64 x 64 at a time, so
// that the epilogue works on whole rows.
//
//===----------------------------------------------------------------------------------------------===//

#include "../KernelHopper.h"
#include "Contraction.h"

using namespace mlir;
using namespace mlir::tfc;

static constexpr int64_t kDepth = 64, kRowBytes = 128, kStages = 4, kThreads = 384, kConsumers = 2;
static constexpr int64_t kPieceRows = 64, kPieceColumns = 64, kPiecePitch = kPieceColumns + 4;
/// Tiles above each other that are worked on before the next ones beside them.
static constexpr int64_t kGroupRows = 8;
// Of 64 K registers, 168 for each of 384 threads at first: the producer gives most of its away.
static constexpr int64_t kProducerRegisters = 40, kConsumerRegisters = 232;

namespace {
struct WgmmaTile {
  int64_t rows, columns;
  /// Blocks of 64 rows per consumer.
  int64_t blocks() const { return rows / (64 * kConsumers); }
  int64_t sums() const { return columns / 2; } ///< per thread and block
  int64_t bytesA() const { return rows * kRowBytes; }
  int64_t bytesB() const { return columns * kRowBytes; }
  int64_t stageBytes() const { return bytesA() + bytesB(); }
};

class GemmWgmma {
public:
  GemmWgmma(GpuKernelRequest request, const GpuContraction &problem, WgmmaTile tile,
            const ContractionVariant &variant)
      : p(problem), t(tile), type(*problem.mma),
        multiprocessors(request.target.multiprocessors),
        k({request.module, request.kernel, request.target, variant.name, kThreads, /*minBlocks=*/1,
           /*maps=*/2}),
        h(k), epilogue(k, request.kernel, problem) {}

  FailureOr<GpuStep> emit();

private:
  SharedPointer full(I32 stage) { return barriers + stage * 16; }
  SharedPointer empty(I32 stage) { return barriers + (stage * 16 + 8); }
  SharedPointer stageA(I32 stage) { return ring + stage * t.bytesA(); }
  SharedPointer stageB(I32 stage) { return ring + (stage * t.bytesB() + kStages * t.bytesA()); }
  RingPlace next(RingPlace place);
  SmallVector<Value> overTiles(I32 parity, function_ref<RingPlace(I32 row, I32 column, RingPlace)> body);
  void produce();
  void consume(I32 consumer);
  SmallVector<Value> multiplySlice(I32 consumer, I32 stage, ValueRange sums);
  void storeSums(I32 consumer, I32 row, I32 column, ValueRange sums);
  std::vector<GpuTensorMap> maps();

  const GpuContraction &p;
  WgmmaTile t;
  MmaType type;
  int64_t multiprocessors;
  KernelBuilder k;
  HopperBuilder h;
  ContractionEpilogue epilogue;
  SharedPointer ring, pieces, barriers;
  I32 tilesM, tilesN, tiles, slices;
  bool broken = false;
};
} // namespace

RingPlace GemmWgmma::next(RingPlace place) {
  I32 stage = place.stage + 1;
  Bool wraps = stage == kStages;
  return {select(wraps, k.i32(0), stage), select(wraps, place.parity ^ 1, place.parity)};
}

/// Runs `body` for each of the block's tiles; the place in the ring goes on from tile to tile.
SmallVector<Value> GemmWgmma::overTiles(I32 parity, function_ref<RingPlace(I32, I32, RingPlace)> body) {
  return k.loop(k.blockIndex(), tiles, k.gridSize(), {k.i32(0).v, parity.v},
                [&](I32 tile, ValueRange carried) {
                  // Blocks that work at the same time have few rows and few columns among them, which stay in
                  // the second cache: groups of some row tiles, column by column.
                  I32 perGroup = tilesN * kGroupRows, inGroup = tile % perGroup;
                  I32 firstRow = tile / perGroup * kGroupRows;
                  I32 groupRows = (tilesM - firstRow).min(k.i32(kGroupRows));
                  I32 row = (firstRow + inGroup % groupRows) * t.rows;
                  I32 column = inGroup / groupRows * t.columns;
                  RingPlace place = body(row, column, {I32(k.b, carried[0]), I32(k.b, carried[1])});
                  return SmallVector<Value>{place.stage.v, place.parity.v};
                });
}

void GemmWgmma::produce() {
  // A buffer that nobody has filled yet counts as empty: its barrier's phase before the first is over.
  overTiles(k.i32(1), [&](I32 row, I32 column, RingPlace start) {
    SmallVector<Value> end = k.loop(
        k.i32(0), slices, k.i32(1), {start.stage.v, start.parity.v}, [&](I32 slice, ValueRange carried) {
          RingPlace place{I32(k.b, carried[0]), I32(k.b, carried[1])};
          h.wait(empty(place.stage), place.parity);
          h.arriveExpecting(full(place.stage), t.stageBytes());
          I32 depth = slice * kDepth;
          for (int64_t from = 0; from < t.rows; from += 128)
            h.copyTile(stageA(place.stage) + from * kRowBytes, 0, full(place.stage), {depth, row + from});
          for (int64_t from = 0; from < t.columns; from += p.transposedB ? 128 : 64) {
            SharedPointer to = stageB(place.stage) + from * kRowBytes;
            if (p.transposedB)
              h.copyTile(to, 1, full(place.stage), {depth, column + from});
            else
              h.copyTile(to, 1, full(place.stage), {column + from, depth});
          }
          RingPlace after = next(place);
          return SmallVector<Value>{after.stage.v, after.parity.v};
        });
    return RingPlace{I32(k.b, end[0]), I32(k.b, end[1])};
  });
}

SmallVector<Value> GemmWgmma::multiplySlice(I32 consumer, I32 stage, ValueRange sums) {
  I64 b = h.describeTile(stageB(stage), p.transposedB);
  SmallVector<HopperBuilder::TileProduct> products;
  for (int64_t block = 0; block < t.blocks(); ++block) {
    I64 a =
        h.describeTile(stageA(stage) + (consumer * t.blocks() + block) * (64 * kRowBytes), /*alongK=*/true);
    // 16 elements on, in units of 16 bytes: along a row, or 16 rows further.
    for (int64_t step = 0; step < kDepth / 16; ++step)
      products.emplace_back(a + 2 * step, b + (p.transposedB ? 2 * step : step * kRowBytes),
                            block * t.sums());
  }
  return h.multiply(type, t.columns, p.transposedB, products, sums);
}

/// A thread has columns 8 j + 2 c and the one behind, of rows r and r + 8 of its warp's 16: r = lane / 4, c =
/// lane % 4.
void GemmWgmma::storeSums(I32 consumer, I32 row, I32 column, ValueRange sums) {
  SharedPointer piece = pieces + consumer * (kPieceRows * kPiecePitch * 4);
  I32 lane = k.lane(), thread = k.thread() % 128, barrier = consumer + 1;
  int64_t width = epilogue.width(8), perRow = kPieceColumns / width;
  I32 rows = k.dim(p.m), columns = k.dim(p.n);
  for (int64_t block = 0; block < t.blocks(); ++block)
    for (int64_t from = 0; from < t.columns; from += kPieceColumns) {
      h.namedBarrier(barrier, 128); // All have read the piece before.
      for (int64_t j = 0; j < kPieceColumns / 8; ++j)
        for (int64_t half = 0; half < 2; ++half) {
          I32 line = k.warp() % 4 * 16 + lane / 4 + half * 8, at = lane % 4 * 2 + j * 8;
          int64_t i = block * t.sums() + (from / 8 + j) * 4 + half * 2;
          k.store({sums[i], sums[i + 1]}, piece + (line * kPiecePitch + at) * 4);
        }
      h.namedBarrier(barrier, 128);
      I32 firstRow = row + (consumer * t.blocks() + block) * 64;
      k.loop(thread, k.i32(kPieceRows * perRow), k.i32(128), [&](I32 run) {
        I32 line = run / perRow, at = run % perRow * width;
        k.when(firstRow + line < rows & column + at + from < columns, [&] {
          SmallVector<F32> numbers;
          int64_t part = std::min<int64_t>(width, 4);
          for (int64_t i = 0; i < width; i += part)
            for (Value sum : k.load(piece + (line * kPiecePitch + at + i) * 4, k.b.getF32Type(), part))
              numbers.push_back({k.b, sum});
          broken |= failed(epilogue.store(k.i32(0), firstRow + line, column + at + from, numbers));
        });
      });
    }
}

void GemmWgmma::consume(I32 consumer) {
  I32 leader = k.thread() % 128;
  overTiles(k.i32(0), [&](I32 row, I32 column, RingPlace start) {
    SmallVector<Value> carried(t.blocks() * t.sums(), k.f32(0).v);
    int64_t count = carried.size();
    carried.append({start.stage.v, start.parity.v});
    carried = k.loop(k.i32(0), slices, k.i32(1), carried, [&](I32 slice, ValueRange values) {
      RingPlace place{I32(k.b, values[count]), I32(k.b, values[count + 1])};
      h.wait(full(place.stage), place.parity);
      SmallVector<Value> sums = multiplySlice(consumer, place.stage, values.take_front(count));
      // The slice before is done with when at most this one is under way.
      sums = h.waitProducts(1, sums);
      I32 before = select(place.stage == 0, k.i32(kStages - 1), place.stage - 1);
      k.when((k.i32(0) < slice) & (leader == 0), [&] { h.arrive(empty(before)); });
      RingPlace after = next(place);
      sums.append({after.stage.v, after.parity.v});
      return sums;
    });
    RingPlace end{I32(k.b, carried[count]), I32(k.b, carried[count + 1])};
    SmallVector<Value> sums = h.waitProducts(0, ValueRange(carried).take_front(count));
    I32 last = select(end.stage == 0, k.i32(kStages - 1), end.stage - 1);
    k.when((k.i32(0) < slices) & (leader == 0), [&] { h.arrive(empty(last)); });
    storeSums(consumer, row, column, sums);
    return end;
  });
}

std::vector<GpuTensorMap> GemmWgmma::maps() {
  MLIRContext *context = p.n.getContext();
  DimExprAttr zero = DimExprAttr::constant(context, 0);
  auto map = [&](unsigned pointer, DimExprAttr inner, DimExprAttr outer, int64_t boxRows) {
    return GpuTensorMap{pointer, p.element, zero, {inner, outer}, {inner * 2}, {kDepth, boxRows}, kRowBytes};
  };
  return {map(p.a, p.k, p.m, 128),
          p.transposedB ? map(p.b, p.k, p.n, std::min<int64_t>(128, t.columns)) : map(p.b, p.n, p.k, kDepth)};
}

FailureOr<GpuStep> GemmWgmma::emit() {
  MLIRContext *context = p.n.getContext();
  DimExprAttr one = DimExprAttr::constant(context, 1);
  DimExprAttr rowTiles = p.m.ceilDiv(DimExprAttr::constant(context, t.rows));
  DimExprAttr columnTiles = p.n.ceilDiv(DimExprAttr::constant(context, t.columns));
  DimExprAttr allTiles = rowTiles * columnTiles;
  ring = k.shared(kStages * t.stageBytes(), 1024);
  pieces = k.shared(kConsumers * kPieceRows * kPiecePitch * 4);
  barriers = k.shared(kStages * 16);
  tilesM = k.dim(rowTiles), tilesN = k.dim(columnTiles), tiles = k.dim(allTiles),
  slices = k.dim(p.k).ceilDiv(kDepth);
  k.when(k.thread() == 0, [&] {
    for (int64_t stage = 0; stage < kStages; ++stage) {
      h.initBarrier(full(k.i32(stage)), 1);
      h.initBarrier(empty(k.i32(stage)), kConsumers);
    }
    h.publishBarriers();
  });
  k.barrier();
  h.inRoles(
      kProducerRegisters, kConsumerRegisters, [&] { produce(); }, [&](I32 consumer) { consume(consumer); });
  GpuStep step = k.finish();
  if (broken)
    return failure();
  step.grid = {allTiles.min(DimExprAttr::constant(context, multiprocessors)), one, one};
  step.maps = maps();
  return step;
}

FailureOr<std::optional<GpuStep>> mlir::tfc::emitGemmWgmma(GpuKernelRequest request, const GpuContraction &p,
                                                           const ContractionTile &tile,
                                                           const ContractionVariant &variant) {
  if (!request.target.hasWgmma || p.mma == MmaType::TF32 || !p.batch.empty() || variant.splits != 1)
    return std::optional<GpuStep>();
  FailureOr<GpuStep> step = GemmWgmma(request, p, {tile.rows, tile.columns}, variant).emit();
  if (failed(step))
    return failure();
  return std::optional<GpuStep>(std::move(*step));
}
