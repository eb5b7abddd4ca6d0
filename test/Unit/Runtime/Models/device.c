/*===- device.c - A model for the CPU and for an emulated GPU, written by hand ------------------------===*\
|*                                                                                                        *|
|* Part of tfc, under the Apache License v2.0 with LLVM Exceptions.                                       *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                                                *|
|*                                                                                                        *|
|*   main(x: f32[n]) = -(2 * x)        two launches, an arena, a workspace; a graph per shape             *|
|*   choose(flag: bool, x: f32[n])     flag ? 2 * x : -x; the host program reads the flag                 *|
|*   lookup(ids: i64[n]) = table[ids]  a checked index, and weights                                       *|
|*                                                                                                        *|
\*===--------------------------------------------------------------------------------------------------===*/

#include "tfc-c/EmulatedCode.h"
#include "tfc-c/ModelABI.h"

#include <string.h>

#define COUNT(array) (uint32_t)(sizeof(array) / sizeof((array)[0]))

/*===-- What a kernel does to one element --------------------------------------------------------------===*/

enum { Double, Negate, Lookup };
static const float table[10] = {0, 10, 20, 30, 40, 50, 60, 70, 80, 90};

static void cpuDouble(const uint64_t *args, int64_t begin, int64_t end, TfcWorker *worker) {
  (void)worker;
  for (int64_t i = begin; i < end; ++i)
    ((float *)(uintptr_t)args[1])[i] = 2 * ((const float *)(uintptr_t)args[0])[i];
}
static void cpuNegate(const uint64_t *args, int64_t begin, int64_t end, TfcWorker *worker) {
  (void)worker;
  for (int64_t i = begin; i < end; ++i)
    ((float *)(uintptr_t)args[1])[i] = -((const float *)(uintptr_t)args[0])[i];
}
static void cpuLookup(const uint64_t *args, int64_t begin, int64_t end, TfcWorker *worker) {
  for (int64_t i = begin; i < end; ++i) {
    int64_t id = ((const int64_t *)(uintptr_t)args[0])[i];
    if (id < 0 || id >= COUNT(table)) {
      if (worker->failed_check < 0)
        *worker = (TfcWorker){worker->scratch, worker->index, 0, id, COUNT(table)};
      id = 0;
    }
    ((float *)(uintptr_t)args[2])[i] = ((const float *)(uintptr_t)args[1])[id];
  }
}

/*===-- The same, one thread of a GPU per element -------------------------------------------------------===*/

static void *tidSlot, *ctaidSlot, *ntidSlot;

static int64_t ask(void *slot) {
  uint64_t none = 0;
  int32_t result = 0;
  void (*function)(void *, const uint64_t *);
  memcpy(&function, &slot, sizeof(function));
  function(&result, &none);
  return result;
}

static int64_t threadNumber(void) { return ask(ctaidSlot) * ask(ntidSlot) + ask(tidSlot); }
static void *pointer(void **parameters, int i) { return *(void **)parameters[i]; }
static int64_t number(void **parameters, int i) { return *(int64_t *)parameters[i]; }

/* Parameters: x, y, n, workspace, status. */
static void gpuDouble(void **p) {
  int64_t i = threadNumber();
  if (i >= number(p, 2))
    return;
  float *scratch = pointer(p, 3);
  scratch[i] = 2 * ((const float *)pointer(p, 0))[i];
  ((float *)pointer(p, 1))[i] = scratch[i];
}
static void gpuNegate(void **p) {
  int64_t i = threadNumber();
  if (i < number(p, 2))
    ((float *)pointer(p, 1))[i] = -((const float *)pointer(p, 0))[i];
}
/* ids, table, y, n, workspace, status. Threads run one after the other here, so no lock is taken. */
static void gpuLookup(void **p) {
  int64_t i = threadNumber();
  if (i >= number(p, 3))
    return;
  int64_t id = ((const int64_t *)pointer(p, 0))[i];
  TfcDeviceStatus *status = pointer(p, 5);
  if (id < 0 || id >= COUNT(table)) {
    if ((uint64_t)i < status->tile)
      *status = (TfcDeviceStatus){-1, 0, (uint64_t)i, id, COUNT(table)};
    id = 0;
  }
  ((float *)pointer(p, 2))[i] = ((const float *)pointer(p, 1))[id];
}

