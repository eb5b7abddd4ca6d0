//===- QuantizedMatmul.cpp - Matrix products of ONNX Runtime, most of them quantized --------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "MatmulMath.h"
#include "OpTable.h"
#include "PackedWeight.h"

using namespace mlir;
using namespace mlir::tfc;
using namespace mlir::tfc::onnx_import;

static constexpr StringLiteral microsoft = "com.microsoft";

//===----------------------------------------------------------------------------------------------===//
// FusedMatMul
//===----------------------------------------------------------------------------------------------===//

/// With `transBatch` the matrix' first dim stands before the batch dims: it moves behind them.
static Value moveBatch(NodeContext &node, Value x, StringRef flag) {
  if (node.getInt(flag, 0) == 0 || getRank(x) < 3)
    return x;
  SmallVector<int64_t> permutation = llvm::to_vector(llvm::seq<int64_t>(1, getRank(x) - 1));
  permutation.append({0, getRank(x) - 1});
  return node.transpose(x, permutation);
}

static LogicalResult importFusedMatMul(NodeContext &node) {
  Value a = moveBatch(node, node.getInput(0), "transBatchA"),
        b = moveBatch(node, node.getInput(1), "transBatchB");
  if (!a || !b)
    return failure();
  SmallVector<NamedAttribute> attributes;
  // A vector has nothing to transpose.
  if (node.getInt("transA", 0) != 0 && getRank(a) > 1)
    attributes.push_back(node.flag("transpose_a"));
  if (node.getInt("transB", 0) != 0 && getRank(b) > 1)
    attributes.push_back(node.flag("transpose_b"));
  Value y = buildMatmul(node, a, b, attributes);
  double alpha = node.getFloat("alpha", 1.0);
  if (y && alpha != 1.0)
    y = node.build<MulOp>({y, node.scalar(alpha, getElementType(y))});
  return node.finish(y);
}

//===----------------------------------------------------------------------------------------------===//
// Eight-bit operands
//===----------------------------------------------------------------------------------------------===//

/// product * scaleA * scaleB + bias, of an integer product.
static Value rescale(NodeContext &node, Value product, Value scaleA, Value scaleB, Value bias) {
  if (!product || !scaleA || !scaleB)
    return {};
  Value scale =
      node.build<MulOp>({placeScale(node, scaleA, /*perRow=*/true), placeScale(node, scaleB, false)});
  Value y = scale ? node.build<MulOp>({node.cast(product, getElementType(scale)), scale}) : Value();
  return bias ? node.build<AddOp>({y, bias}) : y;
}

/// (A, B, a_scale, b_scale, a_zero_point, b_zero_point, bias)
static LogicalResult importMatMulIntegerToFloat(NodeContext &node) {
  Value a = centre(node, node.getInput(0), node.getInput(4), /*perRow=*/true);
  Value b = centre(node, node.getInput(1), node.getInput(5), /*perRow=*/false);
  return node.finish(
      rescale(node, buildMatmul(node, a, b), node.getInput(2), node.getInput(3), node.getInput(6)));
}

/// (A, B, b_scale, b_zero_point, bias), where A is quantized as it comes.
static LogicalResult importDynamicQuantizeMatMul(NodeContext &node) {
  DynamicallyQuantized a = quantizeDynamically(node, node.getInput(0));
  Value left = centre(node, a.values, a.zeroPoint, /*perRow=*/true);
  Value right = centre(node, node.getInput(1), node.getInput(3), /*perRow=*/false);
  return node.finish(
      rescale(node, buildMatmul(node, left, right), a.scale, node.getInput(2), node.getInput(4)));
}

//===----------------------------------------------------------------------------------------------===//
// MatMulNBits
//===----------------------------------------------------------------------------------------------===//

namespace {
/// A matrix [N, K] of numbers of 2, 4 or 8 bits, in blocks along K with a scale and a zero point each.
class PackedMatrix {
public:
  explicit PackedMatrix(NodeContext &node)
      : node(node), rows(node.getInt("N", 0)), columns(node.getInt("K", 0)), bits(node.getInt("bits", 4)),
        blockSize(node.getInt("block_size", 0)) {}

  LogicalResult check() {
    if (bits != 2 && bits != 4 && bits != 8)
      return node.fail("bits must be 2, 4 or 8, not " + Twine(bits));
    if (rows < 1 || columns < 1 || rows > maxSize || columns > maxSize)
      return node.fail("N and K must lie in [1, 2^32]");
    if (blockSize < 16 || blockSize > maxSize || !llvm::isPowerOf2_64(blockSize))
      return node.fail("block_size must be a power of two from 16 on, not " + Twine(blockSize));
    blocks = (columns + blockSize - 1) / blockSize;
    return success();
  }

  /// The matrix as floats of `type`.
  Value build(Type type) {
    Value packed = node.getInput(1);
    if (getRank(packed) != 3)
      return node.fail("B must have rank 3"), Value();
    if (type.isF32() && !node.hasInput(4))
      if (Value known = unpackWeight(node, {rows, columns, bits, blockSize}, packed, node.getInput(2), node.getInput(3)))
        return known;
    for (auto [axis, size] : llvm::enumerate(SmallVector<int64_t>{rows, blocks, blockSize * bits / 8}))
      packed = node.conform(packed, axis, node.dim(size));
    if (!packed || !isByte(packed, "B"))
      return {};
    Value scales = shaped(node.getInput(2), {rows, blocks}, "scales");
    Value numbers = node.cast(unpack(packed, blockSize), type);
    Value zeros = buildZeros(type);
    if (!scales || !numbers || !zeros)
      return {};
    if (node.hasInput(4))
      return buildByGroupIndex(numbers, zeros, scales, type);
    Value centred = node.build<SubOp>({numbers, column(zeros)});
    Value matrix = node.build<MulOp>({centred, node.cast(column(scales), type)});
    return cut(matrix);
  }

private:
  static constexpr int64_t maxSize = int64_t(1) << 32;

