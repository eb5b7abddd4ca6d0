//===- ContractionEpilogue.h - What a matrix product does to its elements at the end --------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_CODEGEN_COMMON_CONTRACTIONEPILOGUE_H
#define TFC_CODEGEN_COMMON_CONTRACTIONEPILOGUE_H

#include "tfc/Dialect/Tfc/IR/TfcOps.h"

namespace mlir::tfc {

/// Where the element of an operand lies that belongs to element (..., m, n) of the product.
enum class EpilogueRead {
  Same,    ///< at the same place of a tensor of the product's dims
  Columns, ///< at n: a bias
  One      ///< it is the only one
};
std::optional<EpilogueRead> getEpilogueRead(Type type, ArrayRef<DimExprAttr> productDims);

/// True when `ops` are elementwise ops of f32 on the product, on each other, on splat constants, and on tensors that
/// can be read beside the product; behind them there may be a cast of what is stored, and behind all a transpose of it.
/// FormKernels groups such ops with their product; a generator of contractions that takes all of them computes them on
/// the elements just stored.
bool isEpilogue(ArrayRef<Operation *> ops, MatmulOp product);

/// The number that every element of a float constant is, if it is one.
/// True for a product that nothing else uses, and for what elementwise ops make of one.
bool leadsToProduct(Value value);

std::optional<double> matchSplat(Value value);

} // namespace mlir::tfc

#endif // TFC_CODEGEN_COMMON_CONTRACTIONEPILOGUE_H
