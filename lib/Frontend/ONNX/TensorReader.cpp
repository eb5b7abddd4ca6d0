//===- TensorReader.cpp - Where the contents of a tensor stand -----------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "TensorReader.h"
#include "Names.h"
#include "TrimModel.h"
#include "mlir/IR/Builders.h"
#include "tfc/Weights/OpenBeneath.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace mlir::tfc::onnx_import;

static llvm::Error makeError(const llvm::Twine &message) {
  return llvm::createStringError(std::make_error_code(std::errc::invalid_argument), message);
}

//===----------------------------------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------------------------------===//

llvm::Expected<Type> mlir::tfc::onnx_import::getElementType(MLIRContext *context, int64_t onnxType) {
  Builder b(context);
  auto unsignedType = [&](unsigned width) { return IntegerType::get(context, width, IntegerType::Unsigned); };
  switch (onnxType) {
  case 1:
    return b.getF32Type();
  case 2:
    return unsignedType(8);
  case 3:
    return b.getI8Type();
  case 4:
    return unsignedType(16);
  case 5:
    return b.getI16Type();
  case 6:
    return b.getI32Type();
  case 7:
    return b.getI64Type();
  case 9:
    return b.getI1Type();
  case 10:
    return b.getF16Type();
  case 11:
    return b.getF64Type();
  case 12:
    return unsignedType(32);
  case 13:
    return unsignedType(64);
  case 16:
    return b.getBF16Type();
  case 17:
    return Float8E4M3FNType::get(context);
  case 18:
    return Float8E4M3FNUZType::get(context);
  case 19:
    return Float8E5M2Type::get(context);
  case 20:
    return Float8E5M2FNUZType::get(context);
  case 21:
    return unsignedType(4);
  case 22:
    return b.getIntegerType(4);
  case 0:
    return makeError("the element type is not set");
  case 8:
    return makeError("tensors of strings are not supported");
  case 14:
  case 15:
    return makeError("tensors of complex numbers are not supported");
  default:
    return makeError("element type " + llvm::Twine(onnxType) + " is not known");
  }
}

llvm::Expected<RankedTensorType> mlir::tfc::onnx_import::getCheckedType(llvm::ArrayRef<int64_t> dims,
                                                                        Type elementType) {
  if (static_cast<int64_t>(dims.size()) > maxRank)
    return makeError("rank " + llvm::Twine(dims.size()) + " is more than " + llvm::Twine(maxRank));
  // A zero somewhere makes the count zero, but the other dims are still used in products: they are checked as
  // if it were one.
  uint64_t count = 1;
  for (int64_t dim : dims) {
    if (dim < 0)
      return makeError("a dim is negative (" + llvm::Twine(dim) + ")");
    if (dim > 0 && count > static_cast<uint64_t>(maxElements) / static_cast<uint64_t>(dim))
      return makeError("the dims ask for too many elements (more than 2^48)");
    count *= std::max<int64_t>(dim, 1);
  }
  return RankedTensorType::get(dims, elementType);
}

/// Bytes of the elements as a file holds them: one byte for a bool, two 4-bit numbers in a byte.
static uint64_t countBytes(RankedTensorType type) {
  uint64_t elements = type.getNumElements();
  unsigned width = type.getElementType().getIntOrFloatBitWidth();
  if (width == 1)
    return elements;
  if (width == 4)
    return (elements + 1) / 2;
  return elements * (width / 8);
}

//===----------------------------------------------------------------------------------------------===//
// Contents in a file, in another one, in memory
//===----------------------------------------------------------------------------------------------===//

llvm::Expected<TensorContents> TensorReader::inMemory(RankedTensorType type, llvm::StringRef name,
                                                      std::vector<uint8_t> bytes) {
  std::string path = files.addBlob(printable(name, 60), std::move(bytes));
  auto contents = files.allBytes(path);
  if (!contents)
    return contents.takeError();
  return TensorContents{type, path, 0, *contents};
}

llvm::Expected<TensorContents> TensorReader::inFile(RankedTensorType type, llvm::StringRef path,
                                                    uint64_t offset, uint64_t size) {
  if (size != countBytes(type))
    return makeError("it holds " + llvm::Twine(size) + " bytes, but its type needs " +
                     llvm::Twine(countBytes(type)));
  auto bytes = files.bytes(path, offset, size);
  if (!bytes)
    return bytes.takeError();
  // A bool that is neither 0 nor 1 counts as true; everything after the importer may rely on 0 and 1.
  if (type.getElementType().isInteger(1) && llvm::any_of(*bytes, [](uint8_t b) { return b > 1; })) {
    std::vector<uint8_t> normal(bytes->begin(), bytes->end());
    for (uint8_t &b : normal)
      b = b != 0;
    return inMemory(type, "bool", std::move(normal));
  }
  return TensorContents{type, path.str(), offset, *bytes};
}

