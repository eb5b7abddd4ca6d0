//===- TrimModel.cpp - A model's structure without its tensors' bytes ---------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "TrimModel.h"
#include "llvm/Support/Endian.h"

using namespace mlir::tfc::onnx_import;

namespace {

//===----------------------------------------------------------------------------------------------===//
// What is kept: the part of onnx.proto that the importer reads
//===----------------------------------------------------------------------------------------------===//

enum class Message : uint8_t {
  Model,
  OperatorSet,
  Function,
  Graph,
  Node,
  Attribute,
  Tensor,
  SparseTensor,
  StringEntry,
  ValueInfo,
  Type,
  TensorType,
  Shape,
  Dimension,
  /// Kept as a sign that it is there, without its contents.
  Empty,
};

enum class Kind : uint8_t {
  Varint,
  Fixed32,
  Fixed64,
  Bytes,
  /// Repeated numbers: packed into one field or one by one, as the writer liked.
  Varints,
  Fixed32s,
  /// Contents of a tensor: a token when packed.
  TensorBytes,
  Nested
};

struct Field {
  Message message;
  uint32_t number;
  Kind kind;
  Message nested = Message::Empty;
};

constexpr Field knownFields[] = {
    {Message::Model, 1, Kind::Varint},                             // ir_version
    {Message::Model, 7, Kind::Nested, Message::Graph},             // graph
    {Message::Model, 8, Kind::Nested, Message::OperatorSet},       // opset_import
    {Message::Model, 25, Kind::Nested, Message::Function},         // functions
    {Message::Function, 1, Kind::Bytes},                           // name
    {Message::Function, 4, Kind::Bytes},                           // input
    {Message::Function, 5, Kind::Bytes},                           // output
    {Message::Function, 6, Kind::Bytes},                           // attribute
    {Message::Function, 7, Kind::Nested, Message::Node},           // node
    {Message::Function, 9, Kind::Nested, Message::OperatorSet},    // opset_import
    {Message::Function, 10, Kind::Bytes},                          // domain
    {Message::Function, 11, Kind::Nested, Message::Attribute},     // attribute_proto
    {Message::Function, 13, Kind::Bytes},                          // overload
    {Message::OperatorSet, 1, Kind::Bytes},                        // domain
    {Message::OperatorSet, 2, Kind::Varint},                       // version
    {Message::Graph, 1, Kind::Nested, Message::Node},              // node
    {Message::Graph, 2, Kind::Bytes},                              // name
    {Message::Graph, 5, Kind::Nested, Message::Tensor},            // initializer
    {Message::Graph, 11, Kind::Nested, Message::ValueInfo},        // input
    {Message::Graph, 12, Kind::Nested, Message::ValueInfo},        // output
    {Message::Graph, 13, Kind::Nested, Message::ValueInfo},        // value_info
    {Message::Graph, 15, Kind::Nested, Message::SparseTensor},     // sparse_initializer
    {Message::Node, 1, Kind::Bytes},                               // input
    {Message::Node, 2, Kind::Bytes},                               // output
    {Message::Node, 3, Kind::Bytes},                               // name
    {Message::Node, 4, Kind::Bytes},                               // op_type
    {Message::Node, 5, Kind::Nested, Message::Attribute},          // attribute
    {Message::Node, 7, Kind::Bytes},                               // domain
    {Message::Node, 8, Kind::Bytes},                               // overload
    {Message::Attribute, 1, Kind::Bytes},                          // name
    {Message::Attribute, 2, Kind::Fixed32},                        // f
    {Message::Attribute, 3, Kind::Varint},                         // i
    {Message::Attribute, 4, Kind::Bytes},                          // s
    {Message::Attribute, 5, Kind::Nested, Message::Tensor},        // t
    {Message::Attribute, 6, Kind::Nested, Message::Graph},         // g
    {Message::Attribute, 7, Kind::Fixed32s},                       // floats
    {Message::Attribute, 8, Kind::Varints},                        // ints
    {Message::Attribute, 9, Kind::Bytes},                          // strings
    {Message::Attribute, 10, Kind::Nested, Message::Tensor},       // tensors
    {Message::Attribute, 11, Kind::Nested, Message::Graph},        // graphs
    {Message::Attribute, 20, Kind::Varint},                        // type
    {Message::Attribute, 21, Kind::Bytes},                         // ref_attr_name
    {Message::Attribute, 22, Kind::Nested, Message::SparseTensor}, // sparse_tensor
    {Message::Attribute, 23, Kind::Nested, Message::SparseTensor}, // sparse_tensors
    {Message::Tensor, 1, Kind::Varints},                           // dims
    {Message::Tensor, 2, Kind::Varint},                            // data_type
    {Message::Tensor, 4, Kind::TensorBytes},                       // float_data
    {Message::Tensor, 5, Kind::TensorBytes},                       // int32_data
    {Message::Tensor, 7, Kind::TensorBytes},                       // int64_data
    {Message::Tensor, 8, Kind::Bytes},                             // name
    {Message::Tensor, 9, Kind::TensorBytes},                       // raw_data
    {Message::Tensor, 10, Kind::TensorBytes},                      // double_data
    {Message::Tensor, 11, Kind::TensorBytes},                      // uint64_data
    {Message::Tensor, 13, Kind::Nested, Message::StringEntry},     // external_data
    {Message::Tensor, 14, Kind::Varint},                           // data_location
    {Message::SparseTensor, 1, Kind::Nested, Message::Tensor},     // values
    {Message::SparseTensor, 2, Kind::Nested, Message::Tensor},     // indices
    {Message::SparseTensor, 3, Kind::Varints},                     // dims
    {Message::StringEntry, 1, Kind::Bytes},                        // key
    {Message::StringEntry, 2, Kind::Bytes},                        // value
    {Message::ValueInfo, 1, Kind::Bytes},                          // name
    {Message::ValueInfo, 2, Kind::Nested, Message::Type},          // type
    {Message::Type, 1, Kind::Nested, Message::TensorType},         // tensor_type
    {Message::Type, 4, Kind::Nested, Message::Empty},              // sequence_type
    {Message::Type, 5, Kind::Nested, Message::Empty},              // map_type
    {Message::Type, 8, Kind::Nested, Message::Empty},              // sparse_tensor_type
    {Message::Type, 9, Kind::Nested, Message::Empty},              // optional_type
    {Message::TensorType, 1, Kind::Varint},                        // elem_type
    {Message::TensorType, 2, Kind::Nested, Message::Shape},        // shape
    {Message::Shape, 1, Kind::Nested, Message::Dimension},         // dim
    {Message::Dimension, 1, Kind::Varint},                         // dim_value
    {Message::Dimension, 2, Kind::Bytes},                          // dim_param
};

constexpr uint32_t stringDataField = 6, rawDataField = 9;

const Field *findField(Message message, uint32_t number) {
  for (const Field &field : knownFields)
    if (field.message == message && field.number == number)
      return &field;
  return nullptr;
}

//===----------------------------------------------------------------------------------------------===//
// Wire format
//===----------------------------------------------------------------------------------------------===//

enum Wire : uint32_t { WireVarint = 0, WireFixed64 = 1, WireLength = 2, WireFixed32 = 5 };

/// Whether a field in the file has one of the wire types that its kind may have. As libprotobuf does, a field
/// with another one counts as unknown.
bool fits(Kind kind, uint32_t number, uint32_t wire) {
  switch (kind) {
  case Kind::Varint:
    return wire == WireVarint;
  case Kind::Fixed32:
    return wire == WireFixed32;
  case Kind::Fixed64:
    return wire == WireFixed64;
  case Kind::Bytes:
  case Kind::Nested:
    return wire == WireLength;
  case Kind::Varints:
    return wire == WireVarint || wire == WireLength;
  case Kind::Fixed32s:
    return wire == WireFixed32 || wire == WireLength;
  case Kind::TensorBytes:
    return wire == WireLength || number != rawDataField;
  }
  return false;
}

/// Walks the bytes [position, end) of the file as one message after the other.
class Trimmer {
public:
  Trimmer(llvm::ArrayRef<uint8_t> file, const TrimLimits &limits) : file(file), limits(limits) {}

