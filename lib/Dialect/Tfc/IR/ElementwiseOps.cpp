//===- ElementwiseOps.cpp - Types, requirements and folds of elementwise ops -----------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Dialect/Tfc/IR/TfcOps.h"

#include "ConstantTensor.h"
#include "InferenceChecks.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mlir::tfc;

//===----------------------------------------------------------------------------------------------===//
// Type inference
//===----------------------------------------------------------------------------------------------===//

/// The broadcast of all operands, with this element type.
static LogicalResult inferBroadcast(std::optional<Location> loc, ValueRange operands, Type elementType,
                                    SmallVectorImpl<Type> &types) {
  if (failed(checkKnownDims(loc, operands.getTypes())))
    return failure();
  SmallVector<SmallVector<DimExprAttr>> shapes;
  for (Value operand : operands)
    shapes.push_back(getDims(operand));
  FailureOr<SmallVector<DimExprAttr>> dims = broadcastDims(shapes);
  if (failed(dims)) {
    std::string text;
    llvm::raw_string_ostream os(text);
    llvm::interleave(operands, os, [&](Value operand) { os << operand.getType(); }, " and ");
    return emitOptionalError(loc, "(C2) shapes do not broadcast: ", text);
  }
  types.push_back(getTensorType(*dims, elementType));
  return success();
}

static LogicalResult inferBinary(std::optional<Location> loc, Value x, Value y, Type resultElement, ValueRange all,
                                 SmallVectorImpl<Type> &types) {
  Type elementX = getElementTypeOrSelf(x.getType()), elementY = getElementTypeOrSelf(y.getType());
  if (elementX != elementY)
    return emitOptionalError(loc, "(C1) element types differ: ", elementX, " and ", elementY);
  return inferBroadcast(loc, all, resultElement ? resultElement : elementX, types);
}

//===----------------------------------------------------------------------------------------------===//
// Requirements
//===----------------------------------------------------------------------------------------------===//

static void collectBroadcastRequirements(ValueRange operands, Type result, SmallVectorImpl<Requirement> &requirements) {
  SmallVector<DimExprAttr> resultDims = getDims(result);
  for (Value operand : operands) {
    SmallVector<DimExprAttr> dims = getDims(operand);
    for (auto [dim, resultDim] : llvm::zip_equal(dims, ArrayRef(resultDims).take_back(dims.size())))
      if (dim != resultDim && !dim.isConstant(1))
        requirements.push_back({RequireKind::Broadcastable, dim, resultDim});
  }
}

//===----------------------------------------------------------------------------------------------===//
// One block per kind of op
//===----------------------------------------------------------------------------------------------===//

#define TFC_ELEMENTWISE_COMMON(OP)                                                                                     \
  void OP::collectRequirements(SmallVectorImpl<Requirement> &requirements) {                                           \
    collectBroadcastRequirements(getOperation()->getOperands(), getOperation()->getResult(0).getType(), requirements); \
  }                                                                                                                    \
  OpFoldResult OP::fold(FoldAdaptor adaptor) {                                                                         \
    if (Value same = foldIdentity(*this))                                                                              \
      return same;                                                                                                     \
    return foldElementwise(getOperation(), adaptor.getOperands());                                                     \
  }

#define TFC_UNARY(OP)                                                                                                  \
  LogicalResult OP::inferReturnTypes(MLIRContext *, std::optional<Location> loc, Adaptor adaptor,                      \
                                     SmallVectorImpl<Type> &types) {                                                   \
    return inferBroadcast(loc, adaptor.getX(), getElementTypeOrSelf(adaptor.getX().getType()), types);                 \
  }                                                                                                                    \
  TFC_ELEMENTWISE_COMMON(OP)

#define TFC_PREDICATE(OP)                                                                                              \
  LogicalResult OP::inferReturnTypes(MLIRContext *context, std::optional<Location> loc, Adaptor adaptor,               \
                                     SmallVectorImpl<Type> &types) {                                                   \
    return inferBroadcast(loc, adaptor.getX(), IntegerType::get(context, 1), types);                                   \
  }                                                                                                                    \
  TFC_ELEMENTWISE_COMMON(OP)

#define TFC_BINARY(OP)                                                                                                 \
  LogicalResult OP::inferReturnTypes(MLIRContext *, std::optional<Location> loc, Adaptor adaptor,                      \
                                     SmallVectorImpl<Type> &types) {                                                   \
    return inferBinary(loc, adaptor.getX(), adaptor.getY(), {}, adaptor.getOperands(), types);                         \
  }                                                                                                                    \
  TFC_ELEMENTWISE_COMMON(OP)

/// True when the value is a constant whose elements all equal `number`.
static bool isSplatOf(Value value, double number) {
  DenseElementsAttr dense;
  if (auto constant = value.getDefiningOp<ConstantOp>())
    dense = dyn_cast<DenseElementsAttr>(constant.getValue());
  if (!dense || !dense.isSplat())
    return false;
  std::optional<ConstantTensor> tensor =
      ConstantTensor::load(dense.resizeSplat(RankedTensorType::get({}, dense.getElementType())));
  if (!tensor)
    return false;
  const ConstantElement &element = tensor->elements[0];
  return element.kind == ConstantElement::Float ? element.number == number : element.integer == number;
}

