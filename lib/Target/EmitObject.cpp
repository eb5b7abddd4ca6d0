//===- EmitObject.cpp - From an LLVM module to object code or assembly ---------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===------------------------------------------------------------------------------------------------------===//

#include "tfc/Target/EmitObject.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/DiagnosticPrinter.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/PassManager.h"
#include "llvm/IR/Verifier.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Support/ThreadPool.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"

#include <mutex>

using namespace llvm;

static void initializeTargets() {
  static std::once_flag once;
  std::call_once(once, [] {
    InitializeAllTargetInfos();
    InitializeAllTargets();
    InitializeAllTargetMCs();
    InitializeAllAsmPrinters();
    InitializeAllAsmParsers(); // For assembly inside a module.
  });
}

/// LLVM only prints a warning about a CPU or a feature that it does not know, and goes on with something
/// else.
static Error checkCpuAndFeatures(const Target &target, const Triple &triple, StringRef cpu,
                                 StringRef features) {
  std::unique_ptr<MCSubtargetInfo> subtarget(target.createMCSubtargetInfo(triple, "", ""));
  if (!subtarget)
    return createStringError("no code generator for '%s'", triple.str().c_str());
  if (!cpu.empty() && !subtarget->isCPUStringValid(cpu))
    return createStringError("unknown CPU '%s' for %s", cpu.str().c_str(), triple.str().c_str());
  SmallVector<StringRef> names;
  features.split(names, ',', /*MaxSplit=*/-1, /*KeepEmpty=*/false);
  for (StringRef name : names) {
    bool isSwitch = name.consume_front("+") || name.consume_front("-");
    auto knows = [&](const SubtargetFeatureKV &known) { return name == known.Key; };
    if (!isSwitch || none_of(subtarget->getAllProcessorFeatures(), knows))
      return createStringError("unknown CPU feature '%s' for %s", name.str().c_str(), triple.str().c_str());
  }
  return Error::success();
}

Expected<std::unique_ptr<TargetMachine>> tfc::createTargetMachine(const CodegenTarget &options) {
  initializeTargets();
  Triple triple(Triple::normalize(options.triple.empty() ? sys::getDefaultTargetTriple() : options.triple));
  std::string message;
  const Target *target = TargetRegistry::lookupTarget(triple, message);
  if (!target)
    return createStringError("no code generator for '%s'", triple.str().c_str());
  if (Error error = checkCpuAndFeatures(*target, triple, options.cpu, options.features))
    return std::move(error);

  TargetOptions targetOptions;
  // a * b + c may become one fused operation: the numerics of tfc allow it everywhere.
  targetOptions.AllowFPOpFusion = FPOpFusion::Fast;
  auto level = CodeGenOpt::getLevel(std::min(options.optLevel, 3u)).value_or(CodeGenOptLevel::Aggressive);
  std::unique_ptr<TargetMachine> machine(target->createTargetMachine(
      triple, options.cpu, options.features, targetOptions, Reloc::PIC_, std::nullopt, level));
  if (!machine)
    return createStringError("no code generator for '%s'", triple.str().c_str());
  return machine;
}

static void optimize(Module &module, TargetMachine &machine, unsigned optLevel) {
  PipelineTuningOptions tuning;
  tuning.LoopVectorization = true;
  tuning.LoopInterleaving = true;
  // Kernels are loops; what straight-line code they have was vectorized on purpose.
  tuning.SLPVectorization = false;

  LoopAnalysisManager loops;
  FunctionAnalysisManager functions;
  CGSCCAnalysisManager components;
  ModuleAnalysisManager modules;
  PassBuilder builder(&machine, tuning);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);

  const OptimizationLevel levels[] = {OptimizationLevel::O0, OptimizationLevel::O1, OptimizationLevel::O2,
                                      OptimizationLevel::O3};
  OptimizationLevel level = levels[std::min(optLevel, 3u)];
  ModulePassManager passes =
      optLevel == 0 ? builder.buildO0DefaultPipeline(level) : builder.buildPerModuleDefaultPipeline(level);
  passes.run(module, modules);
}

namespace {
/// Keeps the first error that LLVM reports through the context; by default LLVM would end the process.
struct FirstError : DiagnosticHandler {
  explicit FirstError(std::string &message) : message(message) {}
  bool handleDiagnostics(const DiagnosticInfo &info) override {
    if (info.getSeverity() == DS_Error && message.empty()) {
      raw_string_ostream stream(message);
      DiagnosticPrinterRawOStream printer(stream);
      info.print(printer);
    }
    return true;
  }
  std::string &message;
};
} // namespace

Error tfc::emitCode(Module &module, const CodegenTarget &target, bool object, SmallVectorImpl<char> &bytes) {
  Expected<std::unique_ptr<TargetMachine>> machine = createTargetMachine(target);
  if (!machine)
    return machine.takeError();
  module.setTargetTriple((*machine)->getTargetTriple());
  module.setDataLayout((*machine)->createDataLayout());
  std::string message;
  module.getContext().setDiagnosticHandler(std::make_unique<FirstError>(message));

  optimize(module, **machine, target.optLevel);
  raw_svector_ostream stream(bytes);
  legacy::PassManager passes;
  passes.add(new TargetLibraryInfoWrapperPass(module.getTargetTriple()));
  auto kind = object ? CodeGenFileType::ObjectFile : CodeGenFileType::AssemblyFile;
  if ((*machine)->addPassesToEmitFile(passes, stream, nullptr, kind))
    return createStringError("no %s can be written for '%s'", object ? "object file" : "assembly",
                             module.getTargetTriple().str().c_str());
  passes.run(module);
  module.getContext().setDiagnosticHandler(std::make_unique<DiagnosticHandler>());
  if (!message.empty())
    return createStringError("code generation failed: %s", message.c_str());
  return Error::success();
}

tfc::OwnedModule::OwnedModule() : context(std::make_unique<LLVMContext>()) {}
tfc::OwnedModule::OwnedModule(OwnedModule &&other) = default;
tfc::OwnedModule::~OwnedModule() = default;

Expected<std::vector<SmallString<0>>> tfc::emitObjects(std::vector<OwnedModule> modules, const CodegenTarget &target,
                                                       unsigned threads) {
  std::vector<SmallString<0>> objects(modules.size());
  std::vector<std::string> messages(modules.size());
  // The largest first, so that no thread begins a large one when the others are about to end.
  std::vector<std::pair<unsigned, size_t>> order;
  for (auto [number, owned] : enumerate(modules))
    order.emplace_back(owned.module->getInstructionCount(), number);
  stable_sort(order, [](const auto &x, const auto &y) { return x.first > y.first; });
  DefaultThreadPool pool(hardware_concurrency(threads));
  for (auto [size, number] : order)
    pool.async([&, number = number, &owned = modules[number]] {
      if (Error error = emitCode(*owned.module, target, /*object=*/true, objects[number]))
        messages[number] = toString(std::move(error));
      owned.module.reset();
      owned.context.reset();
    });
  pool.wait();
  for (const std::string &message : messages)
    if (!message.empty())
      return createStringError("%s", message.c_str());
  return objects;
}
