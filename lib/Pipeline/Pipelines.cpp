//===- Pipelines.cpp - The order of the passes -----------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Pipeline/Pipelines.h"

#include "tfc/Codegen/CPU/Passes.h"
#include "tfc/Codegen/Common/Passes.h"
#include "tfc/Codegen/GPU/Passes.h"
#include "tfc/Codegen/GPU/SerializeToPTX.h"
#include "tfc/Codegen/Loops/Passes.h"
#include "tfc/Conversion/TfcToLinalg/Passes.h"
#include "tfc/Dialect/Tfc/IR/TfcOps.h"
#include "tfc/Dialect/Tfc/Transforms/Passes.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace mlir::tfc;

static constexpr std::pair<Stage, llvm::StringLiteral> kStageNames[] = {
    {Stage::Import, "import"}, {Stage::Fused, "fused"}, {Stage::Kernels, "kernels"},
    {Stage::Plan, "plan"},     {Stage::Host, "host"},   {Stage::LLVM, "llvm"},
    {Stage::Asm, "asm"},       {Stage::Object, "obj"},  {Stage::PTX, "ptx"},
    {Stage::SharedLibrary, "so"}, {Stage::Archive, "archive"}};

std::optional<Stage> mlir::tfc::parseStage(StringRef name) {
  for (auto [stage, text] : kStageNames)
    if (text == name)
      return stage;
  return std::nullopt;
}

StringRef mlir::tfc::stringifyStage(Stage stage) {
  for (auto [candidate, text] : kStageNames)
    if (candidate == stage)
      return text;
  return "?";
}

Stage mlir::tfc::detectStage(ModuleOp module) {
  if (!module.getOps<EntryOp>().empty()) {
    bool hasKernelInFunc =
        llvm::any_of(module.getOps<func::FuncOp>(), [](func::FuncOp function) { return function->hasAttr("tfc.kernel"); });
    return hasKernelInFunc ? Stage::Host : Stage::LLVM;
  }
  Stage stage = Stage::Import;
  module.walk([&](LaunchOp launch) {
    stage = launch.getPlaces() ? Stage::Plan : Stage::Kernels;
    return WalkResult::interrupt();
  });
  return stage;
}

//===----------------------------------------------------------------------------------------------===//
// The stages
//===----------------------------------------------------------------------------------------------===//

static void convertPrecision(OpPassManager &pm, StringRef to) {
  ConvertPrecisionOptions convert;
  convert.to = to.str();
  pm.addPass(createConvertPrecision(convert));
}

static void buildFused(OpPassManager &pm, const PipelineOptions &options) {
  // Before anything changes: nodes are asked for by the names that the graph has.
  if (!options.exposeNames.empty()) {
    ExposeTensorsOptions expose;
    expose.names = options.exposeNames;
    pm.addNestedPass<func::FuncOp>(createExposeTensors(expose));
  }
  pm.addPass(createSimplifyGraph());
  // Graphs of 16-bit floats are those of f32 to everything that follows.
  pm.addPass(createWidenHalfTypes());
  // Views of weights fold after transposes have moved into matmuls, and leave references to tidy up.
  pm.addPass(createFoldConstants());
  pm.addPass(createSimplifyGraph());
  auto isOn = [&](StringRef fusion) { return !llvm::is_contained(options.disabledFusions, fusion); };
  // Fusions see one spelling of what simplification knows; none of them makes work for another.
  FuseNormalizationOptions normalization;
  normalization.layerNorm = isOn("layer_norm");
  normalization.rmsNorm = isOn("rms_norm");
  if (normalization.layerNorm || normalization.rmsNorm)
    pm.addNestedPass<func::FuncOp>(createFuseNormalization(normalization));
  FuseActivationOptions activation;
  activation.gelu = isOn("gelu");
  activation.silu = isOn("silu");
  if (activation.gelu || activation.silu)
    pm.addNestedPass<func::FuncOp>(createFuseActivation(activation));
  if (isOn("softmax"))
    pm.addNestedPass<func::FuncOp>(createFuseSoftmax());
  if (isOn("attention"))
    pm.addNestedPass<func::FuncOp>(createFuseAttention());
  if (options.exposeAttention) {
    ExposeTensorsOptions expose;
    expose.attention = true;
    pm.addNestedPass<func::FuncOp>(createExposeTensors(expose));
  }
  // Gates split products, whose weights then are views; merging looks at what is left.
  if (isOn("swiglu")) {
    pm.addNestedPass<func::FuncOp>(createFuseGate());
    pm.addPass(createFoldConstants());
  }
  if (isOn("qkv"))
    pm.addPass(createMergeProducts());
  // Layers share masks: what each fusion built for itself becomes one.
  pm.addPass(createSimplifyGraph());
  // Last, so that no fusion meets a cast.
  if (options.precision != "f32")
    convertPrecision(pm, options.precision);
  convertPrecision(pm, "stored");
  pm.addPass(createSimplifyGraph());
}

ArrayRef<StringRef> mlir::tfc::getFusionNames() {
  static constexpr StringRef kNames[] = {"attention", "layer_norm", "rms_norm",  "softmax", "gelu",
                                         "silu",      "swiglu",     "embedding", "qkv",     "epilogue"};
  return kNames;
}

