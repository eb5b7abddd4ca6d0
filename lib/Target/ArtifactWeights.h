//===- ArtifactWeights.h - The bytes of an artifact's weights -----------------------*- C++ -*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===------------------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_TARGET_ARTIFACTWEIGHTS_H
#define TFC_LIB_TARGET_ARTIFACTWEIGHTS_H

#include "Artifact.h"

#include "tfc/Target/OutputFile.h"

namespace mlir::tfc {

/// Writes the file of a table of external weights, whose hash goes into the descriptor.
llvm::Expected<::tfc::OutputFile> writeExternalWeights(Artifact &artifact, size_t number, const ArtifactOptions &options);

/// Bytes of weights that travel inside the library.
uint64_t getEmbeddedBytes(Artifact &artifact);

/// Writes them, table by table, from `start` on.
llvm::Error writeEmbeddedTables(Artifact &artifact, int fd, uint64_t start);

} // namespace mlir::tfc

#endif // TFC_LIB_TARGET_ARTIFACTWEIGHTS_H
