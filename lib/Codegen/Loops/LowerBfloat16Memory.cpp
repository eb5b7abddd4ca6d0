//===- LowerBfloat16Memory.cpp - bf16 in memory as integers -------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Codegen/Loops/KernelFrame.h"
#include "tfc/Codegen/Loops/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mlir::tfc {
#define GEN_PASS_DEF_LOWERBFLOAT16MEMORY
#include "tfc/Codegen/Loops/Passes.h.inc"
} // namespace mlir::tfc

using namespace mlir;
using namespace mlir::tfc;

static bool holdsBFloat16(Type type) {
  auto memref = dyn_cast<MemRefType>(type);
  return memref && memref.getElementType().isBF16();
}

/// The same shape of 16-bit integers.
static Type bitsOf(Type type) {
  Type i16 = IntegerType::get(type.getContext(), 16);
  if (auto vector = dyn_cast<VectorType>(type))
    return vector.clone(i16);
  return i16;
}

static bool isBFloat16(Value value) { return getElementTypeOrSelf(value.getType()).isBF16(); }

/// A load gives bits, which become a float again.
static void mendLoad(Operation *load) {
  OpBuilder builder(load->getContext());
  builder.setInsertionPointAfter(load);
  Value result = load->getResult(0);
  Type type = result.getType();
  result.setType(bitsOf(type));
  auto bitcast = arith::BitcastOp::create(builder, load->getLoc(), type, result);
  result.replaceAllUsesExcept(bitcast.getResult(), bitcast);
}

/// A stored value, or what a masked load gives for lanes it does not read, becomes bits.
static void mendOperand(Operation *access, OpOperand &operand) {
  OpBuilder builder(access);
  operand.set(arith::BitcastOp::create(builder, access->getLoc(), bitsOf(operand.get().getType()), operand.get()));
}

/// After loops are made, buffers are only viewed, loaded from and stored to: retyping the values and mending loads and
/// stores is all there is to do.
static void retypeBuffers(func::FuncOp function) {
  Type i16 = IntegerType::get(function.getContext(), 16);
  auto retype = [&](Value value) {
    if (holdsBFloat16(value.getType()))
      value.setType(MemRefType::Builder(cast<MemRefType>(value.getType())).setElementType(i16));
  };
  SmallVector<Operation *> accesses;
  function.walk([&](Operation *op) {
    if (isa<memref::LoadOp, memref::StoreOp, vector::LoadOp, vector::StoreOp, vector::MaskedLoadOp, vector::MaskedStoreOp>(op))
      accesses.push_back(op);
    for (Value result : op->getResults())
      retype(result);
    for (Region &region : op->getRegions())
      for (Block &block : region)
        for (BlockArgument argument : block.getArguments())
          retype(argument);
  });
  for (Operation *access : accesses) {
    if (access->getNumResults() == 1 && isBFloat16(access->getResult(0)))
      mendLoad(access);
    for (OpOperand &operand : access->getOpOperands())
      if (!isa<MemRefType>(operand.get().getType()) && isBFloat16(operand.get()))
        mendOperand(access, operand);
  }
}

/// Simplification makes one conversion of an integer that becomes f32 and is rounded; only the rounding has patterns.
static void splitIntegerConversions(func::FuncOp function) {
  function.walk([](Operation *op) {
    if (!isa<arith::SIToFPOp, arith::UIToFPOp>(op) || !isBFloat16(op->getResult(0)))
      return;
    OpBuilder builder(op);
    builder.setInsertionPointAfter(op);
    Value result = op->getResult(0);
    Type narrow = result.getType(), f32 = builder.getF32Type();
    auto vector = dyn_cast<VectorType>(narrow);
    result.setType(vector ? Type(vector.clone(f32)) : f32);
    auto rounded = arith::TruncFOp::create(builder, op->getLoc(), narrow, result);
    result.replaceAllUsesExcept(rounded.getResult(), rounded);
  });
}

namespace {
struct LowerBfloat16Memory : mlir::tfc::impl::LowerBfloat16MemoryBase<LowerBfloat16Memory> {
  void runOnOperation() override {
    FailureOr<SmallVector<KernelFrame>> frames = collectKernels(getOperation());
    if (failed(frames))
      return signalPassFailure();
    for (KernelFrame frame : *frames) {
      retypeBuffers(frame.tiles);
      splitIntegerConversions(frame.tiles);
      RewritePatternSet patterns(&getContext());
      arith::populateExpandBFloat16Patterns(patterns);
      if (failed(applyPatternsGreedily(frame.tiles, std::move(patterns))))
        return signalPassFailure();
    }
  }
};
} // namespace
