//===- SliceOfMask.h - Of a buffer for all positions, only the part that is used -*- C++ -*- ----------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_DIALECT_TFC_TRANSFORMS_SLICEOFMASK_H
#define TFC_LIB_DIALECT_TFC_TRANSFORMS_SLICEOFMASK_H

#include "mlir/IR/PatternMatch.h"

namespace mlir::tfc {

/// Slices of triangles, of numbers that are expanded, and of masks made of these move in front of them.
void populateSliceOfMaskPatterns(RewritePatternSet &patterns);

} // namespace mlir::tfc

#endif // TFC_LIB_DIALECT_TFC_TRANSFORMS_SLICEOFMASK_H
