//===- AttentionOperands.h - What the loops of attention read and write ---------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_CODEGEN_CPU_ATTENTIONOPERANDS_H
#define TFC_LIB_CODEGEN_CPU_ATTENTIONOPERANDS_H

#include "KernelFrame.h"
#include "VectorEmitter.h"
#include "tfc/Codegen/Common/StridedView.h"
#include "tfc/Schedule/AttentionSchedule.h"

namespace mlir::tfc {

/// An attention in terms of the kernel's pointers. All views have the dims [batch, heads, length, head dim],
/// with stride 1 in the last; mask and bias those of the scores, [batch, heads, queries, keys], each of which
/// may be 1.
struct Attention {
  StridedView query, key, value, output;
  std::optional<StridedView> mask, bias;
  float scale;
  std::optional<float> softcap;
  bool causal;
  MaskedRowKind maskedRow;
  float fill; ///< What the score of a key that is not allowed becomes.
  Location loc;

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
  AttentionOperand query, key, value, output;
  SmallVector<ScoreOperand> scores; ///< bias before mask

  static AttentionOperands open(VectorEmitter &e, KernelFrame frame, const Attention &problem);
  /// The same at a batch and a head of the queries; `group` of them share a head of the keys.
  AttentionOperands at(VectorEmitter &e, Value batch, Value head, int64_t group) const;
};

/// What becomes of scaled scores: they are capped, biased, and filled where `allowed` does not hold. Bias and condition may be null.
Value finishScores(VectorEmitter &e, const Attention &problem, Value scores, Value bias, Value allowed);

} // namespace mlir::tfc

#endif // TFC_LIB_CODEGEN_CPU_ATTENTIONOPERANDS_H
