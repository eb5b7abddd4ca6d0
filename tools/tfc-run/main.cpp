//===- main.cpp - tfc-run: load a model.so, run it, check it, time it -----------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#include "Compare.h"
#include "Describe.h"
#include "Inputs.h"
#include "Npy.h"
#include "Options.h"
#include "Report.h"
#include "Session/MakeInputs.h"
#include "Session/Session.h"

#include "tfc/Version.h"

#include <cstdio>
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

static Status readOrMakeInputs(const Options &options, const TfcEntry &entry, std::vector<Array> &inputs) {
  if (options.random)
    return makeInputs(entry, options.dims, options.seed, inputs);
  if (!options.inputs.empty())
    return readInputs(entry, options.inputs, inputs);
  return entry.input_count
             ? badInput("the model has inputs: give --inputs FILE.npz or --random (tfc-run --help)")
             : Status{};
}

static Status runModel(const Options &options, Session &session) {
  std::vector<Array> inputs, expected;
  if (Status status = readOrMakeInputs(options, session.entry(), inputs))
    return status;
  if (!options.expect.empty())
    if (Status status = readArrays(options.expect, expected))
      return status;
  if (Status status = session.prepare(int32_t(options.threads), options.profile, std::move(inputs)))
    return status;
  std::vector<double> seconds;
  if (Status status = session.run(options.warmup, options.repeat, seconds))
    return status;

  if (!options.outputs.empty())
    if (Status status = writeArrays(options.outputs, session.outputs()))
      return status;
  std::fputs(outputsText(session.outputs()).c_str(), stdout);
  if (options.profile)
    std::fputs(profileText(session, seconds).c_str(), stdout);
  Status verdict;
  std::string summary;
  if (!options.expect.empty()) {
    verdict = compareArrays(session.outputs(), expected, options.rtol, options.atol, summary);
    if (!verdict)
      std::printf("%s\n", summary.c_str());
  }
  Timing timing = timingOf(seconds);
  std::fputs(timingText(timing, options.repeat, session.threads()).c_str(), stdout);
  if (options.json)
    std::fputs(timingJson(timing, options.repeat, session.threads()).c_str(), stdout);
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
  Session session;
  if (Status status = session.open(options.model, options.query, options.entry))
    return status;
  if (options.describe) {
    std::string text = describeJson(session.model()) + "\n";
    if (!options.json)
      if (Status status = describeText(session.model(), options.dims, text))
        return status;
    std::fputs(text.c_str(), stdout);
    return {};
  }
  return runModel(options, session);
}

int main(int argc, char **argv) {
  std::set_new_handler(outOfMemory);
  Status status = runTool(argc, argv);
  if (!status && (std::fflush(stdout) || std::ferror(stdout)))
    status = defect("cannot write to standard output");
  std::fflush(stdout);
  if (status)
    std::fprintf(stderr, "tfc-run: %s: %s\n", status.code == CheckFailed ? "check failed" : "error",
                 status.sentence.c_str());
  return status.code;
}
