//===- EmitArtifact.h - From a module at stage llvm to the files of a model --------------------------*- C++
//-*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===------------------------------------------------------------------------------------------------------===//

#ifndef TFC_TARGET_EMITARTIFACT_H
#define TFC_TARGET_EMITARTIFACT_H

#include "tfc/Target/EmitObject.h"
#include "tfc/Target/ReadModel.h"

#include "llvm/Support/Error.h"

namespace mlir::tfc {

struct ArtifactOptions {
  std::string outputPath;
  std::string headerPath; ///< Empty: no header.
  TfcWeightMode weights = TFC_WEIGHTS_EMBED;
  ::tfc::CodegenTarget target;
  /// Sets of CPU features that kernels were generated for, best first.
  SmallVector<KernelVariant> variants = {{}};
  std::string querySymbol; ///< Empty: tfc_model_query, and of an archive one that has the model's name behind it.
  unsigned threads = 2;
};

enum class LibraryKind { Shared, Static };

/// Makes the model's library, its header and, with external weights, `<stem of the output>.weights` beside it. Either
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
