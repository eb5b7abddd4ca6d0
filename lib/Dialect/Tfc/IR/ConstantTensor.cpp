//===- ConstantTensor.cpp - Small constants as folders see them -----------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "ConstantTensor.h"

using namespace mlir;
using namespace mlir::tfc;

std::optional<ConstantTensor> ConstantTensor::load(Attribute attribute) {
  ConstantTensor tensor;
  if (auto values = dyn_cast_or_null<DimValuesAttr>(attribute)) {
    tensor.type = values.getType();
    if (static_cast<int64_t>(values.getValues().size()) > kLimit)
      return std::nullopt;
    for (DimExprAttr value : values.getValues())
      tensor.elements.push_back(ConstantElement::ofDim(value));
    return tensor;
  }
  auto dense = dyn_cast_or_null<DenseElementsAttr>(attribute);
  if (!dense || !countElements(dense.getType(), kLimit))
    return std::nullopt;
  tensor.type = dyn_cast<RankedTensorType>(dense.getType());
  if (!tensor.type)
    return std::nullopt;
  Type elementType = tensor.type.getElementType();
  if (isa<FloatType>(elementType)) {
    for (const APFloat &value : dense.getValues<APFloat>()) {
      APFloat wide = value;
      bool losesInfo;
      wide.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &losesInfo);
      tensor.elements.push_back(ConstantElement::ofFloat(wide.convertToDouble()));
    }
    return tensor;
  }
  if (!isa<IntegerType>(elementType))
    return std::nullopt;
  bool isUnsigned = elementType.isUnsignedInteger() || elementType.isInteger(1);
  for (const APInt &value : dense.getValues<APInt>())
    tensor.elements.push_back(
        ConstantElement::ofInt(isUnsigned ? static_cast<int64_t>(value.getZExtValue()) : value.getSExtValue()));
  return tensor;
}

Attribute ConstantTensor::store() const {
  Type elementType = type.getElementType();
  if (auto floatType = dyn_cast<FloatType>(elementType)) {
    SmallVector<APFloat> values;
    for (const ConstantElement &element : elements) {
      APFloat value(element.number);
      bool losesInfo;
      value.convert(floatType.getFloatSemantics(), APFloat::rmNearestTiesToEven, &losesInfo);
      values.push_back(value);
    }
    return DenseElementsAttr::get(type, values);
  }
  if (llvm::any_of(elements, [](const ConstantElement &element) { return element.kind == ConstantElement::Dim; })) {
    if (!elementType.isSignlessInteger(64) && !elementType.isSignlessInteger(32))
      return {};
    SmallVector<DimExprAttr> values;
    for (const ConstantElement &element : elements)
      values.push_back(element.asDim(type.getContext()));
    return DimValuesAttr::get(type.getContext(), values, type);
  }
  SmallVector<APInt> values;
  for (const ConstantElement &element : elements)
    values.push_back(APInt(64, element.integer).sextOrTrunc(elementType.getIntOrFloatBitWidth()));
  return DenseElementsAttr::get(type, values);
}

std::optional<int64_t> mlir::tfc::countElements(ShapedType type, int64_t limit) {
  if (!type.hasStaticShape())
    return std::nullopt;
  // A 0 anywhere wins over whatever the other dims are.
  if (llvm::is_contained(type.getShape(), 0))
    return 0;
  int64_t count = 1;
  for (int64_t size : type.getShape())
    if (__builtin_mul_overflow(count, size, &count) || count > limit)
      return std::nullopt;
  return count;
}

SmallVector<int64_t> mlir::tfc::computeStrides(ArrayRef<int64_t> shape) {
  SmallVector<int64_t> strides(shape.size(), 1);
  for (int64_t i = static_cast<int64_t>(shape.size()) - 2; i >= 0; --i)
    strides[i] = strides[i + 1] * shape[i + 1];
  return strides;
}
