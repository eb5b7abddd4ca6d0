//===- GenerateAttention.cpp - Attention as loops and vectors -------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// Finds the kernels that are one attention and views of its operands and output, and replaces their bodies by
// what AttentionEmitter writes.
//
//===----------------------------------------------------------------------------------------------===//

#include "AttentionEmitter.h"
#include "KeyParts.h"
#include "TargetOption.h"
#include "tfc/Codegen/Common/OperandCasts.h"
#include "tfc/Codegen/CPU/Passes.h"
#include "tfc/Conversion/TfcToLinalg/ElementTypes.h"
#include "tfc/Dialect/Tfc/Transforms/AttentionKernels.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/TypeUtilities.h"

#include <cmath>
#include <functional>
#include <limits>

namespace mlir::tfc {
#define GEN_PASS_DEF_GENERATEATTENTION
#include "tfc/Codegen/CPU/Passes.h.inc"
} // namespace mlir::tfc

using namespace mlir;
using namespace mlir::tfc;

/// The kernel's attention, when all other ops of tfc are views.
static AttentionOp findAttention(KernelFrame frame) {
  AttentionOp attention;
  for (Operation &op : frame.tiles.getBody().front()) {
    if (auto candidate = dyn_cast<AttentionOp>(op)) {
      if (attention)
        return {};
      attention = candidate;
    } else if (isa<TileOp>(op) && isPartMaker(frame.kernel)) {
      continue;
    } else if (isa<TfcDialect>(op.getDialect()) && !isa<DimOp, TransposeOp, SliceOp>(op) && !isWideningCast(&op)) {
      return {};
    }
  }
  return attention && hasAttentionKernel(attention) && !attention.getPastKey() ? attention : AttentionOp();
}

static float getFill(AttentionOp op) {
  if (op.getMaskedRow() == MaskedRowKind::NaN || op.getMaskedRow() == MaskedRowKind::Zero)
    return -std::numeric_limits<float>::infinity();
  return op.getFill() ? op.getFill()->convertToFloat() : std::numeric_limits<float>::lowest();
}

/// What the parts of the keys make of each query: a row per query and part.
static Type getPartsType(AttentionOp op, DimExprAttr partCount) {
  SmallVector<DimExprAttr> dims = getDims(op.getOutput());
  dims[2] = dims[2] * partCount;
  dims[3] = dims[3] + 2;
  return getTensorType(dims, getElementTypeOrSelf(op.getOutput().getType()));
}

/// The same, as the output of an attention.
static StridedView getParts(AttentionOp op, DimExprAttr partCount, unsigned pointer) {
  SmallVector<DimExprAttr> dims = getDims(op.getOutput()), buffer = dims;
  buffer.insert(buffer.begin() + 3, partCount);
  buffer.back() = buffer.back() + 2;
  StridedView view = getPlainView(op.getContext(), pointer, buffer, buffer);
  view.strides.erase(view.strides.begin() + 3);
  view.dims = dims;
  return view;
}

/// Query, key or value as it lies in memory, with elements of f32, or of 16 bits that are widened as they are loaded.
static std::optional<StridedView> viewOfRows(Value operand, Type &element) {
  std::function<std::optional<StridedView>(Value)> ofMemory = [&](Value tensor) -> std::optional<StridedView> {
    element = getElementTypeOrSelf(tensor.getType());
    if (isWideningCast(tensor.getDefiningOp()))
      return viewOfOperand(tensor.getDefiningOp()->getOperand(0), ofMemory);
    return isa_and_nonnull<TransposeOp, SliceOp>(tensor.getDefiningOp()) ? std::nullopt : viewOfOperand(tensor);
  };
  return viewOfOperand(operand, ofMemory);
}

