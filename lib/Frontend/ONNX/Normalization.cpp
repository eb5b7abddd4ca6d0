//===- Normalization.cpp - Softmax and norms ------------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "NormalizationMath.h"
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

std::optional<double> mlir::tfc::onnx_import::getEpsilon(NodeContext &node, double absent) {
  double epsilon = node.getFloat("epsilon", absent);
  if (std::isfinite(epsilon) && epsilon >= 0)
    return epsilon;
  (void)node.fail("epsilon must be finite and not negative");
  return std::nullopt;
}

Value mlir::tfc::onnx_import::buildLayerNorm(NodeContext &node, Value x, Value scale, Value bias,
                                             int64_t axis, double epsilon) {
  SmallVector<Value> operands = {x};
  for (Value value : {scale, bias})
    if (value)
      operands.push_back(value);
  Attribute segments = node.builder.getDenseI32ArrayAttr({1, scale ? 1 : 0, bias ? 1 : 0});
  return node.build<LayerNormOp>(operands, {node.attribute("axis", axis), node.attribute("epsilon", epsilon),
                                            node.attribute("operandSegmentSizes", segments)});
}

NormStatistics::NormStatistics(NodeContext &node, Value x, int64_t axis, double epsilon)
    : node(node), x(x), epsilon(epsilon) {
  if (!x)
    return;
  if (!getElementType(x).isF64())
    this->x = node.cast(x, node.builder.getF32Type());
  axes = llvm::to_vector(llvm::seq<int64_t>(axis, getRank(x)));
}

Value NormStatistics::invert(Value squares) {
  if (!squares)
    return squares;
  Value shifted = node.build<AddOp>({squares, node.scalar(epsilon, getElementType(squares))});
  return node.build<ReciprocalOp>(node.build<SqrtOp>(shifted));
}

Value NormStatistics::inverseDeviation() {
  Value centred = node.build<SubOp>({x, mean()});
  return invert(reduce(node.build<MulOp>({centred, centred})));
}

/// The type in which the statistics are given, which `stash_type` names; null after an error.
static Type getStashType(NodeContext &node) {
  int64_t code = node.getInt("stash_type", ::onnx::TensorProto::FLOAT);
  if (code == ::onnx::TensorProto::FLOAT)
    return node.builder.getF32Type();
  if (code == ::onnx::TensorProto::BFLOAT16)
    return node.builder.getBF16Type();
  if (code == ::onnx::TensorProto::FLOAT16)
    return node.builder.getF16Type();
  if (code == ::onnx::TensorProto::DOUBLE)
    return node.builder.getF64Type();
  (void)node.fail("stash_type " + Twine(code) + " is no float type");
  return {};
}

static LogicalResult importLayerNorm(NodeContext &node) {
  Value x = node.getInput(0);
  Type stash = getStashType(node);
  if (!stash || failed(node.allowAttributes({"axis", "epsilon", "stash_type"})))
    return failure();
  std::optional<int64_t> axis = node.normalizeAxis(node.getInt("axis", -1), getRank(x));
  std::optional<double> epsilon = getEpsilon(node, 1e-5f);
  if (!axis || !epsilon || node.hasFailed())
    return failure();
  NormStatistics statistics(node, x, *axis, *epsilon);
  Value mean = node.wantsOutput(1) ? node.cast(statistics.mean(), stash) : Value();
  Value scale = node.wantsOutput(2) ? node.cast(statistics.inverseDeviation(), stash) : Value();
  return node.finish(
      {buildLayerNorm(node, x, node.getInput(1), node.getInput(2), *axis, *epsilon), mean, scale});
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
  Type stash = getStashType(node);
  if (!stash || failed(node.allowAttributes({"axis", "epsilon", "stash_type"})))
    return failure();
  if (!isFloat(x) || !isFloat(scale))
    return node.fail("X and scale must be floats");
  std::optional<int64_t> axis = node.normalizeAxis(node.getInt("axis", -1), getRank(x));
  std::optional<double> epsilon = getEpsilon(node, 1e-5f);
  if (!axis || !epsilon || node.hasFailed())
    return failure();
  SmallVector<NamedAttribute> attributes = {node.attribute("axis", *axis),
                                            node.attribute("epsilon", *epsilon)};
  Value y;
  if (getElementType(x) == getElementType(scale)) {
    y = node.build<RmsNormOp>({x, scale}, attributes);
  } else {
    // What is scaled has been rounded to X's type; the result has that of the scale.
    y = node.cast(node.build<RmsNormOp>(x, attributes), getElementType(scale));
    y = node.reshape(node.build<MulOp>({y, scale}), getDims(x));
  }
  // The older operator of ONNX Runtime also gives what its backward pass needs.
  Value root = node.wantsOutput(1) ? node.cast(NormStatistics(node, x, *axis, *epsilon).inverseRoot(), stash)
                                   : Value();
  return node.finish({y, root});
}

