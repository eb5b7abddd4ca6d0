//===- KernelFrame.cpp - The two functions of a framed kernel -------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "KernelFrame.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace mlir::tfc;

SmallVector<KernelFrame> mlir::tfc::collectKernels(ModuleOp module) {
  SmallVector<KernelFrame> frames;
  for (auto tiles : module.getOps<func::FuncOp>()) {
    auto kernelName = tiles->getAttrOfType<FlatSymbolRefAttr>(KernelFrame::kTilesOfAttr);
    if (!kernelName || tiles.isExternal())
      continue;
    if (auto kernel = module.lookupSymbol<func::FuncOp>(kernelName.getAttr()))
      frames.push_back({kernel, tiles});
  }
  return frames;
}

static ArrayAttr symbolsOf(func::FuncOp function) {
  auto symbols = function->getAttrOfType<ArrayAttr>("tfc.symbols");
  return symbols ? symbols : ArrayAttr::get(function.getContext(), {});
}

unsigned KernelFrame::symbolCount() { return symbolsOf(tiles).size(); }

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
