//===- main.cpp - tfc-run: load a model.so, run it, check it, time it -----------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#include "Compare.h"
#include "Describe.h"
#include "Inputs.h"
#include "Inspect.h"
#include "MachinePeaks.h"
#include "Npy.h"
#include "Options.h"
#include "ProfileTable.h"
#include "Progress.h"
#include "Report.h"
#include "Serve.h"
#include "TextFile.h"
#include "Session/MakeInputs.h"
#include "Session/Session.h"

#include "tfc/Version.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <new>
#include <unistd.h>

using namespace tfc;

/// Not std::exit: destructors and other threads have no say when memory is gone.
static void outOfMemory() {
  static const char text[] = "tfc-run: error: out of memory\n";
  if (write(2, text, sizeof(text) - 1) < 0)
    _exit(Defect);
  _exit(Defect);
}

static Status reportProfile(const Options &options, Session &session, const Profiler &profiler,
                            const std::vector<double> &seconds) {
  ProfileTable table = makeTable(profiler, peaksOfMachine(session.threads()), seconds);
  std::fputs(tableText(table).c_str(), stdout);
  std::printf("hardware counters: %s\n", hardwareText(profiler.counters, table.runs).c_str());
  if (options.json)
    std::printf("%s\n", tableJson(table).c_str());
  if (!options.profileTrace.empty())
    if (Status status = writeFile(options.profileTrace, traceJson(profiler)))
      return status;
  if (!options.profileHtml.empty())
    return writeFile(options.profileHtml, profileHtml(profiler, table));
  return {};
}

static Status measureMachine(const Options &options) {
  std::string rows;
  for (int32_t threads : {1, options.threads ? int32_t(options.threads) : threadsOfMachine()}) {
    if (threads == 1 && !rows.empty())
      continue;
    MachinePeaks peaks = refreshPeaks(threads);
    char text[160];
    std::snprintf(text, sizeof(text), options.json ? "%s{\"threads\": %d, \"gflops\": %.3f, \"gbytes\": %.3f}" : "%s%7d %10.1f %8.1f\n",
                  options.json && !rows.empty() ? ", " : "", threads, peaks.flops * 1e-9, peaks.bytes * 1e-9);
    rows += text;
  }
  if (options.json)
    std::printf("{\"machine\": [%s]}\n", rows.c_str());
  else
    std::printf("threads    GFLOP/s     GB/s\n%skept in %s\n", rows.c_str(), peaksFile().c_str());
  return {};
}

/// All steps but the first. Each has other made-up inputs, so that no step passes for another.
static Status runFurtherSteps(const Options &options, Session &session, std::vector<double> &seconds) {
  std::map<std::string, int64_t> sizes = options.dims;
  for (int64_t step = 1; step < options.steps; ++step) {
    std::vector<Array> inputs;
    if (Status status = growSizes(session.entry(), sizes))
      return status;
    if (Status status = makeInputs(session.entry(), sizes, options.seed + uint64_t(step), inputs))
      return status;
    session.advance(std::move(inputs));
    if (Status status = session.run(/*warmup=*/0, /*repeat=*/1, seconds))
      return status;
  }
  return {};
}

static Status runModel(const Options &options, Session &session) {
  std::vector<Array> inputs, expected;
  if (Status status = readOrMakeInputs(options, session.entry(), inputs))
    return status;
  if (!options.expect.empty())
    if (Status status = readArrays(options.expect, expected))
      return status;
  bool profiles = options.profile || !options.profileHtml.empty();
  std::unique_ptr<Profiler> profiler; // before the context's threads, which its counters follow
  if (profiles)
    profiler = std::make_unique<Profiler>(session.model(), session.entry(), !options.profileTrace.empty() || !options.profileHtml.empty());
  if (Status status = session.prepare(int32_t(options.threads), profiler.get(), std::move(inputs), options.device))
    return status;
  std::vector<double> seconds;
  if (options.inPlace)
    if (Status status = session.keepInPlace(options.room, options.steps))
      return status;
  {
    Progress progress([&session] { return session.runsDone(); }, options.warmup + std::max(options.repeat, options.steps));
    if (Status status = session.run(options.warmup, options.repeat, seconds))
      return status;
    if (Status status = runFurtherSteps(options, session, seconds))
      return status;
  }

  if (!options.outputs.empty())
    if (Status status = writeArrays(options.outputs, session.outputs()))
      return status;
  std::fputs(outputsText(session.outputs()).c_str(), stdout);
  if (profiles)
    if (Status status = reportProfile(options, session, *profiler, seconds))
      return status;
  Status verdict;
  std::string summary;
  if (!options.expect.empty()) {
    verdict = compareArrays(session.outputs(), expected, options.rtol, options.atol, summary);
    if (!verdict)
      std::printf("%s\n", summary.c_str());
  }
  Timing timing = timingOf(seconds);
  if (profiles)
    std::fputs(memoryText().c_str(), stdout);
  std::fputs(timingText(timing, std::max(options.repeat, options.steps), session.threads()).c_str(), stdout);
  if (options.json)
    std::fputs(timingJson(timing, std::max(options.repeat, options.steps), session.threads()).c_str(), stdout);
  return verdict;
}

static Status runTool(int argc, char **argv) {
  Options options;
  if (Status status = parseOptions(argc, argv, options))
    return status;
  if (options.help) {
    std::fputs(helpText, stdout);
    return {};
  }
  if (options.version) {
    std::puts("tfc-run " TFC_VERSION);
    return {};
  }
  if (options.measureMachine)
    return measureMachine(options);
  // The runtime inside every program listens to the variable.
  if (!options.isa.empty())
    setenv("TFC_MAX_ISA", options.isa.c_str(), /*replace=*/1);
  Session session;
  if (Status status = session.open(options.model, options.query, options.entry))
    return status;
  if (options.describe) {
    std::string text = describeJson(session.model(), session.isa()) + "\n";
    if (!options.json)
      if (Status status = describeText(session.model(), session.isa(), options.dims, text))
        return status;
    std::fputs(text.c_str(), stdout);
    return {};
  }
  if (!options.clients.empty())
    return serveModel(options, session);
  return options.inspects() ? inspectModel(options, session) : runModel(options, session);
}

int main(int argc, char **argv) {
  std::set_new_handler(outOfMemory);
  std::signal(SIGXFSZ, SIG_IGN); // a file that may not grow is an error of the write
  Status status = runTool(argc, argv);
  if (!status && (std::fflush(stdout) || std::ferror(stdout)))
    status = defect("cannot write to standard output");
  std::fflush(stdout);
  if (status)
    std::fprintf(stderr, "tfc-run: %s: %s\n", status.code == CheckFailed ? "check failed" : "error",
                 status.sentence.c_str());
  return status.code;
}
