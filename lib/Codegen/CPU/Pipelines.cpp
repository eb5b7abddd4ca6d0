//===- Pipelines.cpp - The passes of CPU code generation in their order ---------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Codegen/CPU/Passes.h"
#include "tfc/Codegen/Loops/Passes.h"
#include "tfc/Conversion/TfcToLinalg/Passes.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace mlir::tfc;

void mlir::tfc::buildKernelPipeline(OpPassManager &pm, const CPUPipelineOptions &options) {
  // Signatures first: what follows sees pointers, and launches see the final kernel from here on.
  pm.addPass(createFrameKernels());
  GenerateContractionOptions contraction;
  contraction.cpu = options.cpu;
  pm.addPass(createGenerateContraction(contraction));
  pm.addPass(createGenerateAppend());
  GenerateAttentionOptions attention;
  attention.cpu = options.cpu;
  pm.addPass(createGenerateAttention(attention));

  buildLoopsPipeline(pm, LoopsOptions());
  pm.addPass(createExpandMath());
  addFunctionCleanup(pm);
  pm.addNestedPass<func::FuncOp>(createLoopInvariantCodeMotionPass());

  // All that a launch is told of a kernel is known now.
  pm.addPass(createJoinVariants());
  pm.addNestedPass<func::FuncOp>(createLowerDims());
}

void mlir::tfc::buildLowerCPUToLLVMPipeline(OpPassManager &pm, const CPUPipelineOptions &options) {
  // Kernels are lowered in parallel, but for the passes that need the module around them.
  OpPassManager &loops = pm.nest<func::FuncOp>();
  loops.addPass(memref::createExpandStridedMetadataPass());
  loops.addPass(createLowerAffinePass());
  loops.addPass(arith::createArithExpandOpsPass());
  addFunctionCleanup(pm);
  OpPassManager &branches = pm.nest<func::FuncOp>();
  branches.addPass(createLoopInvariantCodeMotionPass());
  branches.addPass(createConvertVectorToSCFPass());
  branches.addPass(createSCFToControlFlowPass());
  // LLVM's intrinsics where there are some; the C library for what is left (erf of f64).
  branches.addPass(createConvertMathToLLVMPass());
  pm.addPass(createConvertMathToLibmPass());
  OpPassManager &instructions = pm.nest<func::FuncOp>();
  instructions.addPass(createConvertVectorToLLVMPass());
  instructions.addPass(createArithToLLVMConversionPass());
  instructions.addPass(createConvertIndexToLLVMPass());
  instructions.addPass(createUBToLLVMConversionPass());
  pm.addPass(createFinalizeMemRefToLLVMConversionPass());
  pm.addPass(createConvertFuncToLLVMPass());
  pm.addPass(createConvertControlFlowToLLVMPass());
  pm.addNestedPass<LLVM::LLVMFuncOp>(createReconcileUnrealizedCastsPass());
  addFunctionCleanup(pm);
  FinishKernelsOptions finish;
  finish.cpu = options.cpu;
  pm.addPass(createFinishKernels(finish));
}

void mlir::tfc::registerCPUPipelines() {
  PassPipelineRegistration<CPUPipelineOptions>("tfc-generate-kernels",
                                               "kernels on tfc ops -> loops, vectors and memrefs behind their final signature",
                                               buildKernelPipeline);
  PassPipelineRegistration<CPUPipelineOptions>("tfc-lower-cpu-to-llvm", "kernels of loops and vectors -> LLVM dialect",
                                               buildLowerCPUToLLVMPipeline);
}

void mlir::tfc::registerCPUCodegenDialects(DialectRegistry &registry) {
  registerLoopsCodegenDialects(registry);
  registry.insert<vector::VectorDialect>();
}
