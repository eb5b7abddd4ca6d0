//===- GpuTarget.cpp - Facts of NVIDIA GPUs ------------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// Limits are those of the CUDA programming guide, "Technical Specifications per Compute Capability".
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/TargetInfo/GpuTarget.h"

#include "llvm/ADT/STLExtras.h"

using namespace tfc;

namespace {
struct Row {
  const char *chip, *ptx;
  int capability, multiprocessors;
  int64_t sharedKiB, l2MiB;
};
} // namespace

// Parts: V100, T4, A100, A10, L40, H100/H200, B200, RTX 5090.
static constexpr Row kRows[] = {
    {"sm_70", "+ptx60", 70, 80, 96, 6},    {"sm_75", "+ptx63", 75, 40, 64, 4},   {"sm_80", "+ptx70", 80, 108, 163, 40},
    {"sm_86", "+ptx71", 86, 72, 99, 6},    {"sm_89", "+ptx78", 89, 142, 99, 96}, {"sm_90", "+ptx80", 90, 132, 227, 50},
    {"sm_90a", "+ptx80", 90, 132, 227, 50}, {"sm_100", "+ptx86", 100, 148, 227, 126}, {"sm_120", "+ptx87", 120, 170, 99, 96},
};

llvm::Expected<GpuTarget> tfc::parseGpuTarget(llvm::StringRef chip) {
  const Row *row = llvm::find_if(kRows, [&](const Row &candidate) { return chip == candidate.chip; });
  if (row == std::end(kRows)) {
    std::string known;
    for (const Row &candidate : kRows)
      known += std::string(known.empty() ? "" : ", ") + candidate.chip;
    return llvm::createStringError("unknown GPU target '" + chip.str() + "'; known are " + known);
  }
  GpuTarget target;
  target.chip = row->chip;
  target.ptxFeature = row->ptx;
  target.computeCapability = row->capability;
  target.multiprocessors = row->multiprocessors;
  target.sharedBytes = row->sharedKiB * 1024;
  target.l2Bytes = row->l2MiB * 1024 * 1024;
  target.hasMmaSync = row->capability >= 80;
  target.hasDependentLaunch = row->capability >= 90;
  target.clusterBlocks = row->capability >= 90 ? 8 : 1;
  target.hasWgmma = chip == "sm_90a";
  return target;
}
