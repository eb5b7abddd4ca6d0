//===- Passes.h - Code generation for GPUs -------------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_CODEGEN_GPU_PASSES_H
#define TFC_CODEGEN_GPU_PASSES_H

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassOptions.h"
#include <memory>

namespace mlir::tfc {

#define GEN_PASS_DECL
#include "tfc/Codegen/GPU/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "tfc/Codegen/GPU/Passes.h.inc"

struct GPUPipelineOptions : PassPipelineOptions<GPUPipelineOptions> {
  Option<std::string> chip{*this, "chip", llvm::cl::desc("sm_80, sm_90a, ..."), llvm::cl::init("sm_80")};
  Option<bool> generate{*this, "generate", llvm::cl::desc("Let generators write the kernels they know; else all go the generic road"),
                        llvm::cl::init(true)};
};

/// Kernels on tfc ops -> steps of a GPU, with their final signature (`tfc-generate-gpu-kernels`).
void buildGPUKernelPipeline(OpPassManager &pm, const GPUPipelineOptions &options);
/// Kernels of loops and memrefs -> LLVM dialect in the gpu.module `@kernels` (`tfc-lower-gpu-to-llvm`).
void buildLowerGPUToLLVMPipeline(OpPassManager &pm);

/// Registers the pipelines under their names.
void registerGPUPipelines();

} // namespace mlir::tfc

#endif // TFC_CODEGEN_GPU_PASSES_H
