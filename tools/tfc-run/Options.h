//===- Options.h - What the user of tfc-run asks for ------------------------------------------*- C++ -*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#ifndef TFC_RUN_OPTIONS_H
#define TFC_RUN_OPTIONS_H

#include "Session/Session.h"
#include "Session/Status.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace tfc {

struct Options {
  std::string model, inputs, saveInputs, outputs, expect, entry, query, isa;
  std::string profileTrace, profileHtml, dumpWeights; // files; empty: none
  std::string dumpTensors, names, compareWith; // a folder, a regular expression, an artifact; empty: none
  std::map<std::string, int64_t> dims;
  DeviceChoice device;
  bool random = false, json = false, describe = false, profile = false, inPlace = false, measureMachine = false, checkNan = false, help = false, version = false;
  uint64_t seed = 0;
  double rtol = 1e-4, atol = 1e-5;
  std::vector<int64_t> clients; // empty: no throughput is measured
  double seconds = 2;           // for each number of clients
  int64_t threads = 0, repeat = 1, warmup = -1; // -1: one if there are several runs
  int64_t steps = 1, room = 0;                  // 0: as much as the steps need

  /// Whether it is asked what the tensors inside of the run are, not how long it takes.
  bool inspects() const { return checkNan || !dumpTensors.empty() || !compareWith.empty(); }
};

/// Takes `--name VALUE` and `--name=VALUE`.
Status parseOptions(int argc, char **argv, Options &options);

extern const char *const helpText;

} // namespace tfc

#endif // TFC_RUN_OPTIONS_H
