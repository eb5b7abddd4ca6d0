//===- SimplifyPatterns.h - The rewrites of tfc-simplify-graph, by kind -*- C++ -*- ------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_DIALECT_TFC_TRANSFORMS_SIMPLIFYPATTERNS_H
#define TFC_LIB_DIALECT_TFC_TRANSFORMS_SIMPLIFYPATTERNS_H

namespace mlir {
class RewritePatternSet;
}

namespace mlir::tfc {

/// Functions that graphs write out: sigmoid, relu, tanh, mean.
void populateFunctionPatterns(RewritePatternSet &patterns);

/// Where expands stand: behind what is done to each element alone, and not at all where an op broadcasts.
void populateExpandPatterns(RewritePatternSet &patterns);

/// Where reshapes and slices stand: rows are not flattened around a product, and heads are split before they are sliced.
void populateLayoutPatterns(RewritePatternSet &patterns);

} // namespace mlir::tfc

#endif // TFC_LIB_DIALECT_TFC_TRANSFORMS_SIMPLIFYPATTERNS_H
