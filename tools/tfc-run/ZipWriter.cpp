//===- ZipWriter.cpp - Writes a zip archive of stored members -------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#include "Zip.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

namespace tfc {

/// Little-endian fields one behind the other.
class Fields {
public:
  Fields &u16(uint64_t value) { return append(value, 2); }
  Fields &u32(uint64_t value) { return append(value, 4); }
  Fields &u64(uint64_t value) { return append(value, 8); }
  Fields &text(const std::string &value) {
    bytes += value;
    return *this;
  }
  std::string bytes;

private:
  Fields &append(uint64_t value, int count) {
    for (int i = 0; i < count; ++i)
      bytes.push_back(char(value >> 8 * i));
    return *this;
  }
};

static const uint64_t Limit = 0xFFFFFFFFu; // from here on a number stands in the zip64 field

ZipWriter::~ZipWriter() {
  if (file)
    std::fclose(file);
  if (!temporary.empty())
    ::unlink(temporary.c_str());
}

Status ZipWriter::failed(const std::string &doing, int error) const {
  std::string sentence = "cannot " + doing + " '" + path + "': " + std::strerror(error);
  return error == ENOSPC || error == EFBIG || error == EIO || error == EDQUOT || error == ENOMEM
             ? defect(sentence)
             : badInput(sentence);
}

/// The file is made beside its place, so that putting it there is one step that cannot be half done.
Status ZipWriter::open(const std::string &name) {
  path = name;
  struct stat status;
  if (::stat(name.c_str(), &status) == 0 && !S_ISREG(status.st_mode))
    return badInput("cannot write '" + path + "': it is not a regular file");
  temporary = name + ".XXXXXX";
  int descriptor = ::mkstemp(&temporary[0]);
  if (descriptor < 0) {
    temporary.clear();
    return failed("write", errno);
  }
  mode_t mask = ::umask(0);
  ::umask(mask);
  ::fchmod(descriptor, 0666 & ~mask);
  file = ::fdopen(descriptor, "wb");
  return file ? Status{} : failed("write", errno);
}

Status ZipWriter::put(const void *bytes, uint64_t count) {
  errno = EIO;
  if (count && std::fwrite(bytes, 1, count, file) != count)
    return failed("write", errno);
  written += count;
  return {};
}

Status ZipWriter::add(const std::string &name, const std::string &head, const std::vector<uint8_t> &body) {
  ZipMember member;
  member.name = name;
  member.bytes = member.packedBytes = head.size() + body.size();
  member.headerOffset = written;
  uLong crc = crc32(0, reinterpret_cast<const Bytef *>(head.data()), uInt(head.size()));
  for (size_t at = 0; at < body.size(); at += 1u << 30)
    crc = crc32(crc, body.data() + at, uInt(std::min<size_t>(body.size() - at, 1u << 30)));
  member.crc = uint32_t(crc);
  bool big = member.bytes >= Limit;
  Fields header;
  header.u32(0x04034b50).u16(big ? 45 : 20).u16(1 << 11).u16(0).u16(0).u16(33).u32(member.crc);
  header.u32(big ? Limit : member.bytes)
      .u32(big ? Limit : member.bytes)
      .u16(name.size())
      .u16(big ? 20 : 0)
      .text(name);
  if (big)
    header.u16(1).u16(16).u64(member.bytes).u64(member.bytes);
  list.push_back(member);
  Status status = put(header.bytes.data(), header.bytes.size());
  if (!status)
    status = put(head.data(), head.size());
  return status ? status : put(body.data(), body.size());
}

Status ZipWriter::finish() {
  uint64_t start = written;
  for (const ZipMember &member : list) {
    bool big = member.bytes >= Limit, far = member.headerOffset >= Limit;
    Fields entry, extra;
    if (big)
      extra.u64(member.bytes).u64(member.bytes);
    if (far)
      extra.u64(member.headerOffset);
    size_t extraBytes = extra.bytes.empty() ? 0 : extra.bytes.size() + 4;
    entry.u32(0x02014b50)
        .u16(45)
        .u16(big || far ? 45 : 20)
        .u16(1 << 11)
        .u16(0)
        .u16(0)
        .u16(33)
        .u32(member.crc);
    entry.u32(big ? Limit : member.bytes)
        .u32(big ? Limit : member.bytes)
        .u16(member.name.size())
        .u16(extraBytes);
    entry.u16(0).u16(0).u16(0).u32(0).u32(far ? Limit : member.headerOffset).text(member.name);
    if (extraBytes)
      entry.u16(1).u16(extra.bytes.size()).text(extra.bytes);
    if (Status status = put(entry.bytes.data(), entry.bytes.size()))
      return status;
  }
  uint64_t bytes = written - start, at = written;
  Fields end;
  if (list.size() >= 0xFFFF || start >= Limit || bytes >= Limit) {
    end.u32(0x06064b50)
        .u64(44)
        .u16(45)
        .u16(45)
        .u32(0)
        .u32(0)
        .u64(list.size())
        .u64(list.size())
        .u64(bytes)
        .u64(start);
    end.u32(0x07064b50).u32(0).u64(at).u32(1);
  }
  uint64_t count = std::min<uint64_t>(list.size(), 0xFFFF);
  end.u32(0x06054b50)
      .u16(0)
      .u16(0)
      .u16(count)
      .u16(count)
      .u32(std::min(bytes, Limit))
      .u32(std::min(start, Limit))
      .u16(0);
  if (Status status = put(end.bytes.data(), end.bytes.size()))
    return status;
  errno = EIO;
  bool closed = std::fclose(file) == 0;
  file = nullptr;
  if (!closed)
    return failed("write", errno);
  if (::rename(temporary.c_str(), path.c_str()))
    return failed("write", errno);
  temporary.clear();
  return {};
}

} // namespace tfc
