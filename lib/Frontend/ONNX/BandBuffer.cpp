//===- BandBuffer.cpp - Buffers of causal masks --------------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "BandBuffer.h"
#include "tfc/Dialect/Tfc/IR/BuildOp.h"
#include <optional>

using namespace mlir;
using namespace mlir::tfc;
using namespace mlir::tfc::onnx_import;

/// Smaller matrices are no masks of positions.
static constexpr int64_t kMinSize = 8;

namespace {
/// A matrix whose elements are `inside` where `-below <= column - row <= 0`, else `outside`.
struct BandMatrix {
  int64_t size;
  /// size - 1 or more: all of the lower triangle.
  int64_t below;
  ArrayRef<uint8_t> inside, outside;
};
} // namespace

static std::optional<BandMatrix> readBand(const TensorContents &contents) {
  ArrayRef<int64_t> shape = contents.type.getShape();
  unsigned bits = contents.type.getElementTypeBitWidth();
  if (shape.size() < 2 || shape.back() < kMinSize || shape[shape.size() - 2] != shape.back() ||
      contents.type.getNumElements() != shape.back() * shape.back() || (bits != 1 && bits % 8 != 0))
    return std::nullopt;
  int64_t size = shape.back(), bytes = bits == 1 ? 1 : bits / 8;
  auto element = [&](int64_t row, int64_t column) { return contents.bytes.slice((row * size + column) * bytes, bytes); };
  BandMatrix band{size, 0, element(0, 0), element(0, 1)};
  if (band.inside == band.outside)
    return std::nullopt;
  // The last row says how wide the band is.
  while (band.below < size - 1 && element(size - 1, size - 2 - band.below) == band.inside)
    ++band.below;
  if (band.below == 0)
    return std::nullopt;
  for (int64_t row = 0; row < size; ++row)
    for (int64_t column = 0; column < size; ++column) {
      bool isInside = column <= row && column >= row - band.below;
      if (element(row, column) != (isInside ? band.inside : band.outside))
        return std::nullopt;
    }
  return band;
}

Value mlir::tfc::onnx_import::buildBandBuffer(OpBuilder &builder, Location loc, const TensorContents &contents) {
  std::optional<BandMatrix> band = readBand(contents);
  if (!band)
    return {};
  auto build = [&](StringRef name, ValueRange operands, ArrayRef<NamedAttribute> attributes, TypeRange types) {
    FailureOr<SmallVector<Value>> built = buildOp(builder, loc, name, operands, attributes, types);
    return failed(built) || built->empty() ? Value() : built->front();
  };
  Type i1 = builder.getI1Type(), element = contents.type.getElementType();
  auto scalar = [&](DenseElementsAttr value) {
    return build(ConstantOp::getOperationName(), {}, builder.getNamedAttr("value", value), value.getType());
  };
  Value one = scalar(DenseElementsAttr::get(RankedTensorType::get({}, i1), true));
  Value ones = build(ExpandOp::getOperationName(), one, {}, RankedTensorType::get(contents.type.getShape(), i1));
  auto triangle = [&](int64_t k, bool isUpper) {
    SmallVector<NamedAttribute> attributes{builder.getNamedAttr("k", DimExprAttr::constant(builder.getContext(), k))};
    if (isUpper)
      attributes.push_back(builder.getNamedAttr("upper", builder.getUnitAttr()));
    return build(TriluOp::getOperationName(), ones, attributes, {});
  };
  Value allowed = triangle(0, /*isUpper=*/false);
  if (band->below < band->size - 1)
    allowed = build(AndOp::getOperationName(), {allowed, triangle(-band->below, /*isUpper=*/true)}, {}, {});
  if (element.isInteger(1) && band->inside[0] != 0 && band->outside[0] == 0)
    return allowed;
  auto number = [&](ArrayRef<uint8_t> bytes) {
    auto type = RankedTensorType::get({}, element);
    if (element.isInteger(1))
      return scalar(DenseElementsAttr::get(type, bytes[0] != 0));
    ArrayRef raw(reinterpret_cast<const char *>(bytes.data()), bytes.size());
    return scalar(DenseElementsAttr::getFromRawBuffer(type, raw));
  };
  return build(SelectOp::getOperationName(), {allowed, number(band->inside), number(band->outside)}, {}, {});
}
