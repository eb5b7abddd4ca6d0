//===- Report.cpp - What is printed after the runs ------------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#include "Report.h"
#include "Format.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <sys/resource.h>

namespace tfc {

static std::string outputText(const Array &array) {
  int64_t count = elementCount(array.dims, array.type), nans = 0;
  double low = INFINITY, high = -INFINITY, sum = 0;
  for (int64_t i = 0; i < count; ++i) {
    double value = elementAsDouble(array.bytes.data(), i, array.type);
    if (std::isnan(value)) {
      ++nans;
      continue;
    }
    low = std::min(low, value);
    high = std::max(high, value);
    sum += value;
  }
  std::string text = "output " + array.name + ": " + typeName(array.type) + " " + dimsText(array.dims);
  if (count > nans)
    text += format(", %.6g to %.6g, mean %.6g", low, high, sum / double(count - nans));
  if (nans)
    text += format(", %lld of %lld NaN", static_cast<long long>(nans), static_cast<long long>(count));
  return text + "\n";
}

std::string outputsText(const std::vector<Array> &outputs) {
  std::string text;
  for (const Array &array : outputs)
    text += outputText(array);
  return text;
}

Timing timingOf(std::vector<double> seconds) {
  if (seconds.empty())
    return {};
  std::sort(seconds.begin(), seconds.end());
  size_t n = seconds.size();
  double median = n % 2 ? seconds[n / 2] : (seconds[n / 2 - 1] + seconds[n / 2]) / 2;
  size_t p90 = std::min(n - 1, size_t(std::ceil(0.9 * double(n))) - 1);
  return {seconds[0] * 1e3, median * 1e3, seconds[p90] * 1e3};
}

std::string timingText(const Timing &timing, int64_t repeat, int32_t threads) {
  std::string with = format("%d %s", threads, threads == 1 ? "thread" : "threads");
  if (repeat == 1)
    return format("time %.3f ms (one run, %s)\n", timing.minMs, with.c_str());
  return format("time min %.3f ms, median %.3f ms, p90 %.3f ms (%lld runs, %s)\n", timing.minMs,
                timing.medianMs, timing.p90Ms, static_cast<long long>(repeat), with.c_str());
}

std::string timingJson(const Timing &timing, int64_t repeat, int32_t threads) {
  return format(
      "{\"min_ms\": %.6f, \"median_ms\": %.6f, \"p90_ms\": %.6f, \"repeat\": %lld, \"threads\": %d, \"peak_bytes\": %lld}\n",
      timing.minMs, timing.medianMs, timing.p90Ms, static_cast<long long>(repeat), threads,
      static_cast<long long>(peakMemory()));
}

int64_t peakMemory() {
  rusage usage;
  return getrusage(RUSAGE_SELF, &usage) ? 0 : int64_t(usage.ru_maxrss) * 1024;
}

std::string memoryText() { return format("memory %.1f MB at most, weights included\n", double(peakMemory()) / 1e6); }

} // namespace tfc
