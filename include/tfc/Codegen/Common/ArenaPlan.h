//===- ArenaPlan.h - Where buffers lie in an arena, for every value of the dims ----------*- C++ -*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// Sizes of buffers are expressions of symbols, so no fixed offsets exist at compile time. What can be fixed
// is an order: of two buffers that are alive at the same time, one lies above the other. Then
//
//   offset(i) = max over j in above(i) of offset(j) + size(j)
//
// never lets two of them overlap, whatever the sizes are. The order comes from a greedy placement at nominal
// sizes; a bad guess of the sizes costs memory, never correctness. Example: a lives in steps 0 to 1,
// b in 1 to 2, c in 2 to 3. a and c never meet, so both may lie at the bottom; b lies above both:
// above(a) = {}, above(b) = {a, c}, above(c) = {}.
//
// This file knows neither IR nor expressions; PlanMemory does.
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_CODEGEN_COMMON_ARENAPLAN_H
#define TFC_CODEGEN_COMMON_ARENAPLAN_H

#include <cstdint>
#include <vector>

namespace tfc {

/// A buffer that lives from step `first` to step `last`, both included.
struct ArenaBuffer {
  int64_t first = 0, last = 0;
  int64_t nominalBytes = 0;
  int64_t segment = 0; ///< Buffers of different segments lie in different arenas.
};

/// For every buffer, the buffers it must lie above. No cycles; of two buffers of one segment that live at the
/// same time, one reaches the other. Deterministic.
std::vector<std::vector<int64_t>> planArena(const std::vector<ArenaBuffer> &buffers);

} // namespace tfc

#endif // TFC_CODEGEN_COMMON_ARENAPLAN_H
