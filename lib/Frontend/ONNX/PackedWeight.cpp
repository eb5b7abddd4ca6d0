//===- PackedWeight.cpp - Matrices of a few bits, as floats when compiling -----------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "PackedWeight.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/SymbolTable.h"
#include "tfc/Weights/WeightFiles.h"
#include "llvm/Support/Endian.h"

using namespace mlir;
using namespace mlir::tfc;
using namespace mlir::tfc::onnx_import;

/// Unpacked matrices stand in memory until they are written: of larger models they stay packed, and every run unpacks them.
static constexpr int64_t kMostUnpacked = int64_t(4) << 30;

/// Bytes of weights that stand in no file. Their paths start with a null character.
static int64_t countBytesInMemory(ModuleOp module) {
  int64_t bytes = 0;
  for (WeightOp weight : module.getOps<WeightOp>())
    if (auto file = dyn_cast<FileSourceAttr>(weight.getSource()); file && file.getPath().starts_with(StringRef("\0", 1)))
      bytes += file.getBytes();
  return bytes;
}

namespace {
/// The elements of a tensor that is known when compiling.
class KnownTensor {
public:
  static std::optional<KnownTensor> read(Value value);
  Type getElementType() const { return type.getElementType(); }
  int64_t size() const { return type.getNumElements(); }
  uint8_t byte(int64_t i) const { return bytes[i]; }
  float number(int64_t i) const;

private:
  RankedTensorType type;
  ArrayRef<uint8_t> bytes;
  std::vector<uint8_t> storage;
};
} // namespace

std::optional<KnownTensor> KnownTensor::read(Value value) {
  KnownTensor result;
  result.type = dyn_cast<RankedTensorType>(value.getType());
  if (!result.type || !result.type.hasStaticShape())
    return std::nullopt;
  unsigned width = result.type.getElementType().getIntOrFloatBitWidth() / 8;
  if (auto constant = value.getDefiningOp<ConstantOp>()) {
    auto dense = dyn_cast<DenseElementsAttr>(constant.getValue());
    if (!dense || width == 0)
      return std::nullopt;
    auto add = [&](const APInt &bits) {
      for (unsigned i = 0; i < width; ++i)
        result.storage.push_back(static_cast<uint8_t>(bits.extractBitsAsZExtValue(8, 8 * i)));
    };
    if (isa<FloatType>(dense.getElementType()))
      for (const APFloat &element : dense.getValues<APFloat>())
        add(element.bitcastToAPInt());
    else
      for (const APInt &element : dense.getValues<APInt>())
        add(element);
    result.bytes = result.storage;
    return result;
  }
  auto reference = value.getDefiningOp<WeightRefOp>();
  auto weight = reference ? SymbolTable::lookupNearestSymbolFrom<WeightOp>(reference, reference.getWeightAttr()) : WeightOp();
  auto file = weight ? dyn_cast<FileSourceAttr>(weight.getSource()) : FileSourceAttr();
  if (!file || weight.getLayoutAttr() || weight.getSourceElementType() != result.type.getElementType())
    return std::nullopt;
  auto bytes = weight->getContext()->getLoadedDialect<TfcDialect>()->getWeightFiles().bytes(file.getPath(), file.getOffset(), file.getBytes());
  if (!bytes) {
    llvm::consumeError(bytes.takeError());
    return std::nullopt;
  }
  result.bytes = *bytes;
  return result.bytes.size() == static_cast<uint64_t>(result.size()) * width ? std::optional(std::move(result)) : std::nullopt;
}

float KnownTensor::number(int64_t i) const {
  Type element = getElementType();
  if (element.isF32())
    return llvm::bit_cast<float>(llvm::support::endian::read32le(&bytes[4 * i]));
  auto bits = APInt(16, llvm::support::endian::read16le(&bytes[2 * i]));
  return APFloat(cast<FloatType>(element).getFloatSemantics(), bits).convertToFloat();
}

static bool isFloatOfSize(const KnownTensor &tensor, int64_t count) {
  Type type = tensor.getElementType();
  return (type.isF32() || type.isF16() || type.isBF16()) && tensor.size() == count;
}

Value mlir::tfc::onnx_import::unpackWeight(NodeContext &node, const PackedLayout &layout, Value packedValue, Value scalesValue,
                                           Value zerosValue) {
  int64_t blocks = llvm::divideCeil(layout.columns, layout.blockSize), blockBytes = layout.blockSize * layout.bits / 8;
  std::optional<KnownTensor> packed = KnownTensor::read(packedValue), scales = KnownTensor::read(scalesValue), zeros;
  // Products below fit: a tensor has at most 2^48 elements, and this one has rows * blocks scales.
  if (!packed || !scales || !isFloatOfSize(*scales, layout.rows * blocks) || !packed->getElementType().isInteger(8) ||
      packed->size() / blockBytes != layout.rows * blocks || packed->size() % blockBytes != 0)
    return {};
  if (zerosValue) {
    zeros = KnownTensor::read(zerosValue);
    bool isPacked = zeros && zeros->getElementType().isInteger(8) &&
                    zeros->size() == layout.rows * static_cast<int64_t>(llvm::divideCeil(blocks * layout.bits, 8));
    if (!zeros || (!isPacked && !isFloatOfSize(*zeros, layout.rows * blocks)))
      return {};
  }
  auto module = node.builder.getInsertionBlock()->getParentOp()->getParentOfType<ModuleOp>();
  int64_t bytes = layout.rows * layout.columns * static_cast<int64_t>(sizeof(float));
  if (!module || bytes > kMostUnpacked || countBytesInMemory(module) + bytes > kMostUnpacked)
    return {};

  unsigned mask = (1u << layout.bits) - 1, perByte = 8 / layout.bits;
  auto take = [&](const KnownTensor &tensor, int64_t firstByte, int64_t number) {
    return tensor.byte(firstByte + number / perByte) >> (number % perByte * layout.bits) & mask;
  };
  ::onnx::TensorProto matrix;
  matrix.set_name(node.getOpType().str());
  matrix.set_data_type(::onnx::TensorProto::FLOAT);
  matrix.add_dims(layout.rows);
  matrix.add_dims(layout.columns);
  matrix.mutable_float_data()->Resize(static_cast<int>(layout.rows * layout.columns), 0);
  float *out = matrix.mutable_float_data()->mutable_data();
  int64_t zeroBytes = llvm::divideCeil(blocks * layout.bits, 8);
  for (int64_t row = 0; row < layout.rows; ++row)
    for (int64_t block = 0; block < blocks; ++block) {
      int64_t number = row * blocks + block;
      float zero = !zeros                               ? static_cast<float>(1 << (layout.bits - 1))
                   : isa<FloatType>(zeros->getElementType()) ? zeros->number(number)
                                                        : static_cast<float>(take(*zeros, row * zeroBytes, block));
      float scale = scales->number(number);
      int64_t last = std::min(layout.blockSize, layout.columns - block * layout.blockSize);
      for (int64_t i = 0; i < last; ++i)
        *out++ = (static_cast<float>(take(*packed, number * blockBytes, i)) - zero) * scale;
    }
  return node.buildTensor(matrix);
}
