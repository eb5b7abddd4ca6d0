//===- TrimModel.h - A model's structure without its tensors' bytes -----------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// libprotobuf copies every byte it parses, and refuses more than 2 GiB. Nearly all bytes of a model are the
// contents of tensors, which tfc wants to leave in the mapped file. So the file is walked once in its wire
// format, and a second, small message is written for libprotobuf: the fields the importer knows, with the
// contents of tensors replaced by tokens that say where in the file they stand.
//
// The tokens of a tensor are the entries of its string_data in the trimmed message (the one repeated field of
// bytes). Nothing in the file can express a token, because no string_data of the file is ever taken over:
// tensors of strings are refused by their type.
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_FRONTEND_ONNX_TRIMMODEL_H
#define TFC_LIB_FRONTEND_ONNX_TRIMMODEL_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <string>

namespace mlir::tfc::onnx_import {

/// Where in the file contents of a tensor stand: the bytes of one length-delimited field of a TensorProto.
struct DataToken {
  /// The field's number in TensorProto: raw_data is 9, float_data 4, and so on.
  uint64_t field;
  uint64_t offset;
  uint64_t size;
};

struct TrimLimits {
  /// Nested messages; libprotobuf's own limit is 100.
  unsigned depth = 90;
  /// Kept fields. Each costs libprotobuf up to some hundred bytes however short it is in the file.
  uint64_t fields = 16u << 20;
  /// Bytes of the trimmed message.
  uint64_t bytes = 512u << 20;
};

/// The trimmed message of a ModelProto.
llvm::Expected<std::string> trimModel(llvm::ArrayRef<uint8_t> file, const TrimLimits &limits = {});

/// The token that an entry of a trimmed tensor's string_data holds.
DataToken readDataToken(llvm::StringRef entry);

} // namespace mlir::tfc::onnx_import

#endif // TFC_LIB_FRONTEND_ONNX_TRIMMODEL_H
