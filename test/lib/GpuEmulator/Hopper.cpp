//===- Hopper.cpp - Barriers in memory, bulk copies, and products of a warpgroup -----------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "Block.h"

#include <algorithm>
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

// A group's products are computed when a wait asks for them, from what shared memory holds then: a buffer that has been given back
// before has other numbers. Until then its sums are tokens, NaNs that say which group's and which sum they are. A wait puts the sums in
// the place of their tokens; what went around it stays NaN.

static constexpr uint32_t kTokenNaN = 0xFFC00000, kTokenIndexBits = 9, kTokenNumbers = 8190;

static float makeToken(uint32_t group, uint32_t index) {
  uint32_t bits = kTokenNaN | (group % kTokenNumbers + 1) << kTokenIndexBits | index;
  float token;
  memcpy(&token, &bits, 4);
  return token;
}

/// The sum that a token stands for, if its group has been computed; else the number itself.
static float resolve(const WgmmaThread &thread, float number) {
  uint32_t bits;
  memcpy(&bits, &number, 4);
  uint32_t group = bits >> kTokenIndexBits & ((1u << (22 - kTokenIndexBits)) - 1), index = bits & ((1u << kTokenIndexBits) - 1);
  if ((bits & kTokenNaN) != kTokenNaN || !group)
    return number;
  for (size_t i = 0; i < thread.sums.size(); ++i)
    if ((thread.finished - thread.sums.size() + i) % kTokenNumbers + 1 == group && index < thread.sums[i].size())
      return thread.sums[i][index];
  return number;
}

