//===- ZipReader.cpp - Reads the members of a zip archive -----------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#include "Zip.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <unordered_set>
#include <zlib.h>

namespace tfc {

template <typename T> static T get(const uint8_t *at) { // the format is little-endian, as are our machines
  T value;
  std::memcpy(&value, at, sizeof(T));
  return value;
}

ZipReader::~ZipReader() {
  if (file >= 0)
    ::close(file);
}

bool ZipReader::readAt(uint64_t offset, void *to, uint64_t count) {
  if (offset > size || count > size - offset)
    return false;
  auto *at = static_cast<uint8_t *>(to);
  while (count) {
    ssize_t got = ::pread(file, at, std::min<uint64_t>(count, 1u << 30), off_t(offset));
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
      return false;
    at += got;
    offset += uint64_t(got);
    count -= uint64_t(got);
  }
  return true;
}

Status ZipReader::open(const std::string &name) {
  path = name;
  file = ::open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0)
    return bad(std::string("cannot be opened: ") + std::strerror(errno));
  struct stat status;
  if (::fstat(file, &status) || !S_ISREG(status.st_mode))
    return bad("is not a regular file");
  size = uint64_t(status.st_size);
  if (startsWith("PK"))
    return readDirectory();
  return {};
}

bool ZipReader::startsWith(const std::string &magic) {
  std::string found(magic.size(), 0);
  return readAt(0, &found[0], found.size()) && found == magic;
}

Status ZipReader::readAll(std::vector<uint8_t> &contents) {
  contents.resize(size);
  return readAt(0, contents.data(), size) ? Status{} : bad("cannot be read");
}

/// The directory stands at the end, before a record that says where; a comment of up to 64 KB may follow.
Status ZipReader::readDirectory() {
  uint64_t tail = std::min<uint64_t>(size, 65557);
  std::vector<uint8_t> end(tail);
  if (tail < 22 || !readAt(size - tail, end.data(), tail))
    return bad("is cut short");
  int64_t at = int64_t(tail) - 22;
  while (at >= 0 &&
         !(get<uint32_t>(&end[at]) == 0x06054b50 && uint64_t(at) + 22 + get<uint16_t>(&end[at + 20]) <= tail))
    --at;
  if (at < 0)
    return bad("is not a complete zip archive: it has no directory");
  uint64_t count = get<uint16_t>(&end[at + 10]), bytes = get<uint32_t>(&end[at + 12]),
           offset = get<uint32_t>(&end[at + 16]);
  if (at >= 20 && get<uint32_t>(&end[at - 20]) == 0x07064b50) { // zip64: the record has a larger brother
    uint8_t big[56];
    if (!readAt(get<uint64_t>(&end[at - 12]), big, sizeof(big)) || get<uint32_t>(big) != 0x06064b50)
      return bad("its zip64 directory is damaged");
    count = get<uint64_t>(big + 32);
    bytes = get<uint64_t>(big + 40);
    offset = get<uint64_t>(big + 48);
  }
  if (offset > size || bytes > size - offset || count > bytes / 46)
    return bad("its directory is damaged");
  std::vector<uint8_t> directory(bytes);
  if (!readAt(offset, directory.data(), bytes))
    return bad("cannot be read");
  return readDirectoryEntries(directory, count);
}

/// Sizes that do not fit in 32 bits stand in an extra field, those that overflowed, in this order.
static bool readZip64(const uint8_t *extra, size_t bytes, ZipMember &member) {
  for (size_t at = 0; at + 4 <= bytes;) {
    size_t id = get<uint16_t>(extra + at), length = get<uint16_t>(extra + at + 2), next = at + 4;
    if (length > bytes - next)
      return false;
    if (id == 1) {
      for (uint64_t *field : {&member.bytes, &member.packedBytes, &member.headerOffset}) {
        if (*field != 0xFFFFFFFFu)
          continue;
        if (next + 8 > at + 4 + length)
          return false;
        *field = get<uint64_t>(extra + next);
        next += 8;
      }
      return true;
    }
    at = next + length;
  }
  return true;
}

