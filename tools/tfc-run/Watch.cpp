//===- Watch.cpp - What every launch of a run reads and makes -------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#include "Watch.h"

#include <algorithm>

namespace tfc {

Array WatchedTensor::copy() const {
  Array array;
  array.name = name;
  array.type = type;
  array.dims = dims;
  array.bytes.assign(data, data + byteCount(std::max<int64_t>(count(), 0), type));
  return array;
}

Status Watch::canWatch(const TfcEntry &entry) {
  for (uint32_t i = 0; i < entry.launch_count; ++i)
    if (!entry.launches[i].result_count)
      return badInput("the artifact does not say what its kernels make: compile the model again");
  return {};
}

void Watch::attachTo(TfcContextOptions &options) {
  options.profiler = onEvent;
  options.profiler_data = this;
  options.profiler_events = 1u << TFC_EVENT_LAUNCH;
}

void Watch::onEvent(void *self, const TfcEvent *event) {
  auto *watch = static_cast<Watch *>(self);
  if (watch->watching && event->kind == TFC_EVENT_LAUNCH)
    watch->onLaunch(*event);
}

/// A copy of what a device has, in place of its address.
void Watch::bring(WatchedTensor &tensor, std::vector<std::vector<uint8_t>> &copies) {
  copies.emplace_back(byteCount(std::max<int64_t>(tensor.count(), 0), tensor.type));
  if (int32_t code = tfc_context_fetch(context, copies.back().data(), tensor.data, copies.back().size()); code && !failed)
    failed = runtimeStatus(code);
  tensor.data = copies.back().data();
}

void Watch::onLaunch(const TfcEvent &event) {
  const TfcLaunch &made = entry.launches[event.launch];
  WatchedLaunch launch{event.launch, made, model.kernels[made.kernel].name, {}, {}};
  std::vector<std::vector<uint8_t>> copies;
  for (uint32_t i = 0; i < made.operand_count + made.result_count; ++i) {
    const TfcLaunchTensor &tensor = made.tensors[i];
    bool isOperand = i < made.operand_count;
    WatchedTensor watched{tensor.name, tensor.dtype, {}, reinterpret_cast<uint8_t *>(event.args[i])};
    for (int32_t d = 0; d < tensor.rank; ++d)
      watched.dims.push_back(event.values[tensor.dims[d]]);
    if (onDevice && (isOperand ? wantsOperands() : bool(event.after)))
      bring(watched, copies);
    (isOperand ? launch.operands : launch.results).push_back(std::move(watched));
  }
  if (!event.after)
    return before(launch);
  after(launch);
  for (size_t i = 0; onDevice && changesResults() && i < launch.results.size(); ++i)
    if (int32_t code = tfc_context_store(context, reinterpret_cast<void *>(event.args[made.operand_count + i]), launch.results[i].data,
                                         byteCount(std::max<int64_t>(launch.results[i].count(), 0), launch.results[i].type));
        code && !failed)
      failed = runtimeStatus(code);
}

} // namespace tfc
