//===- Passes.h - Code generation for CPUs --------------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_CODEGEN_CPU_PASSES_H
#define TFC_CODEGEN_CPU_PASSES_H

#include "mlir/IR/DialectRegistry.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassOptions.h"
#include <memory>

namespace mlir {
class ModuleOp;
class OpPassManager;

namespace tfc {

#define GEN_PASS_DECL
#include "tfc/Codegen/CPU/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "tfc/Codegen/CPU/Passes.h.inc"

struct CPUPipelineOptions : PassPipelineOptions<CPUPipelineOptions> {
  Option<std::string> cpu{*this, "cpu", llvm::cl::desc("x86-64-v2, x86-64-v3, x86-64-v4, aarch64 or native; `+` between several"),
                          llvm::cl::init("native")};
};

/// Kernels on tfc ops -> kernels of loops, vectors and memrefs with their final signature (`tfc-generate-kernels`).
void buildKernelPipeline(OpPassManager &pm, const CPUPipelineOptions &options);
/// Kernels of loops, vectors and memrefs -> LLVM dialect (`tfc-lower-cpu-to-llvm`).
void buildLowerCPUToLLVMPipeline(OpPassManager &pm, const CPUPipelineOptions &options);

/// Registers the pipelines under their names.
void registerCPUPipelines();
/// Dialects and interfaces that the pipelines need in the registry before a context is made.
void registerCPUCodegenDialects(DialectRegistry &registry);

} // namespace tfc
} // namespace mlir

#endif // TFC_CODEGEN_CPU_PASSES_H
