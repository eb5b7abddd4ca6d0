//===- Activation.cpp - Activation functions, most of them by composition --------------------------===//
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

namespace {

/// Formulas over one node's operand, written as they are read.
struct Formula {
  explicit Formula(NodeContext &node, bool takesIntegers = false) : node(node) {
    if (!takesIntegers && !isFloat(x))
      (void)node.fail("the operand must be floats");
  }

  NodeContext &node;
  /// Formulas of several steps run in f32 for narrower types, and are rounded once.
  Value x = widen(node.getInput(0));

  Value widen(Value value) {
    bool isNarrow = value && isFloat(value) && getElementType(value).getIntOrFloatBitWidth() < 32;
    return isNarrow ? node.cast(value, node.builder.getF32Type()) : value;
  }
  LogicalResult finish(Value y) {
    return node.finish(y ? node.cast(y, getElementType(node.getInput(0))) : y);
  }
  Value number(double value) { return node.scalar(value, getElementType(x)); }
  Value add(Value a, Value b) { return node.build<AddOp>({a, b}); }
  Value sub(Value a, Value b) { return node.build<SubOp>({a, b}); }
  Value mul(Value a, Value b) { return node.build<MulOp>({a, b}); }
  Value div(Value a, Value b) { return node.build<DivOp>({a, b}); }
  Value max(Value a, Value b) { return node.build<MaxOp>({a, b}); }
  Value min(Value a, Value b) { return node.build<MinOp>({a, b}); }
  Value exp(Value a) { return node.build<ExpOp>(a); }
  Value select(Value condition, Value a, Value b) { return node.build<SelectOp>({condition, a, b}); }
  Value isNegative() { return node.compare(CompareKind::Lt, x, number(0)); }
  /// scale * (e^x - 1)
  Value scaledExpm1(Value a, double scale) { return mul(number(scale), sub(exp(a), number(1))); }
  /// log(1 + e^x) that does not overflow: max(x, 0) + log(1 + e^-|x|).
  Value softplus() {
    Value tail = exp(node.build<NegOp>(node.build<AbsOp>(x)));
    return add(max(x, number(0)), node.build<LogOp>(add(number(1), tail)));
  }
  Value clamp01(Value a) { return min(max(a, number(0)), number(1)); }
};

} // namespace

static LogicalResult importLeakyRelu(NodeContext &node) {
  Formula f{node};
  double alpha = node.getFloat("alpha", 0.01f);
  return f.finish(f.select(f.isNegative(), f.mul(f.number(alpha), f.x), f.x));
}

static LogicalResult importPRelu(NodeContext &node) {
  Formula f(node, /*takesIntegers=*/true);
  return f.finish(f.select(f.isNegative(), f.mul(f.widen(node.getInput(1)), f.x), f.x));
}

static LogicalResult importElu(NodeContext &node) {
  Formula f{node};
  double alpha = node.getFloat("alpha", 1.0);
  return f.finish(f.select(f.isNegative(), f.scaledExpm1(f.x, alpha), f.x));
}

static LogicalResult importSelu(NodeContext &node) {
  Formula f{node};
  double alpha = node.getFloat("alpha", 1.67326319217681884765625);
  double gamma = node.getFloat("gamma", 1.05070102214813232421875);
  return f.finish(f.mul(f.number(gamma), f.select(f.isNegative(), f.scaledExpm1(f.x, alpha), f.x)));
}

static LogicalResult importCelu(NodeContext &node) {
  Formula f{node};
  double alpha = node.getFloat("alpha", 1.0);
  Value tail = f.scaledExpm1(f.div(f.x, f.number(alpha)), alpha);
  return f.finish(f.add(f.max(f.x, f.number(0)), f.min(f.number(0), tail)));
}

static LogicalResult importThresholdedRelu(NodeContext &node) {
  Formula f{node};
  Value above = node.compare(CompareKind::Gt, f.x, f.number(node.getFloat("alpha", 1.0)));
  return f.finish(f.select(above, f.x, f.number(0)));
}

