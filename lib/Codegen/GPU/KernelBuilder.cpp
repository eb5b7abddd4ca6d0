//===- KernelBuilder.cpp - Frame, control flow and arithmetic of GPU kernels ---------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "KernelBuilder.h"

#include "tfc/Conversion/TfcToLinalg/DimArithmetic.h"
#include "tfc/Conversion/TfcToLinalg/ElementTypes.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::tfc;

/// PTX numbers its address spaces so.
static constexpr unsigned kGlobal = 1, kShared = 3;
static constexpr llvm::StringLiteral kSharedName = "tfc_shared";

GlobalPointer GlobalPointer::operator+(I64 offset) const {
  return {*b, LLVM::GEPOp::create(*b, v.getType(), element, v, ArrayRef<LLVM::GEPArg>{offset.v}), element,
          isWeight};
}

SharedPointer SharedPointer::operator+(I32 bytes) const {
  return {*b, LLVM::GEPOp::create(*b, v.getType(), b->getI8Type(), v, ArrayRef<LLVM::GEPArg>{bytes.v})};
}

KernelBuilder::KernelBuilder(Frame frame)
    : b(frame.kernel.getLoc(), frame.module.getBody(), frame.module.getBody()->end()), target(frame.target),
      kernel(frame.kernel) {
  MLIRContext *context = b.getContext();
  auto symbols = kernel->getAttrOfType<ArrayAttr>("tfc.symbols");
  symbolCount = symbols ? symbols.size() : 0;
  Type global = LLVM::LLVMPointerType::get(context, kGlobal), generic = LLVM::LLVMPointerType::get(context);
  SmallVector<Type> parameters(pointerCount(), global);
  parameters.append(symbolCount, b.getI64Type());
  parameters.append(2, global);
  parameters.append(frame.maps, generic);
  std::string name = (kernel.getName() + frame.name).str();
  auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(context), parameters);
  function = LLVM::LLVMFuncOp::create(b, name, type);
  function->setAttr("gpu.kernel", b.getUnitAttr());
  function->setAttr(NVVM::NVVMDialect::getKernelFuncAttrName(), b.getUnitAttr());
  function->setAttr(NVVM::NVVMDialect::getMaxntidAttrName(),
                    b.getDenseI32ArrayAttr({int32_t(frame.block), 1, 1}));
  function->setAttr(NVVM::NVVMDialect::getMinctasmAttrName(), b.getI32IntegerAttr(frame.minBlocks));
  unsigned words = parameters.size() - frame.maps;
  step.overlaps = target.hasDependentLaunch;
  // Where a step waits for the one before, `noalias` would let LLVM move loads across the wait: it would know
  // that nobody else writes. Loads of weights say themselves whether they may be moved.
  for (unsigned i = 0; i < pointerCount() && !step.overlaps; ++i)
    function.setArgAttr(i, LLVM::LLVMDialect::getNoAliasAttrName(), b.getUnitAttr());
  for (unsigned i = words; i < parameters.size(); ++i) {
    function.setArgAttr(i, LLVM::LLVMDialect::getByValAttrName(),
                        TypeAttr::get(LLVM::LLVMArrayType::get(b.getI8Type(), 128)));
    function.setArgAttr(i, NVVM::NVVMDialect::getGridConstantAttrName(), b.getUnitAttr());
    function.setArgAttr(i, LLVM::LLVMDialect::getAlignAttrName(), b.getI64IntegerAttr(64));
  }
  step.function =
      SymbolRefAttr::get(frame.module.getNameAttr(), {FlatSymbolRefAttr::get(function.getNameAttr())});
  step.block = frame.block;
  entry = function.addEntryBlock(b);
  b.setInsertionPointToStart(entry);
  threadId = {b, NVVM::ThreadIdXOp::create(
                     b, b.getI32Type(), LLVM::ConstantRangeAttr::get(context, 32, 0, uint32_t(frame.block)))};
  // The next step may begin as soon as all blocks of this one have.
  if (step.overlaps)
    intrinsic("llvm.nvvm.griddepcontrol.launch.dependents", {}, {});
  if (!frame.waitsLater)
    waitForInputs();
}

void KernelBuilder::waitForInputs() {
  if (step.overlaps)
    intrinsic("llvm.nvvm.griddepcontrol.wait", {}, {});
}

GpuStep KernelBuilder::finish() {
  LLVM::ReturnOp::create(b, ValueRange());
  return step;
}

GlobalPointer KernelBuilder::pointer(unsigned i) {
  unsigned operands = kernel.getNumArguments();
  Type type = i < operands ? kernel.getArgumentTypes()[i] : kernel.getResultTypes()[i - operands];
  bool isWeight = i < operands && kernel.getArgAttr(i, kWeightAttr);
  return {b, entry->getArgument(i), getMemoryType(cast<RankedTensorType>(type).getElementType()), isWeight};
}

GlobalPointer KernelBuilder::workspace(Type element) {
  return {b, entry->getArgument(pointerCount() + symbolCount), element};
}

Value KernelBuilder::map(unsigned i) { return entry->getArgument(pointerCount() + symbolCount + 2 + i); }

