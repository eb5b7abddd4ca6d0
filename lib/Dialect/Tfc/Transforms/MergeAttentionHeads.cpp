//===- MergeAttentionHeads.cpp - One attention instead of one per head --------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "MergeAttentionHeads.h"
#include "GraphMatchers.h"

#include "tfc/Dialect/Tfc/IR/BuildOp.h"
#include "tfc/Dialect/Tfc/Transforms/FusionRemarks.h"

using namespace mlir;
using namespace mlir::tfc;

namespace {

/// A part of `source` along one axis.
struct Part {
  Value source;
  int64_t axis;
  DimExprAttr offset, length;
};

class HeadMerger {
public:
  HeadMerger(ConcatOp concat, ArrayRef<AttentionOp> heads)
      : concat(concat), heads(heads), builder(concat), decision("attention", concat) {}

  LogicalResult run();
  FusionDecision &getDecision() { return decision; }

private:
  LogicalResult checkSameAttributes();
  FailureOr<Value> mergeOperand(unsigned index);
  FailureOr<Value> splitHeads(Value source, int64_t axis);

  ConcatOp concat;
  ArrayRef<AttentionOp> heads;
  OpBuilder builder;
  FusionDecision decision;
};

} // namespace

/// The slice that an operand of one head is, with reshapes that only add or drop dims of length 1 behind it.
static std::optional<Part> matchPart(Value operand) {
  while (auto reshape = operand.getDefiningOp<ReshapeOp>()) {
    auto longDims = [](Value value) {
      SmallVector<DimExprAttr> dims = getDims(value);
      llvm::erase_if(dims, [](DimExprAttr dim) { return dim.isConstant(1); });
      return dims;
    };
    if (longDims(reshape.getX()) != longDims(reshape.getY()))
      return std::nullopt;
    operand = reshape.getX();
  }
  auto slice = operand.getDefiningOp<SliceOp>();
  if (!slice || llvm::any_of(slice.getStrides(), [](int64_t stride) { return stride != 1; }))
    return std::nullopt;
  std::optional<Part> part;
  SmallVector<DimExprAttr> from = getDims(slice.getX()), to = getDims(slice.getY());
  for (auto [i, dim] : llvm::enumerate(from)) {
    if (dim == to[i])
      continue;
    if (part)
      return std::nullopt;
    part = Part{slice.getX(), int64_t(i), cast<DimExprAttr>(slice.getOffsets()[i]), to[i]};
  }
  return part;
}

/// The same value, or the same reshape of it.
static bool isSame(Value x, Value y) {
  if (x == y || !x || !y)
    return x == y;
  auto a = x.getDefiningOp<ReshapeOp>(), b = y.getDefiningOp<ReshapeOp>();
  return a && b && a.getX() == b.getX() && a.getType() == b.getType();
}

LogicalResult HeadMerger::checkSameAttributes() {
  AttentionOp first = heads.front();
  for (AttentionOp head : heads) {
    if (head->getAttrDictionary() != first->getAttrDictionary() || head.getPastKey() || !head.getExtras().empty())
      return decision.decline(head, "heads have other attributes than the first, or a past of their own");
    if (!isSame(head.getMask(), first.getMask()) || !isSame(head.getBias(), first.getBias()) ||
        !isSame(head.getKeyLengths(), first.getKeyLengths()))
      return decision.decline(head, "each head has a mask or bias of its own");
    if (!getDim(head.getQuery(), 1).isConstant(1) || !getDim(head.getKey(), 1).isConstant(1))
      return decision.decline(head, "a part has more than one head");
    if (!head.getOutput().hasOneUse())
      return decision.decline(head, "the output of a head is used elsewhere too");
  }
  for (Value extra : {Value(first.getMask()), Value(first.getBias())})
    if (extra && getDims(extra).size() >= 3 && !getDims(extra)[getDims(extra).size() - 3].isConstant(1))
      return decision.decline(first, "the mask or bias hangs on the head");
  return success();
}

/// Heads side by side in the last dim, or along a dim of their own, as [batch, heads, length, d].
FailureOr<Value> HeadMerger::splitHeads(Value source, int64_t axis) {
  SmallVector<DimExprAttr> dims = getDims(source);
  Location loc = source.getLoc();
  DimExprAttr count = DimExprAttr::constant(builder.getContext(), heads.size());
  auto transpose = [&](Value value) {
    return buildOp<TransposeOp>(builder, loc, value,
                                builder.getNamedAttr("permutation", builder.getDenseI64ArrayAttr({0, 2, 1, 3})));
  };
  if (dims.size() == 4 && axis == 1 && dims[1] == count)
    return source;
  if (dims.size() == 4 && axis == 2 && dims[2] == count)
    return transpose(source);
  std::optional<DimExprAttr> size = dims.back().exactDiv(count);
  if (dims.size() != 3 || axis != 2 || !size)
    return failure();
  FailureOr<Value> split = buildOp<ReshapeOp>(
      builder, loc, source, {}, getTensorType({dims[0], dims[1], count, *size}, getElementTypeOrSelf(source.getType())));
  if (failed(split))
    return failure();
  return transpose(*split);
}

