//===- OpenBeneath.h - Open a file that must lie inside a folder ---------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// A model may name files beside it that hold its weights. The names come from the model, so they are not to
// be trusted: "../../.ssh/id_rsa", a link that somebody packed beside the model, a FIFO that never answers.
// Joining strings and checking prefixes has failed again and again (CVE-2022-25882, 2024-27318, 2026-27489,
// 2026-34446), so here the kernel resolves the path and refuses to leave the folder.
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_WEIGHTS_OPENBENEATH_H
#define TFC_WEIGHTS_OPENBENEATH_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>

namespace tfc {

/// A regular file that is open for reading, and its size as the file descriptor tells it. Closes it at the
/// end.
class OpenedFile {
public:
  OpenedFile(int descriptor, uint64_t size) : descriptor(descriptor), size(size) {}
  OpenedFile(OpenedFile &&other) : descriptor(other.descriptor), size(other.size) { other.descriptor = -1; }
  OpenedFile(const OpenedFile &) = delete;
  OpenedFile &operator=(const OpenedFile &) = delete;
  OpenedFile &operator=(OpenedFile &&) = delete;
  ~OpenedFile();

  int getDescriptor() const { return descriptor; }
  /// The descriptor, which the caller closes from now on.
  int release();
  uint64_t getSize() const { return size; }

private:
  int descriptor;
  uint64_t size;
};

/// Opens a path that the user has chosen: anything that leads to a regular file.
llvm::Expected<OpenedFile> openFile(llvm::StringRef path);

/// Opens `relativePath`, which came from untrusted data, inside the folder `root`, which the user has chosen.
/// Refuses whatever is not a plain relative path, leaves the folder, passes through a link or ends at one (a
/// hard link counts), or is no regular file. With `allowLinksInside`, links that stay inside the folder are
/// followed.
llvm::Expected<OpenedFile> openBeneath(llvm::StringRef root, llvm::StringRef relativePath,
                                       bool allowLinksInside = false);

} // namespace tfc

#endif // TFC_WEIGHTS_OPENBENEATH_H
