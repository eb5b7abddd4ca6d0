//===- Pipelines.cpp - The passes of the generic road in their order ------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Codegen/Loops/Passes.h"
#include "tfc/Conversion/TfcToLinalg/Passes.h"
#include "tfc/Dialect/Tfc/IR/TfcDialect.h"
#include "tfc/Dialect/Tfc/Transforms/Passes.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Bufferization/Transforms/FuncBufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/Linalg/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Linalg/Transforms/SubsetInsertionOpInterfaceImpl.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tensor/IR/TensorInferTypeOpInterfaceImpl.h"
#include "mlir/Dialect/Tensor/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Tensor/Transforms/SubsetInsertionOpInterfaceImpl.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace mlir::tfc;

void mlir::tfc::addFunctionCleanup(OpPassManager &pm) {
  OpPassManager &functions = pm.nestAny();
  functions.addPass(createCanonicalizerPass());
  functions.addPass(createCSEPass());
}

void mlir::tfc::buildLoopsPipeline(OpPassManager &pm, const LoopsOptions &options) {
  // On tensors. An attention that is left can still be taken apart inside its kernel.
  pm.addNestedPass<func::FuncOp>(createDecomposeOps());
  pm.addNestedPass<func::FuncOp>(createConvertToLinalg());
  pm.addNestedPass<func::FuncOp>(createReconcileUnrealizedCastsPass());
  addFunctionCleanup(pm);
  pm.addPass(createFuseKernelLoops());
  addFunctionCleanup(pm);
  TileKernelsOptions tile;
  tile.tileWork = options.tileWork;
  pm.addPass(createTileKernels(tile));
  addFunctionCleanup(pm);

  // On buffers. Sums of rows get their order while their loops are still linalg.
  pm.addPass(createBufferizeKernels());
  addFunctionCleanup(pm);
  AssignScratchOptions scratch;
  scratch.stackBytes = options.stackBytes;
  pm.addPass(createAssignScratch(scratch));
  if (options.vectorSums)
    pm.addNestedPass<func::FuncOp>(createLowerRowReductions());
  pm.addNestedPass<func::FuncOp>(createConvertLinalgToLoopsPass());
  pm.addNestedPass<func::FuncOp>(memref::createFoldMemRefAliasOpsPass());
  addFunctionCleanup(pm);

  // On loops of scalars and vectors. Index arithmetic leaves the inner loops first, so that checks can follow it.
  pm.addNestedPass<func::FuncOp>(createLowerAffinePass());
  pm.addNestedPass<func::FuncOp>(createLoopInvariantCodeMotionPass());
  pm.addPass(createLowerCheckIndex());
  pm.addPass(createLowerBfloat16Memory());
  pm.addNestedPass<func::FuncOp>(createLowerDims());
}

void mlir::tfc::registerLoopsCodegenDialects(DialectRegistry &registry) {
  registry.insert<TfcDialect, affine::AffineDialect, arith::ArithDialect, bufferization::BufferizationDialect,
                  func::FuncDialect, linalg::LinalgDialect, LLVM::LLVMDialect, math::MathDialect, memref::MemRefDialect,
                  scf::SCFDialect, tensor::TensorDialect>();
  arith::registerBufferizableOpInterfaceExternalModels(registry);
  bufferization::func_ext::registerBufferizableOpInterfaceExternalModels(registry);
  linalg::registerBufferizableOpInterfaceExternalModels(registry);
  linalg::registerSubsetOpInterfaceExternalModels(registry);
  scf::registerBufferizableOpInterfaceExternalModels(registry);
  tensor::registerBufferizableOpInterfaceExternalModels(registry);
  tensor::registerInferTypeOpInterfaceExternalModels(registry);
  tensor::registerSubsetOpInterfaceExternalModels(registry);
}