static const uint32_t words[] = {8, 8, 8, 8, 8, 8};
static const TfcEmulatedFunction functions[] = {
    {"double_step", gpuDouble, words, 5, 0}, {"negate_step", gpuNegate, words, 5, 0}, {"lookup_step", gpuLookup, words, 6, 0}};
static const TfcEmulatedImport imports[] = {{"tfc_emu_read_ptx_sreg_tid_x", &tidSlot},
                                            {"tfc_emu_read_ptx_sreg_ctaid_x", &ctaidSlot},
                                            {"tfc_emu_read_ptx_sreg_ntid_x", &ntidSlot}};
static const TfcEmulatedCode code = {TFC_EMULATED_MAGIC, COUNT(functions), COUNT(imports), 0, functions, imports, NULL};

/*===-- The host programs ---------------------------------------------------------------------------------===*/

#define WORD(address) (uint64_t)(uintptr_t)(address)

static int32_t runMain(TfcRun *run) {
  uint64_t first[] = {WORD(run->inputs[0]), WORD(run->arenas[0]), (uint64_t)run->values[0]};
  int32_t result = run->table->launch(run, 0, first);
  if (result)
    return result;
  uint64_t second[] = {WORD(run->arenas[0]), WORD(run->outputs[0]), (uint64_t)run->values[0]};
  return run->table->launch(run, 1, second);
}

static int32_t runChoose(TfcRun *run) {
  uint8_t flag = 0;
  int32_t result = run->table->fetch(run, run->inputs[0], 1, &flag);
  if (result)
    return result;
  uint64_t args[] = {WORD(run->inputs[1]), WORD(run->outputs[0]), (uint64_t)run->values[0]};
  return run->table->launch(run, flag ? 0 : 1, args);
}

static int32_t runLookup(TfcRun *run) {
  uint64_t args[] = {WORD(run->inputs[0]), WORD(run->weights), WORD(run->outputs[0]), (uint64_t)run->values[0]};
  return run->table->launch(run, 0, args);
}

/*===-- The descriptor --------------------------------------------------------------------------------------===*/

static const TfcSymbol symbols[] = {{"n", 1, 1000, 0, 0}};
static const TfcExprWord wordsOfN[] = {{TFC_EXPR_SYMBOL, 0}};
static const TfcExprWord wordsOfOne[] = {{TFC_EXPR_CONST, 1}};
static const TfcExprWord wordsOfZero[] = {{TFC_EXPR_CONST, 0}};
static const TfcExprWord wordsOfBlocks[] = {{TFC_EXPR_VALUE, 0}, {TFC_EXPR_CONST, 31}, {TFC_EXPR_ADD, 0}, {TFC_EXPR_CONST, 32}, {TFC_EXPR_FLOORDIV, 0}};
static const TfcExprWord wordsOfBytes[] = {{TFC_EXPR_VALUE, 0}, {TFC_EXPR_CONST, 4}, {TFC_EXPR_MUL, 0}};
enum { N, One, Zero, Blocks, Bytes };
static const TfcExpr values[] = {{wordsOfN, 1, 0, "n"}, {wordsOfOne, 1, 0, "1"}, {wordsOfZero, 1, 0, "0"}, {wordsOfBlocks, 5, 0, "blocks"}, {wordsOfBytes, 3, 0, "4*n"}};
static const uint32_t dimsOfN[] = {N}, arenas[] = {Bytes};

