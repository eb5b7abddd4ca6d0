//===- AttentionOperands.h - What the loops of attention read and write ---------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_CODEGEN_CPU_ATTENTIONOPERANDS_H
#define TFC_LIB_CODEGEN_CPU_ATTENTIONOPERANDS_H

#include "StridedView.h"
#include "VectorEmitter.h"
#include "tfc/Codegen/Loops/KernelFrame.h"
#include "tfc/Schedule/AttentionSchedule.h"

#include <array>

namespace mlir::tfc {

/// An attention in terms of the kernel's pointers. All views have the dims [batch, heads, length, head dim],
/// with stride 1 in the last; mask and bias those of the scores, [batch, heads, queries, keys], each of which
/// may be 1.
struct Attention {
  StridedView query, key, value, output;
  std::array<Type, 3> elements; ///< of query, key and value in memory: f32, or 16 bits that are widened as they are loaded
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
  /// Of a kernel whose keys may be cut into parts (tfc-split-keys): their number, 0 where they are not cut,
  /// and what each makes of a query: sums of values, the greatest score, the sum of exponentials. In the
  /// kernel that makes them, they are the output.
  DimExprAttr partCount;
  std::optional<StridedView> parts;
  bool makesParts = false;

  /// Whether where a key stands decides that no query may see it, and such keys need not be read: those that
  /// are not allowed are of no account, or count only where a query is allowed none.
  bool skipsKeys() const;
  /// Whether keys that no query may see count for a query that is allowed none.
  bool countsSkippedKeys() const {
    return skipsKeys() && maskedRow != MaskedRowKind::NaN && maskedRow != MaskedRowKind::Zero;
  }
  bool hasBounds() const { return lengths || windowLeft || windowRight; }

  /// Heads of the queries per head of the keys.
  int64_t group() const { return *query.dims[1].getConstant() / *key.dims[1].getConstant(); }
  /// 1 where the heads of a group are one piece of work, else 0; only of interest where there are groups.
  DimExprAttr joinsHeads() const;
  /// Floats that a part makes of one query.
  int64_t partSize() const { return *value.dims[3].getConstant() + 2; }

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
  /// A tile's rows are the queries of its head, or of all heads of a group, one head behind the other.
  Value rows;
  bool mayJoinHeads = false;
  /// Query q may see key k where q + low <= k <= q + high and k < length. `low` and `high` may be null;
  /// `length` is at most `keys`.
  Value low, high, length;
  AttentionOperand query, key, value, output;
  Value partCount;
  AttentionOperand parts;           ///< of a kernel that combines them
  Value partFrom, partTo;           ///< the keys of the tile, in a kernel that makes parts
  AttentionOperand lengths;         ///< has no buffer where all keys count
  SmallVector<ScoreOperand> scores; ///< bias before mask

  static AttentionOperands open(VectorEmitter &e, KernelFrame frame, const Attention &problem);
  /// The same at a batch and `heads` heads of the queries from `head` on.
  AttentionOperands at(VectorEmitter &e, const Attention &problem, Value batch, Value head,
                       Value heads) const;
  /// The same for one part of the keys.
  AttentionOperands atPart(VectorEmitter &e, const Attention &problem, Value part) const;

  /// Where a row of the tile begins in an operand that has rows for queries, and the row's place among the
  /// queries.
  Value beginOf(VectorEmitter &e, const AttentionOperand &operand, Value row) const;
  Value placeOf(VectorEmitter &e, Value row) const { return mayJoinHeads ? e.rem(row, queries) : row; }

  /// The keys [from, to) that at least one of the queries [first, last] may see.
  struct KeyRange {
    Value from, to;
  };
  KeyRange visibleKeys(VectorEmitter &e, Value first, Value last) const;
};

/// A value of a dim expression.
Value dimValue(VectorEmitter &e, DimExprAttr expr);

/// Scores this low belong to a query that is allowed no key, where such a query counts them all.
Value isAllowedNone(VectorEmitter &e, const Attention &problem, Value greatestScores);

/// Runs `body` over ranges of keys, with values that are carried along: those that the queries at the places
/// [first, last] may see, and then, where keys that are not allowed count for a query that is allowed none,
/// all others. `isAnyAllowedNone` tells from the carried values whether there is such a query.
SmallVector<Value>
emitKeyRanges(VectorEmitter &e, const Attention &problem, const AttentionOperands &operands, Value first,
              Value last, SmallVector<Value> carried, function_ref<Value(ValueRange)> isAnyAllowedNone,
              function_ref<SmallVector<Value>(AttentionOperands::KeyRange, ValueRange)> body);

/// What becomes of scaled scores: they are capped, biased, and filled where `allowed` does not hold. Bias and
/// condition may be null.
Value finishScores(VectorEmitter &e, const Attention &problem, Value scores, Value bias, Value allowed);

} // namespace mlir::tfc

#endif // TFC_LIB_CODEGEN_CPU_ATTENTIONOPERANDS_H
