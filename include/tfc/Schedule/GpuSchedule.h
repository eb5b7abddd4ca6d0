//===- GpuSchedule.h - How GPU kernels are cut ---------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_SCHEDULE_GPUSCHEDULE_H
#define TFC_SCHEDULE_GPUSCHEDULE_H

#include "tfc/TargetInfo/GpuTarget.h"
#include <optional>

namespace tfc {

/// Work along the rows of a tensor, for f32 numbers in registers.
struct GpuRowSchedule {
  int64_t warpsPerRow = 1, rowsPerBlock = 4;
  int64_t width = 1;           ///< Neighbours that a thread reads at once.
  std::optional<int64_t> runs; ///< Such reads per thread, of rows that stay in registers; absent: the row is read anew in each pass.

  int64_t threads() const { return GpuTarget::kWarp * warpsPerRow * rowsPerBlock; }
  /// From one read of a thread to its next, in elements.
  int64_t stride() const { return GpuTarget::kWarp * warpsPerRow * width; }
};

/// `length`: of a row, absent where only the run knows it.
GpuRowSchedule selectGpuRows(std::optional<int64_t> length, int64_t elementBytes);

/// Into how many parts K is cut so that `tiles` tiles keep the chip busy; 1 where they do so by themselves or
/// K is short. Each part has some slices of `depth` steps. Absent dims are known at run time. `inCluster`:
/// the parts of a tile are the blocks of a cluster.
int64_t selectGpuSplits(int64_t tiles, std::optional<int64_t> k, int64_t depth, bool inCluster,
                        const GpuTarget &target);

} // namespace tfc

#endif // TFC_SCHEDULE_GPUSCHEDULE_H
