//===- Thread.cpp - Instructions of one thread, and barriers -------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "Block.h"

#include <cmath>
#include <cstring>

using namespace tfc::emu;

/// The body of an instruction: writes `result`, reads `a[0]`, `a[1]`, ...
#define TFC_EMU(name) extern "C" void tfc_emu_##name([[maybe_unused]] void *result, [[maybe_unused]] const uint64_t *a)

static float asFloat(uint64_t word) {
  float value;
  memcpy(&value, &word, 4);
  return value;
}
static void give(void *result, float value) { memcpy(result, &value, 4); }
static void give(void *result, uint32_t value) { memcpy(result, &value, 4); }

static uint32_t threadIndex(int axis) {
  const uint32_t *size = block.launch.block;
  uint32_t t = block.current;
  return axis == 0 ? t % size[0] : axis == 1 ? t / size[0] % size[1] : t / size[0] / size[1];
}

#define TFC_EMU_AXIS(axis, number)                                                                                   \
  TFC_EMU(read_ptx_sreg_tid_##axis) { give(result, threadIndex(number)); }                                           \
  TFC_EMU(read_ptx_sreg_ntid_##axis) { give(result, block.launch.block[number]); }                                   \
  TFC_EMU(read_ptx_sreg_ctaid_##axis) { give(result, block.index[number]); }                                         \
  TFC_EMU(read_ptx_sreg_nctaid_##axis) { give(result, block.launch.grid[number]); }
TFC_EMU_AXIS(x, 0)
TFC_EMU_AXIS(y, 1)
TFC_EMU_AXIS(z, 2)
TFC_EMU(read_ptx_sreg_cluster_ctarank) { give(result, block.rank); }
TFC_EMU(read_ptx_sreg_laneid) { give(result, block.current % kWarp); }
TFC_EMU(read_ptx_sreg_warpid) { give(result, block.current / kWarp); }

//===----------------------------------------------------------------------------------------------===//
// Approximations. They are exact here: a test must not depend on how good they are.
//===----------------------------------------------------------------------------------------------===//

static float flush(float x) { return std::fpclassify(x) == FP_SUBNORMAL ? std::copysign(0.0f, x) : x; }

TFC_EMU(ex2_approx_f32) { give(result, exp2f(asFloat(a[0]))); }
TFC_EMU(ex2_approx_ftz_f32) { give(result, flush(exp2f(flush(asFloat(a[0]))))); }
TFC_EMU(lg2_approx_f) { give(result, log2f(asFloat(a[0]))); }
TFC_EMU(rsqrt_approx_f) { give(result, float(1.0 / sqrt(double(asFloat(a[0]))))); }
TFC_EMU(rsqrt_approx_ftz_f) { give(result, flush(float(1.0 / sqrt(double(flush(asFloat(a[0]))))))); }
/// Ties away from zero; the low bits that TF32 does not have are zero.
TFC_EMU(f2tf32_rna) {
  float x = asFloat(a[0]);
  uint32_t bits;
  memcpy(&bits, &x, 4);
  if (std::isfinite(x))
    bits = (bits + 0x1000u) & ~0x1FFFu;
  give(result, bits);
}
TFC_EMU(rcp_approx_ftz_f) { give(result, flush(1.0f / flush(asFloat(a[0])))); }

//===----------------------------------------------------------------------------------------------===//
// Barriers
//===----------------------------------------------------------------------------------------------===//

static void arriveAndWait(uint64_t id, uint64_t count) {
  if (id >= 16 || count == 0 || count % kWarp || count > ((block.threads + kWarp - 1) / kWarp) * kWarp)
    fail("barrier %llu of %llu threads", (unsigned long long)id, (unsigned long long)count);
  Barrier &barrier = block.barriers[id];
  if (++barrier.arrived < std::min<uint64_t>(count, block.threads))
    return waitWhile(&barrier.generation, barrier.generation, "a barrier");
  barrier.arrived = 0;
  ++barrier.generation;
}
static uint64_t allThreads() { return (block.threads + kWarp - 1) / kWarp * kWarp; }

TFC_EMU(barrier_cta_sync_aligned_all) { arriveAndWait(a[0], allThreads()); }
TFC_EMU(barrier_cta_sync_all) { arriveAndWait(a[0], allThreads()); }
TFC_EMU(barrier_cta_sync_aligned_count) { arriveAndWait(a[0], a[1]); }
TFC_EMU(barrier_cta_sync_count) { arriveAndWait(a[0], a[1]); }

/// The same place in the shared memory of another block of the cluster.
TFC_EMU(mapa_shared_cluster) {
  auto *own = reinterpret_cast<unsigned char *>(a[0]);
  uint64_t rank = a[1];
  if (!isShared(own))
    fail("mapa of what is not shared memory");
  if (rank >= cluster.size())
    fail("mapa of block %llu of %u", (unsigned long long)rank, cluster.size());
  unsigned char *there = rank == block.rank ? own : cluster.blocks[rank].shared.data() + (own - tfc_shared);
  *static_cast<unsigned char **>(result) = there;
}

static void arriveAtCluster() {
  Fiber &own = block.fiber();
  if (own.arrivedAtCluster)
    fail("a thread arrives at the cluster's barrier twice");
  own.arrivedAtCluster = true;
  own.clusterPhase = cluster.barrier.generation;
  if (++cluster.barrier.arrived < block.threads * cluster.size())
    return;
  cluster.barrier.arrived = 0;
  ++cluster.barrier.generation;
}

TFC_EMU(barrier_cluster_arrive_aligned) { arriveAtCluster(); }
TFC_EMU(barrier_cluster_arrive_relaxed_aligned) { arriveAtCluster(); }

TFC_EMU(barrier_cluster_wait_aligned) {
  Fiber &own = block.fiber();
  if (!own.arrivedAtCluster)
    fail("a thread waits at the cluster's barrier without having arrived");
  own.arrivedAtCluster = false;
  waitWhile(&cluster.barrier.generation, own.clusterPhase, "the cluster's barrier");
}

// What orders memory has nothing to do where one thread runs at a time.
TFC_EMU(membar_cta) {}
TFC_EMU(membar_gl) {}
TFC_EMU(fence_mbarrier_init_release_cluster) {}
TFC_EMU(fence_proxy_async_shared_cta) {}
TFC_EMU(griddepcontrol_wait) { block.fiber().waited = true; }
TFC_EMU(griddepcontrol_launch_dependents) {}
TFC_EMU(prefetch_tensormap_p0) {}
TFC_EMU(setmaxnreg_dec_sync_aligned_u32) {}
TFC_EMU(setmaxnreg_inc_sync_aligned_u32) {}

//===----------------------------------------------------------------------------------------------===//
// cp.async
//===----------------------------------------------------------------------------------------------===//

static void copyAsync(const uint64_t *a, uint64_t bytes, bool hasSourceBytes) {
  auto *to = reinterpret_cast<char *>(a[0]);
  auto *from = reinterpret_cast<const char *>(a[1]);
  uint64_t sourceBytes = hasSourceBytes ? a[2] : bytes;
  if (sourceBytes > bytes)
    fail("cp.async of %llu bytes reads %llu", (unsigned long long)bytes, (unsigned long long)sourceBytes);
  if (!isShared(to))
    fail("cp.async writes to what is not shared memory");
  checkRange(to, bytes, bytes, "cp.async to shared memory");
  if (sourceBytes)
    checkRange(from, sourceBytes, bytes, "cp.async");
  AsyncCopy copy = [=] {
    memcpy(to, from, sourceBytes);
    memset(to + sourceBytes, 0, bytes - sourceBytes);
  };
  if (block.late)
    block.fiber().openGroup.push_back(copy);
  else
    copy();
}

#define TFC_EMU_COPY(name, bytes)                                                                                    \
  TFC_EMU(cp_async_##name##_shared_global_##bytes) { copyAsync(a, bytes, false); }                                   \
  TFC_EMU(cp_async_##name##_shared_global_##bytes##_s) { copyAsync(a, bytes, true); }
TFC_EMU_COPY(ca, 4)
TFC_EMU_COPY(ca, 8)
TFC_EMU_COPY(ca, 16)
TFC_EMU_COPY(cg, 16)

TFC_EMU(cp_async_commit_group) {
  Fiber &self = block.fiber();
  self.groups.push_back(std::move(self.openGroup));
  self.openGroup.clear();
}

/// Does all but the last `keep` groups.
static void finishGroups(size_t keep) {
  Fiber &self = block.fiber();
  for (; self.groups.size() > keep; self.groups.pop_front())
    for (AsyncCopy &copy : self.groups.front())
      copy();
}
TFC_EMU(cp_async_wait_group) { finishGroups(a[0]); }
TFC_EMU(cp_async_wait_all) {
  tfc_emu_cp_async_commit_group(nullptr, nullptr);
  finishGroups(0);
}

//===----------------------------------------------------------------------------------------------===//
// Inline assembly
//===----------------------------------------------------------------------------------------------===//

namespace tfc::emu {
bool runWgmma(const char *text, void *result, uint64_t resultBytes, const uint64_t *arguments);
} // namespace tfc::emu

extern "C" void tfc_emu_asm(const char *text, void *result, uint64_t resultBytes, const uint64_t *a) {
  if (!strncmp(text, "tanh.approx.f32", 15))
    return give(result, tanhf(asFloat(a[0])));
  if (!strcmp(text, "griddepcontrol.wait;")) {
    block.fiber().waited = true;
    return;
  }
  if (!tfc::emu::runWgmma(text, result, resultBytes, a))
    fail("the emulator does not know the assembly %.80s", text);
}

/// Where code for this machine rounds to bf16 it calls the compiler's library.
extern "C" __bf16 __truncsfbf2(float value) {
  uint32_t bits;
  memcpy(&bits, &value, 4);
  uint16_t half = std::isnan(value) ? 0x7FFF : (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16;
  __bf16 rounded;
  memcpy(&rounded, &half, 2);
  return rounded;
}
