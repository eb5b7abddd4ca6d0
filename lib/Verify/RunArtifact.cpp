//===- RunArtifact.cpp - One run of a compiled model on made-up inputs
//------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "RunArtifact.h"

#include "Session/MakeInputs.h"
#include "Session/Session.h"

#include <algorithm>

using namespace tfc;

/// The sizes that an entry knows.
static Sizes select(const TfcEntry &entry, const Sizes &sizes) {
  Sizes known;
  for (uint32_t i = 0; i < entry.symbol_count; ++i)
    if (auto found = sizes.find(entry.symbols[i].name); found != sizes.end() && isInputSize(entry.symbols[i]))
      known.insert(*found);
  return known;
}

/// Calls `visit` with a session for each entry.
template <typename Visit>
static Status forEachEntry(const std::string &path, const std::string &query, Visit visit) {
  std::vector<std::string> names{""};
  for (size_t i = 0; i < names.size(); ++i) {
    Session session;
    if (Status status = session.open(path, query, names[i]))
      return status;
    if (i == 0)
      for (uint32_t entry = 1; entry < session.model().entry_count; ++entry)
        names.push_back(session.model().entries[entry].name);
    if (Status status = visit(session))
      return status;
  }
  return {};
}

Status tfc::runArtifact(const std::string &path, const std::string &query, const Sizes &sizes, uint64_t seed,
                        std::vector<Array> &outputs) {
  return forEachEntry(path, query, [&](Session &session) -> Status {
    std::vector<Array> inputs;
    if (Status status = makeInputs(session.entry(), select(session.entry(), sizes), seed, inputs))
      return status;
    if (Status status = session.prepare(/*threads=*/0, /*listener=*/nullptr, std::move(inputs)))
      return status;
    std::vector<double> seconds;
    if (Status status = session.run(/*warmup=*/0, /*repeat=*/1, seconds))
      return status;
    for (Array &array : session.outputs())
      outputs.push_back(std::move(array));
    return {};
  });
}

/// Sizes for `count` symbols, the likeliest first. Different sizes find more mistakes, but symbols may be
/// bound to be equal, or one to be the sum of two others (all keys of past and new ones).
static std::vector<std::vector<int64_t>> listAttempts(size_t count) {
  static const int64_t kSizes[] = {2, 5, 7, 3, 6, 4, 8};
  std::vector<int64_t> different;
  for (size_t i = 0; i < count; ++i)
    different.push_back(kSizes[i % 7]);
  std::vector<std::vector<int64_t>> attempts{different};
  for (size_t sum = 0; sum < std::min<size_t>(count, 6); ++sum)
    for (size_t a = 0; a < std::min<size_t>(count, 6); ++a)
      for (size_t b = 0; b < a; ++b)
        if (a != sum && b != sum) {
          attempts.push_back(different);
          attempts.back()[sum] = different[a] + different[b];
        }
  attempts.push_back(std::vector<int64_t>(count, 6));
  if (count)
    attempts.back()[0] = 2;
  for (int64_t size : {4, 1})
    attempts.push_back(std::vector<int64_t>(count, size));
  return attempts;
}

Status tfc::completeSizes(const std::string &path, const std::string &query, uint64_t seed, Sizes &sizes) {
  Sizes unknown = sizes;
  Status status = forEachEntry(path, query, [&](Session &session) -> Status {
    for (const auto &known : select(session.entry(), sizes))
      unknown.erase(known.first);
    return {};
  });
  if (status)
    return status;
  if (!unknown.empty())
    return badInput("--dim: the model has no symbol '" + unknown.begin()->first + "'");
  std::vector<std::string> open;
  status = forEachEntry(path, query, [&](Session &session) -> Status {
    const TfcEntry &entry = session.entry();
    for (uint32_t i = 0; i < entry.symbol_count; ++i)
      if (const TfcSymbol &symbol = entry.symbols[i];
          isInputSize(symbol) && symbol.min != symbol.max && !sizes.count(symbol.name) &&
          std::find(open.begin(), open.end(), symbol.name) == open.end())
        open.push_back(symbol.name);
    return {};
  });
  if (status)
    return status;
  for (const std::vector<int64_t> &attempt : listAttempts(open.size())) {
    Sizes tried = sizes;
    for (size_t i = 0; i < open.size(); ++i)
      tried[open[i]] = attempt[i];
    std::vector<Array> outputs;
    status = runArtifact(path, query, tried, seed, outputs);
    if (!status) {
      sizes = tried;
      return {};
    }
    if (status.code != BadInput)
      return status;
  }
  return status;
}
