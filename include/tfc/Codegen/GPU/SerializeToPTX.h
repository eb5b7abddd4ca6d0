//===- SerializeToPTX.h - From a gpu.module to PTX -----------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_CODEGEN_GPU_SERIALIZETOPTX_H
#define TFC_CODEGEN_GPU_SERIALIZETOPTX_H

#include "mlir/Dialect/GPU/IR/GPUDialect.h"

#include <memory>
#include <string>

namespace llvm {
class LLVMContext;
class Module;
} // namespace llvm
namespace tfc {
struct GpuTarget;
} // namespace tfc

namespace mlir {
class DialectRegistry;

namespace tfc {

/// Lowers what generators write (llvm, nvvm, arith, scf, vector, math ops in llvm.funcs) to the LLVM and NVVM dialects, in place:
/// tfc-expand-gpu-math, MLIR's conversions, tfc-verify-gpu-kernel. Fails with a diagnostic that names the op.
LogicalResult lowerGpuModule(gpu::GPUModuleOp module);

/// LLVM IR for NVPTX of a lowered module, optimized for the target.
FailureOr<std::unique_ptr<llvm::Module>> translateGpuModule(gpu::GPUModuleOp module, const ::tfc::GpuTarget &target,
                                                            llvm::LLVMContext &context);

/// The PTX of a module as the generators wrote it. `module` is lowered in place.
LogicalResult serializeToPTX(gpu::GPUModuleOp module, const ::tfc::GpuTarget &target, std::string &ptx);

/// Dialects and translations that all this needs in the registry before a context is made.
void registerGPUCodegenDialects(DialectRegistry &registry);

} // namespace tfc
} // namespace mlir

#endif // TFC_CODEGEN_GPU_SERIALIZETOPTX_H