/// All four warps meet, and the last thread does the work of all: `work(first thread)`. What one warp does next, such as giving a
/// buffer back, must not overtake the others' products.
template <typename Work> static void meetWarpgroup(const char *instruction, Work work) {
  unsigned group = block.current / 128;
  if (group * 128 + 128 > block.threads)
    fail("%s by fewer than four warps", instruction);
  Barrier &barrier = block.warpgroups[group];
  if (++barrier.arrived < 128)
    return waitWhile(&barrier.generation, barrier.generation, instruction);
  barrier.arrived = 0;
  work(group * 128);
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

namespace {
/// One product of a group's text.
struct Product {
  int columns = 0, firstSum = 0, b = 0;
  int a[4] = {0, 0, 0, 0}; ///< operands: a description, or four words
  bool isBFloat = false, inRegisters = false, alongN = false, adds = true;

  /// "wgmma.mma_async...m64n<columns>k16.f32.<type>.<type> {$<first sum>, ...}, <A>, $<b>, <p or q>, 1, 1, [0,] <B along n>;"
  /// where A is "$<description>" or "{$<word>, $<word>, $<word>, $<word>}", and q stands for products that are not added to anything.
  bool parse(const char *text) {
    const char *shape = strstr(text, "m64n"), *list = strchr(text, '{'), *end = strchr(text, '}');
    if (!shape || !list || !end)
      return false;
    columns = atoi(shape + 4);
    firstSum = atoi(list + 2);
    isBFloat = !strncmp(strchr(shape, 'k'), "k16.f32.bf16.bf16 ", 18);
    if (!isBFloat && strncmp(strchr(shape, 'k'), "k16.f32.f16.f16 ", 16))
      return false;
    char predicate = 0;
    int along = 0;
    inRegisters = !strncmp(end, "}, {", 4);
    bool isRead = inRegisters ? sscanf(end, "}, {$%d, $%d, $%d, $%d}, $%d, %c, 1, 1, %d;", &a[0], &a[1], &a[2], &a[3], &b, &predicate,
                                       &along) == 7
                              : sscanf(end, "}, $%d, $%d, %c, 1, 1, 0, %d;", &a[0], &b, &predicate, &along) == 4;
    adds = predicate == 'p';
    alongN = along == 1;
    return isRead;
  }
};
} // namespace

static const char *nextProduct(const char *text) { return strstr(text, "wgmma.mma_async"); }

/// Row `half` of a thread's two of A. With A in registers each of four threads has a quarter of it (PTX ISA, "Register Fragments for
/// wgmma.mma_async.m64k16").
static void readRow(const Product &product, unsigned thread, unsigned half, int operands, float (&row)[16]) {
  const WgmmaGroup &group = block.products[thread].pending.front();
  unsigned lane = thread % kWarp, warp = thread / kWarp % 4;
  for (unsigned k = 0; k < 16; ++k) {
    if (!product.inRegisters) {
      Tile left(group.arguments[product.a[0] - operands]);
      row[k] = asFloat(left.at(16 * warp + lane / 4 + 8 * half, k, true), product.isBFloat);
      continue;
    }
    unsigned owner = thread - lane % 4 + k % 8 / 2;
    uint64_t word = block.products[owner].pending.front().arguments[product.a[half + k / 8 * 2] - operands];
    row[k] = asFloat(uint16_t(word >> (k % 2 * 16)), product.isBFloat);
  }
}

/// Computes a product for one thread; `operands`: how many operands of the assembly are sums.
static void multiply(const Product &product, unsigned thread, int operands) {
  WgmmaGroup &group = block.products[thread].pending.front();
  Tile right(group.arguments[product.b - operands]);
  float rows[2][16];
  for (unsigned half = 0; half < 2; ++half)
    readRow(product, thread, half, operands, rows[half]);
  float *sums = group.sums.data() + product.firstSum;
  for (int i = 0; i < product.columns / 2; i += 4)
    for (unsigned c = 0; c < 2; ++c) {
      unsigned column = 8 * (i / 4) + 2 * (thread % 4) + c;
      double total[2] = {0, 0};
      for (unsigned k = 0; k < 16; ++k) {
        float x = asFloat(right.at(column, k, !product.alongN), product.isBFloat);
        total[0] += double(rows[0][k]) * x;
        total[1] += double(rows[1][k]) * x;
      }
      for (unsigned half = 0; half < 2; ++half) {
        float &sum = sums[i + 2 * half + c];
        sum = float((product.adds ? sum : 0.0) + total[half]);
      }
    }
}

/// The oldest group of a warpgroup.
static void finishGroup(unsigned first) {
  const char *text = block.products[first].pending.front().text;
  int operands = 0;
  for (const char *at = nextProduct(text); at; at = nextProduct(at + 1)) {
    Product product;
    product.parse(at);
    if (!operands)
      operands = product.a[0];
    for (unsigned thread = first; thread < first + 128; ++thread) {
      WgmmaThread &own = block.products[thread];
      for (float &sum : own.pending.front().sums)
        sum = resolve(own, sum);
      multiply(product, thread, operands);
    }
  }
  for (unsigned thread = first; thread < first + 128; ++thread) {
    WgmmaThread &own = block.products[thread];
    own.sums.push_back(std::move(own.pending.front().sums));
    own.pending.pop_front();
    ++own.finished;
    if (own.sums.size() > 8)
      own.sums.pop_front();
  }
}

namespace tfc::emu {

/// A group: "{ ... wgmma.fence...; products ... wgmma.commit_group...; }". The sums are operands 0 to N - 1, and those that go on stand in
/// `result`; the operands that follow are in `a`.
static bool startGroup(const char *text, float *sums, uint64_t count, const uint64_t *a) {
  int words = 0;
  for (const char *at = nextProduct(text); at; at = nextProduct(at + 1)) {
    Product product;
    if (!product.parse(at) || product.firstSum + product.columns / 2 > int(count))
      return false;
    for (int operand : {product.a[0], product.a[3], product.b})
      words = std::max(words, operand + 1 - int(count));
  }
  WgmmaThread &own = block.products[block.current];
  own.pending.push_back({text, std::vector<uint64_t>(a, a + words), std::vector<float>(sums, sums + count)});
  for (uint64_t i = 0; i < count; ++i)
    sums[i] = makeToken(own.finished + own.pending.size() - 1, i);
  meetWarpgroup("a group of wgmma", [](unsigned) {});
  return true;
}

static void waitForGroups(unsigned keep, float *sums, uint64_t count) {
  block.products[block.current].waiting = sums;
  block.products[block.current].waitingCount = count;
  meetWarpgroup("wgmma.wait_group", [=](unsigned first) {
    while (block.products[first].pending.size() > keep)
      finishGroup(first);
    for (unsigned thread = first; thread < first + 128; ++thread) {
      WgmmaThread &own = block.products[thread];
      for (uint64_t i = 0; i < own.waitingCount; ++i)
        own.waiting[i] = resolve(own, own.waiting[i]);
    }
  });
}

bool runWgmma(const char *text, void *result, uint64_t resultBytes, const uint64_t *a) {
  auto *sums = static_cast<float *>(result);
  if (strstr(text, "wgmma.fence"))
    return startGroup(text, sums, resultBytes / 4, a);
  static constexpr char kWait[] = "wgmma.wait_group.sync.aligned ";
  if (strncmp(text, kWait, sizeof kWait - 1))
    return false;
  waitForGroups(atoi(text + sizeof kWait - 1), sums, resultBytes / 4);
  return true;
}

} // namespace tfc::emu
