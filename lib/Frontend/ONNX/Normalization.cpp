//===- Normalization.cpp - Softmax and norms ------------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "OpTable.h"
#include <cmath>

using namespace mlir;
using namespace mlir::tfc;
using namespace mlir::tfc::onnx_import;

/// Below opset 13 the dims from `axis` on are taken as one.
template <bool isLog> static LogicalResult importSoftmax(NodeContext &node) {
  Value x = node.getInput(0);
  std::optional<int64_t> axis = node.normalizeAxis(node.getInt("axis", node.opset < 13 ? 1 : -1), getRank(x));
  if (!axis || node.hasFailed())
    return failure();
  Dims dims = getDims(x);
  bool isFlat = node.opset < 13 && *axis != static_cast<int64_t>(dims.size()) - 1;
  if (isFlat) {
    DimExprAttr outer = node.dim(1), inner = node.dim(1);
    for (auto [i, dim] : llvm::enumerate(dims))
      (static_cast<int64_t>(i) < *axis ? outer : inner) =
          (static_cast<int64_t>(i) < *axis ? outer : inner) * dim;
    x = node.reshape(x, {outer, inner});
    axis = 1;
  }
  SmallVector<NamedAttribute> attributes = {node.attribute("axis", *axis)};
  if (isLog)
    attributes.push_back(node.flag("log"));
  Value y = node.build<SoftmaxOp>(x, attributes);
  return node.finish(isFlat ? node.reshape(y, dims) : y);
}

static std::optional<double> getEpsilon(NodeContext &node, double absent) {
  double epsilon = node.getFloat("epsilon", absent);
  if (std::isfinite(epsilon) && epsilon >= 0)
    return epsilon;
  (void)node.fail("epsilon must be finite and not negative");
  return std::nullopt;
}

/// LayerNormalization is in the standard from opset 17 on, but exporters wrote it into the default domain
/// long before.
static LogicalResult importLayerNorm(NodeContext &node) {
  Value x = node.getInput(0), scale = node.getInput(1), bias = node.getInput(2);
  std::optional<int64_t> axis = node.normalizeAxis(node.getInt("axis", -1), getRank(x));
  std::optional<double> epsilon = getEpsilon(node, 1e-5f);
  if (!axis || !epsilon || node.hasFailed())
    return failure();
  SmallVector<Value> operands = {x, scale};
  if (bias)
    operands.push_back(bias);
  Attribute segments = node.builder.getDenseI32ArrayAttr({1, 1, bias ? 1 : 0});
  Value y =
      node.build<LayerNormOp>(operands, {node.attribute("axis", *axis), node.attribute("epsilon", *epsilon),
                                         node.attribute("operandSegmentSizes", segments)});
  if (!node.wantsOutput(1) && !node.wantsOutput(2))
    return node.finish(y);
  // What training keeps for its backward pass: the mean, and one over the deviation.
  SmallVector<int64_t> axes = llvm::to_vector(llvm::seq<int64_t>(*axis, getRank(x)));
  Value mean = node.reduce(ReduceKind::Mean, x, axes, /*keepDims=*/true);
  Value centred = node.build<SubOp>({x, mean});
  Value variance =
      node.reduce(ReduceKind::Mean, node.build<MulOp>({centred, centred}), axes, /*keepDims=*/true);
  Value shifted = node.build<AddOp>({variance, node.scalar(*epsilon, getElementType(x))});
  return node.finish({y, mean, node.build<ReciprocalOp>(node.build<SqrtOp>(shifted))});
}

/// Inference alone: mean and variance are operands, one number per index of dim 1.
static LogicalResult importBatchNorm(NodeContext &node) {
  Value x = node.getInput(0);
  std::optional<double> epsilon = getEpsilon(node, 1e-5f);
  if (!epsilon || getRank(x) < 1)
    return node.fail("the operand must have rank 1 or more");
  if (node.getInt("training_mode", 0) != 0 || node.wantsOutput(1) || node.wantsOutput(2))
    return node.fail("training mode is not supported");
  if (node.getInt("spatial", 1) == 0)
    return node.fail("spatial = 0 is not supported");
  int64_t axis = getRank(x) > 1 ? 1 : 0;
  Dims dims(getRank(x) - axis, node.dim(1));
  dims[0] = axis ? getDim(x, 1) : node.dim(1);
  auto perChannel = [&](unsigned input) {
    Value value = node.getInput(input);
    if (getRank(value) != 1) {
      (void)node.fail("input " + Twine(input) + " must have rank 1");
      return Value();
    }
    return node.reshape(node.cast(node.conform(value, 0, dims[0]), getElementType(x)), dims);
  };
  Value scale = perChannel(1), bias = perChannel(2), mean = perChannel(3), variance = perChannel(4);
  Value shifted = node.build<AddOp>({variance, node.scalar(*epsilon, getElementType(x))});
  Value factor = node.build<DivOp>({scale, node.build<SqrtOp>(shifted)});
  Value centred = node.build<SubOp>({x, mean});
  return node.finish(node.build<AddOp>({node.build<MulOp>({centred, factor}), bias}));
}

static LogicalResult importRmsNorm(NodeContext &node) {
  Value x = node.getInput(0), scale = node.getInput(1);
  std::optional<int64_t> axis = node.normalizeAxis(node.getInt("axis", -1), getRank(x));
  std::optional<double> epsilon = getEpsilon(node, 1e-5f);
  if (!axis || !epsilon || node.hasFailed())
    return failure();
  return node.finish(node.build<RmsNormOp>(
      {x, scale}, {node.attribute("axis", *axis), node.attribute("epsilon", *epsilon)}));
}

void mlir::tfc::onnx_import::addNormalizationOps(OpTable &table) {
  table.add("Softmax", importSoftmax<false>, 1, 1);
  table.add("LogSoftmax", importSoftmax<true>, 1, 1);
  table.add("BatchNormalization", importBatchNorm, 5, 5, 7);
  table.add("LayerNormalization", importLayerNorm, 2, 3);
  table.add("RMSNormalization", importRmsNorm, 2, 2);
  table.add("SimplifiedLayerNormalization", importRmsNorm, 2, 2);
  table.addTo("com.microsoft", "SimplifiedLayerNormalization", importRmsNorm, 2, 2);
}