  llvm::Expected<std::string> run() {
    if (!walk(Message::Model, file.size(), /*depth=*/0))
      return llvm::createStringError(std::make_error_code(std::errc::invalid_argument), problem);
    return std::move(trimmed);
  }

private:
  bool fail(const llvm::Twine &message) {
    problem = message.str();
    return false;
  }

  bool readVarint(uint64_t end, uint64_t &value) {
    value = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
      if (position >= end)
        return fail("it ends in the middle of a number, at byte " + llvm::Twine(position));
      uint8_t byte = file[position++];
      // The tenth byte holds one bit.
      if (shift < 64)
        value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80)
        return true;
    }
    return fail("it has a malformed number at byte " + llvm::Twine(position));
  }

  void writeVarint(uint64_t value) {
    for (; value >= 0x80; value >>= 7)
      trimmed.push_back(static_cast<char>(value | 0x80));
    trimmed.push_back(static_cast<char>(value));
  }

  void copy(uint64_t begin, uint64_t end) {
    trimmed.append(reinterpret_cast<const char *>(file.data()) + begin, end - begin);
  }

  void writeToken(const DataToken &token) {
    writeVarint(stringDataField << 3 | WireLength);
    writeVarint(sizeof(DataToken));
    char bytes[sizeof(DataToken)];
    llvm::support::endian::write64le(bytes, token.field);
    llvm::support::endian::write64le(bytes + 8, token.offset);
    llvm::support::endian::write64le(bytes + 16, token.size);
    trimmed.append(bytes, sizeof(bytes));
  }

  /// The length of a nested message is known when it is written: five bytes are set aside, which libprotobuf
  /// reads as one number whatever its size.
  bool writeNested(const Field &field, uint64_t end, unsigned depth) {
    if (depth >= limits.depth)
      return fail("its messages are nested more than " + llvm::Twine(limits.depth) + " deep (--limit=nesting=N allows more)");
    writeVarint(field.number << 3 | WireLength);
    size_t lengthAt = trimmed.size();
    trimmed.append(5, 0);
    if (field.nested == Message::Empty)
      position = end;
    else if (!walk(field.nested, end, depth + 1))
      return false;
    uint64_t length = trimmed.size() - lengthAt - 5;
    for (int i = 0; i < 5; ++i)
      trimmed[lengthAt + i] = static_cast<char>((length >> (7 * i) & 0x7f) | (i < 4 ? 0x80 : 0));
    return true;
  }

  /// Moves over the value of a field; its bytes are [start, position).
  bool skipValue(uint32_t wire, uint64_t end, uint64_t &start) {
    start = position;
    uint64_t size = 0;
    switch (wire) {
    case WireVarint:
      return readVarint(end, size);
    case WireFixed32:
      size = 4;
      break;
    case WireFixed64:
      size = 8;
      break;
    case WireLength:
      if (!readVarint(end, size))
        return false;
      start = position;
      break;
    default:
      return fail("it has a malformed field at byte " + llvm::Twine(position));
    }
    if (size > end - position)
      return fail("a field at byte " + llvm::Twine(start) + " needs " + llvm::Twine(size) + " bytes, but " +
                  llvm::Twine(end - position) + " are left; the file is damaged or cut short");
    position += size;
    return true;
  }

  bool keep(const Field &field, uint32_t wire, uint64_t fieldStart, uint64_t valueStart, unsigned depth) {
    if (++fields > limits.fields || trimmed.size() > limits.bytes)
      return fail("its graph is too large (more than " + llvm::Twine(limits.fields) + " fields or " +
                  llvm::Twine(limits.bytes) + " bytes without tensors; --limit=file-fields=N,file-bytes=N allows more)");
    uint64_t valueEnd = position;
    if (field.kind == Kind::Nested) {
      position = valueStart;
      return writeNested(field, valueEnd, depth);
    }
    if (field.kind == Kind::TensorBytes && wire == WireLength) {
      writeToken({field.number, valueStart, valueEnd - valueStart});
      return true;
    }
    if (valueEnd - valueStart > limits.bytes)
      return fail("a name or attribute at byte " + llvm::Twine(valueStart) + " is too large");
    copy(fieldStart, valueEnd);
    return true;
  }

  bool walk(Message message, uint64_t end, unsigned depth) {
    while (position < end) {
      uint64_t fieldStart = position, valueStart = 0, tag = 0;
      if (!readVarint(end, tag))
        return false;
      uint32_t number = static_cast<uint32_t>(tag >> 3), wire = tag & 7;
      if (tag > UINT32_MAX || number == 0)
        return fail("it has a malformed field at byte " + llvm::Twine(fieldStart));
      if (!skipValue(wire, end, valueStart))
        return false;
      const Field *field = findField(message, number);
      if (field && fits(field->kind, number, wire) && !keep(*field, wire, fieldStart, valueStart, depth))
        return false;
    }
    return true;
  }

  llvm::ArrayRef<uint8_t> file;
  TrimLimits limits;
  uint64_t position = 0;
  uint64_t fields = 0;
  std::string trimmed;
  std::string problem;
};

} // namespace

llvm::Expected<std::string> mlir::tfc::onnx_import::trimModel(llvm::ArrayRef<uint8_t> file,
                                                              const TrimLimits &limits) {
  return Trimmer(file, limits).run();
}

DataToken mlir::tfc::onnx_import::readDataToken(llvm::StringRef entry) {
  if (entry.size() != sizeof(DataToken))
    return {0, 0, 0};
  const char *bytes = entry.data();
  return {llvm::support::endian::read64le(bytes), llvm::support::endian::read64le(bytes + 8),
          llvm::support::endian::read64le(bytes + 16)};
}
