//===- AttentionRowEmitter.h - Attention of one query ---------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_CODEGEN_CPU_ATTENTIONROWEMITTER_H
#define TFC_LIB_CODEGEN_CPU_ATTENTIONROWEMITTER_H

#include "AttentionOperands.h"

namespace mlir::tfc {

/// Writes the attention of one query of a batch and a head.
class AttentionRowEmitter {
public:
  AttentionRowEmitter(VectorEmitter &emitter, const Attention &problem,
                      const ::tfc::AttentionSchedule &schedule, const AttentionOperands &operands,
                      Value scratch);

  /// Floats of scratch that the code needs.
  int64_t scratchSize() const { return size; }
  void emit(Value query);

private:
  /// `count` keys from `first` on.
  struct KeyBlock {
    Value first, count;
  };
  Value loadRow(const AttentionOperand &operand, Value row, int64_t vector, int64_t length);
  void copyScoreOperand(size_t number, Value query, KeyBlock block);
  Value emitScores(KeyBlock block, Value query, Value max);
  Value emitScoreVector(KeyBlock block, Value query, Value at, bool masked);
  Value emitExponentials(KeyBlock block, Value max, Value sum);
  void emitOutput(KeyBlock block, Value decay);

  VectorEmitter &e;
  const Attention &p;
  const ::tfc::AttentionSchedule &s;
  const AttentionOperands &o;
  Value scratch;
  int64_t headDim, valueDim, valueVectors;
  // Places in scratch.
  int64_t scoreRegion, copyRegion, outputRegion, size, copySize;
  SmallVector<Value> queryVectors;
};

} // namespace mlir::tfc

#endif // TFC_LIB_CODEGEN_CPU_ATTENTIONROWEMITTER_H
