//===- EmulatedModule.cpp - GPU kernels made at run time for this machine ------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "EmulatedModule.h"
#include "tfc/Codegen/GPU/EmulateGpuModule.h"
#include "tfc/Codegen/GPU/SerializeToPTX.h"

#include "llvm/ExecutionEngine/Orc/ThreadSafeModule.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/InlineAsm.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/Verifier.h"
#include "llvm/Support/TargetSelect.h"

using namespace llvm;

/// Takes out the call number N of those whose name or text has the word: "WORD:N". What it gave becomes zero.
static Error plantFault(Module &module, StringRef plant) {
  auto [word, numberText] = plant.split(':');
  unsigned number = 0;
  if (numberText.getAsInteger(10, number))
    return createStringError("a fault is WORD:N");
  unsigned seen = 0;
  for (Function &function : module)
    for (Instruction &instruction : instructions(function)) {
      auto *call = dyn_cast<CallInst>(&instruction);
      if (!call)
        continue;
      StringRef name;
      if (auto *assembly = dyn_cast<InlineAsm>(call->getCalledOperand()))
        name = assembly->getAsmString();
      else if (Function *callee = call->getCalledFunction())
        name = callee->getName();
      if (!name.contains(word) || seen++ != number)
        continue;
      if (!call->getType()->isVoidTy())
        call->replaceAllUsesWith(Constant::getNullValue(call->getType()));
      call->eraseFromParent();
      return Error::success();
    }
  return createStringError("there are only %u calls of %s", seen, word.str().c_str());
}

namespace tfc::emu {

Expected<std::unique_ptr<EmulatedModule>> EmulatedModule::create(mlir::gpu::GPUModuleOp module, const GpuTarget &target,
                                                                 StringRef plant) {
  auto context = std::make_unique<LLVMContext>();
  auto code = mlir::tfc::translateGpuModule(module, target, *context);
  if (mlir::failed(code))
    return createStringError("translation failed");
  if (!plant.empty())
    if (Error error = plantFault(**code, plant))
      return std::move(error);
  mlir::tfc::emulateGpuModule(**code);

  InitializeNativeTarget();
  InitializeNativeTargetAsmPrinter();
  auto builder = orc::JITTargetMachineBuilder::detectHost();
  if (!builder)
    return builder.takeError();
  builder->setCodeGenOptLevel(CodeGenOptLevel::Less);
  auto jit = orc::LLJITBuilder().setJITTargetMachineBuilder(*builder).create();
  if (!jit)
    return jit.takeError();
  (*code)->setTargetTriple((*jit)->getTargetTriple());
  (*code)->setDataLayout((*jit)->getDataLayout());
  std::string message;
  raw_string_ostream stream(message);
  if (verifyModule(**code, &stream))
    return createStringError("emulated code is not valid: " + message);
  if (Error error = (*jit)->addIRModule(orc::ThreadSafeModule(std::move(*code), std::move(context))))
    return std::move(error);
  auto result = std::make_unique<EmulatedModule>();
  result->jit = std::move(*jit);
  return std::move(result);
}

Error EmulatedModule::launch(StringRef kernel, const TfcEmuLaunch &launch, void **parameters) {
  auto address = jit->lookup((kernel + ".emu").str());
  if (!address)
    return address.takeError();
  char message[1024];
  if (tfc_emu_launch(address->toPtr<void (*)(void **)>(), &launch, parameters, message, sizeof message))
    return createStringError(std::string(message));
  return Error::success();
}

} // namespace tfc::emu