Status ZipReader::readDirectoryEntries(const std::vector<uint8_t> &directory, uint64_t count) {
  std::unordered_set<std::string> names; // an archive can have millions of members: no comparing each with each
  size_t at = 0;
  for (uint64_t i = 0; i < count; ++i) {
    if (directory.size() - at < 46 || get<uint32_t>(&directory[at]) != 0x02014b50)
      return bad("its directory is damaged");
    const uint8_t *entry = &directory[at];
    size_t name = get<uint16_t>(entry + 28), extra = get<uint16_t>(entry + 30),
           comment = get<uint16_t>(entry + 32);
    if (directory.size() - at - 46 < name + extra + comment)
      return bad("its directory is damaged");
    ZipMember member;
    member.name.assign(reinterpret_cast<const char *>(entry + 46), name);
    member.method = get<uint16_t>(entry + 10);
    member.crc = get<uint32_t>(entry + 16);
    member.packedBytes = get<uint32_t>(entry + 20);
    member.bytes = get<uint32_t>(entry + 24);
    member.headerOffset = get<uint32_t>(entry + 42);
    if (get<uint16_t>(entry + 8) & 1)
      return bad("member '" + member.name + "' is encrypted");
    if (!readZip64(entry + 46 + name, extra, member))
      return bad("member '" + member.name + "' has damaged sizes");
    if (!names.insert(member.name).second)
      return bad("has two members called '" + member.name + "'");
    list.push_back(std::move(member));
    at += 46 + name + extra + comment;
  }
  return {};
}

Status ZipReader::read(const ZipMember &member, std::vector<uint8_t> &contents) {
  auto damaged = [&](const std::string &how) { return bad("member '" + member.name + "' " + how); };
  uint8_t header[30];
  if (!readAt(member.headerOffset, header, sizeof(header)) || get<uint32_t>(header) != 0x04034b50)
    return damaged("is damaged: it has no header");
  uint64_t start = member.headerOffset + 30 + get<uint16_t>(header + 26) + get<uint16_t>(header + 28);
  if (start > size || member.packedBytes > size - start)
    return damaged("is cut short");
  // Deflate packs at most 1032 to 1: a size beyond that is a lie, found before memory is made for it.
  if (member.method == 8 ? member.bytes / 1040 > member.packedBytes : member.bytes != member.packedBytes)
    return damaged("says a size that its contents cannot have");
  std::vector<uint8_t> packed(member.packedBytes);
  if (!readAt(start, packed.data(), packed.size()))
    return damaged("cannot be read");
  if (member.method == 0)
    contents = std::move(packed);
  else if (member.method != 8)
    return damaged("is packed by method " + std::to_string(member.method) +
                   "; only stored and deflated ones are read");
  else if (Status status = inflateMember(member, packed, contents))
    return status;
  uLong crc = crc32(0, nullptr, 0);
  for (size_t at = 0; at < contents.size(); at += 1u << 30)
    crc = crc32(crc, contents.data() + at, uInt(std::min<size_t>(contents.size() - at, 1u << 30)));
  return uint32_t(crc) == member.crc ? Status{} : damaged("is damaged: its checksum differs");
}

Status ZipReader::inflateMember(const ZipMember &member, const std::vector<uint8_t> &packed,
                                std::vector<uint8_t> &contents) {
  contents.resize(member.bytes);
  z_stream stream = {};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
    return defect("no memory to unpack '" + path + "'");
  size_t in = 0, out = 0;
  int state = Z_OK;
  uint8_t beyond; // room for one byte more than promised, to notice a member that is longer
  while (state == Z_OK) {
    size_t give = std::min<size_t>(packed.size() - in, 1u << 30),
           take = std::min<size_t>(contents.size() - out, 1u << 30);
    stream.next_in = const_cast<uint8_t *>(packed.data()) + in;
    stream.avail_in = uInt(give);
    stream.next_out = take ? contents.data() + out : &beyond;
    stream.avail_out = take ? uInt(take) : 1;
    state = inflate(&stream, Z_NO_FLUSH);
    in += give - stream.avail_in;
    size_t made = (take ? take : 1) - stream.avail_out;
    if (!take && made)
      state = Z_DATA_ERROR;
    out += take ? made : 0;
    if (state == Z_OK && !made && give == stream.avail_in)
      state = Z_DATA_ERROR;
  }
  inflateEnd(&stream);
  if (state != Z_STREAM_END || out != contents.size())
    return bad("member '" + member.name + "' is damaged: it does not unpack to its size");
  return {};
}

} // namespace tfc
