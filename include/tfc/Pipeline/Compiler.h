//===- Compiler.h - From a model to an artifact -*- C++ -*- -----------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_PIPELINE_COMPILER_H
#define TFC_PIPELINE_COMPILER_H

#include "tfc/Frontend/ONNX/ImportONNX.h"
#include "tfc/Pipeline/Pipelines.h"
#include "tfc/Pipeline/Report.h"
#include "tfc/Target/KernelCache.h"

#include "tfc/Target/EmitArtifact.h"
#include "tfc/TargetInfo/TargetList.h"

#include "tfc-c/ModelABI.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace mlir {
class PassManager;
}

namespace mlir::tfc {

class KernelReuse;

/// What went wrong, as the exit codes of the tools say it. The diagnostics have been emitted.
enum class CompileStatus {
  Success = 0,
  CheckFailed = 1,
  BadInput = 2, ///< the model, a flag, or an operator that is not supported
  Defect = 3    ///< a defect of tfc or of the machine
};

/// What to compile: exactly one of `path` and `builtin` is set.
struct CompileInput {
  std::string path;         ///< model.onnx, or .mlir of any stage
  std::string builtin;      ///< "bert-base"
  std::string config;       ///< key=value pairs, or a path of a config.json; for built-in graphs
  std::string safetensors;  ///< a file to read weights from; empty: made from the seed
  std::string name;         ///< of the model, for the header and the descriptor; empty: the file's or the built-in graph's
  uint64_t seed = 0;
  bool dynamicAll = false;  ///< every input dim is a symbol of its own
  std::vector<std::pair<std::string, int64_t>> fixedDims;
  std::vector<DimRange> dimRanges;
  std::vector<FoldedInput> foldedInputs;
  bool allowExtern = false; ///< operators that are not known become calls of the host
  ImportLimits limits;      ///< what an ONNX file may ask for
  std::string externalRoot; ///< where weights outside the file are looked up, links inside it included
};

struct CompileOptions {
  Stage stage = Stage::SharedLibrary; ///< where to stop
  bool asONNX = false;                ///< write the stage, import or fused, as an ONNX file
  std::string outputPath;
  std::string headerPath;     ///< of a shared library; empty: none
  std::string saveStagesDir;  ///< a folder for the module of every stage; empty: none
  std::vector<::tfc::TargetSpec> targets = {{::tfc::TargetKind::CPU, "native"}}; ///< one program each
  std::string querySymbol; ///< Empty: the usual one, see ArtifactOptions.
  TfcWeightMode weights = TFC_WEIGHTS_EMBED;
  std::string cacheDir; ///< of kernels, for libraries whose stages are not saved; empty: none
  uint64_t cacheLimit = ::tfc::KernelCache::kDefaultLimit; ///< bytes
  std::string precision = "f32"; ///< what products of f32 take: f32, tf32, bf16 or f16
  bool reference = false;
  bool plainKernels = false;
  std::string exposeNames;      ///< regular expression: what these nodes give becomes outputs; empty: none
  bool exposeAttention = false; ///< probabilities of attentions become outputs
  std::vector<std::string> disabledFusions; ///< names that getFusionNames() knows
  /// Least counts of fused ops; fewer is CheckFailed. Each is checked when the stage that decides it is done.
  std::vector<std::pair<std::string, int64_t>> requiredFusions;
  /// Called on every pass manager before it runs: command line options of MLIR (`--mlir-print-ir-after-all`, ...).
  std::function<LogicalResult(PassManager &)> configurePassManager;
  /// Called in place of `work`, which it is to call: all passes of a stage, or with null passes what makes code of the module.
  std::function<LogicalResult(ModuleOp module, PassManager *passes, llvm::function_ref<LogicalResult()> work)> guard;
  /// Called when a stage is done, with its milliseconds.
  std::function<void(llvm::StringRef stage, double milliseconds)> onStage;
};

/// One compilation. The context must have been made with registerTfcDialects and outlive the compiler.
class Compiler {
public:
  Compiler(MLIRContext &context, CompileOptions options);
  ~Compiler();

  /// Loads the input, runs it to the wanted stage, writes the output. Nothing partial is left behind on failure.
  CompileStatus run(const CompileInput &input);

  const Report &getReport() const { return report; }
  /// Whether a pass failed that only translates what others have accepted: a defect.
  bool hasFailedPass() const { return failedPass; }

private:
  using PassBuilder = llvm::function_ref<void(OpPassManager &, const PipelineOptions &)>;

  CompileStatus load(const CompileInput &input, OwningOpRef<ModuleOp> &module, Stage &stage);
  /// The model for one target, from the stage host on.
  struct Program {
    ::tfc::TargetSpec target;
    OwningOpRef<ModuleOp> module;
  };
  CompileStatus checkTargets(ModuleOp module, Stage stage);
  /// `target` is null for what targets share: up to the plan, or to the stage fused of a CPU that has kernels of its own.
  CompileStatus runStage(ModuleOp module, Stage stage, const ::tfc::TargetSpec *target = nullptr);
  CompileStatus runPasses(ModuleOp module, Stage stage, const ::tfc::TargetSpec *target, PassBuilder build);
  void openCache(ModuleOp module);
  CompileStatus finishStage(ModuleOp module, Stage stage, const ::tfc::TargetSpec *target = nullptr);
  CompileStatus runShared(ModuleOp module, Stage &stage, Stage last);
  bool wantsOwnKernelsForCpus(ModuleOp module, Stage stage) const;
  CompileStatus runProgram(Program &program, Stage stage);
  CompileStatus runPrograms(OwningOpRef<ModuleOp> module, Stage stage, std::vector<Program> &programs);
  /// The work, or what the guard makes of it.
  LogicalResult runGuarded(ModuleOp module, PassManager *passes, llvm::function_ref<LogicalResult()> work);
  CompileStatus checkFusions(ModuleOp module, Stage stage);
  CompileStatus writeModule(ModuleOp module, llvm::StringRef path);
  CompileStatus writeCode(MutableArrayRef<Program> programs);
  llvm::Error writeArtifact(MutableArrayRef<Program> programs);
  llvm::Error writePTX(const Program &program);

  MLIRContext &context;
  Stage entered = Stage::Import; ///< The stage of the module that was given.
  CompileOptions options;
  Report report;
  std::unique_ptr<::tfc::KernelCache> cache; ///< Null: none.
  std::unique_ptr<KernelReuse> reuse;
  SmallVector<GraphWeight> graphWeights; ///< Of the module that was given.
  bool failedPass = false;
  std::chrono::steady_clock::time_point stageStart;
};

} // namespace mlir::tfc

#endif // TFC_PIPELINE_COMPILER_H
