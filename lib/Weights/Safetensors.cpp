//===- Safetensors.cpp - What a safetensors file holds ---------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Weights/Safetensors.h"

#include "tfc/Weights/CheckedJson.h"

#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>

using namespace llvm;
using tfc::SafetensorsFile;
using tfc::SafetensorsTensor;

namespace {

/// A header's objects nest three deep; a little more room gives metadata of other writers a chance.
constexpr unsigned maxHeaderDepth = 16;
constexpr size_t maxRank = 16;
constexpr uint64_t lengthBytes = 8;

/// Bits of one element; 0 for a dtype that the format does not have.
unsigned bitsOfType(StringRef dtype) {
  return StringSwitch<unsigned>(dtype)
      .Case("F4", 4)
      .Cases({"F6_E2M3", "F6_E3M2"}, 6)
      .Cases({"BOOL", "U8", "I8", "F8_E4M3", "F8_E5M2", "F8_E8M0"}, 8)
      .Cases({"U16", "I16", "F16", "BF16"}, 16)
      .Cases({"U32", "I32", "F32"}, 32)
      .Cases({"U64", "I64", "F64", "C64"}, 64)
      .Default(0);
}

/// Turns the members of one tensor's object into numbers that fit each other. Holds what its messages need.
class TensorReader {
public:
  TensorReader(StringRef name, uint64_t dataBytes) : name(name), dataBytes(dataBytes) {}

  Expected<SafetensorsTensor> read(const json::Value &value) {
    const json::Object *object = value.getAsObject();
    if (!object)
      return fail("is not an object");
    SafetensorsTensor tensor;
    tensor.name = name.str();
    std::optional<StringRef> dtype = object->getString("dtype");
    if (!dtype)
      return fail("has no dtype");
    tensor.dtype = dtype->str();
    unsigned bits = bitsOfType(*dtype);
    if (bits == 0)
      return fail("has dtype " + tfc::quoteName(*dtype) + ", which the format does not know");
    std::optional<uint64_t> elements = readShape(object->getArray("shape"), tensor);
    if (!elements)
      return fail("needs a shape of at most 16 whole numbers, none negative, whose product is below 2^57");
    if (Error error = readOffsets(object->getArray("data_offsets"), tensor))
      return std::move(error);
    if (*elements * bits / 8 != tensor.bytes || *elements * bits % 8 != 0)
      return fail("has " + Twine(tensor.bytes) + " bytes, but " + *dtype + " of its shape takes " +
                  Twine(divideCeil(*elements * bits, uint64_t(8))));
    return tensor;
  }

private:
  Error fail(const Twine &what) const {
    return createStringError("tensor " + tfc::quoteName(name) + " " + what);
  }

  /// Fills the shape and gives the number of elements. The bound keeps elements * 64 bits inside 64 bits.
  std::optional<uint64_t> readShape(const json::Array *array, SafetensorsTensor &tensor) const {
    if (!array || array->size() > maxRank)
      return std::nullopt;
    uint64_t elements = 1;
    for (const json::Value &value : *array) {
      std::optional<int64_t> dim = value.getAsInteger();
      if (!dim || *dim < 0)
        return std::nullopt;
      bool overflow = false;
      elements = SaturatingMultiply(elements, uint64_t(*dim), &overflow);
      if (overflow || elements >= uint64_t(1) << 57)
        return std::nullopt;
      tensor.shape.push_back(*dim);
    }
    return elements;
  }

  Error readOffsets(const json::Array *array, SafetensorsTensor &tensor) const {
    if (!array || array->size() != 2)
      return fail("needs two data_offsets");
    std::optional<uint64_t> begin = (*array)[0].getAsUINT64(), end = (*array)[1].getAsUINT64();
    if (!begin || !end)
      return fail("needs data_offsets that are whole numbers, none negative");
    if (*begin > *end)
      return fail("has reversed data_offsets [" + Twine(*begin) + ", " + Twine(*end) + "]");
    if (*end > dataBytes)
      return fail("ends at byte " + Twine(*end) + " of the data, but the file has only " + Twine(dataBytes));
    tensor.offset = *begin;
    tensor.bytes = *end - *begin;
    return Error::success();
  }

