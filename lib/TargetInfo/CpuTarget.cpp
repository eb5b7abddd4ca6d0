//===- CpuTarget.cpp - Facts of CPUs --------------------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// One function per level of the x86-64 psABI (https://gitlab.com/x86-psABIs/x86-64-ABI, section "Micro-Architecture
// Levels"). Cache sizes are those of common server cores of the level's generation; they only steer block sizes.
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/TargetInfo/CpuTarget.h"
#include "tfc-c/ModelABI.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"

using namespace tfc;

/// This machine's own triple where it is of the architecture, so that code for it is what other compilers make here.
static std::string makeTriple(llvm::Triple::ArchType arch) {
  llvm::Triple host(llvm::Triple::normalize(llvm::sys::getDefaultTargetTriple()));
  if (host.getArch() == arch && host.isOSLinux())
    return host.str();
  return (llvm::Triple::getArchTypeName(arch) + "-unknown-linux-gnu").str();
}

static CpuTarget makeV2() {
  CpuTarget target;
  target.name = target.llvmCpu = "x86-64-v2";
  target.triple = makeTriple(llvm::Triple::x86_64);
  target.featureBits = TFC_X86_64_V2;
  return target;
}

static CpuTarget makeV3() {
  CpuTarget target;
  target.name = target.llvmCpu = "x86-64-v3";
  target.triple = makeTriple(llvm::Triple::x86_64);
  target.vectorBits = 256;
  target.fmaPorts = 2;
  target.hasF16Conversion = true;
  target.featureBits = TFC_X86_64_V2 | TFC_X86_64_V3;
  return target;
}

static CpuTarget makeV4() {
  CpuTarget target = makeV3();
  target.name = target.llvmCpu = "x86-64-v4";
  target.vectorBits = 512;
  target.vectorRegisters = 32;
  target.hasMaskRegisters = true;
  target.l1Bytes = 48 * 1024;
  target.l2Bytes = 1024 * 1024;
  target.featureBits |= TFC_X86_64_V4;
  return target;
}

/// What every 64-bit Arm has: NEON of 128 bits. Caches are those of Neoverse cores.
static CpuTarget makeAArch64() {
  CpuTarget target;
  target.name = "aarch64";
  target.llvmCpu = "generic";
  target.triple = makeTriple(llvm::Triple::aarch64);
  target.vectorRegisters = 32;
  target.fmaPorts = 2;
  target.hasF16Conversion = true;
  target.l1Bytes = 64 * 1024;
  target.l2Bytes = 1024 * 1024;
  target.featureBits = TFC_AARCH64_NEON;
  return target;
}

/// The level that the host reaches, tuned for the host. What it can do beyond its level is left alone: at load only levels are looked for,
/// and an artifact may come to another machine.
static llvm::Expected<CpuTarget> makeNative() {
  CpuTarget target;
  if (llvm::Triple(llvm::sys::getDefaultTargetTriple()).isAArch64()) {
    target = makeAArch64();
  } else {
    llvm::StringMap<bool> features = llvm::sys::getHostCPUFeatures();
    auto hasAll = [&](std::initializer_list<llvm::StringRef> names) {
      return llvm::all_of(names, [&](llvm::StringRef name) { return features.lookup(name); });
    };
    if (!hasAll({"sse4.2", "popcnt"}))
      return llvm::createStringError("target 'native': this machine is below x86-64-v2, the least that tfc supports");
    bool v3 = hasAll({"avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe"});
    bool v4 = v3 && hasAll({"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"});
    target = v4 ? makeV4() : v3 ? makeV3() : makeV2();
  }
  target.name = "native";
  target.tuneCpu = llvm::sys::getHostCPUName().str();
  return target;
}

llvm::Expected<CpuTarget> tfc::parseCpuTarget(llvm::StringRef name) {
  if (name == "native")
    return makeNative();
  if (name == "x86-64-v2")
    return makeV2();
  if (name == "x86-64-v3")
    return makeV3();
  if (name == "x86-64-v4")
    return makeV4();
  if (name == "aarch64")
    return makeAArch64();
  return llvm::createStringError("unknown CPU target '" + name.str() +
                                 "'; known are x86-64-v2, x86-64-v3, x86-64-v4, aarch64 and native");
}

/// Whether what runs on `b` runs on `a` as well, as far as a runtime can tell.
static bool isAtLeast(const CpuTarget &a, const CpuTarget &b) { return (b.featureBits & ~a.featureBits) == 0; }

static llvm::Error checkTogether(const CpuTarget &one, const CpuTarget &other) {
  if (one.triple != other.triple)
    return llvm::createStringError("the targets '" + one.name + "' and '" + other.name +
                                   "' are of different architectures: an artifact is for one of them");
  if (one.name == other.name)
    return llvm::createStringError("the target '" + one.name + "' is named twice");
  if (one.featureBits == other.featureBits)
    return llvm::createStringError("the targets '" + one.name + "' and '" + other.name +
                                   "' need the same of a CPU: a runtime could not choose between them");
  return llvm::Error::success();
}

llvm::Expected<CpuTargets> tfc::parseCpuTargets(llvm::StringRef names) {
  CpuTargets targets;
  llvm::SmallVector<llvm::StringRef> parts;
  names.split(parts, '+');
  for (llvm::StringRef part : parts) {
    llvm::Expected<CpuTarget> target = parseCpuTarget(part);
    if (!target)
      return target.takeError();
    for (const CpuTarget &other : targets)
      if (llvm::Error error = checkTogether(*target, other))
        return std::move(error);
    targets.push_back(std::move(*target));
  }
  // Levels contain one another, so this is an order of all.
  llvm::sort(targets, [](const CpuTarget &a, const CpuTarget &b) { return isAtLeast(a, b) && !isAtLeast(b, a); });
  return targets;
}

const CpuTarget &tfc::getWidestTarget(llvm::ArrayRef<CpuTarget> targets) {
  return *llvm::max_element(
      targets, [](const CpuTarget &a, const CpuTarget &b) { return a.vectorBits < b.vectorBits; });
}
