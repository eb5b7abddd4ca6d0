//===- Profiler.cpp - What the runtime tells of the measured runs ---------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#include "Profiler.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace tfc {

/// Per list; a trace of more is no use in a viewer.
static constexpr size_t kSliceLimit = 400000;

Profiler::Profiler(const TfcModel &model, const TfcEntry &entry, bool slices, bool isOnDevice)
    : model(model), entry(entry), isOnDevice(isOnDevice), launches(entry.launch_count), keepsSlices(slices) {}

void Profiler::attachTo(TfcContextOptions &options) {
  options.profiler = onEvent;
  options.profiler_data = this;
  options.profiler_events = 1u << TFC_EVENT_RUN | 1u << (isOnDevice ? TFC_EVENT_DEVICE : TFC_EVENT_LAUNCH);
  if (keepsSlices)
    options.profiler_events |= 1u << TFC_EVENT_TILES;
}

void Profiler::start(int32_t threads) {
  tilesBegan.resize(size_t(threads));
  workerSlices.resize(size_t(threads));
  clock.calibrate();
  measuring = true;
}

void Profiler::onEvent(void *self, const TfcEvent *event) {
  auto *profiler = static_cast<Profiler *>(self);
  if (!profiler->measuring)
    return;
  switch (event->kind) {
  case TFC_EVENT_RUN:
    return profiler->onRun(*event);
  case TFC_EVENT_LAUNCH:
    return profiler->onLaunch(*event);
  case TFC_EVENT_TILES:
    return profiler->onTiles(*event);
  case TFC_EVENT_DEVICE: // Its clock begins with the run.
    return profiler->addLaunch(*event, profiler->runBegan + 1e-9 * double(event->begin), profiler->runBegan + 1e-9 * double(event->end));
  }
}

bool Profiler::keep(std::vector<Slice> &slices, Slice slice) {
  if (slices.size() >= kSliceLimit)
    return false;
  slices.push_back(slice);
  return true;
}

void Profiler::onRun(const TfcEvent &event) {
  if (!event.after) {
    runBegan = clock.now();
    return;
  }
  int64_t arena = 0;
  for (uint32_t segment = 0; segment <= entry.bind_count; ++segment)
    arena += event.values[entry.arena_bytes[segment]];
  if (runs.size() < kSliceLimit)
    runs.push_back({runBegan, clock.now(), arena});
}

void Profiler::onLaunch(const TfcEvent &event) {
  if (!event.after) {
    launchBegan = clock.now();
    return;
  }
  addLaunch(event, launchBegan, clock.now());
}

void Profiler::addLaunch(const TfcEvent &event, double begin, double end) {
  const TfcLaunch &made = entry.launches[event.launch];
  LaunchWork &work = launches[event.launch];
  ++work.calls;
  work.seconds += end - begin;
  work.flops += double(event.values[made.flops]);
  work.bytes += double(event.values[made.bytes]);
  if (keepsSlices && !keep(launchSlices, {begin, end, event.launch}))
    isCut = true;
}

/// A thread takes a launch in several pieces; on its track they are one slice from the first to the last.
void Profiler::onTiles(const TfcEvent &event) {
  if (event.worker == 0 || size_t(event.worker) >= tilesBegan.size())
    return;
  double &began = tilesBegan[size_t(event.worker)].at;
  if (!event.after) {
    began = clock.now();
    return;
  }
  std::vector<Slice> &slices = workerSlices[size_t(event.worker)];
  if (!slices.empty() && slices.back().launch == event.launch && slices.back().begin >= launchBegan)
    slices.back().end = clock.now();
  else
    keep(slices, {began, clock.now(), event.launch});
}

//===-- Counters of the processor ------------------------------------------------------------------------===//

HardwareCounters::HardwareCounters() {
  const uint64_t kinds[kCount] = {PERF_COUNT_HW_CPU_CYCLES, PERF_COUNT_HW_INSTRUCTIONS, PERF_COUNT_HW_CACHE_MISSES};
  for (int i = 0; i < kCount; ++i) {
    perf_event_attr attributes;
    std::memset(&attributes, 0, sizeof(attributes));
    attributes.type = PERF_TYPE_HARDWARE;
    attributes.size = sizeof(attributes);
    attributes.config = kinds[i];
    attributes.disabled = 1;
    attributes.inherit = 1; // the threads that are made later
    attributes.exclude_kernel = 1;
    attributes.exclude_hv = 1;
    files[i] = int(syscall(SYS_perf_event_open, &attributes, 0, -1, -1, PERF_FLAG_FD_CLOEXEC));
    if (files[i] < 0 && !failure)
      failure = errno;
  }
}

HardwareCounters::~HardwareCounters() {
  for (int file : files)
    if (file >= 0)
      close(file);
}

void HardwareCounters::start() {
  for (int file : files)
    if (file >= 0) {
      ioctl(file, PERF_EVENT_IOC_RESET, 0);
      ioctl(file, PERF_EVENT_IOC_ENABLE, 0);
    }
}

void HardwareCounters::stop() {
  for (int i = 0; i < kCount; ++i) {
    if (files[i] < 0)
      continue;
    ioctl(files[i], PERF_EVENT_IOC_DISABLE, 0);
    if (read(files[i], &values[i], sizeof(values[i])) != ssize_t(sizeof(values[i])))
      values[i] = 0;
  }
}

std::string HardwareCounters::text() const {
  if (!values[0] || !values[1])
    return std::string("not available here (") + (failure ? std::strerror(failure) : "they count nothing") + ")";
  char text[160];
  std::snprintf(text, sizeof(text), "%.3g cycles, %.3g instructions (%.2f per cycle), %.3g cache misses", double(values[0]),
                double(values[1]), double(values[1]) / double(values[0]), double(values[2]));
  return text;
}

} // namespace tfc
