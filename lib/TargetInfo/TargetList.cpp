//===- TargetList.cpp - What --target says -------------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/TargetInfo/TargetList.h"
#include "tfc/TargetInfo/CpuTarget.h"
#include "tfc/TargetInfo/GpuTarget.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"

using namespace tfc;

/// What `cuda` alone stands for.
static constexpr const char *kUsualChips[] = {"sm_90a", "sm_80", "sm_70"};

static llvm::StringRef familyName(TargetKind kind) {
  return kind == TargetKind::CPU ? "cpu" : kind == TargetKind::CUDA ? "cuda" : "cuda-emu";
}

std::string TargetSpec::str() const { return (familyName(kind) + ":" + name).str(); }

static std::optional<TargetKind> parseFamily(llvm::StringRef name) {
  for (TargetKind kind : {TargetKind::CPU, TargetKind::CUDA, TargetKind::EmulatedCUDA})
    if (familyName(kind) == name)
      return kind;
  return std::nullopt;
}

static llvm::Error checkName(const TargetSpec &target) {
  if (target.isDevice())
    return parseGpuTarget(target.name).takeError();
  return parseCpuTargets(target.name).takeError();
}

/// A runtime takes the first program that its device can run: chips of one capability alone, then high capabilities.
static bool comesBefore(const TargetSpec &a, const TargetSpec &b) {
  if (a.kind != b.kind || !a.isDevice())
    return a.kind < b.kind;
  llvm::Expected<GpuTarget> left = parseGpuTarget(a.name), right = parseGpuTarget(b.name);
  auto rank = [](llvm::Expected<GpuTarget> &target) {
    if (target)
      return std::pair(target->computeCapability, target->chip.back() == 'a');
    llvm::consumeError(target.takeError());
    return std::pair(0, false);
  };
  std::pair<int, bool> leftRank = rank(left), rightRank = rank(right);
  return leftRank > rightRank;
}

llvm::Expected<std::vector<TargetSpec>> tfc::parseTargetList(llvm::StringRef list) {
  std::vector<TargetSpec> targets;
  llvm::SmallVector<llvm::StringRef> parts;
  list.split(parts, ',');
  for (llvm::StringRef part : parts) {
    auto [family, name] = part.trim().split(':');
    std::optional<TargetKind> kind = parseFamily(family);
    if (!kind || (name.empty() && part.contains(':')))
      return llvm::createStringError("unknown target '" + part.str() +
                                     "'; there is cpu[:x86-64-v2|x86-64-v3|x86-64-v4|aarch64|native] (with + between several CPUs), cuda[:sm_80|sm_90a|...] and "
                                     "cuda-emu[:sm_80|...], or several with commas between");
    if (!name.empty())
      targets.push_back({*kind, name.str()});
    else if (*kind == TargetKind::CPU)
      targets.push_back({*kind, "native"});
    else
      for (const char *chip : kUsualChips)
        targets.push_back({*kind, chip});
  }
  llvm::stable_sort(targets, comesBefore);
  for (auto [number, target] : llvm::enumerate(targets)) {
    if (llvm::Error error = checkName(target))
      return std::move(error);
    bool sameCpu = number > 0 && !target.isDevice();
    if (sameCpu || (number > 0 && target.str() == targets[number - 1].str()))
      return llvm::createStringError("target '" + list.str() + "' asks " +
                                     (sameCpu ? "for two CPUs" : "twice for " + target.str()));
  }
  return targets;
}
