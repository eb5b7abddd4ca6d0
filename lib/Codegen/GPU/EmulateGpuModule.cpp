//===- EmulateGpuModule.cpp - GPU kernels as functions of this machine ---------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Codegen/GPU/EmulateGpuModule.h"
#include "LowerHalfCasts.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Analysis/ValueTracking.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InlineAsm.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/Module.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"
#include "llvm/Transforms/Utils/ModuleUtils.h"

using namespace llvm;

namespace {
class Emulation {
public:
  explicit Emulation(Module &module)
      : module(module), context(module.getContext()), pointer(PointerType::get(context, 0)),
        word(Type::getInt64Ty(context)) {}

  void run();

private:
  void prepare(Function &function);
  void replaceCall(CallInst &call);
  void storeTiedOperands(IRBuilder<> &b, InlineAsm &assembly, CallInst &call, Value *result);
  void checkAccess(Instruction &access);
  void addRounding();
  void addDoor(Function &kernel);
  FunctionCallee callee(const Twine &name, ArrayRef<Type *> parameters) {
    return module.getOrInsertFunction(name.str(),
                                      FunctionType::get(Type::getVoidTy(context), parameters, false));
  }
  /// A place in the function's frame; in its first block, so that loops do not let the stack grow.
  AllocaInst *frameSlot(Function &function, Type *type) {
    IRBuilder<> b(&*function.getEntryBlock().getFirstInsertionPt());
    AllocaInst *slot = b.CreateAlloca(type);
    slot->setAlignment(Align(16));
    return slot;
  }
  uint64_t wordsOf(Type *type) { return divideCeil(module.getDataLayout().getTypeStoreSize(type), 8); }

  Module &module;
  LLVMContext &context;
  PointerType *pointer;
  Type *word;
};
} // namespace

void Emulation::prepare(Function &function) {
  // What says how to compile for a GPU, or what only a GPU has.
  function.setAttributes(AttributeList());
  // Conversions of f16 are instructions there; below they are functions of a compiler's library, which artifacts do not have.
  if (Triple(sys::getDefaultTargetTriple()).isX86())
    function.addFnAttr("target-cpu", "x86-64-v3");
  for (BasicBlock &block : function)
    for (Instruction &instruction : block)
      if (auto *call = dyn_cast<CallInst>(&instruction))
        call->setAttributes(AttributeList());
  function.clearMetadata();
}

/// What assembly changes in place begins as the operand: its result holds that before the call.
void Emulation::storeTiedOperands(IRBuilder<> &b, InlineAsm &assembly, CallInst &call, Value *result) {
  unsigned argument = 0;
  for (const InlineAsm::ConstraintInfo &constraint : assembly.ParseConstraints()) {
    if (constraint.Type != InlineAsm::isInput)
      continue;
    Value *operand = call.getArgOperand(argument++);
    unsigned output = 0;
    if (constraint.Codes.empty() || StringRef(constraint.Codes.front()).getAsInteger(10, output))
      continue;
    bool isStruct = call.getType()->isStructTy();
    b.CreateStore(operand, isStruct ? b.CreateStructGEP(call.getType(), result, output) : result);
  }
}

void Emulation::replaceCall(CallInst &call) {
  IRBuilder<> b(&call);
  Function &function = *call.getFunction();
  uint64_t words = 0;
  for (Value *argument : call.args())
    words += std::max<uint64_t>(1, wordsOf(argument->getType()));
  AllocaInst *arguments = frameSlot(function, ArrayType::get(word, std::max<uint64_t>(1, words)));
  uint64_t at = 0;
  for (Value *argument : call.args()) {
    // A generic pointer is what the C side can use; a shorter number is zero-extended so that it has one
    // place whatever its width.
    Value *value = argument;
    if (value->getType()->isPointerTy())
      value = b.CreateAddrSpaceCast(value, pointer);
    else if (value->getType()->isIntegerTy() && value->getType()->getIntegerBitWidth() < 64)
      value = b.CreateZExt(value, word);
    b.CreateStore(value, b.CreateConstInBoundsGEP1_64(word, arguments, at));
    at += std::max<uint64_t>(1, wordsOf(argument->getType()));
  }
  bool hasResult = !call.getType()->isVoidTy();
  Value *result = hasResult ? static_cast<Value *>(frameSlot(function, call.getType()))
                            : ConstantPointerNull::get(pointer);
  if (auto *assembly = dyn_cast<InlineAsm>(call.getCalledOperand())) {
    storeTiedOperands(b, *assembly, call, result);
    Value *text = b.CreateGlobalString(assembly->getAsmString());
    uint64_t bytes = hasResult ? module.getDataLayout().getTypeStoreSize(call.getType()).getFixedValue() : 0;
    b.CreateCall(callee("tfc_emu_asm", {pointer, pointer, word, pointer}),
                 {text, result, b.getInt64(bytes), arguments});
  } else {
    std::string name = call.getCalledFunction()->getName().drop_front(StringRef("llvm.nvvm.").size()).str();
    std::replace_if(
        name.begin(), name.end(), [](char c) { return !isalnum(static_cast<unsigned char>(c)); }, '_');
    b.CreateCall(callee("tfc_emu_" + name, {pointer, pointer}), {result, arguments});
  }
  if (hasResult) {
    Value *loaded = b.CreateLoad(call.getType(), result);
    call.replaceAllUsesWith(loaded);
  }
  call.eraseFromParent();
}

