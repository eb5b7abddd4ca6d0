//===- OpenBeneath.cpp - Open a file that must lie inside a folder -------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Weights/OpenBeneath.h"
#include "llvm/ADT/SmallVector.h"
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

using namespace tfc;

/// O_NONBLOCK lets the open of a FIFO return at once; it is refused after that, by its kind.
static constexpr int readFlags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;

/// Longer than any path that Linux opens.
static constexpr size_t maxPathLength = 4095;

OpenedFile::~OpenedFile() {
  if (descriptor >= 0)
    close(descriptor);
}

int OpenedFile::release() {
  int released = descriptor;
  descriptor = -1;
  return released;
}

static llvm::Error failure(const llvm::Twine &message) {
  return llvm::createStringError(std::make_error_code(std::errc::io_error), message);
}

/// Takes the descriptor: it is closed where it turns out not to be a regular file.
static llvm::Expected<OpenedFile> takeRegularFile(int descriptor, bool refuseHardLinks) {
  OpenedFile file(descriptor, 0);
  struct stat status;
  if (fstat(descriptor, &status) != 0)
    return failure(std::strerror(errno));
  if (S_ISDIR(status.st_mode))
    return failure("is a folder");
  if (!S_ISREG(status.st_mode))
    return failure("is not a regular file");
  if (refuseHardLinks && status.st_nlink > 1)
    return failure("is a hard link, which may lead out of the model's folder");
  uint64_t size = status.st_size < 0 ? 0 : static_cast<uint64_t>(status.st_size);
  return OpenedFile(file.release(), size);
}

llvm::Expected<OpenedFile> tfc::openFile(llvm::StringRef path) {
  if (path.empty())
    return failure("the path is empty");
  if (path.contains('\0') || path.size() > maxPathLength)
    return failure("the path is not one of a file");
  int descriptor = open(path.str().c_str(), readFlags);
  if (descriptor < 0)
    return failure(std::strerror(errno));
  return takeRegularFile(descriptor, /*refuseHardLinks=*/false);
}

/// Says what is wrong with a path from untrusted data, or nothing. Backslashes and drive letters mean nothing
/// to Linux, but a model that uses them was made to leave the folder on some other system.
static const char *findFault(llvm::StringRef path) {
  if (path.empty())
    return "the path is empty";
  if (path.size() > maxPathLength)
    return "the path is too long";
  if (path.contains('\0'))
    return "the path contains a NUL character";
  if (path.starts_with("/"))
    return "the path is absolute; it must be relative to the model's folder";
  if (path.contains('\\') || (path.size() > 1 && path[1] == ':') || path.contains("://"))
    return "the path is not a plain relative path";
  llvm::SmallVector<llvm::StringRef> parts;
  path.split(parts, '/');
  for (llvm::StringRef part : parts) {
    if (part == "..")
      return "the path leaves the model's folder ('..')";
    if (part.size() > 255)
      return "the path is too long";
  }
  if (parts.back().empty() || parts.back() == ".")
    return "the path names a folder";
  return nullptr;
}

/// Component by component, no links anywhere: for kernels (and sandboxes) without openat2.
static int openByComponents(int folder, llvm::StringRef path) {
  int current = fcntl(folder, F_DUPFD_CLOEXEC, 0);
  while (current >= 0) {
    auto [part, rest] = path.split('/');
    path = rest;
    if (part.empty() || part == ".")
      continue;
    int flags = rest.empty() ? readFlags : O_PATH | O_DIRECTORY | O_CLOEXEC;
    int next = openat(current, part.str().c_str(), flags | O_NOFOLLOW);
    int reason = errno;
    close(current);
    errno = reason;
    if (rest.empty() || next < 0)
      return next;
    current = next;
  }
  return -1;
}

static int openInside(int folder, llvm::StringRef path, bool allowLinksInside) {
  struct open_how how = {};
  how.flags = readFlags;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | (allowLinksInside ? 0 : RESOLVE_NO_SYMLINKS);
  long descriptor = syscall(SYS_openat2, folder, path.str().c_str(), &how, sizeof(how));
  if (descriptor >= 0 || (errno != ENOSYS && errno != EPERM))
    return static_cast<int>(descriptor);
  return openByComponents(folder, path);
}

static std::string describeOpenError(int reason) {
  if (reason == ELOOP)
    return "is or passes through a symbolic link (--external-root DIR allows links inside DIR)";
  if (reason == EXDEV)
    return "leads out of the model's folder";
  return std::strerror(reason);
}

llvm::Expected<OpenedFile> tfc::openBeneath(llvm::StringRef root, llvm::StringRef relativePath,
                                            bool allowLinksInside) {
  if (const char *fault = findFault(relativePath))
    return failure(fault);
  std::string rootPath = root.empty() ? "." : root.str();
  int folder = open(rootPath.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0)
    return failure("folder '" + llvm::Twine(rootPath) + "': " + std::strerror(errno));
  int descriptor = openInside(folder, relativePath, allowLinksInside);
  int reason = errno;
  close(folder);
  if (descriptor < 0)
    return failure(describeOpenError(reason));
  return takeRegularFile(descriptor, /*refuseHardLinks=*/!allowLinksInside);
}
