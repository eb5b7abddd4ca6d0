//===- CompareWith.cpp - One kernel after the other, against another artifact -----------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#include "CompareWith.h"
#include "Format.h"
#include "Json.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace tfc {

void Recorder::after(const WatchedLaunch &launch) {
  for (const WatchedTensor &result : launch.results)
    results.push_back({launch.number, launch.kernel, launch.nodes(), result.copy()});
}

/// Empty when the tensor has no name: then nothing says which one of another artifact it is.
static std::string keyOf(const std::string &name, TfcDataType type, const std::vector<int64_t> &dims) {
  return name.empty() ? "" : name + " " + typeName(type) + dimsText(dims);
}

static bool haveSameLaunches(const TfcEntry &a, const TfcEntry &b) {
  if (a.launch_count != b.launch_count)
    return false;
  for (uint32_t i = 0; i < a.launch_count; ++i) {
    const TfcLaunch &x = a.launches[i], &y = b.launches[i];
    if (x.node_count != y.node_count || x.result_count != y.result_count)
      return false;
    for (uint32_t n = 0; n < x.node_count; ++n)
      if (std::strcmp(x.nodes[n], y.nodes[n]))
        return false;
    for (uint32_t r = 0; r < x.result_count; ++r)
      if (x.tensors[x.operand_count + r].dtype != y.tensors[y.operand_count + r].dtype)
        return false;
  }
  return true;
}

CompareWith::CompareWith(const TfcModel &model, const TfcEntry &entry, const TfcEntry &recordedEntry,
                         const std::vector<Recorder::Result> &recorded, double rtol, double atol)
    : Watch(model, entry), recorded(recorded), rtol(rtol), atol(atol), sameLaunches(haveSameLaunches(entry, recordedEntry)) {
  for (size_t i = 0; i < recorded.size(); ++i)
    last[keyOf(recorded[i].tensor.name, recorded[i].tensor.type, recorded[i].tensor.dims)] = i;
}

void CompareWith::start(int32_t threads) {
  ++run;
  Watch::start(threads);
}

void CompareWith::compare(const WatchedTensor &tensor, const Recorder::Result &result) {
  Deviation deviation;
  measureDeviation(result.tensor, tensor.copy(), rtol, atol, deviation);
  compared.emplace(&result, deviation);
  if (!result.tensor.bytes.empty())
    std::memcpy(tensor.data, result.tensor.bytes.data(), result.tensor.bytes.size());
}

void CompareWith::after(const WatchedLaunch &launch) {
  for (const WatchedTensor &tensor : launch.results) {
    std::string key = keyOf(tensor.name, tensor.type, tensor.dims);
    if (sameLaunches) {
      // A loop of the other artifact may turn more often; what then comes has no counterpart.
      if (next < recorded.size() && recorded[next].launch == launch.number && recorded[next].tensor.dims == tensor.dims)
        compare(tensor, recorded[next]);
      ++next;
      continue;
    }
    if (run == 1) {
      ++times[key];
      continue;
    }
    auto found = last.find(key);
    if (!key.empty() && ++seen[key] == times[key] && found != last.end())
      compare(tensor, recorded[found->second]);
  }
}

std::vector<CompareWith::Row> CompareWith::rows() const {
  std::map<uint32_t, size_t> places;
  std::vector<Row> rows;
  for (const Recorder::Result &result : recorded) {
    auto [place, isNew] = places.emplace(result.launch, rows.size());
    if (isNew)
      rows.push_back({&result, false, {}});
    Row &row = rows[place->second];
    auto found = compared.find(&result);
    if (found == compared.end())
      continue;
    if (!row.compared || found->second.excess > row.worst.excess ||
        (found->second.excess == row.worst.excess && found->second.largest > row.worst.largest)) {
      row.worst = found->second;
      row.result = &result;
    }
    row.compared = true;
  }
  return rows;
}

std::string CompareWith::nodesText(const Recorder::Result &result) const {
  if (result.nodes.empty())
    return "-";
  return result.nodes.back() + (result.nodes.size() > 1 ? " +" + std::to_string(result.nodes.size() - 1) : "");
}

std::string CompareWith::text() const {
  std::vector<Row> all = rows();
  size_t width = 6, without = 0;
  for (const Row &row : all)
    width = std::min<size_t>(40, std::max(width, row.result->kernel.size()));
  std::string text = format("%-*s %10s %10s          nodes\n", int(width), "kernel", "error", "of largest");
  for (const Row &row : all) {
    text += format("%-*.*s ", int(width), int(width), row.result->kernel.c_str());
    if (!row.compared) {
      ++without;
      text += format("%10s %10s          ", "-", "-");
    } else {
      double magnitude = row.worst.magnitude;
      text += format("%10.3g %10.3g %-8s ", row.worst.largest, magnitude > 0 ? row.worst.largest / magnitude : 0.0,
                     row.worst.wrong ? "TOO FAR" : "");
    }
    text += nodesText(*row.result) + "\n";
  }
  if (without)
    text += std::to_string(without) + " of " + std::to_string(all.size()) +
            " kernels make tensors that the other artifact does not have; their error is in the next line that has one\n";
  return text;
}

std::string CompareWith::json() const {
  std::string text;
  for (const Row &row : rows()) {
    text += (text.empty() ? "" : ", ") + ("{\"kernel\": " + jsonString(row.result->kernel)) +
            ", \"nodes\": " + jsonStrings(row.result->nodes) + ", \"launch\": " + std::to_string(row.result->launch);
    if (row.compared && std::isfinite(row.worst.largest))
      text += format(", \"error\": %.9g, \"largest\": %.9g, \"fine\": %s}", row.worst.largest, row.worst.magnitude,
                     row.worst.wrong ? "false" : "true");
    else
      text += row.compared ? ", \"error\": \"infinite\", \"fine\": false}" : ", \"error\": null}";
  }
  return "{\"comparison\": [" + text + "]}";
}

Status CompareWith::verdict() const {
  if (compared.empty() && !recorded.empty())
    return badInput("the artifacts have no tensor in common: are they of the same model?");
  for (const Row &row : rows())
    if (row.worst.wrong)
      return {CheckFailed, "kernel " + row.result->kernel + ", node '" + row.result->tensor.name + "': " +
                               deviationText(row.result->tensor.dims, row.worst)};
  return {};
}

} // namespace tfc
