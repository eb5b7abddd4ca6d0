//===- Elementwise.cpp - Arithmetic, comparisons, selection, casts ---------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "OpTable.h"
#include "TensorReader.h"

using namespace mlir;
using namespace mlir::tfc;
using namespace mlir::tfc::onnx_import;

template <typename OpTy> static LogicalResult importUnary(NodeContext &node) {
  return node.finish(node.build<OpTy>(node.getInput(0)));
}

template <typename OpTy> static LogicalResult importBinary(NodeContext &node) {
  return node.finish(node.build<OpTy>({node.getInput(0), node.getInput(1)}));
}

template <CompareKind kind> static LogicalResult importCompare(NodeContext &node) {
  return node.finish(node.compare(kind, node.getInput(0), node.getInput(1)));
}

/// Sum, Min and Max take any number of inputs.
template <typename OpTy> static Value foldInputs(NodeContext &node) {
  Value result = node.getInput(0);
  for (unsigned i = 1; i < node.getNumInputs(); ++i)
    result = node.build<OpTy>({result, node.getInput(i)});
  return result;
}

template <typename OpTy> static LogicalResult importVariadic(NodeContext &node) {
  return node.finish(foldInputs<OpTy>(node));
}

static LogicalResult importMean(NodeContext &node) {
  Value sum = foldInputs<AddOp>(node);
  if (!sum || node.getNumInputs() == 1)
    return node.finish(sum);
  return node.finish(node.build<DivOp>({sum, node.scalar(node.getNumInputs(), getElementType(sum))}));
}

/// Integers are whole already.
template <typename OpTy> static LogicalResult importRounding(NodeContext &node) {
  if (!isFloat(node.getInput(0)))
    return node.finish(node.getInput(0));
  return importUnary<OpTy>(node);
}

/// The base and the exponent may have different types; the result has the base's.
static LogicalResult importPow(NodeContext &node) {
  Value base = node.getInput(0), exponent = node.getInput(1);
  Type type = getElementType(base);
  Type computed = isa<FloatType>(type) ? type : getElementType(exponent);
  if (isa<IntegerType>(computed))
    computed = type;
  Value power = node.build<PowOp>({node.cast(base, computed), node.cast(exponent, computed)});
  return node.finish(node.cast(power, type));
}

static LogicalResult importMod(NodeContext &node) {
  bool fmod = node.getInt("fmod", 0) != 0;
  SmallVector<NamedAttribute> attributes;
  if (fmod)
    attributes.push_back(node.flag("fmod"));
  else if (isFloat(node.getInput(0)))
    return node.fail("Mod of floats needs fmod = 1");
  return node.finish(node.build<ModOp>({node.getInput(0), node.getInput(1)}, attributes));
}

static LogicalResult importWhere(NodeContext &node) {
  return node.finish(node.build<SelectOp>({node.getInput(0), node.getInput(1), node.getInput(2)}));
}

static LogicalResult importIsInf(NodeContext &node) {
  Attribute negative = node.builder.getBoolAttr(node.getInt("detect_negative", 1) != 0);
  Attribute positive = node.builder.getBoolAttr(node.getInt("detect_positive", 1) != 0);
  return node.finish(node.build<IsInfOp>(
      node.getInput(0), {node.attribute("negative", negative), node.attribute("positive", positive)}));
}

/// Bounds are attributes below opset 11, optional inputs from there on.
static LogicalResult importClip(NodeContext &node) {
  Value x = node.getInput(0);
  Value low = node.getInput(1), high = node.getInput(2);
  if (node.opset < 11) {
    if (std::optional<double> bound = node.getFloat("min"))
      low = node.scalar(*bound, getElementType(x));
    if (std::optional<double> bound = node.getFloat("max"))
      high = node.scalar(*bound, getElementType(x));
  }
  if (low)
    x = node.build<MaxOp>({x, node.toScalar(low, "min")});
  if (high)
    x = node.build<MinOp>({x, node.toScalar(high, "max")});
  return node.finish(x);
}

/// `saturate` is of 8-bit floats alone; 4-bit integers keep the low bits.
static Value castTo(NodeContext &node, Value x, Type type) {
  if (!x || getElementType(x) == type)
    return x;
  bool saturate = node.getInt("saturate", 1) != 0 && !type.isInteger(4);
  SmallVector<NamedAttribute> attributes;
  if (!saturate)
    attributes.push_back(node.attribute("saturate", Attribute(node.builder.getBoolAttr(false))));
  return node.build<CastOp>(x, attributes, getTensorType(getDims(x), type));
}

static LogicalResult importCast(NodeContext &node) {
  std::optional<int64_t> to = node.getInt("to");
  if (!to)
    return node.fail("attribute 'to' is missing");
  llvm::Expected<Type> type = onnx_import::getElementType(node.builder.getContext(), *to);
  if (!type)
    return node.fail(llvm::toString(type.takeError()));
  return node.finish(castTo(node, node.getInput(0), *type));
}

static LogicalResult importCastLike(NodeContext &node) {
  return node.finish(castTo(node, node.getInput(0), getElementType(node.getInput(1))));
}

static LogicalResult importIdentity(NodeContext &node) { return node.finish(node.getInput(0)); }

