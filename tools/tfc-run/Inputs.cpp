//===- Inputs.cpp - The inputs of a run, from a file ------------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#include "Inputs.h"

#include "Npy.h"
#include "Session/MakeInputs.h"

#include <algorithm>
#include <cstdio>

namespace tfc {

static std::string inputNames(const TfcEntry &entry) {
  std::string names;
  for (uint32_t i = 0; i < entry.input_count; ++i)
    names += std::string(i ? ", " : "") + "'" + entry.inputs[i].name + "'";
  return names;
}

Status readInputs(const TfcEntry &entry, const std::string &path, std::vector<Array> &inputs) {
  std::vector<Array> arrays;
  if (Status status = readArrays(path, arrays))
    return status;
  if (arrays.size() == 1 && arrays[0].name.empty() && entry.input_count == 1)
    arrays[0].name = entry.inputs[0].name;
  size_t used = 0;
  for (uint32_t i = 0; i < entry.input_count; ++i) {
    const TfcPort &port = entry.inputs[i];
    auto found = std::find_if(arrays.begin(), arrays.end(),
                              [&](const Array &array) { return array.name == port.name; });
    if (found == arrays.end())
      return badInput("'" + path + "' has no array '" + port.name + "'; the model takes " +
                      inputNames(entry));
    inputs.emplace_back();
    if (Status status = fromFile(*found, port.dtype, inputs.back()))
      return badInput("'" + path + "': " + status.sentence);
    ++used;
  }
  if (used < arrays.size())
    std::fprintf(stderr, "tfc-run: note: '%s' also has arrays that the model does not take\n", path.c_str());
  return {};
}

static Status obtainInputs(const Options &options, const TfcEntry &entry, std::vector<Array> &inputs) {
  if (options.random)
    return makeInputs(entry, options.dims, options.seed, inputs);
  if (!options.inputs.empty())
    return readInputs(entry, options.inputs, inputs);
  return entry.input_count
             ? badInput("the model has inputs: give --inputs FILE.npz or --random (tfc-run --help)")
             : Status{};
}

Status readOrMakeInputs(const Options &options, const TfcEntry &entry, std::vector<Array> &inputs) {
  if (Status status = obtainInputs(options, entry, inputs))
    return status;
  return options.saveInputs.empty() ? Status{} : writeArrays(options.saveInputs, inputs);
}

} // namespace tfc
