//===- GemmMma.cpp - Matrix products on tensor cores, by mma.sync --------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// For bf16, f16 and, where the product allows it, TF32 on sm_80 and later. Warps of 32 lanes cover a tile of C; slices
// of A and B, 64 deep (32 of f32), come through a ring of buffers in shared memory by cp.async. A slice's rows are 128
// bytes, cut into chunks of 16, and chunk c of row r lies at place c ^ (r & 7): so the eight rows that ldmatrix reads at
// once lie in eight different groups of banks. Sums go through shared memory once more, so that the epilogue reads and
// writes whole rows.
//
// A word of f32 counts as two elements of 16 bits to ldmatrix, and the words that it deals out are the fragments of
// m16n8k8; it cannot transpose them, so rows along n are read word by word.
//
//===----------------------------------------------------------------------------------------------===//

#include "Contraction.h"

using namespace mlir;
using namespace mlir::tfc;

static constexpr int64_t kRowBytes = 128; // of a slice's row
static constexpr int64_t kSteps = 4;      // in a slice: 32 bytes along k each

namespace {
/// `warpsM` x `warpsN` warps, each with a part of the tile; `stages` buffers. Small tiles have few bytes in a
/// buffer, and need more of them under way.
struct MmaTile {
  int64_t rows, columns, warpsM, warpsN, stages;
  int64_t threads() const { return 32 * warpsM * warpsN; }
  int64_t warpRows() const { return rows / warpsM; }
  int64_t warpColumns() const { return columns / warpsN; }
  int64_t bytesA() const { return rows * kRowBytes; }
  int64_t bytesB() const { return columns * kRowBytes; }
  int64_t stageBytes() const { return bytesA() + bytesB(); }
  /// Of a row of sums, in floats.
  int64_t sumPitch() const { return columns + 4; }
};

class GemmMma {
public:
  GemmMma(GpuKernelRequest request, const GpuContraction &problem, MmaTile tile,
          const ContractionVariant &variant)
      : p(problem), t(tile), variant(variant), type(*problem.mma),
        perChunk(16 / (problem.element.getIntOrFloatBitWidth() / 8)), depth(8 * perChunk),
        k({request.module, request.kernel, request.target, variant.name, tile.threads(), /*minBlocks=*/1,
           /*maps=*/0,
           /*waitsLater=*/true}),
        epilogue(k, request.kernel, problem) {}

  FailureOr<GpuStep> emit();

private:
  I32 chunkPlace(I32 row, I32 chunk) { return row * kRowBytes + ((chunk ^ (row & 7)) << 4); }
  void copyRows(GlobalPointer from, DimExprAttr outside, I32 first, int64_t count, I32 k0, SharedPointer to);
  void copyColumns(GlobalPointer from, I32 first, I32 k0, SharedPointer to);
  void copySliceOfA(const ContractionBases &bases, I32 slice);
  void copySliceOfB(const ContractionBases &bases, I32 slice);
  SmallVector<Value> multiply(SharedPointer stage, ValueRange sums);
  SmallVector<std::array<Value, 2>> loadB(SharedPointer b, int64_t step);
  SmallVector<std::array<Value, 2>> loadWordsOfB(SharedPointer b, int64_t step);
  /// Where chunk `chunk` of row `row` of a panel of B[k, n] lies.
  I32 panelPlace(I32 row, I32 chunk);
  template <size_t N> std::array<Value, N> rounded(std::array<Value, N> words);
  void stageSums(SharedPointer to, ValueRange sums);
  LogicalResult storeTile(SharedPointer from, I32 batch);

  const GpuContraction &p;
  MmaTile t;
  const ContractionVariant &variant;
  MmaType type;
  int64_t perChunk, depth; ///< elements of 16 bytes, and of a slice's row
  KernelBuilder k;
  ContractionEpilogue epilogue;
  std::optional<ClusterSum> cluster;
  SharedPointer ring;
  I32 row, column, warpRow, warpColumn; ///< Where the tile begins in C, and the warp's part in the tile.
};
} // namespace

