//===- ProfileTable.h - Where the time went, kernel by kernel ---------------------------------*- C++ -*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#ifndef TFC_RUN_PROFILETABLE_H
#define TFC_RUN_PROFILETABLE_H

#include "MachinePeaks.h"
#include "Profiler.h"

#include <string>
#include <vector>

namespace tfc {

/// All launches of one kernel, per run. Seconds, floating point operations, bytes.
struct KernelRow {
  std::string name;
  std::vector<std::string> nodes;   ///< Of the graph, in the order of the launches.
  std::vector<uint32_t> launches;
  double calls = 0, seconds = 0, flops = 0, bytes = 0;
};

/// What a run takes outside of kernels. Seconds per run; with the kernels they make up the wall time.
struct OutsideTime {
  double beforeFirst = 0; ///< Inputs are checked, memory is found.
  double between = 0;     ///< The host program between two kernels, calls of the host's operators included.
  double afterLast = 0;   ///< Outputs are delivered.
  double aroundRun = 0;   ///< The caller's part: the call itself, buffers for outputs.
  double sum() const { return beforeFirst + between + afterLast + aroundRun; }
};

struct ProfileTable {
  std::vector<KernelRow> rows; ///< The dearest first.
  double runs = 0;
  double wallSeconds = 0;   ///< Per run, as the caller sees it.
  double kernelSeconds = 0; ///< Per run, in kernels.
  OutsideTime outside;
  std::string hardware; ///< The processor's counters as JSON.
  double floorSeconds = 0;  ///< Per run, if every launch ran at the machine's peaks.
  MachinePeaks peaks;
};

ProfileTable makeTable(const Profiler &profiler, const MachinePeaks &peaks, const std::vector<double> &runSeconds);

/// Aligned for a terminal.
std::string tableText(const ProfileTable &table);

/// The table as a JSON object.
std::string tableJson(const ProfileTable &table);

/// Chrome's trace format, which Perfetto reads too: one track per thread, slices of cat "kernel" and "run", the arena as
/// a counter. Times in microseconds.
std::string traceJson(const Profiler &profiler);

/// One page without any reference to a network: table, roofline, timeline, graph.
std::string profileHtml(const Profiler &profiler, const ProfileTable &table);

} // namespace tfc

#endif // TFC_RUN_PROFILETABLE_H
