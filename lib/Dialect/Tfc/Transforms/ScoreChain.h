//===- ScoreChain.h - What stands between a product and its softmax -*- C++ -*- -----------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// The normal form of attention scores: select(mask, scale * product + bias, fill), whatever order and spelling the
// graph has. ScoreChain finds the product, walks from it to the softmax one op at a time, and keeps this form.
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_DIALECT_TFC_TRANSFORMS_SCORECHAIN_H
#define TFC_LIB_DIALECT_TFC_TRANSFORMS_SCORECHAIN_H

#include "tfc/Dialect/Tfc/IR/TfcOps.h"
#include "tfc/Dialect/Tfc/Transforms/FusionRemarks.h"

#include "mlir/IR/Builders.h"

namespace mlir::tfc {

/// The dims of scores as [batch, heads, queries, keys]. Scores of rank 3 have one head, of rank 2 one batch too.
struct ScoreDims {
  SmallVector<DimExprAttr> dims; ///< four
  int64_t rank = 4;              ///< the rank that the graph works in

  static FailureOr<ScoreDims> get(ArrayRef<Type> types);

  /// The shape under which a tensor of the graph (queries, keys, values, masks: leading dims and two more) takes part;
  /// failure when its leading dims are none of batch, heads, both merged, or 1.
  FailureOr<SmallVector<DimExprAttr>> align(ArrayRef<DimExprAttr> dims) const;
};

/// What a masked score becomes.
enum class MaskFill {
  None,
  Infinite, ///< -inf: no probability, and NaN in a row of only such scores
  Lowest,   ///< the lowest finite number
  Low       ///< low enough to get no probability beside scores of usual size
};

class ScoreChain {
public:
  /// What is built is built at `builder`, behind all ops of the chain.
  ScoreChain(OpBuilder &builder, FusionDecision &decision) : builder(builder), decision(decision) {}

  /// Finds the product and the steps from it to `softmaxInput`.
  LogicalResult find(Value softmaxInput);
  MatmulOp getProduct() const { return product; }
  /// The steps, from the product to the softmax.
  ArrayRef<OpOperand *> getSteps() const { return steps; }

  /// Reads the steps. On failure ops may have been built that nobody uses.
  LogicalResult read(const ScoreDims &dims);
  /// Makes the mask say where rows may be all masked, for a NaN guard behind the softmax.
  LogicalResult applyGuard(Operation *guard);

  double scale = 1;
  Value bias, mask;
  MaskFill fill = MaskFill::None;

private:
  bool search(Value value, int depth);
  LogicalResult readStep(OpOperand &score);
  LogicalResult scaleBy(Operation *op, double factor);
  LogicalResult add(Operation *op, Value extra, bool subtract);
  LogicalResult select(SelectOp op, bool scoreIsX);
  /// Turns a mask with the lowest number into a part of the bias.
  LogicalResult moveMaskIntoBias(Operation *at);
  FailureOr<Value> align(Operation *at, Value extra);
  template <typename OpTy>
  FailureOr<Value> build(Operation *at, ValueRange operands, ArrayRef<NamedAttribute> attributes = {}, TypeRange types = {});
  FailureOr<Value> constant(Operation *at, const APFloat &value);
  const llvm::fltSemantics &semantics();

  OpBuilder &builder;
  FusionDecision &decision;
  MatmulOp product;
  SmallVector<OpOperand *> steps;
  Operation *blocked = nullptr, *broadcast = nullptr;
  ScoreDims dims;
  double fillValue = 0;
};

} // namespace mlir::tfc

#endif // TFC_LIB_DIALECT_TFC_TRANSFORMS_SCORECHAIN_H