I64 KernelBuilder::wideDim(DimExprAttr expr) {
  Value &known = dims[expr];
  if (known)
    return {b, known};
  // At the beginning, so that it stands above whatever uses it.
  OpBuilder::InsertionGuard guard(b);
  if (Operation *after = threadId.v.getDefiningOp(); b.getInsertionBlock() != entry)
    b.setInsertionPointAfter(after);
  if (auto constant = expr.getConstant())
    return {b, known = I64(b, *constant).v};
  auto symbols = kernel->getAttrOfType<ArrayAttr>("tfc.symbols");
  Value value = emitDimExpr(b, b.getLoc(), expr, [&](StringAttr name) -> Value {
    const auto *found = llvm::find(symbols, name);
    if (found == symbols.end())
      return {};
    Value word = entry->getArgument(pointerCount() + (found - symbols.begin()));
    return arith::IndexCastOp::create(b, b.getIndexType(), word);
  });
  return {b, known = arith::IndexCastOp::create(b, b.getI64Type(), value)};
}

I32 KernelBuilder::dim(DimExprAttr expr) {
  if (auto constant = expr.getConstant())
    return i32(*constant);
  I64 wide = wideDim(expr);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointAfterValue(wide.v);
  return {b, arith::TruncIOp::create(b, b.getI32Type(), wide.v)};
}

SharedPointer KernelBuilder::shared(int64_t bytes, int64_t alignment) {
  auto module = function->getParentOfType<gpu::GPUModuleOp>();
  if (!module.lookupSymbol(kSharedName)) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(module.getBody());
    // Without a size, as PTX wants dynamic shared memory; one declaration serves all kernels, so it has the
    // strictest alignment.
    LLVM::GlobalOp::create(b, LLVM::LLVMArrayType::get(b.getI8Type(), 0), /*isConstant=*/false,
                           LLVM::Linkage::External, kSharedName, Attribute(), /*alignment=*/1024, kShared);
  }
  int64_t offset = llvm::alignTo(step.shared, alignment);
  step.shared = offset + bytes;
  Value base = LLVM::AddressOfOp::create(b, LLVM::LLVMPointerType::get(b.getContext(), kShared), kSharedName);
  return SharedPointer(b, base) + offset;
}

I32 KernelBuilder::blockIndex(unsigned axis) {
  Type i32 = b.getI32Type();
  return {b, axis == 0   ? NVVM::BlockIdXOp::create(b, i32).getResult()
             : axis == 1 ? NVVM::BlockIdYOp::create(b, i32).getResult()
                         : NVVM::BlockIdZOp::create(b, i32).getResult()};
}

I32 KernelBuilder::gridSize(unsigned axis) {
  Type i32 = b.getI32Type();
  return {b, axis == 0   ? NVVM::GridDimXOp::create(b, i32).getResult()
             : axis == 1 ? NVVM::GridDimYOp::create(b, i32).getResult()
                         : NVVM::GridDimZOp::create(b, i32).getResult()};
}

F32 KernelBuilder::fma(F32 x, F32 y, F32 z) { return {b, math::FmaOp::create(b, x.v, y.v, z.v)}; }

F32 KernelBuilder::max(F32 x, F32 y) { return {b, arith::MaxNumFOp::create(b, x.v, y.v)}; }

F32 KernelBuilder::toF32(Value element) {
  return element.getType().isF32() ? F32(b, element)
                                   : F32(b, arith::ExtFOp::create(b, b.getF32Type(), element));
}

Value KernelBuilder::fromF32(F32 x, Type element) {
  return element.isF32() ? x.v : arith::TruncFOp::create(b, element, x.v).getResult();
}

SmallVector<Value> KernelBuilder::loop(I32 from, I32 to, I32 step, ValueRange init, LoopBody body) {
  auto loop = scf::ForOp::create(b, from.v, to.v, step.v, init);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  SmallVector<Value> next = body({b, loop.getInductionVar()}, loop.getRegionIterArgs());
  if (init.empty())
    b.setInsertionPoint(loop.getBody()->getTerminator());
  else
    scf::YieldOp::create(b, next);
  return loop.getResults();
}

void KernelBuilder::loop(I32 from, I32 to, I32 step, function_ref<void(I32)> body) {
  loop(from, to, step, {}, [&](I32 iv, ValueRange) {
    body(iv);
    return SmallVector<Value>();
  });
}

void KernelBuilder::when(Bool condition, function_ref<void()> body) {
  auto branch = scf::IfOp::create(b, condition.v, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(&branch.getThenRegion().front());
  body();
}

SmallVector<Value> KernelBuilder::when(Bool condition, ValueRange otherwise,
                                       function_ref<SmallVector<Value>()> body) {
  auto branch =
      scf::IfOp::create(b, otherwise.getTypes(), condition.v, /*addThenBlock=*/true, /*addElseBlock=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(&branch.getThenRegion().front());
  scf::YieldOp::create(b, body());
  b.setInsertionPointToStart(&branch.getElseRegion().front());
  scf::YieldOp::create(b, otherwise);
  return branch.getResults();
}

Value KernelBuilder::intrinsic(StringRef name, Type result, ValueRange arguments) {
  auto call = result ? LLVM::CallIntrinsicOp::create(b, result, b.getStringAttr(name), arguments)
                     : LLVM::CallIntrinsicOp::create(b, b.getStringAttr(name), arguments);
  return result ? call.getResult(0) : Value();
}
