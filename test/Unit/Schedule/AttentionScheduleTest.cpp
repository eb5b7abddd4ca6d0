//===- AttentionScheduleTest.cpp - Block sizes of attention ---------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Schedule/AttentionSchedule.h"

#include "gtest/gtest.h"

using namespace tfc;

static CpuTarget target(llvm::StringRef name) {
  llvm::Expected<CpuTarget> parsed = parseCpuTarget(name);
  EXPECT_TRUE(static_cast<bool>(parsed)) << llvm::toString(parsed.takeError());
  return parsed ? *parsed : CpuTarget();
}

TEST(AttentionSchedule, BlocksFitTheRegisters) {
  for (const char *cpu : {"x86-64-v2", "x86-64-v3", "x86-64-v4"})
    for (int64_t dim = 1; dim <= 256; ++dim) {
      CpuTarget cpuTarget = target(cpu);
      AttentionSchedule s = selectAttention({dim, dim}, cpuTarget);
      for (int64_t rows : {s.scoreRows, s.valueRows}) {
        EXPECT_GE(rows, 1);
        // The accumulators, a row of vectors, the broadcast element, and a product that is added apart.
        EXPECT_LE(rows * s.queryVectors + s.queryVectors + (s.useFma ? 1 : 2),
                  int64_t(cpuTarget.vectorRegisters))
            << cpu << ' ' << dim;
      }
      EXPECT_LE(s.valueRows, dim);
      EXPECT_EQ(s.keyBlock % s.scoreRows, 0);
    }
}

TEST(AttentionSchedule, Avx512IsThirtyTwoQueries) {
  AttentionSchedule s = selectAttention({64, 64}, target("x86-64-v4"));
  EXPECT_EQ(s.queryBlock(), 32);
  EXPECT_EQ(s.keyBlock, 128);
  EXPECT_EQ(s.scoreRows, 8);
  EXPECT_TRUE(s.useFma);
}

TEST(AttentionSchedule, RowsOfTheOutputAreWholeBlocksWhereTheyCanBe) {
  EXPECT_EQ(selectAttention({64, 64}, target("x86-64-v4")).valueRows, 8);
  EXPECT_EQ(selectAttention({100, 100}, target("x86-64-v4")).valueRows, 5);
  EXPECT_EQ(selectAttention({67, 67}, target("x86-64-v4")).valueRows, 8);
  EXPECT_EQ(selectAttention({8, 3}, target("x86-64-v4")).valueRows, 3);
}

TEST(AttentionSchedule, FewQueriesGoOneByOne) {
  for (const char *cpu : {"x86-64-v2", "x86-64-v3", "x86-64-v4"}) {
    AttentionSchedule s = selectAttention({64, 64}, target(cpu));
    EXPECT_GE(s.rowQueries, 1);
    EXPECT_LT(s.rowQueries, s.queryBlock());
  }
}

TEST(AttentionSchedule, NoFusedMultiplyAddBelowV3) {
  EXPECT_FALSE(selectAttention({64, 64}, target("x86-64-v2")).useFma);
}

TEST(DecodeSplit, FewRowsOverManyKeysAreCut) {
  EXPECT_EQ(DecodeSplit::partCount(1, 1024), 0);
  EXPECT_EQ(DecodeSplit::partCount(1, 1025), 3);
  EXPECT_EQ(DecodeSplit::partCount(1, 1536), 3);
  EXPECT_EQ(DecodeSplit::partCount(32, 1537), 4);
  EXPECT_EQ(DecodeSplit::partCount(33, 100000), 0);
  EXPECT_EQ(DecodeSplit::partCount(0, 100000), 0);
  EXPECT_EQ(DecodeSplit::partCount(8, 0), 0);
}

TEST(DecodeSplit, EveryKeyIsInOnePart) {
  for (int64_t keys = DecodeSplit::kWholeKeys + 1; keys < 9000; ++keys) {
    int64_t count = DecodeSplit::partCount(4, keys);
    EXPECT_LT((count - 1) * DecodeSplit::kPartKeys, keys);
    EXPECT_GE(count * DecodeSplit::kPartKeys, keys);
  }
}
