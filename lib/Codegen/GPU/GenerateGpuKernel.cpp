//===- GenerateGpuKernel.cpp - Which generator takes a kernel ------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "CountedSizes.h"
#include "Kernels/Generators.h"

#include "mlir/IR/AttrTypeSubElements.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace mlir::tfc;

/// Kernels count with 32 bits, for these are cheaper; and the last block counts a little beyond the end.
static constexpr int64_t kMostCounted = (int64_t(1) << 31) - (int64_t(1) << 16);
/// What a grid can have along y.
static constexpr int64_t kMostGridRows = 65535;

/// The sizes that the steps of a kernel count with 32 bits. They need not be known any longer.
static SmallVector<SmallVector<DimExprAttr>> takeCounted(gpu::GPUModuleOp module, const GpuKernel &kernel) {
  return llvm::map_to_vector(kernel.steps, [&](const GpuStep &step) {
    Attribute counted = module.lookupSymbol(step.function.getLeafReference())->removeAttr(kCountedAttr);
    SmallVector<DimExprAttr> sizes;
    for (Attribute size : counted ? cast<ArrayAttr>(counted).getValue() : ArrayRef<Attribute>())
      sizes.push_back(cast<DimExprAttr>(size));
    return sizes;
  });
}

static bool isTooLarge(ArrayRef<DimExprAttr> sizes) {
  return llvm::any_of(sizes, [](DimExprAttr size) { return size.getConstant().value_or(0) > kMostCounted; });
}

/// Sizes that only the run knows are looked at when it knows them: where one is too large the grid is too, and the
/// runtime says so of the kernel.
static void refuseTooLarge(GpuStep &step, ArrayRef<DimExprAttr> sizes) {
  DimExprAttr largest;
  for (DimExprAttr size : sizes) {
    bool isPartOfOther = llvm::any_of(sizes, [&](DimExprAttr other) { return other != size && other.exactDiv(size); });
    if (!size.getConstant() && !isPartOfOther)
      largest = largest ? largest.max(size) : size;
  }
  if (!largest)
    return;
  auto constant = [&](int64_t value) { return DimExprAttr::constant(largest.getContext(), value); };
  step.grid[1] = (largest.floorDiv(constant(kMostCounted + 1)) * constant(kMostGridRows + 1)).max(constant(1));
}

static void erase(gpu::GPUModuleOp module, const GpuKernel &kernel) {
  for (const GpuStep &step : kernel.steps)
    module.lookupSymbol(step.function.getLeafReference())->erase();
}

/// Whether all sizes of the kernel's values are made of its own symbols. Others have no value in a step; the generic road says so.
static bool hasOnlyOwnSymbols(func::FuncOp kernel) {
  auto names = kernel->getAttrOfType<ArrayAttr>("tfc.symbols");
  llvm::SetVector<StringAttr> used;
  AttrTypeWalker walker;
  walker.addWalk([&](DimExprAttr expr) { expr.collectSymbols(used); });
  walker.walk(kernel.getFunctionType());
  for (Operation &op : kernel.getBody().front()) {
    walker.walk(op.getAttrDictionary());
    for (Type type : op.getResultTypes())
      walker.walk(type);
  }
  return llvm::all_of(used, [&](StringAttr name) { return names && llvm::is_contained(names, name); });
}

FailureOr<std::optional<GpuKernel>> mlir::tfc::generateGpuKernel(gpu::GPUModuleOp module, func::FuncOp kernel,
                                                                 const ::tfc::GpuTarget &target) {
  if (kernel.isExternal() || !llvm::hasSingleElement(kernel.getBody()) ||
      !isa<func::ReturnOp>(kernel.getBody().front().getTerminator()))
    return std::optional<GpuKernel>();
  // Generators walk from op to op by themselves; what FormKernels makes is far from this.
  static constexpr size_t kMostOps = 1024;
  if (kernel.getBody().front().getOperations().size() > kMostOps || !hasOnlyOwnSymbols(kernel))
    return std::optional<GpuKernel>();
  // From the most particular to the most general.
  static constexpr GpuGenerator generators[] = {generateAttention, generateGemmMma, generateGemmSimt,
                                                generateRowReduction, generateElementwise};
  for (GpuGenerator generate : generators) {
    FailureOr<std::optional<GpuKernel>> made = generate({module, kernel, target});
    if (failed(made))
      return made;
    if (!*made)
      continue;
    SmallVector<SmallVector<DimExprAttr>> counted = takeCounted(module, **made);
    if (llvm::any_of(counted, isTooLarge)) {
      erase(module, **made);
      continue;
    }
    for (auto [step, sizes] : llvm::zip_equal((*made)->steps, counted))
      refuseTooLarge(step, sizes);
    return made;
  }
  return std::optional<GpuKernel>();
}
