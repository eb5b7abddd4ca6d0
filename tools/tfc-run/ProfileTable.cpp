//===- ProfileTable.cpp - Where the time went, kernel by kernel -----------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#include "ProfileTable.h"
#include "Format.h"
#include "Json.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <numeric>
#include <tuple>

namespace tfc {

ProfileTable makeTable(const Profiler &profiler, const MachinePeaks &peaks, const std::vector<double> &runSeconds) {
  ProfileTable table;
  table.peaks = peaks;
  table.runs = std::max(1.0, double(runSeconds.size()));
  table.wallSeconds = std::accumulate(runSeconds.begin(), runSeconds.end(), 0.0) / table.runs;
  std::map<uint32_t, KernelRow> byKernel;
  for (uint32_t number = 0; number < profiler.entry.launch_count; ++number) {
    const LaunchWork &work = profiler.launches[number];
    if (!work.calls)
      continue;
    const TfcLaunch &launch = profiler.entry.launches[number];
    KernelRow &row = byKernel[launch.kernel];
    row.name = profiler.model.kernels[launch.kernel].name;
    row.launches.push_back(number);
    row.nodes.insert(row.nodes.end(), launch.nodes, launch.nodes + launch.node_count);
    row.calls += double(work.calls) / table.runs;
    row.seconds += work.seconds / table.runs;
    row.flops += work.flops / table.runs;
    row.bytes += work.bytes / table.runs;
    table.floorSeconds += peaks.floor(work.flops, work.bytes) / table.runs;
  }
  for (auto &[kernel, row] : byKernel) {
    table.kernelSeconds += row.seconds;
    table.rows.push_back(std::move(row));
  }
  table.hardware = hardwareJson(profiler.counters, table.runs);
  const HostTime &host = profiler.host;
  table.outside = {host.beforeFirst / table.runs, (host.run - host.beforeFirst - host.afterLast) / table.runs - table.kernelSeconds,
                   host.afterLast / table.runs, table.wallSeconds - host.run / table.runs};
  std::sort(table.rows.begin(), table.rows.end(),
                   [](const KernelRow &a, const KernelRow &b) { return a.seconds > b.seconds; });
  return table;
}

/// The first nodes as far as they fit, and how many there are.
static std::string nodesText(const KernelRow &row, size_t width) {
  if (row.nodes.empty())
    return "-";
  std::string first = row.nodes.front(), more;
  if (row.nodes.size() > 1)
    more = " +" + std::to_string(row.nodes.size() - 1);
  if (first.size() + more.size() > width)
    first = "..." + first.substr(first.size() + more.size() + 3 - width);
  return first + more;
}

/// The lines that stand for what is no kernel.
static std::string outsideText(const ProfileTable &table, int width) {
  const OutsideTime &outside = table.outside;
  const std::tuple<const char *, double, const char *> lines[] = {
      {"outside kernels", outside.sum(), ""},
      {"  before the first", outside.beforeFirst, "inputs checked, memory found"},
      {"  between kernels", outside.between, "the host program and its calls"},
      {"  after the last", outside.afterLast, "outputs delivered"},
      {"  around the run", outside.aroundRun, "the caller"}};
  std::string text;
  for (auto [name, measured, what] : lines) {
    // What only rounding left of a difference would be printed as -0.
    double seconds = std::abs(measured) < 5e-8 ? 0 : measured;
    double share = table.wallSeconds > 0 ? 100 * seconds / table.wallSeconds : 0;
    text += format("%-*s %6s %10.4f %5.1f%%", width, name, "", seconds * 1e3, share);
    text += *what ? format("%*s%s\n", 26, "", what) : "\n";
  }
  return text;
}

std::string tableText(const ProfileTable &table) {
  constexpr int kNodesWidth = 40;
  int width = 18; // of "  before the first"
  for (const KernelRow &row : table.rows)
    width = std::min(40, std::max(width, int(row.name.size())));
  std::string text = format("%-*s %6s %10s %6s %8s %7s %6s  %s\n", width, "kernel", "calls", "ms", "share", "GFLOP/s",
                            "GB/s", "peak", "nodes");
  auto rate = [](double amount, double seconds, int columns) {
    return amount > 0 && seconds > 0 ? format(" %*.1f", columns, amount / seconds * 1e-9) : format(" %*s", columns, "-");
  };
  for (const KernelRow &row : table.rows) {
    text += format("%-*.*s %6.0f %10.4f %5.1f%%", width, width, row.name.c_str(), row.calls, row.seconds * 1e3,
                   table.wallSeconds > 0 ? 100 * row.seconds / table.wallSeconds : 0);
    text += rate(row.flops, row.seconds, 8) + rate(row.bytes, row.seconds, 7);
    double floor = table.peaks.floor(row.flops, row.bytes);
    text += row.seconds > 0 && floor > 0 ? format(" %5.0f%%", 100 * floor / row.seconds) : format(" %6s", "-");
    text += "  " + nodesText(row, kNodesWidth) + "\n";
  }
  text += outsideText(table, width);
  double flops = 0, bytes = 0;
  for (const KernelRow &row : table.rows) {
    flops += row.flops;
    bytes += row.bytes;
  }
  text += format("%-*s %6s %10.4f %6s", width, "whole run", "", table.wallSeconds * 1e3, "100%");
  text += rate(flops, table.wallSeconds, 8) + rate(bytes, table.wallSeconds, 7);
  text += table.wallSeconds > 0 ? format(" %5.0f%%\n", 100 * table.floorSeconds / table.wallSeconds) : "\n";
  if (!table.peaks.device.empty())
    return text + format("floor %.4f ms: every launch at the peak of %s (%.1f GFLOP/s by its clock and %.1f GB/s of copies measured); above "
                         "100%% data came from caches\n",
                         table.floorSeconds * 1e3, table.peaks.device.c_str(), table.peaks.flops * 1e-9, table.peaks.bytes * 1e-9);
  text += format("floor %.4f ms: every launch at this machine's peak (%.1f GFLOP/s and %.1f GB/s with %d %s); above 100%% data "
                 "came from caches\n",
                 table.floorSeconds * 1e3, table.peaks.flops * 1e-9, table.peaks.bytes * 1e-9, table.peaks.threads,
                 table.peaks.threads == 1 ? "thread" : "threads");
  return text;
}

std::string tableJson(const ProfileTable &table) {
  std::string rows;
  for (const KernelRow &row : table.rows) {
    double floor = table.peaks.floor(row.flops, row.bytes);
    rows += std::string(rows.empty() ? "" : ", ") + "{\"kernel\": " + jsonString(row.name) +
            ", \"nodes\": " + jsonStrings(row.nodes) +
            format(", \"calls\": %g, \"ms\": %.6f, \"flops\": %.0f, \"bytes\": %.0f, \"floor_ms\": %.6f}", row.calls,
                   row.seconds * 1e3, row.flops, row.bytes, floor * 1e3);
  }
  const OutsideTime &outside = table.outside;
  return "{\"kernels\": [" + rows +
         format("], \"outside_ms\": {\"before_first\": %.6f, \"between\": %.6f, \"after_last\": %.6f, \"around_run\": %.6f}",
                outside.beforeFirst * 1e3, outside.between * 1e3, outside.afterLast * 1e3, outside.aroundRun * 1e3) +
         ", \"hardware\": " + table.hardware +
         (table.peaks.device.empty() ? "" : ", \"device\": " + jsonString(table.peaks.device)) +
         format(", \"run_ms\": %.6f, \"kernels_ms\": %.6f, \"floor_ms\": %.6f, \"runs\": %.0f, \"threads\": %d, "
                "\"peak_gflops\": %.3f, \"peak_gbytes\": %.3f}",
                table.wallSeconds * 1e3, table.kernelSeconds * 1e3, table.floorSeconds * 1e3, table.runs,
                table.peaks.threads, table.peaks.flops * 1e-9, table.peaks.bytes * 1e-9);
}

//===-- Trace --------------------------------------------------------------------------------------------===//

/// "MatMul_3 + Add_4", at most three of them.
static std::string sliceName(const TfcModel &model, const TfcLaunch &launch) {
  if (launch.node_count == 0)
    return model.kernels[launch.kernel].name;
  std::string name;
  for (uint32_t i = 0; i < launch.node_count && i < 3; ++i)
    name += (i ? " + " : "") + std::string(launch.nodes[i]);
  return launch.node_count > 3 ? name + " + ..." : name;
}

/// The stretches of each run in which no kernel ran, so that slices of "kernel" and "host" add up to those of "run".
template <typename AddSlice>
static void addHostSlices(const Profiler &profiler, AddSlice add) {
  const std::vector<Slice> &launches = profiler.launchSlices;
  size_t next = 0;
  for (const RunSlice &run : profiler.runs) {
    bool isWhole = !profiler.isCut || (!launches.empty() && run.end <= launches.back().end);
    if (!isWhole)
      return;
    double at = run.begin;
    const char *name = "before the first kernel";
    for (; next < launches.size() && launches[next].end <= run.end; ++next) {
      add(at, launches[next].begin, name);
      at = launches[next].end;
      name = "between kernels";
    }
    add(at, run.end, "after the last kernel");
  }
}

std::string traceJson(const Profiler &profiler) {
  const TfcEntry &entry = profiler.entry;
  double start = profiler.runs.empty() ? 0 : profiler.runs.front().begin;
  std::vector<std::string> launchText; // the part that all slices of a launch share
  for (uint32_t i = 0; i < entry.launch_count; ++i) {
    const TfcLaunch &launch = entry.launches[i];
    const LaunchWork &work = profiler.launches[i];
    double calls = std::max<double>(1, double(work.calls));
    std::vector<std::string> nodes(launch.nodes, launch.nodes + launch.node_count);
    launchText.push_back("\"name\": " + jsonString(sliceName(profiler.model, launch)) +
                         ", \"cat\": \"kernel\", \"args\": {\"nodes\": " + jsonStrings(nodes) + ", \"kernel\": " +
                         jsonString(profiler.model.kernels[launch.kernel].name) +
                         format(", \"flops\": %.0f, \"bytes\": %.0f}", work.flops / calls, work.bytes / calls));
  }
  std::string text = "{\"displayTimeUnit\": \"ms\", \"traceEvents\": [\n"
                     "{\"ph\": \"M\", \"pid\": 1, \"name\": \"process_name\", \"args\": {\"name\": " +
                     jsonString(profiler.model.name) + "}}";
  for (size_t worker = 0; worker < std::max<size_t>(1, profiler.workerSlices.size()); ++worker)
    text += format(",\n{\"ph\": \"M\", \"pid\": 1, \"tid\": %zu, \"name\": \"thread_name\", \"args\": {\"name\": \"%s %zu\"}}",
                   worker, worker ? "helper" : "caller, thread", worker);
  size_t launchTrack = profiler.isOnDevice ? std::max<size_t>(1, profiler.workerSlices.size()) : 0;
  if (profiler.isOnDevice)
    text += format(",\n{\"ph\": \"M\", \"pid\": 1, \"tid\": %zu, \"name\": \"thread_name\", \"args\": {\"name\": \"GPU, stream\"}}", launchTrack);
  auto slice = [&](double begin, double end, size_t track, const std::string &rest) {
    text += format(",\n{\"ph\": \"X\", \"pid\": 1, \"tid\": %zu, \"ts\": %.3f, \"dur\": %.3f, ", track, (begin - start) * 1e6,
                   (end - begin) * 1e6) +
            rest + "}";
  };
  for (size_t i = 0; i < profiler.runs.size(); ++i) {
    const RunSlice &run = profiler.runs[i];
    slice(run.begin, run.end, 0, format("\"name\": \"run %zu\", \"cat\": \"run\", \"args\": {}", i));
    for (auto [at, bytes] : {std::pair(run.begin, run.arenaBytes), std::pair(run.end, int64_t(0))})
      text += format(",\n{\"ph\": \"C\", \"pid\": 1, \"ts\": %.3f, \"name\": \"arena\", \"args\": {\"bytes\": %lld}}",
                     (at - start) * 1e6, static_cast<long long>(bytes));
  }
  for (const Slice &made : profiler.launchSlices)
    slice(made.begin, made.end, launchTrack, launchText[made.launch]);
  addHostSlices(profiler, [&](double begin, double end, const char *name) {
    if (end > begin)
      slice(begin, end, launchTrack, format("\"name\": \"%s\", \"cat\": \"host\", \"args\": {}", name));
  });
  for (size_t worker = 1; worker < profiler.workerSlices.size(); ++worker)
    for (const Slice &made : profiler.workerSlices[worker])
      slice(made.begin, made.end, worker, launchText[made.launch]);
  return text + "\n]}\n";
}

} // namespace tfc
