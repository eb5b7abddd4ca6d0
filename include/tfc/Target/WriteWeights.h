//===- WriteWeights.h - Writing the bytes of weights -------------------------------------------------*- C++
//-*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===------------------------------------------------------------------------------------------------------===//

#ifndef TFC_TARGET_WRITEWEIGHTS_H
#define TFC_TARGET_WRITEWEIGHTS_H

#include "tfc/Target/ReadModel.h"

#include "llvm/Support/Error.h"

namespace mlir::tfc {

/// Which weights travel with the artifact.
enum class WeightChoice { All, Unseeded };

/// Size of what `writeWeights` writes: the segment of weights, or for `Unseeded` the unseeded ones one behind
/// the other, each at the next multiple of 64, as the runtime expects them.
uint64_t getWrittenBytes(const ::tfc::ModelDescription &model, WeightChoice choice);

/// Writes the weights into the file, starting at `start`: layouts applied, elements cast, seeds made. Bytes
/// between weights are zero. Only a few megabytes are in memory at any time.
llvm::Error writeWeights(const ModelReading &model, WeightChoice choice, int fd, uint64_t start);

} // namespace mlir::tfc

#endif // TFC_TARGET_WRITEWEIGHTS_H
