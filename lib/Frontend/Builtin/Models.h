//===- Models.h - One builder per family ----------------------------------------------------*- C++ -*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_FRONTEND_BUILTIN_MODELS_H
#define TFC_LIB_FRONTEND_BUILTIN_MODELS_H

#include "GraphBuilder.h"
#include "ModelWeights.h"

namespace mlir::tfc {

/// What the names of all weights of a family start with.
inline constexpr StringLiteral bertPrefix = "bert.";
inline constexpr StringLiteral gptPrefix = "transformer.";

// Each adds the inputs, the body and the outputs of the entry point. An entry point for generation (prefill
// and decode in a loop) is a further function of this kind over the same blocks and weights.
void buildBert(GraphBuilder &graph, ModelWeights &weights, const ModelConfig &config);
void buildGpt(GraphBuilder &graph, ModelWeights &weights, const ModelConfig &config);

} // namespace mlir::tfc

#endif // TFC_LIB_FRONTEND_BUILTIN_MODELS_H
