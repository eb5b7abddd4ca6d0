//===- BuildBuiltin.cpp - Graphs of the built-in models --------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Frontend/Builtin/BuildBuiltin.h"

#include "GraphBuilder.h"
#include "ModelWeights.h"
#include "Models.h"

using namespace mlir;
using namespace mlir::tfc;

OwningOpRef<ModuleOp> mlir::tfc::buildBuiltin(const ModelConfig &wanted, const WeightSource &source,
                                              MLIRContext &context) {
  ModelConfig config = wanted;
  if (llvm::Error error = completeConfig(config)) {
    emitError(UnknownLoc::get(&context)) << llvm::toString(std::move(error));
    return {};
  }
  bool isBert = config.family == BuiltinFamily::Bert;
  GraphBuilder graph(context, config.name);
  ModelWeights weights(graph, config, source, isBert ? bertPrefix : gptPrefix);
  (isBert ? buildBert : buildGpt)(graph, weights, config);
  if (failed(weights.finish()))
    return {};
  return graph.finish();
}
