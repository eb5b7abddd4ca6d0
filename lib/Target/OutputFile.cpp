//===- OutputFile.cpp - Files that appear whole or not at all ------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===------------------------------------------------------------------------------------------------------===//

#include "tfc/Target/OutputFile.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Signals.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace llvm;
using namespace tfc;

int tfc::writeFully(int fd, const char *data, size_t size) {
  while (size > 0) {
    ssize_t done = ::write(fd, data, size);
    if (done < 0 && errno == EINTR)
      continue;
    if (done <= 0)
      return done < 0 ? errno : EIO;
    data += done;
    size -= done;
  }
  return 0;
}

int tfc::writeFullyAt(int fd, const char *data, size_t size, uint64_t offset) {
  while (size > 0) {
    ssize_t done = ::pwrite(fd, data, size, offset);
    if (done < 0 && errno == EINTR)
      continue;
    if (done <= 0)
      return done < 0 ? errno : EIO;
    data += done;
    size -= done;
    offset += done;
  }
  return 0;
}

/// What errno says about this output; the code travels along, so that a full disk can be told from a bad
/// name.
Error OutputFile::failure() const {
  std::error_code code(errno ? errno : EIO, std::generic_category());
  return createStringError(code, "cannot write '%s': %s", path.c_str(), code.message().c_str());
}

Expected<OutputFile> OutputFile::create(StringRef path) {
  OutputFile file;
  file.path = path.str();
  if (path.empty() || path.contains('\0'))
    return createStringError(std::errc::invalid_argument,
                             "the path of an output file is empty or has a null byte");
  SmallString<256> target(path);
  // A symbolic link keeps pointing where it did: what it names is replaced.
  if (SmallString<256> real; !sys::fs::real_path(path, real))
    target = real;
  struct stat status;
  if (::stat(target.c_str(), &status) == 0) {
    errno = EISDIR;
    if (S_ISDIR(status.st_mode) || ::access(target.c_str(), W_OK) != 0)
      return file.failure();
    file.isDevice = !S_ISREG(status.st_mode);
  }
  file.target = std::string(target);
  SmallString<256> temporary;
  std::error_code code = file.isDevice
                             ? sys::fs::createTemporaryFile("tfc", "tmp", file.fd, temporary)
                             : sys::fs::createUniqueFile(target + ".%%%%%%%%.tmp", file.fd, temporary);
  if (code) {
    file.fd = -1;
    errno = code.value();
    return file.failure();
  }
  file.temporary = std::string(temporary);
  sys::RemoveFileOnSignal(file.temporary);
  return std::move(file);
}

OutputFile::OutputFile(OutputFile &&other)
    : path(std::move(other.path)), target(std::move(other.target)), temporary(std::move(other.temporary)),
      isDevice(other.isDevice), fd(other.fd) {
  other.temporary.clear();
  other.fd = -1;
}

OutputFile::~OutputFile() {
  if (fd >= 0)
    ::close(fd);
  if (temporary.empty())
    return;
  ::unlink(temporary.c_str());
  sys::DontRemoveFileOnSignal(temporary);
}

Error OutputFile::write(StringRef bytes) {
  errno = writeFully(fd, bytes.data(), bytes.size());
  return errno ? failure() : Error::success();
}

Error OutputFile::reopen() {
  ::close(fd);
  fd = ::open(temporary.c_str(), O_RDWR | O_CLOEXEC);
  return fd < 0 ? failure() : Error::success();
}

Error OutputFile::copyToDevice() {
  int device = ::open(target.c_str(), O_WRONLY | O_CLOEXEC);
  if (device < 0)
    return failure();
  char buffer[1 << 16];
  int code = 0;
  ssize_t size = 0;
  for (uint64_t offset = 0; code == 0 && (size = ::pread(fd, buffer, sizeof(buffer), offset)) > 0;
       offset += size)
    code = writeFully(device, buffer, size);
  if (size < 0 && code == 0)
    code = errno;
  ::close(device);
  errno = code;
  return code ? failure() : Error::success();
}

Error OutputFile::commit(bool executable) {
  if (isDevice)
    return copyToDevice();
  mode_t mask = ::umask(0);
  ::umask(mask);
  if (::fchmod(fd, (executable ? 0777 : 0666) & ~mask) != 0)
    return failure();
  // Some file systems report a full disk only when the file is closed.
  int failed = ::close(fd);
  fd = -1;
  if (failed || ::rename(temporary.c_str(), target.c_str()) != 0)
    return failure();
  sys::DontRemoveFileOnSignal(temporary);
  temporary.clear();
  return Error::success();
}

Expected<TemporaryFolder> TemporaryFolder::create() {
  TemporaryFolder result;
  SmallString<128> folder;
  if (std::error_code code = sys::fs::createUniqueDirectory("tfc", folder))
    return createStringError(code, "cannot make a temporary folder: %s", code.message().c_str());
  result.folder = std::string(folder);
  return std::move(result);
}

TemporaryFolder::~TemporaryFolder() {
  if (!folder.empty())
    sys::fs::remove_directories(folder);
}

std::string TemporaryFolder::path(StringRef name) const {
  SmallString<128> full(folder);
  sys::path::append(full, name);
  return std::string(full);
}

Expected<std::string> TemporaryFolder::addFile(StringRef name, StringRef bytes) {
  std::string full = path(name);
  int fd = ::open(full.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  int code = fd < 0 ? errno : writeFully(fd, bytes.data(), bytes.size());
  if (fd >= 0 && ::close(fd) != 0 && code == 0)
    code = errno;
  if (code != 0)
    return createStringError(std::error_code(code, std::generic_category()),
                             "cannot write the temporary file '%s': %s", full.c_str(), std::strerror(code));
  return full;
}
