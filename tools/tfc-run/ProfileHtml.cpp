//===- ProfileHtml.cpp - A profile as one page ------------------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//
//
// profile.html holds all that is drawn; here its data is put in.
//
//===-----------------------------------------------------------------------------------------------------===//

#include "Json.h"
#include "ProfileTable.h"

#include <algorithm>
#include <cstdio>

namespace tfc {

static const char *const page =
#include "ProfilePage.inc"
    ;

/// The page shows a run at a time; more than this many would only make it slow to open.
static constexpr size_t kRunLimit = 20;

static std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.5f", value);
  return text;
}

static std::string tracksJson(const Profiler &profiler, double start, double end) {
  auto track = [&](const std::vector<Slice> &slices) {
    std::string text = "[";
    for (const Slice &slice : slices)
      if (slice.begin <= end)
        text += (text.size() > 1 ? ", [" : "[") + number((slice.begin - start) * 1e6) + ", " +
                number((slice.end - start) * 1e6) + ", " + std::to_string(slice.launch) + "]";
    return text + "]";
  };
  std::string text = "[" + track(profiler.launchSlices);
  for (size_t worker = 1; worker < profiler.workerSlices.size(); ++worker)
    text += ", " + track(profiler.workerSlices[worker]);
  return text + "]";
}

static std::string launchesJson(const Profiler &profiler) {
  std::string text = "[";
  for (uint32_t i = 0; i < profiler.entry.launch_count; ++i) {
    const TfcLaunch &launch = profiler.entry.launches[i];
    const LaunchWork &work = profiler.launches[i];
    std::string sources;
    for (uint32_t s = 0; s < launch.source_count; ++s)
      sources += (s ? ", " : "") + std::to_string(launch.sources[s]);
    text += std::string(i ? ", " : "") + "{\"kernel\": " + jsonString(profiler.model.kernels[launch.kernel].name) +
            ", \"nodes\": " + jsonStrings({launch.nodes, launch.nodes + launch.node_count}) + ", \"sources\": [" + sources +
            "], \"ms\": " + number(work.seconds * 1e3 / std::max(1.0, double(profiler.runs.size()))) + "}";
  }
  return text + "]";
}

std::string profileHtml(const Profiler &profiler, const ProfileTable &table) {
  size_t runs = std::min(profiler.runs.size(), kRunLimit);
  double start = runs ? profiler.runs[0].begin : 0, end = runs ? profiler.runs[runs - 1].end : 0;
  std::string runsText;
  for (size_t i = 0; i < runs; ++i)
    runsText += std::string(i ? ", [" : "[") + number((profiler.runs[i].begin - start) * 1e6) + ", " +
                number((profiler.runs[i].end - start) * 1e6) + ", " + std::to_string(profiler.runs[i].arenaBytes) + "]";
  std::string data = "{\"model\": " + jsonString(profiler.model.name) + ", \"table\": " + tableJson(table) +
                     ", \"cut\": " + (profiler.isCut || runs < profiler.runs.size() ? "true" : "false") + ", \"runs\": [" +
                     runsText + "], \"launches\": " + launchesJson(profiler) + ", \"tracks\": " +
                     tracksJson(profiler, start, end) + "}";
  std::string text = page;
  const std::string place = "/*DATA*/null";
  text.replace(text.find(place), place.size(), data);
  return text;
}

} // namespace tfc
