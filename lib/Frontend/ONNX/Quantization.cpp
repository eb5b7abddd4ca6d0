//===- Quantization.cpp - Quantize, dequantize ----------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "MatmulMath.h"
#include "OpTable.h"
#include "TensorReader.h"

using namespace mlir;
using namespace mlir::tfc;
using namespace mlir::tfc::onnx_import;

/// The op with the attributes that say which scale belongs to which element.
template <typename OpTy> static LogicalResult importQuantization(NodeContext &node, Type resultElement) {
  Value x = node.getInput(0), scale = node.getInput(1), zeroPoint = node.getInput(2);
  SmallVector<NamedAttribute> attributes;
  // One scale for the whole tensor may be written as a list of one.
  if (getRank(scale) == 1 && getDim(scale, 0).isConstant(1)) {
    scale = node.reshape(scale, {});
    zeroPoint = zeroPoint ? node.toScalar(zeroPoint, "zero_point") : zeroPoint;
  }
  if (scale && zeroPoint && getRank(scale) == 0 && getRank(zeroPoint) == 1)
    zeroPoint = node.toScalar(zeroPoint, "zero_point");
  if (scale && getRank(scale) > 0) {
    std::optional<int64_t> axis = node.normalizeAxis(node.getInt("axis", 1), getRank(x));
    if (!axis)
      return failure();
    attributes.push_back(node.attribute("axis", *axis));
    int64_t blockSize = node.getInt("block_size", 0);
    if (blockSize < 0)
      return node.fail("block_size is negative");
    if (getRank(scale) == 1) {
      scale = node.conform(scale, 0, getDim(x, *axis));
      zeroPoint = node.conform(zeroPoint, 0, getDim(x, *axis));
    }
    if (blockSize > 0 && scale && getRank(scale) == getRank(x))
      for (auto [i, dim] : llvm::enumerate(getDims(x))) {
        DimExprAttr blocks = static_cast<int64_t>(i) == *axis ? dim.ceilDiv(node.dim(blockSize)) : dim;
        scale = node.conform(scale, i, blocks);
        if (zeroPoint && getRank(zeroPoint) == getRank(x))
          zeroPoint = node.conform(zeroPoint, i, blocks);
      }
    if (blockSize > 0)
      attributes.push_back(node.attribute("block_size", blockSize));
  }
  bool isFloat8 = isa<FloatType>(resultElement) && resultElement.getIntOrFloatBitWidth() == 8;
  if (isFloat8 && node.getInt("saturate", 1) == 0) {
    if (!scale || getRank(scale) != 0)
      return node.fail("saturate = 0 needs one scale for the tensor");
    return node.finish(
        node.build<CastOp>(node.build<DivOp>({x, node.cast(scale, getElementType(x))}),
                           node.attribute("saturate", Attribute(node.builder.getBoolAttr(false))),
                           node.tensorType(getDims(x), resultElement)));
  }
  SmallVector<Value> operands = {x, scale};
  if (zeroPoint)
    operands.push_back(zeroPoint);
  return node.finish(node.build<OpTy>(operands, attributes, node.tensorType(getDims(x), resultElement)));
}

static LogicalResult importQuantizeLinear(NodeContext &node) {
  Type type = IntegerType::get(node.builder.getContext(), 8, IntegerType::Unsigned);
  if (int64_t named = node.getInt("output_dtype", 0)) {
    llvm::Expected<Type> stated = onnx_import::getElementType(node.builder.getContext(), named);
    if (!stated)
      return node.fail(llvm::toString(stated.takeError()));
    type = *stated;
  }
  if (node.hasInput(2))
    type = getElementType(node.getInput(2));
  return importQuantization<QuantizeOp>(node, type);
}

static LogicalResult importDequantizeLinear(NodeContext &node) {
  Type type = getElementType(node.getInput(1));
  if (int64_t named = node.getInt("output_dtype", 0)) {
    llvm::Expected<Type> stated = onnx_import::getElementType(node.builder.getContext(), named);
    if (!stated)
      return node.fail(llvm::toString(stated.takeError()));
    type = *stated;
  }
  return importQuantization<DequantizeOp>(node, type);
}

/// Scale and zero point of the range of x, which always includes 0, for uint8.
DynamicallyQuantized mlir::tfc::onnx_import::quantizeDynamically(NodeContext &node, Value x) {
  Type type = getElementType(x), u8 = IntegerType::get(node.builder.getContext(), 8, IntegerType::Unsigned);
  SmallVector<int64_t> axes = llvm::to_vector(llvm::seq<int64_t>(0, getRank(x)));
  Value zero = node.scalar(0, type), top = node.scalar(255, type);
  Value low = node.build<MinOp>({node.reduce(ReduceKind::Min, x, axes, /*keepDims=*/false), zero});
  Value high = node.build<MaxOp>({node.reduce(ReduceKind::Max, x, axes, /*keepDims=*/false), zero});
  Value scale = node.build<DivOp>({node.build<SubOp>({high, low}), top});
  Value offset = node.build<RoundOp>(node.build<DivOp>({node.build<NegOp>(low), scale}));
  Value zeroPoint = node.cast(node.build<MinOp>({node.build<MaxOp>({offset, zero}), top}), u8);
  Value y = node.build<QuantizeOp>({x, scale, zeroPoint}, {}, node.tensorType(getDims(x), u8));
  return {y, scale, zeroPoint};
}

static LogicalResult importDynamicQuantizeLinear(NodeContext &node) {
  DynamicallyQuantized result = quantizeDynamically(node, node.getInput(0));
  return node.finish({result.values, result.scale, result.zeroPoint});
}

void mlir::tfc::onnx_import::addQuantizationOps(OpTable &table) {
  table.add("QuantizeLinear", importQuantizeLinear, 2, 3);
  table.add("DequantizeLinear", importDequantizeLinear, 2, 3);
  table.add("DynamicQuantizeLinear", importDynamicQuantizeLinear, 1, 1);
  // The runtime's own operators came first, with more types.
  table.addTo("com.microsoft", "QuantizeLinear", importQuantizeLinear, 2, 3);
  table.addTo("com.microsoft", "DequantizeLinear", importDequantizeLinear, 2, 3);
}
