//===- Generators.h - The generators of GPU kernels ----------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_CODEGEN_GPU_KERNELS_GENERATORS_H
#define TFC_LIB_CODEGEN_GPU_KERNELS_GENERATORS_H

#include "tfc/Codegen/GPU/GpuKernel.h"
#include "tfc/TargetInfo/GpuTarget.h"

namespace mlir::tfc {

/// What a generator works on.
struct GpuKernelRequest {
  gpu::GPUModuleOp module;
  func::FuncOp kernel;
  const ::tfc::GpuTarget &target;

  func::ReturnOp results() { return cast<func::ReturnOp>(kernel.getBody().front().getTerminator()); }
};

/// Each takes a kernel, or leaves it (none). A failure has been reported.
using GpuGenerator = FailureOr<std::optional<GpuKernel>> (*)(GpuKernelRequest);

FailureOr<std::optional<GpuKernel>> generateElementwise(GpuKernelRequest request);
FailureOr<std::optional<GpuKernel>> generateRowReduction(GpuKernelRequest request);
FailureOr<std::optional<GpuKernel>> generateAttention(GpuKernelRequest request);
FailureOr<std::optional<GpuKernel>> generateGemmMma(GpuKernelRequest request);
FailureOr<std::optional<GpuKernel>> generateGemmSimt(GpuKernelRequest request);

/// 1 where `expr` is `limit` or more, else 0: a factor of a grid, so that the run chooses between steps.
inline DimExprAttr atLeast(DimExprAttr expr, int64_t limit) {
  MLIRContext *context = expr.getContext();
  return DimExprAttr::constant(context, 1).min(expr.floorDiv(DimExprAttr::constant(context, limit)));
}

} // namespace mlir::tfc

#endif // TFC_LIB_CODEGEN_GPU_KERNELS_GENERATORS_H
