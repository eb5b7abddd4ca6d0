//===- Progress.cpp - A sign of life on a terminal ------------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#include "Progress.h"

#include <chrono>
#include <cstdio>
#include <unistd.h>

namespace tfc {

Progress::Progress(std::function<int64_t()> done, int64_t total) {
  if (isatty(STDERR_FILENO))
    thread = std::thread([this, done = std::move(done), total] { tell(done, total); });
}

Progress::~Progress() {
  {
    std::lock_guard<std::mutex> lock(mutex);
    isOver = true;
  }
  over.notify_one();
  if (thread.joinable())
    thread.join();
}

void Progress::tell(const std::function<int64_t()> &done, int64_t total) {
  std::unique_lock<std::mutex> lock(mutex);
  while (!over.wait_for(lock, std::chrono::seconds(2), [this] { return isOver; }))
    std::fprintf(stderr, "  %lld of %lld runs\n", static_cast<long long>(done()),
                 static_cast<long long>(total));
}

} // namespace tfc