llvm::Expected<std::string> TensorReader::openExternal(llvm::StringRef location) {
  auto known = externalPaths.find(location);
  if (known != externalPaths.end())
    return known->second;
  auto file = ::tfc::openBeneath(options.externalRoot, location, options.allowLinks);
  if (!file)
    return makeError("its external data " + quoted(location) + ": " + llvm::toString(file.takeError()));
  llvm::SmallString<256> path(location);
  if (!options.externalRootIsBase) {
    path = options.externalRoot;
    llvm::sys::path::append(path, location);
  }
  if (auto error = files.addOpenedFile(path, std::move(*file)))
    return std::move(error);
  return externalPaths[location] = path.str().str();
}

static llvm::Error readNumber(llvm::StringRef key, llvm::StringRef text, std::optional<uint64_t> &number) {
  uint64_t value;
  // Only digits: getAsInteger would take a sign.
  if (text.empty() || text.find_first_not_of("0123456789") != llvm::StringRef::npos ||
      text.getAsInteger(10, value))
    return makeError("its external data has a malformed " + key + " " + quoted(text));
  number = value;
  return llvm::Error::success();
}

llvm::Expected<TensorContents> TensorReader::readExternal(const ::onnx::TensorProto &tensor,
                                                          RankedTensorType type) {
  llvm::StringMap<std::string> entries;
  for (const ::onnx::StringStringEntryProto &entry : tensor.external_data())
    if (!entries.try_emplace(entry.key(), entry.value()).second)
      return makeError("its external data names " + quoted(entry.key()) + " twice");
  std::optional<uint64_t> offset, length;
  for (auto &entry : entries) {
    llvm::StringRef key = entry.getKey();
    if (key == "offset" || key == "length") {
      if (llvm::Error error = readNumber(key, entry.getValue(), key == "offset" ? offset : length))
        return std::move(error);
    } else if (key != "location" && key != "checksum" && key != "basepath") {
      return makeError("its external data has an unknown key " + quoted(key));
    }
  }
  if (!entries.contains("location"))
    return makeError("its external data has no location");
  auto path = openExternal(entries.lookup("location"));
  if (!path)
    return path.takeError();
  auto contents = inFile(type, *path, offset.value_or(0), length.value_or(countBytes(type)));
  if (!contents)
    return makeError("its external data: " + llvm::toString(contents.takeError()));
  return contents;
}

//===----------------------------------------------------------------------------------------------===//
// Contents inside the model
//===----------------------------------------------------------------------------------------------===//

namespace {
/// Field numbers of TensorProto.
enum DataField : uint64_t {
  FloatData = 4,
  Int32Data = 5,
  Int64Data = 7,
  RawData = 9,
  DoubleData = 10,
  Uint64Data = 11
};
} // namespace

/// The field in which numbers of a type stand when they are not raw.
static DataField getTypedField(Type type) {
  if (type.isF32())
    return FloatData;
  if (type.isF64())
    return DoubleData;
  if (type.isSignlessInteger(64))
    return Int64Data;
  if (type.isUnsignedInteger(32) || type.isUnsignedInteger(64))
    return Uint64Data;
  return Int32Data;
}

static bool readVarint(llvm::ArrayRef<uint8_t> &bytes, uint64_t &value) {
  value = 0;
  for (unsigned shift = 0; shift < 70 && !bytes.empty(); shift += 7) {
    uint8_t byte = bytes.front();
    bytes = bytes.drop_front();
    if (shift < 64)
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80)
      return true;
  }
  return false;
}

/// Numbers of the typed fields, however the file spells them: `next` gives one after the other, `atMost`
/// many.
template <typename Next>
static llvm::Expected<std::vector<uint8_t>> storeNumbers(RankedTensorType type, uint64_t atMost, Next next) {
  Type elementType = type.getElementType();
  unsigned width = elementType.getIntOrFloatBitWidth();
  unsigned stored = std::max(width / 8, 1u);
  // int32_data holds two 4-bit numbers per entry, as a byte would.
  uint64_t entries = width == 4 ? countBytes(type) : type.getNumElements();
  // Refuse before making room for what cannot be there.
  if (entries > atMost)
    return makeError("it holds fewer than the " + llvm::Twine(entries) + " numbers its type needs");
  std::vector<uint8_t> result;
  result.reserve(countBytes(type));
  for (uint64_t i = 0; i < entries; ++i) {
    uint64_t value;
    if (!next(value))
      return makeError("it holds fewer than the " + llvm::Twine(entries) + " numbers its type needs");
    if (width == 1)
      value = value != 0;
    for (unsigned byte = 0; byte < stored; ++byte)
      result.push_back(static_cast<uint8_t>(value >> (8 * byte)));
  }
  uint64_t rest;
  if (next(rest))
    return makeError("it holds more than the " + llvm::Twine(entries) + " numbers its type needs");
  return result;
}

