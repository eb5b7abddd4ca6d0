//===- Passes.td - Kernels as loops over tiles, for every device ---------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_CODEGEN_LOOPS_PASSES
#define TFC_CODEGEN_LOOPS_PASSES

include "mlir/Pass/PassBase.td"

def FrameKernels : Pass<"tfc-frame-kernels", "::mlir::ModuleOp"> {
  let summary = "give kernels their final signature";
  let description = [{
    A kernel `@k` on tensors becomes two functions. `@k(%args, %begin, %end, %worker)` is what the runtime calls: it
    loads the pointers and symbol values from the argument block and calls `@k_tiles`, which has them as arguments
    of its own, so that each pointer can be `noalias`. The body moves to `@k_tiles`; its arguments become
    `bufferization.to_tensor` of views of the pointers and its results are written into views of theirs.

    Kernels that have their final signature are left alone.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::bufferization::BufferizationDialect",
                           "::mlir::func::FuncDialect", "::mlir::LLVM::LLVMDialect", "::mlir::memref::MemRefDialect"];
}

def FuseKernelLoops : Pass<"tfc-fuse-kernel-loops", "::mlir::ModuleOp"> {
  let summary = "merge elementwise linalg ops of a framed kernel where nothing is computed twice";
  let dependentDialects = ["::mlir::linalg::LinalgDialect"];
}

def TileKernels : Pass<"tfc-tile-kernels", "::mlir::ModuleOp"> {
  let summary = "cut the linalg ops of a framed kernel into tiles, one loop over [begin, end)";
  let description = [{
    Loops of all ops that run over the same dim are found through the indexing maps. A dim can be cut when every op
    that runs over it does so in parallel, and every result has it. All ops are then computed tile by tile inside one loop.
    A kernel without such a dim is one tile. Sets `tfc.tiles` on the kernel.
  }];
  let options = [Option<"tileWork", "tile-work", "int64_t", "2048", "innermost iterations of a tile, about; 1 cuts every dim to single iterations">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect",
                           "::mlir::linalg::LinalgDialect", "::mlir::memref::MemRefDialect"];
}

def BufferizeKernels : Pass<"tfc-bufferize-kernels", "::mlir::ModuleOp"> {
  let summary = "bufferize framed kernels; results are written straight into their places";
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::bufferization::BufferizationDialect", "::mlir::memref::MemRefDialect"];
}

def AssignScratch : Pass<"tfc-assign-scratch", "::mlir::ModuleOp"> {
  let summary = "put the temporaries of framed kernels on the stack or into the worker's scratch";
  let description = [{
    Small buffers of static size become allocas at the function's entry. Others get a place in the worker's scratch;
    `tfc.scratch` on the kernel is the sum of their sizes. A buffer whose size is not an expression of the kernel's
    symbols is an error.
  }];
  let options = [Option<"stackBytes", "stack-bytes", "int64_t", "32768", "most bytes on the stack, all buffers of a kernel together">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::LLVM::LLVMDialect", "::mlir::memref::MemRefDialect"];
}

def LowerBfloat16Memory : Pass<"tfc-lower-bfloat16-memory", "::mlir::ModuleOp"> {
  let summary = "keep bf16 as 16-bit integers in memory and convert by integer arithmetic";
  let description = [{
    LLVM calls a library for each bf16 on CPUs without the instructions. Integer arithmetic vectorizes everywhere.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect"];
}

def LowerCheckIndex : Pass<"tfc-lower-check-index", "::mlir::ModuleOp"> {
  let summary = "turn tfc.check_index into arithmetic and a note in the worker's error record";
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect", "::mlir::LLVM::LLVMDialect"];
}

#endif // TFC_CODEGEN_LOOPS_PASSES
