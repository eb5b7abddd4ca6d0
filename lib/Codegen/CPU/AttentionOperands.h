//===- AttentionOperands.h - What the loops of attention read and write ---------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_CODEGEN_CPU_ATTENTIONOPERANDS_H
#define TFC_LIB_CODEGEN_CPU_ATTENTIONOPERANDS_H

#include "tfc/Codegen/Loops/KernelFrame.h"
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
  std::optional<StridedView>
      lengths; ///< How many keys of each batch count; its elements are of type `lengthType`.
  Type lengthType;
  float scale;
  std::optional<float> softcap;
  /// How many keys before and behind its own place a query may see.
  std::optional<int64_t> windowLeft, windowRight;
  MaskedRowKind maskedRow;
  float fill; ///< What the score of a key that is not allowed becomes.
  Location loc;

  /// Whether where a key stands decides that no query may see it, and such keys need not be read: those that
  /// are not allowed are of no account, or count only where a query is allowed none.
  bool skipsKeys() const;
  bool hasBounds() const { return lengths || windowLeft || windowRight; }

  ::tfc::AttentionProblem problem() const {
    return {*query.dims[3].getConstant(), *value.dims[3].getConstant()};
  }
};

/// A view in values. `base` is where the batch and the head at hand begin.
struct AttentionOperand {
  Value buffer, base;
  SmallVector<Value> strides;

  /// Where the row of a query or key begins.
  Value row(VectorEmitter &e, Value index) const { return e.add(base, e.mul(index, strides[2])); }
};

/// Mask or bias. `perQuery`: not one row for all queries.
struct ScoreOperand : AttentionOperand {
  bool isMask = false, perQuery = false;

  /// An element, as a float: masks are 1 and 0.
  Value loadNumber(VectorEmitter &e, Value offset) const;
  /// The elements from an offset on.
  Value loadNumbers(VectorEmitter &e, Value offset) const;
};

struct AttentionOperands {
  Value queries, keys; ///< lengths
  /// Query q may see key k where q + low <= k <= q + high and k < length. `low` and `high` may be null;
  /// `length` is at most `keys`.
  Value low, high, length;
  AttentionOperand query, key, value, output;
  AttentionOperand lengths;         ///< has no buffer where all keys count
  SmallVector<ScoreOperand> scores; ///< bias before mask

  static AttentionOperands open(VectorEmitter &e, KernelFrame frame, const Attention &problem);
  /// The same at a batch and a head of the queries; `group` of them share a head of the keys.
  AttentionOperands at(VectorEmitter &e, const Attention &problem, Value batch, Value head,
                       int64_t group) const;

  /// The keys [from, to) that at least one of the queries [first, last] may see.
  struct KeyRange {
    Value from, to;
  };
  KeyRange visibleKeys(VectorEmitter &e, Value first, Value last) const;
};

/// Runs `body` over ranges of keys, with values that are carried along: `visible`, and then, where keys that
/// are not allowed count for a query that is allowed none, all others. `isAllowedNone` tells from the carried
/// values whether there is such a query.
SmallVector<Value>
emitKeyRanges(VectorEmitter &e, const Attention &problem, AttentionOperands::KeyRange visible, Value keys,
              SmallVector<Value> carried, function_ref<Value(ValueRange)> isAllowedNone,
              function_ref<SmallVector<Value>(AttentionOperands::KeyRange, ValueRange)> body);

/// What becomes of scaled scores: they are capped, biased, and filled where `allowed` does not hold. Bias and condition may be null.
Value finishScores(VectorEmitter &e, const Attention &problem, Value scores, Value bias, Value allowed);

} // namespace mlir::tfc

#endif // TFC_LIB_CODEGEN_CPU_ATTENTIONOPERANDS_H
