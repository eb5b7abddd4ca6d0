//===- ExportONNX.cpp - A module on its way to an ONNX file ---------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Codegen/Common/AssignWeights.h"
#include "tfc/Dialect/Tfc/Transforms/Passes.h"
#include "tfc/Pipeline/WriteModule.h"
#include "tfc/Target/ONNX/WriteONNX.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassManager.h"

using namespace mlir;
using namespace mlir::tfc;

llvm::Error mlir::tfc::exportONNX(ModuleOp module, StringRef path, bool isSimplified) {
  auto failed = [] { return llvm::createStringError("the graph cannot be written as ONNX"); };
  OwningOpRef<ModuleOp> graph = module.clone();
  // What ONNX has no operator for becomes operators that it has.
  graph->walk([](AttentionOp op) {
    if (hasONNXOperator(op))
      op->setAttr("tfc.keep", UnitAttr::get(op.getContext()));
  });
  PassManager pm(graph->getContext());
  pm.addNestedPass<func::FuncOp>(createDecomposeOps());
  if (isSimplified)
    pm.addPass(createSimplifyGraph());
  if (mlir::failed(pm.run(*graph)) || mlir::failed(assignWeights(*graph)))
    return failed();
  return writeONNX(*graph, path);
}
