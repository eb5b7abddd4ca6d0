//===- ContribAttention.cpp - Attention operators of com.microsoft ----------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// Attention, QAttention, MultiHeadAttention, DecoderMaskedMultiHeadAttention. A mask of theirs adds
// `mask_filter_value` to the scores of keys that are not allowed, so it becomes a bias: a row without any allowed key
// gets the probabilities of its scores, all shifted alike. What looks back only (unidirectional) is `causal`.
//
//===----------------------------------------------------------------------------------------------===//

#include "AttentionParts.h"
#include "OpTable.h"
#include <cmath>

using namespace mlir;
using namespace mlir::tfc;
using namespace mlir::tfc::onnx_import;

//===----------------------------------------------------------------------------------------------===//
// Masks
//===----------------------------------------------------------------------------------------------===//

/// Numbers per batch: how many keys count, or behind those also where they begin, or behind those what packed operands
/// need. Nothing of the last.
static Value readKeyRange(NodeContext &node, const AttentionParts &parts, Value mask) {
  DimExprAttr batch = getDim(parts.query, 0), length = getDim(mask, 0);
  Value key = countUp(node, parts.getTotalKeys(node));
  auto part = [&](DimExprAttr begin) { return perBatch(node, node.sliceAxis(mask, 0, begin, batch)); };
  if (length == batch * 2) {
    Value begin = part(batch), end = part(node.dim(0));
    return node.build<AndOp>({node.compare(CompareKind::Ge, key, begin), node.compare(CompareKind::Lt, key, end)});
  }
  if (length != batch * 3 + 2)
    mask = node.conform(mask, 0, batch);
  return node.compare(CompareKind::Lt, key, mask ? part(node.dim(0)) : mask);
}

/// Which keys are allowed, as something that broadcasts to [batch, heads, queries, keys].
static Value readKeyMask(NodeContext &node, const AttentionParts &parts, Value mask) {
  if (!isa<IntegerType>(getElementType(mask))) {
    (void)node.fail("the mask must be integers");
    return {};
  }
  if (getRank(mask) == 1)
    return readKeyRange(node, parts, mask);
  Dims dims = getDims(mask);
  DimExprAttr one = node.dim(1), queries = getDim(parts.query, 2);
  if (dims.size() == 2)
    mask = node.reshape(mask, {dims[0], one, one, dims[1]});
  else if (dims.size() == 3)
    mask = node.reshape(mask, {dims[0], one, dims[1], dims[2]});
  else if (dims.size() == 4)
    // A table for all positions, of which this run's are cut out.
    mask = node.sliceAxis(node.sliceAxis(mask, 2, parts.getPastLength(node), queries), 3, node.dim(0),
                          parts.getTotalKeys(node));
  else
    (void)node.fail("the mask must have rank 1 to 4");
  return node.cast(mask, node.builder.getI1Type());
}

static void addKeyMask(NodeContext &node, AttentionParts &parts, Value mask) {
  double filter = node.getFloat("mask_filter_value", -10000.0);
  Value allowed = mask && !node.hasFailed() ? readKeyMask(node, parts, mask) : Value();
  if (!allowed)
    return;
  Type element = getElementType(parts.query);
  addBias(node, parts, node.build<SelectOp>({allowed, node.scalar(0, element), node.scalar(filter, element)}));
}

//===----------------------------------------------------------------------------------------------===//
// What all of them read
//===----------------------------------------------------------------------------------------------===//

static LogicalResult readCommonAttributes(NodeContext &node, AttentionParts &parts) {
  parts.scale = node.getFloat("scale");
  if (parts.scale && !std::isfinite(*parts.scale))
    return node.fail("the scale is not finite");
  // ORT writes 0 for "not given".
  if (parts.scale == 0.0)
    parts.scale = std::nullopt;
  parts.isCausal = node.getInt("unidirectional", 0) != 0;
  for (StringRef name : {"past_present_share_buffer", "do_rotary", "output_qk"})
    if (node.getInt(name, 0) != 0)
      return node.fail(name + " is not supported");
  if (node.getInt("num_heads", 0) <= 0)
    return node.fail("num_heads is missing or not positive");
  return failure(node.hasFailed());
}

/// Query q stands behind the past.
static void placeQueries(NodeContext &node, AttentionParts &parts) {
  if (node.hasFailed() || !parts.isCausal || getDim(parts.query, 2) == getDim(parts.key, 2))
    return;
  maskAroundPositions(node, parts, node.dimValues(parts.getPastLength(node), /*isScalar=*/true));
}

/// One of the parts that stand behind each other along an axis, which goes.
static Value unstack(NodeContext &node, Value x, int64_t axis, int64_t index) {
  if (!x)
    return x;
  Dims dims = getDims(x);
  dims.erase(dims.begin() + axis);
  return node.reshape(node.sliceAxis(x, axis, node.dim(index), node.dim(1)), dims);
}

//===----------------------------------------------------------------------------------------------===//
// Attention and QAttention
//===----------------------------------------------------------------------------------------------===//

