//===- Compare.cpp - Are these the expected outputs? ----------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#include "Compare.h"

#include "Npy.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

namespace tfc {

static std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.9g", value);
  return text;
}

std::string positionText(const std::vector<int64_t> &dims, int64_t index) {
  std::vector<int64_t> place(dims.size());
  for (size_t d = dims.size(); d-- > 0;) {
    place[d] = index % dims[d];
    index /= dims[d];
  }
  return dimsText(place);
}

/// Error of one float element; infinite where one side is NaN or another infinity.
static double errorOf(double got, double expected) {
  if (std::isnan(got) || std::isnan(expected))
    return std::isnan(got) && std::isnan(expected) ? 0 : std::numeric_limits<double>::infinity();
  if (std::isinf(got) || std::isinf(expected))
    return got == expected ? 0 : std::numeric_limits<double>::infinity();
  return std::fabs(got - expected);
}

static bool measureElement(const Array &output, const Array &expected, int64_t i, double rtol, double atol,
                           Deviation &worst) {
  double got = elementAsDouble(output.bytes.data(), i, output.type),
         wanted = elementAsDouble(expected.bytes.data(), i, expected.type);
  double error, allowed = 0;
  if (isFloat(output.type)) {
    error = errorOf(got, wanted);
    allowed = std::isfinite(wanted) ? atol + rtol * std::fabs(wanted) : 0;
  } else { // as doubles two 64-bit integers could look alike
    bool same = elementAsInteger(output.bytes.data(), i, output.type) ==
                elementAsInteger(expected.bytes.data(), i, expected.type);
    error = same ? 0 : std::max(1.0, std::fabs(got - wanted));
  }
  worst.largest = std::max(worst.largest, error);
  if (std::isfinite(wanted))
    worst.magnitude = std::max(worst.magnitude, std::fabs(wanted));
  if (error <= allowed)
    return false;
  ++worst.wrong;
  double excess = allowed > 0 ? error / allowed : std::numeric_limits<double>::infinity();
  if (excess <= worst.excess)
    return false;
  worst.index = i;
  worst.got = got;
  worst.expected = wanted;
  worst.error = error;
  worst.allowed = allowed;
  worst.excess = excess;
  return true;
}

bool measureDeviation(const Array &output, const Array &expected, double rtol, double atol, Deviation &deviation) {
  bool isWorst = false;
  for (int64_t i = 0, count = elementCount(output.dims, output.type); i < count; ++i, ++deviation.compared)
    isWorst |= measureElement(output, expected, i, rtol, atol, deviation);
  return isWorst;
}

std::string deviationText(const std::vector<int64_t> &dims, const Deviation &deviation) {
  return "at " + positionText(dims, deviation.index) + " is " + number(deviation.got) + ", expected " +
         number(deviation.expected) + ": error " + number(deviation.error) + ", allowed " + number(deviation.allowed) + "; " +
         std::to_string(deviation.wrong) + " of " + std::to_string(deviation.compared) + " elements differ";
}

static Status checkNames(const std::vector<Array> &outputs, const std::vector<Array> &expected) {
  auto has = [](const std::vector<Array> &arrays, const std::string &name) {
    return std::any_of(arrays.begin(), arrays.end(), [&](const Array &array) { return array.name == name; });
  };
  for (const Array &array : expected)
    if (!has(outputs, array.name))
      return {CheckFailed, "the model makes no output '" + array.name + "', which is expected"};
  for (const Array &array : outputs)
    if (!has(expected, array.name))
      return {CheckFailed, "output '" + array.name + "' is not among the expected ones"};
  return {};
}

Status compareArrays(const std::vector<Array> &outputs, const std::vector<Array> &expected, double rtol,
                     double atol, std::string &summary) {
  if (Status status = checkNames(outputs, expected))
    return status;
  Deviation worst;
  const Array *worstOutput = nullptr;
  for (const Array &output : outputs) {
    const Array &reference = *std::find_if(expected.begin(), expected.end(),
                                           [&](const Array &array) { return array.name == output.name; });
    Array converted;
    if (reference.dims != output.dims)
      return {CheckFailed, "output '" + output.name + "' is " + dimsText(output.dims) + ", but " +
                               dimsText(reference.dims) + " is expected"};
    if (Status status = fromFile(reference, output.type, converted))
      return {CheckFailed, "output " + status.sentence};
    if (measureDeviation(output, converted, rtol, atol, worst))
      worstOutput = &output;
  }
  if (!worst.wrong) {
    summary = std::to_string(outputs.size()) + (outputs.size() == 1 ? " output is" : " outputs are") +
              " as expected: " + std::to_string(worst.compared) + " elements, largest error " +
              number(worst.largest);
    return {};
  }
  return {CheckFailed, "output '" + worstOutput->name + "' " + deviationText(worstOutput->dims, worst)};
}

} // namespace tfc
