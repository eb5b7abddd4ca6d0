//===- EventCountersTest.cpp - perf_event, by events that every machine has -----------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//
//
// Virtual machines often hide the processor's counters. Software events go the same way through the kernel.
//
//===-----------------------------------------------------------------------------------------------------===//

#include "EventCounters.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <ctime>
#include <linux/perf_event.h>
#include <sys/mman.h>
#include <thread>

using namespace tfc;

namespace {

/// Nanoseconds of this thread on a CPU.
double threadTime() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return double(time.tv_sec) * 1e9 + double(time.tv_nsec);
}

constexpr size_t kPages = 300;

/// Works for 20 ms of CPU time and touches fresh pages.
void work() {
  size_t bytes = kPages * 4096;
  auto *memory = static_cast<volatile char *>(
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  madvise(const_cast<char *>(memory), bytes, MADV_NOHUGEPAGE);
  for (size_t page = 0; page < kPages; ++page)
    memory[page * 4096] = 1;
  munmap(const_cast<char *>(memory), bytes);
  double start = threadTime();
  while (threadTime() - start < 20e6) {
  }
}

std::vector<EventCounters::Event> softwareEvents() {
  return {{"task_clock", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK},
          {"page_faults", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS}};
}

TEST(EventCounters, CountWhileStarted) {
  EventCounters counters(softwareEvents());
  if (!counters.areThere())
    GTEST_SKIP() << counters.reason();
  work(); // not started yet
  EXPECT_EQ(counters.counts(), (std::vector<double>{0, 0}));
  counters.start();
  work();
  counters.stop();
  std::vector<double> once = counters.counts();
  EXPECT_GE(once[0], 19e6);
  EXPECT_GE(once[1], double(kPages));
  work(); // stopped
  counters.start();
  counters.stop();
  EXPECT_LT(counters.counts()[0], once[0] + 10e6);
  counters.start();
  work();
  counters.stop();
  EXPECT_GE(counters.counts()[0], once[0] + 19e6) << "counts add up";
  EXPECT_GE(counters.counts()[1], once[1] + double(kPages));
}

TEST(EventCounters, FollowThreadsMadeLater) {
  EventCounters counters(softwareEvents());
  if (!counters.areThere())
    GTEST_SKIP() << counters.reason();
  counters.start();
  std::thread one(work), other(work);
  one.join();
  other.join();
  counters.stop();
  EXPECT_GE(counters.counts()[0], 38e6);
  EXPECT_GE(counters.counts()[1], 2.0 * kPages);
}

TEST(EventCounters, SayWhatIsMissing) {
  // No machine has this type of event.
  EventCounters counters({{"nothing", 0x7fffffff, 0}, {"nor this", 0x7fffffff, 1}});
  EXPECT_FALSE(counters.areThere());
  EXPECT_FALSE(counters.reason().empty());
  counters.start();
  counters.stop();
  EXPECT_EQ(counters.counts(), (std::vector<double>{0, 0}));
  EXPECT_EQ(hardwareJson(counters, 1), "null");
  EXPECT_EQ(hardwareText(counters, 1), "not available (" + counters.reason() + ")");
  EXPECT_NE(EventCounters::reasonFor(EACCES).find("perf_event_paranoid"), std::string::npos);
  EXPECT_NE(EventCounters::reasonFor(ENOENT).find("virtual machine"), std::string::npos);
}

TEST(EventCounters, HardwareWhereItIs) {
  EventCounters counters(hardwareEvents());
  if (!counters.areThere())
    GTEST_SKIP() << counters.reason();
  counters.start();
  work();
  counters.stop();
  EXPECT_GT(counters.counts()[0], 1e6);
  EXPECT_GT(counters.counts()[1], 1e6);
  EXPECT_NE(hardwareText(counters, 1).find("per cycle"), std::string::npos);
}

} // namespace
