//===- ArtifactCode.h - The machine code of an artifact -----------------------------*- C++ -*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===------------------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_TARGET_ARTIFACTCODE_H
#define TFC_LIB_TARGET_ARTIFACTCODE_H

#include "Artifact.h"

namespace mlir::tfc {

/// Object files in an order that depends on the model alone: that of the host programs, then those of the kernels as the model
/// numbers them, compiled here or before.
llvm::Expected<std::vector<SmallString<0>>> compileParts(ModuleOp module, const Artifact &artifact, LibraryKind kind,
                                                         const ArtifactOptions &options);

/// All of the code in one LLVM module, with the descriptor.
llvm::Error translateWhole(ModuleOp module, const Artifact &artifact, const ArtifactOptions &options, ::tfc::OwnedModule &code);

} // namespace mlir::tfc

#endif // TFC_LIB_TARGET_ARTIFACTCODE_H
