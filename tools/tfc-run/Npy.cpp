//===- Npy.cpp - Arrays in numpy's files ----------------------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#include "Npy.h"

#include "Zip.h"

#include "tfc/Weights/LayoutRecipe.h"
#include "tfc/Weights/SeedStream.h"

#include <algorithm>
#include <cstring>

namespace tfc {

//===-- The header: a Python dictionary of three known keys
//------------------------------------------------===//

namespace {
/// Reads {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), } and nothing more general.
class HeaderParser {
public:
  explicit HeaderParser(const std::string &text) : text(text) {}

  bool parse() {
    if (!eat('{'))
      return false;
    while (!eat('}')) {
      std::string key;
      if (!quoted(key) || !eat(':') || !value(key))
        return false;
      if (!eat(',')) {
        if (!eat('}'))
          return false;
        break;
      }
    }
    skip();
    return at == text.size() && seen == 7;
  }

  std::string descr;
  bool fortran = false;
  std::vector<int64_t> shape;

private:
  void skip() {
    while (at < text.size() && (text[at] == ' ' || text[at] == '\n'))
      ++at;
  }
  bool eat(char wanted) {
    skip();
    if (at >= text.size() || text[at] != wanted)
      return false;
    ++at;
    return true;
  }
  bool word(const char *wanted) {
    skip();
    size_t length = std::strlen(wanted);
    if (text.compare(at, length, wanted) != 0)
      return false;
    at += length;
    return true;
  }
  bool quoted(std::string &value) {
    skip();
    if (at >= text.size() || (text[at] != '\'' && text[at] != '"'))
      return false;
    size_t end = text.find(text[at], at + 1);
    if (end == std::string::npos)
      return false;
    value = text.substr(at + 1, end - at - 1);
    at = end + 1;
    return true;
  }
  bool number(int64_t &value) {
    skip();
    size_t start = at;
    for (value = 0; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at)
      if (__builtin_mul_overflow(value, int64_t(10), &value) ||
          __builtin_add_overflow(value, int64_t(text[at] - '0'), &value))
        return false;
    return at > start;
  }
  bool tuple() {
    if (!eat('('))
      return false;
    while (!eat(')')) {
      int64_t dim;
      if (!number(dim) || shape.size() >= TFC_MAX_RANK)
        return false;
      shape.push_back(dim);
      if (!eat(','))
        return eat(')');
    }
    return true;
  }
  /// Every key once.
  bool value(const std::string &key) {
    int bit = key == "descr" ? 1 : key == "fortran_order" ? 2 : key == "shape" ? 4 : 0;
    if (!bit || seen & bit)
      return false;
    seen |= bit;
    if (bit == 1)
      return quoted(descr);
    if (bit == 4)
      return tuple();
    fortran = word("True");
    return fortran || word("False");
  }

