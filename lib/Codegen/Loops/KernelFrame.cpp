//===- KernelFrame.cpp - The two functions of a framed kernel -------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Codegen/Loops/KernelFrame.h"
#include "tfc/Codegen/Common/InPlace.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace mlir::tfc;

static ArrayAttr symbolsOf(func::FuncOp function) {
  auto symbols = function->getAttrOfType<ArrayAttr>("tfc.symbols");
  return symbols ? symbols : ArrayAttr::get(function.getContext(), {});
}

unsigned KernelFrame::symbolCount() { return symbolsOf(tiles).size(); }

DimsAttr mlir::tfc::layoutOfPointer(Value tensor, unsigned pointer) {
  return tensor.getParentRegion()->getParentOfType<func::FuncOp>().getArgAttrOfType<DimsAttr>(pointer, kLayoutAttr);
}

DimsAttr KernelFrame::layout(unsigned i) { return tiles.getArgAttrOfType<DimsAttr>(i, kLayoutAttr); }

func::CallOp KernelFrame::call() {
  return cast<func::CallOp>(kernel.getBody().front().getTerminator()->getPrevNode());
}

/// Whether the types are as many pointers as there may be, the symbols and the bounds of the tiles, the worker and the scratch.
static bool hasTilesForm(func::FuncOp tiles) {
  ArrayRef<Type> types = tiles.getArgumentTypes();
  size_t indices = symbolsOf(tiles).size() + 2;
  if (types.size() < indices + 2 || tiles.getNumResults() != 0 || !llvm::hasSingleElement(tiles.getBody()))
    return false;
  auto isPointer = [](Type type) { return isa<LLVM::LLVMPointerType>(type); };
  auto isIndex = [](Type type) { return type.isIndex(); };
  return llvm::all_of(types.take_back(2), isPointer) && llvm::all_of(types.drop_back(2).take_back(indices), isIndex) &&
         llvm::all_of(types.drop_back(2 + indices), isPointer);
}

/// Whether the function has the runtime's signature and ends in a call of `tiles`.
static bool hasKernelForm(func::FuncOp kernel, func::FuncOp tiles) {
  if (kernel.isExternal() || !llvm::hasSingleElement(kernel.getBody()))
    return false;
  auto pointer = LLVM::LLVMPointerType::get(kernel.getContext());
  auto index = IndexType::get(kernel.getContext());
  if (kernel.getFunctionType() != FunctionType::get(kernel.getContext(), {pointer, index, index, pointer}, {}))
    return false;
  auto call = dyn_cast_or_null<func::CallOp>(kernel.getBody().front().getTerminator()->getPrevNode());
  return call && call.getCallee() == tiles.getSymName();
}

FailureOr<SmallVector<KernelFrame>> mlir::tfc::collectKernels(ModuleOp module) {
  SmallVector<KernelFrame> frames;
  for (auto tiles : module.getOps<func::FuncOp>()) {
    if (!tiles->hasAttr(KernelFrame::kTilesOfAttr) || tiles.isExternal())
      continue;
    auto kernelName = tiles->getAttrOfType<FlatSymbolRefAttr>(KernelFrame::kTilesOfAttr);
    auto kernel = kernelName ? module.lookupSymbol<func::FuncOp>(kernelName.getAttr()) : func::FuncOp();
    if (!kernel)
      return tiles.emitOpError("holds the tiles of a kernel that does not exist: ")
             << tiles->getAttr(KernelFrame::kTilesOfAttr);
    if (!hasTilesForm(tiles))
      return tiles.emitOpError("does not have the form of tiles: (pointers, symbols, begin, end, worker, scratch), but ")
             << tiles.getFunctionType();
    if (!hasKernelForm(kernel, tiles))
      return kernel.emitOpError("is not (arguments, begin, end, worker) and a call of ") << tiles.getSymName();
    frames.push_back({kernel, tiles});
  }
  return frames;
}

static Value skipCasts(Value tensor) {
  while (auto cast = tensor.getDefiningOp<UnrealizedConversionCastOp>())
    tensor = cast.getOperand(0);
  return tensor;
}

/// The number of the pointer argument behind a view that FrameKernels made.
static std::optional<unsigned> pointerOfView(Value view) {
  while (auto cast = view.getDefiningOp<memref::CastOp>())
    view = cast.getSource();
  auto reinterpret = view.getDefiningOp<memref::ReinterpretCastOp>();
  auto cast = reinterpret ? reinterpret.getSource().getDefiningOp<UnrealizedConversionCastOp>() : nullptr;
  Value descriptor = cast && cast.getNumOperands() == 1 ? cast.getOperand(0) : Value();
  while (auto insert = descriptor ? descriptor.getDefiningOp<LLVM::InsertValueOp>() : nullptr) {
    if (auto argument = dyn_cast<BlockArgument>(insert.getValue()))
      return argument.getArgNumber();
    descriptor = insert.getContainer();
  }
  return std::nullopt;
}

std::optional<unsigned> mlir::tfc::pointerBehindTensor(Value tensor) {
  auto toTensor = skipCasts(tensor).getDefiningOp<bufferization::ToTensorOp>();
  return toTensor ? pointerOfView(toTensor.getBuffer()) : std::nullopt;
}

std::optional<unsigned> mlir::tfc::pointerOfTensor(Value tensor) {
  std::optional<unsigned> pointer = pointerBehindTensor(tensor);
  return pointer && !layoutOfPointer(tensor, *pointer) ? pointer : std::nullopt;
}

std::optional<KernelFrame::Result> KernelFrame::singleResult() {
  bufferization::MaterializeInDestinationOp store;
  for (auto op : tiles.getBody().front().getOps<bufferization::MaterializeInDestinationOp>()) {
    if (store)
      return std::nullopt;
    store = op;
  }
  auto pointer = store ? pointerOfView(store.getDest()) : std::nullopt;
  return pointer ? std::optional(Result{skipCasts(store.getSource()), *pointer}) : std::nullopt;
}

LogicalResult KernelFrame::replaceBody(function_ref<LogicalResult(OpBuilder &)> emit) {
  Block &body = tiles.getBody().front();
  SmallVector<Operation *> replaced;
  for (Operation &op : body.without_terminator())
    replaced.push_back(&op);
  OpBuilder builder(body.getTerminator());
  if (failed(emit(builder)))
    return failure();
  for (Operation *op : llvm::reverse(replaced))
    op->erase();
  return success();
}

Value mlir::tfc::memrefOfPointer(OpBuilder &builder, Location loc, Value pointer, Type element) {
  MLIRContext *context = builder.getContext();
  Type i64 = builder.getI64Type();
  auto descriptorType = LLVM::LLVMStructType::getLiteral(context, {pointer.getType(), pointer.getType(), i64});
  Value descriptor = LLVM::PoisonOp::create(builder, loc, descriptorType);
  descriptor = LLVM::InsertValueOp::create(builder, loc, descriptor, pointer, ArrayRef<int64_t>{0});
  descriptor = LLVM::InsertValueOp::create(builder, loc, descriptor, pointer, ArrayRef<int64_t>{1});
  Value zero = LLVM::ConstantOp::create(builder, loc, i64, builder.getI64IntegerAttr(0));
  descriptor = LLVM::InsertValueOp::create(builder, loc, descriptor, zero, ArrayRef<int64_t>{2});
  return UnrealizedConversionCastOp::create(builder, loc, MemRefType::get({}, element), descriptor).getResult(0);
}
