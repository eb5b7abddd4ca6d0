//===- AttentionRowEmitter.h - Attention of a few queries -----------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_CODEGEN_CPU_ATTENTIONROWEMITTER_H
#define TFC_LIB_CODEGEN_CPU_ATTENTIONROWEMITTER_H

#include "AttentionOperands.h"

namespace mlir::tfc {

/// Writes the attention of a few rows of a tile.
class AttentionRowEmitter {
public:
  AttentionRowEmitter(VectorEmitter &emitter, const Attention &problem,
                      const ::tfc::AttentionSchedule &schedule, const AttentionOperands &operands,
                      Value scratch);

  /// Floats of scratch that the code needs.
  int64_t scratchSize() const { return size; }
  /// Rows [first, end), of which there are at most `rowQueries`.
  void emit(Value first, Value end);

private:
  /// `count` keys from `first` on.
  struct KeyBlock {
    Value first, count;
  };
  Value loadRow(const AttentionOperand &operand, Value row, int64_t vector, int64_t length);
  void clear(Value state);
  void emitBlock(KeyBlock block, Value row, Value state);
  void store(Value row, Value state);
  void copyScoreOperand(size_t number, Value row, KeyBlock block);
  Value emitScores(KeyBlock block, Value place, Value max);
  Value emitScoreVector(KeyBlock block, Value place, Value at, bool masked);
  Value emitExponentials(KeyBlock block, Value max, Value sum);
  void emitOutput(KeyBlock block, Value state, Value decay);

  VectorEmitter &e;
  const Attention &p;
  const ::tfc::AttentionSchedule &s;
  const AttentionOperands &o;
  Value scratch;
  int64_t headDim, valueDim, valueVectors;
  // Places in scratch. Behind the scores of one row stands the state of each: the output, the greatest score
  // in all lanes, the sums of exponentials.
  int64_t scoreRegion, copyRegion, stateRegion, size, copySize, maxPlace, sumPlace, stateSize;
  SmallVector<Value> queryVectors;
};

} // namespace mlir::tfc

#endif // TFC_LIB_CODEGEN_CPU_ATTENTIONROWEMITTER_H
