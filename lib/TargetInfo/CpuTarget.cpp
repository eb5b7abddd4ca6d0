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

#include "llvm/ADT/StringMap.h"
#include "llvm/TargetParser/Host.h"

using namespace tfc;

static CpuTarget makeV2() {
  CpuTarget target;
  target.name = target.llvmCpu = "x86-64-v2";
  target.featureBits = TFC_X86_64_V2;
  return target;
}

static CpuTarget makeV3() {
  CpuTarget target;
  target.name = target.llvmCpu = "x86-64-v3";
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

/// The level whose features the host has, with the host's own name and features for LLVM.
static llvm::Expected<CpuTarget> makeNative() {
  llvm::StringMap<bool> features = llvm::sys::getHostCPUFeatures();
  auto hasAll = [&](std::initializer_list<llvm::StringRef> names) {
    return llvm::all_of(names, [&](llvm::StringRef name) { return features.lookup(name); });
  };
  if (!hasAll({"sse4.2", "popcnt"}))
    return llvm::createStringError("target 'native': this machine is below x86-64-v2, the least that tfc supports");
  bool v3 = hasAll({"avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe"});
  bool v4 = v3 && hasAll({"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"});
  CpuTarget target = v4 ? makeV4() : v3 ? makeV3() : makeV2();
  target.name = "native";
  target.llvmCpu = llvm::sys::getHostCPUName().str();
  for (auto &feature : features) {
    if (!target.llvmFeatures.empty())
      target.llvmFeatures += ',';
    target.llvmFeatures += (feature.second ? "+" : "-") + feature.first().str();
  }
  if (v4 && hasAll({"avx512bf16"}))
    target.featureBits |= TFC_X86_AVX512_BF16;
  if (v4 && hasAll({"avx512vnni"}))
    target.featureBits |= TFC_X86_AVX512_VNNI;
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
  return llvm::createStringError("unknown CPU target '" + name.str() +
                                 "'; known are x86-64-v2, x86-64-v3, x86-64-v4 and native");
}