template <typename Repeated>
static llvm::Expected<std::vector<uint8_t>> storeRepeated(RankedTensorType type, const Repeated &numbers) {
  int at = 0;
  return storeNumbers(type, numbers.size(), [&](uint64_t &value) {
    if (at >= numbers.size())
      return false;
    auto number = numbers.Get(at++);
    if constexpr (std::is_same_v<decltype(number), float>)
      value = llvm::bit_cast<uint32_t>(number);
    else if constexpr (std::is_same_v<decltype(number), double>)
      value = llvm::bit_cast<uint64_t>(number);
    else
      value = static_cast<uint64_t>(number);
    return true;
  });
}

llvm::Expected<TensorContents> TensorReader::readInline(const ::onnx::TensorProto &tensor,
                                                        RankedTensorType type) {
  llvm::SmallVector<DataToken, 1> tokens;
  for (const std::string &entry : tensor.string_data()) {
    DataToken token = readDataToken(entry);
    // Writers may add empty fields.
    if (token.size != 0)
      tokens.push_back(token);
  }
  int kinds = tokens.size() + !tensor.float_data().empty() + !tensor.int32_data().empty() +
              !tensor.int64_data().empty() + !tensor.double_data().empty() + !tensor.uint64_data().empty();
  if (kinds > 1)
    return makeError("its contents are given more than once");
  if (kinds == 0) {
    if (type.getNumElements() != 0)
      return makeError("it has no contents, but its type needs " + llvm::Twine(countBytes(type)) + " bytes");
    return inMemory(type, tensor.name(), {});
  }
  DataField typed = getTypedField(type.getElementType());
  llvm::Expected<std::vector<uint8_t>> numbers = std::vector<uint8_t>();
  if (!tokens.empty()) {
    DataToken token = tokens.front();
    if (token.field == RawData || (token.field == typed && (typed == FloatData || typed == DoubleData)))
      return inFile(type, options.modelPath, token.offset, token.size);
    if (token.field != typed)
      return makeError("its contents stand in a field that does not fit its type");
    auto packed = files.bytes(options.modelPath, token.offset, token.size);
    if (!packed)
      return packed.takeError();
    // Every number takes a byte at least.
    numbers = storeNumbers(type, token.size, [&](uint64_t &value) { return readVarint(*packed, value); });
  } else if (!tensor.float_data().empty() && typed == FloatData) {
    numbers = storeRepeated(type, tensor.float_data());
  } else if (!tensor.double_data().empty() && typed == DoubleData) {
    numbers = storeRepeated(type, tensor.double_data());
  } else if (!tensor.int32_data().empty() && typed == Int32Data) {
    numbers = storeRepeated(type, tensor.int32_data());
  } else if (!tensor.int64_data().empty() && typed == Int64Data) {
    numbers = storeRepeated(type, tensor.int64_data());
  } else if (!tensor.uint64_data().empty() && typed == Uint64Data) {
    numbers = storeRepeated(type, tensor.uint64_data());
  } else {
    return makeError("its contents stand in a field that does not fit its type");
  }
  if (!numbers)
    return numbers.takeError();
  return inMemory(type, tensor.name(), std::move(*numbers));
}

llvm::Expected<TensorContents> TensorReader::read(const ::onnx::TensorProto &tensor) {
  auto elementType = getElementType(context, tensor.data_type());
  if (!elementType)
    return elementType.takeError();
  auto type = getCheckedType(llvm::ArrayRef(tensor.dims().data(), tensor.dims().size()), *elementType);
  if (!type)
    return type.takeError();
  if (tensor.data_location() != ::onnx::TensorProto::EXTERNAL)
    return readInline(tensor, *type);
  for (const std::string &entry : tensor.string_data())
    if (readDataToken(entry).size != 0)
      return makeError("its contents are given both inside and outside the file");
  return readExternal(tensor, *type);
}

Type mlir::tfc::onnx_import::getWideType(Type elementType) {
  auto type = dyn_cast<IntegerType>(elementType);
  return type && type.getWidth() == 4 ? IntegerType::get(type.getContext(), 8, type.getSignedness())
                                      : elementType;
}

llvm::Expected<TensorContents> TensorReader::widen(const TensorContents &nibbles, llvm::StringRef name) {
  bool isUnsigned = nibbles.type.getElementType().isUnsignedInteger();
  std::vector<uint8_t> bytes(nibbles.type.getNumElements());
  for (auto [i, byte] : llvm::enumerate(bytes)) {
    uint8_t nibble = nibbles.bytes[i / 2] >> (i % 2 * 4) & 15;
    byte = isUnsigned || nibble < 8 ? nibble : nibble | 0xf0;
  }
  return inMemory(RankedTensorType::get(nibbles.type.getShape(), getWideType(nibbles.type.getElementType())),
                  name, std::move(bytes));
}