static LogicalResult importSoftplus(NodeContext &node) {
  Formula f{node};
  return f.finish(f.softplus());
}

static LogicalResult importSoftsign(NodeContext &node) {
  Formula f{node};
  return f.finish(f.div(f.x, f.add(f.number(1), node.build<AbsOp>(f.x))));
}

static LogicalResult importMish(NodeContext &node) {
  Formula f{node};
  return f.finish(f.mul(f.x, node.build<TanhOp>(f.softplus())));
}

static LogicalResult importHardSigmoid(NodeContext &node) {
  Formula f{node};
  double alpha = node.getFloat("alpha", 0.2f), beta = node.getFloat("beta", 0.5);
  return f.finish(f.clamp01(f.add(f.mul(f.number(alpha), f.x), f.number(beta))));
}

static LogicalResult importHardSwish(NodeContext &node) {
  Formula f{node};
  return f.finish(f.mul(f.x, f.clamp01(f.add(f.mul(f.number(1.0 / 6), f.x), f.number(0.5)))));
}

static LogicalResult importSwish(NodeContext &node) {
  if (failed(node.allowAttributes({"alpha"})))
    return failure();
  Formula f{node};
  double alpha = node.getFloat("alpha", 1.0);
  Value scaled = alpha == 1.0 ? f.x : f.mul(f.number(alpha), f.x);
  return f.finish(f.mul(f.x, node.build<SigmoidOp>(scaled)));
}

static LogicalResult importShrink(NodeContext &node) {
  Formula f{node};
  double bias = node.getFloat("bias", 0.0), lambda = node.getFloat("lambd", 0.5);
  Value low = node.compare(CompareKind::Lt, f.x, f.number(-lambda));
  Value high = node.compare(CompareKind::Gt, f.x, f.number(lambda));
  Value above = f.select(high, f.sub(f.x, f.number(bias)), f.number(0));
  return f.finish(f.select(low, f.add(f.x, f.number(bias)), above));
}

static LogicalResult importSinh(NodeContext &node) {
  Formula f{node};
  Value difference = f.sub(f.exp(f.x), f.exp(node.build<NegOp>(f.x)));
  return f.finish(f.mul(f.number(0.5), difference));
}

static LogicalResult importCosh(NodeContext &node) {
  Formula f{node};
  return f.finish(f.mul(f.number(0.5), f.add(f.exp(f.x), f.exp(node.build<NegOp>(f.x)))));
}

static LogicalResult buildGelu(NodeContext &node, GeluKind kind) {
  Attribute attribute = GeluKindAttr::get(node.builder.getContext(), kind);
  return node.finish(node.build<GeluOp>(node.getInput(0), node.attribute("kind", attribute)));
}

static LogicalResult importGelu(NodeContext &node) {
  std::string approximate = node.getString("approximate").value_or("none");
  if (approximate != "none" && approximate != "tanh")
    return node.fail("attribute 'approximate' must be 'none' or 'tanh'");
  return buildGelu(node, approximate == "tanh" ? GeluKind::Tanh : GeluKind::Erf);
}

void mlir::tfc::onnx_import::addActivationOps(OpTable &table) {
  table.add("LeakyRelu", importLeakyRelu, 1, 1);
  table.add("PRelu", importPRelu, 2, 2, 7);
  table.add("Elu", importElu, 1, 1);
  table.add("Selu", importSelu, 1, 1);
  table.add("Celu", importCelu, 1, 1);
  table.add("ThresholdedRelu", importThresholdedRelu, 1, 1);
  table.add("Softplus", importSoftplus, 1, 1);
  table.add("Softsign", importSoftsign, 1, 1);
  table.add("Mish", importMish, 1, 1);
  table.add("HardSigmoid", importHardSigmoid, 1, 1);
  table.add("HardSwish", importHardSwish, 1, 1);
  table.add("Swish", importSwish, 1, 1);
  table.add("Shrink", importShrink, 1, 1);
  table.add("Sinh", importSinh, 1, 1);
  table.add("Cosh", importCosh, 1, 1);
  table.add("Gelu", importGelu, 1, 1);
}
