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
  /// Takes five milliseconds to find the counter's rate.
  void calibrate() {
#if defined(__x86_64__)
    unsigned a, b, c, d;
    hasTicks = __get_cpuid(0x80000007, &a, &b, &c, &d) && (d >> 8 & 1);
    if (!hasTicks)
      return;
    double start = tfc::now(), end;
    uint64_t first = __rdtsc(), last;
    do {
      end = tfc::now();
      last = __rdtsc();
    } while (end < start + 5e-3);
    base = start;
    baseTicks = first;
    secondsPerTick = (end - start) / double(last - first);
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
  bool hasTicks = false;
  double base = 0, secondsPerTick = 0;
  uint64_t baseTicks = 0;
};

} // namespace tfc

#endif // TFC_RUN_TICKCLOCK_H
