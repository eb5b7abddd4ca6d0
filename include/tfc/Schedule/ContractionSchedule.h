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
  /// B lies in panels of this many columns, each [k][packedWidth]; 0 where B is row-major.
  int64_t packedWidth = 0;
};

/// How a contraction is cut. The rows are split into blocks of nearly equal height, at most `blockRows`; a tile is
/// `blocksPerTile` of them by one panel of `panelWidth()` columns of B. A block holds rows * blockVectors accumulators in
/// registers over the whole of K, or over a slice of it.
struct ContractionSchedule {
  int64_t lanes = 4;
  int64_t blockRows = 1;
  int64_t blockVectors = 1;
  int64_t blocksPerTile = 1;
  /// Steps of K per iteration of the innermost loop.
  int64_t unroll = 4;
  /// Steps of K after which the sums of all rows of the tile are set aside for the next slice of K; 0: K is one slice.
  int64_t blockDepth = 0;
  /// Tiles of the same rows that are gone through together, slice by slice.
  int64_t panelsPerSlice = 1;
  bool useFma = true;
  /// While a packed panel is worked on, the next one is brought into the second cache, this many cache lines per
  /// iteration of the innermost loop if only one block did all of it; 0: left to the hardware.
  int64_t prefetchLines = 0;

  /// From so many elements of A on, a packed B is gone through once per tile of rows, not A once per panel;
  /// 0: never.
  int64_t largeA = 0;

  int64_t panelWidth() const { return lanes * blockVectors; }
  int64_t rowsPerTile() const { return blockRows * blocksPerTile; }
};

/// The number of columns of each panel that a weight B[k, n] is stored in, a multiple of every target's vector. One width serves
/// every m and k and all targets of an artifact; a block of a narrower target is a part of the panel.
int64_t selectPanelWidth(int64_t n, llvm::ArrayRef<CpuTarget> targets);

ContractionSchedule selectContraction(const ContractionProblem &problem, const CpuTarget &target);

} // namespace tfc

#endif // TFC_SCHEDULE_CONTRACTIONSCHEDULE_H
