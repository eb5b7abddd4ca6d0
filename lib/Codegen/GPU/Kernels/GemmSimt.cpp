//===- GemmSimt.cpp - Matrix products without tensor cores ---------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// 256 threads compute a tile of C, 16 x 16 of them, each with 4 x 4 or 8 x 8 sums in registers. Slices of A
// and B go through two buffers of shared memory, as f32 and with k as the outer dim; while one is multiplied,
// the next is on its way into registers. Each element is one chain of multiply-adds in the order of k, as on
// a CPU.
//
//===----------------------------------------------------------------------------------------------===//

#include "Contraction.h"

using namespace mlir;
using namespace mlir::tfc;

static constexpr int64_t kThreads = 256;

namespace {
struct SimtTile {
  int64_t size;  ///< rows and columns of C
  int64_t depth; ///< of a slice; size * depth is 4 per thread
  int64_t sums() const { return size / 16; }
  /// From one k to the next, in floats; 4 more keep the stores of a transposed operand apart.
  int64_t pitch() const { return size + 4; }
  int64_t sliceBytes() const { return depth * pitch() * 4; }
};

/// One operand: where a thread reads its four elements of each slice, and where they go.
struct SliceReader {
  GlobalPointer base;
  bool alongK;  ///< rows of memory run along k
  I32 line, at; ///< The line of memory that the thread reads, and where in it; one of them moves with k.
  I32 lineLimit, atLimit;
  I64 pitch;      ///< of memory
  int64_t vector; ///< elements per load
};

class GemmSimt {
public:
  GemmSimt(GpuKernelRequest request, const GpuContraction &problem, SimtTile tile,
           const ContractionVariant &variant)
      : p(problem), t(tile), splits(variant.splits),
        k({request.module, request.kernel, request.target, variant.name, kThreads}),
        epilogue(k, request.kernel, problem) {}

  FailureOr<GpuStep> emit();

private:
  SliceReader makeReader(GlobalPointer base, bool alongK, I32 first, DimExprAttr outside);
  SmallVector<Value> loadSlice(const SliceReader &reader, I32 k0);
  void storeSlice(const SliceReader &reader, ArrayRef<Value> numbers, SharedPointer to);
  SmallVector<Value> multiply(SharedPointer a, SharedPointer b, ValueRange sums);
  I32 place(I32 thread16, int64_t i) { return thread16 * 4 + (i / 4) * 64 + i % 4; }
  LogicalResult storeTile(I32 batch, I32 row, I32 column, ValueRange sums);

  const GpuContraction &p;
  SimtTile t;
  int64_t splits;
  KernelBuilder k;
  ContractionEpilogue epilogue;
  I32 threadRow, threadColumn;
};
} // namespace

/// `first`: the tile's first row of A or column of B, of which there are `outside`.
SliceReader GemmSimt::makeReader(GlobalPointer base, bool alongK, I32 first, DimExprAttr outside) {
  SliceReader r{base, alongK, {}, {}, {}, {}, {}, 1};
  int64_t perLine = (alongK ? t.depth : t.size) / 4;
  r.line = k.thread() / perLine;
  r.at = k.thread() % perLine * 4;
  (alongK ? r.line : r.at) = (alongK ? r.line : r.at) + first;
  r.lineLimit = k.dim(alongK ? outside : p.k);
  r.atLimit = k.dim(alongK ? p.k : outside);
  DimExprAttr pitch = alongK ? p.k : outside;
  r.pitch = k.wideDim(pitch);
  r.vector = pitch.getConstant().value_or(1) % 4 == 0 ? 4 : 1;
  return r;
}

/// Four numbers of the slice that begins at k0; zeros outside of the matrix.
SmallVector<Value> GemmSimt::loadSlice(const SliceReader &r, I32 k0) {
  I32 line = r.alongK ? r.line : r.line + k0, at = r.alongK ? r.at + k0 : r.at;
  SmallVector<Value> numbers;
  Value zero = k.f32(0).v;
  for (int64_t i = 0; i < 4; i += r.vector) {
    Bool inside = line < r.lineLimit & at + i < r.atLimit;
    SmallVector<Value> zeros(r.vector, zero);
    llvm::append_range(numbers, k.when(inside, zeros, [&] {
      GlobalPointer from = r.base + (line.wide() * r.pitch + (at + i).wide());
      return llvm::map_to_vector(k.load(from, r.vector), [&](Value x) { return k.toF32(x).v; });
    }));
  }
  return numbers;
}

void GemmSimt::storeSlice(const SliceReader &r, ArrayRef<Value> numbers, SharedPointer to) {
  int64_t perLine = (r.alongK ? t.depth : t.size) / 4;
  I32 line = k.thread() / perLine, at = k.thread() % perLine * 4;
  if (!r.alongK)
    return k.store(numbers, to + (line * t.pitch() + at) * 4);
  for (int64_t i = 0; i < 4; ++i)
    k.store(numbers[i], to + ((at + i) * t.pitch() + line) * 4);
}

