//===- WrapFallbackKernels.cpp - Kernels of the generic road as functions of a GPU ---------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// This is what makes every model run, not what makes it fast: one thread per tile, no shared memory, no tensor cores. Tiles
// are single elements where the loops allow it, so neighbouring threads touch neighbouring memory.
//
// In C for CUDA, the step of a kernel with one operand, one result and one symbol reads:
//
//   __global__ void k_step(void *x, void *y, int64_t s0, char *workspace, TfcDeviceStatus *status) {
//     uint64_t args[] = {x, y, s0};
//     int64_t thread = blockIdx.x * blockDim.x + threadIdx.x, threads = gridDim.x * blockDim.x;
//     TfcWorker worker = {workspace + thread * scratch};
//     for (int64_t tile = thread; tile < tiles; tile += threads) {
//       worker.failed_check = -1;
//       k(args, tile, tile + 1, &worker);
//       if (worker.failed_check >= 0) note(status, tile, &worker);
//     }
//   }
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc-c/ModelABI.h"
#include "tfc/Codegen/GPU/DeviceCode.h"
#include "tfc/Codegen/GPU/GpuKernel.h"
#include "tfc/Codegen/GPU/Passes.h"
#include "tfc/Codegen/Loops/KernelFrame.h"
#include "tfc/Conversion/TfcToLinalg/DimArithmetic.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace mlir::tfc {
#define GEN_PASS_DEF_WRAPFALLBACKKERNELS
#include "tfc/Codegen/GPU/Passes.h.inc"
} // namespace mlir::tfc

using namespace mlir;
using namespace mlir::tfc;

static constexpr int64_t kBlockThreads = 128;
/// Most blocks of a launch; threads go on with the tiles that are left.
static constexpr int64_t kMostBlocks = 16384;
/// The same where every thread has scratch of its own, which is as large as a row may be.
static constexpr int64_t kMostBlocksWithScratch = 32;

namespace {
/// Writes the body of one step.
class StepWriter {
public:
  StepWriter(KernelFrame frame, func::FuncOp step, unsigned words)
      : frame(frame), step(step), words(words), b(OpBuilder::atBlockBegin(step.addEntryBlock())), loc(step.getLoc()),
        pointer(LLVM::LLVMPointerType::get(step.getContext())), i32(b.getI32Type()), i64(b.getI64Type()) {}

  LogicalResult write(DimExprAttr tiles, DimExprAttr scratch);

private:
  Value integer(Type type, int64_t value) { return arith::ConstantIntOp::create(b, loc, type, value); }
  Value at(Value base, size_t bytes) {
    return LLVM::GEPOp::create(b, loc, pointer, b.getI8Type(), base, ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(bytes)});
  }
  Value load(Type type, Value base, size_t offset) { return LLVM::LoadOp::create(b, loc, type, at(base, offset)); }
  void store(Value value, Value base, size_t offset) { LLVM::StoreOp::create(b, loc, value, at(base, offset)); }
  Value allocate(Type element, int64_t count) {
    return LLVM::AllocaOp::create(b, loc, pointer, element, integer(i64, count), /*alignment=*/8);
  }
  Value makeArguments();
  void noteFailure(Value worker, Value tile);
  void copyNote(Value worker, Value tile);
  Value evaluate(DimExprAttr expr);

  KernelFrame frame;
  func::FuncOp step;
  unsigned words;
  OpBuilder b;
  Location loc;
  Type pointer, i32, i64;
};
} // namespace

/// The block of words that the kernel wants.
Value StepWriter::makeArguments() {
  Value block = allocate(i64, std::max(words, 1u));
  for (unsigned i = 0; i < words; ++i)
    store(step.getArgument(i), block, i * sizeof(uint64_t));
  return block;
}

/// An index, from the step's own arguments.
Value StepWriter::evaluate(DimExprAttr expr) {
  auto names = frame.kernel->getAttrOfType<ArrayAttr>("tfc.symbols");
  size_t count = names ? names.size() : 0;
  return emitDimExpr(b, loc, expr, [&](StringAttr name) -> Value {
    for (size_t i = 0; i < count; ++i)
      if (names[i] == name)
        return arith::IndexCastOp::create(b, loc, b.getIndexType(), step.getArgument(words - count + i));
    return {};
  });
}

