//===- Attention.cpp - The standard's Attention --------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// Opset 23; nonpad_kv_seqlen since 24, windows since 25. Query q stands at position `q + offset`, where
// offset is the length of the past, or `nonpad_kv_seqlen[b] - queries`, or 0. tfc.attention lets the queries
// stand at the end of the keys; where the two are not known to be the same, causal and windows become a mask.
//
//===----------------------------------------------------------------------------------------------===//

#include "AttentionParts.h"
#include "OpTable.h"
#include <cmath>

using namespace mlir;
using namespace mlir::tfc;
using namespace mlir::tfc::onnx_import;

namespace {
enum Input : unsigned { Query, Key, InputValue, Mask, PastKey, PastValue, KeyLengths };
enum ScoreMode : int64_t { RawScores = 0, CappedScores = 1, BiasedScores = 2, Probabilities = 3 };

class AttentionImporter {
public:
  explicit AttentionImporter(NodeContext &node) : node(node) {}
  LogicalResult run();

private:
  LogicalResult readAttributes();
  LogicalResult readOperands();
  Value readHeads(Input input, StringRef heads);
  LogicalResult readMask();
  void placeQueries();
  Value buildScores();

  NodeContext &node;
  AttentionParts parts;
  int64_t mode = RawScores;
  bool isRank3 = false;
};
} // namespace

LogicalResult AttentionImporter::readAttributes() {
  if (failed(node.allowAttributes({"is_causal", "kv_num_heads", "left_window_size", "q_num_heads",
                                   "qk_matmul_output_mode", "right_window_size", "scale", "softcap",
                                   "softmax_precision"})))
    return failure();
  parts.isCausal = node.getFlag("is_causal", false);
  parts.scale = node.getFloat("scale");
  parts.softcap = node.getFloat("softcap", 0.0);
  mode = node.getInt("qk_matmul_output_mode", RawScores);
  // The specification has renumbered the modes: in files of before, 1 meant the scores with their bias.
  // Without a soft cap a file of today would say 0.
  if (mode == CappedScores && parts.softcap <= 0)
    mode = BiasedScores;
  int64_t precision = node.getInt("softmax_precision", 1);
  if (parts.scale && !std::isfinite(*parts.scale))
    return node.fail("the scale is not finite");
  if (!std::isfinite(parts.softcap))
    return node.fail("the softcap is not finite");
  if (mode < RawScores || mode > Probabilities)
    return node.fail("qk_matmul_output_mode " + Twine(mode) + " is not known");
  // The softmax runs in f32 or better in any case.
  if (precision != 1 && precision != 10 && precision != 11 && precision != 16)
    return node.fail("softmax_precision " + Twine(precision) + " is no float type");
  for (auto [name, window] : {std::pair("left_window_size", &parts.windowLeft),
                              std::pair("right_window_size", &parts.windowRight)}) {
    int64_t width = node.getInt(name, -1);
    if (width < -1)
      return node.fail(Twine(name) + " must be -1 or more");
    if (width >= 0)
      *window = std::min<int64_t>(width, INT32_MAX);
  }
  if (parts.isCausal)
    parts.windowRight = std::nullopt;
  return failure(node.hasFailed());
}

Value AttentionImporter::readHeads(Input input, StringRef heads) {
  Value x = node.getInput(input);
  std::optional<int64_t> count = node.getInt(heads);
  if (getRank(x) == 4) {
    if (!count)
      return x;
    if (*count >= 0)
      return node.conform(x, 1, node.dim(*count));
    (void)node.fail(heads + " is negative");
    return {};
  }
  if (!count) {
    (void)node.fail(heads + " is missing, which operands of rank 3 need");
    return {};
  }
  return splitHeads(node, x, *count);
}

LogicalResult AttentionImporter::readOperands() {
  int64_t rank = getRank(node.getInput(Query));
  isRank3 = rank == 3;
  for (Input input : {Query, Key, InputValue})
    if (getRank(node.getInput(input)) != rank || (rank != 3 && rank != 4) || !isFloat(node.getInput(input)))
      return node.fail("Q, K and V must be floats of one rank, 3 or 4");
  parts.query = readHeads(Query, "q_num_heads");
  Type element = getElementType(node.getInput(Query));
  if (getElementType(node.getInput(Key)) != element)
    return node.fail("Q and K have different types");
  parts.key = readHeads(Key, "kv_num_heads");
  parts.value = node.cast(readHeads(InputValue, "kv_num_heads"), element);
  if (node.hasInput(PastKey) != node.hasInput(PastValue))
    return node.fail("past_key and past_value come together");
  parts.pastKey = node.cast(node.getInput(PastKey), element);
  parts.pastValue = node.cast(node.getInput(PastValue), element);
  if (Value lengths = node.getInput(KeyLengths)) {
    if (parts.pastKey)
      return node.fail("nonpad_kv_seqlen does not go with past_key and past_value");
    if (!getElementType(lengths).isInteger(64) && !getElementType(lengths).isInteger(32))
      return node.fail("nonpad_kv_seqlen must be integers");
    parts.keyLengths = node.reshape(lengths, {getElementCount(lengths.getType())});
  }
  for (Value past : {parts.pastKey, parts.pastValue})
    if (past && getRank(past) != 4)
      return node.fail("past_key and past_value must have rank 4");
  return failure(node.hasFailed());
}

