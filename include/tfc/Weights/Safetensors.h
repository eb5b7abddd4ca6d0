//===- Safetensors.h - What a safetensors file holds ----------------------------------------*- C++ -*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// A safetensors file is an 8-byte little-endian length, that many bytes of JSON, and the data:
//
//   {"__metadata__": {...},
//    "wte.weight": {"dtype": "F32", "shape": [50257, 768], "data_offsets": [0, 154389504]}, ...}
//
// Only the header is read here. Where a tensor's bytes are is an answer of numbers; whoever needs the bytes
// maps them. The rules checked are the format's own (github.com/huggingface/safetensors, "Format"): tensors
// lie in the data one behind the other, without holes and without overlap, and each is as long as its dtype
// and shape say.
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_WEIGHTS_SAFETENSORS_H
#define TFC_WEIGHTS_SAFETENSORS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Error.h"

#include <string>
#include <vector>

namespace tfc {

/// One tensor of the file.
struct SafetensorsTensor {
  std::string name;
  std::string dtype; ///< as the file spells it: F32, F16, BF16, I64, ...
  llvm::SmallVector<int64_t, 4> shape;
  uint64_t offset; ///< of the first byte, from the start of the file
  uint64_t bytes;
};

/// The checked header of a safetensors file.
class SafetensorsFile {
public:
  /// Longest header that is read. One tensor takes about 150 bytes of it.
  static constexpr uint64_t maxHeaderBytes = uint64_t(16) << 20;

  /// Reads the header of the file at `path`. Every error is one line that starts with the path.
  static llvm::Expected<SafetensorsFile> open(llvm::StringRef path);

  /// Checks header text that stands in front of `dataBytes` bytes of data.
  static llvm::Expected<SafetensorsFile> parse(llvm::StringRef path, llvm::StringRef header,
                                               uint64_t dataBytes);

  llvm::StringRef getPath() const { return path; }

  /// All tensors in the order of their place in the file.
  llvm::ArrayRef<SafetensorsTensor> getTensors() const { return tensors; }

  /// The tensor of that name, or null.
  const SafetensorsTensor *find(llvm::StringRef name) const;

private:
  std::string path;
  std::vector<SafetensorsTensor> tensors;
  llvm::StringMap<size_t> numbers;
};

} // namespace tfc

#endif // TFC_WEIGHTS_SAFETENSORS_H
