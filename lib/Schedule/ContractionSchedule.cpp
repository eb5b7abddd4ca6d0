//===- ContractionSchedule.cpp - Block sizes of matrix products -----------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// The innermost loop holds rows * vectors accumulators, one row of B (vectors) and one broadcast element of A in
// registers. Each step of k does rows * vectors multiply-adds for rows + vectors loads, so square-ish blocks that just
// fit the register file are best: 8x3 of 32 registers (AVX-512), 4x3 of 16 (AVX2).
//
// A panel of B is read once per block of rows and should stay in the second cache meanwhile, beside the rows of A. Where K is too
// long for that, it is gone through in slices, and the sums of a tile wait in scratch between two of them: each sum is still one
// chain in the order of k.
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Schedule/ContractionSchedule.h"

#include "llvm/Support/MathExtras.h"
#include <algorithm>

using namespace tfc;

/// Vectors per row of the block. Three need the fewest loads per multiply-add; four are taken where they compute fewer columns
/// beyond n (64 columns of 16 lanes), fewer where n is no wider.
static int64_t selectVectors(const ContractionProblem &problem, const CpuTarget &target) {
  if (!problem.n)
    return 3;
  int64_t lanes = target.floatLanes();
  int64_t n = std::max<int64_t>(*problem.n, 1);
  if (n <= 2 * lanes)
    return llvm::divideCeil(n, lanes);
  bool fourFit = target.vectorRegisters >= 32;
  return fourFit && llvm::alignTo(n, 4 * lanes) < llvm::alignTo(n, 3 * lanes) ? 4 : 3;
}

/// The steps of K of one slice: 48 columns of 1024 steps, as many of the next panel and the rows of a tile together fill most of a
/// second cache of 1 MB.
static constexpr int64_t kSliceSteps = 1024;
static constexpr int64_t kCacheLine = 64;
/// More than this of A falls out of what a core has of the third cache before the next panel needs it again.
static constexpr int64_t kLargeABytes = int64_t(8) << 20;

/// Vectors per row of a block inside a panel: as many as fit the registers, of those that divide the panel.
static int64_t selectVectorsOfPanel(int64_t panelVectors, const CpuTarget &target) {
  int64_t vectors = std::min<int64_t>(panelVectors, target.vectorRegisters >= 32 ? 4 : 3);
  while (panelVectors % vectors != 0)
    --vectors;
  return vectors;
}

int64_t tfc::selectPanelWidth(int64_t n, llvm::ArrayRef<CpuTarget> targets) {
  const CpuTarget &target = getWidestTarget(targets);
  ContractionProblem problem;
  problem.n = n;
  return target.floatLanes() * selectVectors(problem, target);
}

/// Cuts a long K of a packed weight into slices of nearly equal depth.
static void selectSlices(int64_t k, ContractionSchedule &schedule) {
  if (k < 2 * kSliceSteps)
    return;
  int64_t slices = llvm::divideCeil(k, kSliceSteps);
  schedule.blockDepth = llvm::alignTo(llvm::divideCeil(k, slices), schedule.unroll);
  schedule.panelsPerSlice = 4;
  schedule.blocksPerTile = 16;
}

ContractionSchedule tfc::selectContraction(const ContractionProblem &problem, const CpuTarget &target) {
  ContractionSchedule schedule;
  schedule.lanes = target.floatLanes();
  schedule.useFma = target.hasFma();
  schedule.blockVectors =
      problem.packedWidth ? selectVectorsOfPanel(problem.packedWidth / schedule.lanes, target) : selectVectors(problem, target);
  // One register for the broadcast element of A, blockVectors for the row of B.
  int64_t free = target.vectorRegisters - 1 - schedule.blockVectors;
  int64_t most = target.vectorRegisters >= 32 ? 8 : 4;
  schedule.blockRows = std::clamp<int64_t>(free / schedule.blockVectors, 1, most);
  if (problem.m)
    schedule.blockRows = std::min(schedule.blockRows, std::max<int64_t>(*problem.m, 1));
  // Few rows per tile give small problems enough tiles for every thread. A transposed panel is copied once per tile and must
  // be used by enough rows to pay for that; a packed one should be used by all rows while it is in the cache.
  schedule.blocksPerTile = problem.transposedB ? 16 : 8;
  if (problem.packedWidth && problem.n && *problem.n >= 8 * problem.packedWidth)
    schedule.blocksPerTile = 32;
  if (problem.packedWidth) {
    selectSlices(problem.k.value_or(0), schedule);
    schedule.largeA = kLargeABytes / 4;
    schedule.prefetchLines = llvm::divideCeil(schedule.unroll * schedule.panelWidth() * 4, kCacheLine);
  }
  return schedule;
}
