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
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace mlir::tfc;

static void addCleanup(OpPassManager &pm) {
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

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
  addCleanup(pm);
  pm.addPass(createLoopInvariantCodeMotionPass());

  // All that a launch is told of a kernel is known now.
  pm.addPass(createJoinVariants());
  pm.addNestedPass<func::FuncOp>(createLowerDims());
}

void mlir::tfc::buildLowerCPUToLLVMPipeline(OpPassManager &pm, const CPUPipelineOptions &options) {
  pm.addPass(memref::createExpandStridedMetadataPass());
  pm.addPass(createLowerAffinePass());
  pm.addPass(arith::createArithExpandOpsPass());
  addCleanup(pm);
  pm.addPass(createLoopInvariantCodeMotionPass());
  pm.addPass(createConvertVectorToSCFPass());
  pm.addPass(createSCFToControlFlowPass());
  // LLVM's intrinsics where there are some; the C library for what is left (erf of f64).
  pm.addPass(createConvertMathToLLVMPass());
  pm.addPass(createConvertMathToLibmPass());
  pm.addPass(createConvertVectorToLLVMPass());
  pm.addPass(createArithToLLVMConversionPass());
  pm.addPass(createConvertIndexToLLVMPass());
  pm.addPass(createFinalizeMemRefToLLVMConversionPass());
  pm.addPass(createUBToLLVMConversionPass());
  pm.addPass(createConvertFuncToLLVMPass());
  pm.addPass(createConvertControlFlowToLLVMPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
  addCleanup(pm);
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
