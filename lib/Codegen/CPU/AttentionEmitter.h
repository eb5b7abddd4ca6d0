//===- AttentionEmitter.h - The loops of one attention --------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_CODEGEN_CPU_ATTENTIONEMITTER_H
#define TFC_LIB_CODEGEN_CPU_ATTENTIONEMITTER_H

#include "KernelFrame.h"
#include "StridedView.h"
#include "VectorEmitter.h"
#include "tfc/Schedule/AttentionSchedule.h"

namespace mlir::tfc {

/// An attention in terms of the kernel's pointers. All views have the dims [batch, heads, length, head dim],
/// with stride 1 in the last; mask and bias those of the scores, [batch, heads, queries, keys], each of which
/// may be 1.
struct Attention {
  StridedView query, key, value, output;
  std::optional<StridedView> mask, bias;
  float scale;
  bool causal;
  MaskedRowKind maskedRow;
  float fill; ///< What the score of a key that is not allowed becomes.
  Location loc;

  ::tfc::AttentionProblem problem() const {
    return {*query.dims[3].getConstant(), *value.dims[3].getConstant()};
  }
};

/// Writes the body of a kernel that is one attention.
class AttentionEmitter {
public:
  AttentionEmitter(OpBuilder &builder, KernelFrame frame, const Attention &problem,
                   const ::tfc::AttentionSchedule &schedule);

  DimExprAttr tileCount() const;
  DimExprAttr scratchBytes() const;
  void emit();

private:
  /// A view in values. `base` is where the tile's batch and head begin.
  struct Operand {
    Value buffer, base;
    SmallVector<Value> strides;
  };
  /// Mask or bias. One that differs from query to query is read through a transposed copy in scratch, at
  /// `copy`.
  struct ScoreOperand : Operand {
    bool isMask = false, perQuery = false;
    int64_t copy = 0;
  };
  /// What runs along with the keys, one vector per vector of queries: the greatest score, the sum of
  /// exponentials, and, where it matters, 1 for queries that were allowed a key.
  struct Running {
    SmallVector<Value> max, sum, seen;
    SmallVector<Value> values() const;
    static Running of(ValueRange values, size_t vectors);
  };
  /// `count` keys from `first` on.
  struct KeyBlock {
    Value first, count;
  };

  Value dim(DimExprAttr expr);
  Operand open(const StridedView &view);
  ScoreOperand openScores(const StridedView &view, bool isMask);
  void enter(Operand &operand, Value batch, Value head);
  SmallVector<Value> queryOffsets(const Operand &operand, Value vector);
  Value place(int64_t region, Value row, Value vector);
  Value place(int64_t region, Value row, int64_t vector) { return place(region, row, e.index(vector)); }
  bool tracksSeen() const { return p.maskedRow == MaskedRowKind::Zero && (p.causal || p.mask || p.bias); }

  void emitTile(Value tile);
  void emitQueries(int64_t vectorCount);
  void transposeQueries();
  void clearOutput();
  void storeOutput(const Running &running);
  void copyScoreOperand(const ScoreOperand &operand, KeyBlock block);

  Running emitKeys(Running running);
  Running emitKeyBlock(KeyBlock block, Running running);
  Running emitScores(KeyBlock block, Running running);
  Running emitScoreRows(KeyBlock block, Value at, bool masked, Running running);
  Value emitScore(Value score, KeyBlock block, Value at, int64_t vector, bool masked, Value *seen);
  SmallVector<Value> emitExponentials(KeyBlock block, ArrayRef<Value> max, ArrayRef<Value> sum);
  void emitOutput(KeyBlock block, ArrayRef<Value> decay);
  SmallVector<Value> accumulate(Value buffer, ArrayRef<Value> rows, Value step, int64_t region, Value count,
                                SmallVector<Value> sums);

  KernelFrame frame;
  const Attention &p;
  const ::tfc::AttentionSchedule &s;
  VectorEmitter e;
  int64_t headDim, valueDim;
  int64_t vectors = 0; // of queries, in the code being written
  // Regions of scratch, in rows of one float per query.
  int64_t queryRegion, outputRegion, scoreRegion, inverseRegion, copyRegion, rowCount;
  Value scratch, queries, keys, firstQuery;
  SmallVector<Value> lastAllowed; // key per query, where causal
  Operand query, key, value, output;
  SmallVector<ScoreOperand> scoreOperands; // bias before mask
};

} // namespace mlir::tfc

#endif // TFC_LIB_CODEGEN_CPU_ATTENTIONEMITTER_H
