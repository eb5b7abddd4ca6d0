//===- Indexing.cpp - Gathers, one-hot, nonzero ---------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "OpTable.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::tfc;
using namespace mlir::tfc::onnx_import;

/// ONNX allows i32 and i64 here and tfc takes both; anything else is refused before the op is built.
static LogicalResult checkIndices(NodeContext &node, Value indices) {
  Type type = getElementType(indices);
  if (type.isSignlessInteger(32) || type.isSignlessInteger(64))
    return success();
  return node.fail("indices must be int32 or int64");
}

template <typename OpTy> static LogicalResult importGatherAlongAxis(NodeContext &node) {
  Value x = node.getInput(0), indices = node.getInput(1);
  std::optional<int64_t> axis = node.normalizeAxis(node.getInt("axis", 0), getRank(x));
  if (!axis || node.hasFailed() || failed(checkIndices(node, indices)))
    return failure();
  return node.finish(node.build<OpTy>({x, indices}, node.attribute("axis", *axis)));
}

/// Along axis 0 of the operand with its first k dims made one: the index is `i0 * strides[0] + ...`. Each
/// entry is wrapped by its own dim first.
static LogicalResult importGatherND(NodeContext &node) {
  Value x = node.getInput(0), indices = node.getInput(1);
  if (node.getInt("batch_dims", 0) != 0)
    return node.fail("batch_dims is not supported");
  if (getRank(indices) == 0 || getRank(x) == 0)
    return node.fail("the operands must have rank 1 or more");
  if (failed(checkIndices(node, indices)))
    return failure();
  Dims dims = getDims(x), indexDims = getDims(indices);
  std::optional<int64_t> depth = indexDims.back().getConstant();
  if (!depth || *depth < 1 || *depth > static_cast<int64_t>(dims.size()))
    return node.fail("the last dim of the indices must lie in [1, " + Twine(dims.size()) + "]");
  Type i64 = node.builder.getI64Type();
  indices = node.cast(indices, i64);
  ArrayRef<DimExprAttr> outer = ArrayRef<DimExprAttr>(indexDims).drop_back();
  Value linear;
  DimExprAttr count = node.dim(1);
  for (int64_t i = 0; i < *depth; ++i) {
    Value size = node.dimValues(dims[i], /*isScalar=*/true);
    Value index = node.reshape(node.sliceAxis(indices, outer.size(), node.dim(i), node.dim(1)), outer);
    Value isNegative = node.compare(CompareKind::Lt, index, node.scalar(0, i64));
    if (*depth > 1)
      index = node.build<SelectOp>({isNegative, node.build<AddOp>({index, size}), index});
    linear = linear ? node.build<AddOp>({node.build<MulOp>({linear, size}), index}) : index;
    count = count * dims[i];
  }
  Dims flat = {count};
  flat.append(dims.begin() + *depth, dims.end());
  return node.finish(
      node.build<GatherOp>({node.reshape(x, flat), linear}, node.attribute("axis", int64_t(0))));
}

/// A tensor that is known to hold no zero: a constant, or one that is repeated.
static bool isNeverZero(Value x) {
  while (auto expand = x.getDefiningOp<ExpandOp>())
    x = expand.getX();
  DenseElementsAttr elements;
  if (!matchPattern(x, m_Constant(&elements)) || !elements.isSplat())
    return false;
  if (isa<FloatType>(elements.getElementType()))
    return !elements.getSplatValue<APFloat>().isZero();
  return !elements.getSplatValue<APInt>().isZero();
}

/// Exports below opset 11 spell an arange as NonZero of ones: there the count is no data.
static LogicalResult importNonZero(NodeContext &node) {
  Value x = node.getInput(0);
  Type i64 = node.builder.getI64Type();
  if (getRank(x) == 1 && isNeverZero(x)) {
    RankedTensorType type = node.tensorType(getDims(x), i64);
    Value range = node.build<RangeOp>({node.scalar(0, i64), node.scalar(1, i64)}, {}, type);
    return node.finish(node.reshape(range, {node.dim(1), getDim(x, 0)}));
  }
  std::optional<DimExprAttr> count = node.getSize(node.build<CountNonzeroOp>(x), "the count");
  if (!count)
    return failure();
  return node.finish(node.build<NonzeroOp>(x, {}, node.tensorType({node.dim(getRank(x)), *count}, i64)));
}

static LogicalResult importOneHot(NodeContext &node) {
  Value indices = node.getInput(0), values = node.getInput(2);
  std::optional<DimExprAttr> depth =
      node.getSize(node.cast(node.getInput(1), node.builder.getI64Type()), "depth");
  if (!depth)
    return failure();
  if (getRank(values) != 1 || !getDim(values, 0).isConstant(2))
    return node.fail("values must be two numbers");
  Dims dims = getDims(indices);
  std::optional<int64_t> axis = node.normalizeAxis(node.getInt("axis", -1), dims.size() + 1);
  if (!axis || node.hasFailed())
    return failure();
  dims.insert(dims.begin() + *axis, *depth);
  Value off = node.reshape(node.sliceAxis(values, 0, node.dim(0), node.dim(1)), {});
  Value on = node.reshape(node.sliceAxis(values, 0, node.dim(1), node.dim(1)), {});
  return node.finish(node.build<OneHotOp>({indices, off, on}, node.attribute("axis", *axis),
                                          node.tensorType(dims, getElementType(values))));
}

void mlir::tfc::onnx_import::addIndexingOps(OpTable &table) {
  table.add("Gather", importGatherAlongAxis<GatherOp>, 2, 2);
  table.add("GatherElements", importGatherAlongAxis<GatherElementsOp>, 2, 2);
  table.add("GatherND", importGatherND, 2, 2);
  table.add("NonZero", importNonZero, 1, 1);
  table.add("OneHot", importOneHot, 3, 3);
}