/// Keeps the failure of the lowest tile, as the CPU does, so that a message does not depend on who came first.
void StepWriter::copyNote(Value worker, Value tile) {
  Value status = step.getArgument(words + 1);
  Value kept = load(i64, status, offsetof(TfcDeviceStatus, tile));
  Value isLower = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, tile, kept);
  scf::IfOp lower = scf::IfOp::create(b, loc, TypeRange(), isLower, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(lower.thenBlock());
  store(tile, status, offsetof(TfcDeviceStatus, tile));
  store(load(i32, worker, offsetof(TfcWorker, failed_check)), status, offsetof(TfcDeviceStatus, check));
  store(load(i64, worker, offsetof(TfcWorker, failed_value)), status, offsetof(TfcDeviceStatus, value));
  store(load(i64, worker, offsetof(TfcWorker, failed_bound)), status, offsetof(TfcDeviceStatus, bound));
}

/// Tries for the lock until it has had it once. Whoever has it gives it back in the same pass through the loop, so that threads
/// that run in step do not wait for one another.
void StepWriter::noteFailure(Value worker, Value tile) {
  OpBuilder::InsertionGuard guard(b);
  auto loop = scf::WhileOp::create(b, loc, TypeRange(), ValueRange());
  b.createBlock(&loop.getBefore());
  Value lock = at(step.getArgument(words + 1), offsetof(TfcDeviceStatus, lock));
  Value free = integer(i32, -1);
  Value found = LLVM::AtomicCmpXchgOp::create(b, loc, lock, free, integer(i32, 0), LLVM::AtomicOrdering::monotonic,
                                              LLVM::AtomicOrdering::monotonic);
  Value old = LLVM::ExtractValueOp::create(b, loc, found, ArrayRef<int64_t>{0});
  Value isOurs = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, old, free);
  auto ours = scf::IfOp::create(b, loc, TypeRange(), isOurs, /*withElseRegion=*/false);
  {
    OpBuilder::InsertionGuard inside(b);
    b.setInsertionPointToStart(ours.thenBlock());
    LLVM::FenceOp::create(b, loc, LLVM::AtomicOrdering::acq_rel);
    copyNote(worker, tile);
    LLVM::FenceOp::create(b, loc, LLVM::AtomicOrdering::acq_rel);
    LLVM::AtomicRMWOp::create(b, loc, LLVM::AtomicBinOp::xchg, lock, free, LLVM::AtomicOrdering::monotonic);
  }
  Value again = arith::XOrIOp::create(b, loc, isOurs, integer(b.getI1Type(), 1));
  scf::ConditionOp::create(b, loc, again, ValueRange());
  b.createBlock(&loop.getAfter());
  scf::YieldOp::create(b, loc);
}

LogicalResult StepWriter::write(DimExprAttr tiles, DimExprAttr scratch) {
  Value args = makeArguments();
  Value worker = allocate(i64, sizeof(TfcWorker) / sizeof(int64_t));
  auto wide = [&](Value value) -> Value { return arith::ExtUIOp::create(b, loc, i64, value); };
  Value blockThreads = wide(NVVM::BlockDimXOp::create(b, loc, i32));
  Value block = wide(NVVM::BlockIdXOp::create(b, loc, i32)), blocks = wide(NVVM::GridDimXOp::create(b, loc, i32));
  Value thread = arith::AddIOp::create(b, loc, arith::MulIOp::create(b, loc, block, blockThreads),
                                       wide(NVVM::ThreadIdXOp::create(b, loc, i32)));
  Value threads = arith::MulIOp::create(b, loc, blocks, blockThreads);
  Value tileCount = evaluate(tiles), scratchBytes = evaluate(scratch);
  if (!tileCount || !scratchBytes)
    return frame.kernel.emitOpError("has tfc.tiles or tfc.scratch of a symbol that is not its own");

  Value offset = arith::MulIOp::create(b, loc, thread, arith::IndexCastOp::create(b, loc, i64, scratchBytes));
  Value place = LLVM::GEPOp::create(b, loc, pointer, b.getI8Type(), step.getArgument(words), ArrayRef<LLVM::GEPArg>{offset});
  store(place, worker, offsetof(TfcWorker, scratch));
  store(integer(i32, 0), worker, offsetof(TfcWorker, index));

  Type index = b.getIndexType();
  auto loop = scf::ForOp::create(b, loc, arith::IndexCastOp::create(b, loc, index, thread), tileCount,
                                 arith::IndexCastOp::create(b, loc, index, threads));
  func::ReturnOp::create(b, loc);
  b.setInsertionPointToStart(loop.getBody());
  store(integer(i32, -1), worker, offsetof(TfcWorker, failed_check));
  Value tile = loop.getInductionVar();
  Value next = arith::AddIOp::create(b, loc, tile, arith::ConstantIndexOp::create(b, loc, 1));
  func::CallOp::create(b, loc, frame.kernel, ValueRange{args, tile, next, worker});
  Value check = load(i32, worker, offsetof(TfcWorker, failed_check));
  Value hasFailed = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sge, check, integer(i32, 0));
  auto failed = scf::IfOp::create(b, loc, TypeRange(), hasFailed, /*withElseRegion=*/false);
  b.setInsertionPointToStart(failed.thenBlock());
  noteFailure(worker, arith::IndexCastOp::create(b, loc, i64, tile));
  return success();
}

