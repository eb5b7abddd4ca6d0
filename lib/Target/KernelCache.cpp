//===- KernelCache.cpp - Machine code of kernels, kept on disk ------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===------------------------------------------------------------------------------------------------------===//
//
// A file is: "tfc kernel 1\n", its key, three lengths (u64, little endian), the tiles, the scratch, the object, and the SHA-256
// of all of that. The key stands in it so that a file that was renamed is not taken for another kernel.
//
//===------------------------------------------------------------------------------------------------------===//

#include "tfc/Target/KernelCache.h"
#include "tfc/Target/OutputFile.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/EndianStream.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SHA256.h"

#include <cstring>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace llvm;
using namespace tfc;

static constexpr StringLiteral kMagic = "tfc kernel 1\n";
static constexpr StringLiteral kEnding = ".tfc-kernel";
static constexpr size_t kHashBytes = 32;
/// Drafts of writers that died; one that is younger may be alive.
static constexpr std::chrono::hours kDraftAge(1);

//===----------------------------------------------------------------------------------------------===//
// Keys
//===----------------------------------------------------------------------------------------------===//

/// Adds the build id, which the linker computes from all that it has linked.
static bool addBuildId(SHA256 &hash, const dl_phdr_info &info) {
  for (int i = 0; i < info.dlpi_phnum; ++i) {
    const ElfW(Phdr) &segment = info.dlpi_phdr[i];
    if (segment.p_type != PT_NOTE)
      continue;
    const char *at = reinterpret_cast<const char *>(info.dlpi_addr + segment.p_vaddr), *end = at + segment.p_memsz;
    while (at + sizeof(ElfW(Nhdr)) <= end) {
      ElfW(Nhdr) note;
      std::memcpy(&note, at, sizeof(note));
      const char *name = at + sizeof(note), *description = name + alignTo(note.n_namesz, 4);
      at = description + alignTo(note.n_descsz, 4);
      if (at > end)
        break;
      if (note.n_type == NT_GNU_BUILD_ID && StringRef(name, note.n_namesz) == StringRef("GNU\0", 4)) {
        hash.update(StringRef(description, note.n_descsz));
        return true;
      }
    }
  }
  return false;
}

/// Whatever can change the code of a kernel: this program and the shared libraries behind it. One without a build id is known by
/// size and time of its file.
static int addObject(dl_phdr_info *info, size_t, void *data) {
  auto &hash = *static_cast<SHA256 *>(data);
  StringRef path(info->dlpi_name ? info->dlpi_name : "");
  if (path.starts_with("linux-vdso"))
    return 0;
  struct stat status;
  if (!addBuildId(hash, *info) && ::stat(path.empty() ? "/proc/self/exe" : info->dlpi_name, &status) == 0) {
    const int64_t facts[] = {status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec};
    hash.update(StringRef(reinterpret_cast<const char *>(facts), sizeof(facts)));
  }
  return 0;
}

KernelCache::Key KernelCache::makeKey(StringRef text) {
  static const std::array<uint8_t, 32> compiler = [] {
    SHA256 hash;
    dl_iterate_phdr(addObject, &hash);
    return hash.final();
  }();
  SHA256 hash;
  hash.update(ArrayRef(compiler));
  hash.update(text);
  return hash.final();
}

std::string KernelCache::pathOf(const Key &key) const {
  SmallString<256> path(folder);
  sys::path::append(path, toHex(key, /*LowerCase=*/true) + kEnding);
  return std::string(path);
}

//===----------------------------------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------------------------------===//

static SmallString<0> encode(const KernelCache::Key &key, const CachedKernel &kernel) {
  SmallString<0> bytes(kMagic);
  raw_svector_ostream stream(bytes);
  stream << toStringRef(key);
  support::endian::Writer writer(stream, endianness::little);
  for (StringRef part : {StringRef(kernel.tiles), StringRef(kernel.scratch), StringRef(kernel.object)})
    writer.write<uint64_t>(part.size());
  stream << kernel.tiles << kernel.scratch << kernel.object;
  SHA256 hash;
  hash.update(bytes.str());
  stream << toStringRef(hash.final());
  return bytes;
}

