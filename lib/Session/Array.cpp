//===- Array.cpp - A tensor of the host, and how its element type is called -----------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#include "Session/Array.h"

#include <cmath>
#include <cstring>
#include <limits>

namespace tfc {

std::string typeName(TfcDataType type) {
  switch (type.code) {
  case TFC_INT:
    return "i" + std::to_string(type.bits);
  case TFC_UINT:
    return "ui" + std::to_string(type.bits);
  case TFC_FLOAT:
    return "f" + std::to_string(type.bits);
  case TFC_BFLOAT:
    return "bf" + std::to_string(type.bits);
  case TFC_BOOL:
    return "bool";
  case TFC_FLOAT8_E4M3FN:
    return "f8E4M3FN";
  case TFC_FLOAT8_E4M3FNUZ:
    return "f8E4M3FNUZ";
  case TFC_FLOAT8_E5M2:
    return "f8E5M2";
  case TFC_FLOAT8_E5M2FNUZ:
    return "f8E5M2FNUZ";
  default:
    return "type " + std::to_string(type.code) + ":" + std::to_string(type.bits);
  }
}

std::string dimsText(const std::vector<int64_t> &dims) {
  std::string text = "[";
  for (size_t i = 0; i < dims.size(); ++i)
    text += (i ? ", " : "") + std::to_string(dims[i]);
  return text + "]";
}

int64_t elementCount(const std::vector<int64_t> &dims, TfcDataType type) {
  int64_t count = 1, bits;
  bool empty = false;
  for (int64_t dim : dims) {
    if (dim < 0)
      return -1;
    empty |= dim == 0;
  }
  for (int64_t dim : dims)
    if (!empty && __builtin_mul_overflow(count, dim, &count))
      return -1;
  count = empty ? 0 : count;
  return __builtin_mul_overflow(count, int64_t(type.bits), &bits) || bits > INT64_MAX - 7 ? -1 : count;
}

int64_t byteCount(int64_t elements, TfcDataType type) { return (elements * type.bits + 7) / 8; }

bool isFloat(TfcDataType type) {
  return type.code != TFC_INT && type.code != TFC_UINT && type.code != TFC_BOOL;
}

template <typename T> static T load(const uint8_t *bytes, int64_t index) {
  T value;
  std::memcpy(&value, bytes + index * int64_t(sizeof(T)), sizeof(T));
  return value;
}

/// The formats of 16 and 8 bits: sign, exponent, mantissa.
static double smallFloat(uint32_t bits, int exponentBits, int mantissaBits, bool infinities,
                         bool unsignedZero) {
  uint32_t exponentMask = (1u << exponentBits) - 1, mantissaMask = (1u << mantissaBits) - 1;
  uint32_t exponent = bits >> mantissaBits & exponentMask, mantissa = bits & mantissaMask;
  bool negative = bits >> (exponentBits + mantissaBits) & 1;
  int bias = (1 << (exponentBits - 1)) - 1 + (unsignedZero ? 1 : 0);
  double value;
  if (unsignedZero && negative && !exponent && !mantissa)
    return std::numeric_limits<double>::quiet_NaN();
  if (infinities && exponent == exponentMask)
    value = mantissa ? std::numeric_limits<double>::quiet_NaN() : std::numeric_limits<double>::infinity();
  else if (!infinities && !unsignedZero && exponent == exponentMask && mantissa == mantissaMask)
    value = std::numeric_limits<double>::quiet_NaN();
  else if (exponent == 0)
    value = std::ldexp(double(mantissa), 1 - bias - mantissaBits);
  else
    value = std::ldexp(double(mantissa | (1u << mantissaBits)), int(exponent) - bias - mantissaBits);
  return negative ? -value : value;
}

double elementAsDouble(const uint8_t *bytes, int64_t index, TfcDataType type) {
  switch (type.code) {
  case TFC_FLOAT:
    if (type.bits == 32)
      return load<float>(bytes, index);
    if (type.bits == 64)
      return load<double>(bytes, index);
    return smallFloat(load<uint16_t>(bytes, index), 5, 10, true, false);
  case TFC_BFLOAT:
    return smallFloat(load<uint16_t>(bytes, index), 8, 7, true, false);
  case TFC_FLOAT8_E4M3FN:
    return smallFloat(bytes[index], 4, 3, false, false);
  case TFC_FLOAT8_E4M3FNUZ:
    return smallFloat(bytes[index], 4, 3, false, true);
  case TFC_FLOAT8_E5M2:
    return smallFloat(bytes[index], 5, 2, true, false);
  case TFC_FLOAT8_E5M2FNUZ:
    return smallFloat(bytes[index], 5, 2, false, true);
  case TFC_UINT:
    if (type.bits == 64)
      return double(load<uint64_t>(bytes, index));
    [[fallthrough]];
  default:
    return double(elementAsInteger(bytes, index, type));
  }
}

int64_t elementAsInteger(const uint8_t *bytes, int64_t index, TfcDataType type) {
  bool isSigned = type.code == TFC_INT;
  switch (type.bits) {
  case 4: {
    int nibble = bytes[index / 2] >> (index % 2 * 4) & 15;
    return isSigned && nibble > 7 ? nibble - 16 : nibble;
  }
  case 8:
    return isSigned ? int64_t(load<int8_t>(bytes, index)) : int64_t(load<uint8_t>(bytes, index));
  case 16:
    return isSigned ? int64_t(load<int16_t>(bytes, index)) : int64_t(load<uint16_t>(bytes, index));
  case 32:
    return isSigned ? int64_t(load<int32_t>(bytes, index)) : int64_t(load<uint32_t>(bytes, index));
  default:
    return load<int64_t>(bytes, index);
  }
}

} // namespace tfc
