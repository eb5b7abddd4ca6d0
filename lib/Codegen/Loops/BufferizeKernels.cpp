//===- BufferizeKernels.cpp - Tensors of a kernel become buffers --------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Codegen/Loops/KernelFrame.h"
#include "tfc/Codegen/Loops/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotAnalysis.h"
#include "mlir/Dialect/Bufferization/Transforms/Transforms.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace mlir::tfc {
#define GEN_PASS_DEF_BUFFERIZEKERNELS
#include "tfc/Codegen/Loops/Passes.h.inc"
} // namespace mlir::tfc

using namespace mlir;
using namespace mlir::tfc;

namespace {
struct BufferizeKernels : mlir::tfc::impl::BufferizeKernelsBase<BufferizeKernels> {
  void runOnOperation() override {
    bufferization::OneShotBufferizationOptions options;
    // A copy is a loop like any other; memref.copy of strided buffers would call a library.
    options.memCpyFn = [](OpBuilder &builder, Location loc, Value from, Value to) -> LogicalResult {
      linalg::makeMemRefCopyOp(builder, loc, from, to);
      return success();
    };
    bufferization::BufferizationState state;
    FailureOr<SmallVector<KernelFrame>> frames = collectKernels(getOperation());
    if (failed(frames))
      return signalPassFailure();
    for (KernelFrame frame : *frames) {
      IRRewriter rewriter(&getContext());
      if (failed(bufferization::eliminateEmptyTensors(rewriter, frame.tiles)) ||
          failed(bufferization::runOneShotBufferize(frame.tiles, options, state))) {
        frame.kernel.emitOpError("cannot be bufferized");
        return signalPassFailure();
      }
      replaceCopies(frame.tiles);
    }
  }

  void replaceCopies(func::FuncOp function) {
    SmallVector<memref::CopyOp> copies;
    function.walk([&](memref::CopyOp copy) { copies.push_back(copy); });
    for (memref::CopyOp copy : copies) {
      OpBuilder builder(copy);
      linalg::makeMemRefCopyOp(builder, copy.getLoc(), copy.getSource(), copy.getTarget());
      copy.erase();
    }
  }
};
} // namespace
