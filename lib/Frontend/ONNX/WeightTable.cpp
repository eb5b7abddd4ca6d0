//===- WeightTable.cpp - Tensors of a model as constants and weights ------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "WeightTable.h"
#include "BandBuffer.h"
#include "Names.h"
#include "tfc/Dialect/Tfc/IR/TfcOps.h"
#include "llvm/ADT/Hashing.h"
#include "llvm/Support/xxhash.h"

using namespace mlir;
using namespace mlir::tfc;
using namespace mlir::tfc::onnx_import;

bool WeightTable::isConstant(const TensorContents &contents) const {
  Type elementType = contents.type.getElementType();
  unsigned width = elementType.getIntOrFloatBitWidth();
  if (contents.type.getNumElements() == 0)
    return width != 4;
  if (isa<FloatType>(elementType))
    return width >= 16 && contents.type.getNumElements() == 1;
  return width != 4 && contents.bytes.size() <= constantBytes;
}

/// The elements as an attribute, which keeps its own copy.
static DenseElementsAttr readElements(const TensorContents &contents) {
  if (contents.type.getElementType().isInteger(1)) {
    SmallVector<bool> values;
    for (uint8_t byte : contents.bytes)
      values.push_back(byte != 0);
    return DenseElementsAttr::get(contents.type, ArrayRef<bool>(values));
  }
  ArrayRef<char> raw(reinterpret_cast<const char *>(contents.bytes.data()), contents.bytes.size());
  return DenseElementsAttr::getFromRawBuffer(contents.type, raw);
}

Value WeightTable::build(OpBuilder &builder, Location loc, StringRef name, const TensorContents &contents) {
  if (Value band = buildBandBuffer(builder, loc, contents))
    return band;
  if (isConstant(contents))
    return ConstantOp::create(builder, loc, contents.type, readElements(contents));
  FlatSymbolRefAttr weight = getWeight(loc, name, contents);
  return WeightRefOp::create(builder, loc, contents.type, weight);
}

FlatSymbolRefAttr WeightTable::getWeight(Location loc, StringRef name, const TensorContents &contents) {
  uint64_t key = llvm::hash_combine(contents.type.getAsOpaquePointer(), contents.bytes.size(),
                                    llvm::xxh3_64bits(contents.bytes.take_front(4096)));
  SmallVector<Known, 1> &same = known[key];
  for (const Known &other : same)
    if (other.contents.type == contents.type &&
        (other.contents.bytes.data() == contents.bytes.data() || other.contents.bytes == contents.bytes))
      return other.symbol;
  auto source =
      FileSourceAttr::get(weights.getContext(), contents.path, static_cast<int64_t>(contents.offset),
                          static_cast<int64_t>(contents.bytes.size()));
  std::string symbol = name.empty() ? "constant" : printable(name);
  auto op = WeightOp::create(weights, loc, symbol, contents.type, source, /*layout=*/nullptr,
                             /*source_element=*/nullptr);
  // Inserting renames the op where something else has its name.
  auto reference = FlatSymbolRefAttr::get(symbols.insert(op));
  same.push_back({contents, reference});
  return reference;
}
