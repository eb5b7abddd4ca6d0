//===- KernelWork.cpp - How much a kernel computes and moves ----------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Codegen/Common/KernelWork.h"
#include "tfc/Codegen/Common/OperandCasts.h"
#include "tfc/Dialect/Tfc/IR/TfcOps.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::tfc;

// Elementary operations per element, counted in the plain formulas of the op descriptions.
static constexpr int64_t kSoftmaxFlops = 4, kLayerNormFlops = 7, kRmsNormFlops = 4;

int64_t mlir::tfc::getElementBytes(Type elementType) {
  return elementType.isIntOrFloat() ? llvm::divideCeil(elementType.getIntOrFloatBitWidth(), 8) : 8;
}

DimExprAttr mlir::tfc::getTensorBytes(Type type) {
  return getElementCount(type) * getElementBytes(cast<RankedTensorType>(type).getElementType());
}

DimExprAttr mlir::tfc::getSlotBytes(Type type) {
  static constexpr int64_t kAlignment = 64;
  DimExprAttr bytes = getTensorBytes(type), alignment = DimExprAttr::constant(type.getContext(), kAlignment);
  if (bytes.exactDiv(alignment))
    return bytes;
  return (bytes + (kAlignment - 1)).floorDiv(alignment) * kAlignment;
}

static DimExprAttr getMatmulFlops(MatmulOp op) {
  int64_t rank = cast<RankedTensorType>(op.getA().getType()).getRank();
  DimExprAttr depth = getDim(op.getA(), op.getTransposeA() ? rank - 2 : rank - 1);
  return getElementCount(op.getC().getType()) * depth * 2;
}

/// Scores and weighted sum are products over the keys, past ones included; the softmax between them is
/// counted too.
static DimExprAttr getAttentionFlops(AttentionOp op) {
  DimExprAttr scores = getDim(op.getQuery(), 0) * getDim(op.getQuery(), 1) * getDim(op.getQuery(), 2) * op.getTotalKeys();
  DimExprAttr depths = getDim(op.getQuery(), 3) + getDim(op.getValue(), 3);
  return scores * (depths * 2 + kSoftmaxFlops);
}

DimExprAttr mlir::tfc::getFlops(Operation *op) {
  DimExprAttr zero = DimExprAttr::constant(op->getContext(), 0);
  if (op->getNumResults() == 0)
    return zero;
  DimExprAttr elements = getElementCount(op->getResult(0).getType());
  return llvm::TypeSwitch<Operation *, DimExprAttr>(op)
      .Case([](MatmulOp matmul) { return getMatmulFlops(matmul); })
      .Case([](AttentionOp attention) { return getAttentionFlops(attention); })
      .Case([&](SoftmaxOp) { return elements * kSoftmaxFlops; })
      .Case([&](LayerNormOp) { return elements * kLayerNormFlops; })
      .Case([&](RmsNormOp) { return elements * kRmsNormFlops; })
      .Case<ReduceOp, ArgReduceOp, CumSumOp, CountNonzeroOp>(
          [](auto reduction) { return getElementCount(reduction.getX().getType()); })
      .Case<QuantizeOp, DequantizeOp>([&](Operation *) { return elements * 2; })
      // Products read 16-bit operands as they are.
      .Case([&](CastOp cast) { return isWideningCast(cast) ? zero : elements; })
      .Case([&](ElementwiseOpInterface) { return elements; })
      .Default(zero);
}

/// A lookup reads as much of its table as it gives, not the whole table.
static DimExprAttr getOperandBytes(Value operand) {
  DimExprAttr whole = getTensorBytes(operand.getType());
  DimExprAttr read = DimExprAttr::constant(operand.getContext(), 0);
  for (OpOperand &use : operand.getUses()) {
    if (!isa<GatherOp, GatherElementsOp, SliceOp>(use.getOwner()) || use.getOperandNumber() != 0)
      return whole;
    read = read + getTensorBytes(use.getOwner()->getResult(0).getType());
  }
  return read;
}

DimExprAttr mlir::tfc::getTraffic(ValueRange operands, ValueRange results, MLIRContext *context) {
  DimExprAttr bytes = DimExprAttr::constant(context, 0);
  for (Value operand : operands)
    bytes = bytes + getOperandBytes(operand);
  for (Value result : results)
    bytes = bytes + getTensorBytes(result.getType());
  return bytes;
}
