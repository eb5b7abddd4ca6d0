//===- Hopper.cpp - Barriers in memory, bulk copies, and products of a warpgroup -----------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "Block.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

using namespace tfc::emu;

#define TFC_EMU(name) extern "C" void tfc_emu_##name([[maybe_unused]] void *result, [[maybe_unused]] const uint64_t *a)

//===----------------------------------------------------------------------------------------------===//
// Barriers in memory
//===----------------------------------------------------------------------------------------------===//

static MBarrier &barrierAt(uint64_t address) {
  auto found = block.mbarriers.find(address);
  if (found == block.mbarriers.end())
    fail("a barrier in memory is used before it is initialized");
  return found->second;
}

static void endPhase(MBarrier &barrier) {
  if (barrier.pending || barrier.bytes)
    return;
  ++barrier.phase;
  barrier.pending = barrier.expected;
}

static void arriveAt(uint64_t address, int64_t bytes) {
  MBarrier &barrier = barrierAt(address);
  if (!barrier.pending)
    fail("a barrier in memory gets more arrivals than it expects");
  barrier.bytes += bytes;
  --barrier.pending;
  endPhase(barrier);
}

TFC_EMU(mbarrier_init_shared) {
  checkRange(reinterpret_cast<void *>(a[0]), 8, 8, "the initialization of a barrier");
  block.mbarriers[a[0]] = MBarrier{uint32_t(a[1]), uint32_t(a[1]), 0, 0};
}

TFC_EMU(mbarrier_arrive_shared) { arriveAt(a[0], 0); }
TFC_EMU(mbarrier_arrive_expect_tx_scope_cta_space_cta) { arriveAt(a[0], int64_t(a[1])); }

TFC_EMU(mbarrier_try_wait_parity_scope_cta_space_cta) {
  MBarrier &barrier = barrierAt(a[0]);
  if ((barrier.phase & 1) == uint32_t(a[1]))
    waitWhile(&barrier.phase, barrier.phase, "a barrier in memory");
  *static_cast<uint8_t *>(result) = (barrier.phase & 1) != uint32_t(a[1]);
}

//===----------------------------------------------------------------------------------------------===//
// Bulk copies of tiles
//===----------------------------------------------------------------------------------------------===//

/// With a swizzle of 128 bytes, bits 4 to 6 of an address are xored with bits 7 to 9.
static uint64_t swizzle(uint64_t offset, uint32_t bytes) {
  uint32_t rows = bytes / 16; // 2, 4 or 8 chunks of 16 bytes change places
  return rows < 2 ? offset : offset ^ (((offset >> 7) & (rows - 1)) << 4);
}

static void copyTile(const TfcEmuTensorMap &map, unsigned char *to, const int32_t *coordinates) {
  uint64_t elements = 1;
  for (unsigned i = 0; i < map.rank; ++i)
    elements *= map.box[i];
  for (uint64_t n = 0; n < elements; ++n) {
    uint64_t rest = n;
    int64_t from = 0;
    bool inside = true;
    for (unsigned i = 0; i < map.rank; ++i) {
      int64_t at = coordinates[i] + int64_t(rest % map.box[i]);
      rest /= map.box[i];
      inside &= at >= 0 && at < int64_t(map.dims[i]);
      from += at * (i == 0 ? map.elementBytes : map.strides[i - 1]);
    }
    uint64_t offset = swizzle(uint64_t(to - tfc_shared) + n * map.elementBytes, map.swizzleBytes);
    if (inside)
      memcpy(tfc_shared + offset, static_cast<char *>(map.base) + from, map.elementBytes);
    else
      memset(tfc_shared + offset, 0, map.elementBytes);
  }
}

/// Arguments: shared memory, barrier, map, coordinates. What must hold is checked when the copy is asked for.
static void startTile(const uint64_t *a, unsigned rank) {
  auto *to = reinterpret_cast<unsigned char *>(a[0]);
  const auto map = *reinterpret_cast<const TfcEmuTensorMap *>(a[2]);
  uint64_t barrier = a[1], bytes = map.elementBytes;
  barrierAt(barrier);
  if (map.rank != rank)
    fail("a copy of a tile of %u dims by a map of %u", rank, map.rank);
  int32_t coordinates[5];
  for (unsigned i = 0; i < rank; ++i) {
    bytes *= map.box[i];
    coordinates[i] = int32_t(a[3 + i]);
    if (map.box[i] == 0 || map.box[i] > 256)
      fail("a box of %u elements", map.box[i]);
    if (i && (map.strides[i - 1] % 16 || map.strides[i - 1] <= 0))
      fail("a tensor map with a stride of %lld bytes", (long long)map.strides[i - 1]);
  }
  if (reinterpret_cast<uint64_t>(map.base) % 16)
    fail("a tensor map of memory that is not aligned to 16 bytes");
  if (map.swizzleBytes && uint64_t(map.box[0]) * map.elementBytes > map.swizzleBytes)
    fail("a box wider than its swizzle");
  if (!isShared(to) || uint64_t(to - tfc_shared) % (map.swizzleBytes ? map.swizzleBytes * 8 : 128))
    fail("a tile whose place in shared memory is not aligned to its swizzle");
  checkRange(to, bytes, 16, "a copy of a tile");
  AsyncCopy copy = [=] {
    copyTile(map, to, coordinates);
    MBarrier &done = block.mbarriers[barrier];
    done.bytes -= int64_t(bytes);
    endPhase(done);
  };
  if (block.late)
    block.lateCopies.push_back(copy);
  else
    copy();
}
TFC_EMU(cp_async_bulk_tensor_g2s_tile_1d) { startTile(a, 1); }
TFC_EMU(cp_async_bulk_tensor_g2s_tile_2d) { startTile(a, 2); }
TFC_EMU(cp_async_bulk_tensor_g2s_tile_3d) { startTile(a, 3); }
TFC_EMU(cp_async_bulk_tensor_g2s_tile_4d) { startTile(a, 4); }