  const std::string &text;
  size_t at = 0;
  int seen = 0;
};
} // namespace

static bool typeOf(const std::string &descr, TfcDataType &type, bool &swapped) {
  if (descr.size() != 3 || !std::strchr("<>|=", descr[0]))
    return false;
  int bytes = descr[2] - '0';
  if (bytes != 1 && bytes != 2 && bytes != 4 && bytes != 8)
    return false;
  swapped = descr[0] == '>' && bytes > 1;
  type.bits = uint8_t(bytes * 8);
  type.lanes = 1;
  switch (descr[1]) {
  case 'f':
    type.code = TFC_FLOAT;
    return bytes > 1;
  case 'i':
    type.code = TFC_INT;
    return true;
  case 'u':
    type.code = TFC_UINT;
    return true;
  case 'b':
    type.code = TFC_BOOL;
    return bytes == 1;
  default:
    return false;
  }
}

static void swapBytes(std::vector<uint8_t> &bytes, size_t element) {
  for (size_t at = 0; at + element <= bytes.size(); at += element)
    std::reverse(bytes.begin() + long(at), bytes.begin() + long(at + element));
}

/// Column-major to row-major: the view whose first dim runs fastest.
static void makeRowMajor(Array &array) {
  std::vector<int64_t> strides(array.dims.size());
  int64_t stride = 1;
  for (size_t d = 0; d < strides.size(); ++d) {
    strides[d] = stride;
    stride *= array.dims[d];
  }
  std::vector<uint8_t> rows(array.bytes.size());
  tfc_layout_copy(rows.data(), array.bytes.data(), array.dims.data(), int32_t(array.dims.size()), 0,
                  strides.data(), array.type.bits / 8);
  array.bytes = std::move(rows);
}

Status parseNpy(const std::string &where, std::vector<uint8_t> contents, Array &array) {
  if (contents.size() < 10 || std::memcmp(contents.data(), "\x93NUMPY", 6) != 0)
    return badInput(where + " is not a numpy array");
  unsigned version = contents[6];
  if (version < 1 || version > 3)
    return badInput(where + " has version " + std::to_string(version) +
                    " of numpy's format; 1 to 3 are known");
  size_t start = version == 1 ? 10 : 12;
  uint64_t length = contents[8] | contents[9] << 8;
  if (version > 1)
    length = contents.size() < 12 ? UINT64_MAX
                                  : length | uint64_t(contents[10]) << 16 | uint64_t(contents[11]) << 24;
  if (contents.size() < start || length > contents.size() - start)
    return badInput(where + " is cut short");
  std::string text(reinterpret_cast<char *>(contents.data()) + start, length);
  HeaderParser header(text);
  if (!header.parse())
    return badInput(where + " has a header that cannot be read (or more than " +
                    std::to_string(TFC_MAX_RANK) + " dims, or a structured type)");
  bool swapped = false;
  if (!typeOf(header.descr, array.type, swapped))
    return badInput(where + " has elements of numpy type '" + header.descr +
                    "'; bool, integers and floats can be used");
  array.dims = header.shape;
  int64_t count = elementCount(array.dims, array.type);
  uint64_t held = contents.size() - start - length;
  if (count < 0 || uint64_t(byteCount(count, array.type)) != held)
    return badInput(where + " has shape " + dimsText(array.dims) + " of " + typeName(array.type) + ", but " +
                    std::to_string(held) + " bytes of elements");
  contents.erase(contents.begin(), contents.begin() + long(start + length));
  array.bytes = std::move(contents);
  if (swapped)
    swapBytes(array.bytes, array.type.bits / 8);
  if (header.fortran && count)
    makeRowMajor(array);
  return {};
}

std::string npyHeader(const Array &array) {
  const char *kind = array.type.code == TFC_FLOAT  ? "f"
                     : array.type.code == TFC_INT  ? "i"
                     : array.type.code == TFC_UINT ? "u"
                                                   : "b";
  int bytes = array.type.bits / 8;
  std::string shape;
  for (int64_t dim : array.dims)
    shape += std::to_string(dim) + ", ";
  if (array.dims.size() > 1)
    shape.resize(shape.size() - 2);
  std::string text = std::string("{'descr': '") + (bytes > 1 ? "<" : "|") + kind + std::to_string(bytes) +
                     "', 'fortran_order': False, 'shape': (" + shape + "), }";
  text.append(63 - (10 + text.size()) % 64, ' ');
  text += '\n';
  std::string head("\x93NUMPY\x01\x00", 8);
  head.push_back(char(text.size() & 255));
  head.push_back(char(text.size() >> 8));
  return head + text;
}

//===-- Files
//----------------------------------------------------------------------------------------------===//

Status readArrays(const std::string &path, std::vector<Array> &arrays) {
  ZipReader zip;
  if (Status status = zip.open(path))
    return status;
  std::vector<uint8_t> contents;
  if (zip.startsWith("\x93NUMPY")) {
    arrays.emplace_back();
    if (Status status = zip.readAll(contents))
      return status;
    return parseNpy("'" + path + "'", std::move(contents), arrays.back());
  }
  if (!zip.startsWith("PK"))
    return badInput("'" + path + "' is neither an npz nor an npy file");
  for (const ZipMember &member : zip.members()) {
    std::string name = member.name;
    if (name.size() > 4 && name.compare(name.size() - 4, 4, ".npy") == 0)
      name.resize(name.size() - 4);
    arrays.emplace_back();
    arrays.back().name = name;
    if (Status status = zip.read(member, contents))
      return status;
    if (Status status = parseNpy("'" + path + "': member '" + name + "'", std::move(contents), arrays.back()))
      return status;
  }
  return {};
}

Status writeArrays(const std::string &path, const std::vector<Array> &arrays) {
  ZipWriter zip;
  if (Status status = zip.open(path))
    return status;
  for (const Array &array : arrays) {
    Array converted;
    const Array *plain = &array;
    if (typeInFiles(array.type) != array.type) {
      converted = forFile(array);
      plain = &converted;
    }
    if (Status status = zip.add(array.name + ".npy", npyHeader(*plain), plain->bytes))
      return status;
  }
  return zip.finish();
}

//===-- Types that numpy does not know
//---------------------------------------------------------------------===//

TfcDataType typeInFiles(TfcDataType type) {
  switch (type.code) {
  case TFC_BFLOAT:
    return {TFC_UINT, 16, 1};
  case TFC_FLOAT8_E4M3FN:
  case TFC_FLOAT8_E4M3FNUZ:
  case TFC_FLOAT8_E5M2:
  case TFC_FLOAT8_E5M2FNUZ:
    return {TFC_UINT, 8, 1};
  case TFC_INT:
  case TFC_UINT:
    return {type.code, uint8_t(type.bits < 8 ? 8 : type.bits), 1};
  default:
    return type;
  }
}

Array forFile(const Array &array) {
  Array file;
  file.name = array.name;
  file.dims = array.dims;
  file.type = typeInFiles(array.type);
  if (array.type.bits >= 8) {
    file.bytes = array.bytes;
    return file;
  }
  int64_t count = elementCount(array.dims, array.type);
  file.bytes.resize(size_t(count));
  for (int64_t i = 0; i < count; ++i)
    file.bytes[size_t(i)] = uint8_t(elementAsInteger(array.bytes.data(), i, array.type));
  return file;
}

/// Two elements to a byte, the first in the low bits.
static Status pack(const Array &array, TfcDataType wanted, Array &packed) {
  int64_t count = elementCount(array.dims, array.type), low = wanted.code == TFC_INT ? -8 : 0,
          high = wanted.code == TFC_INT ? 7 : 15;
  packed.bytes.assign(size_t(byteCount(count, wanted)), 0);
  for (int64_t i = 0; i < count; ++i) {
    int64_t value = elementAsInteger(array.bytes.data(), i, array.type);
    if (value < low || value > high)
      return badInput("'" + array.name + "': element " + std::to_string(i) + " is " + std::to_string(value) +
                      ", which does not fit in " + typeName(wanted));
    packed.bytes[size_t(i / 2)] = uint8_t(packed.bytes[size_t(i / 2)] | (value & 15) << (i % 2 * 4));
  }
  return {};
}

Status fromFile(const Array &array, TfcDataType wanted, Array &converted) {
  converted.name = array.name;
  converted.dims = array.dims;
  converted.type = wanted;
  if (wanted.code == TFC_BFLOAT && array.type == TfcDataType{TFC_FLOAT, 32, 1}) {
    converted.bytes.resize(array.bytes.size() / 2);
    std::vector<float> floats(array.bytes.size() / 4);
    if (!floats.empty())
      std::memcpy(floats.data(), array.bytes.data(), array.bytes.size());
    tfc_elements_from_f32(converted.bytes.data(), floats.data(), int64_t(floats.size()), wanted.code,
                          wanted.bits);
    return {};
  }
  if (array.type != typeInFiles(wanted))
    return badInput("'" + array.name + "' is " + typeName(array.type) + " in the file, but must be " +
                    typeName(typeInFiles(wanted)) +
                    (typeInFiles(wanted) != wanted ? " (the bits of " + typeName(wanted) + ")" : ""));
  if (wanted.bits == 4)
    return pack(array, wanted, converted);
  converted.bytes = array.bytes;
  return {};
}

} // namespace tfc
