//===- CpuTest.cpp - Which variant runs, and on how many CPUs -------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#include "Runtime/Cpu.h"
#include "Runtime/ThreadPool.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sched.h>
#include <unistd.h>

extern "C" const char *tfc_core_last_error(void);

namespace {

constexpr uint64_t kV2 = TFC_X86_64_V2, kV3 = kV2 | TFC_X86_64_V3, kV4 = kV3 | TFC_X86_64_V4;

/// A kernel for these sets of features, best first; each variant is a function of its own.
struct Kernel {
  explicit Kernel(std::vector<uint64_t> features) {
    static const TfcKernelFn functions[] = {[](const uint64_t *, int64_t, int64_t, TfcWorker *) {},
                                            [](const uint64_t *, int64_t, int64_t, TfcWorker *) { abort(); },
                                            [](const uint64_t *, int64_t, int64_t, TfcWorker *) { exit(1); }};
    for (size_t i = 0; i < features.size(); ++i)
      variants.push_back({features[i], functions[i]});
    kernel = {"product", variants.data(), uint32_t(variants.size()), 0};
  }
  /// The number of the variant for a CPU; -1 where there is none.
  int choose(uint64_t features) {
    const TfcVariant *chosen = nullptr;
    if (int32_t code = tfc_core_choose_variant(&kernel, features, &chosen)) {
      EXPECT_EQ(code, TFC_UNSUPPORTED_CPU);
      EXPECT_EQ(chosen, nullptr);
      return -1;
    }
    return int(chosen - variants.data());
  }
  std::vector<TfcVariant> variants;
  TfcKernel kernel;
};

TEST(Variants, TheBestThatTheCpuRuns) {
  Kernel kernel({kV4, kV3, kV2});
  EXPECT_EQ(kernel.choose(kV4), 0);
  EXPECT_EQ(kernel.choose(kV4 | TFC_X86_AVX512_BF16), 0);
  EXPECT_EQ(kernel.choose(kV3), 1);
  EXPECT_EQ(kernel.choose(kV2), 2);
  Kernel extras({kV4 | TFC_X86_AVX512_VNNI, kV3});
  EXPECT_EQ(extras.choose(kV4), 1);
}

TEST(Variants, ACpuBelowAllGetsASentence) {
  Kernel kernel({kV4, kV3});
  EXPECT_EQ(kernel.choose(kV2), -1);
  EXPECT_STREQ(tfc_core_last_error(), "the model is compiled for x86-64-v3; this CPU has x86-64-v2 (kernel 'product')");
  EXPECT_EQ(kernel.choose(0), -1);
  EXPECT_STREQ(tfc_core_last_error(),
               "the model is compiled for x86-64-v3; this CPU has the baseline only (kernel 'product')");
  EXPECT_EQ(Kernel({TFC_AARCH64_NEON}).choose(kV4), -1);
}

TEST(Variants, NoneAtAllIsADamagedModel) {
  TfcKernel kernel = {"empty", nullptr, 0, 0};
  const TfcVariant *chosen = nullptr;
  EXPECT_EQ(tfc_core_choose_variant(&kernel, kV4, &chosen), TFC_BAD_ARTIFACT);
}

TEST(Variants, MaxIsaHidesWhatLiesAbove) {
  uint64_t all = 0, seen = 0;
  unsetenv("TFC_MAX_ISA");
  ASSERT_EQ(tfc_core_cpu_features(&all), TFC_OK);
  for (auto [name, most] : {std::pair<const char *, uint64_t>{"x86-64", 0}, {"x86-64-v2", kV2}, {"x86-64-v3", kV3}}) {
    setenv("TFC_MAX_ISA", name, 1);
    ASSERT_EQ(tfc_core_cpu_features(&seen), TFC_OK);
    EXPECT_EQ(seen, (all & kV4 & ~most) ? all & most : all) << name;
  }
  setenv("TFC_MAX_ISA", "x86-64-v4", 1);
  ASSERT_EQ(tfc_core_cpu_features(&seen), TFC_OK);
  EXPECT_EQ(seen, all);
  setenv("TFC_MAX_ISA", "pentium", 1);
  EXPECT_EQ(tfc_core_cpu_features(&seen), TFC_BAD_ARGUMENT);
  EXPECT_STREQ(tfc_core_last_error(), "TFC_MAX_ISA is 'pentium'; it may be x86-64, x86-64-v2, x86-64-v3 or x86-64-v4");
  unsetenv("TFC_MAX_ISA");
}

TEST(CpuCount, HonoursTheAffinityMask) {
  cpu_set_t before, one;
  ASSERT_EQ(sched_getaffinity(0, sizeof(before), &before), 0);
  int32_t count = tfc_core_cpu_count();
  EXPECT_LE(count, CPU_COUNT(&before));
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &before)) {
      CPU_ZERO(&one);
      CPU_SET(cpu, &one);
      ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
      EXPECT_EQ(tfc_core_cpu_count(), 1);
    }
  ASSERT_EQ(sched_setaffinity(0, sizeof(before), &before), 0);
  EXPECT_EQ(tfc_core_cpu_count(), count);
}

/// A made-up folder of cgroups.
struct Cgroups : testing::Test {
  std::filesystem::path folder = testing::TempDir() + "/tfc-cgroups-" + std::to_string(getpid());
  ~Cgroups() override { std::filesystem::remove_all(folder); }

  void write(const std::string &name, const std::string &text) {
    std::filesystem::create_directories((folder / name).parent_path());
    std::ofstream(folder / name) << text;
  }
  int64_t quota(const std::string &membership) {
    write("membership", membership);
    return tfc_core_cgroup_quota((folder / "membership").c_str(), folder.c_str());
  }
};

TEST_F(Cgroups, NoQuota) {
  EXPECT_EQ(quota("0::/\n"), INT32_MAX);
  write("job/cpu.max", "max 100000\n");
  EXPECT_EQ(quota("0::/job\n"), INT32_MAX);
  EXPECT_EQ(quota("0::/gone\n"), INT32_MAX);
  EXPECT_EQ(tfc_core_cgroup_quota("/nowhere", folder.c_str()), INT32_MAX);
}

TEST_F(Cgroups, WholeCpusOfTheOwn) {
  write("job/cpu.max", "350000 100000\n");
  EXPECT_EQ(quota("0::/job\n"), 3);
  write("job/cpu.max", "50000 100000\n");
  EXPECT_EQ(quota("0::/job\n"), 1) << "half a CPU is still one thread";
}

TEST_F(Cgroups, TheLeastOnTheWayUp) {
  write("slice/cpu.max", "200000 100000\n");
  write("slice/job/cpu.max", "800000 100000\n");
  write("slice/job/task/cpu.max", "max 100000\n");
  EXPECT_EQ(quota("12:cpuset:/x\n0::/slice/job/task\n"), 2);
  write("cpu.max", "100000 100000\n");
  EXPECT_EQ(quota("0::/slice/job/task\n"), 1);
}

TEST_F(Cgroups, VersionOne) {
  write("cpu/cpu.cfs_quota_us", "400000\n");
  write("cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota("4:cpu,cpuacct:/job\n"), 4);
  write("cpu/cpu.cfs_quota_us", "-1\n");
  EXPECT_EQ(quota("4:cpu,cpuacct:/job\n"), INT32_MAX);
}

} // namespace
