//===- AddVariants.cpp - One copy of each kernel per CPU of the artifact ------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "TargetOption.h"
#include "tfc/Codegen/CPU/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/SymbolTable.h"

namespace mlir::tfc {
#define GEN_PASS_DEF_ADDVARIANTS
#include "tfc/Codegen/CPU/Passes.h.inc"
} // namespace mlir::tfc

using namespace mlir;
using namespace mlir::tfc;

namespace {
struct AddVariants : mlir::tfc::impl::AddVariantsBase<AddVariants> {
  using AddVariantsBase::AddVariantsBase;

  void runOnOperation() override {
    FailureOr<KernelTargets> targets = KernelTargets::read(getOperation(), cpu);
    if (failed(targets))
      return signalPassFailure();
    // Whoever goes on with the module later must not take its code for that of other CPUs.
    getOperation()->setAttr(KernelTargets::kCpuAttr, StringAttr::get(&getContext(), cpu));
    if (targets->all().size() == 1)
      return;
    SymbolTable symbols(getOperation());
    SmallVector<func::FuncOp> kernels;
    for (auto kernel : getOperation().getOps<func::FuncOp>())
      if (kernel->hasAttr("tfc.kernel") && !kernel.isExternal() && !kernel->hasAttr(KernelTargets::kCpuAttr))
        kernels.push_back(kernel);
    for (func::FuncOp kernel : kernels)
      if (failed(addVariants(kernel, targets->all(), symbols)))
        return signalPassFailure();
  }

  LogicalResult addVariants(func::FuncOp kernel, ArrayRef<::tfc::CpuTarget> targets, SymbolTable &symbols) {
    auto nameOf = [&](const ::tfc::CpuTarget &target) { return StringAttr::get(&getContext(), target.name); };
    kernel->setAttr(KernelTargets::kCpuAttr, nameOf(targets.front()));
    Block::iterator place = std::next(Block::iterator(kernel));
    for (const ::tfc::CpuTarget &target : targets.drop_front()) {
      func::FuncOp variant = kernel.clone();
      variant->setAttr(KernelTargets::kCpuAttr, nameOf(target));
      variant->setAttr(KernelTargets::kVariantOfAttr, FlatSymbolRefAttr::get(kernel.getSymNameAttr()));
      variant.setName((kernel.getName() + "." + target.name).str());
      if (symbols.lookup(variant.getSymName())) {
        InFlightDiagnostic diagnostic = kernel.emitError("needs the name '") << variant.getSymName() << "' for a variant, which is taken";
        variant.erase();
        return diagnostic;
      }
      symbols.insert(variant, place);
    }
    return success();
  }
};
} // namespace
