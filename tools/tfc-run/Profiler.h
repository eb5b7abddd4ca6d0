//===- Profiler.h - What the runtime tells of the measured runs -------------------------------*- C++ -*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#ifndef TFC_RUN_PROFILER_H
#define TFC_RUN_PROFILER_H

#include "Session/Session.h"
#include "TickClock.h"

#include "tfc-c/Runtime.h"

#include <string>
#include <vector>

namespace tfc {

/// One launch of a kernel, or what one thread did of it.
struct Slice {
  double begin, end; ///< Seconds of now().
  uint32_t launch;
};

struct RunSlice {
  double begin, end;
  int64_t arenaBytes;
};

/// What a launch of the entry does, from the descriptor and the shape of the last run.
struct LaunchWork {
  int64_t calls = 0;
  double seconds = 0, flops = 0, bytes = 0; ///< Sums over the measured runs.
};

/// Collects events while `measuring`. Slices beyond a limit are counted in the sums but not kept.
class Profiler final : public RunListener {
public:
  /// `slices`: whether to keep what each thread did and when, for a trace; sums are always kept. Launches on a device are timed by its clock.
  Profiler(const TfcModel &model, const TfcEntry &entry, bool slices, bool isOnDevice);
  void attachTo(TfcContextOptions &options) override;
  void start(int32_t threads) override;
  void stop() override { measuring = false; }

  const TfcModel &model;
  const TfcEntry &entry;
  const bool isOnDevice;
  std::vector<LaunchWork> launches;              ///< One per launch of the entry.
  std::vector<RunSlice> runs;
  std::vector<Slice> launchSlices;               ///< On the thread that runs, or the device's stream.
  std::vector<std::vector<Slice>> workerSlices;  ///< Per helping thread; [0] stays empty.
  bool isCut = false;                            ///< Slices beyond the limit were dropped.

private:
  static void onEvent(void *self, const TfcEvent *event);
  void onRun(const TfcEvent &event);
  void onLaunch(const TfcEvent &event);
  void onTiles(const TfcEvent &event);
  void addLaunch(const TfcEvent &event, double begin, double end);
  bool keep(std::vector<Slice> &slices, Slice slice);

  /// Where a thread's events leave the time at which something began. A cache line each.
  struct alignas(64) Began {
    double at = 0;
  };
  TickClock clock;
  bool keepsSlices, measuring = false;
  double runBegan = 0, launchBegan = 0;
  std::vector<Began> tilesBegan;
};

/// Counters of the processor over a stretch of time, for this process in user mode.
class HardwareCounters {
public:
  HardwareCounters();
  ~HardwareCounters();
  HardwareCounters(const HardwareCounters &) = delete;
  HardwareCounters &operator=(const HardwareCounters &) = delete;
  void start();
  void stop();
  /// "cycles 3.2e+09, instructions 9.1e+09 (2.84 per cycle), ...", or why there are none.
  std::string text() const;

private:
  static constexpr int kCount = 3;
  int files[kCount] = {-1, -1, -1};
  uint64_t values[kCount] = {};
  int failure = 0; ///< errno of the first counter that could not be opened.
};

} // namespace tfc

#endif // TFC_RUN_PROFILER_H
