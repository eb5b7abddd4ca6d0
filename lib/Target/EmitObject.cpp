//===- EmitObject.cpp - From an LLVM module to object code or assembly ---------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===------------------------------------------------------------------------------------------------------===//

#include "tfc/Target/EmitObject.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/Bitcode/BitcodeWriter.h"
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
#include "llvm/Transforms/IPO/GlobalDCE.h"

#include <mutex>

using namespace llvm;

/// Below this many instructions a second thread costs more (bitcode out and in) than it gains.
static constexpr uint64_t kInstructionsWorthAPart = 4000;

static void initializeTargets() {
  static std::once_flag once;
  std::call_once(once, [] {
    InitializeAllTargetInfos();
    InitializeAllTargets();
    InitializeAllTargetMCs();
    InitializeAllAsmPrinters();
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

/// Gives each function with a body the number of its part: always to the part that has least so far, the
/// largest functions first. Functions are told apart by name, which holds across contexts.
static StringMap<unsigned> assignParts(const Module &module, unsigned parts) {
  SmallVector<std::pair<uint64_t, StringRef>> functions;
  for (const Function &function : module)
    if (!function.isDeclaration())
      functions.push_back({function.getInstructionCount(), function.getName()});
  stable_sort(functions, [](const auto &a, const auto &b) { return a.first > b.first; });
  SmallVector<uint64_t> load(parts);
  StringMap<unsigned> partOf;
  for (auto [size, name] : functions) {
    unsigned part = min_element(load) - load.begin();
    load[part] += size + 1;
    partOf[name] = part;
  }
  return partOf;
}

/// Local definitions that a function of another part may need become hidden ones with a name of their own.
static void exposeLocals(Module &module) {
  unsigned number = 0;
  for (GlobalObject &object : module.global_objects()) {
    if (object.isDeclaration() || !object.hasLocalLinkage())
      continue;
    object.setName("tfc.local." + Twine(number++));
    object.setLinkage(GlobalValue::ExternalLinkage);
    object.setVisibility(GlobalValue::HiddenVisibility);
    object.setDSOLocal(true);
  }
}

/// Takes away what other parts define. Part 0 has all data.
static void keepPart(Module &module, const StringMap<unsigned> &partOf, unsigned part) {
  for (Function &function : module) {
    if (function.isDeclaration() || partOf.lookup(function.getName()) == part)
      continue;
    function.deleteBody();
    function.setVisibility(GlobalValue::HiddenVisibility);
  }
  if (part == 0)
    return;
  for (GlobalVariable &global : module.globals()) {
    // A constant stays readable for the optimizer, but is written once.
    if (global.isDeclaration())
      continue;
    if (global.isConstant() && global.hasDefinitiveInitializer()) {
      global.setLinkage(GlobalValue::AvailableExternallyLinkage);
      continue;
    }
    global.setInitializer(nullptr);
    global.setSection("");
  }
}

Expected<std::vector<SmallString<0>>> tfc::emitObjects(std::unique_ptr<Module> module,
                                                       const CodegenTarget &target, unsigned threads) {
  uint64_t instructions = 0, bodies = 0;
  for (const Function &function : *module) {
    instructions += function.getInstructionCount();
    bodies += !function.isDeclaration();
  }
  // The number of parts must not depend on the number of threads, or the bytes would.
  unsigned parts = instructions < 2 * kInstructionsWorthAPart
                       ? 1
                       : std::min<uint64_t>({instructions / kInstructionsWorthAPart, bodies, 4});
  std::vector<SmallString<0>> objects(parts);
  if (parts == 1) {
    if (Error error = emitCode(*module, target, /*object=*/true, objects[0]))
      return std::move(error);
    return objects;
  }

  exposeLocals(*module);
  StringMap<unsigned> partOf = assignParts(*module, parts);
  SmallString<0> bitcode;
  raw_svector_ostream stream(bitcode);
  WriteBitcodeToFile(*module, stream);
  module.reset();

  std::vector<std::string> messages(parts);
  DefaultThreadPool pool(hardware_concurrency(std::max(1u, threads)));
  for (unsigned part = 0; part < parts; ++part)
    pool.async([&, part] {
      LLVMContext context;
      auto parsed = parseBitcodeFile(MemoryBufferRef(bitcode, "tfc"), context);
      if (!parsed) {
        messages[part] = toString(parsed.takeError());
        return;
      }
      keepPart(**parsed, partOf, part);
      if (Error error = emitCode(**parsed, target, /*object=*/true, objects[part]))
        messages[part] = toString(std::move(error));
    });
  pool.wait();
  for (const std::string &message : messages)
    if (!message.empty())
      return createStringError("%s", message.c_str());
  return objects;
}
