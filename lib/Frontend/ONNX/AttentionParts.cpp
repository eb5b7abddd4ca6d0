//===- AttentionParts.cpp - What the attention operators have in common -----------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "AttentionParts.h"
#include <cmath>

using namespace mlir;
using namespace mlir::tfc;
using namespace mlir::tfc::onnx_import;

Value mlir::tfc::onnx_import::splitHeads(NodeContext &node, Value x, int64_t heads) {
  if (!x)
    return x;
  Dims dims = getDims(x);
  if (dims.size() != 3 || heads <= 0) {
    (void)node.fail("queries, keys and values need rank 3 and a positive number of heads");
    return {};
  }
  // Where the width is only known at run time, the reshape asks for one that divides.
  std::optional<DimExprAttr> size = dims[2].exactDiv(node.dim(heads));
  if (!size && !dims[2].isConstant())
    size = dims[2].floorDiv(node.dim(heads));
  if (!size) {
    (void)node.fail("a hidden size of " + dims[2].str() + " does not split into " + Twine(heads) + " heads");
    return {};
  }
  return node.transpose(node.reshape(x, {dims[0], dims[1], node.dim(heads), *size}), {0, 2, 1, 3});
}

Value mlir::tfc::onnx_import::mergeHeads(NodeContext &node, Value x) {
  if (!x)
    return x;
  Dims dims = getDims(x);
  return node.reshape(node.transpose(x, {0, 2, 1, 3}), {dims[0], dims[2], dims[1] * dims[3]});
}

void mlir::tfc::onnx_import::addMask(NodeContext &node, AttentionParts &parts, Value allowed) {
  parts.mask = parts.mask ? node.build<AndOp>({parts.mask, allowed}) : allowed;
}

void mlir::tfc::onnx_import::addBias(NodeContext &node, AttentionParts &parts, Value bias) {
  bias = node.cast(bias, getElementType(parts.query));
  parts.bias = parts.bias ? node.build<AddOp>({parts.bias, bias}) : bias;
}

Value mlir::tfc::onnx_import::extendToKeys(NodeContext &node, const AttentionParts &parts, Value mask, Value fill) {
  if (!mask || !fill || getRank(mask) < 1)
    return mask;
  int64_t last = getRank(mask) - 1;
  DimExprAttr total = parts.getTotalKeys(node), length = getDim(mask, last), missing = total - length;
  if (length == total || missing.getConstant().value_or(1) <= 0)
    return mask;
  Dims dims = getDims(mask);
  dims[last] = missing.isNonNegative() ? missing : missing.max(node.dim(0));
  mask = node.build<ConcatOp>({mask, node.expand(fill, dims)}, node.attribute("axis", last));
  return node.conform(mask, last, total);
}

Value mlir::tfc::onnx_import::countUp(NodeContext &node, DimExprAttr length) {
  Value zero = node.dimValues(node.dim(0), /*isScalar=*/true), one = node.dimValues(node.dim(1), /*isScalar=*/true);
  return node.build<RangeOp>({zero, one}, {}, node.tensorType(length, node.builder.getI64Type()));
}

Value mlir::tfc::onnx_import::perBatch(NodeContext &node, Value numbers) {
  if (!numbers)
    return numbers;
  return node.reshape(node.cast(numbers, node.builder.getI64Type()),
                      {getElementCount(numbers.getType()), node.dim(1), node.dim(1), node.dim(1)});
}

void mlir::tfc::onnx_import::maskAroundPositions(NodeContext &node, AttentionParts &parts, Value offset) {
  DimExprAttr queries = getDim(parts.query, 2);
  Value query = node.reshape(countUp(node, queries), {queries, node.dim(1)});
  Value position = node.build<AddOp>({query, offset});
  Value key = countUp(node, parts.getTotalKeys(node));
  auto number = [&](int64_t width) { return node.dimValues(node.dim(width), /*isScalar=*/true); };
  if (parts.isCausal)
    addMask(node, parts, node.compare(CompareKind::Le, key, position));
  if (parts.windowLeft)
    addMask(node, parts,
            node.compare(CompareKind::Ge, key, node.build<SubOp>({position, number(*parts.windowLeft)})));
  if (parts.windowRight)
    addMask(node, parts,
            node.compare(CompareKind::Le, key, node.build<AddOp>({position, number(*parts.windowRight)})));
  parts.isCausal = false;
  parts.windowLeft = parts.windowRight = std::nullopt;
}

