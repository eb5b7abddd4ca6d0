//===- TargetListTest.cpp - What --target says ---------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/TargetInfo/TargetList.h"

#include <gtest/gtest.h>

using namespace tfc;

/// The targets with spaces between, or the error.
static std::string parse(llvm::StringRef list) {
  llvm::Expected<std::vector<TargetSpec>> targets = parseTargetList(list);
  if (!targets)
    return "error: " + llvm::toString(targets.takeError());
  std::string text;
  for (const TargetSpec &target : *targets)
    text += (text.empty() ? "" : " ") + target.str();
  return text;
}

TEST(TargetList, NamesWhatThereIs) {
  EXPECT_EQ(parse("cpu"), "cpu:native");
  EXPECT_EQ(parse("cpu:x86-64-v3"), "cpu:x86-64-v3");
  EXPECT_EQ(parse("cpu:x86-64-v3+x86-64-v4"), "cpu:x86-64-v3+x86-64-v4");
  EXPECT_EQ(parse("cuda:sm_80"), "cuda:sm_80");
  EXPECT_EQ(parse("cuda"), "cuda:sm_90a cuda:sm_80 cuda:sm_70");
  EXPECT_EQ(parse("cuda-emu:sm_75"), "cuda-emu:sm_75");
}

TEST(TargetList, PutsTheBetterChipFirst) {
  EXPECT_EQ(parse("cuda:sm_70,cuda:sm_90,cuda:sm_90a,cuda:sm_80"), "cuda:sm_90a cuda:sm_90 cuda:sm_80 cuda:sm_70");
  EXPECT_EQ(parse("cuda:sm_80,cpu,cuda:sm_90a"), "cpu:native cuda:sm_90a cuda:sm_80");
}

TEST(TargetList, RefusesWhatItDoesNotKnow) {
  EXPECT_NE(parse("gpu").find("error: unknown target 'gpu'; there is cpu"), std::string::npos);
  EXPECT_NE(parse("").find("unknown target ''"), std::string::npos);
  EXPECT_NE(parse("cpu,").find("unknown target ''"), std::string::npos);
  EXPECT_NE(parse("cuda:").find("unknown target 'cuda:'"), std::string::npos);
  EXPECT_NE(parse("cuda:sm_1").find("unknown GPU target 'sm_1'"), std::string::npos);
  EXPECT_NE(parse("cpu:z80").find("unknown CPU target 'z80'"), std::string::npos);
  EXPECT_NE(parse("cpu,cpu:x86-64-v2").find("asks for two CPUs"), std::string::npos);
  EXPECT_NE(parse("cuda,cuda:sm_80").find("asks twice for cuda:sm_80"), std::string::npos);
}