  StringRef name;
  uint64_t dataBytes;
};

/// Sorts the tensors by place and checks that they tile the data.
Error checkTiling(std::vector<SafetensorsTensor> &tensors, uint64_t dataBytes) {
  std::sort(tensors.begin(), tensors.end(), [](const SafetensorsTensor &a, const SafetensorsTensor &b) {
    return std::tie(a.offset, a.bytes, a.name) < std::tie(b.offset, b.bytes, b.name);
  });
  uint64_t end = 0;
  for (const SafetensorsTensor &tensor : tensors) {
    if (tensor.offset < end)
      return createStringError("tensor " + tfc::quoteName(tensor.name) +
                               " overlaps the one before it at byte " + Twine(tensor.offset) +
                               " of the data");
    if (tensor.offset > end)
      return createStringError("bytes " + Twine(end) + " to " + Twine(tensor.offset) +
                               " of the data belong to no tensor");
    end += tensor.bytes;
  }
  if (end != dataBytes)
    return createStringError("bytes " + Twine(end) + " to " + Twine(dataBytes) +
                             " of the data belong to no tensor");
  return Error::success();
}

Expected<std::vector<SafetensorsTensor>> readHeader(StringRef header, uint64_t dataBytes) {
  Expected<json::Value> root = tfc::parseCheckedJson(header, maxHeaderDepth);
  if (!root)
    return createStringError("the header is not the JSON of a safetensors file: " +
                             toString(root.takeError()));
  const json::Object *object = root->getAsObject();
  if (!object)
    return createStringError("the header is not a JSON object");
  std::vector<SafetensorsTensor> tensors;
  for (const auto &[key, value] : *object) {
    if (StringRef(key) == "__metadata__")
      continue;
    Expected<SafetensorsTensor> tensor = TensorReader(key, dataBytes).read(value);
    if (!tensor)
      return tensor.takeError();
    tensors.push_back(std::move(*tensor));
  }
  if (Error error = checkTiling(tensors, dataBytes))
    return std::move(error);
  return tensors;
}

/// Reads exactly buffer.size() bytes at `offset`.
Error readExactly(sys::fs::file_t file, MutableArrayRef<char> buffer, uint64_t offset) {
  while (!buffer.empty()) {
    Expected<size_t> count = sys::fs::readNativeFileSlice(file, buffer, offset);
    if (!count)
      return count.takeError();
    if (*count == 0)
      return createStringError("the file ended while it was read");
    buffer = buffer.drop_front(*count);
    offset += *count;
  }
  return Error::success();
}

Error withPath(StringRef path, Error error) {
  return createStringError(tfc::quoteName(path) + ": " + toString(std::move(error)));
}

/// The header's text and the number of data bytes behind it.
Expected<std::pair<std::string, uint64_t>> loadHeader(StringRef path) {
  // A pipe would keep the open call waiting, so what the path is gets asked first.
  sys::fs::file_status status;
  if (std::error_code code = sys::fs::status(path, status))
    return errorCodeToError(code);
  if (status.type() != sys::fs::file_type::regular_file)
    return createStringError("not a regular file");
  Expected<sys::fs::file_t> file = sys::fs::openNativeFileForRead(path);
  if (!file)
    return file.takeError();
  scope_exit close([&] { sys::fs::closeFile(*file); });

  uint64_t fileBytes = status.getSize();
  if (fileBytes < lengthBytes)
    return createStringError("too short for a safetensors file");
  char length[lengthBytes];
  if (Error error = readExactly(*file, length, 0))
    return std::move(error);
  uint64_t headerBytes = support::endian::read64le(length);
  if (headerBytes > fileBytes - lengthBytes)
    return createStringError("not a safetensors file: the header would take " + Twine(headerBytes) +
                             " bytes, but the file has " + Twine(fileBytes));
  if (headerBytes > SafetensorsFile::maxHeaderBytes)
    return createStringError("the header takes " + Twine(headerBytes) + " bytes, more than the " +
                             Twine(SafetensorsFile::maxHeaderBytes) + " that are read");
  std::string header(headerBytes, '\0');
  if (Error error = readExactly(*file, MutableArrayRef<char>(header.data(), header.size()), lengthBytes))
    return std::move(error);
  return std::make_pair(std::move(header), fileBytes - lengthBytes - headerBytes);
}

} // namespace

Expected<SafetensorsFile> SafetensorsFile::open(StringRef path) {
  Expected<std::pair<std::string, uint64_t>> loaded = loadHeader(path);
  if (!loaded)
    return withPath(path, loaded.takeError());
  return parse(path, loaded->first, loaded->second);
}

Expected<SafetensorsFile> SafetensorsFile::parse(StringRef path, StringRef header, uint64_t dataBytes) {
  Expected<std::vector<SafetensorsTensor>> tensors = readHeader(header, dataBytes);
  if (!tensors)
    return withPath(path, tensors.takeError());
  SafetensorsFile file;
  file.path = path.str();
  file.tensors = std::move(*tensors);
  for (auto [number, tensor] : enumerate(file.tensors)) {
    tensor.offset += lengthBytes + header.size();
    file.numbers[tensor.name] = number;
  }
  return file;
}

const SafetensorsTensor *SafetensorsFile::find(StringRef name) const {
  auto it = numbers.find(name);
  return it == numbers.end() ? nullptr : &tensors[it->second];
}
