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
  Type element; ///< that query, key and value are rounded to
  bool isStoredNarrow; ///< Query, key, value and output lie in memory as `element`.
  int64_t headDim, valueDim;
  float scale;
  std::optional<float> softcap;
  bool causal;
  MaskedRowKind maskedRow;
  float fill; ///< What the score of a key that is not allowed becomes.

  /// Whether keys behind the last one that a query may see change nothing, so that they need not be looked
  /// at.
  bool mayStopAtDiagonal() const;
  /// Whether rows of query, key, value (and output) can be read in pieces of that many elements.
  bool isAligned(int64_t elements) const;
};

/// The kernel's attention, if that and views of what it reads and writes is all it is.
std::optional<GpuAttention> matchAttention(GpuKernelRequest request);

/// The views of one batch and head, opened, and what becomes of its scores.
class AttentionHead {
public:
  AttentionHead(KernelBuilder &k, const GpuAttention &problem, I32 batch, I32 head);

  GlobalPointer query(I32 row) { return rowOf(queryBase, problem.query, row); }
  GlobalPointer key(I32 row) { return rowOf(keyBase, problem.key, row); }
  GlobalPointer value(I32 row) { return rowOf(valueBase, problem.value, row); }
  GlobalPointer output(I32 row) { return rowOf(outputBase, problem.output, row); }
  I32 queries, keys;

  /// The number of keys that the queries [.., last] need; no more than there are.
  I32 keysUpTo(I32 lastQuery);
  /// The score of a query and a key from their product; -inf for keys that are none.
  F32 score(F32 product, I32 query, I32 key);
  /// 2^((x - m) * log2(e)), where a row without any score above -inf has m = -inf.
  F32 exponential(F32 x, F32 m);
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
  std::optional<Scores> mask, bias;
};

/// The step of each way to compute an attention; none where it does not fit.
std::optional<GpuStep> emitFlashMma(GpuKernelRequest request, const GpuAttention &problem);
std::optional<GpuStep> emitFlashSimt(GpuKernelRequest request, const GpuAttention &problem);

struct FlashDecodeSteps {
  std::array<GpuStep, 2> steps;
  DimExprAttr workspace; ///< bytes
};
FlashDecodeSteps emitFlashDecode(GpuKernelRequest request, const GpuAttention &problem);

} // namespace mlir::tfc

#endif // TFC_LIB_CODEGEN_GPU_KERNELS_ATTENTION_H
