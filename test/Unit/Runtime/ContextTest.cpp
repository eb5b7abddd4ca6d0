//===- ContextTest.cpp - Contexts: threads, executors, profilers, allocators, lifetimes -----------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#include "Host.h"

#include <atomic>
#include <filesystem>
#include <mutex>
#include <thread>
#include <vector>

using namespace tfc_test;

namespace {

TEST(Context, ManyThreadsOnOneModel) {
  Opened lookup("lookup.so");
  std::vector<std::thread> threads;
  std::atomic<int> failures{0};
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      TfcContextOptions options = {};
      options.bytes = sizeof(options);
      options.threads = 2;
      TfcContext *context = nullptr;
      if (tfc_context_create(lookup.model, &options, &context))
        ++failures;
      for (int round = 0; round < 100; ++round) {
        LookupCall call(1 + t, 1 + round % 9, t);
        failures += call.run(context) != TFC_OK;
        failures += call.hidden.data[0] != 0.f;
      }
      tfc_context_destroy(context);
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(failures, 0);
}

struct Reentry {
  TfcContext *context = nullptr;
  int32_t code = 0;
  std::string sentence;
};

TEST(Context, OneThreadAtATime) {
  Reentry reentry;
  TfcContextOptions options = {};
  options.threads = 1;
  options.profiler_data = &reentry;
  // Called in the middle of a run: another run on the same context is refused.
  options.profiler = [](void *data, const TfcEvent *) {
    auto &reentry = *static_cast<Reentry *>(data);
    LookupCall call(1, 1, 0);
    std::thread([&] {
      reentry.code = call.run(reentry.context);
      reentry.sentence = tfc_last_error();
    }).join();
  };
  Opened lookup("lookup.so", options);
  reentry.context = lookup.context;
  LookupCall call(2, 3, 0);
  EXPECT_EQ(call.run(lookup.context), TFC_OK) << tfc_last_error();
  EXPECT_EQ(reentry.code, TFC_BAD_ARGUMENT);
  EXPECT_EQ(reentry.sentence,
            "the context is busy: another thread is using it; give each thread a context of its own");
}

/// What a profiler was told, in the order of the calls; tiles come from several threads.
struct Told {
  std::mutex lock;
  std::vector<std::pair<uint32_t, int32_t>> events;
  int64_t tiles = 0, openTiles = 0;
};

TEST(Context, TellsItsProfiler) {
  Told told;
  TfcContextOptions options = {};
  options.threads = 2;
  options.profiler_data = &told;
  options.profiler = [](void *data, const TfcEvent *event) {
    auto &told = *static_cast<Told *>(data);
    std::lock_guard<std::mutex> guard(told.lock);
    if (event->kind != TFC_EVENT_TILES) {
      told.events.push_back({event->kind, event->after});
      return;
    }
    EXPECT_LT(event->begin, event->end);
    EXPECT_TRUE(event->worker == 0 || event->worker == 1);
    told.openTiles += event->after ? -1 : 1;
    told.tiles += event->after ? event->end - event->begin : 0;
  };
  LookupCall call(2, 3, 0);
  {
    Opened lookup("lookup.so", options); // no wishes: runs and launches
    EXPECT_EQ(call.run(lookup.context), TFC_OK) << tfc_last_error();
  }
  ASSERT_GE(told.events.size(), 4u);
  EXPECT_EQ(told.events.front(), std::make_pair(uint32_t(TFC_EVENT_RUN), 0));
  EXPECT_EQ(told.events.back(), std::make_pair(uint32_t(TFC_EVENT_RUN), 1));
  for (size_t i = 1; i + 1 < told.events.size(); ++i)
    EXPECT_EQ(told.events[i], std::make_pair(uint32_t(TFC_EVENT_LAUNCH), int32_t(i % 2 == 0)));
  EXPECT_EQ(told.tiles, 0);

  told.events.clear();
  options.profiler_events = 1u << TFC_EVENT_TILES;
  Opened lookup("lookup.so", options);
  EXPECT_EQ(call.run(lookup.context), TFC_OK) << tfc_last_error();
  EXPECT_TRUE(told.events.empty());
  EXPECT_GT(told.tiles, 0);
  EXPECT_EQ(told.openTiles, 0);
  // A run that is refused is told of from beginning to end as well.
  options.profiler_events = 0;
  Opened again("lookup.so", options);
  LookupCall bad(2, 3, 0);
  bad.inputs[0].rank = 1;
  EXPECT_NE(bad.run(again.context), TFC_OK);
  EXPECT_EQ(told.events.size(), 2u);
}

int threadsOfProcess() {
  int count = 0;
  for (const auto &task : std::filesystem::directory_iterator("/proc/self/task"))
    count += task.is_directory();
  return count;
}

/// Runs what it is given on threads of its own.
struct Executor {
  static void run(void *self, int64_t count, void (*fn)(void *data, int64_t i), void *data) {
    ++static_cast<Executor *>(self)->calls;
    std::vector<std::thread> threads;
    for (int64_t i = 0; i < count; ++i)
      threads.emplace_back(fn, data, i);
    for (std::thread &thread : threads)
      thread.join();
  }
  int calls = 0;
};

TEST(Context, CallersExecutor) {
  Opened own("lookup.so");
  LookupCall expected(20, 300, 2), call(20, 300, 2);
  ASSERT_EQ(expected.run(own.context), TFC_OK) << tfc_last_error();
  Executor executor;
  TfcContextOptions options = {};
  options.executor = Executor::run;
  options.executor_data = &executor;
  options.executor_width = 3;
  int before = threadsOfProcess();
  Opened lent("lookup.so", options);
  EXPECT_EQ(threadsOfProcess(), before) << "the context has threads of its own";
  EXPECT_EQ(tfc_context_threads(lent.context), 3);
  ASSERT_EQ(call.run(lent.context), TFC_OK) << tfc_last_error();
  EXPECT_GT(executor.calls, 0);
  EXPECT_EQ(call.hidden.data, expected.hidden.data);
}

TEST(Context, ThreadsThatAreAskedFor) {
  int before = threadsOfProcess();
  TfcContextOptions options = {};
  options.threads = 3;
  {
    Opened lookup("lookup.so", options);
    EXPECT_EQ(tfc_context_threads(lookup.context), 3);
    EXPECT_EQ(threadsOfProcess(), before + 2) << "the caller is one of them";
  }
  EXPECT_EQ(threadsOfProcess(), before);
}

TEST(Context, BadOptions) {
  Opened lookup("lookup.so");
  TfcContextOptions options = {};
  TfcContext *context = nullptr;
  EXPECT_EQ(tfc_context_create(lookup.model, &options, &context), TFC_BAD_ARGUMENT) << "bytes is 0";
  options.bytes = sizeof(options);
  for (int32_t threads : {-1, 1000000}) {
    options.threads = threads;
    EXPECT_EQ(tfc_context_create(lookup.model, &options, &context), TFC_BAD_ARGUMENT);
    EXPECT_EQ(context, nullptr);
  }
  EXPECT_STREQ(tfc_last_error(), "threads is 1000000; it must lie between 0 (all that are ours) and 1024");
  EXPECT_EQ(tfc_context_create(nullptr, nullptr, &context), TFC_BAD_ARGUMENT);
  EXPECT_EQ(tfc_run(nullptr, 0, nullptr, 0, nullptr, 0), TFC_BAD_ARGUMENT);
  EXPECT_EQ(tfc_run(lookup.context, 1, nullptr, 0, nullptr, 0), TFC_BAD_ARGUMENT);
}

TEST(Context, OutlivesTheCallToClose) {
  TfcOpenModel *model;
  TfcContext *context;
  ASSERT_EQ(tfc_model_open(modelPath("lookup.so").c_str(), nullptr, &model), TFC_OK);
  ASSERT_EQ(tfc_context_create(model, nullptr, &context), TFC_OK);
  tfc_model_close(model);
  LookupCall call(1, 3, 0);
  EXPECT_EQ(call.run(context), TFC_OK);
  tfc_context_destroy(context);
}

int allocations, failAt;

TEST(Context, AllocatorThatRunsDry) {
  TfcContextOptions options = {};
  options.allocate = [](void *, uint64_t bytes, uint64_t alignment) -> void * {
    return ++allocations == failAt ? nullptr : aligned_alloc(alignment, bytes);
  };
  options.release = [](void *, void *pointer) { free(pointer); };
  int64_t strides[] = {1, 2};
  int most = 0;
  for (failAt = 0; failAt <= most + 1; ++failAt) {
    allocations = 0;
    Opened lookup("lookup.so", options);
    LookupCall call(2, 3, 0);
    call.inputs[0].strides = strides; // one more allocation
    int32_t code = call.run(lookup.context);
    most = std::max(most, allocations);
    EXPECT_EQ(code, failAt > 0 && failAt <= most ? TFC_OUT_OF_MEMORY : TFC_OK)
        << failAt << ": " << tfc_last_error();
    EXPECT_EQ(call.run(lookup.context), TFC_OK) << "memory is back";
  }
  EXPECT_GE(most, 3);
}

} // namespace
