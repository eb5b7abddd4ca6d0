//===- RotaryEmbedding.cpp - Rotating queries and keys by their positions ---------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "RotaryEmbedding.h"
#include "AttentionParts.h"
#include "OpTable.h"

using namespace mlir;
using namespace mlir::tfc;
using namespace mlir::tfc::onnx_import;

/// Every `stride`-th element of the last dim from `begin` on.
static Value takePairs(NodeContext &node, Value x, DimExprAttr begin, int64_t stride, DimExprAttr count) {
  if (!x)
    return x;
  Dims dims = getDims(x), offsets(dims.size(), node.dim(0));
  SmallVector<int64_t> strides(dims.size(), 1);
  dims.back() = count;
  offsets.back() = begin;
  strides.back() = stride;
  return node.slice(x, offsets, strides, dims);
}

Value mlir::tfc::onnx_import::rotate(NodeContext &node, Value x, Value cosines, Value sines, bool interleaved,
                                     bool isWhole) {
  if (node.hasFailed() || !x || !cosines || !sines)
    return {};
  Dims dims = getDims(x);
  if (dims.size() != 4 || getRank(cosines) != 3 || getRank(sines) != 3) {
    (void)node.fail("cosines and sines do not fit the operand");
    return {};
  }
  DimExprAttr pairs = isWhole ? dims[3].floorDiv(node.dim(2)) : getDim(cosines, 2),
              rest = dims[3] - pairs * 2;
  if (rest.getConstant().value_or(0) < 0 || (isWhole && rest.getConstant().value_or(0) != 0)) {
    (void)node.fail("there are not as many angles as pairs of elements");
    return {};
  }
  // One angle for each batch, position and pair; tables without a batch serve all of them.
  auto perHead = [&](Value table) {
    if (!getDim(table, 0).isConstant(1))
      table = node.conform(table, 0, dims[0]);
    table = node.conform(node.conform(table, 1, dims[2]), 2, pairs);
    if (!table)
      return table;
    return node.reshape(node.cast(table, getElementType(x)), {getDim(table, 0), node.dim(1), dims[2], pairs});
  };
  Value cosine = perHead(cosines), sine = perHead(sines);
  Value first = takePairs(node, x, node.dim(0), interleaved ? 2 : 1, pairs);
  Value second = takePairs(node, x, interleaved ? node.dim(1) : pairs, interleaved ? 2 : 1, pairs);
  Value real = node.build<SubOp>({node.build<MulOp>({cosine, first}), node.build<MulOp>({sine, second})});
  Value imaginary =
      node.build<AddOp>({node.build<MulOp>({sine, first}), node.build<MulOp>({cosine, second})});
  if (!real || !imaginary)
    return {};
  SmallVector<Value> parts{real, imaginary};
  if (interleaved) {
    Dims column = getDims(real), whole = column;
    column.push_back(node.dim(1));
    whole.back() = pairs * 2;
    Value both = node.build<ConcatOp>({node.reshape(real, column), node.reshape(imaginary, column)},
                                      node.attribute("axis", int64_t(4)));
    parts = {node.reshape(both, whole)};
  }
  if (!isWhole && !rest.isConstant(0))
    parts.push_back(takePairs(node, x, pairs * 2, 1, rest));
  Value y =
      parts.size() == 1 ? parts.front() : node.build<ConcatOp>(parts, node.attribute("axis", int64_t(3)));
  return node.reshape(y, dims);
}

Value mlir::tfc::onnx_import::lookUpAngles(NodeContext &node, Value table, Value positions) {
  if (table && getRank(table) != 2) {
    (void)node.fail("the caches of cosines and sines must have rank 2");
    return {};
  }
  return node.build<GatherOp>({table, positions}, node.attribute("axis", int64_t(0)));
}

/// Rotates an operand of rank 3 or 4, whose heads are split only in the latter.
static LogicalResult rotateOperand(NodeContext &node, int64_t heads, Value cosines, Value sines) {
  Value x = node.getInput(0);
  bool isRank3 = getRank(x) == 3, interleaved = node.getFlag("interleaved", false);
  if (!isRank3 && getRank(x) != 4)
    return node.fail("the operand must have rank 3 or 4");
  if (!isRank3 && heads > 0)
    x = node.conform(x, 1, node.dim(heads));
  if (isRank3)
    x = splitHeads(node, x, heads);
  int64_t rotated = node.getInt("rotary_embedding_dim", 0);
  if (rotated < 0 || rotated % 2 != 0)
    return node.fail("rotary_embedding_dim must be even");
  if (rotated != 0 && cosines)
    cosines = node.conform(cosines, 2, node.dim(rotated / 2));
  Value y = rotate(node, x, cosines, sines, interleaved, /*isWhole=*/rotated == 0);
  return node.finish(isRank3 ? mergeHeads(node, y) : y);
}