/// `count` rows of `depth` elements along k, from row `first` of the matrix on. What is outside of it is zero.
void GemmMma::copyRows(GlobalPointer from, DimExprAttr outside, I32 first, int64_t count, I32 k0,
                       SharedPointer to) {
  I32 rows = k.dim(outside), end = k.dim(p.k);
  assert(count * 8 % t.threads() == 0 && "every thread copies as many chunks");
  for (int64_t i = 0; i < count * 8; i += t.threads()) {
    I32 index = k.thread() + i, line = index / 8, chunk = index % 8;
    I32 source = first + line, at = k0 + chunk * perChunk;
    Bool inside = source < rows & at < end;
    I64 offset = select(inside, source.wide() * k.wideDim(p.k) + at.wide(), k.i64(0));
    k.copyAsync(to + chunkPlace(line, chunk), from + offset, select(inside, k.i32(16), k.i32(0)));
  }
}

/// The four lanes of a column read rows next to each other as words of f32, and the eight columns of a row are two
/// chunks: so pairs of chunks change places.
I32 GemmMma::panelPlace(I32 row, I32 chunk) {
  if (type != MmaType::TF32)
    return chunkPlace(row, chunk);
  I32 turn = ((row & 3) << 1) | ((row >> 2) & 1);
  return row * kRowBytes + ((chunk ^ turn) << 4);
}

/// `depth` rows of B[k, n], in panels of as many columns.
void GemmMma::copyColumns(GlobalPointer from, I32 first, I32 k0, SharedPointer to) {
  I32 end = k.dim(p.k), columns = k.dim(p.n);
  for (int64_t i = 0; i < t.columns * 8; i += t.threads()) {
    I32 index = k.thread() + i, panel = index / (depth * 8), line = index / 8 % depth, chunk = index % 8;
    I32 source = k0 + line, at = first + panel * depth + chunk * perChunk;
    Bool inside = source < end & at < columns;
    I64 offset = select(inside, source.wide() * k.wideDim(p.n) + at.wide(), k.i64(0));
    k.copyAsync(to + (panel * (depth * kRowBytes) + panelPlace(line, chunk)), from + offset,
                select(inside, k.i32(16), k.i32(0)));
  }
}

void GemmMma::copySliceOfA(const ContractionBases &bases, I32 slice) {
  copyRows(bases.a, p.m, row, t.rows, slice * depth, ring + slice % t.stages * t.stageBytes());
}

void GemmMma::copySliceOfB(const ContractionBases &bases, I32 slice) {
  I32 k0 = slice * depth;
  SharedPointer stage = ring + slice % t.stages * t.stageBytes();
  if (p.transposedB)
    copyRows(bases.b, p.n, column, t.columns, k0, stage + t.bytesA());
  else
    copyColumns(bases.b, column, k0, stage + t.bytesA());
}

/// What lies in memory as f32 becomes TF32, to the nearest.
template <size_t N> std::array<Value, N> GemmMma::rounded(std::array<Value, N> words) {
  if (type == MmaType::TF32)
    for (Value &word : words)
      word = k.roundToTF32(word);
  return words;
}

/// Lane 4 * n + k of a warp has rows k and k + 4 of column n.
SmallVector<std::array<Value, 2>> GemmMma::loadWordsOfB(SharedPointer b, int64_t step) {
  SmallVector<std::array<Value, 2>> words;
  I32 lane = k.lane();
  for (int64_t n = 0; n < t.warpColumns(); n += 8) {
    I32 at = warpColumn + n + lane / 4;
    SharedPointer panel = b + at / depth * (depth * kRowBytes);
    auto word = [&](int64_t row) {
      I32 place = panelPlace(lane % 4 + (step * 8 + row), at % depth / perChunk) + at % perChunk * 4;
      return k.load(panel + place, k.b.getI32Type(), 1)[0];
    };
    words.push_back(rounded<2>({word(0), word(4)}));
  }
  return words;
}

/// The fragments of B of one step along k: two words per 8 columns of the warp's part.
SmallVector<std::array<Value, 2>> GemmMma::loadB(SharedPointer b, int64_t step) {
  if (type == MmaType::TF32 && !p.transposedB)
    return loadWordsOfB(b, step);
  SmallVector<std::array<Value, 2>> words;
  I32 lane = k.lane();
  for (int64_t n = 0; n < t.warpColumns(); n += 16) {
    std::array<Value, 4> four;
    if (p.transposedB) {
      // Matrices: columns 0-7 at the first 16 bytes along k, at the next; columns 8-15 likewise.
      I32 line = warpColumn + n + (lane & 7) + ((lane >> 4) << 3);
      four = k.loadMatrices(b + chunkPlace(line, ((lane >> 3) & 1) + step * 2), /*transposed=*/false);
    } else {
      I32 line = (lane & 15) + step * 16, at = warpColumn + n + ((lane >> 4) << 3);
      SharedPointer panel = b + at / 64 * (64 * kRowBytes);
      four = k.loadMatrices(panel + chunkPlace(line, at % 64 / 8), /*transposed=*/true);
    }
    words.push_back(rounded<2>({four[0], four[1]}));
    words.push_back(rounded<2>({four[2], four[3]}));
  }
  return words;
}

