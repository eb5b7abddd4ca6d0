/*===- lookup.c - A model by hand: rows of a table, times a mask --------------------------------------===*\
|*                                                                                                        *|
|* Part of tfc, under the Apache License v2.0 with LLVM Exceptions.                                       *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                                                *|
|*                                                                                                        *|
|* hidden[b, s, :] = table[ids[b, s], :] * mask[b, past + s]; past_key only says how large `past` is.     *|
|* Two launches with a buffer in the arena between them. Compiled three times: weights embedded, in a     *|
|* file, made from a seed.                                                                                *|
|*                                                                                                        *|
\*===--------------------------------------------------------------------------------------------------===*/

#include "Handwritten.h"

enum { Rows = 100, Width = 4 };

/* args: table, ids, rows; symbol count. */
static void gather(const uint64_t *args, int64_t begin, int64_t end, TfcWorker *worker) {
  const float *table = (const float *)args[0];
  const int64_t *ids = (const int64_t *)args[1];
  float *rows = (float *)args[2];
  for (int64_t tile = begin; tile < end; ++tile) {
    int64_t id = ids[tile];
    if (id < 0 || id >= Rows) {
      if (worker->failed_check < 0) {
        worker->failed_check = 0;
        worker->failed_value = id;
        worker->failed_bound = Rows;
      }
      id = 0;
    }
    for (int i = 0; i < Width; ++i)
      rows[tile * Width + i] = table[id * Width + i];
  }
}

/* args: rows, mask, hidden; seq, past. Goes through its scratch to show that it has one. */
static void scale(const uint64_t *args, int64_t begin, int64_t end, TfcWorker *worker) {
  const float *rows = (const float *)args[0], *mask = (const float *)args[1];
  float *hidden = (float *)args[2];
  int64_t seq = (int64_t)args[3], past = (int64_t)args[4];
  float *row = (float *)worker->scratch;
  for (int64_t tile = begin; tile < end; ++tile) {
    int64_t b = tile / seq, s = tile % seq;
    for (int i = 0; i < Width; ++i)
      row[i] = rows[tile * Width + i] * mask[b * (past + seq) + past + s];
    for (int i = 0; i < Width; ++i)
      hidden[tile * Width + i] = row[i];
  }
}

static const TfcVariant gatherVariants[] = {
#ifdef NEEDS_FEATURES
    {(uint64_t)NEEDS_FEATURES, gather},
#else
    {(uint64_t)1 << 40, 0},
    {0, gather},
#endif
};
static const TfcVariant scaleVariants[] = {{0, scale}};
static const TfcKernel kernels[] = {{"gather_0", gatherVariants, COUNT(gatherVariants), 0},
                                    {"scale_0", scaleVariants, 1, 0}};

enum { Batch, Seq, Past };
static const TfcSymbol symbols[] = {
    {"batch", 0, INT64_MAX, 0, 0}, {"seq", 0, 512, 0, 0}, {"past", 0, INT64_MAX, 0, 0}};

static const TfcExpr values[] = {
    /* 0 */ EXPR(0, "batch", S(Batch)),
    /* 1 */ EXPR(0, "seq", S(Seq)),
    /* 2 */ EXPR(0, "past", S(Past)),
    /* 3 */ EXPR(0, "past + seq", S(Past), S(Seq), OP(ADD)),
    /* 4 */ EXPR(0, "4", C(Width)),
    /* 5 */ EXPR(0, "batch*seq", S(Batch), S(Seq), OP(MUL)),
    /* 6 */ EXPR(0, "16*batch*seq", V(5), C(16), OP(MUL), {TFC_EXPR_ALIGN, 64}),
    /* 7 */ EXPR(0, "0", C(0)),
    /* 8 */ EXPR(0, "16", C(16)),
    /* 9 */ EXPR(0, "100", C(Rows)),
    /* 10 */ EXPR(0, "1024", C(1024)),
    /* 11 */ EXPR(0, "1000000", C(1000000)),
};

static const TfcPort inputs[] = {
    {"input_ids", I64, 2, DIMS(0, 1), -1, TFC_HINT_INDEX, 9, 0},
    {"attention_mask", F32, 2, DIMS(0, 3), -1, TFC_HINT_MASK, 0, 0},
    {"past_key", F32, 3, DIMS(0, 2, 4), -1, TFC_HINT_NONE, 0, 0},
};
static const TfcPort outputs[] = {{"hidden", F32, 3, DIMS(0, 1, 4), -1, 0, 0, 0}};
static const TfcRequirement requirements[] = {{TFC_REQUIRE_AT_MOST, 3, 10, 0, "Add_7"}};

