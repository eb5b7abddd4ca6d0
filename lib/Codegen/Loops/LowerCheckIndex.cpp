//===- LowerCheckIndex.cpp - Indices from data, checked where they are used ---------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Codegen/Loops/KernelFrame.h"
#include "tfc-c/ModelABI.h"
#include "tfc/Codegen/Loops/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Interfaces/LoopLikeInterface.h"

namespace mlir::tfc {
#define GEN_PASS_DEF_LOWERCHECKINDEX
#include "tfc/Codegen/Loops/Passes.h.inc"
} // namespace mlir::tfc

using namespace mlir;
using namespace mlir::tfc;

/// The argument of the kernel behind a view, if the buffer is one of the kernel's operands.
static bool isKernelOperand(Value buffer) {
  while (Operation *op = buffer.getDefiningOp()) {
    if (isa<UnrealizedConversionCastOp>(op))
      return true;
    if (!isa<memref::SubViewOp, memref::CastOp, memref::ReinterpretCastOp>(op))
      return false;
    buffer = op->getOperand(0);
  }
  return false;
}

/// Moves the check, and the load of the index, out of the loops that do not change it: a row is gathered by one check, and the
/// loop over its elements stays free of branches. Only operands of the kernel are loaded early: nothing writes them.
static void hoist(CheckIndexOp check) {
  auto load = check.getIndex().getDefiningOp<memref::LoadOp>();
  Operation *conversion = nullptr;
  if (!load && check.getIndex().getDefiningOp<arith::ExtSIOp>()) {
    conversion = check.getIndex().getDefiningOp();
    load = conversion->getOperand(0).getDefiningOp<memref::LoadOp>();
  }
  if (!load || !isKernelOperand(load.getMemref()))
    return;
  while (auto loop = dyn_cast<scf::ForOp>(check->getParentOp())) {
    auto outside = [&](Value value) { return loop.isDefinedOutsideOfLoop(value); };
    if (load->getBlock() != check->getBlock() || !llvm::all_of(load.getOperands(), outside) ||
        !outside(check.getBound()))
      return;
    for (Operation *op : {load.getOperation(), conversion, check.getOperation()})
      if (op)
        op->moveBefore(loop);
  }
}

/// Writes the check's number, value and bound into the worker's record, unless there is one already.
static void emitNote(OpBuilder &builder, Location loc, Value worker, CheckIndexOp check) {
  Type i32 = builder.getI32Type(), i64 = builder.getI64Type();
  auto field = [&](size_t offset) -> Value {
    return LLVM::GEPOp::create(builder, loc, worker.getType(), builder.getI8Type(), worker,
                               ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(offset)});
  };
  Value place = field(offsetof(TfcWorker, failed_check));
  Value noted = LLVM::LoadOp::create(builder, loc, i32, place);
  Value none = arith::ConstantIntOp::create(builder, loc, i32, -1);
  Value isFirst = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, noted, none);
  scf::IfOp::create(builder, loc, isFirst, [&](OpBuilder &b, Location) {
    Value number = arith::ConstantIntOp::create(b, loc, i32, check.getCheck());
    LLVM::StoreOp::create(b, loc, number, place);
    LLVM::StoreOp::create(b, loc, check.getIndex(), field(offsetof(TfcWorker, failed_value)));
    Value bound = arith::IndexCastOp::create(b, loc, i64, check.getBound());
    // The sign says where the range begins.
    if (!check.getNoWrap())
      bound = arith::SubIOp::create(b, loc, arith::ConstantIntOp::create(b, loc, i64, 0), bound);
    LLVM::StoreOp::create(b, loc, bound, field(offsetof(TfcWorker, failed_bound)));
    scf::YieldOp::create(b, loc);
  });
}

static void lower(CheckIndexOp check, Value worker) {
  OpBuilder builder(check);
  Location loc = check.getLoc();
  Value index = arith::IndexCastOp::create(builder, loc, builder.getIndexType(), check.getIndex());
  Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
  if (!check.getNoWrap()) {
    Value negative = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::slt, index, zero);
    Value wrapped = arith::AddIOp::create(builder, loc, index, check.getBound());
    index = arith::SelectOp::create(builder, loc, negative, wrapped, index);
  }
  Value bad = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::uge, index, check.getBound());
  scf::IfOp::create(builder, loc, bad, [&](OpBuilder &b, Location) {
    emitNote(b, loc, worker, check);
    scf::YieldOp::create(b, loc);
  });
  Value checked = arith::SelectOp::create(builder, loc, bad, zero, index);
  check.getChecked().replaceAllUsesWith(checked);
  check.erase();
}

namespace {
struct LowerCheckIndex : mlir::tfc::impl::LowerCheckIndexBase<LowerCheckIndex> {
  void runOnOperation() override {
    FailureOr<SmallVector<KernelFrame>> frames = collectKernels(getOperation());
    if (failed(frames))
      return signalPassFailure();
    for (KernelFrame frame : *frames) {
      SmallVector<CheckIndexOp> checks;
      frame.tiles.walk([&](CheckIndexOp check) { checks.push_back(check); });
      for (CheckIndexOp check : checks) {
        hoist(check);
        lower(check, frame.worker());
      }
    }
  }
};
} // namespace
