//===- Progress.h - A sign of life on a terminal -------------------------------------------- -*- C++ -*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#ifndef TFC_RUN_PROGRESS_H
#define TFC_RUN_PROGRESS_H

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>

namespace tfc {

/// While it lives it says every two seconds how many of `total` runs are done, where somebody looks at the
/// terminal. It sleeps else, so that it takes no time from what is measured.
class Progress {
public:
  Progress(std::function<int64_t()> done, int64_t total);
  ~Progress();
  Progress(const Progress &) = delete;
  Progress &operator=(const Progress &) = delete;

private:
  void tell(const std::function<int64_t()> &done, int64_t total);

  std::mutex mutex;
  std::condition_variable over;
  bool isOver = false;
  std::thread thread;
};

} // namespace tfc

#endif // TFC_RUN_PROGRESS_H
