//===- Caches.cpp - Pasts that outputs extend in place, and runs that follow each other ------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#include "Session/Session.h"

#include "tfc/Weights/LayoutRecipe.h"

#include <algorithm>

namespace tfc {

Session::Cache *Session::findCache(uint32_t output) {
  auto found = std::find_if(caches.begin(), caches.end(), [&](const Cache &cache) { return cache.output == output; });
  return found == caches.end() ? nullptr : &*found;
}

Status Session::addCache(uint32_t output, int64_t rows, int64_t steps) {
  const TfcPort &port = entry().outputs[output];
  const Array &past = arguments[size_t(port.alias_of_input)];
  Cache cache = {uint32_t(port.alias_of_input), output, {}, std::vector<int64_t>(past.dims.size())};
  std::vector<int64_t> dims = results[output].dims;
  int64_t own = past.dims[port.room_axis], step = dims[port.room_axis] - own, wanted;
  if (__builtin_mul_overflow(steps, step, &wanted) || __builtin_add_overflow(wanted, own, &wanted))
    wanted = INT64_MAX;
  dims[port.room_axis] = rows ? rows : wanted;
  int64_t count = elementCount(dims, past.type);
  if (count < 0)
    return badInput("the buffer of '" + past.name + "' would be " + dimsText(dims));
  // A pattern that is no likely result: room that a kernel reads must not pass for zeros.
  cache.buffer.assign(size_t(byteCount(count, past.type)), 0xA5);
  int64_t stride = 1;
  for (size_t d = dims.size(); d-- > 0; stride *= dims[d])
    cache.strides[d] = stride;
  if (own <= dims[port.room_axis])
    tfc_layout_scatter(cache.buffer.data(), past.bytes.data(), past.dims.data(), int32_t(past.dims.size()), 0,
                       cache.strides.data(), past.type.bits / 8);
  caches.push_back(std::move(cache));
  return {};
}

Status Session::keepInPlace(int64_t rows, int64_t steps) {
  if (int32_t code = tfc_output_dims(context, entryNumber, inputTensors.data(), uint32_t(inputTensors.size()),
                                     outputTensors.data(), uint32_t(outputTensors.size())))
    return runtimeStatus(code);
  for (uint32_t i = 0; i < entry().output_count; ++i)
    if (entry().outputs[i].room)
      if (Status status = addCache(i, rows, steps))
        return status;
  if (caches.empty())
    return badInput("no output of the model is an input with rows behind it; --describe shows which may share memory");
  for (Cache &cache : caches) {
    TfcTensor &past = inputTensors[cache.input];
    past.data = cache.buffer.data();
    past.strides = cache.strides.data();
    past.capacity_bytes = cache.buffer.size();
    arguments[cache.input].bytes.clear();
  }
  return {};
}

void Session::advance(std::vector<Array> inputs) {
  for (uint32_t i = 0; i < entry().output_count; ++i) {
    const TfcPort &port = entry().outputs[i];
    if (port.alias_of_input < 0)
      continue;
    Array &past = inputs[size_t(port.alias_of_input)];
    past.dims = results[i].dims;
    past.bytes = findCache(i) ? std::vector<uint8_t>() : results[i].bytes;
  }
  arguments = std::move(inputs);
  for (size_t i = 0; i < arguments.size(); ++i) {
    bool isCached = std::any_of(caches.begin(), caches.end(), [&](const Cache &cache) { return cache.input == i; });
    inputTensors[i].dims = arguments[i].dims.data();
    if (isCached)
      continue;
    inputTensors[i].data = arguments[i].bytes.data();
    inputTensors[i].capacity_bytes = arguments[i].bytes.size();
  }
}

/// What was made in place, row-major, for whoever looks at the outputs.
void Session::readCaches() {
  for (const Cache &cache : caches) {
    Array &array = results[cache.output];
    array.bytes.resize(size_t(byteCount(elementCount(array.dims, array.type), array.type)));
    tfc_layout_copy(array.bytes.data(), cache.buffer.data(), array.dims.data(), int32_t(array.dims.size()), 0,
                    cache.strides.data(), array.type.bits / 8);
  }
}

} // namespace tfc