static const char *const gatherNodes[] = {"Gather_3"};
static const char *const gatherChecks[] = {"node 'Gather_3': input_ids"};
static const char *const scaleNodes[] = {"Mul_4"};
static const TfcLaunch launches[] = {
    {0, 5, 7, 11, 7, 1, gatherNodes, gatherChecks, 1, 0},
    {1, 5, 8, 11, 7, 1, scaleNodes, 0, 0, 0},
};
static const uint32_t arenaBytes[] = {6};

static int32_t run(TfcRun *run) {
  uint64_t first[] = {(uint64_t)run->weights, (uint64_t)run->inputs[0], (uint64_t)run->arenas[0]};
  int32_t code = run->table->launch(run, 0, first);
  if (code)
    return code;
  uint64_t second[] = {(uint64_t)run->arenas[0], (uint64_t)run->inputs[1], (uint64_t)run->outputs[0],
                       (uint64_t)run->values[1], (uint64_t)run->values[2]};
  return run->table->launch(run, 1, second);
}

static const TfcEntry entries[] = {{"main", symbols, values, inputs, outputs, requirements, launches, 0,
                                    arenaBytes, COUNT(symbols), COUNT(values), COUNT(inputs), COUNT(outputs),
                                    COUNT(requirements), COUNT(launches), 0, 0, run}};

static const int64_t tableDims[] = {Rows, Width};
#if defined(WEIGHTS_SEED)
/* The table is the transpose of the first 4 rows of a 5 x 100 stream. */
static const int64_t tableStrides[] = {1, Rows};
static const TfcWeight weights[] = {
    {"table", F32, 2, tableDims, 0, 4 * Rows *Width, 1, 0, {0, 0, 42, 7, 0.0, 0.5}, 0, tableStrides}};
#define WEIGHTS                                                                                              \
  {                                                                                                          \
    TFC_WEIGHTS_SEED, 1, weights, 4 * Rows *Width, 0, 0, 0, { 0, 0 }                                         \
  }
#elif defined(WEIGHTS_EXTERNAL)
static const TfcWeight weights[] = {
    {"table", F32, 2, tableDims, 0, 4 * Rows *Width, 0, 0, {0, 0, 0, 0, 0, 0}, 0, 0, 0}};
#define WEIGHTS                                                                                              \
  {                                                                                                          \
    TFC_WEIGHTS_EXTERNAL, 1, weights, 4 * Rows *Width, 0, 0, WEIGHTS_EXTERNAL, { WEIGHTS_HASH }              \
  }
#else
static const TfcWeight weights[] = {
    {"table", F32, 2, tableDims, 0, 4 * Rows *Width, 0, 0, {0, 0, 0, 0, 0, 0}, 0, 0, 0}};
#define ROW(R) R + 0.f, R + 0.25f, R + 0.5f, R + 0.75f
#define ROWS10(T)                                                                                            \
  ROW(T), ROW(T + 1), ROW(T + 2), ROW(T + 3), ROW(T + 4), ROW(T + 5), ROW(T + 6), ROW(T + 7), ROW(T + 8),    \
      ROW(T + 9)
static const float table[Rows * Width]
    __attribute__((aligned(64))) = {ROWS10(0),  ROWS10(10), ROWS10(20), ROWS10(30), ROWS10(40),
                                    ROWS10(50), ROWS10(60), ROWS10(70), ROWS10(80), ROWS10(90)};
#define WEIGHTS                                                                                              \
  {                                                                                                          \
    TFC_WEIGHTS_EMBED, 1, weights, sizeof(table), (const uint8_t *)table, sizeof(table), 0, { 0, 0 }         \
  }
#endif

#ifndef VERSION
#define VERSION TFC_ABI_VERSION
#endif

static const TfcModel model = {
    TFC_ABI_MAGIC, VERSION, sizeof(TfcModel), "lookup", "by hand", "x86_64-linux-gnu", entries, kernels, 1, 2,
    WEIGHTS,       API};

EXPORT const TfcModel *tfc_model_query(void) { return &model; }
