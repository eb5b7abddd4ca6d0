//===- GpuScheduleTest.cpp - How GPU kernels are cut ---------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Schedule/GpuSchedule.h"

#include "gtest/gtest.h"

using namespace tfc;

static GpuTarget target(llvm::StringRef chip) {
  llvm::Expected<GpuTarget> parsed = parseGpuTarget(chip);
  EXPECT_TRUE(static_cast<bool>(parsed)) << llvm::toString(parsed.takeError());
  return parsed ? *parsed : GpuTarget();
}

TEST(GpuTarget, ChipsHaveWhatTheyHave) {
  EXPECT_FALSE(target("sm_70").hasMmaSync);
  EXPECT_TRUE(target("sm_80").hasMmaSync);
  EXPECT_FALSE(target("sm_90").hasWgmma);
  EXPECT_TRUE(target("sm_90a").hasWgmma);
  EXPECT_TRUE(target("sm_120").hasMmaSync);
  EXPECT_EQ(target("sm_86").sharedBytes, 99 * 1024);
}

TEST(GpuTarget, UnknownChipsAreErrors) {
  for (const char *chip : {"", "sm_81", "80", "sm_80a", "native"}) {
    llvm::Expected<GpuTarget> parsed = parseGpuTarget(chip);
    ASSERT_FALSE(static_cast<bool>(parsed)) << chip;
    EXPECT_NE(llvm::toString(parsed.takeError()).find("known are sm_70"), std::string::npos);
  }
}

TEST(GpuRows, AllElementsAreReadAndRegistersSuffice) {
  for (int64_t bytes : {2, 4})
    for (int64_t length = 0; length <= 20000; length += length < 100 ? 1 : 37) {
      GpuRowSchedule s = selectGpuRows(length, bytes);
      EXPECT_LE(s.threads(), 256);
      EXPECT_EQ(length % s.width, 0) << length;
      EXPECT_LE(s.width * bytes, 16);
      EXPECT_TRUE(s.warpsPerRow == 1 || s.rowsPerBlock == 1) << "a block barrier is for one row";
      if (!s.runs)
        continue;
      EXPECT_GE(*s.runs * s.stride(), length);
      EXPECT_LT((*s.runs - 1) * s.stride(), std::max<int64_t>(length, 1)) << "a read that none needs";
      EXPECT_LE(*s.runs * s.width, 64 + 8);
    }
}

TEST(GpuRows, UnknownAndHugeRowsAreReadAnew) {
  EXPECT_FALSE(selectGpuRows(std::nullopt, 4).runs);
  EXPECT_FALSE(selectGpuRows(100000, 4).runs);
  EXPECT_TRUE(selectGpuRows(16384, 4).runs);
}

TEST(GpuSplits, FewTilesAreCutAndManyAreNot) {
  GpuTarget h100 = target("sm_90a");
  EXPECT_EQ(selectGpuSplits(12, 768, 64, /*inCluster=*/false, h100), 3);   // 12 slices, at least 4 each
  EXPECT_EQ(selectGpuSplits(12, 3072, 64, /*inCluster=*/false, h100), 11); // 132 multiprocessors
  EXPECT_EQ(selectGpuSplits(12, 3072, 64, /*inCluster=*/true, h100), 8); // blocks of a cluster
  EXPECT_EQ(selectGpuSplits(24, 3072, 64, /*inCluster=*/true, h100), 5);
  EXPECT_EQ(selectGpuSplits(200, 3072, 64, /*inCluster=*/false, h100), 1);
  EXPECT_EQ(selectGpuSplits(1, 1 << 20, 64, /*inCluster=*/false, h100), 16);
  EXPECT_EQ(selectGpuSplits(12, std::nullopt, 64, /*inCluster=*/false, h100), 1);
  EXPECT_EQ(selectGpuSplits(12, 0, 64, /*inCluster=*/false, h100), 1);
}
