//===- Array.h - A tensor of the host, and how its element type is called ---------------------*- C++ -*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_SESSION_ARRAY_H
#define TFC_LIB_SESSION_ARRAY_H

#include "tfc-c/ModelABI.h"

#include <cstdint>
#include <string>
#include <vector>

namespace tfc {

/// Row-major elements, sub-byte types packed as the runtime wants them.
struct Array {
  std::string name;
  TfcDataType type = {TFC_FLOAT, 32, 1};
  std::vector<int64_t> dims;
  std::vector<uint8_t> bytes;
};

inline bool operator==(TfcDataType a, TfcDataType b) { return a.code == b.code && a.bits == b.bits; }
inline bool operator!=(TfcDataType a, TfcDataType b) { return !(a == b); }

/// "f32", "bf16", "bool".
std::string typeName(TfcDataType type);

/// "[2, 7, 64]".
std::string dimsText(const std::vector<int64_t> &dims);

/// Number of elements, or -1 if there is a negative dim or the number of bytes exceeds 63 bits.
int64_t elementCount(const std::vector<int64_t> &dims, TfcDataType type);

/// Bytes of that many elements.
int64_t byteCount(int64_t elements, TfcDataType type);

/// One element as a number: exact for integers up to 53 bits.
double elementAsDouble(const uint8_t *bytes, int64_t index, TfcDataType type);

/// One element of an integer or boolean type, exactly.
int64_t elementAsInteger(const uint8_t *bytes, int64_t index, TfcDataType type);

bool isFloat(TfcDataType type);

} // namespace tfc

#endif // TFC_LIB_SESSION_ARRAY_H
