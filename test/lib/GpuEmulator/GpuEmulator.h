//===- GpuEmulator.h - Runs GPU kernels on the CPU -----------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// Kernels are functions of this machine that call back for all that only a GPU can do (EmulateGpuModule.h says how). A block, or cluster, runs
// after the other; its threads are fibers. A fiber runs until it must wait, and the threads of a warp go on for as long as they can
// before another warp gets its turn: so warps drift apart as far as the program lets them, and a missing barrier
// gives wrong numbers. Every second block runs its warps in reverse order, and has its asynchronous copies done as late as the program
// lets them be; in the others they are done at once. Products of a warpgroup (wgmma) are computed when they are waited for, from what shared memory
// holds then; until that their sums are NaNs. Shared memory begins as NaNs.
//
// Reported: accesses outside of registered memory, or not aligned; barriers and collectives that not all reach (deadlock); lanes of a warp that meet in
// different instructions. The blocks of a cluster take turns: each runs for as long as it can. Not modelled: time, caches, copies to several blocks of a
// cluster, weak memory.
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_TEST_LIB_GPUEMULATOR_H
#define TFC_TEST_LIB_GPUEMULATOR_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct TfcEmuLaunch {
  uint32_t grid[3], block[3];
  uint64_t sharedBytes; /* dynamic */
  uint32_t overlaps;    /* 1: it may begin before the launch before has ended: its threads must wait for that before they store */
  uint32_t cluster;     /* blocks, along x; 0 counts as 1 */
} TfcEmuLaunch;

/* What a tensor map holds here, in its 128 bytes. */
typedef struct TfcEmuTensorMap {
  void *base;
  int64_t strides[4]; /* bytes, of dims 1 and up */
  uint32_t dims[5];
  uint16_t box[5];
  uint8_t rank, elementBytes;
  uint32_t swizzleBytes;
} TfcEmuTensorMap;

/* Runs all blocks. 0, or 1 with a text in `message`. */
int tfc_emu_launch(void (*kernel)(void **), const TfcEmuLaunch *launch, void **parameters, char *message,
                   size_t messageBytes);

/* Memory that kernels may touch. */
void tfc_emu_register(const void *base, size_t bytes);
void tfc_emu_unregister(const void *base);

#ifdef __cplusplus
}
#endif

#endif /* TFC_TEST_LIB_GPUEMULATOR_H */