static SmallVector<NamedAttribute> getAttributes(NodeContext &node, const AttentionParts &parts) {
  Builder &builder = node.builder;
  auto has = [](Value value) { return value ? 1 : 0; };
  SmallVector<NamedAttribute> attributes = {
      node.attribute("operandSegmentSizes",
                     builder.getDenseI32ArrayAttr({1, 1, 1, has(parts.mask), has(parts.bias), has(parts.pastKey),
                                                   has(parts.pastValue), has(parts.keyLengths)})),
      node.attribute("masked_row", MaskedRowKindAttr::get(builder.getContext(), parts.maskedRow))};
  if (parts.scale)
    attributes.push_back(node.attribute("scale", builder.getF32FloatAttr(*parts.scale)));
  if (parts.softcap > 0)
    attributes.push_back(node.attribute("softcap", builder.getF32FloatAttr(parts.softcap)));
  if (parts.isCausal)
    attributes.push_back(node.flag("causal"));
  if (parts.windowLeft)
    attributes.push_back(node.attribute("window_left", *parts.windowLeft));
  if (parts.windowRight && !parts.isCausal)
    attributes.push_back(node.attribute("window_right", *parts.windowRight));
  return attributes;
}

AttentionResults mlir::tfc::onnx_import::buildAttention(NodeContext &node, AttentionParts parts) {
  if (node.hasFailed() || !parts.query || !parts.key || !parts.value || getRank(parts.key) != 4 || getRank(parts.value) != 4)
    return {};
  // A past has the heads and sizes of what follows it, and one length.
  if (parts.pastKey && parts.pastValue && getRank(parts.pastKey) == 4 && getRank(parts.pastValue) == 4)
    for (auto [past, next] : {std::pair(&parts.pastKey, parts.key), std::pair(&parts.pastValue, parts.value)}) {
      *past = node.conform(node.conform(*past, 1, getDim(next, 1)), 3, getDim(next, 3));
      *past = node.conform(*past, 2, parts.getPastLength(node));
      if (!*past)
        return {};
    }
  SmallVector<Value> operands{parts.query, parts.key, parts.value};
  for (Value operand : {parts.mask, parts.bias, parts.pastKey, parts.pastValue, parts.keyLengths})
    if (operand)
      operands.push_back(operand);
  for (Value operand : operands)
    if (operand != parts.mask && operand != parts.bias && operand != parts.keyLengths && getRank(operand) != 4) {
      (void)node.fail("queries, keys and values need rank 4 when their heads are split");
      return {};
    }
  Dims q = getDims(parts.query), k = getDims(parts.key), v = getDims(parts.value);
  Type element = getElementType(parts.query);
  DimExprAttr total = parts.getTotalKeys(node);
  SmallVector<Type> types{node.tensorType({q[0], q[1], q[2], v[3]}, element)};
  if (parts.pastKey) {
    types.push_back(node.tensorType({k[0], k[1], total, k[3]}, element));
    types.push_back(node.tensorType({v[0], v[1], total, v[3]}, element));
  }
  if (parts.wantsProbabilities)
    types.push_back(node.tensorType({q[0], q[1], q[2], total}, element));
  if (llvm::is_contained(types, Type()))
    return {};
  SmallVector<Value> results =
      node.buildAll(AttentionOp::getOperationName(), operands, getAttributes(node, parts), types);
  if (results.empty())
    return {};
  AttentionResults built{results[0], parts.key, parts.value, {}};
  if (parts.pastKey)
    std::tie(built.presentKey, built.presentValue) = std::pair(results[1], results[2]);
  if (parts.wantsProbabilities)
    built.probabilities = results.back();
  return built;
}
