//===- OutlineDeviceCode.cpp - The code of a GPU in a module of its own --------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Codegen/GPU/DeviceCode.h"
#include "tfc/Codegen/GPU/Passes.h"
#include "tfc/Dialect/Tfc/IR/TfcOps.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/DenseSet.h"

namespace mlir::tfc {
#define GEN_PASS_DEF_OUTLINEDEVICECODE
#include "tfc/Codegen/GPU/Passes.h.inc"
} // namespace mlir::tfc

using namespace mlir;
using namespace mlir::tfc;

namespace {
struct OutlineDeviceCode : mlir::tfc::impl::OutlineDeviceCodeBase<OutlineDeviceCode> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    DenseSet<StringAttr> hostPrograms;
    for (EntryOp entry : module.getOps<EntryOp>())
      if (auto run = entry.getAbi().getAs<FlatSymbolRefAttr>("run"))
        hostPrograms.insert(run.getAttr());

    auto kernels = module.lookupSymbol<gpu::GPUModuleOp>(kGpuModuleName);
    if (!kernels) {
      OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
      kernels = gpu::GPUModuleOp::create(builder, module.getLoc(), kGpuModuleName);
    }
    for (Operation &op : llvm::make_early_inc_range(*module.getBody())) {
      auto function = dyn_cast<LLVM::LLVMFuncOp>(op);
      if (function ? hostPrograms.contains(function.getSymNameAttr()) : !isa<LLVM::GlobalOp>(op))
        continue;
      op.moveBefore(kernels.getBody(), kernels.getBody()->end());
      if (function)
        finish(function);
    }
    eraseUnused(kernels);
  }

  /// Kernels can be launched with the threads that their steps say; what they call becomes part of them.
  void finish(LLVM::LLVMFuncOp function) {
    // Said what the argument is while there were dims to lower.
    for (unsigned i = 0; i < function.getNumArguments(); ++i)
      function.removeArgAttr(i, "tfc.symbol");
    if (function->removeAttr(kGpuStepAttr)) {
      function->setAttr(NVVM::NVVMDialect::getKernelFuncAttrName(), UnitAttr::get(&getContext()));
      return;
    }
    function.setLinkage(LLVM::Linkage::Internal);
    function.setAlwaysInline(true);
  }

  /// What no kernel reaches.
  void eraseUnused(gpu::GPUModuleOp kernels) {
    SymbolTable symbols(kernels);
    SmallVector<Operation *> waiting;
    DenseSet<Operation *> needed;
    auto need = [&](Operation *op) {
      if (op && needed.insert(op).second)
        waiting.push_back(op);
    };
    for (auto function : kernels.getOps<LLVM::LLVMFuncOp>())
      if (function->hasAttr(NVVM::NVVMDialect::getKernelFuncAttrName()))
        need(function);
    while (!waiting.empty()) {
      std::optional<SymbolTable::UseRange> uses = SymbolTable::getSymbolUses(waiting.pop_back_val());
      for (SymbolTable::SymbolUse use : uses ? *uses : SymbolTable::UseRange({}))
        need(symbols.lookup(use.getSymbolRef().getLeafReference()));
    }
    for (Operation &op : llvm::make_early_inc_range(*kernels.getBody()))
      if (isa<LLVM::LLVMFuncOp, LLVM::GlobalOp>(op) && !needed.contains(&op))
        op.erase();
  }
};
} // namespace
