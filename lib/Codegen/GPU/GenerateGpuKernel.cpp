//===- GenerateGpuKernel.cpp - Which generator takes a kernel ------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "Kernels/Generators.h"

using namespace mlir;
using namespace mlir::tfc;

FailureOr<std::optional<GpuKernel>> mlir::tfc::generateGpuKernel(gpu::GPUModuleOp module, func::FuncOp kernel,
                                                                 const ::tfc::GpuTarget &target) {
  if (kernel.isExternal() || !llvm::hasSingleElement(kernel.getBody()) ||
      !isa<func::ReturnOp>(kernel.getBody().front().getTerminator()))
    return std::optional<GpuKernel>();
  // From the most particular to the most general.
  static constexpr GpuGenerator generators[] = {generateAttention, generateGemmMma, generateGemmSimt,
                                                generateRowReduction, generateElementwise};
  for (GpuGenerator generate : generators) {
    FailureOr<std::optional<GpuKernel>> made = generate({module, kernel, target});
    if (failed(made) || *made)
      return made;
  }
  return std::optional<GpuKernel>();
}
