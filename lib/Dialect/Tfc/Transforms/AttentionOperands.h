//===- AttentionOperands.h - Queries, keys and values on their way into tfc.attention -*- C++ -*- -----------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_DIALECT_TFC_TRANSFORMS_ATTENTIONOPERANDS_H
#define TFC_LIB_DIALECT_TFC_TRANSFORMS_ATTENTIONOPERANDS_H

#include "ScoreChain.h"

namespace mlir::tfc {

/// The operands of the two products, brought into the form that tfc.attention takes: [batch, heads, length, head dim],
/// without scales, each key head once, the past apart from what follows it.
class AttentionOperands {
public:
  AttentionOperands(OpBuilder &builder, FusionDecision &decision, const ScoreDims &dims)
      : builder(builder), decision(decision), dims(dims) {}

  /// Reads the operands of both products; constant factors go into the chain.
  LogicalResult prepare(ScoreChain &chain, MatmulOp output);
  /// Who uses past and following in one tensor gets it from the op, which then gives it.
  void replacePresent(AttentionOp attention);

  DimExprAttr getTotalKeys() const { return totalKeys; }

  Value query, key, value, pastKey, pastValue;

private:
  /// Takes keys and values that are a past and what follows it apart.
  void splitPast(Operation *before);
  FailureOr<Value> swapLast(Value value, Location loc);
  FailureOr<Value> alignOperand(Value value, MatmulOp at, bool isSwapped);
  LogicalResult takeGroups(Location loc);
  bool isOf(Type element) const;
  LogicalResult castTo(Value &x, Type element, MatmulOp at);
  LogicalResult check(MatmulOp product, MatmulOp output);
  LogicalResult broadcast(MatmulOp product);
  LogicalResult expandTo(Value &x, ArrayRef<DimExprAttr> shape, Location loc);

  OpBuilder &builder;
  FusionDecision &decision;
  const ScoreDims &dims;
  DimExprAttr totalKeys;
  ConcatOp keyConcat, valueConcat;
};

} // namespace mlir::tfc

#endif // TFC_LIB_DIALECT_TFC_TRANSFORMS_ATTENTIONOPERANDS_H
