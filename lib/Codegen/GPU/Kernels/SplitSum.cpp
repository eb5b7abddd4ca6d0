//===- SplitSum.cpp - The second step of a product whose K is cut --------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// The first step has left one matrix of sums per part of K in the workspace. Each element adds them up in the
// order of the parts, so results are the same in every run, and computes its epilogue.
//
//===----------------------------------------------------------------------------------------------===//

#include "Contraction.h"

#include "tfc/Schedule/GpuSchedule.h"

using namespace mlir;
using namespace mlir::tfc;

static constexpr int64_t kThreads = 256;

FailureOr<GpuStep> mlir::tfc::emitSplitSum(GpuKernelRequest request, const GpuContraction &p, int64_t splits,
                                           StringRef name) {
  MLIRContext *context = p.n.getContext();
  DimExprAttr one = DimExprAttr::constant(context, 1);
  KernelBuilder k({request.module, request.kernel, request.target, name, kThreads});
  ContractionEpilogue epilogue(k, request.kernel, p);
  int64_t width = epilogue.width(4);
  DimExprAttr perRow = p.n.floorDiv(DimExprAttr::constant(context, width)), runs = perRow * p.m;
  I32 run = k.blockIndex() * kThreads + k.thread();
  bool broken = false;
  k.when(run < k.dim(runs), [&] {
    I32 row = run / k.dim(perRow), column = run % k.dim(perRow) * width;
    GlobalPointer from = k.workspace(k.b.getF32Type()) + (row.wide() * k.wideDim(p.n) + column.wide());
    I64 matrix = k.wideDim(p.m * p.n);
    SmallVector<F32> sums(width, k.f32(0));
    for (int64_t split = 0; split < splits; ++split)
      // Written by the step before: no load of what does not change.
      for (auto [i, part] : llvm::enumerate(k.load(from + matrix * split, width, /*readOnly=*/false)))
        sums[i] = split == 0 ? F32(k.b, part) : sums[i] + F32(k.b, part);
    broken = failed(epilogue.store(k.i32(0), row, column, sums));
  });
  GpuStep step = k.finish();
  if (broken)
    return failure();
  step.grid = {runs.ceilDiv(DimExprAttr::constant(context, kThreads)), one, one};
  return step;
}

FailureOr<GpuKernel>
mlir::tfc::emitVariants(GpuKernelRequest request, const GpuContraction &p,
                        ArrayRef<ContractionVariant> variants,
                        function_ref<FailureOr<GpuStep>(const ContractionVariant &)> emit) {
  GpuKernel kernel;
  MLIRContext *context = request.kernel.getContext();
  kernel.workspace = DimExprAttr::constant(context, 0);
  for (const ContractionVariant &variant : variants) {
    if (variant.when.isConstant(0))
      continue;
    FailureOr<GpuStep> step = variant.gemvRows ? emitGemv(request, p, variant) : emit(variant);
    if (failed(step))
      return failure();
    step->grid[0] = step->grid[0] * variant.when;
    kernel.steps.push_back(std::move(*step));
    if (variant.splits == 1 || variant.inCluster)
      continue;
    FailureOr<GpuStep> sum = emitSplitSum(request, p, variant.splits, variant.name + "_sum");
    if (failed(sum))
      return failure();
    sum->grid[0] = sum->grid[0] * variant.when;
    kernel.steps.push_back(std::move(*sum));
    // Only one variant runs.
    DimExprAttr bytes = p.m * p.n * (4 * variant.splits) * variant.when;
    kernel.workspace = kernel.workspace.max(bytes);
  }
  return kernel;
}

SmallVector<ContractionVariant> mlir::tfc::selectVariants(const GpuContraction &p,
                                                          ArrayRef<ContractionTile> tiles, int64_t depth,
                                                          bool inClusters, const ::tfc::GpuTarget &target) {
  MLIRContext *context = p.n.getContext();
  auto constant = [&](int64_t value) { return DimExprAttr::constant(context, value); };
  SmallVector<ContractionVariant> variants;
  DimExprAttr open = constant(1); // 1 where no variant before is taken
  auto add = [&](size_t tile, DimExprAttr condition, int64_t splits) {
    std::string name = "_" + std::to_string(tiles[tile].rows) + "x" + std::to_string(tiles[tile].columns);
    variants.push_back({tile, splits, open * condition, name + (splits > 1 && tile > 0 ? "_split" : ""),
                        inClusters && splits > 1});
    open = open * (constant(1) - condition);
  };
  auto tileCount = [&](const ContractionTile &tile) {
    return p.m.ceilDiv(constant(tile.rows)) * p.n.ceilDiv(constant(tile.columns)) * p.batchCount();
  };
  std::optional<int64_t> n = p.n.getConstant(), k = p.k.getConstant();
  auto splitsFor = [&](const ContractionTile &tile, int64_t rowTiles) -> int64_t {
    if (!n || !p.batch.empty())
      return 1;
    return ::tfc::selectGpuSplits(rowTiles * llvm::divideCeil(*n, tile.columns), k, depth, inClusters,
                                  target);
  };
  // Few rows: without tiles, or one row of the smallest ones. More rows than one limit are more than those
  // before it: `open` need not say that.
  auto addUpTo = [&](int64_t rows, function_ref<void(DimExprAttr)> addVariant) {
    DimExprAttr isMore = atLeast(p.m, rows + 1);
    addVariant(constant(1) - isMore);
    open = isMore;
  };
  if (canBeGemv(p))
    for (int64_t rows : {1, 4})
      addUpTo(rows, [&](DimExprAttr condition) {
        variants.push_back({0, 1, open * condition, "_gemv" + std::to_string(rows), false, rows});
      });
  addUpTo(tiles[0].rows, [&](DimExprAttr condition) { add(0, condition, splitsFor(tiles[0], 1)); });
  // Then parts of K where tiles are few, and larger tiles where they keep the chip busy.
  for (size_t i = 1; i < tiles.size(); ++i) {
    if (int64_t splits = i == 1 ? splitsFor(tiles[i], 2) : 1; splits > 1)
      add(i, constant(1) - atLeast(tileCount(tiles[i]), target.multiprocessors / 2), splits);
    bool isLast = i + 1 == tiles.size();
    add(i, isLast ? constant(1) : constant(1) - atLeast(tileCount(tiles[i + 1]), target.multiprocessors), 1);
  }
  return variants;
}
