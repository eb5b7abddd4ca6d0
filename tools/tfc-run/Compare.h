//===- Compare.h - Are these the expected outputs? --------------------------------------------*- C++ -*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#ifndef TFC_RUN_COMPARE_H
#define TFC_RUN_COMPARE_H

#include "Session/Array.h"
#include "Session/Status.h"

#include <string>
#include <vector>

namespace tfc {

/// How far some elements are off, and which one is farthest beyond what is allowed.
struct Deviation {
  int64_t index = 0;
  double got = 0, expected = 0, error = 0, allowed = 0;
  double excess = -1; ///< error / allowed of that element
  int64_t wrong = 0, compared = 0;
  double largest = 0;   ///< error of any element
  double magnitude = 0; ///< of the largest finite element expected
};

/// Adds the elements of two arrays of one type and shape. True when one of them is farther off than any before.
bool measureDeviation(const Array &output, const Array &expected, double rtol, double atol, Deviation &deviation);

/// "at [0, 3] is 1.5, expected 1.25: error 0.25, allowed 0.1; 1 of 12 elements differ"
std::string deviationText(const std::vector<int64_t> &dims, const Deviation &deviation);

/// Where an element of these dims lies: "[0, 3]".
std::string positionText(const std::vector<int64_t> &dims, int64_t index);

/// Compares names, types, shapes and elements. Ends with CheckFailed and the worst element; otherwise
/// `summary` says how far off the farthest element was.
Status compareArrays(const std::vector<Array> &outputs, const std::vector<Array> &expected, double rtol,
                     double atol, std::string &summary);

} // namespace tfc

#endif // TFC_RUN_COMPARE_H
