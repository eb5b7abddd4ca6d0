//===- ReductionOps.cpp - Reductions and scans -----------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Dialect/Tfc/IR/TfcOps.h"

#include "ConstantTensor.h"
#include "InferenceChecks.h"

using namespace mlir;
using namespace mlir::tfc;

/// x's dims without the axes, or with 1 in their place.
static SmallVector<DimExprAttr> reduceDims(Type type, ArrayRef<int64_t> axes, bool keepDims) {
  SmallVector<DimExprAttr> dims;
  for (auto [index, dim] : llvm::enumerate(getDims(type))) {
    if (!llvm::is_contained(axes, static_cast<int64_t>(index)))
      dims.push_back(dim);
    else if (keepDims)
      dims.push_back(DimExprAttr::constant(type.getContext(), 1));
  }
  return dims;
}

LogicalResult ReduceOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc, Adaptor adaptor,
                                         SmallVectorImpl<Type> &types) {
  auto type = cast<RankedTensorType>(adaptor.getX().getType());
  if (failed(checkKnownDims(loc, type)))
    return failure();
  int64_t previous = -1;
  for (int64_t axis : adaptor.getAxes()) {
    if (axis <= previous || axis >= type.getRank())
      return emitOptionalError(loc, "(C1) axes must be ascending, without repeats, in [0, ", type.getRank(), "), got ", axis);
    previous = axis;
  }
  types.push_back(getTensorType(reduceDims(type, adaptor.getAxes(), adaptor.getKeepDims()), type.getElementType()));
  return success();
}

/// Sums, products and extrema of scalars and shapes; expressions are summed and multiplied too.
OpFoldResult ReduceOp::fold(FoldAdaptor adaptor) {
  if (getAxes().empty() && getKind() != ReduceKind::Mean && getX().getType() == getY().getType())
    return getX();
  std::optional<ConstantTensor> input = ConstantTensor::load(adaptor.getX());
  auto type = cast<RankedTensorType>(getType());
  std::optional<int64_t> resultCount = countElements(type, ConstantTensor::kLimit);
  if (!input || !resultCount || !isa<IntegerType>(type.getElementType()) || type.getElementType().isUnsignedInteger() ||
      getKind() == ReduceKind::Mean)
    return {};
  MLIRContext *context = getContext();
  ArrayRef<int64_t> shape = input->type.getShape();
  SmallVector<int64_t> strides = computeStrides(shape), keptShape(shape);
  for (int64_t axis : getAxes())
    keptShape[axis] = 1;
  SmallVector<int64_t> keptStrides = computeStrides(keptShape);
  SmallVector<DimExprAttr> sums(*resultCount);
  for (auto [linear, element] : llvm::enumerate(input->elements)) {
    int64_t at = 0;
    for (size_t dim = 0; dim < shape.size(); ++dim)
      at += keptShape[dim] == 1 ? 0 : static_cast<int64_t>(linear) / strides[dim] % shape[dim] * keptStrides[dim];
    DimExprAttr value = element.asDim(context);
    DimExprAttr &sum = sums[at];
    if (!sum)
      sum = value;
    else if (getKind() == ReduceKind::Sum)
      sum = sum + value;
    else if (getKind() == ReduceKind::Prod)
      sum = sum * value;
    else
      sum = getKind() == ReduceKind::Min ? sum.min(value) : sum.max(value);
  }
  ConstantTensor result{type, {}};
  for (DimExprAttr sum : sums) {
    if (!sum) {
      if (getKind() != ReduceKind::Sum && getKind() != ReduceKind::Prod)
        return {};
      sum = DimExprAttr::constant(context, getKind() == ReduceKind::Prod);
    }
    result.elements.push_back(ConstantElement::ofDim(sum));
  }
  return result.store();
}

LogicalResult ArgReduceOp::inferReturnTypes(MLIRContext *context, std::optional<Location> loc, Adaptor adaptor,
                                            SmallVectorImpl<Type> &types) {
  auto type = cast<RankedTensorType>(adaptor.getX().getType());
  int64_t axis = adaptor.getAxis();
  if (failed(checkAxis(loc, type, axis)))
    return failure();
  if (type.getDimSize(axis) == 0)
    return emitOptionalError(loc, "(C2) dim ", axis, " is empty: it has no largest element");
  types.push_back(getTensorType(reduceDims(type, axis, adaptor.getKeepDims()), IntegerType::get(context, 64)));
  return success();
}

LogicalResult CumSumOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc, Adaptor adaptor,
                                         SmallVectorImpl<Type> &types) {
  auto type = cast<RankedTensorType>(adaptor.getX().getType());
  if (failed(checkAxis(loc, type, adaptor.getAxis())))
    return failure();
  types.push_back(type);
  return success();
}

LogicalResult CountNonzeroOp::inferReturnTypes(MLIRContext *context, std::optional<Location> loc, Adaptor adaptor,
                                               SmallVectorImpl<Type> &types) {
  if (failed(checkKnownDims(loc, adaptor.getX().getType())))
    return failure();
  types.push_back(RankedTensorType::get({}, IntegerType::get(context, 64)));
  return success();
}

LogicalResult TopKOp::verify() {
  int64_t axis = getAxis();
  if (failed(checkAxis(getLoc(), getX().getType(), axis)))
    return failure();
  SmallVector<DimExprAttr> x = getDims(getX()), values = getDims(getValues()), indices = getDims(getIndices());
  bool fits = x.size() == values.size() && values == indices;
  for (size_t i = 0; fits && i < x.size(); ++i)
    fits = static_cast<int64_t>(i) == axis || x[i] == values[i];
  if (!fits)
    return emitOpError("(C2) the results' dims must be x's but for the axis");
  std::optional<int64_t> size = x[axis].getConstant(), k = values[axis].getConstant();
  if (size && k && *k > *size)
    return emitOpError("(C4) cannot take ") << *k << " elements of " << *size;
  if (getElementTypeOrSelf(getValues().getType()) != getElementTypeOrSelf(getX().getType()))
    return emitOpError("(C3) the values' element type must be x's");
  return success();
}

void TopKOp::collectRequirements(SmallVectorImpl<Requirement> &requirements) {
  DimExprAttr size = getDim(getX(), getAxis()), k = getDim(getValues(), getAxis());
  if (!(size - k).isNonNegative())
    requirements.push_back({RequireKind::AtMost, k, size});
}
