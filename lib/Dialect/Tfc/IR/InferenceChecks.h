//===- InferenceChecks.h - Checks that type inference shares -*- C++ -*- -----------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_DIALECT_TFC_IR_INFERENCECHECKS_H
#define TFC_LIB_DIALECT_TFC_IR_INFERENCECHECKS_H

#include "tfc/Dialect/Tfc/IR/Dims.h"

#include "mlir/IR/Diagnostics.h"

namespace mlir::tfc {

/// (C0) of every op. Inference asks it too: parsers infer types before any verifier has seen the operands.
inline LogicalResult checkKnownDims(std::optional<Location> loc, TypeRange types) {
  for (Type type : types)
    if (!hasKnownDims(type))
      return emitOptionalError(loc, kKnownDimsMessage, type);
  return success();
}

/// (C1) of ops along one axis.
inline LogicalResult checkAxis(std::optional<Location> loc, Type type, int64_t axis) {
  if (failed(checkKnownDims(loc, type)))
    return failure();
  int64_t rank = cast<RankedTensorType>(type).getRank();
  if (axis < 0 || axis >= rank)
    return emitOptionalError(loc, "(C1) axis ", axis, " is outside [0, ", rank, ")");
  return success();
}

} // namespace mlir::tfc

#endif // TFC_LIB_DIALECT_TFC_IR_INFERENCECHECKS_H
