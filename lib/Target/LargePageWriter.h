//===- LargePageWriter.h - Writes a file in whole large pages -----------------------------------------*- C++
//-*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===------------------------------------------------------------------------------------------------------===//
//
// Linux keeps a file in memory in pieces as large as the writes were that made them, where these were aligned;
// a piece of 2 MB is mapped by one entry of the page table when its place in the file and its address agree.
// Weights are read from their first byte to their last, by products of one row at the speed of the memory: in pages of
// 4 KB that is a quarter to a third slower. So what is written is collected and written by such pieces.
//
//===------------------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_TARGET_LARGEPAGEWRITER_H
#define TFC_LIB_TARGET_LARGEPAGEWRITER_H

#include <cstdint>
#include <vector>

namespace tfc {

class LargePageWriter {
public:
  explicit LargePageWriter(int fd) : fd(fd) {}

  /// Writes bytes at a place in the file. Places that grow, with small gaps, are collected; gaps become zeros. Gives 0 or an error
  /// number, which may be that of bytes put before.
  int put(const char *bytes, uint64_t count, uint64_t place);
  /// Writes what is left.
  int flush();

private:
  int fd;
  std::vector<char> pending;
  uint64_t begin = 0; ///< Where the first pending byte goes.
};

} // namespace tfc

#endif // TFC_LIB_TARGET_LARGEPAGEWRITER_H
