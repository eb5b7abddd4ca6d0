//===- Report.cpp - What a compilation tells about itself -----------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Pipeline/Report.h"

#include "tfc/Codegen/Common/OperandCasts.h"
#include "tfc/Codegen/GPU/DeviceCode.h"
#include "tfc/Codegen/GPU/GpuKernel.h"
#include "tfc/Dialect/Tfc/IR/TfcOps.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

#include <sys/resource.h>

using namespace mlir;
using namespace mlir::tfc;

int64_t mlir::tfc::getPeakMemory() {
  struct rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<int64_t>(usage.ru_maxrss) * 1024;
}

void Report::addStage(StringRef name, double milliseconds) { stages.emplace_back(name.str(), milliseconds); }

void Report::addOperators(ModuleOp module) {
  operators.clear();
  module.walk([&](Operation *op) {
    if (isa_and_nonnull<TfcDialect>(op->getDialect()) && !isa<WeightOp, WeightRefOp>(op))
      ++operators[op->getName().stripDialect().str()];
  });
}

/// Fused ops are counted, wherever they come from; other kinds leave no op of their own and are counted by their remarks.
static constexpr llvm::StringLiteral kCountedOps[] = {"attention", "layer_norm", "rms_norm", "softmax", "gelu", "silu"};

void Report::countFusions(ModuleOp module) {
  fusedOps.clear();
  module.walk([&](Operation *op) {
    if (isa_and_nonnull<TfcDialect>(op->getDialect()))
      ++fusedOps[op->getName().stripDialect().str()];
  });
}

int64_t Report::getFusionCount(StringRef kind) const {
  if (llvm::is_contained(kCountedOps, kind)) {
    auto it = fusedOps.find(kind.str());
    return it == fusedOps.end() ? 0 : it->second;
  }
  return llvm::count_if(fusions, [&](const FusionRemark &remark) { return remark.fused && remark.kind == kind; });
}

/// Bytes of all arenas for symbols that count 128, but 1 for the first symbol of the entry (the batch).
static int64_t evaluateArena(func::FuncOp entry, std::string &dims) {
  auto slots = entry->getAttrOfType<ArrayAttr>("tfc.slots");
  if (!slots)
    return 0;
  llvm::SetVector<StringAttr> symbols;
  for (Type type : entry.getArgumentTypes())
    if (isa<RankedTensorType>(type) && hasKnownDims(type))
      for (DimExprAttr dim : getDims(type))
        dim.collectSymbols(symbols);
  auto value = [&](StringAttr name) -> std::optional<int64_t> {
    return !symbols.empty() && name == symbols.front() ? 1 : 128;
  };
  for (StringAttr name : symbols)
    dims += (dims.empty() ? "" : ",") + name.getValue().str() + "=" + std::to_string(*value(name));
  // A slot may lie above one with a larger number, so that the ends settle in rounds; no chain is longer than there are slots.
  std::vector<int64_t> ends(slots.size());
  bool changed = true;
  for (size_t round = 0; changed && round < slots.size(); ++round) {
    changed = false;
    for (auto [i, attribute] : llvm::enumerate(slots)) {
      auto slot = dyn_cast<SlotAttr>(attribute);
      if (!slot)
        return 0;
      int64_t offset = 0;
      for (int64_t below : slot.getAbove())
        if (below >= 0 && below < static_cast<int64_t>(ends.size()))
          offset = std::max(offset, ends[below]);
      int64_t end = offset + slot.getBytes().evaluate(value).value_or(0);
      changed |= end != ends[i];
      ends[i] = end;
    }
  }
  std::map<int64_t, int64_t> segments;
  for (auto [i, attribute] : llvm::enumerate(slots)) {
    int64_t &segment = segments[cast<SlotAttr>(attribute).getSegment()];
    segment = std::max(segment, ends[i]);
  }
  int64_t total = 0;
  for (auto [segment, bytes] : segments)
    total += bytes;
  return total;
}

/// Whether the op rounds what it gives: it does not only move elements, or say them in another type.
static bool isComputing(Operation *op) {
  // A cast to fewer bits is how operands of products are rounded.
  return isNarrowingCast(op) || (isa<MatmulOp, AttentionOp, SoftmaxOp, LayerNormOp, RmsNormOp, ReduceOp, ElementwiseOpInterface>(op) && !isa<CastOp, SelectOp>(op));
}

