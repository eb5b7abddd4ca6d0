//===- Compiler.cpp - From a model to an artifact -----------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Pipeline/Compiler.h"
#include "LoadInput.h"
#include "MakeDeviceProgram.h"
#include "ReuseKernels.h"

#include "tfc/Codegen/Common/OperandCasts.h"
#include "tfc/Codegen/GPU/DeviceCode.h"
#include "tfc/Codegen/GPU/SerializeToPTX.h"
#include "tfc/Dialect/Tfc/IR/TfcOps.h"
#include "tfc/Pipeline/WriteModule.h"
#include "tfc/Target/OutputFile.h"
#include "tfc/TargetInfo/CpuTarget.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace mlir::tfc;

Compiler::Compiler(MLIRContext &context, CompileOptions options) : context(context), options(std::move(options)) {
  context.loadDialect<TfcDialect, func::FuncDialect>();
}

Compiler::~Compiler() = default;

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

CompileStatus Compiler::load(const CompileInput &input, OwningOpRef<ModuleOp> &module, Stage &stage) {
  module = loadInput(input, context, stage);
  if (!module)
    return CompileStatus::BadInput;
  entered = stage;
  // Kernels that have been generated stay for the CPUs that they were generated for.
  if (auto cpu = stage >= Stage::Host ? (*module)->getAttrOfType<StringAttr>("tfc.cpu") : StringAttr())
    options.targets = {{::tfc::TargetKind::CPU, cpu.str()}};
  graphWeights = listGraphWeights(*module);
  if (!input.name.empty()) {
    (*module)->setAttr("tfc.model_name", StringAttr::get(&context, input.name));
  } else if (!module->getOperation()->hasAttr("tfc.model_name")) {
    StringRef name = input.builtin.empty() ? llvm::sys::path::stem(input.path) : StringRef(input.builtin);
    (*module)->setAttr("tfc.model_name", StringAttr::get(&context, name));
  }
  return CompileStatus::Success;
}

//===----------------------------------------------------------------------------------------------===//
// Running
//===----------------------------------------------------------------------------------------------===//

/// Of kernels for CPUs. A module whose stages are looked at should have all of its kernels in them.
void Compiler::openCache(ModuleOp module) {
  bool isLibrary = options.stage == Stage::SharedLibrary || options.stage == Stage::Archive;
  if (options.cacheDir.empty() || !isLibrary || !options.saveStagesDir.empty() || entered > Stage::Plan || options.targets.front().isDevice())
    return;
  cache = std::make_unique<::tfc::KernelCache>(options.cacheDir, options.cacheLimit, [this](StringRef sentence) {
    emitWarning(UnknownLoc::get(&context)) << sentence;
  });
  // In an archive the names of kernels end with that of the query function, which may be made from the model's.
  std::string names;
  if (auto name = module->getAttrOfType<StringAttr>("tfc.model_name"); name && options.stage == Stage::Archive)
    names = "archive " + options.querySymbol + " " + name.str();
  reuse = std::make_unique<KernelReuse>(*cache, options.targets.front().name, names);
}

static bool isDevice(const ::tfc::TargetSpec &target) { return target.isDevice(); }

CompileStatus Compiler::runStage(ModuleOp module, Stage stage, const ::tfc::TargetSpec *target) {
  if (stage != Stage::Host || target->isDevice())
    return runPasses(module, stage, target, [&](OpPassManager &pm, const PipelineOptions &pipeline) { buildStage(pm, stage, pipeline); });
  if (CompileStatus status = runPasses(module, stage, target, buildKernelPreparation); status != CompileStatus::Success)
    return status;
  // The last time that launches can be read: CPUs may have more of them than the plan, and more in the arena. What several targets
  // have in common is the plan.
  if (options.targets.size() == 1)
    report.addKernels(module);
  if (reuse) {
    reuse->replaceKnownKernels(module);
    report.setReusedKernels(reuse->objects.size());
  }
  return runPasses(module, stage, target, buildHostFromPrepared);
}

