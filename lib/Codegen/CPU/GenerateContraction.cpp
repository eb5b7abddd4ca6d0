//===- GenerateContraction.cpp - Matrix products as loops and vectors -----------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// Finds the kernels that are one matrix product of f32 and its epilogue, and replaces their bodies by what ContractionEmitter writes.
//
//===----------------------------------------------------------------------------------------------===//

#include "ContractionEmitter.h"
#include "PackedOperand.h"
#include "TargetOption.h"
#include "tfc/Conversion/TfcToLinalg/ElementTypes.h"
#include "tfc/Codegen/CPU/Passes.h"
#include "tfc/Codegen/Common/OperandCasts.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace mlir::tfc {
#define GEN_PASS_DEF_GENERATECONTRACTION
#include "tfc/Codegen/CPU/Passes.h.inc"
} // namespace mlir::tfc

using namespace mlir;
using namespace mlir::tfc;

/// Whether the op is a cast that the loops read the right operand of a product through.
static bool widensB(Operation *op) {
  auto matmul = isWideningCast(op) && op->hasOneUse() ? dyn_cast<MatmulOp>(*op->user_begin()) : MatmulOp();
  return matmul && matmul.getB() == op->getResult(0) && matmul.getA() != op->getResult(0);
}

/// The kernel's matrix product, when all other ops say how its packed operand lies or are its epilogue, which are added to `epilogue`.
static MatmulOp findMatmul(KernelFrame frame, SmallVectorImpl<Operation *> &epilogue) {
  MatmulOp matmul;
  for (Operation &op : frame.tiles.getBody().front()) {
    if (auto candidate = dyn_cast<MatmulOp>(op)) {
      if (matmul)
        return {};
      matmul = candidate;
    } else if (widensB(&op)) {
      continue;
    } else if (isa<ElementwiseOpInterface>(op) || (matmul && isa<TransposeOp>(op))) {
      epilogue.push_back(&op);
    } else if (isa<TfcDialect>(op.getDialect()) && !isa<DimOp, ConstantOp, TransposeOp, ReshapeOp, ConcatOp>(op)) {
      return {};
    }
  }
  if (!matmul || !isEpilogue(epilogue, matmul))
    return {};
  auto isF32 = [](Value value) { return cast<RankedTensorType>(value.getType()).getElementType().isF32(); };
  return isF32(matmul.getA()) && isF32(matmul.getB()) ? matmul : MatmulOp();
}

/// Sets where B lies: row-major, or in panels.
static bool locateB(MatmulOp matmul, Contraction &problem) {
  Value stored = skipWideningCast(matmul.getB());
  problem.elementB = cast<RankedTensorType>(stored.getType()).getElementType();
  std::optional<PackedOperand> packed = matchPackedOperand(stored);
  auto b = pointerOfTensor(packed ? packed->panels : stored);
  if (!b)
    return false;
  problem.b = *b;
  if (!packed)
    return true;
  problem.packedWidth = packed->width();
  if (packed->tail)
    problem.tail = pointerOfTensor(packed->tail);
  return !packed->tail || problem.tail;
}

/// Sets what the epilogue reads from memory.
static bool locateEpilogue(MatmulOp matmul, Contraction &problem) {
  Epilogue &epilogue = problem.epilogue;
  epilogue.product = matmul.getC();
  llvm::SmallPtrSet<Operation *, 16> members(epilogue.ops.begin(), epilogue.ops.end());
  llvm::SmallDenseSet<Value> known;
  for (Operation *op : epilogue.ops)
    for (Value operand : op->getOperands()) {
      Operation *maker = operand.getDefiningOp();
      if (maker == matmul || members.contains(maker) || matchSplat(operand) || !known.insert(operand).second)
        continue;
      auto pointer = pointerOfTensor(operand);
      auto kind = getEpilogueRead(operand.getType(), getDims(matmul.getC()));
      if (!pointer || !kind)
        return false;
      epilogue.reads.push_back({operand, *pointer, *kind});
    }
  return true;
}

