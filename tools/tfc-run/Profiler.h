//===- Profiler.h - What the runtime tells of the measured runs -------------------------------*- C++ -*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#ifndef TFC_RUN_PROFILER_H
#define TFC_RUN_PROFILER_H

#include "EventCounters.h"
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

/// What measured runs spend on the thread that runs, but not in launches. Sums over the runs, in seconds.
struct HostTime {
  double run = 0;         ///< All of the runs, launches included, as the runtime tells them.
  double beforeFirst = 0; ///< From the run's begin to its first launch: inputs are checked, memory is found.
  double afterLast = 0;   ///< From the last launch to the run's end: outputs are delivered.
};

/// Collects events while `measuring`. Slices beyond a limit are counted in the sums but not kept.
class Profiler final : public RunListener {
public:
  /// `slices`: whether to keep what each thread did and when, for a trace; sums are always kept. Launches on a device are timed by its clock.
  Profiler(const TfcModel &model, const TfcEntry &entry, bool slices, bool isOnDevice);
  void attachTo(TfcContextOptions &options) override;
  void start(int32_t threads) override;
  void stop() override;

  const TfcModel &model;
  const TfcEntry &entry;
  const bool isOnDevice;
  std::vector<LaunchWork> launches;              ///< One per launch of the entry.
  HostTime host;
  EventCounters counters{hardwareEvents()}; ///< Of the measured runs.
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
  double runBegan = 0, launchBegan = 0, launchEnded = 0;
  bool hasLaunched = false; ///< In the run in progress.
  std::vector<Began> tilesBegan;
};

} // namespace tfc

#endif // TFC_RUN_PROFILER_H
