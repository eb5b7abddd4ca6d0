//===- Report.h - What a compilation tells about itself -*- C++ -*- -----------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_PIPELINE_REPORT_H
#define TFC_PIPELINE_REPORT_H

#include "tfc/Dialect/Tfc/Transforms/FusionRemarks.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/JSON.h"

#include <map>
#include <string>
#include <vector>

namespace mlir::tfc {

/// Collected stage by stage; `tfc-compile --report` writes it as JSON.
class Report {
public:
  /// Notes the time of a stage, and what the module shows at it.
  void addStage(llvm::StringRef name, double milliseconds);
  /// Counts the ops of the imported graph.
  void addOperators(ModuleOp module);
  /// Notes kernels with their launches and nodes, and the arena.
  void addKernels(ModuleOp module);

  /// Notes what became of a candidate for fusion.
  void addFusion(FusionRemark remark) { fusions.push_back(std::move(remark)); }
  /// Counts the fused ops of the graph.
  void countFusions(ModuleOp module);

  /// Notes what became of the model for a device: kernels on the generic road, and places of its entries that read the device's memory.
  void addProgram(llvm::StringRef target, ModuleOp module);

  const std::vector<FusionRemark> &getFusions() const { return fusions; }
  /// How many there are of a kind in the fused graph, whether fused here or imported.
  int64_t getFusionCount(llvm::StringRef kind) const;
  /// Notes how many kernels' code was known from earlier compilations.
  void setReusedKernels(size_t count) { reusedKernels = count; }
  size_t getReusedKernelCount() const { return reusedKernels; }
  /// A program for a device.
  struct Program {
    std::string target;
    int64_t kernels = 0, fallbacks = 0, fetches = 0;
    int64_t tensorCoreKernels = 0; ///< with a step that multiplies on tensor cores
  };
  const std::vector<Program> &getPrograms() const { return programs; }
  size_t getKernelCount() const { return kernels.size(); }
  size_t getLaunchCount() const;
  /// The fewest binary digits that the kernels compute with: 24 for f32, 11 for f16, 8 for bf16.
  unsigned getFewestDigits() const { return fewestDigits; }
  llvm::json::Value toJSON() const;

private:
  struct Kernel {
    std::string name;
    int64_t launches = 0;
    std::vector<std::string> nodes;
  };
  std::map<std::string, int64_t> operators;
  std::vector<FusionRemark> fusions;
  std::map<std::string, int64_t> fusedOps;
  std::vector<Kernel> kernels;
  size_t reusedKernels = 0;
  std::vector<Program> programs;
  std::vector<std::pair<std::string, double>> stages;
  unsigned fewestDigits = 24;
  int64_t arenaBytes = 0;
  std::string arenaDims;
};

/// Peak resident memory of this process in bytes.
int64_t getPeakMemory();

} // namespace mlir::tfc

#endif // TFC_PIPELINE_REPORT_H
