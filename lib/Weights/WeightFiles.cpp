//===- WeightFiles.cpp - Bytes of weights, by file, offset and size ------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Weights/WeightFiles.h"
#include "tfc/Weights/OpenBeneath.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include <cerrno>
#include <cstring>
#include <sys/mman.h>

using namespace tfc;

/// A mapped file, or a blob.
struct WeightFiles::Contents {
  llvm::ArrayRef<uint8_t> bytes;
  void *mapping = nullptr;
  std::vector<uint8_t> blob;

  ~Contents() {
    if (mapping)
      munmap(mapping, bytes.size());
  }
};

WeightFiles::WeightFiles() = default;
WeightFiles::~WeightFiles() = default;

static llvm::Error failure(llvm::StringRef path, const llvm::Twine &message) {
  llvm::StringRef shown = path.starts_with(llvm::StringRef("\0", 1)) ? "(a weight kept in memory)" : path;
  return llvm::createStringError(std::make_error_code(std::errc::io_error),
                                 llvm::Twine(shown) + ": " + message);
}

void WeightFiles::setBaseFolder(llvm::StringRef folder) {
  llvm::SmallString<256> absolute(folder);
  // A folder that is empty stands for the working directory; one that cannot be made absolute stays as it is.
  (void)llvm::sys::fs::make_absolute(absolute);
  std::lock_guard<std::mutex> lock(mutex);
  baseFolder = absolute.str().str();
}

std::string WeightFiles::getBaseFolder() const {
  std::lock_guard<std::mutex> lock(mutex);
  return baseFolder;
}

std::string WeightFiles::resolve(llvm::StringRef path) const {
  if (path.starts_with(llvm::StringRef("\0", 1)) || baseFolder.empty() || llvm::sys::path::is_absolute(path))
    return path.str();
  llvm::SmallString<256> full(baseFolder);
  llvm::sys::path::append(full, path);
  return full.str().str();
}

llvm::Expected<const WeightFiles::Contents *> WeightFiles::map(llvm::StringRef resolvedPath,
                                                               OpenedFile file) {
  auto mapped = std::make_unique<Contents>();
  if (file.getSize() > 0) {
    void *start = mmap(nullptr, file.getSize(), PROT_READ, MAP_PRIVATE, file.getDescriptor(), 0);
    if (start == MAP_FAILED)
      return failure(resolvedPath, llvm::Twine("cannot be mapped: ") + std::strerror(errno));
    mapped->mapping = start;
    mapped->bytes = llvm::ArrayRef<uint8_t>(static_cast<const uint8_t *>(start), file.getSize());
  }
  std::lock_guard<std::mutex> lock(mutex);
  // Two threads may have come here with one file: the first mapping stays, others may already use it.
  return contents.try_emplace(resolvedPath, std::move(mapped)).first->second.get();
}

llvm::Expected<const WeightFiles::Contents *> WeightFiles::find(llvm::StringRef path) {
  std::string full;
  {
    std::lock_guard<std::mutex> lock(mutex);
    full = resolve(path);
    auto known = contents.find(full);
    if (known != contents.end())
      return known->second.get();
  }
  if (path.starts_with(llvm::StringRef("\0", 1)))
    return failure(path, "is not known here: such weights do not outlive the compiler that imported them");
  auto file = openFile(full);
  if (!file)
    return failure(full, llvm::toString(file.takeError()));
  return map(full, std::move(*file));
}

llvm::Expected<llvm::ArrayRef<uint8_t>> WeightFiles::allBytes(llvm::StringRef path) {
  auto found = find(path);
  if (!found)
    return found.takeError();
  return (*found)->bytes;
}

llvm::Expected<llvm::ArrayRef<uint8_t>> WeightFiles::bytes(llvm::StringRef path, uint64_t offset,
                                                           uint64_t size) {
  auto all = allBytes(path);
  if (!all)
    return all.takeError();
  // Written so that no sum can wrap around.
  if (offset > all->size() || size > all->size() - offset)
    return failure(path, llvm::Twine(size) + " bytes at offset " + llvm::Twine(offset) +
                             " do not lie inside the file, which has " + llvm::Twine(all->size()));
  return all->slice(offset, size);
}

std::string WeightFiles::addBlob(std::string nameHint, std::vector<uint8_t> bytes) {
  auto blob = std::make_unique<Contents>();
  blob->blob = std::move(bytes);
  blob->bytes = blob->blob;
  std::lock_guard<std::mutex> lock(mutex);
  std::string name = std::string(1, '\0') + std::to_string(contents.size()) + ":" + nameHint;
  contents[name] = std::move(blob);
  return name;
}

llvm::Error WeightFiles::addOpenedFile(llvm::StringRef path, OpenedFile file) {
  std::string full;
  {
    std::lock_guard<std::mutex> lock(mutex);
    full = resolve(path);
  }
  auto added = map(full, std::move(file));
  return added ? llvm::Error::success() : added.takeError();
}