/// `x` when op(x, neutral) is bit for bit x: x * 1, x / 1, and x + 0, x - 0 for integers (for floats -0 + 0 is +0).
static Value foldIdentity(Operation *op) {
  if (op->getNumOperands() != 2)
    return {};
  Value x = op->getOperand(0), y = op->getOperand(1);
  Type type = op->getResult(0).getType();
  bool isInteger = isa<IntegerType>(getElementTypeOrSelf(type));
  auto isNeutral = [&](Value value) {
    if (isa<MulOp, DivOp>(op))
      return isSplatOf(value, 1.0);
    return isInteger && isa<AddOp, SubOp>(op) && isSplatOf(value, 0.0);
  };
  if (x.getType() == type && isNeutral(y))
    return x;
  if (y.getType() == type && isa<MulOp, AddOp>(op) && isNeutral(x))
    return y;
  return {};
}

TFC_UNARY(AbsOp)
TFC_UNARY(NegOp)
TFC_UNARY(SignOp)
TFC_UNARY(CeilOp)
TFC_UNARY(FloorOp)
TFC_UNARY(RoundOp)
TFC_UNARY(ExpOp)
TFC_UNARY(LogOp)
TFC_UNARY(SqrtOp)
TFC_UNARY(ReciprocalOp)
TFC_UNARY(SinOp)
TFC_UNARY(CosOp)
TFC_UNARY(TanOp)
TFC_UNARY(TanhOp)
TFC_UNARY(ErfOp)
TFC_UNARY(SigmoidOp)
TFC_UNARY(SiluOp)
TFC_UNARY(ReluOp)
TFC_UNARY(NotOp)
TFC_UNARY(GeluOp)
TFC_PREDICATE(IsNanOp)
TFC_PREDICATE(IsInfOp)
TFC_BINARY(AddOp)
TFC_BINARY(SubOp)
TFC_BINARY(MulOp)
TFC_BINARY(DivOp)
TFC_BINARY(ModOp)
TFC_BINARY(PowOp)
TFC_BINARY(MinOp)
TFC_BINARY(MaxOp)
TFC_BINARY(AndOp)
TFC_BINARY(OrOp)
TFC_BINARY(XorOp)

LogicalResult CompareOp::inferReturnTypes(MLIRContext *context, std::optional<Location> loc, Adaptor adaptor,
                                          SmallVectorImpl<Type> &types) {
  return inferBinary(loc, adaptor.getX(), adaptor.getY(), IntegerType::get(context, 1), adaptor.getOperands(), types);
}
TFC_ELEMENTWISE_COMMON(CompareOp)

LogicalResult SelectOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc, Adaptor adaptor,
                                         SmallVectorImpl<Type> &types) {
  return inferBinary(loc, adaptor.getX(), adaptor.getY(), {}, adaptor.getOperands(), types);
}
TFC_ELEMENTWISE_COMMON(SelectOp)

//===----------------------------------------------------------------------------------------------===//
// Cast
//===----------------------------------------------------------------------------------------------===//

LogicalResult CastOp::verify() {
  if (failed(checkKnownDims(getLoc(), getX().getType())))
    return failure();
  if (getDims(getX()) != getDims(getY()))
    return emitOpError("(C1) operand and result have different dims: ") << getX().getType() << " and " << getY().getType();
  return success();
}
void CastOp::collectRequirements(SmallVectorImpl<Requirement> &) {}
OpFoldResult CastOp::fold(FoldAdaptor adaptor) {
  if (getX().getType() == getY().getType())
    return getX();
  return foldElementwise(getOperation(), adaptor.getOperands());
}

//===----------------------------------------------------------------------------------------------===//
// Quantization
//===----------------------------------------------------------------------------------------------===//

static LogicalResult verifyQuantization(Operation *op, Value wide, Value narrow, Value scale, Value zeroPoint,
                                        std::optional<int64_t> axis, std::optional<int64_t> blockSize) {
  Type wideElement = getElementTypeOrSelf(wide.getType()), narrowElement = getElementTypeOrSelf(narrow.getType());
  bool narrows = isa<FloatType>(narrowElement) ? narrowElement.getIntOrFloatBitWidth() == 8
                                               : narrowElement.getIntOrFloatBitWidth() <= 32 && !narrowElement.isInteger(1);
  if (!isa<FloatType>(wideElement) || wideElement.getIntOrFloatBitWidth() < 16 || !narrows ||
      getDims(wide) != getDims(narrow))
    return op->emitOpError("(C1) needs a float tensor and an integer or 8-bit float tensor of the same dims");
  auto type = cast<RankedTensorType>(wide.getType());
  auto scaleType = cast<RankedTensorType>(scale.getType());
  int64_t expectedRank = blockSize ? type.getRank() : axis ? 1 : 0;
  bool fits = scaleType.getRank() == expectedRank && (!axis || (*axis >= 0 && *axis < type.getRank())) &&
              (!blockSize || (axis && *blockSize > 0));
  if (fits && axis && !blockSize)
    fits = getDim(scale, 0) == getDim(wide, *axis);
  if (fits && blockSize)
    for (int64_t i = 0; i < type.getRank(); ++i) {
      DimExprAttr dim = getDim(wide, i);
      DimExprAttr expected = i == *axis ? dim.ceilDiv(DimExprAttr::constant(op->getContext(), *blockSize)) : dim;
      fits &= getDim(scale, i) == expected;
    }
  if (!fits)
    return op->emitOpError("(C2) the scale's shape does not fit axis and block size");
  if (zeroPoint && (getDims(zeroPoint) != getDims(scale) || getElementTypeOrSelf(zeroPoint.getType()) != narrowElement))
    return op->emitOpError("(C3) zero_point needs the scale's shape and the quantized element type");
  return success();
}

LogicalResult QuantizeOp::verify() {
  return verifyQuantization(*this, getX(), getY(), getScale(), getZeroPoint(), getAxis(), getBlockSize());
}
LogicalResult DequantizeOp::verify() {
  return verifyQuantization(*this, getY(), getX(), getScale(), getZeroPoint(), getAxis(), getBlockSize());
}
