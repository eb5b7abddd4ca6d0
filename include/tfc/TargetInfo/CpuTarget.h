//===- CpuTarget.h - Facts of CPUs ----------------------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_TARGETINFO_CPUTARGET_H
#define TFC_TARGETINFO_CPUTARGET_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <string>

namespace tfc {

/// What code generation asks of a CPU: what it can do, never who it is.
struct CpuTarget {
  /// The name it was asked for by: x86-64-v2, x86-64-v3, x86-64-v4, aarch64 or native.
  std::string name;
  /// LLVM's triple of the machine code.
  std::string triple;
  /// The instructions that code may use, as LLVM names them: those that `featureBits` stand for, and no more.
  std::string llvmCpu;
  /// The CPU that instructions are chosen and ordered for; empty: none in particular.
  std::string tuneCpu;
  /// Width of the vectors to generate, and how many registers of that width there are.
  unsigned vectorBits = 128;
  unsigned vectorRegisters = 16;
  /// Fused multiply-adds started per cycle; 0 where the instruction does not exist.
  unsigned fmaPorts = 0;
  /// Masked loads and stores cost about as much as plain ones.
  bool hasMaskRegisters = false;
  /// Hardware conversion between f16 and f32.
  bool hasF16Conversion = false;
  /// Data caches of one core, in bytes.
  int64_t l1Bytes = 32 * 1024;
  int64_t l2Bytes = 256 * 1024;
  /// TfcFeature bits that code generated for this target needs at run time.
  uint64_t featureBits = 0;

  bool hasFma() const { return fmaPorts > 0; }
  unsigned floatLanes() const { return vectorBits / 32; }
};

/// The target a name stands for; `native` asks the machine it runs on. An unknown name is an error that lists what is known.
llvm::Expected<CpuTarget> parseCpuTarget(llvm::StringRef name);

using CpuTargets = llvm::SmallVector<CpuTarget, 2>;

/// The targets of one artifact, of one architecture, `+` between their names. The most capable is the first: a runtime takes
/// the first that it can run. Code for the last runs on the machines of all.
llvm::Expected<CpuTargets> parseCpuTargets(llvm::StringRef names);

/// The one with the widest vectors. Widths are powers of two, so what is a multiple of its vector is one of every other's.
const CpuTarget &getWidestTarget(llvm::ArrayRef<CpuTarget> targets);

} // namespace tfc

#endif // TFC_TARGETINFO_CPUTARGET_H
