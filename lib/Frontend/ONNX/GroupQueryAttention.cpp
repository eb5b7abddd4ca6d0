//===- GroupQueryAttention.cpp - com.microsoft.GroupQueryAttention ---------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// The past is a buffer in which each batch has rows of its own number: new keys of batch b are written behind its
// `past[b]` rows. So the keys of tfc.attention are the buffer after writing, and `past[b] + queries` are their lengths.
//
//===----------------------------------------------------------------------------------------------===//

#include "AttentionParts.h"
#include "OpTable.h"
#include "RotaryEmbedding.h"
#include "TensorScatter.h"
#include <cmath>

using namespace mlir;
using namespace mlir::tfc;
using namespace mlir::tfc::onnx_import;

namespace {
class GroupQueryImporter {
public:
  explicit GroupQueryImporter(NodeContext &node) : node(node) {}
  LogicalResult run();

private:
  LogicalResult readAttributes();
  LogicalResult readOperands();
  LogicalResult rotateOperands();
  Value buildPastLengths();
  /// The buffer with the new rows, and room for all of them.
  Value extendCache(Value past, Value next, DimExprAttr capacity);
  Value number(DimExprAttr value) { return node.dimValues(value, /*isScalar=*/true); }

  NodeContext &node;
  AttentionParts parts;
  Value pastLengths; ///< [batch] of i64
  int64_t heads = 0, keyHeads = 0;
};
} // namespace

LogicalResult GroupQueryImporter::readAttributes() {
  heads = node.getInt("num_heads", 0);
  keyHeads = node.getInt("kv_num_heads", 0);
  if (heads <= 0 || keyHeads <= 0 || heads % keyHeads != 0)
    return node.fail("num_heads must be a positive multiple of kv_num_heads");
  parts.scale = node.getFloat("scale");
  if (parts.scale == 0.0)
    parts.scale = std::nullopt;
  parts.softcap = node.getFloat("softcap", 0.0);
  if ((parts.scale && !std::isfinite(*parts.scale)) || !std::isfinite(parts.softcap))
    return node.fail("scale and softcap must be finite");
  parts.isCausal = node.getInt("causal", 1) != 0;
  int64_t window = node.getInt("local_window_size", -1);
  if (window == 0 || window < -1)
    return node.fail("local_window_size must be -1 or positive");
  // The window counts the query's own position.
  if (window > 0)
    parts.windowLeft = std::min<int64_t>(window, INT32_MAX) - 1;
  for (StringRef name : {"smooth_softmax", "sliding_window_cache", "qk_output"})
    if (node.getInt(name, 0) > 0)
      return node.fail(name + " is not supported");
  for (StringRef name : {"k_quant_type", "v_quant_type"})
    if (node.getString(name).value_or("NONE") != "NONE")
      return node.fail("a quantized cache is not supported");
  for (auto [input, name] : {std::pair(11u, "head_sink"), std::pair(12u, "k_scale"), std::pair(13u, "v_scale"),
                             std::pair(14u, "q_norm_weight"), std::pair(15u, "k_norm_weight")})
    if (node.hasInput(input))
      return node.fail(Twine(name) + " is not supported");
  return failure(node.hasFailed());
}

LogicalResult GroupQueryImporter::readOperands() {
  Value query = node.getInput(0), key = node.getInput(1), value = node.getInput(2);
  if (getRank(query) != 3)
    return node.fail("the query must have rank 3");
  if (static_cast<bool>(key) != static_cast<bool>(value))
    return node.fail("key and value come together");
  if (!key) {
    // All three stand behind each other.
    DimExprAttr width = getDim(query, 2), size = width.floorDiv(node.dim(heads + 2 * keyHeads));
    if (width.isConstant() && size * (heads + 2 * keyHeads) != width)
      return node.fail("a packed query of width " + width.str() + " does not split into heads");
    DimExprAttr keyWidth = size * keyHeads, queryWidth = size * heads;
    key = node.sliceAxis(query, 2, queryWidth, keyWidth);
    value = node.sliceAxis(query, 2, queryWidth + keyWidth, keyWidth);
    query = node.sliceAxis(query, 2, node.dim(0), queryWidth);
  }
  parts.query = splitHeads(node, query, heads);
  parts.key = splitHeads(node, key, keyHeads);
  parts.value = splitHeads(node, value, keyHeads);
  if (node.hasInput(3) != node.hasInput(4))
    return node.fail("past_key and past_value come together");
  for (unsigned i : {3u, 4u})
    if (node.hasInput(i) && getRank(node.getInput(i)) != 4)
      return node.fail("past_key and past_value must have rank 4");
  if (!node.hasInput(5) || !node.hasInput(6))
    return node.fail("seqlens_k or total_sequence_length is missing");
  return failure(node.hasFailed());
}

