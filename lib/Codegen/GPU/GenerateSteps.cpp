//===- GenerateSteps.cpp - Kernels that a generator takes become its steps -----------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Codegen/GPU/DeviceCode.h"
#include "tfc/Codegen/GPU/GpuKernel.h"
#include "tfc/Codegen/GPU/Passes.h"
#include "tfc/Codegen/Loops/KernelFrame.h"
#include "tfc/TargetInfo/GpuTarget.h"

#include "tfc/Dialect/Tfc/IR/TfcOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/MapVector.h"

namespace mlir::tfc {
#define GEN_PASS_DEF_GENERATESTEPS
#include "tfc/Codegen/GPU/Passes.h.inc"
} // namespace mlir::tfc

using namespace mlir;
using namespace mlir::tfc;

namespace {
struct GenerateSteps : mlir::tfc::impl::GenerateStepsBase<GenerateSteps> {
  using GenerateStepsBase::GenerateStepsBase;

  /// What generators write steps in.
  void getDependentDialects(DialectRegistry &registry) const override {
    GenerateStepsBase::getDependentDialects(registry);
    registry.insert<arith::ArithDialect, math::MathDialect, scf::SCFDialect, vector::VectorDialect>();
  }

  void runOnOperation() override {
    llvm::Expected<::tfc::GpuTarget> target = ::tfc::parseGpuTarget(chip);
    if (!target) {
      getOperation().emitError() << llvm::toString(target.takeError());
      return signalPassFailure();
    }
    OpBuilder builder = OpBuilder::atBlockEnd(getOperation().getBody());
    auto module = getOperation().lookupSymbol<gpu::GPUModuleOp>(kGpuModuleName);
    if (!module)
      module = gpu::GPUModuleOp::create(builder, getOperation().getLoc(), kGpuModuleName);
    markWeights();
    SmallVector<func::FuncOp> kernels;
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (function->hasAttr("tfc.kernel") && !function->hasAttr(kGpuStepsAttr) &&
          !function->hasAttr(KernelFrame::kPlainAttr))
        kernels.push_back(function);
    for (func::FuncOp kernel : kernels) {
      FailureOr<std::optional<GpuKernel>> steps = generateGpuKernel(module, kernel, *target);
      if (failed(steps))
        return signalPassFailure();
      if (*steps)
        finish(kernel, **steps);
    }
  }

  /// Says which operands of kernels are weights in all their launches.
  void markWeights() {
    SymbolTable symbols(getOperation());
    llvm::MapVector<func::FuncOp, llvm::BitVector> others;
    getOperation().walk([&](LaunchOp launch) {
      auto kernel = symbols.lookup<func::FuncOp>(launch.getKernel());
      if (!kernel)
        return;
      llvm::BitVector &other = others[kernel];
      other.resize(kernel.getNumArguments());
      for (auto [i, input] : llvm::enumerate(launch.getInputs()))
        if (i < other.size() && !input.getDefiningOp<WeightRefOp>())
          other.set(i);
    });
    for (auto &[kernel, other] : others)
      for (unsigned i = 0; i < other.size(); ++i)
        if (!other.test(i))
          kernel.setArgAttr(i, kWeightAttr, UnitAttr::get(&getContext()));
  }

  /// Nobody calls the kernel itself any more: it stays as the place of what is known of it, with the
  /// signature that kernels have from here on.
  void finish(func::FuncOp kernel, const GpuKernel &steps) {
    Builder builder(&getContext());
    DimExprAttr one = DimExprAttr::constant(&getContext(), 1), zero = DimExprAttr::constant(&getContext(), 0);
    kernel->setAttr(kGpuStepsAttr, getStepsAttr(&getContext(), steps.steps));
    kernel->setAttr(kGpuWorkspaceAttr, steps.workspace ? steps.workspace : zero);
    kernel->setAttr(KernelFrame::kTilesAttr, one);
    kernel->setAttr(KernelFrame::kScratchAttr, zero);
    Type pointer = LLVM::LLVMPointerType::get(&getContext()), index = builder.getIndexType();
    kernel.eraseBody();
    kernel.setAllArgAttrs(ArrayRef<DictionaryAttr>{});
    kernel.setAllResultAttrs(ArrayRef<DictionaryAttr>{});
    kernel.setFunctionType(builder.getFunctionType({pointer, index, index, pointer}, {}));
    OpBuilder body = OpBuilder::atBlockEnd(kernel.addEntryBlock());
    func::ReturnOp::create(body, kernel.getLoc());
  }
};
} // namespace