#define F32 {TFC_FLOAT, 32, 1}
static const TfcPort x[] = {{"x", F32, 1, dimsOfN, -1, 0, 0, 0, 0}};
static const TfcPort flagAndX[] = {{"flag", {TFC_BOOL, 8, 1}, 0, NULL, -1, 0, 0, 0, 0}, {"x", F32, 1, dimsOfN, -1, 0, 0, 0, 0}};
static const TfcPort ids[] = {{"ids", {TFC_INT, 64, 1}, 1, dimsOfN, -1, 0, 0, 0, 0}};
static const TfcPort y[] = {{"y", F32, 1, dimsOfN, -1, 0, 0, 0, 0}};

static const char *const nodes[] = {"Node_1"};
static const char *const checks[] = {"node 'Gather_7': ids"};
#define LAUNCH(kernel, checkCount) {kernel, N, Zero, N, Bytes, 1, nodes, checkCount ? checks : NULL, checkCount, 0, NULL, NULL, 0, 0}
static const TfcLaunch mainLaunches[] = {LAUNCH(Double, 0), LAUNCH(Negate, 0)};
static const TfcLaunch lookupLaunches[] = {LAUNCH(Lookup, 1)};

#define ENTRY(name, inputs, launches, run) \
  {name, symbols, values, inputs, y, NULL, launches, NULL, arenas, 1, COUNT(values), COUNT(inputs), 1, 0, COUNT(launches), 0, 0, run}
static const TfcEntry entries[] = {ENTRY("main", x, mainLaunches, runMain), ENTRY("choose", flagAndX, mainLaunches, runChoose),
                                   ENTRY("lookup", ids, lookupLaunches, runLookup)};

static const TfcVariant variants[] = {{0, cpuDouble}, {0, cpuNegate}, {0, cpuLookup}};
static const TfcKernel kernels[] = {{"double", &variants[0], 1, 0}, {"negate", &variants[1], 1, 0}, {"lookup", &variants[2], 1, 0}};
static const TfcKernel deviceKernels[] = {{"double", NULL, 0, 0}, {"negate", NULL, 0, 0}, {"lookup", NULL, 0, 0}};

#define STEP(function) {function, {Blocks, One, One}, 32, 1, 0, 0, 0, NULL}
static const TfcStep steps[] = {STEP("double_step"), STEP("negate_step"), STEP("lookup_step")};
static const TfcDeviceLaunch mainSteps[] = {{&steps[0], 1, 3, Bytes, 0}, {&steps[1], 1, 3, Zero, 0}};
static const TfcDeviceLaunch lookupSteps[] = {{&steps[2], 1, 4, Zero, 0}};
static const TfcDeviceLaunch *const launches[] = {mainSteps, mainSteps, lookupSteps};
static const uint32_t fetches[] = {0, 1, 0};
static const TfcProgram programs[] = {
    {TFC_PROGRAM_EMULATED, 80, 0, 0, "cuda-emu:sm_80", entries, deviceKernels, launches, fetches, &code, 0, NULL, 0, COUNT(deviceKernels), 0}};

static const int64_t tableDims[] = {COUNT(table)};
static const TfcWeight weights[] = {{"table", F32, 1, tableDims, 0, sizeof(table), 0, 0, {0, 0, 0, 0, 0, 0}, 0, NULL, NULL}};

__attribute__((visibility("default"))) const TfcModel *tfc_model_query(void) {
  static const TfcModel model = {TFC_ABI_MAGIC, TFC_ABI_VERSION, sizeof(TfcModel), "device", "by hand", "x86_64-linux-gnu", entries, kernels,
                                 COUNT(entries), COUNT(kernels),
                                 {TFC_WEIGHTS_EMBED, 1, weights, sizeof(table), (const uint8_t *)table, sizeof(table), NULL, {0, 0}},
                                 NULL, programs, NULL, COUNT(programs), 0, 0, 0};
  return &model;
}
