//===- TensorReader.h - Where the contents of a tensor stand -------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// A TensorProto spells its contents in one of many ways: bytes in the file, bytes in another file, numbers
// packed as varints, numbers one by one. All become one thing here: bytes that WeightFiles hands out. Bytes
// that can stay in a file stay there.
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_FRONTEND_ONNX_TENSORREADER_H
#define TFC_LIB_FRONTEND_ONNX_TENSORREADER_H

#include "mlir/IR/BuiltinTypes.h"
#include "onnx/onnx.pb.h"
#include "tfc/Weights/WeightFiles.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Error.h"

namespace mlir::tfc::onnx_import {

/// No tensor has more elements, no shape more dims: everything after the importer may count on it.
inline constexpr int64_t maxElements = int64_t(1) << 48;
inline constexpr int64_t maxRank = 64;

/// The contents of a tensor: little-endian, row-major, exactly as many as the type needs.
struct TensorContents {
  RankedTensorType type;
  std::string path;
  uint64_t offset = 0;
  llvm::ArrayRef<uint8_t> bytes;
};

/// The MLIR type of an ONNX element type, or an error that names it.
llvm::Expected<Type> getElementType(MLIRContext *context, int64_t onnxType);

/// The type in which a program takes and gives elements: 4-bit numbers come one in a byte.
Type getWideType(Type elementType);

/// The static tensor type of these dims, or an error where they are negative or too many elements.
llvm::Expected<RankedTensorType> getCheckedType(llvm::ArrayRef<int64_t> dims, Type elementType);

class TensorReader {
public:
  struct Options {
    /// The model's path as WeightFiles knows it.
    std::string modelPath;
    /// The folder of external data, and whether `path` of their contents is relative to WeightFiles' base
    /// folder.
    std::string externalRoot;
    bool externalRootIsBase = true;
    bool allowLinks = false;
  };

  TensorReader(MLIRContext *context, ::tfc::WeightFiles &files, Options options)
      : context(context), files(files), options(std::move(options)) {}

  /// The error says what is wrong, without the tensor's name.
  llvm::Expected<TensorContents> read(const ::onnx::TensorProto &tensor);

  /// Bytes that stand in no file.
  llvm::Expected<TensorContents> inMemory(RankedTensorType type, llvm::StringRef name,
                                          std::vector<uint8_t> bytes);

  /// 4-bit numbers, two in a byte of the file, as 8-bit ones.
  llvm::Expected<TensorContents> widen(const TensorContents &nibbles, llvm::StringRef name);

private:
  llvm::Expected<TensorContents> readExternal(const ::onnx::TensorProto &tensor, RankedTensorType type);
  llvm::Expected<TensorContents> readInline(const ::onnx::TensorProto &tensor, RankedTensorType type);
  llvm::Expected<TensorContents> inFile(RankedTensorType type, llvm::StringRef path, uint64_t offset,
                                        uint64_t size);
  llvm::Expected<std::string> openExternal(llvm::StringRef location);

  MLIRContext *context;
  ::tfc::WeightFiles &files;
  Options options;
  /// Location in the model -> path for WeightFiles.
  llvm::StringMap<std::string> externalPaths;
};

} // namespace mlir::tfc::onnx_import

#endif // TFC_LIB_FRONTEND_ONNX_TENSORREADER_H
