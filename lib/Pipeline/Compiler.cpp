//===- Compiler.cpp - From a model to an artifact -----------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Pipeline/Compiler.h"

#include "tfc/Dialect/Tfc/IR/CheckNesting.h"
#include "tfc/Dialect/Tfc/IR/TfcOps.h"
#include "tfc/Dialect/Tfc/IR/VerifySymbols.h"
#include "tfc/Frontend/Builtin/BuildBuiltin.h"
#include "tfc/Frontend/ONNX/ImportONNX.h"
#include "tfc/Pipeline/WriteModule.h"
#include "tfc/Target/EmitArtifact.h"
#include "tfc/TargetInfo/CpuTarget.h"
#include "tfc/Weights/Safetensors.h"
#include "tfc/Weights/WeightFiles.h"

#include "mlir/IR/Verifier.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SourceMgr.h"

#include <chrono>

using namespace mlir;
using namespace mlir::tfc;

Compiler::Compiler(MLIRContext &context, CompileOptions options) : context(context), options(std::move(options)) {
  context.loadDialect<TfcDialect, func::FuncDialect>();
}

/// An llvm::Error as a diagnostic without a place.
static CompileStatus reportError(MLIRContext &context, llvm::Error error, CompileStatus status) {
  emitError(UnknownLoc::get(&context)) << llvm::toString(std::move(error));
  return status;
}

static double millisecondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

//===----------------------------------------------------------------------------------------------===//
// Loading
//===----------------------------------------------------------------------------------------------===//

static OwningOpRef<ModuleOp> loadBuiltin(const CompileInput &input, MLIRContext &context) {
  Location loc = UnknownLoc::get(&context);
  llvm::Expected<ModelConfig> config = makeModelConfig(input.builtin, input.config);
  if (!config) {
    emitError(loc) << llvm::toString(config.takeError());
    return {};
  }
  WeightSource source;
  source.seed = input.seed;
  std::unique_ptr<::tfc::SafetensorsFile> file;
  if (!input.safetensors.empty()) {
    auto opened = ::tfc::SafetensorsFile::open(input.safetensors);
    if (!opened) {
      emitError(loc) << llvm::toString(opened.takeError());
      return {};
    }
    file = std::make_unique<::tfc::SafetensorsFile>(std::move(*opened));
    source.file = file.get();
  }
  return buildBuiltin(*config, source, context);
}

/// What the verifiers of single ops cannot see; the passes take it for granted. Later stages have no symbols in types.
static LogicalResult verifyLoaded(ModuleOp module, Stage stage) {
  LogicalResult result = verify(module);
  if (succeeded(result) && stage <= Stage::Plan)
    for (auto function : module.getOps<FunctionOpInterface>())
      if (failed(verifySymbols(function)))
        result = failure();
  return result;
}

static OwningOpRef<ModuleOp> loadMLIR(StringRef path, MLIRContext &context) {
  auto source = llvm::MemoryBuffer::getFile(path);
  if (!source) {
    emitError(UnknownLoc::get(&context)) << path << ": " << source.getError().message();
    return {};
  }
  auto report = [&](StringRef file, unsigned line, const Twine &message) {
    emitError(FileLineColLoc::get(&context, file, line, 1)) << message;
  };
  if (failed(checkNesting((*source)->getMemBufferRef(), report)))
    return {};
  SmallString<256> folder(path);
  llvm::sys::fs::make_absolute(folder);
  llvm::sys::path::remove_filename(folder);
  context.getLoadedDialect<TfcDialect>()->getWeightFiles().setBaseFolder(folder);
  context.loadAllAvailableDialects();
  llvm::SourceMgr sources;
  sources.AddNewSourceBuffer(std::move(*source), llvm::SMLoc());
  return parseSourceFile<ModuleOp>(sources, ParserConfig(&context));
}