/// A mask may be shorter than the keys: those behind it are not allowed.
LogicalResult AttentionImporter::readMask() {
  Value mask = node.getInput(Mask);
  if (!mask)
    return success();
  Type element = getElementType(parts.query);
  bool isBool = getElementType(mask).isInteger(1);
  if (!isBool)
    mask = node.cast(mask, element);
  if (!mask || getRank(mask) < 1 || getRank(mask) > 4)
    return node.fail("attn_mask must have rank 1 to 4");
  Value behind = isBool ? node.scalar(0, getElementType(mask)) : node.scalar(-INFINITY, element);
  mask = extendToKeys(node, parts, mask, behind);
  if (isBool)
    addMask(node, parts, mask);
  else
    addBias(node, parts, mask);
  return failure(node.hasFailed());
}

void AttentionImporter::placeQueries() {
  bool isBounded = parts.isCausal || parts.windowLeft || parts.windowRight;
  DimExprAttr queries = getDim(parts.query, 2), offset = parts.getPastLength(node);
  if (isBounded && !parts.keyLengths && parts.getTotalKeys(node) - queries != offset)
    maskAroundPositions(node, parts, node.dimValues(offset, /*isScalar=*/true));
  if (parts.mask || parts.bias || parts.keyLengths)
    parts.maskedRow = MaskedRowKind::Zero;
}

/// The scores as an output of their own: computed a second time, since tfc.attention does not give them.
Value AttentionImporter::buildScores() {
  AttentionParts masked = parts;
  Value keys = parts.key;
  if (parts.pastKey)
    keys = node.build<ConcatOp>({parts.pastKey, keys}, node.attribute("axis", int64_t(2)));
  if (!keys)
    return {};
  Dims q = getDims(parts.query), k = getDims(keys);
  DimExprAttr groups = q[1].exactDiv(k[1]).value_or(q[1].floorDiv(k[1]));
  Value rows = node.reshape(parts.query, {q[0], k[1], groups * q[2], q[3]});
  Value scores = node.build<MatmulOp>({rows, keys}, node.flag("transpose_b"));
  Type element = getElementType(parts.query);
  Value scale;
  if (parts.scale)
    scale = node.scalar(*parts.scale, element);
  else
    scale = node.build<ReciprocalOp>(
        node.build<SqrtOp>(node.cast(node.dimValues(q[3], /*isScalar=*/true), element)));
  scores = node.build<MulOp>({node.reshape(scores, {q[0], q[1], q[2], k[2]}), scale});
  if (mode >= CappedScores && parts.softcap > 0) {
    Value cap = node.scalar(parts.softcap, element);
    scores = node.build<MulOp>({node.build<TanhOp>(node.build<DivOp>({scores, cap})), cap});
  }
  if (mode < BiasedScores)
    return scores;
  if (masked.bias)
    scores = node.build<AddOp>({scores, masked.bias});
  Value lengths = perBatch(node, masked.keyLengths);
  Value count = node.dimValues(q[2], /*isScalar=*/true);
  maskAroundPositions(node, masked,
                      lengths ? node.build<SubOp>({lengths, count})
                              : node.dimValues(k[2] - q[2], /*isScalar=*/true));
  if (lengths)
    addMask(node, masked, node.compare(CompareKind::Lt, countUp(node, k[2]), lengths));
  return masked.mask ? node.build<SelectOp>({masked.mask, scores, node.scalar(-INFINITY, element)}) : scores;
}

LogicalResult AttentionImporter::run() {
  if (failed(readAttributes()) || failed(readOperands()) || failed(readMask()))
    return failure();
  placeQueries();
  parts.wantsProbabilities = node.wantsOutput(3) && mode == Probabilities;
  AttentionResults results = buildAttention(node, parts);
  Value scores = node.wantsOutput(3) && mode != Probabilities ? buildScores() : results.probabilities;
  Value output = isRank3 ? mergeHeads(node, results.output) : results.output;
  Value presentValue = node.cast(results.presentValue, getElementType(node.getInput(InputValue)));
  return node.finish({output, results.presentKey, presentValue, scores});
}

static LogicalResult importAttention(NodeContext &node) { return AttentionImporter(node).run(); }

void mlir::tfc::onnx_import::addAttentionOps(OpTable &table) {
  table.add("Attention", importAttention, 3, 7, 23);
}