//===----------------------------------------------------------------------------------------------===//
// Norms of channels
//===----------------------------------------------------------------------------------------------===//

/// A list of `count` numbers with dims of 1 to the right, to scale dim 1 of a tensor of that rank.
static Value alongDim1(NodeContext &node, Value list, DimExprAttr count, int64_t rank, StringRef what) {
  if (getRank(list) != 1) {
    (void)node.fail(what + " must have rank 1");
    return {};
  }
  Dims dims(rank - 1, node.dim(1));
  dims[0] = count;
  return node.reshape(node.conform(list, 0, count), dims);
}

/// The groups' channels are normalized together; scale and bias are one per group, from opset 21 on per
/// channel.
static LogicalResult importGroups(NodeContext &node, DimExprAttr groups, bool perChannel) {
  Value x = node.getInput(0);
  std::optional<double> epsilon = getEpsilon(node, 1e-5f);
  if (!epsilon)
    return failure();
  Dims dims = getDims(x);
  DimExprAttr inner = node.dim(1);
  for (DimExprAttr dim : ArrayRef(dims).drop_front(1))
    inner = inner * dim;
  std::optional<DimExprAttr> size = inner.exactDiv(groups);
  Value y = node.reshape(x, {dims[0], groups, size ? *size : inner.floorDiv(groups)});
  y = buildLayerNorm(node, y, {}, {}, 2, *epsilon);
  if (perChannel)
    y = node.reshape(y, dims);
  for (unsigned input : {1u, 2u}) {
    if (!y)
      return failure();
    Value list =
        alongDim1(node, node.getInput(input), getDim(y, 1), getRank(y), input == 1 ? "scale" : "bias");
    y = input == 1 ? node.build<MulOp>({y, list}) : node.build<AddOp>({y, list});
  }
  return node.finish(node.reshape(y, dims));
}

static LogicalResult importGroupNorm(NodeContext &node) {
  int64_t groups = node.getInt("num_groups", 0);
  if (getRank(node.getInput(0)) < 2)
    return node.fail("the operand must have rank 2 or more");
  std::optional<int64_t> channels = getDim(node.getInput(0), 1).getConstant();
  if (groups < 1 || (channels && *channels % groups != 0))
    return node.fail("num_groups must divide the channels");
  return importGroups(node, node.dim(groups), node.opset >= 21);
}

static LogicalResult importInstanceNorm(NodeContext &node) {
  if (getRank(node.getInput(0)) < 2)
    return node.fail("the operand must have rank 2 or more");
  return importGroups(node, getDim(node.getInput(0), 1), /*perChannel=*/true);
}

void mlir::tfc::onnx_import::addNormalizationOps(OpTable &table) {
  table.add("Softmax", importSoftmax<false>, 1, 1);
  table.add("LogSoftmax", importSoftmax<true>, 1, 1);
  table.add("BatchNormalization", importBatchNorm, 5, 5, 7);
  table.add("LayerNormalization", importLayerNorm, 2, 3);
  table.add("RMSNormalization", importRmsNorm, 2, 2);
  table.add("GroupNormalization", importGroupNorm, 3, 3, 18);
  table.add("InstanceNormalization", importInstanceNorm, 3, 3, 6);
  // Tools that run before ONNX Runtime knew a standard operator wrote it in its domain.
  table.addTo("com.microsoft", "LayerNormalization", importLayerNorm, 2, 3);
  table.add("SimplifiedLayerNormalization", importRmsNorm, 2, 2);
  table.addTo("com.microsoft", "SimplifiedLayerNormalization", importRmsNorm, 2, 2);
}
