//===- AttentionParts.h - What the attention operators have in common -------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// ai.onnx and com.microsoft have half a dozen attention operators. They differ in how operands are packed and
// in what a mask may look like; all of them end in one tfc.attention, which is built here.
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_FRONTEND_ONNX_ATTENTIONPARTS_H
#define TFC_LIB_FRONTEND_ONNX_ATTENTIONPARTS_H

#include "NodeContext.h"

namespace mlir::tfc::onnx_import {

/// The operands and attributes of a tfc.attention to be. Heads are split: [batch, heads, length, head dim].
struct AttentionParts {
  Value query, key, value;
  /// Past keys and values, or null.
  Value pastKey, pastValue;
  /// Bool, or null: which keys are allowed.
  Value mask;
  /// Added to the scores, or null.
  Value bias;
  /// How many keys of each batch count, or null: all.
  Value keyLengths;
  std::optional<double> scale;
  double softcap = 0;
  bool isCausal = false;
  std::optional<int64_t> windowLeft, windowRight;
  MaskedRowKind maskedRow = MaskedRowKind::Uniform;
  bool wantsProbabilities = false;

  DimExprAttr getPastLength(NodeContext &node) const { return pastKey ? getDim(pastKey, 2) : node.dim(0); }
  DimExprAttr getTotalKeys(NodeContext &node) const { return getPastLength(node) + getDim(key, 2); }
};

/// Null where something failed. Present keys and values are the past followed by the new ones.
struct AttentionResults {
  Value output, presentKey, presentValue, probabilities;
};

AttentionResults buildAttention(NodeContext &node, AttentionParts parts);

/// [batch, length, heads * d] -> [batch, heads, length, d]
Value splitHeads(NodeContext &node, Value x, int64_t heads);
/// [batch, heads, length, d] -> [batch, length, heads * d]
Value mergeHeads(NodeContext &node, Value x);

/// Adds a condition to the mask.
void addMask(NodeContext &node, AttentionParts &parts, Value allowed);
/// Adds a summand to the bias; it is cast to the queries' type.
void addBias(NodeContext &node, AttentionParts &parts, Value bias);

/// A mask or bias that ends before the keys do, with `fill` behind it.
Value extendToKeys(NodeContext &node, const AttentionParts &parts, Value mask, Value fill);

/// [0, 1, ..., length - 1] of i64.
Value countUp(NodeContext &node, DimExprAttr length);
/// A vector with one number per batch as [batch, 1, 1, 1] of i64.
Value perBatch(NodeContext &node, Value numbers);

/// Makes causal and the windows part of the mask, with query q at position `q + offset`: for operators that do not
/// let the queries stand at the end of the keys. `offset` is of i64 and broadcasts to [batch, 1, queries, 1].
void maskAroundPositions(NodeContext &node, AttentionParts &parts, Value offset);

} // namespace mlir::tfc::onnx_import

#endif // TFC_LIB_FRONTEND_ONNX_ATTENTIONPARTS_H
