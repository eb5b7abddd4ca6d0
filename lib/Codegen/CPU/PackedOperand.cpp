//===- PackedOperand.cpp - The right operand of a matrix product, stored in panels ----------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "PackedOperand.h"
#include "tfc/Dialect/Tfc/IR/BuildOp.h"

using namespace mlir;
using namespace mlir::tfc;

static RankedTensorType getColumnsType(RankedTensorType panels) {
  ArrayRef<int64_t> shape = panels.getShape();
  return RankedTensorType::get({shape[1], shape[0] * shape[2]}, panels.getElementType());
}

FailureOr<Value> mlir::tfc::buildPackedOperand(OpBuilder &builder, Location loc, const PackedOperand &parts) {
  auto type = cast<RankedTensorType>(parts.panels.getType());
  NamedAttribute permutation = builder.getNamedAttr("permutation", builder.getDenseI64ArrayAttr({1, 0, 2}));
  FailureOr<Value> swapped = buildOp<TransposeOp>(builder, loc, parts.panels, permutation);
  if (failed(swapped))
    return failure();
  FailureOr<Value> columns = buildOp<ReshapeOp>(builder, loc, *swapped, {}, getColumnsType(type));
  if (failed(columns) || !parts.tail)
    return columns;
  return buildOp<ConcatOp>(builder, loc, {*columns, parts.tail},
                           builder.getNamedAttr("axis", builder.getI64IntegerAttr(1)));
}

std::optional<PackedOperand> mlir::tfc::matchPackedOperand(Value b) {
  PackedOperand parts;
  if (auto concat = b.getDefiningOp<ConcatOp>(); concat && concat.getInputs().size() == 2 && concat.getAxis() == 1) {
    parts.tail = concat.getInputs()[1];
    b = concat.getInputs()[0];
  }
  auto reshape = b.getDefiningOp<ReshapeOp>();
  auto transpose = reshape ? reshape.getX().getDefiningOp<TransposeOp>() : TransposeOp();
  if (!transpose || transpose.getPermutation() != ArrayRef<int64_t>{1, 0, 2})
    return std::nullopt;
  parts.panels = transpose.getX();
  auto type = cast<RankedTensorType>(parts.panels.getType());
  if (!type.hasStaticShape() || reshape.getType() != getColumnsType(type) || type.getNumElements() == 0)
    return std::nullopt;
  // A tail as wide as a panel would be a panel.
  if (parts.tail && getDim(parts.tail, 1).getConstant().value_or(INT64_MAX) >= parts.width())
    return std::nullopt;
  return parts;
}
