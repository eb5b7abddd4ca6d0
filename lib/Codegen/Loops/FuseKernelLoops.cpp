//===- FuseKernelLoops.cpp - Merge elementwise ops of a kernel ------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Codegen/Loops/KernelFrame.h"
#include "tfc/Codegen/Loops/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mlir::tfc {
#define GEN_PASS_DEF_FUSEKERNELLOOPS
#include "tfc/Codegen/Loops/Passes.h.inc"
} // namespace mlir::tfc

using namespace mlir;
using namespace mlir::tfc;

/// Nothing in the body costs more than a few cycles.
static bool isCheap(linalg::GenericOp op) {
  return llvm::all_of(*op.getBody(), [](Operation &inner) {
    return !isa<math::MathDialect>(inner.getDialect()) && !isa<arith::DivFOp, arith::RemFOp>(inner);
  });
}

/// Merging a producer into its consumer computes it once per iteration of the consumer's loops. That is fine where it has as
/// many loops, or hardly costs anything.
static bool shouldFuse(OpOperand *operand) {
  auto producer = operand->get().getDefiningOp<linalg::GenericOp>();
  auto consumer = dyn_cast<linalg::GenericOp>(operand->getOwner());
  if (!producer || !consumer || !operand->get().hasOneUse() || producer.getNumResults() != 1)
    return false;
  if (producer.getNumLoops() == consumer.getNumLoops())
    return true;
  return consumer.getNumReductionLoops() == 0 && isCheap(producer);
}

namespace {
struct FuseKernelLoops : mlir::tfc::impl::FuseKernelLoopsBase<FuseKernelLoops> {
  void runOnOperation() override {
    FailureOr<SmallVector<KernelFrame>> frames = collectKernels(getOperation());
    if (failed(frames))
      return signalPassFailure();
    for (KernelFrame frame : *frames) {
      RewritePatternSet patterns(&getContext());
      linalg::populateElementwiseOpsFusionPatterns(patterns, shouldFuse);
      linalg::populateEraseUnusedOperandsAndResultsPatterns(patterns);
      if (failed(applyPatternsGreedily(frame.tiles, std::move(patterns))))
        return signalPassFailure();
    }
  }
};
} // namespace
