//===- CheckNan.cpp - Where do NaN and infinity begin? --------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#include "CheckNan.h"
#include "Compare.h"
#include "Format.h"
#include "Json.h"

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
    found.push_back({what, launch.kernel, launch.nodeOf(result), launch.nodes(), positionText(result.dims, first), number, result.count()});
  };
  for (const WatchedTensor &result : launch.results) {
    Odd odd = countOdd(result);
    if (odd.nans && !readsNan)
      note(result, "NaN", odd.nans, odd.firstNan);
    if (odd.infinities && !readsInfinity)
      note(result, "infinity", odd.infinities, odd.firstInfinity);
  }
}

std::string CheckNan::textOf(const Finding &finding) {
  std::string text = std::string(finding.what) + " begins in kernel " + finding.kernel + ", node '" + finding.node + "': at " +
                     finding.position + ", " + std::to_string(finding.number) + " of " + std::to_string(finding.count) + " elements";
  if (finding.nodes.size() > 1)
    text += "; the kernel does '" + finding.nodes.front() + "' to '" + finding.nodes.back() + "'";
  return text;
}

std::string CheckNan::text() const {
  constexpr size_t kShown = 20;
  std::string text;
  for (size_t i = 0; i < found.size() && i < kShown; ++i)
    text += textOf(found[i]) + "\n";
  if (found.size() > kShown)
    text += format("and %zu more\n", found.size() - kShown);
  return text;
}

std::string CheckNan::json() const {
  std::string text;
  for (const Finding &finding : found)
    text += std::string(text.empty() ? "" : ", ") + "{\"what\": " + jsonString(finding.what) + ", \"kernel\": " + jsonString(finding.kernel) +
            ", \"node\": " + jsonString(finding.node) + ", \"nodes\": " + jsonStrings(finding.nodes) + ", \"first\": " + jsonString(finding.position) +
            format(", \"elements\": %lld, \"of\": %lld}", static_cast<long long>(finding.number), static_cast<long long>(finding.count));
  return "{\"not_finite\": [" + text + "]}";
}

Status CheckNan::verdict() const { return found.empty() ? Status{} : Status{CheckFailed, textOf(found.front())}; }

} // namespace tfc
