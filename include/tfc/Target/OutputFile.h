//===- OutputFile.h - Files that appear whole or not at all ------------------------------------------*- C++
//-*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===------------------------------------------------------------------------------------------------------===//

#ifndef TFC_TARGET_OUTPUTFILE_H
#define TFC_TARGET_OUTPUTFILE_H

#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <string>

namespace tfc {

/// A file under construction. It is written under a temporary name beside its target and takes the target's
/// name only on `commit`; until then the target is what it was, and without it nothing stays behind, also
/// after a signal.
class OutputFile {
public:
  static llvm::Expected<OutputFile> create(llvm::StringRef path);
  OutputFile(OutputFile &&other);
  OutputFile &operator=(OutputFile &&) = delete;
  ~OutputFile();

  int descriptor() const { return fd; }
  llvm::StringRef temporaryPath() const { return temporary; }

  /// Appends the bytes.
  llvm::Error write(llvm::StringRef bytes);
  /// Opens the temporary file anew: for when another writer has put a new file under its name.
  llvm::Error reopen();
  llvm::Error commit(bool executable = false);

private:
  OutputFile() = default;
  llvm::Error failure() const;
  llvm::Error copyToDevice();

  std::string path;   ///< As the user wrote it, for messages.
  std::string target; ///< Behind symbolic links.
  std::string temporary;
  bool isDevice = false; ///< /dev/stdout and friends are written to, never replaced.
  int fd = -1;
};

/// Writes all bytes at the file's position, or at `offset`; returns 0 or an errno.
int writeFully(int fd, const char *data, size_t size);
int writeFullyAt(int fd, const char *data, size_t size, uint64_t offset);

/// A folder of our own in the system's folder for such; gone with its contents at the end of its life.
class TemporaryFolder {
public:
  static llvm::Expected<TemporaryFolder> create();
  TemporaryFolder(TemporaryFolder &&other) : folder(std::move(other.folder)) { other.folder.clear(); }
  TemporaryFolder &operator=(TemporaryFolder &&) = delete;
  ~TemporaryFolder();

  /// Writes a file there and returns its path.
  llvm::Expected<std::string> addFile(llvm::StringRef name, llvm::StringRef bytes);
  std::string path(llvm::StringRef name) const;

private:
  TemporaryFolder() = default;
  std::string folder;
};

} // namespace tfc

#endif // TFC_TARGET_OUTPUTFILE_H
