//===- Pipelines.h - The order of the passes -*- C++ -*- -----------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_PIPELINE_PIPELINES_H
#define TFC_PIPELINE_PIPELINES_H

#include "mlir/Pass/PassOptions.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <optional>
#include <string>

namespace mlir {
class DialectRegistry;
class ModuleOp;
class OpPassManager;
} // namespace mlir

namespace mlir::tfc {

/// The stages of docs/Architecture.md, in order; what `tfc-compile --emit` names.
enum class Stage { Import, Fused, Kernels, Plan, Host, LLVM, Asm, Object, PTX, SharedLibrary, Archive };

std::optional<Stage> parseStage(llvm::StringRef name);
llvm::StringRef stringifyStage(Stage stage);

/// The stage that a module read from .mlir stands at, from what it holds.
Stage detectStage(ModuleOp module);

struct PipelineOptions : PassPipelineOptions<PipelineOptions> {
  Option<std::string> cpu{*this, "cpu", llvm::cl::desc("The CPUs: x86-64-v2, x86-64-v3, x86-64-v4, aarch64, native; `+` between several"),
                          llvm::cl::init("native")};
  Option<std::string> gpu{*this, "gpu", llvm::cl::desc("For a GPU, not the CPU: sm_80, sm_90a, ...; the module says `tfc.device`"),
                          llvm::cl::init("")};
  Option<bool> reference{*this, "reference", llvm::cl::desc("Every op through its plain lowering, in a kernel of its own"),
                         llvm::cl::init(false)};
  Option<bool> plainKernels{*this, "plain-kernels", llvm::cl::desc("The same kernels, each through its plain lowering"),
                            llvm::cl::init(false)};
  Option<std::string> precision{*this, "precision", llvm::cl::desc("What products of f32 take: f32, tf32, bf16, f16"), llvm::cl::init("f32")};
  Option<bool> operandCasts{*this, "operand-casts", llvm::cl::desc("Products read 16-bit operands through casts: for GPUs"),
                            llvm::cl::init(false)};
  Option<std::string> exposeNames{*this, "expose", llvm::cl::desc("Nodes whose tensors become outputs: a regular expression"),
                                  llvm::cl::init("")};
  Option<bool> exposeAttention{*this, "expose-attention", llvm::cl::desc("Probabilities of attentions become outputs"),
                               llvm::cl::init(false)};
  ListOption<std::string> disabledFusions{*this, "disable-fusion", llvm::cl::desc("Fusions that are left out, by name")};
};

/// The names of the fusions that can be left out.
llvm::ArrayRef<llvm::StringRef> getFusionNames();

/// The two halves of the stage host. After the first the kernels stand as they will be generated: their weights are packed, and there is
/// a function per CPU.
void buildKernelPreparation(OpPassManager &pm, const PipelineOptions &options);
void buildHostFromPrepared(OpPassManager &pm, const PipelineOptions &options);

/// Adds the passes that take a module to `stage` from the stage before it. Asm and later are not passes.
void buildStage(OpPassManager &pm, Stage stage, const PipelineOptions &options);

/// Registers tfc's passes, and one named pipeline per stage: tfc-to-fused, tfc-to-kernels, tfc-to-plan, tfc-to-host, tfc-to-llvm.
void registerAllTfcPasses();

/// The dialects and interfaces that the passes need.
void registerTfcDialects(DialectRegistry &registry);

} // namespace mlir::tfc

#endif // TFC_PIPELINE_PIPELINES_H
