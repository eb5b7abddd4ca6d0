//===- GpuSchedule.cpp - How GPU kernels are cut -------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Schedule/GpuSchedule.h"

#include "llvm/Support/MathExtras.h"
#include <algorithm>

using namespace tfc;

GpuRowSchedule tfc::selectGpuRows(std::optional<int64_t> length, int64_t elementBytes) {
  static constexpr int64_t kMostPerThread = 64, kMostWarps = 8;
  GpuRowSchedule s;
  if (!length)
    return s;
  if (*length > kMostWarps * GpuTarget::kWarp * kMostPerThread) {
    s.warpsPerRow = kMostWarps;
    s.rowsPerBlock = 1;
    return s;
  }
  // 16 bytes at once, where rows are a multiple of that.
  s.width = std::max<int64_t>(1, 16 / elementBytes);
  while (*length % s.width)
    s.width /= 2;
  while (*length > GpuTarget::kWarp * s.warpsPerRow * kMostPerThread)
    s.warpsPerRow *= 2;
  s.rowsPerBlock = s.warpsPerRow == 1 ? 4 : 1;
  s.runs = llvm::divideCeil(*length, s.stride());
  return s;
}

int64_t tfc::selectGpuSplits(int64_t tiles, std::optional<int64_t> k, int64_t depth, bool inCluster,
                             const GpuTarget &target) {
  // A part of fewer slices would spend its time on filling the pipeline.
  static constexpr int64_t kLeastSlices = 4, kMostSplits = 16;
  if (!k || tiles <= 0)
    return 1;
  int64_t wanted = target.multiprocessors / tiles;
  int64_t possible = llvm::divideCeil(*k, depth) / kLeastSlices;
  return std::clamp<int64_t>(std::min(wanted, possible), 1, inCluster ? target.clusterBlocks : kMostSplits);
}
