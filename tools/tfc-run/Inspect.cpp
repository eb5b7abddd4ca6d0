//===- Inspect.cpp - Runs that are looked into ------------------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#include "Inspect.h"
#include "CheckNan.h"
#include "CompareWith.h"
#include "DumpTensors.h"
#include "Inputs.h"

#include <cmath>
#include <cstdio>

namespace tfc {

/// One run, or several, under the eyes of `watch`.
static Status runWatched(const Options &options, Session &session, Watch &watch, std::vector<Array> inputs, int64_t times = 1) {
  if (Status status = Watch::canWatch(session.entry()))
    return status;
  if (Status status = session.prepare(int32_t(options.threads), &watch, std::move(inputs)))
    return status;
  std::vector<double> seconds;
  for (int64_t i = 0; i < times; ++i)
    if (Status status = session.run(/*warmup=*/0, /*repeat=*/1, seconds))
      return status;
  return watch.failure();
}

/// What is handed to the model is no kernel's fault, and worth knowing before the search.
static void tellOddInputs(const std::vector<Array> &inputs) {
  for (const Array &array : inputs) {
    int64_t odd = 0;
    for (int64_t i = 0, count = isFloat(array.type) ? elementCount(array.dims, array.type) : 0; i < count; ++i)
      odd += !std::isfinite(elementAsDouble(array.bytes.data(), i, array.type));
    if (odd)
      std::printf("input '%s' has %lld elements that are NaN or infinite\n", array.name.c_str(), static_cast<long long>(odd));
  }
}

static Status checkNan(const Options &options, Session &session, std::vector<Array> inputs) {
  CheckNan check(session.model(), session.entry());
  tellOddInputs(inputs);
  if (Status status = runWatched(options, session, check, std::move(inputs)))
    return status;
  std::fputs(check.text().c_str(), stdout);
  Status verdict = check.verdict();
  if (!verdict)
    std::printf("no kernel makes a NaN or an infinity that it was not given\n");
  if (options.json)
    std::printf("%s\n", check.json().c_str());
  return verdict;
}

static Status dumpTensors(const Options &options, Session &session, std::vector<Array> inputs) {
  DumpTensors dump(session.model(), session.entry());
  if (Status status = dump.prepare(options.dumpTensors, options.names))
    return status;
  if (Status status = runWatched(options, session, dump, std::move(inputs)))
    return status;
  std::string text;
  Status status = dump.finish(text);
  std::fputs(text.c_str(), stdout);
  if (options.json)
    std::printf("%s\n", dump.json().c_str());
  return status;
}

static Status compareWith(const Options &options, Session &session, std::vector<Array> inputs) {
  Session other;
  if (Status status = other.open(options.compareWith, options.query, options.entry))
    return status;
  // On the CPU where it can: that is what a device's results are best compared with.
  if (Status status = other.choose({}))
    return status;
  Recorder recorder(session.model(), session.entry());
  if (Status status = runWatched(options, session, recorder, inputs))
    return status;
  CompareWith comparison(other.model(), other.entry(), session.entry(), recorder.results, options.rtol, options.atol);
  if (Status status = runWatched(options, other, comparison, std::move(inputs), comparison.runs()))
    return status;
  std::fputs(comparison.text().c_str(), stdout);
  if (options.json)
    std::printf("%s\n", comparison.json().c_str());
  return comparison.verdict();
}

Status inspectModel(const Options &options, Session &session) {
  std::vector<Array> inputs;
  if (Status status = readOrMakeInputs(options, session.entry(), inputs))
    return status;
  if (options.checkNan)
    return checkNan(options, session, std::move(inputs));
  if (!options.dumpTensors.empty())
    return dumpTensors(options, session, std::move(inputs));
  return compareWith(options, session, std::move(inputs));
}

} // namespace tfc