SmallVector<Value> GemmMma::multiply(SharedPointer stage, ValueRange sums) {
  SmallVector<Value> next(sums);
  I32 lane = k.lane();
  int64_t columnBlocks = t.warpColumns() / 8;
  for (int64_t step = 0; step < kSteps; ++step) {
    SmallVector<std::array<Value, 2>> b = loadB(stage + t.bytesA(), step);
    for (int64_t m = 0; m < t.warpRows() / 16; ++m) {
      // Matrices: rows 0-7 and 8-15 at the first 16 bytes along k, then at the next.
      I32 line = warpRow + m * 16 + (lane & 15);
      std::array<Value, 4> a =
          rounded(k.loadMatrices(stage + chunkPlace(line, (lane >> 4) + step * 2), /*transposed=*/false));
      for (int64_t n = 0; n < columnBlocks; ++n) {
        Value *at = &next[(m * columnBlocks + n) * 4];
        std::array<F32, 4> sum{F32(k.b, at[0]), F32(k.b, at[1]), F32(k.b, at[2]), F32(k.b, at[3])};
        sum = k.mma(type, a, b[n], sum);
        for (int64_t i = 0; i < 4; ++i)
          at[i] = sum[i].v;
      }
    }
  }
  return next;
}

/// Lane 4 * r + c of a warp has columns 2c and 2c + 1 of rows r and r + 8 of each 16 x 8 block.
void GemmMma::stageSums(SharedPointer to, ValueRange sums) {
  int64_t columnBlocks = t.warpColumns() / 8;
  I32 lane = k.lane();
  for (int64_t m = 0; m < t.warpRows() / 16; ++m)
    for (int64_t n = 0; n < columnBlocks; ++n)
      for (int64_t half = 0; half < 2; ++half) {
        I32 r = warpRow + m * 16 + half * 8 + lane / 4, c = warpColumn + n * 8 + lane % 4 * 2;
        int64_t at = (m * columnBlocks + n) * 4 + half * 2;
        k.store({sums[at], sums[at + 1]}, to + (r * t.sumPitch() + c) * 4);
      }
}

LogicalResult GemmMma::storeTile(SharedPointer from, I32 batch) {
  int64_t width = epilogue.width(8), perRow = t.columns / width;
  I32 rows = k.dim(p.m), columns = k.dim(p.n);
  bool failed = false;
  I32 first = k.thread();
  int64_t threads = t.threads();
  if (cluster) {
    first = first + cluster->part * threads;
    threads *= variant.splits;
  }
  k.loop(first, k.i32(t.rows * perRow), k.i32(threads), [&](I32 run) {
    I32 line = run / perRow, at = run % perRow * width;
    k.when(row + line < rows & column + at < columns, [&] {
      SharedPointer place = from + (line * t.sumPitch() + at) * 4;
      SmallVector<F32> sums = cluster ? cluster->load(place, width) : loadSums(k, place, width);
      failed |= mlir::failed(epilogue.store(batch, row + line, column + at, sums));
    });
  });
  return success(!failed);
}

