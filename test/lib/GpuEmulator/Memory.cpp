//===- Memory.cpp - What kernels may touch -------------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "Block.h"

#include <map>

using namespace tfc::emu;

static std::map<uint64_t, uint64_t> &ranges() {
  static std::map<uint64_t, uint64_t> registered; // end by begin
  return registered;
}

void tfc_emu_register(const void *base, size_t bytes) {
  ranges()[reinterpret_cast<uint64_t>(base)] = reinterpret_cast<uint64_t>(base) + bytes;
}
void tfc_emu_unregister(const void *base) { ranges().erase(reinterpret_cast<uint64_t>(base)); }

bool tfc::emu::isShared(const void *address) {
  auto *byte = static_cast<const unsigned char *>(address);
  return byte >= tfc_shared && byte < tfc_shared + kSharedBytes;
}

/// Whether the address is on the stack of the running thread: its own memory.
static bool isLocal(const void *address) {
  auto *here = static_cast<const char *>(__builtin_frame_address(0));
  auto *byte = static_cast<const char *>(address);
  return byte >= here && byte < here + 256 * 1024;
}

void tfc::emu::checkRange(const void *address, uint64_t bytes, uint64_t alignment, const char *what) {
  uint64_t begin = reinterpret_cast<uint64_t>(address);
  if (begin % alignment)
    fail("%s of %llu bytes at an address that is not aligned to them", what, (unsigned long long)bytes);
  if (isShared(address)) {
    uint64_t offset = begin - reinterpret_cast<uint64_t>(tfc_shared);
    if (offset + bytes > block.launch.sharedBytes)
      fail("%s of %llu bytes at %llu of %llu bytes of shared memory", what, (unsigned long long)bytes,
           (unsigned long long)offset, (unsigned long long)block.launch.sharedBytes);
    return;
  }
  if (const Cluster::Parked *parked = cluster.findShared(address)) {
    if (parked->done)
      fail("%s in the shared memory of a block that has ended", what);
    if (begin + bytes > reinterpret_cast<uint64_t>(parked->shared.data()) + parked->shared.size())
      fail("%s of %llu bytes behind another block's shared memory", what, (unsigned long long)bytes);
    return;
  }
  auto next = ranges().upper_bound(begin);
  if (next != ranges().begin()) {
    auto range = std::prev(next);
    if (begin + bytes <= range->second)
      return;
    if (begin < range->second + 4096)
      fail("%s of %llu bytes, %lld bytes behind the end of a buffer of %llu bytes", what, (unsigned long long)bytes,
           (long long)(begin - range->second), (unsigned long long)(range->second - range->first));
  }
  if (!isLocal(address))
    fail("%s of %llu bytes outside of all memory", what, (unsigned long long)bytes);
}

extern "C" void tfc_emu_check(const void *address, uint64_t bytes, uint32_t isStore) {
  // Vectors of three take the room of four.
  uint64_t alignment = 1;
  while (alignment < bytes)
    alignment *= 2;
  checkRange(address, bytes, alignment > 16 ? 16 : alignment, isStore ? "a store" : "a load");
  if (isStore && block.launch.overlaps && !block.fiber().waited && !isShared(address) && !cluster.findShared(address) &&
      !isLocal(address))
    fail("a store before the launch before has been waited for");
}