void Report::addKernels(ModuleOp module) {
  kernels.clear();
  fewestDigits = 24;
  module.walk([&](Operation *op) {
    auto element = isComputing(op) ? dyn_cast<FloatType>(getElementTypeOrSelf(op->getResult(0).getType())) : FloatType();
    if (element)
      fewestDigits = std::min(fewestDigits, llvm::APFloat::semanticsPrecision(element.getFloatSemantics()));
  });
  llvm::StringMap<size_t> index;
  module.walk([&](LaunchOp launch) {
    auto [it, inserted] = index.try_emplace(launch.getKernel(), kernels.size());
    if (inserted)
      kernels.push_back({launch.getKernel().str(), 0, {}});
    Kernel &kernel = kernels[it->second];
    ++kernel.launches;
    for (Attribute node : launch.getNodes())
      kernel.nodes.push_back(cast<StringAttr>(node).str());
  });
  for (auto entry : module.getOps<func::FuncOp>())
    if (entry->hasAttr("tfc.entry")) {
      arenaDims.clear();
      arenaBytes = evaluateArena(entry, arenaDims);
    }
}

/// Whether a step of the kernel multiplies on tensor cores.
static bool usesTensorCores(func::FuncOp kernel, ModuleOp module) {
  auto steps = kernel->getAttrOfType<ArrayAttr>(kGpuStepsAttr);
  auto multiplies = [&](Attribute step) {
    auto entries = dyn_cast<DictionaryAttr>(step);
    auto name = entries ? entries.getAs<SymbolRefAttr>("function") : SymbolRefAttr();
    Operation *function = name ? SymbolTable::lookupSymbolIn(module, name) : nullptr;
    return function && function->walk([](Operation *op) {
      auto call = dyn_cast<LLVM::CallIntrinsicOp>(op);
      auto assembly = dyn_cast<LLVM::InlineAsmOp>(op);
      bool isProduct = (call && call.getIntrin().starts_with("llvm.nvvm.mma.")) ||
                       (assembly && assembly.getAsmString().contains("wgmma.mma_async"));
      return isProduct ? WalkResult::interrupt() : WalkResult::advance();
    }).wasInterrupted();
  };
  return steps && llvm::any_of(steps, multiplies);
}

void Report::addProgram(StringRef target, ModuleOp module) {
  Program program{target.str()};
  for (auto function : module.getOps<func::FuncOp>()) {
    program.kernels += function->hasAttr("tfc.kernel");
    program.tensorCoreKernels += usesTensorCores(function, module);
    program.fallbacks += function->hasAttr(kGpuStepAttr);
  }
  for (EntryOp entry : module.getOps<EntryOp>())
    if (auto fetches = entry.getAbi().getAs<IntegerAttr>("fetches"))
      program.fetches += fetches.getInt();
  programs.push_back(std::move(program));
}

size_t Report::getLaunchCount() const {
  size_t count = 0;
  for (const Kernel &kernel : kernels)
    count += kernel.launches;
  return count;
}

llvm::json::Value Report::toJSON() const {
  llvm::json::Array operatorList, fusionList, kernelList, stageList;
  for (const FusionRemark &remark : fusions)
    fusionList.push_back(llvm::json::Object{{"kind", remark.kind},
                                            {"status", remark.fused ? "fused" : "not fused"},
                                            {"reason", llvm::json::fixUTF8(remark.reason)},
                                            {"node", llvm::json::fixUTF8(remark.node)}});
  for (const auto &[name, count] : operators)
    operatorList.push_back(llvm::json::Object{{"name", name}, {"count", count}});
  for (const Kernel &kernel : kernels)
    kernelList.push_back(llvm::json::Object{
        {"name", kernel.name}, {"launches", kernel.launches}, {"nodes", llvm::json::Array(kernel.nodes)}});
  for (const auto &[name, milliseconds] : stages)
    stageList.push_back(llvm::json::Object{{"name", name}, {"ms", milliseconds}});
  llvm::json::Array programList;
  for (const Program &program : programs)
    programList.push_back(llvm::json::Object{{"target", program.target},
                                             {"kernels", program.kernels},
                                             {"fallback_kernels", program.fallbacks},
                                             {"tensor_core_kernels", program.tensorCoreKernels},
                                             {"fetches", program.fetches}});
  return llvm::json::Object{{"programs", std::move(programList)}, {"operators", std::move(operatorList)}, {"fusions", std::move(fusionList)},
                            {"kernels", std::move(kernelList)},     {"stages", std::move(stageList)},
                            {"kernels_from_cache", reusedKernels},
                            {"arena_bytes", arenaBytes},            {"arena_dims", arenaDims},
                            {"peak_bytes", getPeakMemory()}};
}
