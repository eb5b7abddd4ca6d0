//===- FusedOps.cpp - What ONNX Runtime's optimizer writes: norms and activations -----------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "NormalizationMath.h"
#include "OpTable.h"
#include "RuntimeSizes.h"

using namespace mlir;
using namespace mlir::tfc;
using namespace mlir::tfc::onnx_import;

static constexpr StringLiteral microsoft = "com.microsoft";

/// x + y, where y may be absent.
static Value addOptional(NodeContext &node, Value x, Value y) { return y ? node.build<AddOp>({x, y}) : x; }

//===----------------------------------------------------------------------------------------------===//
// Norms
//===----------------------------------------------------------------------------------------------===//

/// What is absent has the runtime's default, not the standard's.
static constexpr double skipEpsilon = 1e-12;

/// (input, skip, gamma, beta, bias) -> (output, mean, inv_std_var, sum)
static LogicalResult importSkipLayerNorm(NodeContext &node) {
  Value sum = node.build<AddOp>({node.getInput(0), node.getInput(1)});
  sum = addOptional(node, sum, node.getInput(4));
  std::optional<double> epsilon = getEpsilon(node, skipEpsilon);
  if (!sum || !epsilon)
    return failure();
  if (getRank(sum) < 1)
    return node.fail("the input must have rank 1 or more");
  NormStatistics statistics(node, sum, getRank(sum) - 1, *epsilon);
  Value mean = node.wantsOutput(1) ? statistics.mean() : Value();
  Value scale = node.wantsOutput(2) ? statistics.inverseDeviation() : Value();
  return node.finish(
      {buildLayerNorm(node, sum, node.getInput(2), node.getInput(3), getRank(sum) - 1, *epsilon), mean, scale,
       sum});
}

/// (input, skip, gamma, bias) -> (output, mean, inv_std_var, sum)
static LogicalResult importSkipSimplifiedLayerNorm(NodeContext &node) {
  Value sum = node.build<AddOp>({node.getInput(0), node.getInput(1)});
  sum = addOptional(node, sum, node.getInput(3));
  std::optional<double> epsilon = getEpsilon(node, skipEpsilon);
  if (!sum || !epsilon)
    return failure();
  if (getRank(sum) < 1)
    return node.fail("the input must have rank 1 or more");
  int64_t axis = getRank(sum) - 1;
  Value scale = node.wantsOutput(2) ? NormStatistics(node, sum, axis, *epsilon).inverseRoot() : Value();
  Value y = node.build<RmsNormOp>({sum, node.getInput(2)},
                                  {node.attribute("axis", axis), node.attribute("epsilon", *epsilon)});
  return node.finish({y, Value(), scale, sum});
}

/// A mask that is not absent is counted row by row; without one the counts are 0.
static Value countMask(NodeContext &node, Value ids, Value mask) {
  Type i32 = node.builder.getI32Type();
  if (!mask)
    return node.expand(node.scalar(0, i32), {getDim(ids, 0)});
  Value isOn = node.compare(CompareKind::Eq, mask, node.scalar(1, getElementType(mask)));
  return node.reduce(ReduceKind::Sum, node.cast(isOn, i32), {1}, /*keepDims=*/false);
}