FailureOr<GpuStep> GemmMma::emit() {
  MLIRContext *context = p.n.getContext();
  DimExprAttr one = DimExprAttr::constant(context, 1);
  DimExprAttr rowTiles = p.m.ceilDiv(DimExprAttr::constant(context, t.rows));
  DimExprAttr columnTiles = p.n.ceilDiv(DimExprAttr::constant(context, t.columns));
  ring = k.shared(std::max(t.stages * t.stageBytes(), t.rows * t.sumPitch() * 4), 1024);
  I32 tile = k.blockIndex(), tilesM = k.dim(rowTiles), tilesN = k.dim(columnTiles);
  if (variant.inCluster) {
    cluster.emplace(k, variant.splits);
    tile = cluster->tile;
  }
  I32 outer = tile / (tilesM * tilesN), batch = p.batch.empty() ? k.i32(0) : outer;
  SliceRange slices{k.i32(0), k.dim(p.k).ceilDiv(depth)};
  if (variant.splits > 1)
    slices = splitSlices(slices.to, cluster ? cluster->part : outer, variant.splits);
  if (variant.splits > 1 && !cluster)
    epilogue.keepPartOf(outer);
  row = tile % tilesM * t.rows, column = tile / tilesM % tilesN * t.columns;
  warpRow = k.warp() % t.warpsM * t.warpRows(), warpColumn = k.warp() / t.warpsM * t.warpColumns();
  ContractionBases bases = locateBatch(k, p, batch);

  // Weights come before the step waits for the one before. The first group of copies has all of them.
  if (!bases.b.isWeight)
    k.waitForInputs();
  for (int64_t i = 0; i + 1 < t.stages; ++i)
    copySliceOfB(bases, slices.from + i);
  if (bases.b.isWeight)
    k.waitForInputs();
  for (int64_t i = 0; i + 1 < t.stages; ++i) {
    copySliceOfA(bases, slices.from + i);
    k.commitCopies();
  }
  SmallVector<Value> sums(t.warpRows() * t.warpColumns() / 32, k.f32(0).v);
  sums = k.loop(slices.from, slices.to, k.i32(1), sums, [&](I32 slice, ValueRange values) {
    k.waitCopies(t.stages - 2);
    // All see the slice, and all have done with the one before, whose place the next copies take.
    k.barrier();
    k.when(slice + (t.stages - 1) < slices.to, [&] {
      copySliceOfA(bases, slice + (t.stages - 1));
      copySliceOfB(bases, slice + (t.stages - 1));
    });
    k.commitCopies();
    return multiply(ring + slice % t.stages * t.stageBytes(), values);
  });
  k.waitCopies(0);
  k.barrier();
  stageSums(ring, sums);
  if (cluster)
    cluster->shareSums();
  else
    k.barrier();
  bool failed = mlir::failed(storeTile(ring, batch));
  if (cluster)
    cluster->finish();
  GpuStep step = k.finish();
  step.cluster = cluster ? variant.splits : 1;
  if (failed)
    return failure();
  step.grid = {rowTiles * columnTiles * p.batchCount() * variant.splits, one, one};
  return step;
}

FailureOr<std::optional<GpuKernel>> mlir::tfc::generateGemmMma(GpuKernelRequest request) {
  std::optional<GpuContraction> problem = matchContraction(request);
  if (!problem || !request.target.hasMmaSync || !problem->mma)
    return std::optional<GpuKernel>();
  // Rows of memory must be whole chunks of 16 bytes.
  int64_t perChunk = 16 / (problem->element.getIntOrFloatBitWidth() / 8);
  auto isWhole = [&](DimExprAttr dim) { return dim.getConstant() && *dim.getConstant() % perChunk == 0; };
  if (!isWhole(problem->k) || !isWhole(problem->rowOfB()))
    return std::optional<GpuKernel>();
  static constexpr MmaTile kTiles[] = {{16, 64, 1, 4, 6}, {64, 64, 2, 2, 4}, {128, 128, 2, 4, 3}};
  SmallVector<ContractionTile> tiles;
  for (const MmaTile &tile : kTiles)
    tiles.push_back({tile.rows, tile.columns});
  // Only wgmma has the registers for more.
  if (canBeGemmWgmma(*problem, request.target))
    tiles.push_back({256, 128});
  SmallVector<ContractionVariant> variants =
      selectVariants(*problem, tiles, 8 * perChunk, request.target.clusterBlocks > 1, request.target);
  auto emit = [&](const ContractionVariant &variant) -> FailureOr<GpuStep> {
    FailureOr<std::optional<GpuStep>> step = emitGemmWgmma(request, *problem, tiles[variant.tile], variant);
    if (failed(step))
      return failure();
    if (*step)
      return std::move(**step);
    return GemmMma(request, *problem, kTiles[variant.tile], variant).emit();
  };
  FailureOr<GpuKernel> kernel = emitVariants(request, *problem, variants, emit);
  if (failed(kernel))
    return failure();
  return std::optional<GpuKernel>(std::move(*kernel));
}
