//===- Block.cpp - Fibers, barriers, and the order in which warps run ----------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "Block.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <optional>
#include <sys/mman.h>

#ifndef __x86_64__
#error "the emulator's fibers are written for x86-64"
#endif

using namespace tfc::emu;

extern "C" {
alignas(1 << 18) unsigned char tfc_shared[kSharedBytes];

/// Saves the registers that a call preserves, and goes on where another fiber was left.
void tfc_emu_switch(void **saved, void *next);
__asm__(".text\n"
        ".globl tfc_emu_switch\n"
        "tfc_emu_switch:\n"
        "  push %rbp\n  push %rbx\n  push %r12\n  push %r13\n  push %r14\n  push %r15\n"
        "  mov %rsp, (%rdi)\n"
        "  mov %rsi, %rsp\n"
        "  pop %r15\n  pop %r14\n  pop %r13\n  pop %r12\n  pop %rbx\n  pop %rbp\n"
        "  ret\n");
}

Block tfc::emu::block;
Cluster tfc::emu::cluster;

static void *schedulerStack;
static void (*runningKernel)(void **);
static void **runningParameters;

static constexpr size_t kStackBytes = 256 * 1024, kMostThreads = 1024, kMostBlocks = 16; // of a block; of a cluster

/// One range for all stacks; the system gives pages when they are touched.
static char *stackOf(unsigned thread) {
  static char *stacks =
      static_cast<char *>(mmap(nullptr, kStackBytes * kMostThreads * kMostBlocks, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  return stacks + kStackBytes * (block.rank * kMostThreads + thread);
}

static void toScheduler() { tfc_emu_switch(&block.fiber().stackPointer, schedulerStack); }

void tfc::emu::fail(const char *format, ...) {
  char text[400];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  char place[120];
  snprintf(place, sizeof place, "block (%u, %u, %u), thread %u: ", block.index[0], block.index[1], block.index[2],
           block.current);
  if (block.error.empty())
    block.error = std::string(place) + text;
  for (;;)
    toScheduler();
}

void tfc::emu::waitWhile(const uint32_t *word, uint32_t value, const char *place) {
  Fiber &self = block.fiber();
  self.waitsFor = word;
  self.waitValue = value;
  self.place = place;
  toScheduler();
}

void tfc::emu::meet(const char *instruction, const uint64_t *arguments, void *result, WarpWork work) {
  Meeting &warp = block.warps[block.current / kWarp];
  if (warp.arrived && strcmp(warp.instruction, instruction) != 0)
    fail("lanes of one warp meet in %s and in %s", warp.instruction, instruction);
  warp.instruction = instruction;
  warp.arguments[block.current % kWarp] = arguments;
  warp.results[block.current % kWarp] = result;
  if (++warp.arrived < kWarp)
    return waitWhile(&warp.generation, warp.generation, instruction);
  warp.arrived = 0;
  ++warp.generation;
  work(warp.arguments, warp.results);
}

static void runFiber() {
  runningKernel(runningParameters);
  block.fiber().done = true;
  for (;;)
    toScheduler();
}

static void prepareFiber(unsigned thread) {
  Fiber &fiber = block.fibers[thread];
  fiber = Fiber();
  // As if it had been left in tfc_emu_switch: six registers, and where to return to. At a function's entry the stack is 8 off 16.
  void **top = reinterpret_cast<void **>(stackOf(thread) + kStackBytes) - 2;
  *top = reinterpret_cast<void *>(&runFiber);
  fiber.stackPointer = top - 6;
}

static bool canRun(const Fiber &fiber) {
  return !fiber.done && (!fiber.waitsFor || *fiber.waitsFor != fiber.waitValue);
}

/// Runs the threads of a warp until all of them wait or are done. True if one ran.
static bool runWarp(unsigned warp) {
  bool any = false;
  for (bool ran = true; ran && block.error.empty(); any |= ran) {
    ran = false;
    unsigned end = std::min(block.threads, (warp + 1) * kWarp);
    for (unsigned thread = warp * kWarp; thread < end && block.error.empty(); ++thread)
      if (canRun(block.fibers[thread])) {
        block.current = thread;
        block.fibers[thread].waitsFor = nullptr;
        tfc_emu_switch(&schedulerStack, block.fibers[thread].stackPointer);
        ran = true;
      }
  }
  return any;
}

static void reportDeadlock() {
  std::map<std::string, std::pair<unsigned, unsigned>> places; // count, first thread
  for (unsigned thread = 0; thread < block.threads; ++thread)
    if (!block.fibers[thread].done) {
      auto &entry = places.try_emplace(block.fibers[thread].place, 0u, thread).first->second;
      ++entry.first;
    }
  block.error = "deadlock in block (" + std::to_string(block.index[0]) + ", " + std::to_string(block.index[1]) + ", " +
                std::to_string(block.index[2]) + "):";
  for (auto &[place, threads] : places)
    block.error += " " + std::to_string(threads.first) + " threads from " + std::to_string(threads.second) +
                   " on wait in " + place + ";";
}

static bool isDone() {
  return std::all_of(block.fibers.begin(), block.fibers.end(), [](const Fiber &fiber) { return fiber.done; });
}

static void startBlock(uint64_t number, unsigned rank) {
  const uint32_t *grid = block.launch.grid;
  block.index[0] = number % grid[0];
  block.index[1] = number / grid[0] % grid[1];
  block.index[2] = number / grid[0] / grid[1];
  block.rank = rank;
  block.late = number % 2;
  unsigned warps = (block.threads + kWarp - 1) / kWarp;
  block.fibers.resize(block.threads);
  block.warps.assign(warps, Meeting());
  block.warpgroups.assign((warps + 3) / 4, Barrier());
  block.products.assign(block.threads, WgmmaThread());
  std::fill(std::begin(block.barriers), std::end(block.barriers), Barrier());
  block.mbarriers.clear();
  block.lateCopies.clear();
  memset(tfc_shared, 0xFF, sizeof tfc_shared);
  for (unsigned thread = 0; thread < block.threads; ++thread)
    prepareFiber(thread);
}

/// Lets the block run until all of its threads wait for another block or are done. True if one ran.
static bool runBlock() {
  unsigned warps = block.warps.size();
  for (bool any = false;; any = true) {
    bool ran = false;
    for (unsigned i = 0; i < warps && block.error.empty(); ++i)
      ran |= runWarp(block.late ? warps - 1 - i : i);
    if (ran && block.error.empty())
      continue;
    if (block.lateCopies.empty() || !block.error.empty())
      return any;
    std::vector<AsyncCopy> copies;
    copies.swap(block.lateCopies);
    for (AsyncCopy &copy : copies)
      copy();
  }
}

/// A launch that ends before the one before would let the next one begin too early.
static void checkWaits() {
  for (unsigned thread = 0; thread < block.threads && block.launch.overlaps && block.error.empty(); ++thread)
    if (!block.fibers[thread].waited)
      block.error = "thread " + std::to_string(thread) + " of an overlapping launch never waits for the launch before";
}

const Cluster::Parked *Cluster::findShared(const void *address) const {
  const auto *byte = static_cast<const unsigned char *>(address);
  for (const Parked &parked : blocks)
    if (byte >= parked.shared.data() && byte < parked.shared.data() + parked.shared.size())
      return &parked;
  return nullptr;
}

/// Parks the running block, or brings it back; what waits in it goes on at the same address.
static void park(unsigned rank) {
  if (cluster.blocks.empty())
    return;
  Cluster::Parked &place = cluster.blocks[rank];
  place.done = isDone();
  memcpy(place.shared.data(), tfc_shared, place.shared.size());
  std::swap(block, place.block);
}
static void bringBack(unsigned rank) {
  if (cluster.blocks.empty())
    return;
  Cluster::Parked &place = cluster.blocks[rank];
  memcpy(tfc_shared, place.shared.data(), place.shared.size());
  std::swap(block, place.block);
}

/// Runs `size` blocks from number `first` on.
static void runCluster(uint64_t first, unsigned size) {
  cluster.blocks.clear();
  cluster.barrier = Barrier();
  if (size > 1) {
    Cluster::Parked parked;
    parked.block.launch = block.launch;
    parked.block.threads = block.threads;
    parked.shared.resize(block.launch.sharedBytes);
    cluster.blocks.assign(size, parked);
    for (unsigned rank = 0; rank < size; ++rank) {
      bringBack(rank);
      startBlock(first + rank, rank);
      park(rank);
    }
  } else {
    startBlock(first, 0);
  }
  for (;;) {
    bool ran = false;
    std::optional<unsigned> waiting;
    for (unsigned rank = 0; rank < size; ++rank) {
      bringBack(rank);
      ran |= runBlock();
      if (isDone())
        checkWaits();
      else
        waiting = rank;
      if (!block.error.empty())
        return; // What is wrong stands in the running block.
      park(rank);
    }
    if (!waiting)
      return;
    if (!ran) {
      bringBack(*waiting);
      return reportDeadlock();
    }
  }
}

int tfc_emu_launch(void (*kernel)(void **), const TfcEmuLaunch *launch, void **parameters, char *message,
                   size_t messageBytes) {
  block.error.clear();
  block.launch = *launch;
  block.threads = launch->block[0] * launch->block[1] * launch->block[2];
  runningKernel = kernel;
  runningParameters = parameters;
  uint64_t blocks = uint64_t(launch->grid[0]) * launch->grid[1] * launch->grid[2];
  if (!blocks || !block.threads || block.threads > 1024 || launch->sharedBytes > 227 * 1024)
    block.error = "a launch of " + std::to_string(blocks) + " blocks of " + std::to_string(block.threads) +
                  " threads with " + std::to_string(launch->sharedBytes) + " bytes of shared memory is not possible";
  unsigned size = std::max(1u, launch->cluster);
  if (size > kMostBlocks || launch->grid[0] % size)
    block.error = "a grid of " + std::to_string(launch->grid[0]) + " blocks in clusters of " + std::to_string(size) + " is not possible";
  for (uint64_t i = 0; i < blocks && block.error.empty(); i += size)
    runCluster(i, size);
  if (messageBytes)
    snprintf(message, messageBytes, "%s", block.error.c_str());
  return !block.error.empty();
}
