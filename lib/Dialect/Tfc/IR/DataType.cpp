//===- DataType.cpp - Element types as the model ABI says them -------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Dialect/Tfc/IR/DataType.h"

using namespace mlir;

std::optional<TfcDataType> mlir::tfc::getDataType(Type type) {
  auto make = [](TfcTypeCode code, unsigned bits) { return TfcDataType{uint8_t(code), uint8_t(bits), 1}; };
  if (type.isInteger(1))
    return make(TFC_BOOL, 8);
  if (auto integer = dyn_cast<IntegerType>(type)) {
    unsigned width = integer.getWidth();
    if (width != 2 && width != 4 && width != 8 && width != 16 && width != 32 && width != 64)
      return std::nullopt;
    return make(integer.isUnsigned() ? TFC_UINT : TFC_INT, width);
  }
  if (type.isBF16())
    return make(TFC_BFLOAT, 16);
  if (type.isF16() || type.isF32() || type.isF64())
    return make(TFC_FLOAT, type.getIntOrFloatBitWidth());
  if (isa<Float8E4M3FNType>(type))
    return make(TFC_FLOAT8_E4M3FN, 8);
  if (isa<Float8E4M3FNUZType>(type))
    return make(TFC_FLOAT8_E4M3FNUZ, 8);
  if (isa<Float8E5M2Type>(type))
    return make(TFC_FLOAT8_E5M2, 8);
  if (isa<Float8E5M2FNUZType>(type))
    return make(TFC_FLOAT8_E5M2FNUZ, 8);
  return std::nullopt;
}
