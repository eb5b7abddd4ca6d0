//===- TickClock.h - A clock that is quick to read --------------------------------------------------*- C++ -*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#ifndef TFC_RUN_TICKCLOCK_H
#define TFC_RUN_TICKCLOCK_H

#include "Session/Session.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <x86intrin.h>
#endif

namespace tfc {

/// The seconds of now(), from the processor's counter of time where that runs at one rate on all cores: a reading takes a third as long, and a
/// profiler reads twice per launch of a microsecond.
class TickClock {
public:
  /// Takes twenty milliseconds to find the counter's rate.
  void calibrate() {
#if defined(__x86_64__)
    unsigned a, b, c, d;
    hasTicks = __get_cpuid(0x80000007, &a, &b, &c, &d) && (d >> 8 & 1);
    if (!hasTicks)
      return;
    Reading first = readBoth(), last;
    do
      last = readBoth();
    while (last.seconds < first.seconds + 20e-3);
    base = first.seconds;
    baseTicks = first.ticks;
    secondsPerTick = (last.seconds - first.seconds) / double(last.ticks - first.ticks);
#endif
  }

  double now() const {
#if defined(__x86_64__)
    if (hasTicks)
      return base + double(int64_t(__rdtsc() - baseTicks)) * secondsPerTick;
#endif
    return tfc::now();
  }

private:
#if defined(__x86_64__)
  struct Reading {
    double seconds;
    uint64_t ticks;
  };

  /// Both clocks at one moment: of several tries the one that took the least. On a busy machine another process may run between two
  /// readings, and then the counter's rate would be anything.
  static Reading readBoth() {
    Reading best = {};
    uint64_t least = UINT64_MAX;
    for (int attempt = 0; attempt < 16; ++attempt) {
      uint64_t before = __rdtsc();
      double seconds = tfc::now();
      uint64_t after = __rdtsc();
      if (after - before < least) {
        least = after - before;
        best = {seconds, before + least / 2};
      }
    }
    return best;
  }
#endif

  bool hasTicks = false;
  double base = 0, secondsPerTick = 0;
  uint64_t baseTicks = 0;
};

} // namespace tfc

#endif // TFC_RUN_TICKCLOCK_H
