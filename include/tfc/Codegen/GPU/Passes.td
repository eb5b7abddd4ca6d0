//===- Passes.td - Code generation for GPUs ------------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_CODEGEN_GPU_PASSES
#define TFC_CODEGEN_GPU_PASSES

include "mlir/Pass/PassBase.td"

def ExpandGPUMath : Pass<"tfc-expand-gpu-math", "::mlir::gpu::GPUModuleOp"> {
  let summary = "replace math functions by instructions of the GPU and arithmetic";
  let description = [{
    MLIR and LLVM turn most `math` ops into calls of libdevice, a library of the CUDA toolkit that nothing here may need. f32 functions
    become the hardware's approximations where those are good enough (errors are stated in the source), and polynomials elsewhere; f16
    and bf16 are computed in f32. With `afn`, tanh becomes `tanh.approx` (good to 2^-11). f64 functions other than sqrt are left, and
    refused by `tfc-verify-gpu-kernel`.

    ```mlir
    %y = math.exp %x : f32
    // becomes
    %p = arith.mulf %x, %log2e : f32  // and a correction for what that product rounds off
    %y = llvm.call_intrinsic "llvm.nvvm.ex2.approx.f"(%p) : (f32) -> f32
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect", "::mlir::LLVM::LLVMDialect",
                           "::mlir::NVVM::NVVMDialect"];
}

def VerifyGPUKernel : Pass<"tfc-verify-gpu-kernel", "::mlir::gpu::GPUModuleOp"> {
  let summary = "refuse what LLVM's backend for NVPTX cannot compile, or would compile to calls of a library";
  let description = [{
    The backend aborts on some operations and silently writes calls of functions that nobody has for others. This pass lets pass only what is
    on a list: arithmetic of the LLVM dialect, the NVVM dialect, intrinsics that are instructions, inline assembly, and calls of functions
    with a body in the same module. Anything else is an error at the op.
  }];
}

#endif // TFC_CODEGEN_GPU_PASSES