/// (ids, segments, words, positions, segment table, gamma, beta, mask, position ids)
/// -> (output, mask_index, embedding_sum)
static LogicalResult importEmbedLayerNorm(NodeContext &node) {
  Value ids = node.getInput(0), words = node.getInput(2), positions = node.getInput(3);
  std::optional<double> epsilon = getEpsilon(node, skipEpsilon);
  if (!epsilon || !words || !positions || !node.hasInput(5) || !node.hasInput(6))
    return node.fail("an input is missing");
  if (getRank(ids) != 2 || getRank(words) != 2 || getRank(positions) != 2)
    return node.fail("the ids and tables must have rank 2");
  if (node.hasInput(1) != node.hasInput(4))
    return node.fail("segment ids and the table of segments come together");
  NamedAttribute rows = node.attribute("axis", int64_t(0));
  Value sum = node.build<GatherOp>({words, ids}, rows);
  Value place = node.hasInput(8) ? node.build<GatherOp>({positions, node.getInput(8)}, rows)
                                 : node.sliceAxis(positions, 0, node.dim(0), getDim(ids, 1));
  sum = addOptional(node, sum, place);
  if (node.hasInput(1))
    sum = addOptional(node, sum, node.build<GatherOp>({node.getInput(4), node.getInput(1)}, rows));
  Value y = buildLayerNorm(node, sum, node.getInput(5), node.getInput(6), 2, *epsilon);
  Value mask = node.getInput(7);
  if (mask && getRank(mask) != 2)
    return node.fail("the mask must have rank 2");
  return node.finish({y, node.wantsOutput(1) ? countMask(node, ids, mask) : Value(), sum});
}

//===----------------------------------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------------------------------===//

template <GeluKind kind> static LogicalResult importBiasGelu(NodeContext &node) {
  Value x = addOptional(node, node.getInput(0), node.getInput(1));
  Attribute attribute = GeluKindAttr::get(node.builder.getContext(), kind);
  return node.finish(node.build<GeluOp>(x, node.attribute("kind", attribute)));
}

/// x * sigmoid(alpha * x)
static LogicalResult importQuickGelu(NodeContext &node) {
  Value x = node.getInput(0);
  double alpha = node.getFloat("alpha", 1.702f);
  if (alpha == double(1.702f)) {
    Attribute attribute = GeluKindAttr::get(node.builder.getContext(), GeluKind::Quick);
    return node.finish(node.build<GeluOp>(x, node.attribute("kind", attribute)));
  }
  Value scaled = node.build<MulOp>({x, node.scalar(alpha, getElementType(x))});
  return node.finish(node.build<MulOp>({x, node.build<SigmoidOp>(scaled)}));
}

/// X + bias + skip
static LogicalResult importBiasAdd(NodeContext &node) {
  Value sum = node.build<AddOp>({node.getInput(0), node.getInput(1)});
  return node.finish(addOptional(node, sum, node.getInput(2)));
}

/// The softmax of data + bias over the dims from `axis` on.
static LogicalResult importBiasSoftmax(NodeContext &node) {
  Value sum = node.build<AddOp>({node.getInput(0), node.getInput(1)});
  if (!sum)
    return failure();
  std::optional<int64_t> axis = node.normalizeAxis(node.getInt("axis", 1), getRank(sum));
  if (!axis)
    return failure();
  Dims dims = getDims(sum);
  DimExprAttr inner = node.dim(1);
  for (DimExprAttr dim : ArrayRef(dims).drop_front(*axis))
    inner = inner * dim;
  Dims flat(ArrayRef(dims).take_front(*axis));
  flat.push_back(inner);
  Value y = node.build<SoftmaxOp>(node.reshape(sum, flat), node.attribute("axis", *axis));
  return node.finish(node.reshape(y, dims));
}

void mlir::tfc::onnx_import::addFusedOps(OpTable &table) {
  table.addTo(microsoft, "SkipLayerNormalization", importSkipLayerNorm, 3, 5);
  table.addTo(microsoft, "SkipSimplifiedLayerNormalization", importSkipSimplifiedLayerNorm, 3, 4);
  table.addTo(microsoft, "EmbedLayerNormalization", importEmbedLayerNorm, 1, 9);
  table.addTo(microsoft, "BiasGelu", importBiasGelu<GeluKind::Erf>, 2, 2);
  table.addTo(microsoft, "Gelu", importBiasGelu<GeluKind::Erf>, 1, 1);
  table.addTo(microsoft, "FastGelu", importBiasGelu<GeluKind::Tanh>, 1, 2);
  table.addTo(microsoft, "QuickGelu", importQuickGelu, 1, 1);
  table.addTo(microsoft, "BiasAdd", importBiasAdd, 2, 3);
  table.addTo(microsoft, "BiasSoftmax", importBiasSoftmax, 2, 2);
}
