//===- ContractionScheduleTest.cpp - Block sizes of matrix products -------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Schedule/ContractionSchedule.h"

#include "gtest/gtest.h"

using namespace tfc;

static CpuTarget target(llvm::StringRef name) {
  llvm::Expected<CpuTarget> parsed = parseCpuTarget(name);
  EXPECT_TRUE(static_cast<bool>(parsed)) << llvm::toString(parsed.takeError());
  return parsed ? *parsed : CpuTarget();
}

static ContractionSchedule select(llvm::StringRef cpu, std::optional<int64_t> n, bool transposed = false) {
  return selectContraction({std::nullopt, n, std::nullopt, transposed}, target(cpu));
}

TEST(ContractionSchedule, BlockFitsTheRegisters) {
  for (const char *cpu : {"x86-64-v2", "x86-64-v3", "x86-64-v4"})
    for (int64_t n : {1, 17, 64, 768, 1000, 50257}) {
      ContractionSchedule s = select(cpu, n);
      EXPECT_LE(s.blockRows * s.blockVectors + s.blockVectors + 1, int64_t(target(cpu).vectorRegisters)) << cpu << ' ' << n;
      EXPECT_GE(s.blockRows, 1);
      EXPECT_GE(s.blockVectors, 1);
    }
}

TEST(ContractionSchedule, Avx512IsEightBy48) {
  ContractionSchedule s = select("x86-64-v4", 3072);
  EXPECT_EQ(s.blockRows, 8);
  EXPECT_EQ(s.panelWidth(), 48);
  EXPECT_TRUE(s.useFma);
}

TEST(ContractionSchedule, SixtyFourColumnsAreOnePanel) { EXPECT_EQ(select("x86-64-v4", 64).panelWidth(), 64); }

TEST(ContractionSchedule, NarrowResultsTakeFewVectors) {
  EXPECT_EQ(select("x86-64-v4", 3).blockVectors, 1);
  EXPECT_EQ(select("x86-64-v4", 17).blockVectors, 2);
}

TEST(ContractionSchedule, Avx2IsFourBy24) {
  ContractionSchedule s = select("x86-64-v3", 3072);
  EXPECT_EQ(s.blockRows, 4);
  EXPECT_EQ(s.panelWidth(), 24);
}

TEST(ContractionSchedule, NoFusedMultiplyAddBelowV3) { EXPECT_FALSE(select("x86-64-v2", 768).useFma); }

TEST(ContractionSchedule, TransposedPanelsServeMoreRows) {
  EXPECT_GT(select("x86-64-v4", 128, true).rowsPerTile(), select("x86-64-v4", 128, false).rowsPerTile());
}

TEST(ContractionSchedule, PanelsAreWholeVectorsThatOneBlockHolds) {
  for (const char *cpu : {"x86-64-v2", "x86-64-v3", "x86-64-v4"})
    for (int64_t n : {1, 33, 64, 768, 1000, 50257})
      for (int64_t k : {1, 768, 4096, 20000}) {
        int64_t width = selectPanelWidth(n, target(cpu));
        ContractionProblem problem;
        problem.n = n, problem.k = k, problem.packedWidth = width;
        ContractionSchedule s = selectContraction(problem, target(cpu));
        EXPECT_EQ(s.panelWidth(), width) << cpu << ' ' << n << ' ' << k;
        EXPECT_LE(s.blockRows * s.blockVectors + s.blockVectors + 1, int64_t(target(cpu).vectorRegisters));
      }
}

TEST(ContractionSchedule, LongKIsCutIntoSlices) {
  ContractionProblem problem;
  problem.n = 768, problem.packedWidth = selectPanelWidth(768, target("x86-64-v4"));
  EXPECT_EQ(problem.packedWidth, 48);
  for (int64_t k : {768, 2047}) {
    problem.k = k;
    ContractionSchedule s = selectContraction(problem, target("x86-64-v4"));
    EXPECT_EQ(s.blockDepth, 0) << k;
    EXPECT_EQ(s.panelsPerSlice, 1) << k;
  }
  for (int64_t k : {2048, 3072, 4097, 11008, 100000}) {
    problem.k = k;
    ContractionSchedule s = selectContraction(problem, target("x86-64-v4"));
    EXPECT_GT(s.blockDepth, 512) << k;
    EXPECT_LE(s.blockDepth, 1024) << k;
    // The tails of the unrolled loop are those of K alone.
    EXPECT_EQ(s.blockDepth % s.unroll, 0) << k;
    // The last slice is shorter by what rounding gave to the others.
    int64_t slices = (k + s.blockDepth - 1) / s.blockDepth;
    EXPECT_LT(s.blockDepth * slices - k, s.unroll * slices) << k;
  }
}

TEST(ContractionSchedule, OnlyPackedWeightsAreCutIntoSlices) {
  ContractionProblem problem;
  problem.n = 768, problem.k = 3072;
  EXPECT_EQ(selectContraction(problem, target("x86-64-v4")).blockDepth, 0);
  problem.packedWidth = 48;
  EXPECT_EQ(selectContraction(problem, target("x86-64-v4")).blockDepth, 1024);
  problem.k = std::nullopt;
  EXPECT_EQ(selectContraction(problem, target("x86-64-v4")).blockDepth, 0);
}

