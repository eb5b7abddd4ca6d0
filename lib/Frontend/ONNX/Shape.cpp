//===- Shape.cpp - Shapes, constants, ranges ------------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "OpTable.h"
#include "TensorReader.h"
#include "mlir/IR/Matchers.h"
#include <cmath>

using namespace mlir;
using namespace mlir::tfc;
using namespace mlir::tfc::onnx_import;

//===----------------------------------------------------------------------------------------------===//
// Shape and Size
//===----------------------------------------------------------------------------------------------===//

static LogicalResult importShape(NodeContext &node) {
  Value x = node.getInput(0);
  int64_t rank = getRank(x);
  auto clampAxis = [&](int64_t axis) { return std::clamp<int64_t>(axis < 0 ? axis + rank : axis, 0, rank); };
  int64_t start = clampAxis(node.getInt("start", 0)), end = clampAxis(node.getInt("end", rank));
  end = std::max(start, end);
  return node.finish(node.build<ShapeOp>(x, {node.attribute("start", start), node.attribute("end", end)}));
}

static LogicalResult importSize(NodeContext &node) {
  return node.finish(node.dimValues(getElementCount(node.getInput(0).getType()), /*isScalar=*/true));
}

//===----------------------------------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------------------------------===//

static Value buildList(NodeContext &node, DenseElementsAttr value) {
  return node.build<ConstantOp>(ValueRange{}, node.attribute("value", Attribute(value)), value.getType());
}

static LogicalResult importConstant(NodeContext &node) {
  Builder &b = node.builder;
  if (const ::onnx::TensorProto *tensor = node.getTensor("value"))
    return node.finish(node.buildTensor(*tensor));
  if (std::optional<double> number = node.getFloat("value_float"))
    return node.finish(node.scalar(*number, b.getF32Type()));
  if (std::optional<int64_t> number = node.getInt("value_int"))
    return node.finish(node.dimValues(node.dim(*number), /*isScalar=*/true));
  if (std::optional<SmallVector<int64_t>> list = node.getInts("value_ints")) {
    auto type = RankedTensorType::get({static_cast<int64_t>(list->size())}, b.getI64Type());
    return node.finish(buildList(node, DenseElementsAttr::get(type, ArrayRef<int64_t>(*list))));
  }
  if (std::optional<SmallVector<double>> list = node.getFloats("value_floats")) {
    SmallVector<float> numbers(list->begin(), list->end());
    auto type = RankedTensorType::get({static_cast<int64_t>(list->size())}, b.getF32Type());
    return node.finish(buildList(node, DenseElementsAttr::get(type, ArrayRef<float>(numbers))));
  }
  if (node.hasFailed())
    return failure();
  for (const char *name : {"value_string", "value_strings"})
    if (node.hasAttribute(name))
      return node.fail("constants of strings are not supported");
  if (node.hasAttribute("sparse_value"))
    return node.fail("sparse constants are not supported");
  return node.fail("attribute 'value' is missing");
}

static LogicalResult importConstantOfShape(NodeContext &node) {
  Value value;
  if (const ::onnx::TensorProto *tensor = node.getTensor("value"))
    value = node.toScalar(node.buildTensor(*tensor), "value");
  else
    value = node.scalar(0, node.builder.getF32Type());
  std::optional<Dims> dims = node.getSizes(node.getInput(0), "the shape");
  if (!dims || node.hasFailed())
    return failure();
  for (DimExprAttr dim : *dims)
    if (dim.getConstant().value_or(0) < 0)
      return node.fail("the shape has a dim of " + dim.str());
  return node.finish(node.expand(value, *dims));
}

static LogicalResult importEyeLike(NodeContext &node) {
  Value x = node.getInput(0);
  if (getRank(x) != 2)
    return node.fail("the input must have rank 2");
  Type type = getElementType(x);
  if (std::optional<int64_t> dtype = node.getInt("dtype")) {
    llvm::Expected<Type> named = onnx_import::getElementType(node.builder.getContext(), *dtype);
    if (!named)
      return node.fail(llvm::toString(named.takeError()));
    type = *named;
  }
  Type computed = type.isInteger(1) ? Type(node.builder.getI8Type()) : type;
  Attribute k = node.dim(node.getInt("k", 0));
  Value eye = node.build<EyeOp>(ValueRange{}, node.attribute("k", k), node.tensorType(getDims(x), computed));
  return node.finish(node.cast(eye, type));
}

//===----------------------------------------------------------------------------------------------===//
// Range
//===----------------------------------------------------------------------------------------------===//

