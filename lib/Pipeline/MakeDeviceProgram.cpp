//===- MakeDeviceProgram.cpp - A device's program for an artifact -----------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "MakeDeviceProgram.h"

#include "tfc/Codegen/GPU/DeviceCode.h"
#include "tfc/Codegen/GPU/EmulateGpuModule.h"
#include "tfc/Codegen/GPU/SerializeToPTX.h"
#include "tfc/Target/DeviceCode.h"
#include "tfc/TargetInfo/GpuTarget.h"

#include "llvm/IR/Module.h"

using namespace mlir;
using namespace mlir::tfc;

static llvm::Expected<gpu::GPUModuleOp> getKernels(ModuleOp module) {
  if (auto kernels = module.lookupSymbol<gpu::GPUModuleOp>(kGpuModuleName))
    return kernels;
  return llvm::createStringError("the module has no gpu.module @%s; it was not lowered to the stage llvm", kGpuModuleName.data());
}

/// The kernels of a GPU for this machine, with what an emulator needs to know of them.
static llvm::Expected<std::unique_ptr<llvm::Module>> emulate(ModuleOp module, const ::tfc::GpuTarget &gpu,
                                                             llvm::LLVMContext &llvmContext) {
  llvm::Expected<gpu::GPUModuleOp> kernels = getKernels(module);
  if (!kernels)
    return kernels.takeError();
  FailureOr<std::unique_ptr<llvm::Module>> code = translateGpuModule(*kernels, gpu, llvmContext);
  if (failed(code))
    return llvm::createStringError("the code for an emulated GPU cannot be written");
  ::tfc::ParameterBytes parameters = ::tfc::getParameterBytes(**code);
  emulateGpuModule(**code);
  ::tfc::listEmulatedCode(**code, parameters);
  return std::move(*code);
}

llvm::Expected<DeviceProgram> mlir::tfc::makeDeviceProgram(ModuleOp module, const ::tfc::TargetSpec &target, bool assembles) {
  llvm::Expected<::tfc::GpuTarget> gpu = ::tfc::parseGpuTarget(target.name);
  if (!gpu)
    return gpu.takeError();
  DeviceProgram result;
  result.module = module;
  result.capability = gpu->computeCapability;
  result.isExact = StringRef(gpu->chip).ends_with("a");
  result.target = target.str();
  if (target.kind == ::tfc::TargetKind::EmulatedCUDA) {
    result.kind = TFC_PROGRAM_EMULATED;
    result.emulate = [module, gpu = *gpu](llvm::LLVMContext &llvmContext) { return emulate(module, gpu, llvmContext); };
    return result;
  }
  llvm::Expected<gpu::GPUModuleOp> kernels = getKernels(module);
  if (!kernels)
    return kernels.takeError();
  if (failed(serializeToPTX(*kernels, *gpu, result.ptx)))
    return llvm::createStringError("the code for " + result.target + " cannot be written");
  if (!assembles)
    return result;
  llvm::Expected<std::string> cubin = ::tfc::makeCubin(result.ptx, *gpu);
  if (!cubin)
    return cubin.takeError();
  result.cubin = std::move(*cubin);
  return result;
}