void Emulation::checkAccess(Instruction &access) {
  Value *address = getLoadStorePointerOperand(&access);
  if (isa<AllocaInst>(getUnderlyingObject(address)))
    return;
  IRBuilder<> b(&access);
  uint64_t bytes = module.getDataLayout().getTypeStoreSize(getLoadStoreType(&access));
  b.CreateCall(callee("tfc_emu_check", {pointer, word, word, b.getInt32Ty()}),
               {b.CreateAddrSpaceCast(address, pointer), b.getInt64(bytes),
                b.getInt64(getLoadStoreAlignment(&access).value()), b.getInt32(isa<StoreInst>(access))});
}

void Emulation::addDoor(Function &kernel) {
  kernel.setCallingConv(CallingConv::C);
  kernel.setLinkage(GlobalValue::InternalLinkage);
  auto *door = Function::Create(FunctionType::get(Type::getVoidTy(context), {pointer}, false),
                                GlobalValue::ExternalLinkage, kernel.getName() + ".emu", module);
  IRBuilder<> b(BasicBlock::Create(context, "", door));
  SmallVector<Value *> arguments;
  for (Argument &argument : kernel.args()) {
    Value *address =
        b.CreateLoad(pointer, b.CreateConstInBoundsGEP1_64(pointer, door->getArg(0), argument.getArgNo()));
    // What is passed by value is its address here too.
    bool byValue = argument.hasByValAttr();
    arguments.push_back(byValue ? address : b.CreateLoad(argument.getType(), address));
  }
  b.CreateCall(&kernel, arguments);
  b.CreateRetVoid();
}

/// What LLVM calls where f32 becomes bf16, or where a bf16 lives on in another block. It stands in a compiler's library, which artifacts do not
/// have. As a result a vector is in the register where a bf16 would be.
void Emulation::addRounding() {
  IRBuilder<> b(context);
  auto *vector = FixedVectorType::get(b.getInt32Ty(), 4);
  auto *rounding = Function::Create(FunctionType::get(vector, {b.getFloatTy()}, false), GlobalValue::InternalLinkage, "__truncsfbf2", module);
  b.SetInsertPoint(BasicBlock::Create(context, "", rounding));
  Value *bits = mlir::tfc::roundToBFloat(b, rounding->getArg(0));
  b.CreateRet(b.CreateInsertElement(Constant::getNullValue(vector), bits, uint64_t(0)));
  appendToCompilerUsed(module, {rounding});
}

void Emulation::run() {
  SmallVector<Function *> kernels;
  for (Function &function : module) {
    if (function.getCallingConv() == CallingConv::PTX_Kernel && !function.isDeclaration())
      kernels.push_back(&function);
  }
  for (Function *kernel : kernels)
    addDoor(*kernel);
  for (Function &function : module) {
    if (function.isDeclaration() || function.getName().ends_with(".emu"))
      continue;
    prepare(function);
    mlir::tfc::lowerHalfCasts(function);
    SmallVector<CallInst *> calls;
    SmallVector<Instruction *> accesses;
    for (Instruction &instruction : instructions(function)) {
      if (isa<LoadInst, StoreInst>(instruction))
        accesses.push_back(&instruction);
      auto *call = dyn_cast<CallInst>(&instruction);
      if (call && (call->isInlineAsm() || (call->getCalledFunction() &&
                                           call->getCalledFunction()->getName().starts_with("llvm.nvvm."))))
        calls.push_back(call);
    }
    for (Instruction *access : accesses)
      checkAccess(*access);
    for (CallInst *call : calls)
      replaceCall(*call);
  }
  for (Function &function : make_early_inc_range(module))
    if (function.isDeclaration() && function.use_empty())
      function.eraseFromParent();
  if (Triple(sys::getDefaultTargetTriple()).isX86())
    addRounding();
  // The aliases that only NVPTX's own tables read.
  for (NamedMDNode &node : make_early_inc_range(module.named_metadata()))
    module.eraseNamedMetadata(&node);
}

void mlir::tfc::emulateGpuModule(llvm::Module &module) { Emulation(module).run(); }
