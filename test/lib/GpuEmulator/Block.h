//===- Block.h - The block that is running -------------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_TEST_LIB_BLOCK_H
#define TFC_TEST_LIB_BLOCK_H

#include "GpuEmulator.h"

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace tfc::emu {

constexpr unsigned kWarp = 32;
constexpr size_t kSharedBytes = size_t(1) << 18;

/// A copy that has been asked for and may still be under way.
using AsyncCopy = std::function<void()>;

struct Fiber {
  void *stackPointer = nullptr;
  bool done = false;
  bool waited = false; ///< for the launch before
  bool arrivedAtCluster = false;
  uint32_t clusterPhase = 0; ///< of the cluster's barrier, when it arrived
  /// It waits for as long as *waitsFor == waitValue.
  const uint32_t *waitsFor = nullptr;
  uint32_t waitValue = 0;
  const char *place = ""; ///< Where it waits.
  std::vector<AsyncCopy> openGroup; ///< cp.async since the last commit
  std::deque<std::vector<AsyncCopy>> groups;
};

struct Barrier {
  uint32_t arrived = 0, generation = 0;
};

/// Lanes that wait for each other in one instruction.
struct Meeting {
  const char *instruction = nullptr;
  uint32_t arrived = 0, generation = 0;
  const uint64_t *arguments[kWarp];
  void *results[kWarp];
};

struct MBarrier {
  uint32_t expected = 0, pending = 0, phase = 0;
  int64_t bytes = 0;
};

/// A group of wgmma that has been asked for and not been waited for, as one thread sees it.
struct WgmmaGroup {
  const char *text = nullptr;
  std::vector<uint64_t> arguments;
  std::vector<float> sums; ///< As the group found them; those of groups before may still be under way.
};

/// What a thread's warpgroup works on in the background.
struct WgmmaThread {
  std::deque<WgmmaGroup> pending;
  uint32_t finished = 0;                ///< How many groups before `pending` there were.
  std::deque<std::vector<float>> sums;  ///< of the last of those
  float *waiting = nullptr;             ///< The sums that go through a wait.
  uint64_t waitingCount = 0;
};

struct Block {
  uint32_t index[3] = {0, 0, 0};
  TfcEmuLaunch launch{};
  uint32_t threads = 0, current = 0, rank = 0; ///< rank: in its cluster
  /// Asynchronous copies are done as late as possible.
  bool late = false;
  std::vector<Fiber> fibers;
  std::vector<Meeting> warps;
  Barrier barriers[16];
  std::vector<Barrier> warpgroups;
  std::vector<WgmmaThread> products; ///< one per thread
  std::map<uint64_t, MBarrier> mbarriers;
  std::vector<AsyncCopy> lateCopies; ///< Of the bulk copy engine.
  std::string error;

  Fiber &fiber() { return fibers[current]; }
};

extern Block block;

/// The blocks that run together. One of them is `block`, with its memory in `tfc_shared`; the others are parked. They change places when all
/// threads of one wait.
struct Cluster {
  struct Parked {
    Block block;
    std::vector<unsigned char> shared;
    bool done = false;
  };
  std::vector<Parked> blocks; ///< Empty where there is one block. That of the running block has nothing in it.
  Barrier barrier;

  uint32_t size() const { return blocks.empty() ? 1 : blocks.size(); }
  /// The block whose parked memory the address is in, or null.
  const Parked *findShared(const void *address) const;
};

extern Cluster cluster;

/// Ends the launch with a message; does not return.
[[noreturn]] void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/// Lets others run for as long as *word has that value.
void waitWhile(const uint32_t *word, uint32_t value, const char *place);

/// Waits for all lanes of the warp; the last one does the work of all: `work(arguments, results)`, one entry per lane.
using WarpWork = void (*)(const uint64_t *const *arguments, void *const *results);
void meet(const char *instruction, const uint64_t *arguments, void *result, WarpWork work);

/// Fails unless that many bytes at the address are registered or shared memory, and aligned to `alignment`.
void checkRange(const void *address, uint64_t bytes, uint64_t alignment, const char *what);
bool isShared(const void *address);

} // namespace tfc::emu

extern "C" unsigned char tfc_shared[];

#endif // TFC_TEST_LIB_BLOCK_H
