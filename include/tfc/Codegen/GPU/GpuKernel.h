//===- GpuKernel.h - What a kernel becomes on a GPU ----------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// A kernel (func.func with `tfc.kernel`, tfc ops on tensors) becomes one or more steps, which run one after the other. A
// step is an llvm.func in a gpu.module, launched once. Its parameters, in this order:
//
//   pointers of the kernel's operands, pointers of its results, values of its symbols (i64), pointer to the workspace,
//   pointer to the status word: 8 bytes each;
//   the step's tensor maps: 128 bytes each, by value (`llvm.byval`, grid constants).
//
// All expressions are over the kernel's own symbols. A step of which an extent of the grid is 0 is not launched. Several
// kernels may share one gpu.module.
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_CODEGEN_GPU_GPUKERNEL_H
#define TFC_CODEGEN_GPU_GPUKERNEL_H

#include "tfc/Dialect/Tfc/IR/TfcDialect.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"

#include <vector>

namespace tfc {
struct GpuTarget;
} // namespace tfc

namespace mlir::tfc {

/// A tensor as the bulk copy engine sees it: what cuTensorMapEncodeTiled takes. Dim 0 is the innermost.
struct GpuTensorMap {
  unsigned pointer = 0;            ///< Number of the operand, or operands + number of the result.
  Type elementType;                ///< bf16, f16, f32.
  DimExprAttr offset;              ///< Bytes from that pointer; a multiple of 16.
  SmallVector<DimExprAttr> dims;   ///< In elements, 1 to 5 of them.
  SmallVector<DimExprAttr> strides; ///< In bytes, of dims 1 and up; multiples of 16.
  SmallVector<int64_t> box;        ///< In elements, one per dim.
  int64_t swizzle = 0;             ///< Bytes: 0, 32, 64 or 128.
};

struct GpuStep {
  SymbolRefAttr function;          ///< @module::@name
  SmallVector<DimExprAttr, 3> grid; ///< Three extents, in blocks.
  int64_t block = 32;              ///< Threads; one-dimensional.
  int64_t cluster = 1;             ///< Blocks per cluster, along x.
  int64_t shared = 0;              ///< Bytes of dynamic shared memory.
  bool overlaps = false;           ///< It may begin before the step before has ended, and waits for that itself.
  std::vector<GpuTensorMap> maps;
};

struct GpuKernel {
  std::vector<GpuStep> steps;
  DimExprAttr workspace; ///< Bytes of global scratch that all steps share; its contents do not matter before the first.
};

/// On an argument of a kernel: all its launches give it a weight, which nothing that runs writes to.
inline constexpr llvm::StringLiteral kWeightAttr = "tfc.weight_operand";

/// Attributes on the kernel that say all this: `tfc.steps`, `tfc.workspace`.
inline constexpr llvm::StringLiteral kGpuStepsAttr = "tfc.steps";
inline constexpr llvm::StringLiteral kGpuWorkspaceAttr = "tfc.workspace";

/// The steps in the form of `tfc.steps`, and back. Reading emits an error at `op` and fails where the attribute does not have that form.
ArrayAttr getStepsAttr(MLIRContext *context, ArrayRef<GpuStep> steps);
FailureOr<std::vector<GpuStep>> readSteps(Operation *op, ArrayAttr steps);

/// Writes the steps of a kernel into `module`, by the generator that fits it best: a matrix product, an attention, a row
/// reduction or an elementwise kernel. None where no generator takes the kernel: it then goes the plain way. Fails, with a diagnostic, where the
/// kernel cannot be lowered at all. The kernel itself is left as it is.
FailureOr<std::optional<GpuKernel>> generateGpuKernel(gpu::GPUModuleOp module, func::FuncOp kernel,
                                                      const ::tfc::GpuTarget &target);

} // namespace mlir::tfc

#endif // TFC_CODEGEN_GPU_GPUKERNEL_H