  bool isByte(Value value, StringRef what) {
    if (getElementType(value).isInteger(8))
      return true;
    (void)node.fail(what + " must hold bytes");
    return false;
  }

  /// The tensor with these dims; files also write it as one list.
  Value shaped(Value value, ArrayRef<int64_t> shape, StringRef what) {
    DimExprAttr count = value ? getElementCount(value.getType()) : DimExprAttr();
    if (!value || (count.isConstant() && !count.isConstant(shape[0] * shape[1]))) {
      (void)node.fail(what + " has not the dims that N, K, bits and block_size ask for");
      return {};
    }
    return node.reshape(value, {node.dim(shape[0]), node.dim(shape[1])});
  }

  Value column(Value x) { return node.reshape(x, {node.dim(rows), getDim(x, 1), node.dim(1)}); }

  /// Bytes [.., n] to numbers [.., count], the lowest bits first, as i32.
  Value unpack(Value bytes, int64_t count) {
    Type i32 = node.builder.getI32Type();
    Value wide = node.cast(bytes, i32);
    if (!wide || bits == 8)
      return wide;
    Dims dims = getDims(bytes), one = dims;
    one.push_back(node.dim(1));
    SmallVector<Value> parts;
    for (int64_t shift = 0; shift < 8; shift += bits) {
      Value part = node.build<DivOp>({wide, node.scalar(int64_t(1) << shift, i32)});
      part = node.build<ModOp>({part, node.scalar(int64_t(1) << bits, i32)});
      parts.push_back(node.reshape(part, one));
    }
    Value all = node.build<ConcatOp>(parts, node.attribute("axis", static_cast<int64_t>(dims.size())));
    DimExprAttr padded = dims.back() * (8 / bits);
    dims.back() = padded;
    return node.sliceAxis(node.reshape(all, dims), dims.size() - 1, node.dim(0), node.dim(count));
  }

  /// [N, blocks]
  Value buildZeros(Type type) {
    Value zeros = node.getInput(3);
    if (!zeros)
      return node.expand(node.scalar(int64_t(1) << (bits - 1), type), {node.dim(rows), node.dim(blocks)});
    if (isa<FloatType>(getElementType(zeros)))
      return node.cast(shaped(zeros, {rows, blocks}, "zero_points"), type);
    Value packed = shaped(zeros, {rows, (blocks * bits + 7) / 8}, "zero_points");
    return packed && isByte(packed, "zero_points") ? node.cast(unpack(packed, blocks), type) : Value();
  }

  Value cut(Value matrix) {
    Value flat = node.reshape(matrix, {node.dim(rows), node.dim(blocks * blockSize)});
    return node.sliceAxis(flat, 1, node.dim(0), node.dim(columns));
  }

  /// Column k has the scale and zero point of group g_idx[k].
  Value buildByGroupIndex(Value numbers, Value zeros, Value scales, Type type) {
    Value groups = node.getInput(4);
    if (getRank(groups) != 1)
      return node.fail("g_idx must have rank 1"), Value();
    groups = node.sliceAxis(groups, 0, node.dim(0), node.dim(columns));
    NamedAttribute axis = node.attribute("axis", int64_t(1));
    Value centred = node.build<SubOp>({cut(numbers), node.build<GatherOp>({zeros, groups}, axis)});
    return node.build<MulOp>({centred, node.cast(node.build<GatherOp>({scales, groups}, axis), type)});
  }

  NodeContext &node;
  int64_t rows, columns, bits, blockSize, blocks = 0;
};
} // namespace

/// (A, B, scales, zero_points, g_idx, bias): A times the transposed matrix.
static LogicalResult importMatMulNBits(NodeContext &node) {
  PackedMatrix matrix(node);
  Value a = node.getInput(0);
  if (failed(matrix.check()) || node.hasFailed())
    return failure();
  if (!isFloat(a) || getRank(a) < 1)
    return node.fail("A must be floats of rank 1 or more");
  Value y = buildMatmul(node, a, matrix.build(getElementType(a)), node.flag("transpose_b"));
  return node.finish(node.hasInput(5) ? node.build<AddOp>({y, node.getInput(5)}) : y);
}

void mlir::tfc::onnx_import::addQuantizedMatmulOps(OpTable &table) {
  for (StringRef name : {"FusedMatMul", "TransposeMatMul"})
    table.addTo(microsoft, name, importFusedMatMul, 2, 2);
  table.addTo(microsoft, "MatMulIntegerToFloat", importMatMulIntegerToFloat, 4, 7);
  table.addTo(microsoft, "DynamicQuantizeMatMul", importDynamicQuantizeMatMul, 3, 5);
  table.addTo(microsoft, "MatMulNBits", importMatMulNBits, 3, 6);
}