CompileStatus Compiler::load(const CompileInput &input, OwningOpRef<ModuleOp> &module, Stage &stage) {
  stage = entered = Stage::Import;
  StringRef path = input.path;
  if (!input.builtin.empty()) {
    module = loadBuiltin(input, context);
  } else if (path.ends_with(".mlir") || path.ends_with(".mlirbc")) {
    module = loadMLIR(path, context);
    if (module)
      stage = entered = detectStage(*module);
    // Kernels that have been generated stay for the CPUs that they were generated for.
    if (auto cpu = module && stage >= Stage::Host ? (*module)->getAttrOfType<StringAttr>("tfc.cpu") : StringAttr())
      options.cpu = cpu.str();
  } else {
    ImportOptions import;
    import.dynamicAll = input.dynamicAll;
    import.fixedDims = input.fixedDims;
    import.dimRanges = input.dimRanges;
    import.foldedInputs = input.foldedInputs;
    import.allowExtern = input.allowExtern;
    import.limits = input.limits;
    import.externalRoot = input.externalRoot;
    import.allowExternalLinks = !input.externalRoot.empty();
    module = importONNX(path, context, import);
  }
  if (!module || failed(verifyLoaded(*module, stage)))
    return CompileStatus::BadInput;
  if (!input.name.empty()) {
    (*module)->setAttr("tfc.model_name", StringAttr::get(&context, input.name));
  } else if (!module->getOperation()->hasAttr("tfc.model_name")) {
    StringRef name = input.builtin.empty() ? llvm::sys::path::stem(path) : StringRef(input.builtin);
    (*module)->setAttr("tfc.model_name", StringAttr::get(&context, name));
  }
  return CompileStatus::Success;
}

//===----------------------------------------------------------------------------------------------===//
// Running
//===----------------------------------------------------------------------------------------------===//

CompileStatus Compiler::runStage(ModuleOp module, Stage stage) {
  PassManager pm(&context);
  PipelineOptions pipeline;
  pipeline.cpu = options.cpu;
  pipeline.reference = options.reference;
  pipeline.plainKernels = options.plainKernels;
  pipeline.exposeNames = options.exposeNames;
  pipeline.exposeAttention = options.exposeAttention;
  for (const std::string &name : options.disabledFusions)
    pipeline.disabledFusions.push_back(name);
  buildStage(pm, stage, pipeline);
  if (options.configurePassManager && failed(options.configurePassManager(pm)))
    return CompileStatus::BadInput;
  // What the fusions tell goes to the report; everything else goes on to whoever listens.
  ScopedDiagnosticHandler fusions(&context, [&](Diagnostic &diagnostic) {
    std::optional<FusionRemark> remark = readFusionRemark(diagnostic);
    if (remark)
      report.addFusion(std::move(*remark));
    return success(remark.has_value());
  });
  if (succeeded(runGuarded(module, &pm, [&] { return pm.run(module); })))
    return CompileStatus::Success;
  // Up to the plan the passes refuse what the input says; after it they only translate, so a failure is ours, unless
  // somebody else wrote the kernels.
  failedPass = stage > Stage::Plan && entered < Stage::Kernels;
  return failedPass ? CompileStatus::Defect : CompileStatus::BadInput;
}

LogicalResult Compiler::runGuarded(ModuleOp module, PassManager *passes, llvm::function_ref<LogicalResult()> work) {
  return options.guard ? options.guard(module, passes, work) : work();
}

/// The stage that decides a fusion.
static Stage getDecidingStage(StringRef kind) {
  return kind == "epilogue" || kind == "embedding" ? Stage::Kernels : Stage::Fused;
}

CompileStatus Compiler::checkFusions(ModuleOp module, Stage stage) {
  if (stage == Stage::Fused)
    report.countFusions(module);
  bool enough = true, isLate = false;
  for (const auto &[kind, least] : options.requiredFusions) {
    isLate |= getDecidingStage(kind) > options.stage;
    if (getDecidingStage(kind) != stage)
      continue;
    if (int64_t count = report.getFusionCount(kind); count < least) {
      emitError(UnknownLoc::get(&context)) << "--require-fusion: the graph has " << count << " of " << kind << ", not " << least;
      enough = false;
    }
  }
  if (!enough)
    return CompileStatus::CheckFailed;
  if (stage != Stage::Fused || !isLate)
    return CompileStatus::Success;
  // The compilation ends before kernels are formed: they are formed for the check alone.
  OwningOpRef<ModuleOp> ahead = module.clone();
  CompileStatus status = runStage(*ahead, Stage::Kernels);
  return status == CompileStatus::Success ? checkFusions(*ahead, Stage::Kernels) : status;
}

CompileStatus Compiler::writeModule(ModuleOp module, StringRef path) {
  llvm::Error error = options.asONNX && path == options.outputPath
                          ? exportONNX(module, path, /*isSimplified=*/options.stage == Stage::Fused)
                          : mlir::tfc::writeModule(module, path);
  if (!error)
    return CompileStatus::Success;
  CompileStatus status = isMachineError(error) ? CompileStatus::Defect : CompileStatus::BadInput;
  return reportError(context, std::move(error), status);
}

