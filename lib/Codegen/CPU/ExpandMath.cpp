//===- ExpandMath.cpp - Math functions as arithmetic that vectorizes ------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// What the functions become, and how good that is, says lib/Codegen/Common/PolynomialMath.cpp.
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Codegen/Loops/KernelFrame.h"
#include "tfc/Codegen/CPU/Passes.h"

#include "tfc/Codegen/Common/PolynomialMath.h"

namespace mlir::tfc {
#define GEN_PASS_DEF_EXPANDMATH
#include "tfc/Codegen/CPU/Passes.h.inc"
} // namespace mlir::tfc

using namespace mlir;
using namespace mlir::tfc;

namespace {
struct ExpandMath : mlir::tfc::impl::ExpandMathBase<ExpandMath> {
  void runOnOperation() override {
    FailureOr<SmallVector<KernelFrame>> frames = collectKernels(getOperation());
    if (failed(frames))
      return signalPassFailure();
    for (KernelFrame frame : *frames) {
      SmallVector<Operation *> ops;
      frame.tiles.walk([&](Operation *op) {
        if (isa_and_nonnull<math::MathDialect>(op->getDialect()) && op->getNumResults() == 1 &&
            getElementTypeOrSelf(op->getResult(0).getType()).isF32())
          ops.push_back(op);
      });
      for (Operation *op : ops)
        if (Value value = expand(op)) {
          op->getResult(0).replaceAllUsesWith(value);
          op->erase();
        }
    }
  }

  /// Null for functions that stay.
  Value expand(Operation *op) {
    PolynomialMath emitter(op);
    Value x = op->getOperand(0);
    if (isa<math::ExpOp>(op))
      return emitter.exp(x);
    if (isa<math::Exp2Op>(op))
      return emitter.exp2(x);
    if (isa<math::LogOp>(op))
      return emitter.log(x);
    auto fast = cast<arith::ArithFastMathInterface>(op).getFastMathFlagsAttr();
    bool approximate = fast && bitEnumContainsAll(fast.getValue(), arith::FastMathFlags::afn);
    if (isa<math::TanhOp>(op))
      return approximate ? emitter.approximateTanh(x) : emitter.tanh(x);
    if (isa<math::ErfOp>(op))
      return approximate ? emitter.approximateErf(x) : emitter.erf(x);
    if (isa<math::SinOp>(op))
      return emitter.sin(x);
    if (isa<math::CosOp>(op))
      return emitter.cos(x);
    if (isa<math::RsqrtOp>(op))
      return emitter.rsqrt(x);
    return {};
  }
};
} // namespace
