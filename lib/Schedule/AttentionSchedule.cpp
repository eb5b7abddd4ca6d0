//===- AttentionSchedule.cpp - Block sizes of attention -------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// Both products of attention hold rows * vectors accumulators and one row of vectors; their other operand is
// broadcast from memory. Two vectors of queries give each broadcast two multiply-adds, and leave registers
// for enough rows to hide the latency of the multiply-add.
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Schedule/AttentionSchedule.h"

#include "llvm/Support/MathExtras.h"
#include <algorithm>

using namespace tfc;

/// Keys whose scores for a block of queries (16 KiB) stay in the first cache beside the queries and the
/// output. Lengths that are common are multiples of it.
static constexpr int64_t kKeyBlock = 128;

/// The height, of at most `most`, that cuts `n` rows into blocks of one height; where none above half of
/// `most` does, `most`.
static int64_t selectHeight(int64_t n, int64_t most) {
  if (n <= most)
    return std::max<int64_t>(n, 1);
  for (int64_t rows = most; rows > most / 2; --rows)
    if (n % rows == 0)
      return rows;
  return most;
}

int64_t DecodeSplit::partCount(int64_t rows, int64_t keys) {
  bool isCut = rows > 0 && rows <= kMostRows && keys > kWholeKeys;
  return isCut ? llvm::divideCeil(keys, kPartKeys) : 0;
}

AttentionSchedule tfc::selectAttention(const AttentionProblem &problem, const CpuTarget &target) {
  AttentionSchedule schedule;
  schedule.lanes = target.floatLanes();
  schedule.useFma = target.hasFma();
  schedule.queryVectors = 2;
  // A query of its own takes a key in (headDim + valueDim) / lanes multiply-adds and about as much for adding up across lanes; a
  // vector of queries takes it in headDim + valueDim.
  schedule.rowQueries = std::max<int64_t>(schedule.lanes / 4, 1);
  // One register for the broadcast element, one for the product where there is no fused multiply-add.
  int64_t free = target.vectorRegisters - schedule.queryVectors - (schedule.useFma ? 1 : 2);
  int64_t most = std::min<int64_t>(free / schedule.queryVectors, 8);
  schedule.scoreRows = most;
  schedule.keyBlock = llvm::alignTo(kKeyBlock, most);
  schedule.valueRows = selectHeight(problem.valueDim, most);
  return schedule;
}
