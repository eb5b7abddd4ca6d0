//===- GemmWgmma.cpp - Matrix products on Hopper's tensor cores ----------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// For bf16 and f16 on sm_90a. A block stays on its multiprocessor and takes one tile of C after the other. A
// thread of its first warpgroup has the copy engine bring slices of A and B into a ring of buffers, 64 deep;
// the other warpgroups, the consumers, multiply: two of them half of the tile's rows each, or one all 64 rows
// of a small tile. Two barriers per buffer go between them: `full` (the bytes have come) and `empty` (all
// consumers are done reading). While sums are stored, slices of the next tile are already on their way. Sums
// pass through shared memory, 64 x 64 at a time, so that the epilogue works on whole rows.
//
// Parts of K of one tile are the blocks of a cluster, with one part each: its sums stay in shared memory
// until all of them are there, and every block computes the epilogue of some rows.
//
// A product of few rows takes about as long as its weights need to come. So the ring's first slices of B,
// where B is a weight, are asked for before the block waits for the step before to end.
//
//===----------------------------------------------------------------------------------------------===//

#include "../KernelHopper.h"
#include "Contraction.h"

using namespace mlir;
using namespace mlir::tfc;

static constexpr int64_t kDepth = 64, kRowBytes = 128;
/// Of a box that is copied at once, along the dim that is not K.
static constexpr int64_t kMapRows = 128;
static constexpr int64_t kPieceRows = 64, kPieceColumns = 64, kPiecePitch = kPieceColumns + 4;
/// Tiles above each other that are worked on before the next ones beside them.
static constexpr int64_t kGroupRows = 8;
// Of 64 K registers, 168 for each of 384 threads at first: the producer gives most of its away.
static constexpr HopperBuilder::RoleRegisters kRegisters{40, 232};

namespace {
/// `stages`: buffers in the ring; `minBlocks`: how many blocks a multiprocessor has room for.
struct WgmmaTile {
  int64_t rows, columns, consumers, stages, minBlocks;
  int64_t threads() const { return 128 * (1 + consumers); }
  /// Blocks of 64 rows per consumer.
  int64_t blocks() const { return rows / (64 * consumers); }
  int64_t sums() const { return columns / 2; } ///< per thread and block
  int64_t bytesA() const { return rows * kRowBytes; }
  int64_t bytesB() const { return columns * kRowBytes; }
  int64_t stageBytes() const { return bytesA() + bytesB(); }
};

/// Where tiles are few and small, what counts is how soon slices come, and two blocks on a multiprocessor
/// wait in turns. K in parts is for tiles of one piece.
constexpr WgmmaTile kTiles[] = {{64, 64, 1, 5, 2}, {128, 128, 2, 4, 1}, {256, 128, 2, 4, 1}};

/// A tile of C, and the slices of K that the block multiplies.
struct TileWork {
  I32 number, row, column;
  SliceRange slices;
};

class GemmWgmma {
public:
  GemmWgmma(GpuKernelRequest request, const GpuContraction &problem, WgmmaTile tile,
            const ContractionVariant &variant)
      : p(problem), t(tile), splits(variant.splits), type(*problem.mma),
        mostBlocks(request.target.multiprocessors * tile.minBlocks),
        k({request.module, request.kernel, request.target, variant.name, tile.threads(), tile.minBlocks,
           /*maps=*/2, /*waitsLater=*/true}),
        h(k), epilogue(k, request.kernel, problem) {}

  FailureOr<GpuStep> emit();

private:
  SharedPointer full(I32 stage) { return barriers + stage * 16; }
  SharedPointer empty(I32 stage) { return barriers + (stage * 16 + 8); }
  SharedPointer stageA(I32 stage) { return ring + stage * t.bytesA(); }
  SharedPointer stageB(I32 stage) { return ring + (stage * t.bytesB() + t.stages * t.bytesA()); }
  RingPlace next(RingPlace place);
  bool comesEarly() { return k.pointer(p.b).isWeight; }
  I32 firstTile();
  TileWork locate(I32 number);
  void overTiles(I32 parity, function_ref<RingPlace(const TileWork &, RingPlace)> body);
  void copySliceOfA(const TileWork &work, I32 slice, I32 stage);
  void copySliceOfB(const TileWork &work, I32 slice, I32 stage);
  void fillRingEarly();
  Bool isEarly(const TileWork &work, I32 slice);
  void produce();
  void consume(I32 consumer);
  SmallVector<Value> multiplySlice(I32 consumer, I32 stage, ValueRange sums);
  void storeSums(I32 consumer, const TileWork &work, ValueRange sums);
  void stagePiece(SharedPointer piece, ArrayRef<Value> sums);
  void storeShare();
  void storePiece(SharedPointer piece, I32 first, int64_t threads, I32 row, I32 column);
  std::vector<GpuTensorMap> maps();