FailureOr<Value> HeadMerger::mergeOperand(unsigned index) {
  std::optional<Part> first = matchPart(heads.front()->getOperand(index));
  DimExprAttr begin = DimExprAttr::constant(builder.getContext(), 0);
  for (AttentionOp head : heads) {
    std::optional<Part> part = matchPart(head->getOperand(index));
    if (!part || part->source != first->source || part->axis != first->axis || part->length != first->length ||
        part->offset != begin) {
      (void)decision.decline(head, "heads are no neighbouring slices of one tensor");
      return failure();
    }
    begin = begin + part->length;
  }
  FailureOr<Value> merged = failure();
  if (begin == getDim(first->source, first->axis))
    merged = splitHeads(first->source, first->axis);
  if (failed(merged))
    (void)decision.decline(heads.front(), "the slices of the heads are not the whole of a tensor");
  return merged;
}

LogicalResult HeadMerger::run() {
  AttentionOp first = heads.front();
  if (failed(checkSameAttributes()))
    return failure();
  for (AttentionOp head : heads)
    for (unsigned i = 0; i < 3; ++i)
      if (!matchPart(head->getOperand(i)))
        return decision.decline(head, "queries, keys and values of a head are no slices");
  SmallVector<Value> operands;
  for (unsigned i = 0; i < 3; ++i) {
    FailureOr<Value> merged = mergeOperand(i);
    if (failed(merged))
      return failure();
    operands.push_back(*merged);
  }
  operands.append(first->operand_begin() + 3, first->operand_end());
  SmallVector<DimExprAttr> shape = getDims(operands[0]);
  shape[3] = getDim(operands[2], 3);
  if (getDims(first.getOutput())[2] != shape[2] || getDims(first.getOutput())[0] != shape[0])
    return decision.decline(first, "heads differ in batch or length from what they are slices of");
  Type element = getElementTypeOrSelf(first.getOutput().getType());
  SmallVector<Operation *> dead;
  for (AttentionOp head : heads)
    dead.push_back(head);
  FailureOr<Value> output = buildOp<AttentionOp>(builder, fuseLocations(dead), operands, first->getAttrs(),
                                                 getTensorType(shape, element));
  if (failed(output))
    return failure();
  // The heads of the concatenation lie side by side in the last dim, or along dim 1.
  SmallVector<DimExprAttr> dims = getDims(concat.getY());
  if (!(dims.size() == 4 && concat.getAxis() == 1)) {
    output = buildOp<TransposeOp>(builder, concat.getLoc(), *output,
                                  builder.getNamedAttr("permutation", builder.getDenseI64ArrayAttr({0, 2, 1, 3})));
    if (succeeded(output))
      output = buildOp<ReshapeOp>(builder, concat.getLoc(), *output, {}, concat.getType());
  }
  if (failed(output))
    return failure();
  concat.getY().replaceAllUsesWith(*output);
  SmallVector<Operation *> between{concat};
  for (Value input : concat.getInputs())
    if (auto reshape = input.getDefiningOp<ReshapeOp>())
      between.push_back(reshape);
  between.append(dead);
  eraseDead(std::move(between));
  return success();
}

/// The attentions of one head whose outputs are concatenated; empty when it is anything else.
static SmallVector<AttentionOp> matchHeads(ConcatOp concat) {
  SmallVector<AttentionOp> heads;
  SmallVector<DimExprAttr> dims = getDims(concat.getY());
  bool isLast = dims.size() == 3 && concat.getAxis() == 2;
  bool isHeads = dims.size() == 4 && (concat.getAxis() == 1 || concat.getAxis() == 2);
  if (concat.getInputs().size() < 2 || !(isLast || isHeads))
    return {};
  for (Value input : concat.getInputs()) {
    if (auto reshape = input.getDefiningOp<ReshapeOp>())
      input = reshape.getX();
    auto attention = input.getDefiningOp<AttentionOp>();
    if (!attention || input != attention.getOutput() || !getDim(input, 1).isConstant(1) ||
        attention->getBlock() != concat->getBlock())
      return {};
    heads.push_back(attention);
  }
  return heads;
}

void mlir::tfc::mergeAttentionHeads(func::FuncOp function) {
  SmallVector<ConcatOp> concats;
  function.walk([&](ConcatOp op) { concats.push_back(op); });
  for (ConcatOp concat : concats) {
    SmallVector<AttentionOp> heads = matchHeads(concat);
    if (heads.empty())
      continue;
    HeadMerger merger(concat, heads);
    LogicalResult merged = merger.run();
    merger.getDecision().report(merged, std::to_string(heads.size()) + " heads of one attention each are one attention");
  }
}
