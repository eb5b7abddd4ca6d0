//===- Report.cpp - What is printed after the runs ------------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#include "Report.h"

#include <algorithm>
#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <numeric>

namespace tfc {

__attribute__((format(printf, 1, 2))) static std::string format(const char *pattern, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, pattern);
  std::vsnprintf(text, sizeof(text), pattern, arguments);
  va_end(arguments);
  return text;
}

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
      "{\"min_ms\": %.6f, \"median_ms\": %.6f, \"p90_ms\": %.6f, \"repeat\": %lld, \"threads\": %d}\n",
      timing.minMs, timing.medianMs, timing.p90Ms, static_cast<long long>(repeat), threads);
}

std::string profileText(const Session &session, const std::vector<double> &seconds) {
  const std::vector<KernelCost> &costs = session.costs();
  double runs = double(seconds.size()), total = std::accumulate(seconds.begin(), seconds.end(), 0.0),
         inside = 0;
  std::vector<size_t> order;
  int width = 16;
  for (size_t k = 0; k < costs.size(); ++k) {
    inside += costs[k].seconds;
    if (!costs[k].calls)
      continue;
    order.push_back(k);
    width = std::min(48, std::max(width, int(std::string(session.model().kernels[k].name).size())));
  }
  std::sort(order.begin(), order.end(),
            [&](size_t a, size_t b) { return costs[a].seconds > costs[b].seconds; });
  std::string text =
      format("%-*s %8s %10s %7s %9s %9s\n", width, "kernel", "calls", "ms", "share", "GFLOP/s", "GB/s");
  auto row = [&](const char *name, double calls, double spent, double flops, double bytes) {
    text += format("%-*.*s %8.0f %10.4f %6.1f%%", width, width, name, calls / runs, spent / runs * 1e3,
                   total > 0 ? 100 * spent / total : 0);
    text += flops > 0 && spent > 0 ? format(" %9.2f", flops / spent * 1e-9) : "         -";
    text += bytes > 0 && spent > 0 ? format(" %9.2f\n", bytes / spent * 1e-9) : "         -\n";
  };
  for (size_t k : order)
    row(session.model().kernels[k].name, double(costs[k].calls), costs[k].seconds, costs[k].flops,
        costs[k].bytes);
  row("outside kernels", 0, total - inside, 0, 0);
  return text;
}

} // namespace tfc
