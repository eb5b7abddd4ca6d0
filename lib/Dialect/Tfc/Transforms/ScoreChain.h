//===- ScoreChain.h - What stands between a product and its softmax -*- C++ -*- -----------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// The normal form of attention scores: select(mask, cap(scale * product) + bias, fill), or with the bias added behind
// the select, whatever order and spelling the graph has; cap(x) = softcap * tanh(x / softcap). ScoreChain finds the product,
// walks from it to the softmax one op at a time, and keeps this form.
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

/// What a masked score of this value is; `Low` from -10000 downwards, for which f16 graphs have room.
MaskFill classifyFill(double value, const llvm::fltSemantics &semantics);

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

  /// The product is scaled by this too: what was taken out of queries and keys.
  void scaleProduct(double factor) { (hasCap ? innerScale : scale) *= factor; }
  /// The factor of the product, and the bound of the scores that a tanh makes (0: none).
  double getScale() const { return hasCap ? innerScale * scale : scale; }
  double getSoftcap() const { return hasCap ? scale : 0; }
  const llvm::fltSemantics &semantics();
  /// The type that the softmax is taken in; wider than the product's where the graph casts the scores.
  Type getElementType() const { return element; }

  Value bias, mask;
  MaskFill fill = MaskFill::None;
  double fillValue = 0;
  /// The bias is added to masked scores too.
  bool isBiased = false;

private:
  bool search(Value value, int depth);
  LogicalResult readStep(OpOperand &score);
  LogicalResult scaleBy(Operation *op, double factor);
  LogicalResult cap(Operation *op);
  LogicalResult widen(CastOp op);
  LogicalResult add(Operation *op, Value extra, bool subtract);
  LogicalResult select(SelectOp op, bool scoreIsX);
  LogicalResult raise(MaxOp op, Value floor);
  /// Turns a mask with the lowest number into a part of the bias.
  LogicalResult moveMaskIntoBias(Operation *at);
  FailureOr<Value> align(Operation *at, Value extra);
  FailureOr<Value> mergeWindows(Operation *at, Value extra);
  template <typename OpTy>
  FailureOr<Value> build(Operation *at, ValueRange operands, ArrayRef<NamedAttribute> attributes = {}, TypeRange types = {});
  FailureOr<Value> constant(Operation *at, const APFloat &value);

  OpBuilder &builder;
  FusionDecision &decision;
  MatmulOp product;
  SmallVector<OpOperand *> steps;
  Operation *blocked = nullptr, *broadcast = nullptr;
  ScoreDims dims;
  Type element; ///< of the scores, as far as they have been read
  double scale = 1, innerScale = 1;
  bool hasCap = false;
};

} // namespace mlir::tfc

#endif // TFC_LIB_DIALECT_TFC_TRANSFORMS_SCORECHAIN_H