static void buildKernels(OpPassManager &pm, const PipelineOptions &options) {
  // Tensor cores take products of 16 bits; CPUs have no use for rounded operands.
  convertPrecision(pm, options.operandCasts ? "graph" : "casts");
  DecomposeOpsOptions decompose;
  decompose.keepAttention = !options.reference;
  pm.addNestedPass<func::FuncOp>(createDecomposeOps(decompose));
  pm.addPass(createSimplifyGraph());
  // Conditions are collected while the ops that need them are still in main.
  pm.addPass(createInsertRequirements());
  FormKernelsOptions form;
  form.fuse = !options.reference;
  form.plain = options.plainKernels;
  form.operandCasts = options.operandCasts && !options.reference;
  form.epilogue = !llvm::is_contained(options.disabledFusions, "epilogue");
  form.embedding = !llvm::is_contained(options.disabledFusions, "embedding");
  pm.addPass(createFormKernels(form));
}

void mlir::tfc::buildKernelPreparation(OpPassManager &pm, const PipelineOptions &options) {
  // Of kernels that a user has marked as plain; in the others nothing is left to decompose.
  DecomposeOpsOptions decompose;
  decompose.keepAttention = true;
  pm.addNestedPass<func::FuncOp>(createDecomposeOps(decompose));
  if (!options.reference) {
    PackWeightsOptions pack;
    pack.cpu = options.cpu;
    pm.addPass(createPackWeights(pack));
    pm.addPass(createGrowInPlace());
    pm.addPass(createSplitKeys());
  }
  AddVariantsOptions variants;
  variants.cpu = options.cpu;
  pm.addPass(createAddVariants(variants));
}

void mlir::tfc::buildHostFromPrepared(OpPassManager &pm, const PipelineOptions &options) {
  // Kernels first: only their code says how many tiles and how much scratch a launch needs.
  CPUPipelineOptions cpu;
  cpu.cpu = options.cpu;
  buildKernelPipeline(pm, cpu);
  pm.addPass(createLowerHostProgram());
}

static void buildHost(OpPassManager &pm, const PipelineOptions &options) {
  if (options.gpu.empty()) {
    buildKernelPreparation(pm, options);
    return buildHostFromPrepared(pm, options);
  }
  // As buildKernelPreparation has it.
  DecomposeOpsOptions decompose;
  decompose.keepAttention = true;
  pm.addNestedPass<func::FuncOp>(createDecomposeOps(decompose));
  GPUPipelineOptions gpu;
  gpu.chip = options.gpu;
  gpu.generate = !options.reference;
  buildGPUKernelPipeline(pm, gpu);
  pm.addPass(createLowerHostProgram());
}

static void buildLLVM(OpPassManager &pm, const PipelineOptions &options) {
  if (!options.gpu.empty()) {
    buildLowerGPUToLLVMPipeline(pm);
    return;
  }
  CPUPipelineOptions cpu;
  cpu.cpu = options.cpu;
  buildLowerCPUToLLVMPipeline(pm, cpu);
}

void mlir::tfc::buildStage(OpPassManager &pm, Stage stage, const PipelineOptions &options) {
  switch (stage) {
  case Stage::Fused:
    return buildFused(pm, options);
  case Stage::Kernels:
    return buildKernels(pm, options);
  case Stage::Plan:
    pm.addPass(createPlanMemory());
    return;
  case Stage::Host:
    return buildHost(pm, options);
  case Stage::LLVM:
    return buildLLVM(pm, options);
  case Stage::Import:
  case Stage::Asm:
  case Stage::Object:
  case Stage::PTX:
  case Stage::SharedLibrary:
  case Stage::Archive:
    return;
  }
}

//===----------------------------------------------------------------------------------------------===//
// Registration
//===----------------------------------------------------------------------------------------------===//

void mlir::tfc::registerAllTfcPasses() {
  registerTfcTransformsPasses();
  registerTfcToLinalgPasses();
  registerTfcCodegenCommonPasses();
  registerTfcCodegenLoopsPasses();
  registerTfcCodegenCPUPasses();
  registerTfcCodegenGPUPasses();
  registerCPUPipelines();
  registerGPUPipelines();
  PassPipelineRegistration<PipelineOptions>("tfc-to-fused", "import -> fused", [](OpPassManager &pm, const PipelineOptions &o) {
    buildStage(pm, Stage::Fused, o);
  });
  PassPipelineRegistration<PipelineOptions>("tfc-to-kernels", "fused -> kernels", [](OpPassManager &pm, const PipelineOptions &o) {
    buildStage(pm, Stage::Kernels, o);
  });
  PassPipelineRegistration<PipelineOptions>("tfc-to-plan", "kernels -> plan", [](OpPassManager &pm, const PipelineOptions &o) {
    buildStage(pm, Stage::Plan, o);
  });
  PassPipelineRegistration<PipelineOptions>("tfc-to-host", "plan -> host", [](OpPassManager &pm, const PipelineOptions &o) {
    buildStage(pm, Stage::Host, o);
  });
  PassPipelineRegistration<PipelineOptions>("tfc-to-llvm", "host -> llvm", [](OpPassManager &pm, const PipelineOptions &o) {
    buildStage(pm, Stage::LLVM, o);
  });
}

void mlir::tfc::registerTfcDialects(DialectRegistry &registry) {
  registry.insert<TfcDialect, func::FuncDialect, LLVM::LLVMDialect>();
  registerCPUCodegenDialects(registry);
  registerGPUCodegenDialects(registry);
}
