//===- ElementCast.cpp - Converting elements of weights ------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===------------------------------------------------------------------------------------------------------===//

#include "ElementCast.h"
#include "tfc/Target/ReadModel.h"
#include "tfc/Weights/SeedStream.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/APSInt.h"

#include <cstring>

using namespace mlir;
using namespace mlir::tfc;
using llvm::APFloat;
using llvm::APInt;
using llvm::APSInt;

/// Bytes of an element in memory; 0 for types below a byte.
static unsigned getElementBytes(Type type) {
  std::optional<TfcDataType> dtype = getDataType(type);
  return dtype ? dtype->bits / 8 : 0;
}

bool mlir::tfc::canCastElements(Type from, Type to) {
  return getElementBytes(from) != 0 && getElementBytes(to) != 0;
}

static APInt readBits(const char *from, unsigned bytes) {
  uint64_t bits = 0;
  std::memcpy(&bits, from, bytes);
  return APInt(bytes * 8, bits);
}

static APFloat toFloat(const APInt &bits, Type from, const llvm::fltSemantics &semantics) {
  bool inexact;
  if (auto type = dyn_cast<FloatType>(from)) {
    APFloat value(type.getFloatSemantics(), bits);
    value.convert(semantics, APFloat::rmNearestTiesToEven, &inexact);
    return value;
  }
  APFloat value(semantics);
  bool isSigned = !from.isInteger(1) && !from.isUnsignedInteger();
  value.convertFromAPInt(bits, isSigned, APFloat::rmNearestTiesToEven);
  return value;
}

static APInt toInteger(const APInt &bits, Type from, Type to, unsigned width) {
  if (auto type = dyn_cast<FloatType>(from)) {
    APFloat value(type.getFloatSemantics(), bits);
    if (to.isInteger(1))
      return APInt(width, !value.isZero());
    APSInt integer(width, to.isUnsignedInteger());
    bool exact;
    value.convertToInteger(integer, APFloat::rmTowardZero, &exact);
    return std::move(integer);
  }
  if (to.isInteger(1))
    return APInt(width, !bits.isZero());
  bool isSigned = !from.isInteger(1) && !from.isUnsignedInteger();
  return isSigned ? bits.sextOrTrunc(width) : bits.zextOrTrunc(width);
}

void mlir::tfc::castElements(void *to, const void *from, int64_t count, Type toType, Type fromType) {
  // Nearly every cast of weights starts at f32; the runtime's own function does those fast.
  TfcDataType dtype = *getDataType(toType);
  if (fromType.isF32() && isa<FloatType>(toType) && !toType.isF64() &&
      tfc_elements_from_f32(to, static_cast<const float *>(from), count, dtype.code, dtype.bits) == 0)
    return;
  unsigned fromBytes = getElementBytes(fromType), toBytes = getElementBytes(toType);
  const char *source = static_cast<const char *>(from);
  char *target = static_cast<char *>(to);
  for (int64_t i = 0; i < count; ++i, source += fromBytes, target += toBytes) {
    APInt bits = readBits(source, fromBytes);
    auto floatType = dyn_cast<FloatType>(toType);
    APInt value = floatType ? toFloat(bits, fromType, floatType.getFloatSemantics()).bitcastToAPInt()
                            : toInteger(bits, fromType, toType, toBytes * 8);
    std::memcpy(target, value.getRawData(), toBytes);
  }
}
