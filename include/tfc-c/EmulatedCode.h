/*===- EmulatedCode.h - Kernels of a GPU as functions of this machine -------------------------*- C -*-===*\
|*                                                                                                        *|
|* Part of tfc, under the Apache License v2.0 with LLVM Exceptions.                                       *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                                                *|
|*                                                                                                        *|
|* What TfcProgram.code is for the target cuda-emu. A driver that emulates a GPU is given it in the place *|
|* of PTX. Kernels call instructions of the GPU as functions, which the emulator provides: it fills the   *|
|* slots of `imports` when it loads the code. tfc/Codegen/GPU/EmulateGpuModule.h says what those are.     *|
|*                                                                                                        *|
\*===--------------------------------------------------------------------------------------------------===*/

#ifndef TFC_C_EMULATEDCODE_H
#define TFC_C_EMULATEDCODE_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TFC_EMULATED_MAGIC 0x45434654u /* "TFCE" in memory */

/** A kernel: the emulator calls `run` once per thread of the GPU, with the addresses of its parameters. */
typedef struct TfcEmulatedFunction {
  const char *name;
  void (*run)(void **parameters);
  const uint32_t *parameter_bytes;
  uint32_t parameter_count;
  uint32_t reserved;
} TfcEmulatedFunction;

/** A function that the kernels call, or memory that they use: "tfc_emu_read_ptx_sreg_tid_x", "tfc_shared". */
typedef struct TfcEmulatedImport {
  const char *name;
  void **slot;
} TfcEmulatedImport;

/** A constant of the kernels, which they may read. */
typedef struct TfcEmulatedConstant {
  const void *bytes;
  uint64_t count;
} TfcEmulatedConstant;

typedef struct TfcEmulatedCode {
  uint32_t magic; /**< TFC_EMULATED_MAGIC */
  uint32_t function_count, import_count, constant_count;
  const TfcEmulatedFunction *functions;
  const TfcEmulatedImport *imports;
  const TfcEmulatedConstant *constants;
} TfcEmulatedCode;

static_assert(sizeof(TfcEmulatedFunction) == 32, "layout of TfcEmulatedFunction");
static_assert(sizeof(TfcEmulatedImport) == 16, "layout of TfcEmulatedImport");
static_assert(sizeof(TfcEmulatedConstant) == 16, "layout of TfcEmulatedConstant");
static_assert(sizeof(TfcEmulatedCode) == 40, "layout of TfcEmulatedCode");

#ifdef __cplusplus
}
#endif

#endif /* TFC_C_EMULATEDCODE_H */
