//===- Pipelines.cpp - The passes of GPU code generation in their order --------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Codegen/GPU/Passes.h"
#include "tfc/Codegen/Loops/Passes.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace mlir::tfc;

void mlir::tfc::buildGPUKernelPipeline(OpPassManager &pm, const GPUPipelineOptions &options) {
  if (options.generate) {
    GenerateStepsOptions steps;
    steps.chip = options.chip;
    pm.addPass(createGenerateSteps(steps));
  }
  pm.addPass(createFrameKernels());
  LoopsOptions loops;
  // A thread for every element; what it keeps for itself lies in memory that is slow to reach, so only what will be registers.
  loops.tileWork = 1;
  loops.stackBytes = 256;
  loops.vectorSums = false;
  buildLoopsPipeline(pm, loops);
  addFunctionCleanup(pm);
  pm.addPass(createLoopInvariantCodeMotionPass());
  pm.addPass(createWrapFallbackKernels());
}

// Math functions are left: what they become on a GPU, lowerGpuModule knows.
void mlir::tfc::buildLowerGPUToLLVMPipeline(OpPassManager &pm) {
  pm.addPass(memref::createExpandStridedMetadataPass());
  pm.addPass(createLowerAffinePass());
  pm.addPass(arith::createArithExpandOpsPass());
  addFunctionCleanup(pm);
  pm.addPass(createLoopInvariantCodeMotionPass());
  pm.addPass(createSCFToControlFlowPass());
  pm.addPass(createArithToLLVMConversionPass());
  pm.addPass(createConvertIndexToLLVMPass());
  pm.addPass(createFinalizeMemRefToLLVMConversionPass());
  pm.addPass(createUBToLLVMConversionPass());
  pm.addPass(createConvertFuncToLLVMPass());
  pm.addPass(createConvertControlFlowToLLVMPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
  addFunctionCleanup(pm);
  pm.addPass(createOutlineDeviceCode());
}

void mlir::tfc::registerGPUPipelines() {
  PassPipelineRegistration<GPUPipelineOptions>("tfc-generate-gpu-kernels", "kernels on tfc ops -> steps of a GPU", buildGPUKernelPipeline);
  PassPipelineRegistration<>("tfc-lower-gpu-to-llvm", "steps of loops and memrefs -> LLVM dialect in a gpu.module",
                             buildLowerGPUToLLVMPipeline);
}

