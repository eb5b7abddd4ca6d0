//===- MaskTerms.h - What masks and biases of attention are made of -*- C++ -*- -----------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_DIALECT_TFC_TRANSFORMS_MASKTERMS_H
#define TFC_LIB_DIALECT_TFC_TRANSFORMS_MASKTERMS_H

#include "PositionMask.h"
#include "ScoreChain.h"

namespace mlir::tfc {

/// Takes causal masks and sliding windows out of the mask and the bias of a chain that was read, wherever scores stay what
/// they were; the rest stays mask and bias. Fails only where an op cannot be built.
LogicalResult takePositionBounds(OpBuilder &builder, Location loc, ScoreChain &chain, DimExprAttr queries, DimExprAttr keys,
                                 PositionBounds &bounds);

} // namespace mlir::tfc

#endif // TFC_LIB_DIALECT_TFC_TRANSFORMS_MASKTERMS_H