/// The kernel's matrix product, if that is all it is.
static std::optional<Contraction> matchContraction(KernelFrame frame) {
  SmallVector<Operation *> epilogue;
  MatmulOp matmul = findMatmul(frame, epilogue);
  std::optional<KernelFrame::Result> stored = frame.singleResult();
  if (!matmul || !stored)
    return std::nullopt;
  auto a = pointerOfTensor(matmul.getA());
  Contraction problem{0, 0, 0, {}, {}, {}, {}, {}, {}, matmul.getTransposeB(), 0, {}, std::nullopt, {}, std::nullopt, {}, matmul.getLoc()};
  Value result = epilogue.empty() ? Value(matmul.getC()) : epilogue.back()->getResult(0);
  if (!epilogue.empty() && isa<TransposeOp>(epilogue.back()))
    epilogue.pop_back();
  problem.epilogue.ops = epilogue;
  Value made = epilogue.empty() ? Value(matmul.getC()) : epilogue.back()->getResult(0);
  problem.outElement = cast<RankedTensorType>(result.getType()).getElementType();
  if (result != made || !problem.outElement.isF32()) {
    problem.out = viewOfResult(made, result, stored->pointer);
    if (!problem.out || !getMemoryType(problem.outElement))
      return std::nullopt;
  }
  if (stored->tensor != result || !a || !locateB(matmul, problem) || !locateEpilogue(matmul, problem))
    return std::nullopt;
  problem.a = *a, problem.c = stored->pointer;

  SmallVector<DimExprAttr> dimsA = getDims(matmul.getA()), dimsB = getDims(matmul.getB()),
                           dimsC = getDims(matmul.getC());
  problem.batch.assign(dimsC.begin(), dimsC.end() - 2);
  problem.batchA.assign(dimsA.begin(), dimsA.end() - 2);
  problem.batchB.assign(dimsB.begin(), dimsB.end() - 2);
  problem.m = dimsA[dimsA.size() - 2];
  problem.k = dimsA.back();
  problem.n = dimsC.back();
  if (llvm::all_of(problem.batchB, [](DimExprAttr size) { return size.isConstant(1); }) &&
      dimsC.size() == dimsA.size()) {
    for (DimExprAttr size : problem.batchA)
      problem.m = problem.m * size;
    problem.batch.clear(), problem.batchA.clear(), problem.batchB.clear();
  }
  return problem;
}

namespace {
struct GenerateContraction : mlir::tfc::impl::GenerateContractionBase<GenerateContraction> {
  using GenerateContractionBase::GenerateContractionBase;

  void runOnOperation() override {
    FailureOr<KernelTargets> targets = KernelTargets::read(getOperation(), cpu);
    if (failed(targets))
      return signalPassFailure();
    FailureOr<SmallVector<KernelFrame>> frames = collectKernels(getOperation());
    if (failed(frames))
      return signalPassFailure();
    for (KernelFrame frame : *frames)
      if (auto problem = frame.isPlain() ? std::nullopt : matchContraction(frame))
        if (failed(generate(frame, *problem, targets->of(frame.kernel))))
          return signalPassFailure();
  }

  LogicalResult generate(KernelFrame frame, const Contraction &problem, const ::tfc::CpuTarget &target) {
    // Panels that are no whole vectors were meant for another target.
    if (problem.packedWidth % target.floatLanes() != 0)
      return success();
    ::tfc::ContractionSchedule schedule = ::tfc::selectContraction(problem.problem(), target);
    return frame.replaceBody([&](OpBuilder &builder) {
      ContractionEmitter emitter(builder, frame, problem, schedule);
      frame.setTiles(emitter.tileCount());
      frame.setScratch(emitter.scratchBytes());
      return emitter.emit();
    });
  }
};
} // namespace
