//===- GraphWeights.h - What the graph's weights were -----------------------------------------------*- C++ -*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===------------------------------------------------------------------------------------------------------===//

#ifndef TFC_TARGET_GRAPHWEIGHTS_H
#define TFC_TARGET_GRAPHWEIGHTS_H

#include "tfc/Target/ReadModel.h"

namespace mlir::tfc {

/// A weight before the compiler changed anything: its name, and its source as a row-major tensor.
struct GraphWeight {
  std::string name;
  RankedTensorType type;
  Attribute source;
};

/// The weights of a module as it came in. A transposed view of a source stands for the tensor that was transposed; of a view that is no
/// transposition nothing says what it was, and it is left out.
SmallVector<GraphWeight> listGraphWeights(ModuleOp module);

/// What the artifact says of them: of which weights of `table` they can be put together.
std::vector<::tfc::GraphWeightDescription> describeGraphWeights(ArrayRef<GraphWeight> weights, const ModelReading &table);

} // namespace mlir::tfc

#endif // TFC_TARGET_GRAPHWEIGHTS_H
