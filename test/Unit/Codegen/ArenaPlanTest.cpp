//===- ArenaPlanTest.cpp - No two live buffers overlap, whatever the sizes --------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Codegen/Common/ArenaPlan.h"

#include "gtest/gtest.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <random>

using namespace tfc;

namespace {

/// Offsets by the rule of the plan: the largest end of what lies below.
std::vector<int64_t> computeOffsets(const std::vector<std::vector<int64_t>> &above,
                                    const std::vector<int64_t> &sizes) {
  std::vector<int64_t> offsets(sizes.size(), -1);
  std::vector<bool> open(sizes.size(), false);
  std::function<int64_t(int64_t)> offsetOf = [&](int64_t i) -> int64_t {
    EXPECT_FALSE(open[i]) << "buffer " << i << " lies above itself";
    if (offsets[i] >= 0 || open[i])
      return std::max<int64_t>(offsets[i], 0);
    open[i] = true;
    int64_t offset = 0;
    for (int64_t j : above[i])
      offset = std::max(offset, offsetOf(j) + sizes[j]);
    open[i] = false;
    return offsets[i] = offset;
  };
  for (size_t i = 0; i < sizes.size(); ++i)
    offsetOf(i);
  return offsets;
}

bool liveTogether(const ArenaBuffer &a, const ArenaBuffer &b) {
  return a.segment == b.segment && a.first <= b.last && b.first <= a.last;
}

/// The number of pairs that are alive together and overlap in memory.
int countOverlaps(const std::vector<ArenaBuffer> &buffers, const std::vector<int64_t> &offsets,
                  const std::vector<int64_t> &sizes) {
  int overlaps = 0;
  for (size_t i = 0; i < buffers.size(); ++i)
    for (size_t j = 0; j < i; ++j)
      overlaps += liveTogether(buffers[i], buffers[j]) && offsets[i] < offsets[j] + sizes[j] &&
                  offsets[j] < offsets[i] + sizes[i];
  return overlaps;
}

std::vector<ArenaBuffer> makeProgram(std::mt19937 &random, int count, int segments) {
  std::vector<ArenaBuffer> buffers(count);
  for (int i = 0; i < count; ++i) {
    buffers[i].first = i;
    buffers[i].last = i + random() % (random() % 8 ? 4 : 40);
    buffers[i].nominalBytes = random() % 5 ? (random() % 1000) * 64 : 0;
    buffers[i].segment = i * segments / count;
  }
  return buffers;
}

/// Peak of the bytes alive at one time: no plan can do with less.
int64_t getLowerBound(const std::vector<ArenaBuffer> &buffers, const std::vector<int64_t> &sizes) {
  int64_t peak = 0;
  for (const ArenaBuffer &at : buffers) {
    int64_t alive = 0;
    for (size_t i = 0; i < buffers.size(); ++i)
      if (buffers[i].first <= at.first && at.first <= buffers[i].last)
        alive += sizes[i];
    peak = std::max(peak, alive);
  }
  return peak;
}

TEST(ArenaPlan, NeverOverlapsWhateverTheSizes) {
  std::mt19937 random(7);
  for (int program = 0; program < 60; ++program) {
    std::vector<ArenaBuffer> buffers = makeProgram(random, 1 + random() % 60, 1 + random() % 3);
    std::vector<std::vector<int64_t>> above = planArena(buffers);
    for (int trial = 0; trial < 10; ++trial) {
      // Sizes that have nothing to do with the nominal ones.
      std::vector<int64_t> sizes;
      for (size_t i = 0; i < buffers.size(); ++i)
        sizes.push_back((random() % 300) * 64);
      EXPECT_EQ(countOverlaps(buffers, computeOffsets(above, sizes), sizes), 0);
    }
  }
}

TEST(ArenaPlan, TheCheckFindsOverlaps) {
  std::vector<ArenaBuffer> buffers{{0, 1, 64, 0}, {1, 2, 64, 0}};
  EXPECT_EQ(countOverlaps(buffers, {0, 0}, {64, 64}), 1);
  EXPECT_EQ(countOverlaps(buffers, {0, 64}, {64, 64}), 0);
}

TEST(ArenaPlan, BuffersThatNeverMeetShareMemory) {
  std::vector<ArenaBuffer> buffers{{0, 1, 640, 0}, {1, 2, 64, 0}, {2, 3, 640, 0}};
  std::vector<std::vector<int64_t>> above = planArena(buffers);
  EXPECT_TRUE(above[0].empty());
  EXPECT_TRUE(above[2].empty());
  EXPECT_EQ(above[1], (std::vector<int64_t>{0, 2}));
}

TEST(ArenaPlan, SegmentsAreArenasOfTheirOwn) {
  std::vector<ArenaBuffer> buffers{{0, 5, 640, 0}, {1, 2, 64, 1}};
  std::vector<std::vector<int64_t>> above = planArena(buffers);
  EXPECT_TRUE(above[0].empty());
  EXPECT_TRUE(above[1].empty());
}

TEST(ArenaPlan, NominalSizeZeroStillGetsAnOrder) {
  std::vector<ArenaBuffer> buffers{{0, 3, 0, 0}, {1, 3, 0, 0}, {2, 3, 0, 0}};
  std::vector<int64_t> sizes{64, 128, 64};
  EXPECT_EQ(countOverlaps(buffers, computeOffsets(planArena(buffers), sizes), sizes), 0);
}

TEST(ArenaPlan, PairsThatFollowFromOthersAreLeftOut) {
  std::vector<ArenaBuffer> buffers(20);
  for (size_t i = 0; i < buffers.size(); ++i)
    buffers[i] = {0, 1, 64, 0};
  size_t pairs = 0;
  for (const std::vector<int64_t> &list : planArena(buffers))
    pairs += list.size();
  EXPECT_EQ(pairs, buffers.size() - 1);
}

TEST(ArenaPlan, AtNominalSizesCloseToTheLowerBound) {
  std::mt19937 random(11);
  std::vector<ArenaBuffer> buffers = makeProgram(random, 200, 1);
  std::vector<int64_t> sizes, offsets;
  for (const ArenaBuffer &buffer : buffers)
    sizes.push_back(buffer.nominalBytes);
  offsets = computeOffsets(planArena(buffers), sizes);
  int64_t total = 0;
  for (size_t i = 0; i < sizes.size(); ++i)
    total = std::max(total, offsets[i] + sizes[i]);
  EXPECT_LE(total, getLowerBound(buffers, sizes) * 3 / 2);
}

TEST(ArenaPlan, TwoHundredLaunchesAreQuick) {
  std::mt19937 random(3);
  std::vector<ArenaBuffer> buffers = makeProgram(random, 200, 1);
  auto start = std::chrono::steady_clock::now();
  planArena(buffers);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(100));
}

} // namespace