/// Nothing where a single bit is not as it was written.
static std::optional<CachedKernel> decode(const KernelCache::Key &key, StringRef bytes) {
  if (bytes.size() < kMagic.size() + kHashBytes)
    return std::nullopt;
  StringRef content = bytes.drop_back(kHashBytes);
  SHA256 hash;
  hash.update(content);
  if (toStringRef(hash.final()) != bytes.take_back(kHashBytes) || !content.consume_front(kMagic) ||
      !content.consume_front(toStringRef(key)) || content.size() < 3 * sizeof(uint64_t))
    return std::nullopt;
  std::array<StringRef, 3> parts;
  StringRef rest = content.drop_front(3 * sizeof(uint64_t));
  for (size_t i = 0; i < parts.size(); ++i) {
    uint64_t length = support::endian::read64le(content.data() + i * sizeof(uint64_t));
    if (length > rest.size())
      return std::nullopt;
    parts[i] = rest.take_front(length);
    rest = rest.drop_front(length);
  }
  if (!rest.empty())
    return std::nullopt;
  return CachedKernel{parts[0].str(), parts[1].str(), SmallString<0>(parts[2])};
}

KernelCache::KernelCache(StringRef folder, uint64_t limitBytes, std::function<void(StringRef)> warn)
    : folder(folder.str()), limitBytes(limitBytes), warn(std::move(warn)) {
  if (std::error_code code = sys::fs::create_directories(folder))
    complain(createStringError(code, "cannot make the folder '%s': %s", this->folder.c_str(), code.message().c_str()));
}

void KernelCache::complain(Error error) {
  std::string sentence = toString(std::move(error));
  if (!std::exchange(complained, true))
    warn("the cache of kernels does not work: " + sentence);
}

std::optional<CachedKernel> KernelCache::find(const Key &key) {
  std::string path = pathOf(key);
  // Whatever stands there instead of a file must not make the compiler wait.
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0)
    return std::nullopt;
  std::optional<CachedKernel> kernel;
  struct stat status;
  if (::fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && uint64_t(status.st_size) <= limitBytes) {
    auto buffer = MemoryBuffer::getOpenFile(fd, path, status.st_size, /*RequiresNullTerminator=*/false, /*IsVolatile=*/true);
    kernel = buffer ? decode(key, (*buffer)->getBuffer()) : std::nullopt;
  }
  // The time of last use, for `prune`. In a folder of somebody else it stays what it was.
  if (kernel)
    (void)::futimens(fd, nullptr);
  ::close(fd);
  return kernel;
}

void KernelCache::store(const Key &key, const CachedKernel &kernel) {
  SmallString<0> bytes = encode(key, kernel);
  if (complained || bytes.size() > limitBytes)
    return;
  // A pipe or a device would be written to, and waited for.
  std::string path = pathOf(key);
  sys::fs::file_status status;
  sys::fs::status(path, status, /*follow=*/false);
  if (sys::fs::exists(status) && status.type() != sys::fs::file_type::regular_file)
    return complain(createStringError("'%s' is not a file", path.c_str()));
  Expected<OutputFile> file = OutputFile::create(path);
  if (!file)
    return complain(file.takeError());
  if (Error error = file->write(bytes))
    return complain(std::move(error));
  if (Error error = file->commit())
    complain(std::move(error));
}

void KernelCache::prune() {
  struct Entry {
    sys::TimePoint<> used;
    uint64_t bytes;
    std::string path;
  };
  std::vector<Entry> entries;
  uint64_t total = 0;
  std::error_code code;
  for (sys::fs::directory_iterator at(folder, code, /*follow_symlinks=*/false), end; at != end && !code; at.increment(code)) {
    StringRef name = sys::path::filename(at->path());
    ErrorOr<sys::fs::basic_file_status> status = at->status();
    // What is not ours is left alone.
    if (!status || status->type() != sys::fs::file_type::regular_file || !name.contains(kEnding))
      continue;
    bool isDraft = !name.ends_with(kEnding);
    if (isDraft && status->getLastModificationTime() < std::chrono::system_clock::now() - kDraftAge)
      sys::fs::remove(at->path());
    if (isDraft)
      continue;
    entries.push_back({status->getLastModificationTime(), status->getSize(), at->path()});
    total += status->getSize();
  }
  sort(entries, [](const Entry &a, const Entry &b) { return std::tie(a.used, a.path) < std::tie(b.used, b.path); });
  for (const Entry &entry : entries) {
    if (total <= limitBytes)
      return;
    if (!sys::fs::remove(entry.path))
      total -= entry.bytes;
  }
}
