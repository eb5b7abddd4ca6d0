//===- ReuseKernels.h - Code of kernels from earlier compilations ---------------------------------*- C++ -*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_PIPELINE_REUSEKERNELS_H
#define TFC_LIB_PIPELINE_REUSEKERNELS_H

#include "tfc/Target/KernelCache.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/StringMap.h"

namespace mlir::tfc {

/// Between the plan and the generation of kernels, looks every kernel up in a cache. One that is known becomes a declaration with its
/// final signature, tiles and scratch, so that all passes behind have nothing to do with it; its object file is linked in the end.
class KernelReuse {
public:
  /// `cpu` names the CPUs as a pipeline's option does; `names` is what the symbols of the object files depend on.
  KernelReuse(::tfc::KernelCache &cache, StringRef cpu, StringRef names);

  /// On a module whose kernels stand as they will be generated: packed, one function per variant.
  void replaceKnownKernels(ModuleOp module);
  /// Keeps what a kernel of `module`, at stage llvm, has become.
  void keep(ModuleOp module, StringRef kernel, StringRef object);

  /// Object files by the names of the kernels that have no body now.
  llvm::StringMap<llvm::SmallString<0>> objects;

private:
  ::tfc::KernelCache &cache;
  std::string context; ///< What else than the kernel its object file depends on.
  llvm::StringMap<::tfc::KernelCache::Key> keys; ///< Of kernels that are compiled now.
};

} // namespace mlir::tfc

#endif // TFC_LIB_PIPELINE_REUSEKERNELS_H
