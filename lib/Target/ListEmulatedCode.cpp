//===- ListEmulatedCode.cpp - What a driver that emulates a GPU is given in the place of PTX -----===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// tfc/Codegen/GPU/EmulateGpuModule.h says what kernels look like that run on this machine. A shared library that is loaded before there is an
// emulator cannot name its functions. So each of them becomes a bridge to what stands in a slot, and the emulator fills the slots:
//
//   static void *slot;  static void tfc_emu_shfl(void *result, const uint64_t *arguments) { slot(result, arguments); }
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc-c/EmulatedCode.h"
#include "tfc/Target/DeviceCode.h"
#include "tfc/Target/EmitModelABI.h"

#include "llvm/IR/Constants.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/ReplaceConstant.h"

using namespace llvm;

/// What emulateGpuModule puts behind the name of a kernel for the function that takes the addresses of its parameters.
static constexpr StringLiteral kDoorSuffix = ".emu";

tfc::ParameterBytes tfc::getParameterBytes(const Module &module) {
  ParameterBytes kernels;
  for (const Function &function : module) {
    if (function.getCallingConv() != CallingConv::PTX_Kernel || function.isDeclaration())
      continue;
    std::vector<uint32_t> bytes;
    for (const Argument &argument : function.args()) {
      Type *byValue = argument.getParamByValType();
      bytes.push_back(module.getDataLayout().getTypeAllocSize(byValue ? byValue : argument.getType()));
    }
    kernels.push_back({function.getName().str(), std::move(bytes)});
  }
  return kernels;
}

namespace {
class CodeLister {
public:
  explicit CodeLister(Module &module)
      : module(module), context(module.getContext()), pointer(PointerType::get(context, 0)), i32(Type::getInt32Ty(context)),
        i64(Type::getInt64Ty(context)) {}

  void run(const tfc::ParameterBytes &kernels);

private:
  Constant *number(uint64_t value) { return ConstantInt::get(i32, value); }
  Constant *text(StringRef value) { return constant(ConstantDataArray::getString(context, value, /*AddNull=*/true)); }
  Constant *constant(Constant *value) {
    return new GlobalVariable(module, value->getType(), /*isConstant=*/true, GlobalValue::PrivateLinkage, value, "tfc.emulated");
  }
  Constant *array(ArrayRef<Constant *> elements) {
    if (elements.empty())
      return ConstantPointerNull::get(pointer);
    return constant(ConstantArray::get(ArrayType::get(elements.front()->getType(), elements.size()), elements));
  }
  GlobalVariable *makeSlot(StringRef name) {
    auto *slot = new GlobalVariable(module, pointer, /*isConstant=*/false, GlobalValue::InternalLinkage,
                                    ConstantPointerNull::get(pointer), "tfc.slot." + name);
    imports.push_back(ConstantStruct::getAnon(context, {text(name), slot}));
    return slot;
  }
  void bridge(Function &function);
  void loadAddress(GlobalVariable &variable);

  Module &module;
  LLVMContext &context;
  PointerType *pointer;
  Type *i32, *i64;
  SmallVector<Constant *> imports;
};
} // namespace

void CodeLister::bridge(Function &function) {
  GlobalVariable *slot = makeSlot(function.getName());
  function.setLinkage(GlobalValue::InternalLinkage);
  IRBuilder<> builder(BasicBlock::Create(context, "", &function));
  SmallVector<Value *> arguments;
  for (Argument &argument : function.args())
    arguments.push_back(&argument);
  builder.CreateCall(function.getFunctionType(), builder.CreateLoad(pointer, slot), arguments);
  builder.CreateRetVoid();
}

/// Every use of the variable's address becomes one of what stands in its slot.
void CodeLister::loadAddress(GlobalVariable &variable) {
  GlobalVariable *slot = makeSlot(variable.getName());
  convertUsersOfConstantsToInstructions({&variable});
  for (Use &use : make_early_inc_range(variable.uses())) {
    auto *user = cast<Instruction>(use.getUser());
    IRBuilder<> builder(&user->getFunction()->getEntryBlock(), user->getFunction()->getEntryBlock().getFirstInsertionPt());
    use.set(builder.CreateAddrSpaceCast(builder.CreateLoad(pointer, slot), variable.getType()));
  }
  variable.eraseFromParent();
}

void CodeLister::run(const tfc::ParameterBytes &kernels) {
  SmallVector<Constant *> functions, constants;
  for (const auto &[name, bytes] : kernels) {
    Function *door = module.getFunction(name + kDoorSuffix.str());
    door->setLinkage(GlobalValue::InternalLinkage);
    Constant *sizes = bytes.empty() ? static_cast<Constant *>(ConstantPointerNull::get(pointer))
                                    : constant(ConstantDataArray::get(context, bytes));
    functions.push_back(ConstantStruct::getAnon(context, {text(name), door, sizes, number(bytes.size()), number(0)}));
  }
  SmallVector<Function *> wanted;
  for (Function &function : module)
    if (function.isDeclaration() && !function.isIntrinsic())
      wanted.push_back(&function);
  for (Function *function : wanted)
    bridge(*function);
  for (GlobalVariable &variable : make_early_inc_range(module.globals())) {
    if (variable.getName().starts_with("tfc.") || variable.getName().starts_with("llvm."))
      continue;
    if (variable.isDeclaration()) {
      loadAddress(variable);
      continue;
    }
    uint64_t bytes = module.getDataLayout().getTypeAllocSize(variable.getValueType());
    constants.push_back(ConstantStruct::getAnon(
        context, {ConstantExpr::getPointerBitCastOrAddrSpaceCast(&variable, pointer), ConstantInt::get(i64, bytes)}));
  }
  Constant *code = ConstantStruct::getAnon(
      context, {number(TFC_EMULATED_MAGIC), number(functions.size()), number(imports.size()), number(constants.size()),
                array(functions), array(imports), array(constants)});
  new GlobalVariable(module, code->getType(), /*isConstant=*/true, GlobalValue::ExternalLinkage, code, tfc::kEmulatedCodeSymbol);
}

void tfc::listEmulatedCode(Module &module, const ParameterBytes &kernels) { CodeLister(module).run(kernels); }
