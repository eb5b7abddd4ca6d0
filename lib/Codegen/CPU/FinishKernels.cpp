//===- FinishKernels.cpp - Linkage and attributes of finished kernels ---------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Codegen/Loops/KernelFrame.h"
#include "TargetOption.h"
#include "tfc/Codegen/CPU/Passes.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace mlir::tfc {
#define GEN_PASS_DEF_FINISHKERNELS
#include "tfc/Codegen/CPU/Passes.h.inc"
} // namespace mlir::tfc

using namespace mlir;
using namespace mlir::tfc;

namespace {
struct FinishKernels : mlir::tfc::impl::FinishKernelsBase<FinishKernels> {
  using FinishKernelsBase::FinishKernelsBase;

  /// The kernel that a function belongs to.
  Operation *getKernel(LLVM::LLVMFuncOp function) {
    auto name = function->getAttrOfType<FlatSymbolRefAttr>(KernelFrame::kTilesOfAttr);
    Operation *kernel = name ? getOperation().lookupSymbol(name.getAttr()) : nullptr;
    return kernel ? kernel : function;
  }

  void setTarget(LLVM::LLVMFuncOp function, const ::tfc::CpuTarget &target) {
    // LLVM would halve the vectors on account of clock rates that recent cores do not lower.
    if (target.vectorBits == 512)
      function.setPreferVectorWidth("512");
    if (!target.tuneCpu.empty())
      function.setTuneCpu(target.tuneCpu);
    // One module holds code for several CPUs; otherwise the code generator is told of its one.
    if (!getKernel(function)->hasAttr(KernelTargets::kCpuAttr))
      return;
    function.setTargetCpu(target.llvmCpu);
  }

  void runOnOperation() override {
    FailureOr<KernelTargets> targets = KernelTargets::read(getOperation(), cpu);
    if (failed(targets))
      return signalPassFailure();
    for (auto function : getOperation().getOps<LLVM::LLVMFuncOp>()) {
      bool isTiles = function->hasAttr(KernelFrame::kTilesOfAttr);
      if ((!isTiles && !function->hasAttr("tfc.kernel")) || function.isExternal())
        continue;
      setTarget(function, targets->of(getKernel(function)));
      function.setNoUnwind(true);
      if (!isTiles)
        continue;
      // Its arguments are noalias as they stand. Inlined, it would be compiled twice where the module is cut into parts,
      // whose local functions stay.
      function.setLinkage(LLVM::Linkage::Internal);
      function.setNoInline(true);
    }
  }
};
} // namespace
