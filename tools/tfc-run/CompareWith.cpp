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
    results.push_back({launch.number, launch.kernel, launch.nodes(), launch.nodeOf(result), result.copy()});
}

/// Empty when the tensor has no name: then nothing says which one of another artifact it is.
static std::string keyOf(const std::string &name, TfcDataType type, const std::vector<int64_t> &dims) {
  return name.empty() ? "" : name + " " + typeName(type) + dimsText(dims);
}

static bool haveSameNodes(const TfcLaunch &a, const TfcLaunch &b) {
  return a.node_count == b.node_count &&
         std::equal(a.nodes, a.nodes + a.node_count, b.nodes, [](const char *x, const char *y) { return !std::strcmp(x, y); });
}

static bool haveSameResults(const TfcLaunch &a, const TfcLaunch &b) {
  return a.result_count == b.result_count &&
         std::equal(a.tensors + a.operand_count, a.tensors + a.operand_count + a.result_count, b.tensors + b.operand_count,
                    [](const TfcLaunchTensor &x, const TfcLaunchTensor &y) { return x.dtype == y.dtype; });
}

/// Launches of the same nodes, one behind the other: [first, behind).
static std::vector<std::pair<uint32_t, uint32_t>> findSteps(const TfcEntry &entry) {
  std::vector<std::pair<uint32_t, uint32_t>> steps;
  for (uint32_t i = 0; i < entry.launch_count; ++i)
    if (i && haveSameNodes(entry.launches[i - 1], entry.launches[i]))
      ++steps.back().second;
    else
      steps.push_back({i, i + 1});
  return steps;
}

/// For each launch the other artifact's of the same results, or kNoLaunch; empty where the two do not go the same way. A kernel
/// that is generated may have become two launches, of which the last makes what the plain one makes.
static std::vector<uint32_t> pairLaunches(const TfcEntry &entry, const TfcEntry &other) {
  auto ours = findSteps(entry), theirs = findSteps(other);
  if (ours.size() != theirs.size())
    return {};
  std::vector<uint32_t> pairs(entry.launch_count, CompareWith::kNoLaunch);
  for (size_t step = 0; step < ours.size(); ++step) {
    if (!haveSameNodes(entry.launches[ours[step].first], other.launches[theirs[step].first]))
      return {};
    for (uint32_t i = ours[step].second, j = theirs[step].second; i > ours[step].first && j > theirs[step].first; pairs[i] = j) {
      --i, --j;
      if (!haveSameResults(entry.launches[i], other.launches[j]))
        return {};
    }
  }
  return pairs;
}

CompareWith::CompareWith(const TfcModel &model, const TfcEntry &entry, const TfcEntry &recordedEntry,
                         const std::vector<Recorder::Result> &recorded, double rtol, double atol)
    : Watch(model, entry), recorded(recorded), rtol(rtol), atol(atol), pairs(pairLaunches(entry, recordedEntry)) {
  isPaired.resize(recordedEntry.launch_count);
  for (uint32_t pair : pairs)
    if (pair != kNoLaunch)
      isPaired[pair] = true;
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
    if (!pairs.empty()) {
      if (pairs[launch.number] == kNoLaunch)
        continue;
      while (next < recorded.size() && !isPaired[recorded[next].launch])
        ++next;
      // A loop of the other artifact may turn more often; what then comes has no counterpart.
      if (next < recorded.size() && recorded[next].launch == pairs[launch.number] && recorded[next].tensor.dims == tensor.dims)
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
      return {CheckFailed, "kernel " + row.result->kernel + ", node '" + row.result->node + "': " +
                               deviationText(row.result->tensor.dims, row.worst)};
  return {};
}

} // namespace tfc
