//===- WeightFiles.h - Bytes of weights, by file, offset and size --------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// A `tfc.weight` says where its bytes stand (`#tfc.file<path, offset, bytes>`); this class hands them out.
// Each file is mapped once and never copied. Bytes that stand in no file (a tensor that a model spells as
// varints) are blobs: they have a name that starts with a NUL character, which no file's path can.
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_WEIGHTS_WEIGHTFILES_H
#define TFC_WEIGHTS_WEIGHTFILES_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace tfc {

class OpenedFile;

class WeightFiles {
public:
  WeightFiles();
  ~WeightFiles();
  WeightFiles(const WeightFiles &) = delete;
  WeightFiles &operator=(const WeightFiles &) = delete;

  /// The folder in which relative paths start; the working directory where none is set.
  void setBaseFolder(llvm::StringRef folder);
  std::string getBaseFolder() const;

  /// `size` bytes at `offset` of a file or blob. The bytes live as long as this object. Safe to call from
  /// several threads.
  llvm::Expected<llvm::ArrayRef<uint8_t>> bytes(llvm::StringRef path, uint64_t offset, uint64_t size);

  /// All bytes of a file or blob.
  llvm::Expected<llvm::ArrayRef<uint8_t>> allBytes(llvm::StringRef path);

  /// Keeps bytes that stand in no file; returns the path under which `bytes` finds them. The hint is for
  /// readers.
  std::string addBlob(std::string nameHint, std::vector<uint8_t> contents);

  /// Maps a file that the caller has opened with checks of its own (tfc/Weights/OpenBeneath.h), so that later
  /// calls of `bytes` for `path` read this very file and do not open the path again.
  llvm::Error addOpenedFile(llvm::StringRef path, OpenedFile file);

private:
  struct Contents;

  llvm::Expected<const Contents *> find(llvm::StringRef path);
  llvm::Expected<const Contents *> map(llvm::StringRef resolvedPath, OpenedFile file);
  std::string resolve(llvm::StringRef path) const;

  mutable std::mutex mutex;
  std::string baseFolder;
  llvm::StringMap<std::unique_ptr<Contents>> contents;
};

} // namespace tfc

#endif // TFC_WEIGHTS_WEIGHTFILES_H
