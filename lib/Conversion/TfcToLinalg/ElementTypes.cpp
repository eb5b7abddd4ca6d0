//===- ElementTypes.cpp - How elements lie in memory and how they are computed ---------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Conversion/TfcToLinalg/ElementTypes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mlir::tfc;

Type mlir::tfc::getScalarType(Type elementType) {
  if (auto type = dyn_cast<IntegerType>(elementType))
    return IntegerType::get(elementType.getContext(), type.getWidth());
  // Nothing computes with 8-bit floats: they are moved, and cast.
  if (isFloat8(elementType))
    return IntegerType::get(elementType.getContext(), 8);
  return elementType;
}

bool mlir::tfc::isFloat8(Type type) {
  return isa<Float8E4M3FNType, Float8E4M3FNUZType, Float8E5M2Type, Float8E5M2FNUZType>(type);
}

Type mlir::tfc::getMemoryType(Type elementType) {
  if (isFloat8(elementType))
    return getScalarType(elementType);
  if (auto type = dyn_cast<IntegerType>(elementType)) {
    if (type.getWidth() != 1 && type.getWidth() != 4 && type.getWidth() < 8)
      return nullptr;
    return IntegerType::get(elementType.getContext(), std::max(type.getWidth(), 8u));
  }
  if (isa<Float16Type, BFloat16Type, Float32Type, Float64Type, IndexType>(elementType))
    return elementType;
  return nullptr;
}

Type mlir::tfc::getComputeType(Type elementType) {
  if (isa<Float16Type, BFloat16Type>(elementType))
    return Float32Type::get(elementType.getContext());
  return getScalarType(elementType);
}

Value mlir::tfc::loadScalar(OpBuilder &builder, Location loc, Value memory, Type elementType) {
  if (elementType.isInteger(4))
    return arith::TruncIOp::create(builder, loc, getScalarType(elementType), memory);
  if (!elementType.isInteger(1))
    return memory;
  Value zero = createConstant(builder, loc, memory.getType(), 0);
  return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ne, memory, zero);
}

Value mlir::tfc::storeScalar(OpBuilder &builder, Location loc, Value scalar, Type elementType) {
  if (elementType.isSignlessInteger(4))
    return arith::ExtSIOp::create(builder, loc, getMemoryType(elementType), scalar);
  if (!elementType.isInteger(1) && !elementType.isInteger(4))
    return scalar;
  return arith::ExtUIOp::create(builder, loc, getMemoryType(elementType), scalar);
}

Value mlir::tfc::toCompute(OpBuilder &builder, Location loc, Value scalar) {
  Type type = getComputeType(scalar.getType());
  return type == scalar.getType() ? scalar : arith::ExtFOp::create(builder, loc, type, scalar).getResult();
}

Value mlir::tfc::fromCompute(OpBuilder &builder, Location loc, Value value, Type elementType) {
  Type type = getScalarType(elementType);
  return type == getElementTypeOrSelf(value.getType())
             ? value
             : arith::TruncFOp::create(builder, loc, type, value).getResult();
}

Value mlir::tfc::createConstant(OpBuilder &builder, Location loc, Type type, double value) {
  Type element = getElementTypeOrSelf(type);
  TypedAttr attr = isa<FloatType>(element) ? TypedAttr(FloatAttr::get(element, value))
                                           : IntegerAttr::get(element, static_cast<int64_t>(value));
  if (auto vector = dyn_cast<VectorType>(type))
    attr = DenseElementsAttr::get(vector, attr);
  return arith::ConstantOp::create(builder, loc, attr);
}

TfcTypeConverter::TfcTypeConverter() {
  addConversion([](Type type) { return type; });
  addConversion([](RankedTensorType type) -> Type {
    Type memory = getMemoryType(type.getElementType());
    return memory ? RankedTensorType::get(type.getShape(), memory) : Type();
  });
  // A body inside a frame of another form (a kernel's views of pointers) is connected by casts, which fold away.
  auto cast = [](OpBuilder &builder, Type type, ValueRange inputs, Location loc) -> Value {
    return UnrealizedConversionCastOp::create(builder, loc, type, inputs).getResult(0);
  };
  addSourceMaterialization(cast);
  addTargetMaterialization(cast);
}
