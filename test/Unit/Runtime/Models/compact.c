/*===- compact.c - A model by hand: the positive elements, whose number is data -----------------------===*\
|*                                                                                                        *|
|* Part of tfc, under the Apache License v2.0 with LLVM Exceptions.                                       *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                                                *|
|*                                                                                                        *|
|* `count` counts the positive elements of x; a bind makes the number a symbol; `copy` collects them in   *|
|* the arena of the second segment; `move` brings them to the output.                                     *|
|*                                                                                                        *|
\*===--------------------------------------------------------------------------------------------------===*/

#include "Handwritten.h"

static void count(const uint64_t *args, int64_t begin, int64_t end, TfcWorker *worker) {
  (void)begin, (void)end, (void)worker;
  const float *x = (const float *)args[0];
  int64_t *found = (int64_t *)args[1], n = (int64_t)args[2];
  *found = 0;
  for (int64_t i = 0; i < n; ++i)
    *found += x[i] > 0;
  if (n && x[0] == -99.f) /* the test's way to a size that cannot be */
    *found = -5;
}

static void copy(const uint64_t *args, int64_t begin, int64_t end, TfcWorker *worker) {
  (void)begin, (void)end, (void)worker;
  const float *x = (const float *)args[0];
  float *to = (float *)args[1];
  for (int64_t i = 0, n = (int64_t)args[2]; i < n; ++i)
    if (x[i] > 0)
      *to++ = x[i];
}

static void move(const uint64_t *args, int64_t begin, int64_t end, TfcWorker *worker) {
  (void)worker;
  for (int64_t i = begin; i < end; ++i)
    ((float *)args[1])[i] = ((const float *)args[0])[i];
}

static const TfcVariant countVariants[] = {{0, count}}, copyVariants[] = {{0, copy}},
                        moveVariants[] = {{0, move}};
static const TfcKernel kernels[] = {
    {"count_0", countVariants, 1, 0}, {"copy_0", copyVariants, 1, 0}, {"move_0", moveVariants, 1, 0}};

enum { N, Found };
static const TfcSymbol symbols[] = {{"n", 0, INT64_MAX, 0, 0}, {"found", 0, INT64_MAX, 1, 0}};
static const TfcExpr values[] = {
    /* 0 */ EXPR(0, "n", S(N)),
    /* 1 */ EXPR(1, "found", S(Found)),
    /* 2 */ EXPR(0, "64", C(64)),
    /* 3 */ EXPR(1, "4*found", V(1), C(4), OP(MUL)),
    /* 4 */ EXPR(0, "1", C(1)),
    /* 5 */ EXPR(0, "0", C(0)),
    /* 6 */ EXPR(0, "6", C(6)),
};
static const TfcPort inputs[] = {{"x", F32, 1, DIMS(0), -1, 0, 0, 0}};
static const TfcPort outputs[] = {{"positive", F32, 1, DIMS(1), -1, 0, 0, 0}};
static const TfcRequirement requirements[] = {{TFC_REQUIRE_AT_MOST, 1, 6, 0, "TopK_9"}};
static const char *const nodes[] = {"NonZero_1"};
static const TfcLaunch launches[] = {{0, 4, 5, 5, 5, 1, nodes, 0, 0, 0},
                                     {1, 4, 5, 5, 5, 1, nodes, 0, 0, 0},
                                     {2, 1, 5, 5, 5, 1, nodes, 0, 0, 0}};
static const uint32_t foundSymbols[] = {Found};
static const TfcBind binds[] = {{foundSymbols, 1, 0, "NonZero_1"}};
static const uint32_t arenaBytes[] = {2, 3};

static int32_t run(TfcRun *run) {
  uint64_t counting[] = {(uint64_t)run->inputs[0], (uint64_t)run->arenas[0], (uint64_t)run->values[0]};
  int32_t code = run->table->launch(run, 0, counting);
  if (!code)
    code = run->table->bind(run, 0, (const int64_t *)run->arenas[0]);
  if (code)
    return code;
  uint64_t copying[] = {(uint64_t)run->inputs[0], (uint64_t)run->arenas[1], (uint64_t)run->values[0]};
  code = run->table->launch(run, 1, copying);
  if (code)
    return code;
  uint64_t moving[] = {(uint64_t)run->arenas[1], (uint64_t)run->outputs[0]};
  return run->table->launch(run, 2, moving);
}

static const TfcEntry entries[] = {{"main", symbols, values, inputs, outputs, requirements, launches, binds,
                                    arenaBytes, COUNT(symbols), COUNT(values), COUNT(inputs), COUNT(outputs),
                                    COUNT(requirements), COUNT(launches), 1, 0, run}};
static const TfcModel model = {TFC_ABI_MAGIC,
                               TFC_ABI_VERSION,
                               sizeof(TfcModel),
                               "compact",
                               "by hand",
                               "x86_64-linux-gnu",
                               entries,
                               kernels,
                               1,
                               3,
                               {TFC_WEIGHTS_NONE, 0, 0, 0, 0, 0, 0, {0, 0}},
                               API};

EXPORT const TfcModel *tfc_model_query(void) { return &model; }
