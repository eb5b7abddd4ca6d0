//===- EmitArtifact.h - From a module at stage llvm to the files of a model --------------------------*- C++
//-*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===------------------------------------------------------------------------------------------------------===//

#ifndef TFC_TARGET_EMITARTIFACT_H
#define TFC_TARGET_EMITARTIFACT_H

#include "tfc/Target/GraphWeights.h"
#include "tfc/Target/EmitObject.h"
#include "tfc/Target/ReadModel.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Error.h"

#include <functional>

namespace llvm {
class LLVMContext;
class Module;
} // namespace llvm

namespace mlir::tfc {

/// The model for a device, which goes into the artifact beside the CPU's.
struct DeviceProgram {
  ModuleOp module; ///< At stage llvm, with `tfc.device` and the steps in a gpu.module.
  uint32_t kind = TFC_PROGRAM_CUDA;
  uint32_t capability = 0;
  bool isExact = false;
  std::string target;     ///< "cuda:sm_80"
  std::string ptx, cubin; ///< The code of the gpu.module; no cubin where there is no ptxas.
  /// EMULATED: makes the code of the gpu.module for this machine, with the variable `kEmulatedCodeSymbol` (a TfcEmulatedCode).
  std::function<llvm::Expected<std::unique_ptr<llvm::Module>>(llvm::LLVMContext &)> emulate;
};

struct ArtifactOptions {
  std::string outputPath;
  std::string headerPath; ///< Empty: no header.
  TfcWeightMode weights = TFC_WEIGHTS_EMBED;
  ::tfc::CodegenTarget target;
  /// Sets of CPU features that kernels were generated for, best first.
  SmallVector<KernelVariant> variants = {{}};
  /// What the artifact gives back under the graph's names.
  SmallVector<GraphWeight> graphWeights;
  /// Host programs of devices are compiled for this CPU, whatever the kernels for CPUs need; empty: for `target`.
  std::string programCpu;
  /// Of those that a device can run the first is taken.
  std::vector<DeviceProgram> programs;
  std::string querySymbol; ///< Empty: tfc_model_query, and of an archive one that has the model's name behind it.
  unsigned threads = 0; ///< Of code generation; 0: all of the machine.
  /// Object files of kernels that have no body, because their code is known from an earlier compilation (`tfc.cached`).
  llvm::StringMap<llvm::SmallString<0>> kernelObjects;
  /// Called with each kernel whose code stands in an object file of its own.
  std::function<void(StringRef kernel, StringRef object)> onKernelObject;
};

enum class LibraryKind { Shared, Static };

/// Makes the model's library, its header and, with external weights, `<stem of the output>.weights` beside it. `module` has the
/// code for CPUs; it is null where there are programs for devices alone. Either
/// all files appear or none of them changes. Errors are one sentence; see also `isMachineError`.
llvm::Error emitArtifact(ModuleOp module, LibraryKind kind, const ArtifactOptions &options);

/// Whether an error is the machine's (a full disk, a broken one, no memory) and not one of the module, the
/// options or a path that the user gave.
bool isMachineError(const llvm::Error &error);

enum class CodeKind { Assembly, Object };

/// Writes what would be linked, without the runtime's core and the weights, for looking at.
llvm::Error emitCodeFile(ModuleOp module, CodeKind kind, const ArtifactOptions &options);

} // namespace mlir::tfc

#endif // TFC_TARGET_EMITARTIFACT_H