/// The widths of queries, keys and values in a product of width `total`: a third each unless the node says others.
static std::optional<Dims> getHiddenSizes(NodeContext &node, DimExprAttr total) {
  SmallVector<int64_t> stated = node.getInts("qkv_hidden_sizes").value_or(SmallVector<int64_t>());
  DimExprAttr third = total.floorDiv(node.dim(3)), sum = node.dim(0);
  Dims sizes(3, third);
  if (stated.size() == 3)
    for (auto [size, number] : llvm::zip_equal(sizes, stated))
      size = node.dim(std::clamp<int64_t>(number, 0, int64_t(1) << 40));
  for (DimExprAttr size : sizes)
    sum = sum + size;
  bool fits = !sum.isConstant() || !total.isConstant() || sum == total;
  if (fits && (stated.empty() || stated.size() == 3))
    return sizes;
  (void)node.fail("the hidden sizes do not fit weights of width " + total.str());
  return std::nullopt;
}

static LogicalResult finishStacked(NodeContext &node, AttentionParts &parts) {
  placeQueries(node, parts);
  AttentionResults results = buildAttention(node, parts);
  Value present;
  if (node.wantsOutput(1) && results.presentKey) {
    auto stacked = [&](Value x) {
      Dims dims = getDims(x);
      dims.insert(dims.begin(), node.dim(1));
      return node.reshape(x, dims);
    };
    present = node.build<ConcatOp>({stacked(results.presentKey), stacked(results.presentValue)},
                                   node.attribute("axis", int64_t(0)));
  }
  return node.finish({mergeHeads(node, results.output), present});
}

/// From the projected input on.
static LogicalResult importProjected(NodeContext &node, Value projected, Value bias, Value mask, Value past,
                                     Value attentionBias) {
  AttentionParts parts;
  if (failed(readCommonAttributes(node, parts)) || !projected)
    return failure();
  if (getRank(projected) != 3)
    return node.fail("the input must have rank 3");
  std::optional<Dims> sizes = getHiddenSizes(node, getDim(projected, 2));
  if (!sizes)
    return failure();
  if (bias)
    projected = node.build<AddOp>({projected, bias});
  int64_t heads = node.getInt("num_heads", 1);
  DimExprAttr begin = node.dim(0);
  Value *targets[] = {&parts.query, &parts.key, &parts.value};
  for (auto [size, part] : llvm::zip_equal(*sizes, targets)) {
    *part = splitHeads(node, node.sliceAxis(projected, 2, begin, size), heads);
    begin = begin + size;
  }
  if (past && (getRank(past) != 5 || (getDim(past, 0).isConstant() && !getDim(past, 0).isConstant(2))))
    return node.fail("past must have rank 5, and keys and values along dim 0");
  if (past)
    past = node.conform(past, 0, node.dim(2));
  parts.pastKey = unstack(node, past, 0, 0);
  parts.pastValue = unstack(node, past, 0, 1);
  addKeyMask(node, parts, mask);
  if (attentionBias)
    addBias(node, parts, attentionBias);
  return finishStacked(node, parts);
}

static LogicalResult importContribAttention(NodeContext &node) {
  if (node.hasInput(6))
    return node.fail("past_sequence_length is not supported");
  Value projected = node.build<MatmulOp>({node.getInput(0), node.getInput(1)});
  return importProjected(node, projected, node.getInput(2), node.getInput(3), node.getInput(4), node.getInput(5));
}

static LogicalResult importQAttention(NodeContext &node) {
  auto dequantize = [&](unsigned x, unsigned scale, unsigned zeroPoint) {
    Value value = node.getInput(x), factor = node.getInput(scale), zero = node.getInput(zeroPoint);
    Type element = getElementType(factor);
    bool perColumn = getRank(factor) == 1 && !getDim(factor, 0).isConstant(1);
    Value centred = node.cast(value, node.builder.getI32Type());
    if (zero)
      centred = node.build<SubOp>({centred, node.cast(zero, node.builder.getI32Type())});
    if (!perColumn)
      factor = node.toScalar(factor, "a scale");
    return node.build<MulOp>({node.cast(centred, element), factor});
  };
  Value projected = node.build<MatmulOp>({dequantize(0, 3, 6), dequantize(1, 4, 7)});
  return importProjected(node, projected, node.getInput(2), node.getInput(5), node.getInput(8), {});
}

//===----------------------------------------------------------------------------------------------===//
// MultiHeadAttention
//===----------------------------------------------------------------------------------------------===//

namespace {
/// Which input is which: the operators order them differently.
struct MultiHeadInputs {
  Value query, key, value, bias, mask, attentionBias, pastKey, pastValue;
};
} // namespace

