//===- Report.h - What is printed after the runs ----------------------------------------------*- C++ -*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#ifndef TFC_RUN_REPORT_H
#define TFC_RUN_REPORT_H

#include "Session/Array.h"

#include <string>
#include <vector>

namespace tfc {

/// One line per output: type, dims, smallest, largest, mean, how many NaNs.
std::string outputsText(const std::vector<Array> &outputs);

/// Smallest, middle and 90th percentile of the measured runs.
struct Timing {
  double minMs = 0, medianMs = 0, p90Ms = 0;
};
Timing timingOf(std::vector<double> seconds);

std::string timingText(const Timing &timing, int64_t repeat, int32_t threads);
std::string timingJson(const Timing &timing, int64_t repeat, int32_t threads);

/// Bytes of this process that were in memory at once, at most.
int64_t peakMemory();
std::string memoryText();

} // namespace tfc

#endif // TFC_RUN_REPORT_H
