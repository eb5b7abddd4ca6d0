//===- MeasureError.cpp - How far two outputs are apart
//------------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "MeasureError.h"

#include <algorithm>
#include <cmath>
#include <limits>

double tfc::measureError(const Array &got, const Array &wanted) {
  constexpr double kDiffers = std::numeric_limits<double>::infinity();
  if (got.dims != wanted.dims || got.type != wanted.type)
    return kDiffers;
  double difference = 0, largest = 0;
  for (int64_t i = 0, count = elementCount(got.dims, got.type); i < count; ++i) {
    if (!isFloat(got.type)) {
      if (elementAsInteger(got.bytes.data(), i, got.type) !=
          elementAsInteger(wanted.bytes.data(), i, wanted.type))
        return kDiffers;
      continue;
    }
    double a = elementAsDouble(got.bytes.data(), i, got.type),
           b = elementAsDouble(wanted.bytes.data(), i, wanted.type);
    if (std::isfinite(a) && std::isfinite(b)) {
      difference = std::max(difference, std::abs(a - b));
      largest = std::max(largest, std::abs(b));
    } else if (!(std::isnan(a) && std::isnan(b)) && a != b) {
      return kDiffers;
    }
  }
  return difference == 0 ? 0 : difference / largest;
}
