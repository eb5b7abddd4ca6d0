//===- main.cpp - tfc-run: load a model.so, run it, check it, time it -----------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#include "Compare.h"
#include "Describe.h"
#include "DumpWeights.h"
#include "Inputs.h"
#include "Inspect.h"
#include "Json.h"
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

/// Whether a kernel makes numbers of 16 bits, for which GPUs have units of their own.
static bool hasSixteenBits(const TfcEntry &entry) {
  for (uint32_t i = 0; i < entry.launch_count; ++i)
    for (uint32_t t = 0; t < entry.launches[i].operand_count; ++t) {
      TfcDataType type = entry.launches[i].tensors[t].dtype;
      if (type.bits == 16 && (type.code == TFC_FLOAT || type.code == TFC_BFLOAT))
        return true;
    }
  return false;
}

static Status findPeaks(Session &session, MachinePeaks &peaks) {
  if (!session.isOnDevice()) {
    peaks = peaksOfMachine(session.threads());
    return {};
  }
  TfcDevicePeaks device;
  if (int32_t code = tfc_device_peaks(session.device().id, &device))
    return runtimeStatus(code);
  peaks = peaksOfDevice(device, hasSixteenBits(session.entry()));
  return {};
}

static Status reportProfile(const Options &options, Session &session, const Profiler &profiler,
                            const std::vector<double> &seconds) {
  MachinePeaks peaks;
  if (Status status = findPeaks(session, peaks))
    return status;
  ProfileTable table = makeTable(profiler, peaks, seconds);
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

static Status measureDevice(const Options &options) {
  TfcDevicePeaks device;
  if (int32_t code = tfc_device_peaks(options.device.id, &device))
    return runtimeStatus(code);
  double simple = peaksOfDevice(device, false).flops, tensor = peaksOfDevice(device, true).flops;
  if (options.json)
    std::printf("{\"device\": {\"name\": %s, \"capability\": %u, \"multiprocessors\": %u, \"clock_ghz\": %.3f, \"gbytes\": %.3f, "
                "\"gflops_f32\": %.3f, \"gflops_16bit\": %.3f}}\n",
                jsonString(device.name).c_str(), device.capability, device.multiprocessors, device.clock_hz * 1e-9, device.copy_bytes * 1e-9,
                simple * 1e-9, tensor * 1e-9);
  else
    std::printf("%s: compute capability %u.%u, %u multiprocessors at %.3f GHz\n"
                "copies %.1f GB/s, read and written (measured)\nf32 %.1f TFLOP/s, 16 bits on tensor cores %.1f TFLOP/s (by the clock, not measured)\n",
                device.name, device.capability / 10, device.capability % 10, device.multiprocessors, device.clock_hz * 1e-9,
                device.copy_bytes * 1e-9, simple * 1e-12, tensor * 1e-12);
  return {};
}

static Status measureMachine(const Options &options) {
  if (options.device.type == 2)
    return measureDevice(options);
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
    profiler = std::make_unique<Profiler>(session.model(), session.entry(), !options.profileTrace.empty() || !options.profileHtml.empty(),
                                          session.isOnDevice());
  if (Status status = session.prepare(int32_t(options.threads), profiler.get(), std::move(inputs)))
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
  if (!options.dumpWeights.empty())
    return dumpWeights(session, options.dumpWeights);
  if (Status status = session.choose(options.device))
    return status;
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
