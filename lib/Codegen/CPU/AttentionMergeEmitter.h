//===- AttentionMergeEmitter.h - Attention from parts of its keys ---------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_CODEGEN_CPU_ATTENTIONMERGEEMITTER_H
#define TFC_LIB_CODEGEN_CPU_ATTENTIONMERGEEMITTER_H

#include "AttentionOperands.h"

namespace mlir::tfc {

/// Writes the output of a row from what each part of the keys has made of it.
class AttentionMergeEmitter {
public:
  AttentionMergeEmitter(VectorEmitter &emitter, const Attention &problem,
                        const ::tfc::AttentionSchedule &schedule, const AttentionOperands &operands);

  /// Gives whether the parts do not tell the output of the row: all its keys have to be looked at again.
  Value emit(Value row);

private:
  Value loopOverParts(Value init, function_ref<Value(Value part, Value carried)> body);
  Value weightOf(Value part, Value max);
  void emitOutput(Value row, Value max);

  VectorEmitter &e;
  const Attention &p;
  const ::tfc::AttentionSchedule &s;
  const AttentionOperands &o;
  Value begin; // of the row's parts
  int64_t valueDim;
};

} // namespace mlir::tfc

#endif // TFC_LIB_CODEGEN_CPU_ATTENTIONMERGEEMITTER_H
