//===- ArenaPlan.cpp - Where buffers lie in an arena, for every value of the dims -------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Codegen/Common/ArenaPlan.h"

#include <algorithm>
#include <limits>
#include <numeric>

using namespace tfc;

static bool conflict(const ArenaBuffer &a, const ArenaBuffer &b) {
  return a.segment == b.segment && a.first <= b.last && b.first <= a.last;
}

static int64_t saturatingAdd(int64_t a, int64_t b) {
  return a > std::numeric_limits<int64_t>::max() - b ? std::numeric_limits<int64_t>::max() : a + b;
}

/// Offsets at the nominal sizes: the largest buffer first, each into the lowest gap that fits.
static std::vector<int64_t> placeGreedily(const std::vector<ArenaBuffer> &buffers) {
  std::vector<int64_t> bySize(buffers.size()), offsets(buffers.size(), 0), placed;
  std::iota(bySize.begin(), bySize.end(), 0);
  std::sort(bySize.begin(), bySize.end(), [&](int64_t a, int64_t b) {
    return std::pair(-buffers[a].nominalBytes, a) < std::pair(-buffers[b].nominalBytes, b);
  });
  // `placed` stays sorted by offset, so that one walk over it finds the lowest gap.
  for (int64_t i : bySize) {
    int64_t offset = 0;
    for (int64_t j : placed) {
      if (!conflict(buffers[i], buffers[j]))
        continue;
      if (saturatingAdd(offset, buffers[i].nominalBytes) <= offsets[j])
        break;
      offset = std::max(offset, saturatingAdd(offsets[j], buffers[j].nominalBytes));
    }
    offsets[i] = offset;
    auto behind = std::upper_bound(placed.begin(), placed.end(), i,
                                   [&](int64_t a, int64_t b) { return offsets[a] < offsets[b]; });
    placed.insert(behind, i);
  }
  return offsets;
}

std::vector<std::vector<int64_t>> tfc::planArena(const std::vector<ArenaBuffer> &buffers) {
  size_t count = buffers.size();
  std::vector<int64_t> offsets = placeGreedily(buffers), order(count);
  std::iota(order.begin(), order.end(), 0);
  // Ties are broken by number: an order of all buffers, so the plan has no cycle even where nominal sizes are
  // 0.
  std::sort(order.begin(), order.end(),
            [&](int64_t a, int64_t b) { return std::pair(offsets[a], a) < std::pair(offsets[b], b); });

  std::vector<std::vector<int64_t>> above(count);
  std::vector<std::vector<bool>> reaches(count);
  for (size_t position = 0; position < count; ++position) {
    int64_t i = order[position];
    reaches[i].assign(count, false);
    // From the highest to the lowest: a buffer that one already listed lies above needs no mention of its
    // own.
    for (size_t below = position; below-- > 0;) {
      int64_t j = order[below];
      if (!conflict(buffers[i], buffers[j]) || reaches[i][j])
        continue;
      above[i].push_back(j);
      reaches[i][j] = true;
      for (size_t k = 0; k < count; ++k)
        if (reaches[j][k])
          reaches[i][k] = true;
    }
    std::sort(above[i].begin(), above[i].end());
  }
  return above;
}
