//===- CheckNan.cpp - Where do NaN and infinity begin? --------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#include "CheckNan.h"
#include "Compare.h"
#include "Format.h"

#include <cmath>

namespace tfc {

namespace {
/// How many elements are not finite, and the place of the first of each kind.
struct Odd {
  int64_t nans = 0, infinities = 0, firstNan = -1, firstInfinity = -1;
};
} // namespace

static Odd countOdd(const WatchedTensor &tensor) {
  Odd odd;
  if (!isFloat(tensor.type))
    return odd;
  for (int64_t i = 0, count = tensor.count(); i < count; ++i) {
    double value = elementAsDouble(tensor.data, i, tensor.type);
    if (std::isfinite(value))
      continue;
    bool isNan = std::isnan(value);
    int64_t &number = isNan ? odd.nans : odd.infinities, &first = isNan ? odd.firstNan : odd.firstInfinity;
    if (!number++)
      first = i;
  }
  return odd;
}

/// Before the kernel runs: a result may lie where an operand lay.
void CheckNan::before(const WatchedLaunch &launch) {
  readsNan = readsInfinity = false;
  for (const WatchedTensor &operand : launch.operands) {
    Odd odd = countOdd(operand);
    readsNan |= odd.nans > 0;
    readsInfinity |= odd.infinities > 0;
  }
}

void CheckNan::after(const WatchedLaunch &launch) {
  auto note = [&](const WatchedTensor &result, const char *what, int64_t number, int64_t first) {
    std::vector<std::string> nodes = launch.nodes();
    std::string text = std::string(what) + " begins in kernel " + launch.kernel + ", node '" + result.name + "': at " +
                       positionText(result.dims, first) + ", " + std::to_string(number) + " of " +
                       std::to_string(result.count()) + " elements";
    if (nodes.size() > 1)
      text += "; the kernel does '" + nodes.front() + "' to '" + nodes.back() + "'";
    found.push_back(text);
  };
  for (const WatchedTensor &result : launch.results) {
    Odd odd = countOdd(result);
    if (odd.nans && !readsNan)
      note(result, "NaN", odd.nans, odd.firstNan);
    if (odd.infinities && !readsInfinity)
      note(result, "infinity", odd.infinities, odd.firstInfinity);
  }
}

std::string CheckNan::text() const {
  constexpr size_t kShown = 20;
  std::string text;
  for (size_t i = 0; i < found.size() && i < kShown; ++i)
    text += found[i] + "\n";
  if (found.size() > kShown)
    text += format("and %zu more\n", found.size() - kShown);
  return text;
}

Status CheckNan::verdict() const { return found.empty() ? Status{} : Status{CheckFailed, found.front()}; }

} // namespace tfc
