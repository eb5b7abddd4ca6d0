//===- AttentionSchedule.h - Block sizes of attention ---------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_SCHEDULE_ATTENTIONSCHEDULE_H
#define TFC_SCHEDULE_ATTENTIONSCHEDULE_H

#include "tfc/TargetInfo/CpuTarget.h"

namespace tfc {

/// Attention of f32 for one head: scores over `headDim`, a weighted sum of values of `valueDim`. Lengths are
/// known at run time.
struct AttentionProblem {
  int64_t headDim = 64;
  int64_t valueDim = 64;
};

/// How attention is cut. A tile is `queryBlock()` queries of one head, one query per lane; it runs through
/// the keys `keyBlock` at a time. A block of accumulators is `scoreRows` keys, or `valueRows` elements of the
/// output, by `queryVectors`.
struct AttentionSchedule {
  int64_t lanes = 4;
  int64_t queryVectors = 1;
  int64_t keyBlock = 128;
  int64_t scoreRows = 1;
  int64_t valueRows = 1;
  /// Up to so many queries are done one after the other, with the head dim along the lanes.
  int64_t rowQueries = 1;
  /// Steps per iteration of the innermost loops.
  int64_t unroll = 4;
  bool useFma = true;

  int64_t queryBlock() const { return lanes * queryVectors; }
};

/// How decoding is cut: few queries over many keys. It is the same for every CPU, for all variants of an artifact share what one
/// launch leaves to the next.
struct DecodeSplit {
  /// Rows are the queries of all heads that read one head of the keys. Up to so many are one piece of work, which reads the
  /// keys once.
  static constexpr int64_t kMostRows = 32;
  /// Keys beyond `kWholeKeys` are cut into parts of `kPartKeys`, which take about 10 us each: long enough for a second
  /// launch, which combines the parts, to be of no account.
  static constexpr int64_t kWholeKeys = 1024;
  static constexpr int64_t kPartKeys = 512;

  /// How many parts the keys are cut into; 0: they are not. A function of the lengths alone, so results do not depend on the number of
  /// threads or the batch.
  static int64_t partCount(int64_t rows, int64_t keys);
};

AttentionSchedule selectAttention(const AttentionProblem &problem, const CpuTarget &target);

} // namespace tfc

#endif // TFC_SCHEDULE_ATTENTIONSCHEDULE_H