/// Training with a ratio other than 0 drops by chance. Where only the run knows, the run ends.
static LogicalResult refuseTraining(NodeContext &node) {
  std::optional<SmallVector<int64_t>> known = matchIntegers(node.getInput(2));
  if (known && llvm::all_of(*known, [](int64_t value) { return value == 0; }))
    return success();
  Type i64 = node.builder.getI64Type();
  Value drops = node.cast(node.toScalar(node.getInput(2), "training_mode"), i64);
  if (Value ratio = node.toScalar(node.getInput(1), "ratio")) {
    Value isOn = node.compare(CompareKind::Ne, ratio, node.scalar(0, getElementType(ratio)));
    drops = node.build<MulOp>({drops, node.cast(isOn, i64)});
  }
  std::optional<DimExprAttr> count = node.getSize(drops, "training_mode");
  if (!count)
    return failure();
  if (count->getConstant().value_or(0) != 0)
    return node.fail("training mode is not supported");
  if (!count->isConstant())
    node.require(RequireKind::Equal, *count, node.dim(0));
  return success();
}

/// Inference drops nothing. The mask, where somebody asks for it, is all true.
static LogicalResult importDropout(NodeContext &node) {
  Value x = node.getInput(0);
  if (node.hasInput(2) && failed(refuseTraining(node)))
    return failure();
  Value mask;
  if (node.wantsOutput(1))
    mask = node.expand(node.scalar(1, node.opset < 10 ? getElementType(x) : Type(node.builder.getI1Type())),
                       getDims(x));
  return node.finish(mask ? ValueRange{x, mask} : ValueRange{x});
}

void mlir::tfc::onnx_import::addElementwiseOps(OpTable &table) {
  table.add("Abs", importUnary<AbsOp>, 1, 1);
  table.add("Neg", importUnary<NegOp>, 1, 1);
  table.add("Sign", importUnary<SignOp>, 1, 1);
  table.add("Ceil", importRounding<CeilOp>, 1, 1);
  table.add("Floor", importRounding<FloorOp>, 1, 1);
  table.add("Round", importRounding<RoundOp>, 1, 1);
  table.add("Exp", importUnary<ExpOp>, 1, 1);
  table.add("Log", importUnary<LogOp>, 1, 1);
  table.add("Sqrt", importUnary<SqrtOp>, 1, 1);
  table.add("Reciprocal", importUnary<ReciprocalOp>, 1, 1);
  table.add("Sin", importUnary<SinOp>, 1, 1);
  table.add("Cos", importUnary<CosOp>, 1, 1);
  table.add("Tan", importUnary<TanOp>, 1, 1);
  table.add("Tanh", importUnary<TanhOp>, 1, 1);
  table.add("Erf", importUnary<ErfOp>, 1, 1);
  table.add("Sigmoid", importUnary<SigmoidOp>, 1, 1);
  table.add("Relu", importUnary<ReluOp>, 1, 1);
  table.add("Not", importUnary<NotOp>, 1, 1);
  table.add("BitwiseNot", importUnary<NotOp>, 1, 1);
  table.add("IsNaN", importUnary<IsNanOp>, 1, 1);
  table.add("IsInf", importIsInf, 1, 1);

  table.add("Add", importBinary<AddOp>, 2, 2, 7);
  table.add("Sub", importBinary<SubOp>, 2, 2, 7);
  table.add("Mul", importBinary<MulOp>, 2, 2, 7);
  table.add("Div", importBinary<DivOp>, 2, 2, 7);
  table.add("Pow", importPow, 2, 2, 7);
  table.add("Mod", importMod, 2, 2);
  table.add("And", importBinary<AndOp>, 2, 2, 7);
  table.add("Or", importBinary<OrOp>, 2, 2, 7);
  table.add("Xor", importBinary<XorOp>, 2, 2, 7);
  table.add("BitwiseAnd", importBinary<AndOp>, 2, 2);
  table.add("BitwiseOr", importBinary<OrOp>, 2, 2);
  table.add("BitwiseXor", importBinary<XorOp>, 2, 2);
  table.add("Sum", importVariadic<AddOp>, 1, anyNumber);
  table.add("Min", importVariadic<MinOp>, 1, anyNumber);
  table.add("Max", importVariadic<MaxOp>, 1, anyNumber);
  table.add("Mean", importMean, 1, anyNumber);

  table.add("Equal", importCompare<CompareKind::Eq>, 2, 2, 7);
  table.add("Less", importCompare<CompareKind::Lt>, 2, 2, 7);
  table.add("LessOrEqual", importCompare<CompareKind::Le>, 2, 2);
  table.add("Greater", importCompare<CompareKind::Gt>, 2, 2, 7);
  table.add("GreaterOrEqual", importCompare<CompareKind::Ge>, 2, 2);
  table.add("Where", importWhere, 3, 3);
  table.add("Clip", importClip, 1, 3);
  table.add("Cast", importCast, 1, 1, 6);
  table.add("CastLike", importCastLike, 2, 2);
  table.add("Identity", importIdentity, 1, 1);
  table.add("Dropout", importDropout, 1, 3, 7);
}
