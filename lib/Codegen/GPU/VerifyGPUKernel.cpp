//===- VerifyGPUKernel.cpp - What NVPTX can compile ----------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Codegen/GPU/Passes.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "llvm/ADT/StringSet.h"

namespace mlir::tfc {
#define GEN_PASS_DEF_VERIFYGPUKERNEL
#include "tfc/Codegen/GPU/Passes.h.inc"
} // namespace mlir::tfc

using namespace mlir;
using namespace mlir::tfc;

/// Intrinsics of LLVM that become a few instructions on every chip, for the types that kernels have.
static const llvm::StringSet<> &intrinsicOps() {
  static const llvm::StringSet<> names = {
      "abs",   "assume",    "bitreverse",     "bswap",        "ceil",       "copysign",  "ctlz",
      "ctpop", "cttz",      "fabs",           "floor",        "fma",        "fmuladd",   "fshl",
      "fshr",  "maximum",   "maxnum",         "memcpy",       "memset",     "minimum",   "minnum",
      "rint",  "nearbyint", "roundeven",      "smax",         "smin",       "sqrt",      "trunc",
      "umax",  "umin",      "lifetime.start", "lifetime.end", "fptosi.sat", "fptoui.sat"};
  return names;
}

/// What is wrong with the op; empty where nothing is.
static std::string findFault(Operation *op, gpu::GPUModuleOp module) {
  if (isa<gpu::GPUModuleOp>(op) || isa_and_nonnull<NVVM::NVVMDialect>(op->getDialect()))
    return {};
  if (!isa_and_nonnull<LLVM::LLVMDialect>(op->getDialect()))
    return "has no form in the LLVM dialect on a GPU";
  StringRef name = op->getName().getStringRef();
  if (name.consume_front("llvm.intr.") && !intrinsicOps().contains(name))
    return "is a function that no GPU has as an instruction; NVPTX would call a library or abort";
  if (isa<LLVM::FRemOp>(op))
    return "is a remainder, which NVPTX would compute inexactly";
  if (auto call = dyn_cast<LLVM::CallOp>(op)) {
    auto callee =
        call.getCallee() ? module.lookupSymbol<LLVM::LLVMFuncOp>(*call.getCallee()) : LLVM::LLVMFuncOp();
    if (!callee || callee.isExternal())
      return "calls a function without a body in its module";
  }
  if (auto call = dyn_cast<LLVM::CallIntrinsicOp>(op))
    if (!call.getIntrin().starts_with("llvm.nvvm."))
      return "calls the intrinsic " + call.getIntrin().str() + ", which is not one of NVVM";
  auto isWide = [](Type type) { return isa<Float80Type, Float128Type>(getElementTypeOrSelf(type)); };
  if (llvm::any_of(op->getOperandTypes(), isWide) || llvm::any_of(op->getResultTypes(), isWide))
    return "works on floats wider than f64";
  return {};
}

namespace {
struct VerifyGPUKernel : mlir::tfc::impl::VerifyGPUKernelBase<VerifyGPUKernel> {
  void runOnOperation() override {
    gpu::GPUModuleOp module = getOperation();
    bool failed = false;
    module.walk([&](Operation *op) {
      std::string fault = findFault(op, module);
      if (fault.empty())
        return;
      failed = true;
      op->emitOpError(fault);
    });
    if (failed)
      signalPassFailure();
    markAllAnalysesPreserved();
  }
};
} // namespace