//===----------------------------------------------------------------------------------------------===//
// Products of a warpgroup
//===----------------------------------------------------------------------------------------------===//

/// All four warps meet: what one of them does next, such as giving a buffer back, must not overtake the others' products.
static void meetWarpgroup(const char *instruction) {
  unsigned group = block.current / 128;
  if (group * 128 + 128 > block.threads)
    fail("%s by fewer than four warps", instruction);
  Barrier &barrier = block.warpgroups[group];
  if (++barrier.arrived < 128)
    return waitWhile(&barrier.generation, barrier.generation, instruction);
  barrier.arrived = 0;
  ++barrier.generation;
}

namespace {
/// A tile in shared memory as a matrix descriptor says it; elements of 16 bits, swizzle of 128 bytes.
struct Tile {
  explicit Tile(uint64_t descriptor)
      : start((descriptor & 0x3FFF) << 4), leading(((descriptor >> 16) & 0x3FFF) << 4),
        stride(((descriptor >> 32) & 0x3FFF) << 4) {
    if (descriptor >> 62 != 1)
      fail("a matrix descriptor without a swizzle of 128 bytes");
  }
  /// Element k of line `line` (a row of A, a column of B).
  uint16_t at(unsigned line, unsigned k, bool alongK) const {
    uint64_t offset = alongK ? start + line / 8 * stride + line % 8 * 128 + k * 2
                             : start + line / 64 * leading + line % 64 * 2 + k / 8 * stride + k % 8 * 128;
    offset = swizzle(offset, 128);
    if (offset + 2 > block.launch.sharedBytes)
      fail("wgmma reads behind the end of shared memory");
    uint16_t half;
    memcpy(&half, tfc_shared + offset, 2);
    return half;
  }
  uint64_t start, leading, stride;
};
} // namespace

static float asFloat(uint16_t half, bool isBFloat) {
  float value;
  if (isBFloat) {
    uint32_t bits = uint32_t(half) << 16;
    memcpy(&value, &bits, 4);
  } else {
    _Float16 narrow;
    memcpy(&narrow, &half, 2);
    value = float(narrow);
  }
  return value;
}

/// One product: `sums` is where those of the instruction begin, a and b describe the tiles.
static void multiply(int columns, bool isBFloat, bool alongN, float *sums, uint64_t a, uint64_t b) {
  Tile left(a), right(b);
  unsigned lane = block.current % kWarp, warp = block.current / kWarp % 4;
  float rows[2][16];
  for (unsigned half = 0; half < 2; ++half)
    for (unsigned k = 0; k < 16; ++k)
      rows[half][k] = asFloat(left.at(16 * warp + lane / 4 + 8 * half, k, true), isBFloat);
  for (int i = 0; i < columns / 2; i += 4)
    for (unsigned c = 0; c < 2; ++c) {
      unsigned column = 8 * (i / 4) + 2 * (lane % 4) + c;
      double total[2] = {0, 0};
      for (unsigned k = 0; k < 16; ++k) {
        float x = asFloat(right.at(column, k, !alongN), isBFloat);
        total[0] += double(rows[0][k]) * x;
        total[1] += double(rows[1][k]) * x;
      }
      for (unsigned half = 0; half < 2; ++half) {
        float &sum = sums[i + 2 * half + c];
        sum = float(sum + total[half]);
      }
    }
}

namespace tfc::emu {

/// A group: "{ ... wgmma.fence...; wgmma.mma_async...m64n<columns>k16.f32.<type>.<type> {$<first sum>, ...}, $<a>, $<b>, p, 1, 1, 0, <B along n>; ...".
/// The sums are operands 0 to N - 1 and stand in place; those that follow are in `a`.
static bool runGroup(const char *text, float *sums, const uint64_t *a) {
  int operands = 0; // of the assembly that are sums: the first that is none describes a tile
  const char *product = strstr(text, "wgmma.mma_async");
  for (; product; product = strstr(product + 1, "wgmma.mma_async")) {
    const char *shape = strstr(product, "m64n"), *list = strchr(product, '{'), *end = strchr(product, '}');
    int left = 0, right = 0, along = 0;
    if (!shape || !list || !end || sscanf(end, "}, $%d, $%d, p, 1, 1, 0, %d;", &left, &right, &along) != 3)
      return false;
    bool isBFloat = !strncmp(strchr(shape, 'k'), "k16.f32.bf16.bf16 ", 18);
    if (!isBFloat && strncmp(strchr(shape, 'k'), "k16.f32.f16.f16 ", 16))
      return false;
    if (!operands)
      operands = left;
    multiply(atoi(shape + 4), isBFloat, along == 1, sums + atoi(list + 2), a[left - operands], a[right - operands]);
  }
  return true;
}

bool runWgmma(const char *text, void *result, const uint64_t *a) {
  if (strstr(text, "wgmma.fence")) {
    meetWarpgroup("a group of wgmma");
    return runGroup(text, static_cast<float *>(result), a);
  }
  if (!strncmp(text, "wgmma.wait_group", 16)) {
    meetWarpgroup("wgmma.wait_group");
    return true;
  }
  return false;
}

} // namespace tfc::emu
