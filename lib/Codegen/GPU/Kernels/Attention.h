//===- Attention.h - Attention as GPU kernels see it ---------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_CODEGEN_GPU_KERNELS_ATTENTION_H
#define TFC_LIB_CODEGEN_GPU_KERNELS_ATTENTION_H

#include "../KernelBuilder.h"
#include "Generators.h"
#include "tfc/Codegen/Common/StridedView.h"

#include <array>

namespace mlir::tfc {

/// An attention in terms of the kernel's pointers. All views have the dims [batch, heads, length, head dim],
/// with stride 1 in the last; mask and bias those of the scores, each of which may be 1.
struct GpuAttention {
  StridedView query, key, value, output;
  std::optional<StridedView> mask, bias;
  std::optional<unsigned> lengths; ///< the pointer of the numbers of keys that count, one per batch
  Type element;        ///< that query, key and value are rounded to
  bool isStoredNarrow; ///< Query, key and value lie in memory as `element`, of 16 bits.
  int64_t headDim, valueDim;
  float scale;
  std::optional<float> softcap;
  std::optional<int64_t> left, right; ///< How far a query sees; `causal` is a right of 0.
  MaskedRowKind maskedRow;
  float fill; ///< What the score of a key that is not allowed becomes.

  /// Whether the place of a key decides if a query may see it.
  bool isBounded() const { return left || right || lengths; }
  /// Whether keys that a query may not see by their place change nothing, so that they need not be looked
  /// at. With `lengths` only the run knows where it is not already clear from this.
  bool skipsKeys() const;
  /// Whether scores are products, scaled, and limited by places alone: then weights can be computed from
  /// products.
  bool hasPlainScores() const;
  /// Whether rows of query, key, value (and output) can be read in pieces of that many elements.
  bool isAligned(int64_t elements) const;
};

/// The kernel's attention, if that and views of what it reads and writes is all it is.
std::optional<GpuAttention> matchAttention(GpuKernelRequest request);

/// Keys from one on, up to one.
struct KeyRange {
  I32 from, to;
  Bool contains(I32 key) const;
  /// The numbers of the blocks of so many keys that they lie in; at least one.
  KeyRange inBlocksOf(int64_t size) const { return {from / size, to.ceilDiv(size).max(from / size + 1)}; }
};

/// What scores below a maximum weigh.
class ScoreWeights {
public:
  ScoreWeights(KernelBuilder &k, const GpuAttention &problem, F32 most);
  F32 operator()(F32 score);

private:
  KernelBuilder &k;
  F32 factor, most;
};

/// The views of one batch and head, opened, and what becomes of its scores. Scores are products where
/// `hasPlainScores`.
class AttentionHead {
public:
  AttentionHead(KernelBuilder &k, const GpuAttention &problem, I32 batch, I32 head);

  GlobalPointer query(I32 row) { return rowOf(queryBase, problem.query, row); }
  GlobalPointer key(I32 row) { return rowOf(keyBase, problem.key, row); }
  GlobalPointer value(I32 row) { return rowOf(valueBase, problem.value, row); }
  GlobalPointer output(I32 row) { return rowOf(outputBase, problem.output, row); }
  I32 queries, keys;

  /// The keys that a query may see by their place. Both ends grow with the query.
  KeyRange keysSeenBy(I32 query);
  /// The keys that `count` queries need, from `first` on.
  KeyRange keysNeededBy(I32 first, int64_t count);
  /// The score of a query and a key from their product; -inf for keys that are none.
  F32 score(F32 product, I32 query, I32 key);
  /// What a score weighs, where m is the row's maximum, or -inf where there is no score above that.
  F32 weight(F32 score, F32 m) { return ScoreWeights(k, problem, m)(score); }
  /// What a row of sums is multiplied with at the end.
  F32 factor(F32 sum, F32 most);

private:
  /// Mask or bias: `perQuery` and so on say in which dims it moves.
  struct Scores {
    GlobalPointer base;
    I64 queryStride, keyStride;
  };
  GlobalPointer enter(const StridedView &view, I32 batch, I32 head);
  std::optional<Scores> open(const std::optional<StridedView> &view, I32 batch, I32 head);
  GlobalPointer rowOf(GlobalPointer base, const StridedView &view, I32 row) {
    return base + row.wide() * k.wideDim(view.strides[2]);
  }
  Value load(const Scores &scores, I32 query, I32 key);

  KernelBuilder &k;
  const GpuAttention &problem;
  GlobalPointer queryBase, keyBase, valueBase, outputBase;
  I32 counted; ///< How many keys count: all, or what `lengths` says.
  std::optional<Scores> mask, bias;
};

/// The step of each way to compute an attention; none where it does not fit.
std::optional<GpuStep> emitFlashWgmma(GpuKernelRequest request, const GpuAttention &problem);
std::optional<GpuStep> emitFlashMma(GpuKernelRequest request, const GpuAttention &problem);
std::optional<GpuStep> emitFlashSimt(GpuKernelRequest request, const GpuAttention &problem);

struct FlashDecodeSteps {
  std::array<GpuStep, 2> steps;
  DimExprAttr workspace; ///< bytes
};
FlashDecodeSteps emitFlashDecode(GpuKernelRequest request, const GpuAttention &problem);

} // namespace mlir::tfc

#endif // TFC_LIB_CODEGEN_GPU_KERNELS_ATTENTION_H
