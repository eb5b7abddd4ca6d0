//===- ArtifactCode.cpp - The machine code of an artifact, in parts that are compiled side by side ---===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===------------------------------------------------------------------------------------------------------===//

#include "ArtifactCode.h"

#include "tfc/Target/EmbeddedFiles.h"
#include "tfc/Target/EmitModelABI.h"
#include "tfc/Target/SplitCode.h"
#include "tfc/Target/StaticArchive.h"
#include "tfc/Target/TranslateToLLVMIR.h"

#include "llvm/ADT/SmallBitVector.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Linker/Linker.h"
#include "llvm/Target/TargetMachine.h"

using namespace mlir;
using namespace mlir::tfc;

/// LLVM IR for the machine; without code an empty module.
static llvm::Error translate(ModuleOp code, const llvm::TargetMachine &machine, ::tfc::OwnedModule &result) {
  if (code) {
    auto translated = translateToLLVMIR(code, *result.context);
    if (!translated)
      return translated.takeError();
    result.module = std::move(*translated);
  } else {
    result.module = std::make_unique<llvm::Module>("model", *result.context);
  }
  result.module->setTargetTriple(machine.getTargetTriple());
  result.module->setDataLayout(machine.createDataLayout());
  return llvm::Error::success();
}

/// Adds what a program of a device has of code for this machine to `code`, under names of its own.
static llvm::Error linkProgram(const DeviceProgram &program, size_t number, StringRef cpu, llvm::Module &code) {
  auto host = translateToLLVMIR(program.module, code.getContext());
  if (!host)
    return host.takeError();
  // A CPU that is too old for the kernels may have a device.
  if (!cpu.empty())
    for (llvm::Function &function : **host)
      if (!function.isDeclaration()) {
        function.addFnAttr("target-cpu", cpu);
        function.addFnAttr("target-features", "");
      }
  SmallVector<std::unique_ptr<llvm::Module>, 2> parts;
  parts.push_back(std::move(*host));
  if (program.emulate) {
    auto kernels = program.emulate(code.getContext());
    if (!kernels)
      return kernels.takeError();
    parts.push_back(std::move(*kernels));
  }
  for (std::unique_ptr<llvm::Module> &part : parts) {
    part->setTargetTriple(code.getTargetTriple());
    part->setDataLayout(code.getDataLayout());
    for (llvm::GlobalObject &object : part->global_objects())
      if (!object.isDeclaration() && !object.hasLocalLinkage())
        object.setName(object.getName() + getProgramSuffix(number));
    if (llvm::Linker::linkModules(code, std::move(part)))
      return llvm::createStringError("the code of program '%s' does not go with that of the others", program.target.c_str());
  }
  return llvm::Error::success();
}

/// Adds the code of the devices' programs, and the descriptor of all.
static llvm::Error addDescriptor(llvm::Module &code, const Artifact &artifact, const ArtifactOptions &options) {
  for (auto [number, program] : llvm::enumerate(options.programs))
    if (llvm::Error error = linkProgram(program, number, options.programCpu, code))
      return error;
  return ::tfc::emitModelABI(code, artifact.description, options.querySymbol);
}

/// The code of the module in parts, the first with the descriptor.
static llvm::Expected<std::vector<::tfc::OwnedModule>> makeModules(ArrayRef<CodePart> parts, const Artifact &artifact,
                                                                   const llvm::TargetMachine &machine, const ArtifactOptions &options) {
  std::vector<::tfc::OwnedModule> modules(parts.size());
  for (auto [part, module] : llvm::zip_equal(parts, modules)) {
    if (llvm::Error error = translate(part.code ? *part.code : ModuleOp(), machine, module))
      return std::move(error);
    if (&module != &modules.front())
      ::tfc::hideKernels(*module.module, artifact.description);
    else if (llvm::Error error = addDescriptor(*module.module, artifact, options))
      return std::move(error);
  }
  return modules;
}

/// The runtime's core goes into every model.so.
static llvm::Error checkTripleIsLinkable(const llvm::Triple &triple) {
  if (!::tfc::getRuntimeCoreObject(triple).empty())
    return llvm::Error::success();
  return llvm::createStringError("a shared library for '%s' cannot be linked by this compiler, for the runtime's core was not built "
                                 "for it; object files and assembly can be written",
                                 triple.str().c_str());
}

llvm::Expected<std::vector<SmallString<0>>> mlir::tfc::compileParts(ModuleOp module, const Artifact &artifact, LibraryKind kind,
                                                                const ArtifactOptions &options) {
  auto machine = ::tfc::createTargetMachine(options.target);
  if (!machine)
    return machine.takeError();
  if (llvm::Error error = checkTripleIsLinkable((*machine)->getTargetTriple()))
    return std::move(error);
  // What is for devices alone has no code of its own, but their host programs.
  llvm::Expected<std::vector<CodePart>> parts = std::vector<CodePart>(1);
  if (module)
    parts = splitCode(module, artifact.description);
  if (!parts)
    return parts.takeError();
  llvm::Expected<std::vector<::tfc::OwnedModule>> modules = makeModules(*parts, artifact, **machine, options);
  if (!modules)
    return modules.takeError();
  if (kind == LibraryKind::Static)
    for (::tfc::OwnedModule &part : *modules)
      ::tfc::qualifyNames(*part.module, options.querySymbol);
  llvm::Expected<std::vector<SmallString<0>>> objects = ::tfc::emitObjects(std::move(*modules), options.target, options.threads);
  if (!objects)
    return objects.takeError();

  if (!module)
    return objects;
  ArrayRef<::tfc::KernelDescription> kernels = artifact.description.kernels;
  std::vector<SmallString<0>> ofKernel(kernels.size());
  llvm::SmallBitVector compiled(kernels.size());
  for (auto [part, object] : llvm::zip_equal(*parts, *objects)) {
    for (uint32_t number : part.kernels)
      compiled.set(number);
    if (&part == &parts->front())
      continue;
    if (options.onKernelObject && part.kernels.size() == 1)
      options.onKernelObject(kernels[part.kernels.front()].name, object);
    ofKernel[part.kernels.front()] = std::move(object);
  }
  objects->resize(1);
  for (auto [number, kernel] : llvm::enumerate(kernels)) {
    auto known = options.kernelObjects.find(kernel.name);
    if (!compiled[number] && known == options.kernelObjects.end())
      return llvm::createStringError("kernel @%s has no code", kernel.name.c_str());
    if (!compiled[number])
      ofKernel[number] = known->second;
    if (!ofKernel[number].empty())
      objects->push_back(std::move(ofKernel[number]));
  }
  return objects;
}

llvm::Error mlir::tfc::translateWhole(ModuleOp module, const Artifact &artifact, const ArtifactOptions &options, ::tfc::OwnedModule &code) {
  auto machine = ::tfc::createTargetMachine(options.target);
  if (!machine)
    return machine.takeError();
  if (llvm::Error error = translate(module, **machine, code))
    return error;
  return addDescriptor(*code.module, artifact, options);
}
