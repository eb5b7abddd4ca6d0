//===- Artifact.h - What goes into an artifact --------------------------------------*- C++ -*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===------------------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_TARGET_ARTIFACT_H
#define TFC_LIB_TARGET_ARTIFACT_H

#include "tfc/Target/EmitArtifact.h"

namespace mlir::tfc {

/// All that goes into an artifact: what the descriptor says, and which module has the bytes of each table of weights.
struct Artifact {
  ::tfc::ModelDescription description;
  std::vector<ModelReading> readings; ///< The CPU's, if there is code for it, then those of the programs.
  SmallVector<size_t> owners;         ///< Per table, the number of a reading.

  ::tfc::WeightTableDescription &table(size_t number) {
    return number ? description.moreWeights[number - 1] : description;
  }
  const ModelReading &owner(size_t number) const { return readings[owners[number]]; }
};

/// Reads the modules of all targets, without their code. The descriptor says what is known before weights are written.
llvm::Expected<Artifact> readArtifact(ModuleOp module, const ArtifactOptions &options);

/// "out/bert.so" -> "out/bert.weights", and "out/bert.1.weights" for the second table.
std::string getWeightsPath(StringRef output, size_t table);

/// Host programs of all devices come together in one LLVM module, where each needs a name of its own.
std::string getProgramSuffix(size_t program);

} // namespace mlir::tfc

#endif // TFC_LIB_TARGET_ARTIFACT_H
