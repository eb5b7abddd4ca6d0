//===- LargePageWriter.cpp - Writes a file in whole large pages -------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===------------------------------------------------------------------------------------------------------===//

#include "LargePageWriter.h"
#include "tfc/Target/EmitModelABI.h"
#include "tfc/Target/OutputFile.h"

#include "llvm/Support/MathExtras.h"

using namespace tfc;

int LargePageWriter::put(const char *bytes, uint64_t count, uint64_t place) {
  // Weights begin at multiples of their alignment.
  static constexpr uint64_t kSmallGap = 4096;
  uint64_t end = begin + pending.size();
  if (!pending.empty() && place >= end && place - end < kSmallGap && place < llvm::alignDown(begin, kLargePage) + kLargePage)
    pending.resize(place - begin, 0);
  else if (int code = place == end ? 0 : flush())
    return code;
  while (count > 0) {
    if (pending.empty())
      begin = place;
    if (pending.empty() && begin % kLargePage == 0 && count >= kLargePage) {
      uint64_t whole = llvm::alignDown(count, kLargePage);
      if (int code = writeFullyAt(fd, bytes, whole, place))
        return code;
      bytes += whole, place += whole, count -= whole;
      continue;
    }
    uint64_t room = llvm::alignDown(begin, kLargePage) + kLargePage - place;
    uint64_t taken = std::min(count, room);
    pending.insert(pending.end(), bytes, bytes + taken);
    bytes += taken, place += taken, count -= taken;
    if (taken == room)
      if (int code = flush())
        return code;
  }
  return 0;
}

int LargePageWriter::flush() {
  if (pending.empty())
    return 0;
  int code = writeFullyAt(fd, pending.data(), pending.size(), begin);
  pending.clear();
  return code;
}
