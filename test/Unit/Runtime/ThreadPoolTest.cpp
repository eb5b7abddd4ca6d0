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
#include <ctime>
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

/// Seconds of CPU that this process has used, all threads together.
double cpuSeconds() {
  timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return double(time.tv_sec) + 1e-9 * double(time.tv_nsec);
}

/// As a model does it: jobs one behind the other, a few items of some microseconds each.
void runJobs(ThreadPool *pool) {
  for (int job = 0; job < 1500; ++job)
    tfc_core_pool_run(pool, 8, [](void *, int32_t, int64_t begin, int64_t end) {
      for (volatile int64_t i = 0, last = 10000 * (end - begin); i < last; i = i + 1) {
      }
    }, nullptr);
}

/// Models that run at once have more threads than there are CPUs. They then wait by sleeping: the work takes no more CPU than when
/// the models run one after the other.
TEST(ThreadPool, PoolsAtOnceDoNotBurnCpu) {
  constexpr int kPools = 4;
  std::vector<ThreadPool *> pools;
  for (int i = 0; i < kPools; ++i)
    pools.push_back(tfc_core_pool_create(tfc_core_cpu_count(), nullptr, nullptr));
  double start = cpuSeconds();
  for (ThreadPool *pool : pools)
    runJobs(pool);
  double inTurn = cpuSeconds() - start;
  start = cpuSeconds();
  std::vector<std::thread> models;
  for (ThreadPool *pool : pools)
    models.emplace_back(runJobs, pool);
  for (std::thread &model : models)
    model.join();
  double atOnce = cpuSeconds() - start;
  RecordProperty("in_turn_ms", int(inTurn * 1000));
  RecordProperty("at_once_ms", int(atOnce * 1000));
  EXPECT_LT(atOnce, 1.5 * inTurn);
  for (ThreadPool *pool : pools)
    tfc_core_pool_destroy(pool);
}

/// Counts who is inside an item, and who has been.
struct AtWork {
  std::atomic<int> now{0}, most{0}, byHelpers{0};

  static void fn(void *data, int32_t worker, int64_t begin, int64_t end) {
    auto *self = static_cast<AtWork *>(data);
    int now = ++self->now, most = self->most;
    while (most < now && !self->most.compare_exchange_weak(most, now)) {
    }
    if (worker > 0)
      ++self->byHelpers;
    std::this_thread::sleep_for((end - begin) * std::chrono::microseconds(50));
    --self->now;
  }
};

/// Two models that run at once have no more threads at work than there are CPUs; one that runs alone has its helpers back.
TEST(ThreadPool, PoolsShareTheCpus) {
  int32_t cpus = tfc_core_cpu_count();
  int pools = int(cpus) + 1;
  AtWork counted;
  std::atomic<int> entered{0}, finished{0};
  std::vector<std::thread> models;
  for (int i = 0; i < pools; ++i)
    models.emplace_back([&] {
      ThreadPool *pool = tfc_core_pool_create(cpus, nullptr, nullptr);
      tfc_core_pool_enter();
      for (++entered; entered < pools;)
        std::this_thread::yield();
      for (int job = 0; job < 50; ++job)
        tfc_core_pool_run(pool, 16, AtWork::fn, &counted);
      for (++finished; finished < pools;) // Whoever is done first must not make room for others' helpers.
        std::this_thread::yield();
      tfc_core_pool_leave();
      tfc_core_pool_destroy(pool);
    });
  for (std::thread &model : models)
    model.join();
  // Callers are never held up, so all of them are; but there is no CPU for a helper beside them.
  EXPECT_LE(counted.most, pools);
  EXPECT_EQ(counted.byHelpers, 0);

  AtWork alone;
  ThreadPool *pool = tfc_core_pool_create(2, nullptr, nullptr);
  tfc_core_pool_enter();
  for (int job = 0; job < 500 && alone.byHelpers == 0; ++job)
    tfc_core_pool_run(pool, 16, AtWork::fn, &alone);
  tfc_core_pool_leave();
  EXPECT_GT(alone.byHelpers, 0);
  tfc_core_pool_destroy(pool);
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