/// How many keys each batch has before this run: none where the run is the first, whatever the prompts' lengths.
Value GroupQueryImporter::buildPastLengths() {
  DimExprAttr batch = getDim(parts.query, 0), queries = getDim(parts.query, 2);
  Value lengths = node.cast(node.getInput(5), node.builder.getI64Type());
  if (!lengths || !getElementCount(lengths.getType()))
    return {};
  lengths = node.conform(node.reshape(lengths, {getElementCount(lengths.getType())}), 0, batch);
  Value total = node.cast(node.toScalar(node.getInput(6), "total_sequence_length"), node.builder.getI64Type());
  Value isFirst = node.compare(CompareKind::Eq, total, number(queries));
  Value before = node.build<SubOp>({lengths, number(queries - 1)});
  return node.build<SelectOp>({isFirst, number(node.dim(0)), before});
}

LogicalResult GroupQueryImporter::rotateOperands() {
  if (node.getInt("do_rotary", 0) == 0)
    return success();
  if (!node.hasInput(7) || !node.hasInput(8))
    return node.fail("cos_cache or sin_cache is missing");
  DimExprAttr batch = getDim(parts.query, 0), queries = getDim(parts.query, 2);
  Value positions = node.getInput(9);
  if (!positions) {
    Value first = node.reshape(pastLengths, {batch, node.dim(1)});
    positions = node.build<AddOp>({countUp(node, queries), first});
  } else if (getRank(positions) != 2) {
    return node.fail("position_ids must have rank 2");
  }
  Value cosines = lookUpAngles(node, node.getInput(7), positions), sines = lookUpAngles(node, node.getInput(8), positions);
  bool interleaved = node.getInt("rotary_interleaved", 0) != 0;
  parts.query = rotate(node, parts.query, cosines, sines, interleaved, /*isWhole=*/false);
  parts.key = rotate(node, parts.key, cosines, sines, interleaved, /*isWhole=*/false);
  return failure(node.hasFailed());
}

Value GroupQueryImporter::extendCache(Value past, Value next, DimExprAttr capacity) {
  if (!past || !next)
    return next;
  Dims dims = getDims(past);
  // Behind the past there is room for what the run adds.
  Dims room = dims;
  room[2] = capacity - dims[2];
  if (!room[2].isConstant(0)) {
    Value empty = node.expand(node.scalar(0, getElementType(past)), room);
    past = node.build<ConcatOp>({past, empty}, node.attribute("axis", int64_t(2)));
  }
  return writeIntoCache(node, past, next, pastLengths, 2, /*circular=*/false);
}

LogicalResult GroupQueryImporter::run() {
  if (failed(readAttributes()) || failed(readOperands()))
    return failure();
  pastLengths = buildPastLengths();
  if (!pastLengths || failed(rotateOperands()))
    return failure();
  if (node.hasInput(3)) {
    std::optional<DimExprAttr> total = node.getSize(node.getInput(6), "total_sequence_length");
    if (!total)
      return failure();
    DimExprAttr own = getDim(node.getInput(3), 2);
    DimExprAttr capacity = (*total - own).isNonNegative() ? *total : own.max(*total);
    parts.key = extendCache(node.getInput(3), parts.key, capacity);
    parts.value = extendCache(node.getInput(4), parts.value, capacity);
    parts.keyLengths = node.build<AddOp>({pastLengths, number(getDim(parts.query, 2))});
  } else {
    parts.key = node.conform(parts.key, 2, getDim(parts.query, 2));
    parts.value = node.conform(parts.value, 2, getDim(parts.query, 2));
  }
  // The bias ends where the keys do that count, not where the buffer does.
  if (Value bias = node.getInput(10))
    addBias(node, parts, extendToKeys(node, parts, bias, node.scalar(0, getElementType(bias))));
  if (!parts.isCausal)
    parts.windowLeft = std::nullopt;
  AttentionResults results = buildAttention(node, parts);
  return node.finish({mergeHeads(node, results.output), results.presentKey, results.presentValue});
}

static LogicalResult importGroupQueryAttention(NodeContext &node) { return GroupQueryImporter(node).run(); }

void mlir::tfc::onnx_import::addGroupQueryAttentionOps(OpTable &table) {
  table.addTo("com.microsoft", "GroupQueryAttention", importGroupQueryAttention, 1, 16);
}
