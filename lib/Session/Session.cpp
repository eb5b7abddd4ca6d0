//===- Session.cpp - A model, a context, and the buffers of its runs ------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#include "Session/Session.h"

#include <algorithm>
#include <cstring>
#include <ctime>

namespace tfc {

double now() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return double(time.tv_sec) + 1e-9 * double(time.tv_nsec);
}

Status runtimeStatus(int32_t code) {
  switch (code) {
  case TFC_OK:
    return {};
  case TFC_OUT_OF_MEMORY:
  case TFC_SYSTEM:
  case TFC_BUFFER_TOO_SMALL:
  case TFC_NO_DEVICE:
  case TFC_DEVICE_FAILED:
    return defect(tfc_last_error());
  default:
    return badInput(tfc_last_error());
  }
}

Session::~Session() {
  tfc_context_destroy(context);
}

void Session::share(const Session &other) {
  opened = other.opened;
  view = other.view;
  chosen = other.chosen;
  onDevice = other.onDevice;
  entryNumber = other.entryNumber;
}

Status Session::open(const std::string &path, const std::string &query, const std::string &entryName) {
  TfcOpenModel *made = nullptr;
  if (int32_t code = tfc_model_open(path.c_str(), query.empty() ? nullptr : query.c_str(), &made))
    return runtimeStatus(code);
  opened.reset(made, tfc_model_close);
  const TfcModel *described = tfc_model_describe(made);
  std::memcpy(static_cast<void *>(&view), described, std::min<size_t>(described->bytes, sizeof(view)));
  return runtimeStatus(
      tfc_model_find_entry(made, entryName.empty() ? nullptr : entryName.c_str(), &entryNumber));
}

Status Session::choose(DeviceChoice device) {
  const TfcProgram *program;
  if (int32_t code = tfc_model_program(opened.get(), device.type, device.id, &program))
    return runtimeStatus(code);
  chosen = device;
  onDevice = program != nullptr;
  if (program) {
    view.entries = program->entries;
    view.kernels = program->kernels;
    view.kernel_count = program->kernel_count;
  }
  return {};
}

static TfcTensor tensorOf(Array &array) {
  return {array.bytes.data(), 1,       0, array.type,        int32_t(array.dims.size()),
          array.dims.data(),  nullptr, 0, array.bytes.size()};
}

Status Session::prepare(int32_t threads, RunListener *told, std::vector<Array> inputs) {
  listener = told;
  TfcContextOptions options = {};
  options.bytes = sizeof(options);
  options.threads = threads;
  options.device_type = chosen.type;
  options.device_id = chosen.id;
  options.allocate_output = onOutput;
  options.allocate_output_data = this;
  if (listener)
    listener->attachTo(options);
  if (int32_t code = tfc_context_create(opened.get(), &options, &context))
    return runtimeStatus(code);
  if (listener)
    listener->meet(context, onDevice);
  arguments = std::move(inputs);
  for (Array &array : arguments)
    inputTensors.push_back(tensorOf(array));
  results.resize(entry().output_count);
  for (uint32_t i = 0; i < entry().output_count; ++i) {
    results[i].name = entry().outputs[i].name;
    results[i].type = entry().outputs[i].dtype;
    results[i].dims.resize(size_t(entry().outputs[i].rank));
    outputTensors.push_back(tensorOf(results[i]));
  }
  return {};
}

/// The runtime asks for room when it knows how much: at once, or in the run where data decides a dim.
void *Session::onOutput(void *self, uint32_t output, uint64_t bytes) {
  std::vector<uint8_t> &room = static_cast<Session *>(self)->results[output].bytes;
  // A pattern that is no likely result: an element that no kernel writes must not pass for a zero.
  if (room.size() != bytes)
    room.assign(bytes, 0xA5);
  return room.data();
}

Status Session::runOnce() {
  for (size_t i = 0; i < results.size(); ++i) { // so that every output is asked for anew
    Cache *cache = findCache(uint32_t(i));
    outputTensors[i].data = cache ? cache->buffer.data() : nullptr;
    outputTensors[i].strides = cache ? cache->strides.data() : nullptr;
    outputTensors[i].capacity_bytes = cache ? cache->buffer.size() : 0;
  }
  int32_t code = tfc_run(context, entryNumber, inputTensors.data(), uint32_t(inputTensors.size()), outputTensors.data(),
                         uint32_t(outputTensors.size()));
  done.store(done.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  return runtimeStatus(code);
}

Status Session::run(int64_t warmup, int64_t repeat, std::vector<double> &seconds) {
  for (int64_t i = 0; i < warmup; ++i)
    if (Status status = runOnce())
      return status;
  if (listener)
    listener->start(threads());
  seconds.reserve(size_t(std::min<int64_t>(repeat, 1 << 20)));
  for (int64_t i = 0; i < repeat; ++i) {
    double start = now();
    if (Status status = runOnce())
      return status;
    seconds.push_back(now() - start);
  }
  if (listener)
    listener->stop();
  readCaches();
  for (Array &array : results) // an output without elements is never asked for
    if (elementCount(array.dims, array.type) == 0)
      array.bytes.clear();
  return {};
}

} // namespace tfc