CompileStatus Compiler::runPasses(ModuleOp module, Stage stage, const ::tfc::TargetSpec *target, PassBuilder build) {
  PassManager pm(&context);
  PipelineOptions pipeline;
  if (target && target->isDevice()) {
    pipeline.gpu = target->name;
    module->setAttr("tfc.device", StringAttr::get(&context, target->str()));
  } else if (target) {
    pipeline.cpu = target->name;
  }
  pipeline.reference = options.reference;
  pipeline.plainKernels = options.plainKernels;
  pipeline.precision = options.precision;
  pipeline.operandCasts = target ? target->isDevice() : llvm::any_of(options.targets, isDevice);
  pipeline.exposeNames = options.exposeNames;
  pipeline.exposeAttention = options.exposeAttention;
  for (const std::string &name : options.disabledFusions)
    pipeline.disabledFusions.push_back(name);
  build(pm, pipeline);
  if (options.configurePassManager && failed(options.configurePassManager(pm)))
    return CompileStatus::BadInput;
  // What the fusions tell goes to the report; everything else goes on to whoever listens.
  ScopedDiagnosticHandler fusions(&context, [&](Diagnostic &diagnostic) {
    std::optional<FusionRemark> remark = readFusionRemark(diagnostic);
    // Kernels of a CPU's own are formed behind the shared ones, and would tell it all again.
    if (remark && !target)
      report.addFusion(std::move(*remark));
    return success(remark.has_value());
  });
  bool isForDevice = target && target->isDevice();
  auto work = [&] {
    if (failed(pm.run(module)))
      return failure();
    // A GPU lacks functions that a model may want: that is what this refuses.
    auto kernels = module.lookupSymbol<gpu::GPUModuleOp>(kGpuModuleName);
    return success(stage != Stage::LLVM || !isForDevice || (kernels && succeeded(lowerGpuModule(kernels))));
  };
  if (succeeded(runGuarded(module, &pm, work)))
    return CompileStatus::Success;
  if (isForDevice)
    return CompileStatus::BadInput;
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

llvm::Error Compiler::writePTX(const Program &program) {
  llvm::Expected<DeviceProgram> made = makeDeviceProgram(*program.module, program.target, /*assembles=*/false);
  if (!made)
    return made.takeError();
  llvm::Expected<::tfc::OutputFile> file =
      ::tfc::OutputFile::create(options.outputPath == "-" ? "/dev/stdout" : options.outputPath);
  if (!file)
    return file.takeError();
  if (llvm::Error error = file->write(made->ptx))
    return error;
  return file->commit();
}

llvm::Error Compiler::writeArtifact(MutableArrayRef<Program> programs) {
  ArtifactOptions artifact;
  artifact.outputPath = options.outputPath;
  artifact.headerPath = options.headerPath;
  artifact.weights = options.weights;
  artifact.querySymbol = options.querySymbol;
  artifact.graphWeights = graphWeights;
  ModuleOp cpuModule;
  // Host programs of an artifact without kernels for the CPU run on any that tfc knows.
  std::string cpuNames = "x86-64-v2";
  for (Program &program : programs) {
    if (!program.target.isDevice()) {
      cpuModule = *program.module;
      cpuNames = program.target.name;
      continue;
    }
    llvm::Expected<DeviceProgram> made = makeDeviceProgram(*program.module, program.target, /*assembles=*/true);
    if (!made)
      return made.takeError();
    artifact.programs.push_back(std::move(*made));
  }
  llvm::Expected<::tfc::CpuTargets> cpus = ::tfc::parseCpuTargets(cpuNames);
  if (!cpus)
    return cpus.takeError();
  // A CPU that the kernels are too new for may have a GPU: what that needs of the CPU is little.
  if (StringRef(cpus->back().name).starts_with("x86-64"))
    artifact.programCpu = "x86-64-v2";
  // What is no kernel runs on every CPU of the artifact.
  artifact.target = {cpus->back().triple, cpus->back().llvmCpu, ""};
  artifact.variants.clear();
  for (const ::tfc::CpuTarget &cpu : *cpus)
    artifact.variants.push_back({artifact.variants.empty() ? "" : "." + cpu.name, cpu.featureBits});
  if (reuse) {
    artifact.kernelObjects = std::move(reuse->objects);
    artifact.onKernelObject = [&](StringRef kernel, StringRef object) { reuse->keep(cpuModule, kernel, object); };
  }
  if (options.stage == Stage::SharedLibrary || options.stage == Stage::Archive)
    return emitArtifact(cpuModule, options.stage == Stage::Archive ? LibraryKind::Static : LibraryKind::Shared, artifact);
  return emitCodeFile(cpuModule, options.stage == Stage::Asm ? CodeKind::Assembly : CodeKind::Object, artifact);
}

CompileStatus Compiler::writeCode(MutableArrayRef<Program> programs) {
  llvm::Error error = options.stage == Stage::PTX ? writePTX(programs.front()) : writeArtifact(programs);
  if (!error)
    return CompileStatus::Success;
  CompileStatus status = isMachineError(error) ? CompileStatus::Defect : CompileStatus::BadInput;
  return reportError(context, std::move(error), status);
}

/// What targets cannot do should not take a whole compilation to be found out.
CompileStatus Compiler::checkTargets(ModuleOp module, Stage stage) {
  auto fail = [&](const Twine &message) {
    emitError(UnknownLoc::get(&context)) << message;
    return CompileStatus::BadInput;
  };
  const ::tfc::TargetSpec &first = options.targets.front();
  if (options.targets.size() > 1 && options.stage > Stage::Plan && options.stage < Stage::SharedLibrary)
    return fail("--emit=" + stringifyStage(options.stage) + " writes what is made for one target, and there are several");
  if (options.stage == Stage::PTX && first.kind != ::tfc::TargetKind::CUDA)
    return fail("--emit=ptx needs a target of the kind cuda:sm_80, not " + first.str());
  // What has been lowered for one device cannot become a program for another.
  auto device = module->getAttrOfType<StringAttr>("tfc.device");
  StringRef loweredFor = device ? device.getValue() : StringRef("a CPU");
  bool fits = device ? options.targets.size() == 1 && device.getValue() == first.str() : !first.isDevice();
  if (stage > Stage::Plan && !(fits && options.targets.size() == 1))
    return fail("the input is lowered for " + loweredFor + " already; it can be compiled for that target alone");
  return CompileStatus::Success;
}

CompileStatus Compiler::finishStage(ModuleOp module, Stage stage, const ::tfc::TargetSpec *target) {
  double milliseconds = millisecondsSince(stageStart);
  std::string name = stringifyStage(stage).str();
  if (target && options.targets.size() > 1)
    name += "." + target->str();
  report.addStage(name, milliseconds);
  if (options.onStage)
    options.onStage(name, milliseconds);
  if (stage >= Stage::Kernels && stage <= Stage::Plan && !target)
    report.addKernels(module);
  if (stage == Stage::Host && target && target->isDevice())
    report.addProgram(target->str(), module);
  CompileStatus written = CompileStatus::Success;
  if (!options.saveStagesDir.empty() && stage <= Stage::LLVM) {
    SmallString<256> path(options.saveStagesDir);
    llvm::replace(name, ':', '-');
    llvm::sys::path::append(path, Twine(static_cast<int>(stage)) + "-" + name + ".mlir");
    written = writeModule(module, path);
  }
  stageStart = std::chrono::steady_clock::now();
  return written;
}

/// What targets have in common.
CompileStatus Compiler::runShared(ModuleOp module, Stage &stage, Stage last) {
  CompileStatus status = CompileStatus::Success;
  while (stage < std::min(options.stage, last)) {
    stage = static_cast<Stage>(static_cast<int>(stage) + 1);
    if (status = runStage(module, stage); status != CompileStatus::Success)
      return status;
    if (stage == Stage::Fused || stage == Stage::Kernels)
      if (status = checkFusions(module, stage); status != CompileStatus::Success)
        return status;
    if (status = finishStage(module, stage); status != CompileStatus::Success)
      return status;
  }
  return status;
}

/// Only the fused graph tells, and a plan that is written is one for all targets.
bool Compiler::wantsOwnKernelsForCpus(ModuleOp module, Stage stage) const {
  bool hasBoth = llvm::any_of(options.targets, isDevice) && !llvm::all_of(options.targets, isDevice);
  return hasBoth && stage == Stage::Fused && options.stage > Stage::Plan && hasHalfNumbers(module);
}

CompileStatus Compiler::runProgram(Program &program, Stage stage) {
  CompileStatus status = CompileStatus::Success;
  while (stage < std::min(options.stage, Stage::LLVM)) {
    stage = static_cast<Stage>(static_cast<int>(stage) + 1);
    if (status = runStage(*program.module, stage, &program.target); status != CompileStatus::Success)
      return status;
    if (status = finishStage(*program.module, stage, &program.target); status != CompileStatus::Success)
      return status;
  }
  return status;
}

/// From the fused graph, or what was given, to a module at stage llvm for each target.
CompileStatus Compiler::runPrograms(OwningOpRef<ModuleOp> module, Stage stage, std::vector<Program> &programs) {
  OwningOpRef<ModuleOp> forCpus;
  if (wantsOwnKernelsForCpus(*module, stage))
    forCpus = module->clone();
  Stage cpuStage = stage;
  if (CompileStatus status = runShared(*module, stage, Stage::Plan); status != CompileStatus::Success)
    return status;
  for (const ::tfc::TargetSpec &target : options.targets) {
    bool isOwn = forCpus && !target.isDevice(), isLast = programs.size() + 1 == options.targets.size();
    // A list has one target for CPUs.
    OwningOpRef<ModuleOp> &from = isOwn ? forCpus : module;
    programs.push_back({target, isOwn || isLast ? std::move(from) : OwningOpRef<ModuleOp>(from->clone())});
    if (CompileStatus status = runProgram(programs.back(), isOwn ? cpuStage : stage); status != CompileStatus::Success)
      return status;
  }
  return CompileStatus::Success;
}

CompileStatus Compiler::run(const CompileInput &input) {
  if (!options.saveStagesDir.empty())
    if (std::error_code error = llvm::sys::fs::create_directories(options.saveStagesDir)) {
      emitError(UnknownLoc::get(&context)) << "cannot make the folder " << options.saveStagesDir << ": " << error.message();
      return CompileStatus::BadInput;
    }
  OwningOpRef<ModuleOp> module;
  Stage stage = Stage::Import;
  stageStart = std::chrono::steady_clock::now();
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
  if (options.precision != "f32" && (stage > Stage::Import || options.stage < Stage::Fused)) {
    emitError(UnknownLoc::get(&context)) << "--precision needs a compilation that goes through the stage fused";
    return CompileStatus::BadInput;
  }
  openCache(*module);
  if (status = checkTargets(*module, stage); status != CompileStatus::Success)
    return status;
  report.addOperators(*module);
  if (status = finishStage(*module, stage); status != CompileStatus::Success)
    return status;
  if (status = runShared(*module, stage, options.stage <= Stage::Plan ? Stage::Plan : Stage::Fused); status != CompileStatus::Success)
    return status;
  if (options.stage <= Stage::Plan)
    return writeModule(*module, options.outputPath);

  std::vector<Program> programs;
  if (status = runPrograms(std::move(module), stage, programs); status != CompileStatus::Success)
    return status;
  if (options.stage <= Stage::LLVM)
    return writeModule(*programs.front().module, options.outputPath);
  LogicalResult written =
      runGuarded(*programs.front().module, nullptr, [&] { return success((status = writeCode(programs)) == CompileStatus::Success); });
  if (failed(written))
    return status == CompileStatus::Success ? CompileStatus::Defect : status;
  if (cache)
    cache->prune();
  return finishStage(*programs.front().module, options.stage);
}
