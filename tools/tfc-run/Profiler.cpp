//===- Profiler.cpp - What the runtime tells of the measured runs ---------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#include "Profiler.h"

namespace tfc {

/// Per list; a trace of more is no use in a viewer.
static constexpr size_t kSliceLimit = 400000;

template <typename Item>
static void makeRoom(std::vector<Item> &items) {
  items.resize(kSliceLimit);
  items.clear();
}

Profiler::Profiler(const TfcModel &model, const TfcEntry &entry, bool slices, bool isOnDevice)
    : model(model), entry(entry), isOnDevice(isOnDevice), launches(entry.launch_count), keepsSlices(slices) {}

void Profiler::attachTo(TfcContextOptions &options) {
  options.profiler = onEvent;
  options.profiler_data = this;
  options.profiler_events = 1u << TFC_EVENT_RUN | 1u << (isOnDevice ? TFC_EVENT_DEVICE : TFC_EVENT_LAUNCH);
  // Of tiles only those of helping threads are kept: the caller's are its launches.
  if (keepsSlices && options.threads != 1)
    options.profiler_events |= 1u << TFC_EVENT_TILES;
}

void Profiler::start(int32_t threads) {
  tilesBegan.resize(size_t(threads));
  workerSlices.resize(size_t(threads));
  // A vector that grows while it is measured would show in the gaps between slices, and so would pages that are touched first then.
  if (keepsSlices) {
    makeRoom(launchSlices);
    makeRoom(runs);
  }
  clock.calibrate();
  counters.start();
  measuring = true;
}

void Profiler::stop() {
  measuring = false;
  counters.stop();
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
    hasLaunched = false;
    runBegan = clock.now();
    return;
  }
  double end = clock.now();
  host.run += end - runBegan;
  if (hasLaunched)
    host.afterLast += end - launchEnded;
  else
    host.beforeFirst += end - runBegan;
  int64_t arena = 0;
  for (uint32_t segment = 0; segment <= entry.bind_count; ++segment)
    arena += event.values[entry.arena_bytes[segment]];
  if (runs.size() < kSliceLimit)
    runs.push_back({runBegan, end, arena});
}

void Profiler::onLaunch(const TfcEvent &event) {
  if (!event.after) {
    launchBegan = clock.now();
    return;
  }
  addLaunch(event, launchBegan, clock.now());
}

void Profiler::addLaunch(const TfcEvent &event, double begin, double end) {
  if (!hasLaunched)
    host.beforeFirst += begin - runBegan;
  hasLaunched = true;
  launchEnded = end;
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

} // namespace tfc
