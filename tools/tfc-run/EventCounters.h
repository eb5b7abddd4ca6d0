//===- EventCounters.h - Counters of the kernel's perf_event -------------------------------- -*- C++ -*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#ifndef TFC_RUN_EVENTCOUNTERS_H
#define TFC_RUN_EVENTCOUNTERS_H

#include <cstdint>
#include <string>
#include <vector>

namespace tfc {

/// Counts events of this thread, and of the threads it makes after the counters, in user mode, while they are
/// started.
class EventCounters {
public:
  struct Event {
    const char *name;
    uint32_t type; ///< PERF_TYPE_*
    uint64_t config;
  };

  explicit EventCounters(std::vector<Event> events);
  ~EventCounters();
  EventCounters(const EventCounters &) = delete;
  EventCounters &operator=(const EventCounters &) = delete;
  /// May be started and stopped several times: the counts add up.
  void start();
  void stop();

  /// By the events' numbers, scaled up where the processor took turns between more events than it has
  /// counters; 0 where nothing was counted.
  const std::vector<double> &counts() const { return values; }
  /// Whether this event is counted; whether all are.
  bool has(size_t event) const { return files[event] >= 0; }
  bool areThere() const { return failure == 0; }
  /// Why they are not there, for users.
  std::string reason() const { return reasonFor(failure); }
  static std::string reasonFor(int failure);

private:
  std::vector<int> files;
  std::vector<double> values;
  int failure = 0; ///< errno of the first event that could not be opened.
};

/// Cycles, instructions and cache misses.
std::vector<EventCounters::Event> hardwareEvents();

/// "3.2e+09 cycles, 9.1e+09 instructions (2.84 per cycle), 1.2e+06 cache misses" in each of so many runs, or
/// why there are none.
std::string hardwareText(const EventCounters &counters, double runs);
/// The same as a JSON value: an object, or null.
std::string hardwareJson(const EventCounters &counters, double runs);

} // namespace tfc

#endif // TFC_RUN_EVENTCOUNTERS_H
