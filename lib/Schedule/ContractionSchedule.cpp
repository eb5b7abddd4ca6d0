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

ContractionSchedule tfc::selectContraction(const ContractionProblem &problem, const CpuTarget &target) {
  ContractionSchedule schedule;
  schedule.lanes = target.floatLanes();
  schedule.useFma = target.hasFma();
  schedule.blockVectors = selectVectors(problem, target);
  // One register for the broadcast element of A, blockVectors for the row of B.
  int64_t free = target.vectorRegisters - 1 - schedule.blockVectors;
  int64_t most = target.vectorRegisters >= 32 ? 8 : 4;
  schedule.blockRows = std::clamp<int64_t>(free / schedule.blockVectors, 1, most);
  if (problem.m)
    schedule.blockRows = std::min(schedule.blockRows, std::max<int64_t>(*problem.m, 1));
  // Few rows per tile give small models enough tiles for every thread; a transposed panel is copied once per tile and
  // must be used by enough rows to pay for that.
  int64_t blocks = problem.transposedB ? 16 : 8;
  schedule.rowsPerTile = schedule.blockRows * blocks;
  return schedule;
}