/// Operand and tables are floats of one type, positions i64; the tables have the same rows.
static LogicalResult checkTypes(NodeContext &node, Value &cosines, Value &sines, Value positions) {
  Value x = node.getInput(0);
  if (!isFloat(x) || getElementType(cosines) != getElementType(x) ||
      getElementType(sines) != getElementType(x))
    return node.fail("the operand and the caches of cosines and sines must be floats of one type");
  if (positions && !getElementType(positions).isInteger(64))
    return node.fail("position_ids must be of type int64");
  if (getRank(sines) != getRank(cosines) || getRank(cosines) == 0)
    return node.fail("the caches of cosines and sines differ in rank");
  sines = node.conform(sines, 0, getDim(cosines, 0));
  return failure(node.hasFailed());
}

static LogicalResult importRotaryEmbedding(NodeContext &node) {
  Value cosines = node.getInput(1), sines = node.getInput(2), positions = node.getInput(3);
  if (failed(node.allowAttributes({"interleaved", "num_heads", "rotary_embedding_dim"})) ||
      failed(checkTypes(node, cosines, sines, positions)))
    return failure();
  if (positions) {
    if (getRank(positions) != 2)
      return node.fail("position_ids must have rank 2");
    cosines = lookUpAngles(node, cosines, positions);
    sines = lookUpAngles(node, sines, positions);
  } else if (getRank(cosines) != 3 || getRank(sines) != 3) {
    return node.fail("without position_ids the caches must have rank 3");
  }
  int64_t heads = node.getInt("num_heads", 0);
  if (getRank(node.getInput(0)) == 3 && heads <= 0)
    return node.fail("num_heads is missing, which an operand of rank 3 needs");
  return rotateOperand(node, heads, cosines, sines);
}

/// com.microsoft: other order of inputs; positions may be one number, the first token's.
static LogicalResult importContribRotaryEmbedding(NodeContext &node) {
  Value x = node.getInput(0), positions = node.getInput(1), cosines = node.getInput(2),
        sines = node.getInput(3);
  if (failed(node.allowAttributes(
          {"interleaved", "is_packed_batching", "num_heads", "rotary_embedding_dim", "scale"})) ||
      failed(checkTypes(node, cosines, sines, positions)))
    return failure();
  if (node.getInt("is_packed_batching", 0) != 0)
    return node.fail("is_packed_batching is not supported");
  if (node.getFloat("scale", 1.0) != 1.0)
    return node.fail("a scale other than 1 is not supported");
  if (getRank(x) != 3 && getRank(x) != 4)
    return node.fail("the operand must have rank 3 or 4");
  if (getRank(cosines) != 2 || getRank(sines) != 2)
    return node.fail("the caches of cosines and sines must have rank 2");
  if (getRank(positions) != 2) {
    DimExprAttr length = getDim(x, getRank(x) == 3 ? 1 : 2);
    Value first = node.cast(node.toScalar(positions, "position_ids"), node.builder.getI64Type());
    positions = node.reshape(node.build<AddOp>({countUp(node, length), first}), {node.dim(1), length});
  }
  int64_t heads = node.getInt("num_heads", 0);
  if (getRank(x) == 3 && heads <= 0) {
    std::optional<int64_t> hidden = getDim(x, 2).getConstant(), pairs = getDim(cosines, 1).getConstant();
    if (!hidden || !pairs || *pairs <= 0 || *hidden % (2 * *pairs) != 0)
      return node.fail("num_heads is missing, and does not follow from the shapes");
    heads = *hidden / (2 * *pairs);
  }
  return rotateOperand(node, heads, lookUpAngles(node, cosines, positions),
                       lookUpAngles(node, sines, positions));
}

void mlir::tfc::onnx_import::addRotaryEmbeddingOps(OpTable &table) {
  table.add("RotaryEmbedding", importRotaryEmbedding, 3, 4, 23);
  table.addTo("com.microsoft", "RotaryEmbedding", importContribRotaryEmbedding, 4, 4);
}
