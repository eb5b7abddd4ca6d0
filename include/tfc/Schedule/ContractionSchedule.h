//===- ContractionSchedule.h - Block sizes of matrix products -------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_SCHEDULE_CONTRACTIONSCHEDULE_H
#define TFC_SCHEDULE_CONTRACTIONSCHEDULE_H

#include "tfc/TargetInfo/CpuTarget.h"
#include <optional>

namespace tfc {

/// A matrix product C[m, n] = sum over k of A[m, k] * B[k, n] of f32; a dim that is not known at compile time is absent.
struct ContractionProblem {
  std::optional<int64_t> m, n, k;
  /// B's rows run along k: it is read through a transposed copy of one panel.
  bool transposedB = false;
};

/// How a contraction is cut. A tile is `rowsPerTile` rows of A by one panel of `panelWidth()` columns of B; inside it, blocks of
/// at most `blockRows` rows hold blockRows * blockVectors accumulators in registers over the whole of K.
struct ContractionSchedule {
  int64_t lanes = 4;
  int64_t blockRows = 1;
  int64_t blockVectors = 1;
  int64_t rowsPerTile = 1;
  /// Steps of K per iteration of the innermost loop.
  int64_t unroll = 4;
  bool useFma = true;

  int64_t panelWidth() const { return lanes * blockVectors; }
};

ContractionSchedule selectContraction(const ContractionProblem &problem, const CpuTarget &target);

} // namespace tfc

#endif // TFC_SCHEDULE_CONTRACTIONSCHEDULE_H