  const GpuContraction &p;
  WgmmaTile t;
  int64_t splits;
  MmaType type;
  int64_t mostBlocks;
  KernelBuilder k;
  HopperBuilder h;
  ContractionEpilogue epilogue;
  SharedPointer ring, pieces, barriers;
  std::optional<ClusterSum> cluster;
  I32 tilesM, tilesN, tiles, slices;
  bool broken = false;
};
} // namespace

RingPlace GemmWgmma::next(RingPlace place) {
  I32 stage = place.stage + 1;
  Bool wraps = stage == t.stages;
  return {select(wraps, k.i32(0), stage), select(wraps, place.parity ^ 1, place.parity)};
}

TileWork GemmWgmma::locate(I32 number) {
  TileWork w{number, number, number, {k.i32(0), slices}};
  if (cluster) {
    // A few tiles, all at the same time: N is known, so that no division has to be done before the first copy.
    w.row = number / tilesN * t.rows;
    w.column = number % tilesN * t.columns;
    w.slices = splitSlices(slices, cluster->part, splits);
    return w;
  }
  // Blocks that work at the same time have few rows and few columns among them, which stay in the second cache:
  // groups of some row tiles, column by column.
  I32 perGroup = tilesN * kGroupRows, inGroup = number % perGroup;
  I32 firstRow = number / perGroup * kGroupRows;
  I32 groupRows = (tilesM - firstRow).min(k.i32(kGroupRows));
  w.row = (firstRow + inGroup % groupRows) * t.rows;
  w.column = inGroup / groupRows * t.columns;
  return w;
}

I32 GemmWgmma::firstTile() { return cluster ? cluster->tile : k.blockIndex(); }

/// Runs `body` for each of the block's tiles; the place in the ring goes on from one to the next. Where a
/// cluster has a tile together it has no other.
void GemmWgmma::overTiles(I32 parity, function_ref<RingPlace(const TileWork &, RingPlace)> body) {
  if (cluster) {
    body(locate(firstTile()), {k.i32(0), parity});
    return;
  }
  k.loop(firstTile(), tiles, k.gridSize(), {k.i32(0).v, parity.v}, [&](I32 number, ValueRange carried) {
    RingPlace place = body(locate(number), {I32(k.b, carried[0]), I32(k.b, carried[1])});
    return SmallVector<Value>{place.stage.v, place.parity.v};
  });
}

void GemmWgmma::copySliceOfA(const TileWork &work, I32 slice, I32 stage) {
  int64_t step = std::min(kMapRows, t.rows);
  for (int64_t from = 0; from < t.rows; from += step)
    h.copyTile(stageA(stage) + from * kRowBytes, 0, full(stage), {slice * kDepth, work.row + from});
}

void GemmWgmma::copySliceOfB(const TileWork &work, I32 slice, I32 stage) {
  int64_t step = p.transposedB ? std::min(kMapRows, t.columns) : 64;
  for (int64_t from = 0; from < t.columns; from += step) {
    SharedPointer to = stageB(stage) + from * kRowBytes;
    if (p.transposedB)
      h.copyTile(to, 1, full(stage), {slice * kDepth, work.column + from});
    else
      h.copyTile(to, 1, full(stage), {work.column + from, slice * kDepth});
  }
}

/// Slices of B for all buffers, or as many as the block's first tile has: weights, which no step writes.
void GemmWgmma::fillRingEarly() {
  k.when(k.thread() == 0, [&] {
    TileWork first = locate(firstTile());
    k.loop(k.i32(0), (first.slices.to - first.slices.from).min(k.i32(t.stages)), k.i32(1), [&](I32 stage) {
      h.arriveExpecting(full(stage), t.stageBytes());
      copySliceOfB(first, first.slices.from + stage, stage);
    });
  });
}

Bool GemmWgmma::isEarly(const TileWork &work, I32 slice) {
  return (work.number == firstTile()) & (slice < work.slices.from + t.stages);
}