/// Queries, keys and values of a packed operand [batch, length, heads, parts, d].
static SmallVector<Value> unpackHeads(NodeContext &node, Value packed, int64_t parts, int64_t heads) {
  for (auto [axis, size] : {std::pair(3, parts), std::pair(2, heads)})
    if (packed && !getDim(packed, axis).isConstant())
      packed = node.conform(packed, axis, node.dim(size));
  if (!packed || !getDim(packed, 3).isConstant(parts) || !getDim(packed, 2).isConstant(heads)) {
    (void)node.fail("a packed operand must have dims [batch, length, heads, " + Twine(parts) + ", head size]");
    return SmallVector<Value>(parts);
  }
  SmallVector<Value> result;
  for (int64_t i = 0; i < parts; ++i)
    result.push_back(node.transpose(unstack(node, packed, 3, i), {0, 2, 1, 3}));
  return result;
}

/// Adds the bias of queries, keys and values, which stand behind each other in one vector.
static void addProjectionBias(NodeContext &node, MultiHeadInputs &inputs) {
  if (getRank(inputs.bias) != 1) {
    (void)node.fail("the bias must have rank 1");
    return;
  }
  DimExprAttr begin = node.dim(0);
  for (Value *x : {&inputs.query, &inputs.key, &inputs.value}) {
    if (!*x || getRank(*x) != 3)
      continue;
    DimExprAttr size = getDim(*x, 2);
    *x = node.build<AddOp>({*x, node.sliceAxis(inputs.bias, 0, begin, size)});
    begin = begin + size;
  }
}

static LogicalResult readMultiHead(NodeContext &node, AttentionParts &parts, MultiHeadInputs inputs) {
  int64_t heads = node.getInt("num_heads", 1);
  if (getRank(inputs.query) == 5) {
    if (inputs.key || inputs.value || inputs.bias)
      return node.fail("a packed query goes without key, value and bias");
    SmallVector<Value> split = unpackHeads(node, inputs.query, 3, heads);
    std::tie(parts.query, parts.key, parts.value) = std::tuple(split[0], split[1], split[2]);
    return failure(node.hasFailed());
  }
  if (!inputs.key)
    return node.fail("the key is missing");
  bool isPacked = getRank(inputs.key) == 5;
  if (isPacked ? bool(inputs.value || inputs.bias) : !inputs.value)
    return node.fail(isPacked ? "a packed key goes without value and bias" : "the value is missing");
  if (inputs.bias)
    addProjectionBias(node, inputs);
  parts.query = splitHeads(node, inputs.query, heads);
  if (isPacked) {
    SmallVector<Value> split = unpackHeads(node, inputs.key, 2, heads);
    std::tie(parts.key, parts.value) = std::pair(split[0], split[1]);
    return failure(node.hasFailed());
  }
  // Cross attention takes keys and values whose heads are split already.
  for (auto [x, part] : {std::pair(inputs.key, &parts.key), std::pair(inputs.value, &parts.value)})
    *part = x && getRank(x) == 4 ? x : splitHeads(node, x, heads);
  return failure(node.hasFailed());
}

static LogicalResult importMultiHead(NodeContext &node, const MultiHeadInputs &inputs) {
  AttentionParts parts;
  if (failed(readCommonAttributes(node, parts)) || failed(readMultiHead(node, parts, inputs)))
    return failure();
  if (static_cast<bool>(inputs.pastKey) != static_cast<bool>(inputs.pastValue))
    return node.fail("past_key and past_value come together");
  parts.pastKey = inputs.pastKey;
  parts.pastValue = inputs.pastValue;
  for (Value past : {parts.pastKey, parts.pastValue})
    if (past && getRank(past) != 4)
      return node.fail("past_key and past_value must have rank 4");
  addKeyMask(node, parts, inputs.mask);
  if (inputs.attentionBias)
    addBias(node, parts, inputs.attentionBias);
  placeQueries(node, parts);
  AttentionResults results = buildAttention(node, parts);
  return node.finish({mergeHeads(node, results.output), results.presentKey, results.presentValue});
}

static LogicalResult importMultiHeadAttention(NodeContext &node) {
  for (auto [input, name] : {std::pair(8u, "past_sequence_length"), std::pair(9u, "cache_indirection")})
    if (node.hasInput(input))
      return node.fail(Twine(name) + " is not supported");
  return importMultiHead(node, {node.getInput(0), node.getInput(1), node.getInput(2), node.getInput(3), node.getInput(4),
                                node.getInput(5), node.getInput(6), node.getInput(7)});
}

static LogicalResult importDecoderMasked(NodeContext &node) {
  for (auto [input, name] : {std::pair(7u, "past_sequence_length"), std::pair(9u, "cache_indirection")})
    if (node.hasInput(input))
      return node.fail(Twine(name) + " is not supported");
  return importMultiHead(node, {node.getInput(0), node.getInput(1), node.getInput(2), node.getInput(10), node.getInput(3),
                                node.getInput(4), node.getInput(5), node.getInput(6)});
}

void mlir::tfc::onnx_import::addContribAttentionOps(OpTable &table) {
  table.addTo("com.microsoft", "Attention", importContribAttention, 2, 7);
  table.addTo("com.microsoft", "QAttention", importQAttention, 5, 9);
  table.addTo("com.microsoft", "MultiHeadAttention", importMultiHeadAttention, 1, 10);
  table.addTo("com.microsoft", "DecoderMaskedMultiHeadAttention", importDecoderMasked, 1, 11);
}
