//===- TargetList.h - What --target says ---------------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_TARGETINFO_TARGETLIST_H
#define TFC_TARGETINFO_TARGETLIST_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <string>
#include <vector>

namespace tfc {

enum class TargetKind {
  CPU,
  CUDA,
  EmulatedCUDA ///< Kernels of a GPU as functions of this machine, for a driver that emulates one: what tests run.
};

/// One program of an artifact.
struct TargetSpec {
  TargetKind kind = TargetKind::CPU;
  std::string name; ///< What parseCpuTargets or parseGpuTarget takes: "native", "x86-64-v3+x86-64-v4", "sm_80".

  bool isDevice() const { return kind != TargetKind::CPU; }
  /// "cpu:native", "cuda:sm_80"
  std::string str() const;
};

/// Reads a list like `cpu,cuda:sm_80,cuda:sm_90a`. `cpu` is this machine's; `cuda` stands for sm_90a, sm_80 and sm_70, which are
/// for tensor cores with and without wgmma and for GPUs without bf16. Of a family the better chip comes first, whatever the order of the
/// list. Names of chips are checked. An error says what there is.
llvm::Expected<std::vector<TargetSpec>> parseTargetList(llvm::StringRef list);

} // namespace tfc

#endif // TFC_TARGETINFO_TARGETLIST_H