void GemmWgmma::produce() {
  // A buffer that nobody has filled yet counts as empty: its barrier's phase before the first is over.
  overTiles(k.i32(1), [&](const TileWork &work, RingPlace start) {
    auto fill = [&](I32 slice, ValueRange carried) {
      RingPlace place{I32(k.b, carried[0]), I32(k.b, carried[1])};
      h.wait(empty(place.stage), place.parity);
      auto takeBuffer = [&] {
        h.arriveExpecting(full(place.stage), t.stageBytes());
        copySliceOfB(work, slice, place.stage);
      };
      if (comesEarly())
        k.when(!isEarly(work, slice), takeBuffer);
      else
        takeBuffer();
      copySliceOfA(work, slice, place.stage);
      RingPlace after = next(place);
      return SmallVector<Value>{after.stage.v, after.parity.v};
    };
    SmallVector<Value> end =
        k.loop(work.slices.from, work.slices.to, k.i32(1), {start.stage.v, start.parity.v}, fill);
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

/// Of a block's 64 rows, 64 columns. A thread has columns 8 j + 2 c and the one behind, of rows r and r + 8
/// of its warp's 16: r = lane / 4, c = lane % 4.
void GemmWgmma::stagePiece(SharedPointer piece, ArrayRef<Value> sums) {
  I32 lane = k.lane();
  for (int64_t j = 0; j < kPieceColumns / 8; ++j)
    for (int64_t half = 0; half < 2; ++half) {
      I32 line = k.warp() % 4 * 16 + lane / 4 + half * 8, at = lane % 4 * 2 + j * 8;
      k.store(sums.slice(j * 4 + half * 2, 2), piece + (line * kPiecePitch + at) * 4);
    }
}

/// The epilogue of a piece that begins at that row and column, by `threads` threads of which this one is
/// number `first`.
void GemmWgmma::storePiece(SharedPointer piece, I32 first, int64_t threads, I32 row, I32 column) {
  int64_t width = epilogue.width(8), perRow = kPieceColumns / width;
  I32 rows = k.dim(p.m), columns = k.dim(p.n);
  k.loop(first, k.i32(kPieceRows * perRow), k.i32(threads), [&](I32 run) {
    I32 line = run / perRow, at = run % perRow * width;
    k.when(row + line < rows & column + at < columns, [&] {
      SharedPointer place = piece + (line * kPiecePitch + at) * 4;
      SmallVector<F32> sums = cluster ? cluster->load(place, width) : loadSums(k, place, width);
      broken |= failed(epilogue.store(k.i32(0), row + line, column + at, sums));
    });
  });
}

void GemmWgmma::storeSums(I32 consumer, const TileWork &work, ValueRange sums) {
  SmallVector<Value> all(sums);
  SharedPointer piece = pieces + consumer * (kPieceRows * kPiecePitch * 4);
  I32 thread = k.thread() % 128, barrier = consumer + 1;
  for (int64_t block = 0; block < t.blocks(); ++block)
    for (int64_t from = 0; from < t.columns; from += kPieceColumns) {
      h.namedBarrier(barrier, 128); // All have read the piece before.
      stagePiece(piece, ArrayRef(all).slice(block * t.sums() + from / 2, kPieceColumns / 2));
      h.namedBarrier(barrier, 128);
      storePiece(piece, thread, 128, work.row + (consumer * t.blocks() + block) * 64, work.column + from);
    }
}

/// All threads of the cluster's blocks share the tile out, which is one piece.
void GemmWgmma::storeShare() {
  cluster->shareSums();
  TileWork tile = locate(cluster->tile);
  storePiece(pieces, cluster->part * t.threads() + k.thread(), t.threads() * splits, tile.row, tile.column);
  cluster->finish();
}

void GemmWgmma::consume(I32 consumer) {
  I32 leader = k.thread() % 128;
  overTiles(k.i32(0), [&](const TileWork &work, RingPlace start) {
    SmallVector<Value> carried(t.blocks() * t.sums(), k.f32(0).v);
    int64_t count = carried.size();
    carried.append({start.stage.v, start.parity.v});
    carried = k.loop(work.slices.from, work.slices.to, k.i32(1), carried, [&](I32 slice, ValueRange values) {
      RingPlace place{I32(k.b, values[count]), I32(k.b, values[count + 1])};
      h.wait(full(place.stage), place.parity);
      SmallVector<Value> sums = multiplySlice(consumer, place.stage, values.take_front(count));
      // The slice before is done with when at most this one is under way.
      sums = h.waitProducts(1, sums);
      I32 before = select(place.stage == 0, k.i32(t.stages - 1), place.stage - 1);
      k.when((work.slices.from < slice) & (leader == 0), [&] { h.arrive(empty(before)); });
      RingPlace after = next(place);
      sums.append({after.stage.v, after.parity.v});
      return sums;
    });
    RingPlace end{I32(k.b, carried[count]), I32(k.b, carried[count + 1])};
    SmallVector<Value> sums = h.waitProducts(0, ValueRange(carried).take_front(count));
    I32 last = select(end.stage == 0, k.i32(t.stages - 1), end.stage - 1);
    k.when((work.slices.from < work.slices.to) & (leader == 0), [&] { h.arrive(empty(last)); });
    if (cluster)
      stagePiece(pieces, sums);
    else
      storeSums(consumer, work, sums);
    return end;
  });
}

std::vector<GpuTensorMap> GemmWgmma::maps() {
  MLIRContext *context = p.n.getContext();
  DimExprAttr zero = DimExprAttr::constant(context, 0);
  auto map = [&](unsigned pointer, DimExprAttr inner, DimExprAttr outer, int64_t boxRows) {
    return GpuTensorMap{pointer, p.element, zero, {inner, outer}, {inner * 2}, {kDepth, boxRows}, kRowBytes};
  };
  return {map(p.a, p.k, p.m, std::min(kMapRows, t.rows)),
          p.transposedB ? map(p.b, p.k, p.n, std::min(kMapRows, t.columns)) : map(p.b, p.n, p.k, kDepth)};
}

FailureOr<GpuStep> GemmWgmma::emit() {
  MLIRContext *context = p.n.getContext();
  DimExprAttr one = DimExprAttr::constant(context, 1);
  DimExprAttr rowTiles = p.m.ceilDiv(DimExprAttr::constant(context, t.rows));
  DimExprAttr columnTiles = p.n.ceilDiv(DimExprAttr::constant(context, t.columns));
  DimExprAttr allTiles = rowTiles * columnTiles;
  ring = k.shared(t.stages * t.stageBytes(), 1024);
  pieces = k.shared(t.consumers * kPieceRows * kPiecePitch * 4);
  barriers = k.shared(t.stages * 16);
  tilesM = k.dim(rowTiles), tilesN = k.dim(columnTiles), tiles = k.dim(allTiles);
  slices = k.dim(p.k).ceilDiv(kDepth);
  if (splits > 1)
    cluster.emplace(k, splits);
  k.when(k.thread() == 0, [&] {
    for (int64_t stage = 0; stage < t.stages; ++stage) {
      h.initBarrier(full(k.i32(stage)), 1);
      h.initBarrier(empty(k.i32(stage)), t.consumers);
    }
    h.publishBarriers();
  });
  k.barrier();
  if (comesEarly())
    fillRingEarly();
  k.waitForInputs();
  // One consumer with a small tile has registers enough.
  std::optional<HopperBuilder::RoleRegisters> registers;
  if (t.consumers > 1)
    registers = kRegisters;
  h.inRoles(registers, [&] { produce(); }, [&](I32 consumer) { consume(consumer); });
  if (cluster)
    storeShare();
  GpuStep step = k.finish();
  if (broken)
    return failure();
  step.cluster = splits;
  DimExprAttr blocks = cluster ? allTiles * splits : allTiles.min(DimExprAttr::constant(context, mostBlocks));
  step.grid = {blocks, one, one};
  step.maps = maps();
  return step;
}

bool mlir::tfc::canBeGemmWgmma(const GpuContraction &p, const ::tfc::GpuTarget &target) {
  return target.hasWgmma && p.mma && p.mma != MmaType::TF32 && p.batch.empty();
}

FailureOr<std::optional<GpuStep>> mlir::tfc::emitGemmWgmma(GpuKernelRequest request, const GpuContraction &p,
                                                           const ContractionTile &tile,
                                                           const ContractionVariant &variant) {
  const auto *found = llvm::find_if(kTiles, [&](const WgmmaTile &candidate) {
    return candidate.rows == tile.rows && candidate.columns == tile.columns;
  });
  if (!canBeGemmWgmma(p, request.target) || found == std::end(kTiles) ||
      (variant.splits > 1 && found != std::begin(kTiles)))
    return std::optional<GpuStep>();
  FailureOr<GpuStep> step = GemmWgmma(request, p, *found, variant).emit();
  if (failed(step))
    return failure();
  return std::optional<GpuStep>(std::move(*step));
}
