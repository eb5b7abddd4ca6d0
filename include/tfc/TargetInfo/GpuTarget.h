//===- GpuTarget.h - Facts of NVIDIA GPUs --------------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_TARGETINFO_GPUTARGET_H
#define TFC_TARGETINFO_GPUTARGET_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <string>

namespace tfc {

/// What code generation asks of a GPU. PTX made for one runs on every later one, but for chips with an `a` at the end of their name.
struct GpuTarget {
  std::string chip;        ///< sm_80, as LLVM and ptxas know it.
  std::string ptxFeature;  ///< The PTX version that LLVM writes, "+ptx70": the oldest that has what the kernels use.
  int computeCapability = 70; ///< 80 for sm_80.
  int multiprocessors = 80;   ///< Of the common part of that capability; only steers how work is cut.
  int64_t sharedBytes = 96 * 1024; ///< Most shared memory that one block may ask for.
  int64_t l2Bytes = 6 * 1024 * 1024;
  /// Tensor cores through mma.sync with bf16, f16 and tf32; cp.async.
  bool hasMmaSync = false;
  /// Tensor cores through wgmma, the bulk tensor copy engine (TMA), and setmaxnreg.
  bool hasWgmma = false;
  /// Blocks that can be sure to run together and see each other's shared memory, at most; 1: only one.
  int64_t clusterBlocks = 1;
  /// griddepcontrol: the next kernel may start while this one still runs.
  bool hasDependentLaunch = false;

  static constexpr int64_t kWarp = 32;
};

/// The target a chip's name stands for. An unknown name is an error that lists what is known.
llvm::Expected<GpuTarget> parseGpuTarget(llvm::StringRef chip);

} // namespace tfc

#endif // TFC_TARGETINFO_GPUTARGET_H
