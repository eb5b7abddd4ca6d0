//===- ThreadPoolTest.cpp - Every item once, on however many threads ------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#include "Runtime/ThreadPool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

struct Count {
  explicit Count(int64_t items) : times(size_t(items)) {
    for (auto &time : times)
      time = 0;
  }
  std::vector<std::atomic<int>> times;
  std::atomic<int> badWorker{0};
  int32_t width = 0;

  static void fn(void *data, int32_t worker, int64_t begin, int64_t end) {
    auto *self = static_cast<Count *>(data);
    if (worker < 0 || worker >= self->width)
      ++self->badWorker;
    for (int64_t i = begin; i < end; ++i)
      ++self->times[size_t(i)];
  }
};

void runAndCheck(ThreadPool *pool, int64_t items) {
  Count count(items);
  count.width = tfc_core_pool_width(pool);
  tfc_core_pool_run(pool, items, Count::fn, &count);
  EXPECT_EQ(count.badWorker, 0);
  for (int64_t i = 0; i < items; ++i)
    ASSERT_EQ(count.times[size_t(i)], 1) << i;
}

TEST(ThreadPool, EveryItemOnce) {
  for (int32_t width : {1, 2, 3, 8}) {
    ThreadPool *pool = tfc_core_pool_create(width, nullptr, nullptr);
    ASSERT_NE(pool, nullptr);
    for (int64_t items : {0, 1, 2, 3, 7, 8, 9, 100, 12345})
      runAndCheck(pool, items);
    tfc_core_pool_destroy(pool);
  }
}

TEST(ThreadPool, ManySmallJobs) {
  // More threads than CPUs, so that helpers come late to jobs that are over: the case the cursors are made
  // for.
  ThreadPool *pool = tfc_core_pool_create(6, nullptr, nullptr);
  for (int round = 0; round < 20000; ++round) {
    std::atomic<int64_t> sum{0};
    int64_t items = 2 + round % 13;
    tfc_core_pool_run(
        pool, items,
        [](void *data, int32_t, int64_t begin, int64_t end) {
          for (int64_t i = begin; i < end; ++i)
            *static_cast<std::atomic<int64_t> *>(data) += i + 1;
        },
        &sum);
    ASSERT_EQ(sum, items * (items + 1) / 2) << round;
  }
  tfc_core_pool_destroy(pool);
}

TEST(ThreadPool, JobsAfterAPause) {
  ThreadPool *pool = tfc_core_pool_create(3, nullptr, nullptr);
  for (int round = 0; round < 5; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5)); // the helpers sleep by now
    runAndCheck(pool, 1000);
  }
  tfc_core_pool_destroy(pool);
}

TEST(ThreadPool, HelpersDoWork) {
  ThreadPool *pool = tfc_core_pool_create(2, nullptr, nullptr);
  std::atomic<int> others{0};
  // An item waits until both workers have one: only possible if the helper takes part.
  tfc_core_pool_run(
      pool, 2,
      [](void *data, int32_t worker, int64_t, int64_t) {
        auto &seen = *static_cast<std::atomic<int> *>(data);
        seen |= 1 << worker;
        for (int i = 0; i < 5000 && seen != 3; ++i)
          std::this_thread::sleep_for(std::chrono::milliseconds(1));
      },
      &others);
  EXPECT_EQ(others, 3);
  tfc_core_pool_destroy(pool);
}

int executorCalls;

void serialExecutor(void *, int64_t count, void (*fn)(void *, int64_t), void *data) {
  ++executorCalls;
  for (int64_t i = count; i-- > 0;)
    fn(data, i);
}

void threadedExecutor(void *, int64_t count, void (*fn)(void *, int64_t), void *data) {
  std::vector<std::thread> threads;
  for (int64_t i = 0; i < count; ++i)
    threads.emplace_back(fn, data, i);
  for (std::thread &thread : threads)
    thread.join();
}

TEST(ThreadPool, CallersExecutor) {
  executorCalls = 0;
  for (TfcExecutorFn executor : {serialExecutor, threadedExecutor}) {
    ThreadPool *pool = tfc_core_pool_create(4, executor, nullptr);
    for (int64_t items : {0, 1, 2, 3, 1000})
      runAndCheck(pool, items);
    tfc_core_pool_destroy(pool);
  }
  EXPECT_EQ(executorCalls, 3) << "0 items and 1 item need no second thread";
}

#if !defined(__SANITIZE_THREAD__)
TEST(ThreadPool, WorksAfterFork) {
  ThreadPool *pool = tfc_core_pool_create(3, nullptr, nullptr);
  runAndCheck(pool, 100);
  pid_t child = fork();
  if (child == 0) { // without helpers: they exist in the parent only
    alarm(20);
    runAndCheck(pool, 100);
    tfc_core_pool_destroy(pool);
    _exit(testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  tfc_core_pool_destroy(pool);
}
#endif

TEST(ThreadPool, CountsCpus) {
  int32_t count = tfc_core_cpu_count();
  EXPECT_GE(count, 1);
  EXPECT_LE(count, int32_t(sysconf(_SC_NPROCESSORS_CONF)));
}

} // namespace
