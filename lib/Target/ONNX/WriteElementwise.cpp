//===- WriteElementwise.cpp - Elementwise ops as nodes ---------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "GraphWriter.h"

using namespace mlir;
using namespace mlir::tfc;
using namespace mlir::tfc::onnx_export;

/// The operator of the same meaning, where the op is one operator and nothing else.
static StringRef getPlainName(Operation *op) {
  bool isBool = op->getNumResults() == 1 && getElementTypeOrSelf(op->getResult(0)).isInteger(1);
  return llvm::TypeSwitch<Operation *, StringRef>(op)
      .Case([](AbsOp) { return "Abs"; })
      .Case([](NegOp) { return "Neg"; })
      .Case([](SignOp) { return "Sign"; })
      .Case([](CeilOp) { return "Ceil"; })
      .Case([](FloorOp) { return "Floor"; })
      .Case([](RoundOp) { return "Round"; })
      .Case([](ExpOp) { return "Exp"; })
      .Case([](LogOp) { return "Log"; })
      .Case([](SqrtOp) { return "Sqrt"; })
      .Case([](ReciprocalOp) { return "Reciprocal"; })
      .Case([](SinOp) { return "Sin"; })
      .Case([](CosOp) { return "Cos"; })
      .Case([](TanOp) { return "Tan"; })
      .Case([](TanhOp) { return "Tanh"; })
      .Case([](ErfOp) { return "Erf"; })
      .Case([](SigmoidOp) { return "Sigmoid"; })
      .Case([](ReluOp) { return "Relu"; })
      .Case([](IsNanOp) { return "IsNaN"; })
      .Case([](AddOp) { return "Add"; })
      .Case([](SubOp) { return "Sub"; })
      .Case([](MulOp) { return "Mul"; })
      .Case([](DivOp) { return "Div"; })
      .Case([](PowOp) { return "Pow"; })
      .Case([](MinOp) { return "Min"; })
      .Case([](MaxOp) { return "Max"; })
      .Case([](SelectOp) { return "Where"; })
      .Case([&](NotOp) { return isBool ? "Not" : "BitwiseNot"; })
      .Case([&](AndOp) { return isBool ? "And" : "BitwiseAnd"; })
      .Case([&](OrOp) { return isBool ? "Or" : "BitwiseOr"; })
      .Case([&](XorOp) { return isBool ? "Xor" : "BitwiseXor"; })
      .Default([](Operation *) { return ""; });
}

void GraphWriter::writeCompare(CompareOp op) {
  std::vector<Name> inputs = getNames({op.getX(), op.getY()});
  switch (op.getKind()) {
  case CompareKind::Eq:
    return give(add("Equal", inputs), op);
  case CompareKind::Ne:
    return give(add("Not", {make("Equal", inputs)}), op);
  case CompareKind::Lt:
    return give(add("Less", inputs), op);
  case CompareKind::Le:
    return give(add("LessOrEqual", inputs), op);
  case CompareKind::Gt:
    return give(add("Greater", inputs), op);
  case CompareKind::Ge:
    return give(add("GreaterOrEqual", inputs), op);
  }
}

void GraphWriter::writeQuantization(Operation *op, StringRef name) {
  NodeMaker node = add(name, getNames(op->getOperands()));
  if (auto axis = op->getAttrOfType<IntegerAttr>("axis"))
    node.set("axis", axis.getInt());
  if (auto size = op->getAttrOfType<IntegerAttr>("block_size"))
    node.set("block_size", size.getInt());
  // Without a zero point the operator would give u8.
  if (isa<QuantizeOp>(op) && op->getNumOperands() == 2 && state.opset >= 21)
    node.set("output_dtype", int64_t(*getElementNumber(getElementTypeOrSelf(op->getResult(0)))));
  if (isa<DequantizeOp>(op) && state.opset >= 23)
    node.set("output_dtype", int64_t(*getElementNumber(getElementTypeOrSelf(op->getResult(0)))));
  give(node, op->getResult(0));
}

/// x * sigmoid(alpha * x).
static constexpr double kQuickAlpha = 1.702;

bool GraphWriter::writeElementwise(Operation *op) {
  if (StringRef name = getPlainName(op); !name.empty()) {
    give(add(name, getNames(op->getOperands())), op->getResult(0));
    return true;
  }
  bool isSingle = op->getNumResults() == 1 && getElementTypeOrSelf(op->getResult(0)).isF32();
  return llvm::TypeSwitch<Operation *, bool>(op)
      .Case([&](SiluOp silu) {
        Name x = getName(silu.getX());
        if (isSingle)
          give(add("QuickGelu", {x}, "com.microsoft").set("alpha", 1.0), silu);
        else
          give(add("Mul", {x, make("Sigmoid", {x})}), silu);
        return true;
      })
      .Case([&](GeluOp gelu) {
        Name x = getName(gelu.getX());
        if (gelu.getKind() == GeluKind::Quick && isSingle) {
          give(add("QuickGelu", {x}, "com.microsoft").set("alpha", kQuickAlpha), gelu);
        } else if (gelu.getKind() == GeluKind::Quick) {
          Name alpha = makeScalar(kQuickAlpha, getElementTypeOrSelf(gelu.getX()));
          give(add("Mul", {x, make("Sigmoid", {make("Mul", {x, alpha})})}), gelu);
        } else if (state.opset >= 20) {
          give(add("Gelu", {x}).set("approximate", StringRef(gelu.getKind() == GeluKind::Tanh ? "tanh" : "none")), gelu);
        } else {
          give(add(gelu.getKind() == GeluKind::Tanh ? "FastGelu" : "Gelu", {x}, "com.microsoft"), gelu);
        }
        return true;
      })
      .Case([&](IsInfOp isInf) {
        give(add("IsInf", {getName(isInf.getX())})
                 .set("detect_negative", int64_t(isInf.getNegative()))
                 .set("detect_positive", int64_t(isInf.getPositive())),
             isInf);
        return true;
      })
      .Case([&](CastOp cast) {
        NodeMaker node = add("Cast", {getName(cast.getX())});
        node.set("to", int64_t(*getElementNumber(getElementTypeOrSelf(cast.getY()))));
        if (!cast.getSaturate() && state.opset >= 19)
          node.set("saturate", int64_t(0));
        give(node, cast);
        return true;
      })
      .Case([&](ModOp mod) {
        bool isFloat = isa<FloatType>(getElementTypeOrSelf(mod.getX()));
        if (isFloat && !mod.getFmod()) {
          // ONNX has the divisor's sign for integers only: x - floor(x / y) * y would round, so the rest is moved.
          Name x = getName(mod.getX()), y = getName(mod.getY());
          Name rest = add("Mod", {x, y}).set("fmod", int64_t(1)).output();
          Name zero = makeScalar(0, getElementTypeOrSelf(mod.getX()));
          Name isOther = make("And", {make("Not", {make("Equal", {rest, zero})}),
                                      make("Xor", {make("Less", {rest, zero}), make("Less", {y, zero})})});
          give(add("Where", {isOther, make("Add", {rest, y}), rest}), mod);
          return true;
        }
        give(add("Mod", getNames(op->getOperands())).set("fmod", int64_t(mod.getFmod())), mod);
        return true;
      })
      .Case([&](CompareOp compare) { return writeCompare(compare), true; })
      .Case([&](QuantizeOp) { return writeQuantization(op, "QuantizeLinear"), true; })
      .Case([&](DequantizeOp) { return writeQuantization(op, "DequantizeLinear"), true; })
      .Default([](Operation *) { return false; });
}