namespace {
struct WrapFallbackKernels : mlir::tfc::impl::WrapFallbackKernelsBase<WrapFallbackKernels> {
  void runOnOperation() override {
    FailureOr<SmallVector<KernelFrame>> frames = collectKernels(getOperation());
    if (failed(frames))
      return signalPassFailure();
    for (KernelFrame frame : *frames)
      if (!frame.kernel->hasAttr(kGpuStepsAttr) && failed(wrap(frame)))
        return signalPassFailure();
  }

  DimExprAttr constant(int64_t value) { return DimExprAttr::constant(&getContext(), value); }

  LogicalResult wrap(KernelFrame frame) {
    auto tiles = frame.kernel->getAttrOfType<DimExprAttr>(KernelFrame::kTilesAttr);
    auto scratch = frame.kernel->getAttrOfType<DimExprAttr>(KernelFrame::kScratchAttr);
    if (!tiles || !scratch)
      return frame.kernel.emitOpError("has no tfc.tiles or tfc.scratch; tfc-tile-kernels and tfc-assign-scratch set them");
    unsigned pointers = countOperands(frame), symbols = frame.symbolCount(), words = pointers + symbols;
    Type pointer = LLVM::LLVMPointerType::get(&getContext());
    SmallVector<Type> types(pointers, pointer);
    types.append(symbols, IntegerType::get(&getContext(), 64));
    types.append(2, pointer);
    OpBuilder builder(frame.kernel);
    auto step = func::FuncOp::create(builder, frame.kernel.getLoc(), (frame.kernel.getName() + "_step").str(),
                                     builder.getFunctionType(types, {}));
    step.setPrivate();
    step->setAttr(kGpuStepAttr, builder.getUnitAttr());
    if (failed(StepWriter(frame, step, words).write(tiles, scratch)))
      return failure();

    bool hasScratch = !scratch.isConstant(0);
    DimExprAttr blocks = tiles.ceilDiv(constant(kBlockThreads)).min(constant(hasScratch ? kMostBlocksWithScratch : kMostBlocks));
    GpuStep launch;
    launch.function = SymbolRefAttr::get(&getContext(), kGpuModuleName, {FlatSymbolRefAttr::get(step.getNameAttr())});
    launch.grid = {blocks, constant(1), constant(1)};
    launch.block = kBlockThreads;
    frame.kernel->setAttr(kGpuStepsAttr, getStepsAttr(&getContext(), launch));
    frame.kernel->setAttr(kGpuWorkspaceAttr, hasScratch ? scratch * blocks * constant(kBlockThreads) : constant(0));
    return success();
  }

  /// How many pointers the block of arguments has: those that the kernel loads and passes on. The others are places in the scratch, and the
  /// first of them is the scratch itself, which is loaded from the worker.
  unsigned countOperands(KernelFrame frame) {
    return llvm::count_if(frame.call().getOperands().take_front(frame.pointerCount()), [&](Value operand) {
      auto load = operand.getDefiningOp<LLVM::LoadOp>();
      return load && load.getAddr() != frame.kernel.getArgument(3);
    });
  }
};
} // namespace
