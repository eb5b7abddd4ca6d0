//===- ModelFile.cpp - An ONNX file: mapped bytes and parsed structure ----------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "ModelFile.h"
#include "TrimModel.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/stubs/logging.h>

using namespace mlir::tfc::onnx_import;

static llvm::Error refuse(const llvm::Twine &message) {
  return llvm::createStringError(std::make_error_code(std::errc::invalid_argument), message);
}

/// What a file is that people often hold for a model; empty where it is none of these.
static llvm::StringRef recognizeOtherFile(llvm::ArrayRef<uint8_t> bytes) {
  llvm::StringRef text(reinterpret_cast<const char *>(bytes.data()), bytes.size());
  if (text.starts_with("version https://git-lfs"))
    return "is a pointer of Git LFS, not the model itself (git lfs pull fetches it)";
  if (text.starts_with("PK\x03\x04"))
    return "is a zip archive (or a PyTorch checkpoint), not an ONNX model";
  if (text.starts_with("GGUF"))
    return "is a GGUF file, not an ONNX model";
  if (text.starts_with("\x7f"
                       "ELF"))
    return "is an ELF file, not an ONNX model";
  if (text.starts_with("\x1f\x8b"))
    return "is compressed by gzip; unpack it first";
  if (text.size() > 9 && text[8] == '{' && llvm::support::endian::read64le(bytes.data()) <= bytes.size() - 8)
    return "is a safetensors file, not an ONNX model";
  llvm::StringRef start = text.ltrim().take_front(64);
  if (start.starts_with_insensitive("<!doctype") || start.starts_with_insensitive("<html") ||
      start.starts_with("<?xml"))
    return "is a web page, not an ONNX model; the download went wrong";
  // Tag bytes of a ModelProto are not printable, those of a text are.
  if (text.size() >= 4 &&
      llvm::all_of(text.take_front(64), [](char c) { return llvm::isPrint(c) || llvm::isSpace(c); }))
    return "is a text file, not an ONNX model";
  return "";
}

/// libprotobuf writes what it dislikes to stderr; the importer says it itself.
static bool parseSilently(const std::string &trimmed, ::onnx::ModelProto &model, const mlir::tfc::ImportLimits &limits) {
  static bool silenced = (google::protobuf::SetLogHandler(nullptr), true);
  (void)silenced;
  google::protobuf::io::ArrayInputStream stream(trimmed.data(), static_cast<int>(trimmed.size()));
  google::protobuf::io::CodedInputStream coded(&stream);
  coded.SetTotalBytesLimit(INT_MAX);
  coded.SetRecursionLimit(static_cast<int>(limits.nesting) + 10);
  return model.ParseFromCodedStream(&coded) && coded.ConsumedEntireMessage();
}

llvm::Expected<std::unique_ptr<::onnx::ModelProto>>
mlir::tfc::onnx_import::parseModel(llvm::ArrayRef<uint8_t> bytes, const ImportLimits &limits) {
  if (bytes.empty())
    return refuse("is empty");
  if (llvm::StringRef other = recognizeOtherFile(bytes); !other.empty())
    return refuse(other);
  llvm::Expected<std::string> trimmed = trimModel(bytes, {static_cast<unsigned>(limits.nesting), limits.fields, limits.bytes});
  if (!trimmed)
    return refuse("is not a complete ONNX model: " + llvm::toString(trimmed.takeError()));
  auto model = std::make_unique<::onnx::ModelProto>();
  if (!parseSilently(*trimmed, *model, limits))
    return refuse("is not an ONNX model: its structure cannot be parsed");
  if (!model->has_graph())
    return refuse("is not an ONNX model: it holds no graph");
  return model;
}
