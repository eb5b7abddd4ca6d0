//===- FlashRows.h - Rows of scores on tensor cores ----------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// What mma.sync and wgmma have in common in an attention. Both leave a block of scores in a warp so that lane
// 4 * r + c has columns 8 * j + 2 * c and the one behind of rows r and r + 8 of the warp's 16: element 4 * j
// + i has column i % 2 of row i / 2. And both take the left operand of a product so, in pairs: the weights go
// straight into the second product (Dao, arXiv 2307.08691).
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_CODEGEN_GPU_KERNELS_FLASHROWS_H
#define TFC_LIB_CODEGEN_GPU_KERNELS_FLASHROWS_H

#include "Attention.h"

namespace mlir::tfc {

/// What a lane knows of its two rows.
struct FlashState {
  F32 most[2];              ///< of the scores so far
  F32 sum[2];               ///< of the weights so far, the lane's part
  SmallVector<Value> words; ///< the weights of the last block, in pairs
  F32 scale[2];             ///< what weighted values of earlier blocks are multiplied with

  static FlashState begin(KernelBuilder &k);
  /// What a loop carries from block to block: most, sum, and words.
  SmallVector<Value> carry() const;
  static FlashState from(KernelBuilder &k, ValueRange carried);
  static constexpr int64_t kCarried = 4;
};

class FlashRows {
public:
  /// `firstRow`: the first of `rows` queries that are worked on in step; `row`: the first of the lane's two.
  FlashRows(KernelBuilder &k, const GpuAttention &problem, AttentionHead &head, I32 firstRow, int64_t rows,
            I32 row)
      : k(k), p(problem), head(head), firstRow(firstRow), rows(rows), row(row) {}

  /// Products with a block of keys become weights.
  FlashState weigh(ValueRange products, I32 firstKey, const FlashState &before);
  /// Weighted values of earlier blocks, for sums of them after `state`.
  SmallVector<Value> rescale(ValueRange output, const FlashState &state);
  void store(ValueRange output, const FlashState &state);

private:
  SmallVector<Value> limit(ValueRange products, I32 firstKey);

  KernelBuilder &k;
  const GpuAttention &p;
  AttentionHead &head;
  I32 firstRow;
  int64_t rows;
  I32 row;
};

} // namespace mlir::tfc

#endif // TFC_LIB_CODEGEN_GPU_KERNELS_FLASHROWS_H
