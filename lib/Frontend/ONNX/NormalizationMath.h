//===- NormalizationMath.h - What the normalizations share ----------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_FRONTEND_ONNX_NORMALIZATIONMATH_H
#define TFC_LIB_FRONTEND_ONNX_NORMALIZATIONMATH_H

#include "NodeContext.h"

namespace mlir::tfc::onnx_import {

/// The attribute `epsilon`; an error where it is NaN, infinite or negative.
std::optional<double> getEpsilon(NodeContext &node, double absent);

/// tfc.layer_norm over the dims from `axis` on; scale and bias may be null.
Value buildLayerNorm(NodeContext &node, Value x, Value scale, Value bias, int64_t axis, double epsilon);

/// What training keeps for its backward pass, in f32 (f64 for f64), with dims of 1 for those that are
/// reduced.
class NormStatistics {
public:
  NormStatistics(NodeContext &node, Value x, int64_t axis, double epsilon);
  Value mean() { return reduce(x); }
  /// 1 / sqrt(variance + epsilon)
  Value inverseDeviation();
  /// 1 / sqrt(mean of squares + epsilon)
  Value inverseRoot() { return invert(reduce(node.build<MulOp>({x, x}))); }

private:
  Value reduce(Value terms) { return node.reduce(ReduceKind::Mean, terms, axes, /*keepDims=*/true); }
  Value invert(Value squares);

  NodeContext &node;
  Value x;
  SmallVector<int64_t> axes;
  double epsilon;
};

} // namespace mlir::tfc::onnx_import

#endif // TFC_LIB_FRONTEND_ONNX_NORMALIZATIONMATH_H