static std::optional<Attention> matchAttention(KernelFrame frame) {
  AttentionOp op = findAttention(frame);
  std::optional<KernelFrame::Result> stored = frame.singleResult();
  if (!op || !stored)
    return std::nullopt;
  Type elements[3];
  auto query = viewOfRows(op.getQuery(), elements[0]), key = viewOfRows(op.getKey(), elements[1]),
       value = viewOfRows(op.getValue(), elements[2]);
  DimExprAttr partCount = getPartCount(frame.kernel);
  bool makesParts = isPartMaker(frame.kernel);
  auto output = makesParts ? getParts(op, partCount, stored->pointer)
                           : viewOfResult(op.getOutput(), stored->tensor, stored->pointer);
  if (!query || !key || !value || !output)
    return std::nullopt;
  if (makesParts && getElementCount(stored->tensor.getType()) != getElementCount(getPartsType(op, partCount)))
    return std::nullopt;
  for (const StridedView *view : {&*query, &*key, &*value, &*output})
    if (!view->strides.back().isConstant(1))
      return std::nullopt;
  float scale = op.getScale() ? op.getScale()->convertToFloat()
                              : static_cast<float>(1.0 / std::sqrt(double(*query->dims[3].getConstant())));
  std::optional<float> softcap;
  if (op.getSoftcap())
    softcap = op.getSoftcap()->convertToFloat();
  std::optional<int64_t> windowLeft, windowRight;
  if (op.getWindowLeft())
    windowLeft = *op.getWindowLeft();
  if (op.getCausal())
    windowRight = 0;
  else if (op.getWindowRight())
    windowRight = *op.getWindowRight();
  Attention problem{*query,
                    *key,
                    *value,
                    *output,
                    {elements[0], elements[1], elements[2]},
                    {},
                    {},
                    {},
                    {},
                    scale,
                    softcap,
                    windowLeft,
                    windowRight,
                    op.getMaskedRow(),
                    getFill(op),
                    op.getLoc(),
                    partCount,
                    {},
                    makesParts};
  // The last of the operands.
  if (partCount && !makesParts)
    problem.parts = getParts(op, partCount, frame.pointerCount() - 2);
  if (Value lengths = op.getKeyLengths()) {
    if (!(problem.lengths = viewOfOperand(lengths)))
      return std::nullopt;
    problem.lengthType = getMemoryType(getElementTypeOrSelf(lengths.getType()));
  }
  if (op.getMask() && !(problem.mask = viewOfOperand(op.getMask())))
    return std::nullopt;
  if (op.getBias() && !(problem.bias = viewOfOperand(op.getBias())))
    return std::nullopt;
  return problem;
}

namespace {
struct GenerateAttention : mlir::tfc::impl::GenerateAttentionBase<GenerateAttention> {
  using GenerateAttentionBase::GenerateAttentionBase;

  void runOnOperation() override {
    FailureOr<KernelTargets> targets = KernelTargets::read(getOperation(), cpu);
    if (failed(targets))
      return signalPassFailure();
    FailureOr<SmallVector<KernelFrame>> frames = collectKernels(getOperation());
    if (failed(frames))
      return signalPassFailure();
    for (KernelFrame frame : *frames) {
      std::optional<Attention> problem = frame.isPlain() ? std::nullopt : matchAttention(frame);
      if (!problem && getPartCount(frame.kernel)) {
        frame.kernel.emitOpError(
            "takes or gives parts of an attention, but is not one that code is generated for");
        return signalPassFailure();
      }
      if (!problem)
        continue;
      ::tfc::AttentionSchedule schedule =
          ::tfc::selectAttention(problem->problem(), targets->of(frame.kernel));
      LogicalResult replaced = frame.replaceBody([&](OpBuilder &builder) {
        AttentionEmitter emitter(builder, frame, *problem, schedule);
        frame.setTiles(emitter.tileCount());
        frame.setScratch(emitter.scratchBytes());
        emitter.emit();
        return success();
      });
      if (failed(replaced))
        return signalPassFailure();
    }
  }
};
} // namespace
