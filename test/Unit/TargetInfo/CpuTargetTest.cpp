//===- CpuTargetTest.cpp - What the names of CPUs stand for ---------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/TargetInfo/CpuTarget.h"

#include <gtest/gtest.h>

using namespace tfc;

static CpuTarget parse(llvm::StringRef name) {
  llvm::Expected<CpuTarget> target = parseCpuTarget(name);
  EXPECT_TRUE(static_cast<bool>(target)) << llvm::toString(target.takeError());
  return target ? *target : CpuTarget();
}

/// A runtime looks for the bits, so code must not use more than they stand for.
TEST(CpuTarget, NativeIsALevelTunedForTheHost) {
  CpuTarget native = parse("native");
  EXPECT_EQ(native.name, "native");
  EXPECT_FALSE(native.tuneCpu.empty());
  bool isLevel = false;
  for (const char *name : {"x86-64-v2", "x86-64-v3", "x86-64-v4", "aarch64"}) {
    CpuTarget level = parse(name);
    if (level.llvmCpu != native.llvmCpu)
      continue;
    isLevel = true;
    EXPECT_EQ(level.featureBits, native.featureBits);
    EXPECT_EQ(level.vectorBits, native.vectorBits);
    EXPECT_EQ(level.tuneCpu, "");
  }
  EXPECT_TRUE(isLevel) << native.llvmCpu;
}

TEST(CpuTarget, NativeAndItsLevelAreOneChoice) {
  llvm::Expected<CpuTargets> targets = parseCpuTargets("native+" + parse("native").llvmCpu);
  if (parse("native").llvmCpu == "generic")
    GTEST_SKIP() << "AArch64 has one level, which goes by another name";
  ASSERT_FALSE(static_cast<bool>(targets));
  EXPECT_NE(llvm::toString(targets.takeError()).find("need the same of a CPU"), std::string::npos);
}