static std::optional<double> getConstantNumber(Value value) {
  DenseElementsAttr elements;
  if (!matchPattern(value, m_Constant(&elements)) || elements.getNumElements() != 1)
    return std::nullopt;
  if (isa<FloatType>(elements.getElementType())) {
    APFloat number = *elements.getValues<APFloat>().begin();
    bool losesInfo;
    number.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &losesInfo);
    return number.convertToDouble();
  }
  return std::nullopt;
}

/// A whole number that is known as an expression, also where the graph computes with it in floats: XLNet's
/// positions are Range(Cast(klen), Neg(Cast(qlen)), -1.0).
static std::optional<DimExprAttr> matchWhole(Value value, unsigned depth = 0) {
  if (std::optional<Dims> known = matchDimValues(value))
    return known->size() == 1 ? std::optional(known->front()) : std::nullopt;
  if (std::optional<double> number = getConstantNumber(value)) {
    if (std::fabs(*number) < 1e15 && std::trunc(*number) == *number)
      return DimExprAttr::constant(value.getContext(), static_cast<int64_t>(*number));
    return std::nullopt;
  }
  Operation *op = value.getDefiningOp();
  if (!op || depth > 8 || !isa<CastOp, NegOp, AddOp, SubOp, MulOp, ReshapeOp>(op))
    return std::nullopt;
  SmallVector<DimExprAttr> operands;
  for (Value operand : op->getOperands()) {
    std::optional<DimExprAttr> known = matchWhole(operand, depth + 1);
    if (!known)
      return std::nullopt;
    operands.push_back(*known);
  }
  if (isa<NegOp>(op))
    return operands[0] * -1;
  if (isa<AddOp>(op))
    return operands[0] + operands[1];
  if (isa<SubOp>(op))
    return operands[0] - operands[1];
  if (isa<MulOp>(op))
    return operands[0] * operands[1];
  return operands[0];
}

/// How many elements a range of numbers known at compile time has; nullopt where they are not known, or the
/// node has failed.
static std::optional<DimExprAttr> countKnownRange(NodeContext &node, Value start, Value limit, Value delta) {
  std::optional<DimExprAttr> first = matchWhole(start), last = matchWhole(limit), step = matchWhole(delta);
  if (first && last && step) {
    std::optional<int64_t> by = step->getConstant();
    if (by == 0)
      (void)node.fail("delta is 0");
    if (!by || *by == 0)
      return std::nullopt;
    DimExprAttr distance = *by > 0 ? *last - *first : *first - *last;
    DimExprAttr count = distance.ceilDiv(node.dim(*by > 0 ? *by : *by == INT64_MIN ? INT64_MAX : -*by));
    return count.isNonNegative() ? count : count.max(node.dim(0));
  }
  std::optional<double> from = getConstantNumber(start), to = getConstantNumber(limit),
                        by = getConstantNumber(delta);
  if (!from || !to || !by)
    return std::nullopt;
  double count = std::ceil((*to - *from) / *by);
  if (!(count < static_cast<double>(maxElements))) {
    (void)node.fail("the range has too many elements");
    return std::nullopt;
  }
  return node.dim(count > 0 ? static_cast<int64_t>(count) : 0);
}

/// max(ceil((limit - start) / delta), 0), computed by the run.
static std::optional<DimExprAttr> countRangeFromData(NodeContext &node, Value start, Value limit,
                                                     Value delta) {
  Type f64 = node.builder.getF64Type();
  Value distance = node.build<SubOp>({node.cast(limit, f64), node.cast(start, f64)});
  Value count = node.build<CeilOp>(node.build<DivOp>({distance, node.cast(delta, f64)}));
  Value length = node.build<MaxOp>({count, node.scalar(0, f64)});
  return node.getSize(node.cast(length, node.builder.getI64Type()), "the length");
}

static LogicalResult importRange(NodeContext &node) {
  Value start = node.toScalar(node.getInput(0), "start");
  Value limit = node.toScalar(node.getInput(1), "limit");
  Value delta = node.toScalar(node.getInput(2), "delta");
  if (node.hasFailed())
    return failure();
  std::optional<DimExprAttr> count = countKnownRange(node, start, limit, delta);
  if (!count && !node.hasFailed())
    count = countRangeFromData(node, start, limit, delta);
  if (!count)
    return failure();
  return node.finish(node.build<RangeOp>({start, delta}, {}, node.tensorType(*count, getElementType(start))));
}

void mlir::tfc::onnx_import::addShapeOps(OpTable &table) {
  table.add("Shape", importShape, 1, 1);
  table.add("Size", importSize, 1, 1);
  table.add("Constant", importConstant, 0, 0);
  table.add("ConstantOfShape", importConstantOfShape, 1, 1);
  table.add("EyeLike", importEyeLike, 1, 1);
  table.add("Range", importRange, 3, 3);
}
