//===- GenerateGpuKernel.cpp - Which generator takes a kernel ------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Codegen/GPU/GpuKernel.h"
#include "tfc/TargetInfo/GpuTarget.h"

using namespace mlir;
using namespace mlir::tfc;

FailureOr<std::optional<GpuKernel>> mlir::tfc::generateGpuKernel(gpu::GPUModuleOp module, func::FuncOp kernel,
                                                                 const ::tfc::GpuTarget &target) {
  return std::optional<GpuKernel>();
}
