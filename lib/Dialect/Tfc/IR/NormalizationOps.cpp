//===- NormalizationOps.cpp - Softmax and norms -----------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Dialect/Tfc/IR/TfcOps.h"

#include "InferenceChecks.h"

#include <cmath>

using namespace mlir;
using namespace mlir::tfc;

LogicalResult SoftmaxOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc, Adaptor adaptor,
                                          SmallVectorImpl<Type> &types) {
  auto type = cast<RankedTensorType>(adaptor.getX().getType());
  if (failed(checkAxis(loc, type, adaptor.getAxis())))
    return failure();
  types.push_back(type);
  return success();
}

/// What layer_norm and rms_norm share.
static LogicalResult inferNorm(std::optional<Location> loc, Value x, ArrayRef<Value> parameters, int64_t axis,
                               double epsilon, SmallVectorImpl<Type> &types) {
  auto type = cast<RankedTensorType>(x.getType());
  if (failed(checkAxis(loc, type, axis)))
    return failure();
  for (Value parameter : parameters) {
    if (!parameter)
      continue;
    if (!hasKnownDims(parameter.getType()) || getElementTypeOrSelf(parameter.getType()) != type.getElementType() ||
        !isBroadcastableTo(getDims(parameter), getDims(type)))
      return emitOptionalError(loc, "(C2) ", parameter.getType(), " does not broadcast to ", type);
  }
  if (!std::isfinite(epsilon) || epsilon < 0)
    return emitOptionalError(loc, "(C3) epsilon is ", epsilon, "; it must be finite and not negative");
  types.push_back(type);
  return success();
}

static void collectParameterRequirements(Value x, ArrayRef<Value> parameters, SmallVectorImpl<Requirement> &requirements) {
  SmallVector<DimExprAttr> xDims = getDims(x);
  for (Value parameter : parameters) {
    if (!parameter)
      continue;
    SmallVector<DimExprAttr> dims = getDims(parameter);
    for (auto [dim, xDim] : llvm::zip_equal(dims, ArrayRef(xDims).take_back(dims.size())))
      if (dim != xDim && !dim.isConstant(1))
        requirements.push_back({RequireKind::Broadcastable, dim, xDim});
  }
}

LogicalResult LayerNormOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc, Adaptor adaptor,
                                            SmallVectorImpl<Type> &types) {
  return inferNorm(loc, adaptor.getX(), {adaptor.getScale(), adaptor.getBias()}, adaptor.getAxis(),
                   adaptor.getEpsilon().convertToDouble(), types);
}
void LayerNormOp::collectRequirements(SmallVectorImpl<Requirement> &requirements) {
  collectParameterRequirements(getX(), {getScale(), getBias()}, requirements);
}

LogicalResult RmsNormOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc, Adaptor adaptor,
                                          SmallVectorImpl<Type> &types) {
  return inferNorm(loc, adaptor.getX(), {adaptor.getScale()}, adaptor.getAxis(), adaptor.getEpsilon().convertToDouble(),
                   types);
}
void RmsNormOp::collectRequirements(SmallVectorImpl<Requirement> &requirements) {
  collectParameterRequirements(getX(), {getScale()}, requirements);
}