TEST(ContractionSchedule, OneWidthOfPanelsServesAllTargets) {
  for (const char *cpus : {"x86-64-v3+x86-64-v4", "x86-64-v2+x86-64-v3+x86-64-v4", "x86-64-v2+x86-64-v3"}) {
    llvm::Expected<CpuTargets> targets = parseCpuTargets(cpus);
    ASSERT_TRUE(static_cast<bool>(targets)) << llvm::toString(targets.takeError());
    for (int64_t n : {33, 64, 768, 1000})
      for (int64_t k : {768, 4096, 20000}) {
        int64_t width = selectPanelWidth(n, *targets);
        for (const CpuTarget &target : *targets) {
          ContractionProblem problem;
          problem.n = n, problem.k = k, problem.packedWidth = width;
          ContractionSchedule s = selectContraction(problem, target);
          EXPECT_EQ(width % s.panelWidth(), 0) << cpus << ' ' << target.name << ' ' << n << ' ' << k;
          EXPECT_LE(s.blockRows * s.blockVectors + s.blockVectors + 1, int64_t(target.vectorRegisters));
        }
      }
    EXPECT_EQ(selectPanelWidth(3072, *targets), selectPanelWidth(3072, targets->front()));
  }
}

TEST(ContractionSchedule, BlockIsAPartOfAWidePanel) {
  ContractionProblem problem;
  problem.n = 3072, problem.k = 768, problem.packedWidth = 48;
  EXPECT_EQ(selectContraction(problem, target("x86-64-v4")).panelWidth(), 48);
  EXPECT_EQ(selectContraction(problem, target("x86-64-v3")).panelWidth(), 24);
  EXPECT_EQ(selectContraction(problem, target("x86-64-v2")).panelWidth(), 12);
  EXPECT_EQ(selectContraction(problem, target("aarch64")).panelWidth(), 16);
}

TEST(ContractionSchedule, OnlyPackedPanelsArePrefetched) {
  ContractionProblem problem;
  problem.n = 3072, problem.k = 768;
  EXPECT_EQ(selectContraction(problem, target("x86-64-v4")).prefetchLines, 0);
  problem.packedWidth = 48;
  // Four steps of K read 4 * 48 floats, which are 12 lines.
  EXPECT_EQ(selectContraction(problem, target("x86-64-v4")).prefetchLines, 12);
}

TEST(ContractionSchedule, OnlyPackedPanelsAreReadAgainForTheSakeOfA) {
  ContractionProblem problem;
  problem.n = 768, problem.k = 3072;
  EXPECT_EQ(selectContraction(problem, target("x86-64-v4")).largeA, 0);
  problem.packedWidth = 48;
  int64_t largeA = selectContraction(problem, target("x86-64-v4")).largeA;
  EXPECT_LT(512 * 768, largeA);
  EXPECT_GE(1024 * 3072, largeA);
}

TEST(ContractionSchedule, FewPanelsLeaveMoreTilesOfRows) {
  ContractionProblem problem;
  problem.n = 96, problem.k = 768, problem.packedWidth = 48;
  int64_t few = selectContraction(problem, target("x86-64-v4")).rowsPerTile();
  problem.n = 3072;
  EXPECT_LT(few, selectContraction(problem, target("x86-64-v4")).rowsPerTile());
}

TEST(CpuTarget, UnknownNamesListTheKnownOnes) {
  llvm::Expected<CpuTarget> parsed = parseCpuTarget("pentium");
  ASSERT_FALSE(static_cast<bool>(parsed));
  EXPECT_NE(llvm::toString(parsed.takeError()).find("x86-64-v3"), std::string::npos);
}

static std::string refusal(llvm::StringRef names) {
  llvm::Expected<CpuTargets> parsed = parseCpuTargets(names);
  EXPECT_FALSE(static_cast<bool>(parsed)) << names.str();
  return parsed ? "" : llvm::toString(parsed.takeError());
}

TEST(CpuTarget, ListsStartWithTheMostCapable) {
  llvm::Expected<CpuTargets> targets = parseCpuTargets("x86-64-v3+x86-64-v2+x86-64-v4");
  ASSERT_TRUE(static_cast<bool>(targets));
  ASSERT_EQ(targets->size(), 3u);
  EXPECT_EQ((*targets)[0].name, "x86-64-v4");
  EXPECT_EQ((*targets)[1].name, "x86-64-v3");
  EXPECT_EQ((*targets)[2].name, "x86-64-v2");
  EXPECT_EQ(getWidestTarget(*targets).name, "x86-64-v4");
}

TEST(CpuTarget, ListsThatCannotBe) {
  EXPECT_EQ(refusal("x86-64-v3+aarch64"),
            "the targets 'aarch64' and 'x86-64-v3' are of different architectures: an artifact is for one of them");
  EXPECT_EQ(refusal("x86-64-v3+x86-64-v3"), "the target 'x86-64-v3' is named twice");
  EXPECT_NE(refusal("x86-64-v3+").find("unknown CPU target ''"), std::string::npos);
  EXPECT_NE(refusal("").find("unknown CPU target ''"), std::string::npos);
}

TEST(CpuTarget, Arm) {
  CpuTarget arm = target("aarch64");
  EXPECT_EQ(arm.triple, "aarch64-unknown-linux-gnu");
  EXPECT_EQ(arm.vectorBits, 128u);
  EXPECT_EQ(arm.vectorRegisters, 32u);
  EXPECT_TRUE(arm.hasFma());
  EXPECT_EQ(arm.featureBits & target("x86-64-v4").featureBits, 0u);
}

TEST(CpuTarget, LevelsGrow) {
  EXPECT_EQ(target("x86-64-v4").featureBits & target("x86-64-v3").featureBits, target("x86-64-v3").featureBits);
  EXPECT_EQ(target("x86-64-v3").featureBits & target("x86-64-v2").featureBits, target("x86-64-v2").featureBits);
}
