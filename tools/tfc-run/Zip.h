//===- Zip.h - The part of the zip format that npz files need ---------------------------------*- C++ -*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reading: stored and deflated members, zip64, with every offset and size compared with the file before it is
// used and every checksum verified. Writing: stored members, zip64 where a size needs it, into a file that
// appears under its name only when it is complete.
//
//===-----------------------------------------------------------------------------------------------------===//

#ifndef TFC_RUN_ZIP_H
#define TFC_RUN_ZIP_H

#include "Session/Status.h"

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

namespace tfc {

struct ZipMember {
  std::string name;
  uint16_t method = 0;
  uint32_t crc = 0;
  uint64_t packedBytes = 0, bytes = 0, headerOffset = 0;
};

class ZipReader {
public:
  ZipReader() = default;
  ZipReader(const ZipReader &) = delete;
  ZipReader &operator=(const ZipReader &) = delete;
  ~ZipReader();

  Status open(const std::string &path);
  const std::vector<ZipMember> &members() const { return list; }
  Status read(const ZipMember &member, std::vector<uint8_t> &contents);
  /// The whole file, for a file that is no archive but may be something else.
  Status readAll(std::vector<uint8_t> &contents);
  bool startsWith(const std::string &magic);

private:
  Status readDirectory();
  Status readDirectoryEntries(const std::vector<uint8_t> &directory, uint64_t count);
  Status inflateMember(const ZipMember &member, const std::vector<uint8_t> &packed,
                       std::vector<uint8_t> &contents);
  Status bad(const std::string &what) const { return badInput("'" + path + "': " + what); }
  bool readAt(uint64_t offset, void *to, uint64_t count);

  std::string path;
  int file = -1;
  uint64_t size = 0;
  std::vector<ZipMember> list;
};

class ZipWriter {
public:
  ZipWriter() = default;
  ZipWriter(const ZipWriter &) = delete;
  ZipWriter &operator=(const ZipWriter &) = delete;
  ~ZipWriter(); ///< removes what was not finished

  Status open(const std::string &path);
  /// A member made of two pieces, so that large data need not be copied behind its header.
  Status add(const std::string &name, const std::string &head, const std::vector<uint8_t> &body);
  Status finish();

private:
  Status put(const void *bytes, uint64_t count);
  Status failed(const std::string &doing, int error) const;

  std::string path, temporary;
  std::FILE *file = nullptr;
  uint64_t written = 0;
  std::vector<ZipMember> list;
};

} // namespace tfc

#endif // TFC_RUN_ZIP_H
