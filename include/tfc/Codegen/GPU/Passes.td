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
    and bf16 are computed in f32. With `afn`, tanh becomes `tanh.approx` (good to 2^-11). f64 functions become f64 arithmetic that is a unit or two in
    the last place off, sin, cos and tan with a branch for large angles; the remainder of a division becomes a loop, which is exact. What every GPU has
    an instruction for, such as sqrt and floor, is left; so are functions that no op of tfc means, which `tfc-verify-gpu-kernel` refuses.

    ```mlir
    %y = math.exp %x : f32
    // becomes
    %p = arith.mulf %x, %log2e : f32  // and a correction for what that product rounds off
    %y = llvm.call_intrinsic "llvm.nvvm.ex2.approx.f"(%p) : (f32) -> f32
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect", "::mlir::LLVM::LLVMDialect",
                           "::mlir::NVVM::NVVMDialect", "::mlir::scf::SCFDialect"];
}

def VerifyGPUKernel : Pass<"tfc-verify-gpu-kernel", "::mlir::gpu::GPUModuleOp"> {
  let summary = "refuse what LLVM's backend for NVPTX cannot compile, or would compile to calls of a library";
  let description = [{
    The backend aborts on some operations and silently writes calls of functions that nobody has for others. This pass lets pass only what is
    on a list: arithmetic of the LLVM dialect (but for remainders of floats, which the backend gets wrong where quotients are large), the NVVM
    dialect, intrinsics that are instructions, inline assembly, and calls of functions with a body in the same module. Anything else is an error
    at the op.
  }];
}

def GenerateSteps : Pass<"tfc-generate-steps", "::mlir::ModuleOp"> {
  let summary = "write the steps of kernels that a generator takes";
  let description = [{
    Applies to kernels on tensors that a generator (lib/Codegen/GPU/Kernels) knows how to write for the chip; the others, and kernels with
    `tfc.plain`, are left alone and go the generic road. The steps go into the gpu.module `@kernels`; the kernel keeps what is known of it, with
    `tfc.steps` and `tfc.workspace`, and an empty body behind the final signature. Before that, every argument of a kernel (of those that are left
    alone, too) that is a weight in all its launches is marked with `tfc.weight_operand`: no step writes it, so generators read it before the step waits
    for the one before. An argument that is something else in one of the launches, and a kernel without launches, are not marked.

    ```mlir
    func.func private @linear_0(%x: tensor<?x8xf32, #tfc.dims<s0, 8>>, %w: tensor<8x8xf32> {tfc.weight_operand}) -> ... attributes {tfc.kernel, ...} {...}
    // becomes, in the final signature
    func.func private @linear_0(%args: !llvm.ptr, %begin: index, %end: index, %worker: !llvm.ptr) attributes {tfc.kernel, tfc.steps = [...], tfc.workspace = #tfc.expr<0>, ...} {...}
    ```
  }];
  let options = [Option<"chip", "chip", "std::string", "\"sm_80\"", "the GPU: sm_80, sm_90a, ...">];
  let dependentDialects = ["::mlir::gpu::GPUDialect", "::mlir::LLVM::LLVMDialect", "::mlir::NVVM::NVVMDialect"];
}

def WrapFallbackKernels : Pass<"tfc-wrap-fallback-kernels", "::mlir::ModuleOp"> {
  let summary = "make functions of the GPU of framed kernels that went the generic road";
  let description = [{
    A framed kernel `@k(args, begin, end, worker)` gets a function `@k_step` that a GPU is started with: each of its threads makes the block of
    arguments and a worker of its own, whose scratch is a piece of the workspace, and runs tiles of `@k` one at a time, `threads` apart. A failed
    check goes into the launch's TfcDeviceStatus. Sets `tfc.steps` and `tfc.workspace`. Kernels that have steps are left alone.

    ```mlir
    func.func private @gelu_0(%args: !llvm.ptr, %begin: index, %end: index, %worker: !llvm.ptr) attributes {tfc.kernel, tfc.tiles = #tfc.expr<s0>, ...}
    // gets
    func.func private @gelu_0_step(%x: !llvm.ptr, %y: !llvm.ptr, %s0: i64, %workspace: !llvm.ptr, %status: !llvm.ptr) attributes {tfc.step}
    // and @gelu_0 gets tfc.steps, one that launches @kernels::@gelu_0_step, and tfc.workspace = #tfc.expr<0>
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect", "::mlir::LLVM::LLVMDialect",
                           "::mlir::NVVM::NVVMDialect"];
}

def OutlineDeviceCode : Pass<"tfc-outline-device-code", "::mlir::ModuleOp"> {
  let summary = "move all code but the host programs into the gpu.module of the kernels";
  let description = [{
    Applies to a module in the LLVM dialect. Functions that a `tfc.entry` names as its host program stay. Functions with `tfc.step` become
    kernels of the GPU; everything else is local to the gpu.module `@kernels` and inlined. What no step needs is erased.
  }];
  let dependentDialects = ["::mlir::gpu::GPUDialect", "::mlir::LLVM::LLVMDialect", "::mlir::NVVM::NVVMDialect"];
}

#endif // TFC_CODEGEN_GPU_PASSES