CompileStatus Compiler::writeCode(ModuleOp module) {
  llvm::Expected<::tfc::CpuTargets> cpus = ::tfc::parseCpuTargets(options.cpu);
  if (!cpus)
    return reportError(context, cpus.takeError(), CompileStatus::BadInput);
  ArtifactOptions artifact;
  artifact.outputPath = options.outputPath;
  artifact.headerPath = options.headerPath;
  artifact.weights = options.weights;
  // What is no kernel runs on every CPU of the artifact.
  artifact.target = {cpus->back().triple, cpus->back().llvmCpu, cpus->back().llvmFeatures};
  artifact.variants.clear();
  for (const ::tfc::CpuTarget &cpu : *cpus)
    artifact.variants.push_back({artifact.variants.empty() ? "" : "." + cpu.name, cpu.featureBits});
  artifact.querySymbol = options.querySymbol;
  bool isLibrary = options.stage == Stage::SharedLibrary || options.stage == Stage::Archive;
  llvm::Error error = isLibrary
                          ? emitArtifact(module, options.stage == Stage::Archive ? LibraryKind::Static : LibraryKind::Shared, artifact)
                          : emitCodeFile(module, options.stage == Stage::Asm ? CodeKind::Assembly : CodeKind::Object, artifact);
  if (!error)
    return CompileStatus::Success;
  CompileStatus status = isMachineError(error) ? CompileStatus::Defect : CompileStatus::BadInput;
  return reportError(context, std::move(error), status);
}

CompileStatus Compiler::run(const CompileInput &input) {
  if (!options.saveStagesDir.empty())
    if (std::error_code error = llvm::sys::fs::create_directories(options.saveStagesDir)) {
      emitError(UnknownLoc::get(&context)) << "cannot make the folder " << options.saveStagesDir << ": " << error.message();
      return CompileStatus::BadInput;
    }
  // A CPU that does not exist should not take a whole compilation to be found out.
  if (llvm::Expected<::tfc::CpuTargets> cpus = ::tfc::parseCpuTargets(options.cpu); !cpus)
    return reportError(context, cpus.takeError(), CompileStatus::BadInput);

  OwningOpRef<ModuleOp> module;
  Stage stage = Stage::Import;
  auto start = std::chrono::steady_clock::now();
  CompileStatus status = load(input, module, stage);
  if (status != CompileStatus::Success)
    return status;
  if (stage > options.stage) {
    emitError(UnknownLoc::get(&context)) << "the input stands at stage " << stringifyStage(stage) << ", after the stage "
                                         << stringifyStage(options.stage) << " that is asked for";
    return CompileStatus::BadInput;
  }
  if (!options.requiredFusions.empty() && (stage > Stage::Import || options.stage < Stage::Fused)) {
    emitError(UnknownLoc::get(&context)) << "--require-fusion needs a compilation that goes through the stage fused";
    return CompileStatus::BadInput;
  }
  report.addOperators(*module);
  auto finishStage = [&](Stage done) -> CompileStatus {
    double milliseconds = millisecondsSince(start);
    report.addStage(stringifyStage(done), milliseconds);
    if (options.onStage)
      options.onStage(stringifyStage(done), milliseconds);
    if (done >= Stage::Kernels && done <= Stage::Plan)
      report.addKernels(*module);
    CompileStatus written = CompileStatus::Success;
    if (!options.saveStagesDir.empty() && done <= Stage::LLVM) {
      SmallString<256> path(options.saveStagesDir);
      llvm::sys::path::append(path, Twine(static_cast<int>(done)) + "-" + stringifyStage(done) + ".mlir");
      written = writeModule(*module, path);
    }
    start = std::chrono::steady_clock::now();
    return written;
  };
  if (status = finishStage(stage); status != CompileStatus::Success)
    return status;

  Stage last = std::min(options.stage, Stage::LLVM);
  while (stage < last) {
    stage = static_cast<Stage>(static_cast<int>(stage) + 1);
    if (status = runStage(*module, stage); status != CompileStatus::Success)
      return status;
    if (stage == Stage::Fused || stage == Stage::Kernels)
      if (status = checkFusions(*module, stage); status != CompileStatus::Success)
        return status;
    if (status = finishStage(stage); status != CompileStatus::Success)
      return status;
  }
  if (options.stage <= Stage::LLVM)
    return writeModule(*module, options.outputPath);
  LogicalResult written = runGuarded(*module, nullptr, [&] { return success((status = writeCode(*module)) == CompileStatus::Success); });
  if (failed(written))
    return status == CompileStatus::Success ? CompileStatus::Defect : status;
  return finishStage(options.stage);
}
