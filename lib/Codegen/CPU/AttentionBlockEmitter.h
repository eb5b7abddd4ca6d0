//===- AttentionBlockEmitter.h - Attention of a block of queries ----------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_CODEGEN_CPU_ATTENTIONBLOCKEMITTER_H
#define TFC_LIB_CODEGEN_CPU_ATTENTIONBLOCKEMITTER_H

#include "AttentionOperands.h"

namespace mlir::tfc {

/// Writes the attention of a block of a tile's rows, one per lane.
class AttentionBlockEmitter {
public:
  AttentionBlockEmitter(VectorEmitter &emitter, const Attention &problem,
                        const ::tfc::AttentionSchedule &schedule, const AttentionOperands &operands,
                        Value scratch);

  /// Floats of scratch that the code of any block needs.
  static int64_t scratchSize(const Attention &problem, const ::tfc::AttentionSchedule &schedule);
  /// The rows from `first` on that `vectorCount` vectors hold, or as many as there are.
  void emit(Value first, int64_t vectorCount);

private:
  /// What runs along with the keys, one vector per vector of queries: the greatest score and the sum of
  /// exponentials.
  struct Running {
    SmallVector<Value> max, sum;
    SmallVector<Value> values() const;
    static Running of(ValueRange values);
  };
  /// `count` keys from `first` on.
  struct KeyBlock {
    Value first, count;
  };

  int64_t copyRegion(size_t scoreOperand) const { return copiesRegion + scoreOperand * s.keyBlock; }
  SmallVector<Value> beginOfRows(const AttentionOperand &operand, Value vector);
  Value place(int64_t region, Value row, Value vector);
  Value place(int64_t region, Value row, int64_t vector) { return place(region, row, e.index(vector)); }

  void findAllowedKeys();
  void transposeQueries();
  void clearOutput();
  void storeOutput(const Running &running);
  void storePart(const Running &running);
  void storeTransposed(std::optional<int64_t> factorRegion);
  void copyScoreOperand(size_t number, KeyBlock block);

  Running emitKeys(Running running);
  Running emitKeyBlock(KeyBlock block, Running running);
  Running emitScores(KeyBlock block, Running running);
  void prefetchRows(KeyBlock block, Value at);
  Running emitScoreRows(KeyBlock block, Value at, bool masked, Running running);
  Value emitScore(Value score, KeyBlock block, Value at, int64_t vector, bool masked);
  SmallVector<Value> emitExponentials(KeyBlock block, ArrayRef<Value> max, ArrayRef<Value> sum);
  void emitOutput(KeyBlock block, ArrayRef<Value> decay);
  SmallVector<Value> accumulate(Value buffer, ArrayRef<Value> rows, Value step, int64_t region, Value count,
                                SmallVector<Value> sums);

  VectorEmitter &e;
  const Attention &p;
  const ::tfc::AttentionSchedule &s;
  const AttentionOperands &o;
  Value scratch;
  int64_t headDim, valueDim;
  int64_t vectors = 0; // of queries, in the code being written
  // Regions of scratch, in rows of one float per query.
  int64_t queryRegion, outputRegion, scoreRegion, inverseRegion, copiesRegion;
  Value firstRow, lastRow;                      // of the tile's rows, those in the lanes
  Value firstPlace, lastPlace;                  // of these among the queries
  SmallVector<Value> firstAllowed, lastAllowed; // key per row, where there is such a bound
};

} // namespace mlir::tfc

#endif // TFC_LIB_CODEGEN_CPU_ATTENTIONBLOCKEMITTER_H
