//===- Contraction.cpp - Matrix products ----------------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "MatmulMath.h"
#include "OpTable.h"

using namespace mlir;
using namespace mlir::tfc;
using namespace mlir::tfc::onnx_import;

Value mlir::tfc::onnx_import::buildMatmul(NodeContext &node, Value a, Value b,
                                          ArrayRef<NamedAttribute> attributes) {
  if (!a || !b)
    return {};
  if (getRank(a) == 0 || getRank(b) == 0) {
    (void)node.fail("the operands must have rank 1 or more");
    return {};
  }
  bool aIsVector = getRank(a) == 1, bIsVector = getRank(b) == 1;
  if (aIsVector)
    a = node.reshape(a, {node.dim(1), getDim(a, 0)});
  if (bIsVector)
    b = node.reshape(b, {getDim(b, 0), node.dim(1)});
  Value c = node.build<MatmulOp>({a, b}, attributes);
  if (!c || !(aIsVector || bIsVector))
    return c;
  Dims dims = getDims(c);
  if (bIsVector)
    dims.pop_back();
  if (aIsVector)
    dims.erase(dims.end() - (bIsVector ? 1 : 2));
  return node.reshape(c, dims);
}

static LogicalResult importMatMul(NodeContext &node) {
  return node.finish(buildMatmul(node, node.getInput(0), node.getInput(1)));
}

/// alpha * A' * B' + beta * C
static LogicalResult importGemm(NodeContext &node) {
  Value a = node.getInput(0), b = node.getInput(1), c = node.getInput(2);
  if (getRank(a) != 2 || getRank(b) != 2)
    return node.fail("A and B must have rank 2");
  SmallVector<NamedAttribute> attributes;
  if (node.getInt("transA", 0) != 0)
    attributes.push_back(node.flag("transpose_a"));
  if (node.getInt("transB", 0) != 0)
    attributes.push_back(node.flag("transpose_b"));
  double alpha = node.getFloat("alpha", 1.0), beta = node.getFloat("beta", 1.0);
  Value y = node.build<MatmulOp>({a, b}, attributes);
  if (y && alpha != 1.0)
    y = node.build<MulOp>({y, node.scalar(alpha, getElementType(y))});
  if (!y || !c || beta == 0.0)
    return node.finish(y);
  if (beta != 1.0)
    c = node.build<MulOp>({c, node.scalar(beta, getElementType(c))});
  // C broadcasts to the product, never the other way round.
  if (c && (getRank(c) > 2 || !isBroadcastableTo(getDims(c), getDims(y))))
    return node.fail("C does not broadcast to the product");
  return node.finish(node.build<AddOp>({y, c}));
}

Value mlir::tfc::onnx_import::centre(NodeContext &node, Value x, Value zeroPoint, bool perRow) {
  if (!x)
    return x;
  Type i32 = node.builder.getI32Type();
  Value wide = node.cast(x, i32);
  if (!zeroPoint)
    return wide;
  Value zero = node.cast(zeroPoint, i32);
  if (perRow && getRank(zeroPoint) == 1 && !getDim(zeroPoint, 0).isConstant(1))
    zero = node.reshape(zero, {getDim(zeroPoint, 0), node.dim(1)});
  else if (getElementCount(zeroPoint.getType()).isConstant(1))
    zero = node.reshape(zero, {});
  return node.build<SubOp>({wide, zero});
}

static LogicalResult importMatMulInteger(NodeContext &node) {
  Value a = centre(node, node.getInput(0), node.getInput(2), /*perRow=*/true);
  Value b = centre(node, node.getInput(1), node.getInput(3), /*perRow=*/false);
  return node.finish(buildMatmul(node, a, b));
}

Value mlir::tfc::onnx_import::placeScale(NodeContext &node, Value scale, bool perRow) {
  if (scale && perRow && getRank(scale) == 1 && !getDim(scale, 0).isConstant(1))
    return node.reshape(scale, {getDim(scale, 0), node.dim(1)});
  return scale && getElementCount(scale.getType()).isConstant(1) ? node.reshape(scale, {}) : scale;
}

static LogicalResult importQLinearMatMul(NodeContext &node) {
  Value a = centre(node, node.getInput(0), node.getInput(2), /*perRow=*/true);
  Value b = centre(node, node.getInput(3), node.getInput(5), /*perRow=*/false);
  Value scaleA = placeScale(node, node.getInput(1), /*perRow=*/true);
  Value scaleB = placeScale(node, node.getInput(4), /*perRow=*/false);
  Value product = buildMatmul(node, a, b);
  if (!product || !scaleA || !scaleB)
    return failure();
  Value scaled = node.build<MulOp>({node.cast(product, getElementType(scaleA)), scaleA});
  scaled = node.build<MulOp>({scaled, scaleB});
  Value zeroPoint = node.toScalar(node.getInput(7), "y_zero_point");
  Value scale = node.toScalar(node.getInput(6), "y_scale");
  if (!scaled || !zeroPoint)
    return failure();
  return node.finish(node.build<QuantizeOp>({scaled, scale, zeroPoint}, {},
                                            node.tensorType(getDims(scaled), getElementType(zeroPoint))));
}

void mlir::tfc::onnx_import::addContractionOps(OpTable &table) {
  table.add("MatMul", importMatMul, 2, 2);
  table.add("Gemm", importGemm, 2, 3, 7);
  table.add("QLinearMatMul", importQLinearMatMul, 8, 8);
  table.add("MatMulInteger", importMatMulInteger, 2, 4);
}
