//===- EventCounters.cpp - Counters of the kernel's perf_event ------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#include "EventCounters.h"
#include "Format.h"
#include "Json.h"

#include <cerrno>
#include <cstring>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace tfc {

EventCounters::EventCounters(std::vector<Event> events) : files(events.size(), -1), values(events.size(), 0) {
  for (size_t i = 0; i < events.size(); ++i) {
    perf_event_attr attributes;
    std::memset(&attributes, 0, sizeof(attributes));
    attributes.type = events[i].type;
    attributes.size = sizeof(attributes);
    attributes.config = events[i].config;
    attributes.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
    attributes.disabled = 1;
    attributes.inherit = 1;
    attributes.exclude_kernel = 1; // what perf_event_paranoid = 2, the usual setting, permits to everybody
    attributes.exclude_hv = 1;
    files[i] = int(
        syscall(SYS_perf_event_open, &attributes, /*pid=*/0, /*cpu=*/-1, /*group=*/-1, PERF_FLAG_FD_CLOEXEC));
    if (files[i] < 0 && !failure)
      failure = errno;
  }
}

EventCounters::~EventCounters() {
  for (int file : files)
    if (file >= 0)
      close(file);
}

void EventCounters::start() {
  for (int file : files)
    if (file >= 0)
      ioctl(file, PERF_EVENT_IOC_ENABLE, 0);
}

void EventCounters::stop() {
  for (size_t i = 0; i < files.size(); ++i) {
    if (files[i] < 0)
      continue;
    ioctl(files[i], PERF_EVENT_IOC_DISABLE, 0);
    uint64_t read[3] = {0, 0, 0}; // the count, nanoseconds it was wanted, nanoseconds it was counted
    if (::read(files[i], read, sizeof(read)) == ssize_t(sizeof(read)) && read[2] > 0)
      values[i] = double(read[0]) * (double(read[1]) / double(read[2]));
  }
}

std::string EventCounters::reasonFor(int failure) {
  switch (failure) {
  case 0:
    return "";
  case ENOENT:
  case ENODEV:
  case EOPNOTSUPP:
    return "this processor, or the virtual machine, shows none";
  case EACCES:
  case EPERM:
    return "not permitted: /proc/sys/kernel/perf_event_paranoid must be 2 or less, and the container must "
           "allow perf_event_open";
  case ENOSYS:
    return "this kernel has no perf_event_open";
  }
  return std::strerror(failure);
}

std::vector<EventCounters::Event> hardwareEvents() {
  return {{"cycles", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES},
          {"instructions", PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS},
          {"cache_misses", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_MISSES}};
}

std::string hardwareText(const EventCounters &counters, double runs) {
  if (!counters.has(0) || !counters.has(1))
    return "not available (" + counters.reason() + ")";
  const std::vector<double> &counts = counters.counts();
  std::string text = format("per run %.3g cycles, %.3g instructions (%.2f per cycle)", counts[0] / runs,
                            counts[1] / runs, counts[0] > 0 ? counts[1] / counts[0] : 0);
  return counters.has(2) ? text + format(", %.3g cache misses", counts[2] / runs) : text;
}

std::string hardwareJson(const EventCounters &counters, double runs) {
  if (!counters.has(0) || !counters.has(1))
    return "null";
  std::string text;
  std::vector<EventCounters::Event> events = hardwareEvents();
  for (size_t i = 0; i < events.size(); ++i)
    if (counters.has(i))
      text += (i ? ", " : "") + jsonString(events[i].name) + format(": %.0f", counters.counts()[i] / runs);
  return "{" + text + "}";
}

} // namespace tfc
