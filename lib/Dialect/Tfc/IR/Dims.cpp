//===- Dims.cpp - Dims of tensor types as expressions -----------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Dialect/Tfc/IR/Dims.h"

using namespace mlir;
using namespace mlir::tfc;

DimExprAttr mlir::tfc::getDim(Type type, int64_t index) {
  auto tensor = cast<RankedTensorType>(type);
  if (!tensor.isDynamicDim(index))
    return DimExprAttr::constant(type.getContext(), tensor.getDimSize(index));
  auto dims = dyn_cast_or_null<DimsAttr>(tensor.getEncoding());
  // Rewrites from outside the dialect may have kept the encoding of another rank.
  return dims && index < static_cast<int64_t>(dims.getDims().size()) ? dims.getDims()[index] : DimExprAttr{};
}

SmallVector<DimExprAttr> mlir::tfc::getDims(Type type) {
  SmallVector<DimExprAttr> dims;
  for (int64_t i = 0, rank = cast<RankedTensorType>(type).getRank(); i < rank; ++i)
    dims.push_back(getDim(type, i));
  return dims;
}

RankedTensorType mlir::tfc::getTensorType(ArrayRef<DimExprAttr> dims, Type elementType) {
  SmallVector<int64_t> shape;
  for (DimExprAttr dim : dims) {
    // A negative constant cannot be a length; it stays an expression so that the check at run time refuses it.
    std::optional<int64_t> constant = dim.getConstant();
    shape.push_back(constant ? std::max<int64_t>(*constant, 0) : ShapedType::kDynamic);
  }
  if (!ShapedType::isDynamicShape(shape))
    return RankedTensorType::get(shape, elementType);
  SmallVector<DimExprAttr> exprs(dims);
  MLIRContext *context = elementType.getContext();
  for (auto [expr, size] : llvm::zip_equal(exprs, shape))
    if (!ShapedType::isDynamic(size))
      expr = DimExprAttr::constant(context, size);
  return RankedTensorType::get(shape, elementType, DimsAttr::get(context, exprs));
}

DimExprAttr mlir::tfc::getElementCount(Type type) {
  DimExprAttr count = DimExprAttr::constant(type.getContext(), 1);
  for (DimExprAttr dim : getDims(type)) {
    if (!dim)
      return {};
    count = count * dim;
  }
  return count;
}

bool mlir::tfc::hasKnownDims(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor)
    return false;
  if (tensor.hasStaticShape())
    return !tensor.getEncoding();
  auto dims = dyn_cast_or_null<DimsAttr>(tensor.getEncoding());
  return dims && static_cast<int64_t>(dims.getDims().size()) == tensor.getRank() &&
         llvm::none_of(dims.getDims(), [](DimExprAttr dim) { return dim.isTooComplex(); });
}