SmallVector<Value> GemmSimt::multiply(SharedPointer a, SharedPointer b, ValueRange sums) {
  SmallVector<Value> next(sums);
  Type f32 = k.b.getF32Type();
  for (int64_t step = 0; step < t.depth; ++step) {
    SmallVector<Value> rows, columns;
    for (int64_t i = 0; i < t.sums(); i += 4) {
      llvm::append_range(rows, k.load(a + (place(threadRow, i) + step * t.pitch()) * 4, f32, 4));
      llvm::append_range(columns, k.load(b + (place(threadColumn, i) + step * t.pitch()) * 4, f32, 4));
    }
    for (int64_t i = 0; i < t.sums(); ++i)
      for (int64_t j = 0; j < t.sums(); ++j) {
        Value &sum = next[i * t.sums() + j];
        sum = k.fma({k.b, rows[i]}, {k.b, columns[j]}, {k.b, sum}).v;
      }
  }
  return next;
}

LogicalResult GemmSimt::storeTile(I32 batch, I32 row, I32 column, ValueRange sums) {
  int64_t width = epilogue.width(4);
  bool failed = false;
  for (int64_t i = 0; i < t.sums(); ++i)
    for (int64_t j = 0; j < t.sums(); j += width) {
      I32 r = row + place(threadRow, i), c = column + place(threadColumn, j);
      k.when(r < k.dim(p.m) & c < k.dim(p.n), [&] {
        SmallVector<F32> numbers;
        for (int64_t n = 0; n < width; ++n)
          numbers.push_back({k.b, sums[i * t.sums() + j + n]});
        failed |= mlir::failed(epilogue.store(batch, r, c, numbers));
      });
    }
  return success(!failed);
}

FailureOr<GpuStep> GemmSimt::emit() {
  MLIRContext *context = p.n.getContext();
  DimExprAttr size = DimExprAttr::constant(context, t.size), one = DimExprAttr::constant(context, 1);
  DimExprAttr rowTiles = p.m.ceilDiv(size), columnTiles = p.n.ceilDiv(size);
  SharedPointer slices = k.shared(4 * t.sliceBytes());
  threadRow = k.thread() / 16, threadColumn = k.thread() % 16;
  I32 tile = k.blockIndex(), rows = k.dim(rowTiles), columns = k.dim(columnTiles);
  I32 outer = tile / (rows * columns), batch = p.batch.empty() ? k.i32(0) : outer;
  SliceRange slicesOfK{k.i32(0), k.dim(p.k).ceilDiv(t.depth)};
  if (splits > 1) {
    slicesOfK = splitSlices(slicesOfK.to, outer, splits);
    epilogue.keepPartOf(outer);
  }
  I32 row = tile % rows * t.size, column = tile / rows % columns * t.size;
  ContractionBases bases = locateBatch(k, p, batch);
  SliceReader a = makeReader(bases.a, /*alongK=*/true, row, p.m);
  SliceReader b = makeReader(bases.b, p.transposedB, column, p.n);
  auto bufferA = [&](I32 number) { return slices + number * (2 * t.sliceBytes()); };
  auto bufferB = [&](I32 number) { return bufferA(number) + t.sliceBytes(); };

  SmallVector<Value> carried = loadSlice(a, slicesOfK.from * t.depth);
  llvm::append_range(carried, loadSlice(b, slicesOfK.from * t.depth));
  carried.append(t.sums() * t.sums(), k.f32(0).v);
  carried = k.loop(slicesOfK.from, slicesOfK.to, k.i32(1), carried, [&](I32 slice, ValueRange values) {
    // Two buffers: whoever is still multiplying reads the other one, and has passed the barrier before.
    I32 number = slice & 1;
    SmallVector<Value> numbers(values);
    storeSlice(a, ArrayRef(numbers).slice(0, 4), bufferA(number));
    storeSlice(b, ArrayRef(numbers).slice(4, 4), bufferB(number));
    k.barrier();
    I32 next = (slice + 1) * t.depth;
    SmallVector<Value> result = loadSlice(a, next);
    llvm::append_range(result, loadSlice(b, next));
    llvm::append_range(result, multiply(bufferA(number), bufferB(number), values.drop_front(8)));
    return result;
  });
  bool failed = mlir::failed(storeTile(batch, row, column, ValueRange(carried).drop_front(8)));
  GpuStep step = k.finish();
  if (failed)
    return failure();
  step.grid = {rowTiles * columnTiles * p.batchCount() * splits, one, one};
  return step;
}

FailureOr<std::optional<GpuKernel>> mlir::tfc::generateGemmSimt(GpuKernelRequest request) {
  std::optional<GpuContraction> problem = matchContraction(request);
  if (!problem)
    return std::optional<GpuKernel>();
  static constexpr SimtTile kTiles[] = {{64, 16}, {128, 8}};
  ContractionTile tiles[] = {{64, 64}, {128, 128}};
  SmallVector<ContractionVariant> variants =
      selectVariants(*problem, tiles, 16, /*inClusters=*/false, request.target);
  FailureOr<GpuKernel> kernel =
      emitVariants(request, *problem, variants, [&](const ContractionVariant &variant) {
        return GemmSimt(request, *problem, kTiles[variant.tile], variant).emit();
      });
  if (failed(kernel))
    return failure();
  return std::optional<GpuKernel>(std::move(*kernel));
}
