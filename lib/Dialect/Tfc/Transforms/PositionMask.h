//===- PositionMask.h - Masks that only compare positions -*- C++ -*- ---------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// Causal masks and sliding windows are matrices with one number on a band of diagonals and another one elsewhere. Graphs
// make them of triangles, of ranges that are compared, of buffers that are sliced; here all of these are read as the band
// that they are.
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_DIALECT_TFC_TRANSFORMS_POSITIONMASK_H
#define TFC_LIB_DIALECT_TFC_TRANSFORMS_POSITIONMASK_H

#include "tfc/Dialect/Tfc/IR/TfcOps.h"

#include <optional>

namespace mlir::tfc {

/// A tensor whose element at row i, column j (its last two dims) is `inside` where `lower <= j - i <= upper`, else
/// `outside`. A null bound is none; without any bound every element is `inside`.
struct Band {
  DimExprAttr lower, upper;
  double inside = 0, outside = 0;

  bool isUniform() const { return !lower && !upper; }
};

/// The band that a tensor is, or nothing. Bools count as 0 and 1.
std::optional<Band> matchBand(Value value);

/// Which keys a query may attend by their positions, counted from the query's own: attributes of tfc.attention.
struct PositionBounds {
  bool isCausal = false;
  std::optional<int64_t> left, right;

  bool any() const { return isCausal || left || right; }
};

/// Takes a band of allowed keys into the bounds, when queries stand at the end of the keys in it. `allowed` has the shape
/// of scores [..., queries, keys]; false leaves `bounds` as they are.
bool takeBand(Value allowed, bool isNegated, DimExprAttr queries, DimExprAttr keys, PositionBounds &bounds);

} // namespace mlir::tfc

#endif // TFC_LIB_DIALECT_TFC_TRANSFORMS_POSITIONMASK_H
