/*===- GraphWeights.c - Weights under the names and in the order that the graph has them --------------===*\
|*                                                                                                        *|
|* Part of tfc, under the Apache License v2.0 with LLVM Exceptions.                                       *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                                                *|
|*                                                                                                        *|
|* Of libtfc-runtime only: no run needs it. What the segment holds are views of the graph's weights; the  *|
|* reverse of a view puts elements back to where they came from.                                          *|
|*                                                                                                        *|
\*===--------------------------------------------------------------------------------------------------===*/

#include "Core.h"

#include "tfc-c/Runtime.h"
#include "tfc/Weights/LayoutRecipe.h"
#include "tfc/Weights/SeedStream.h"

#include <stdlib.h>
#include <string.h>

static int32_t damaged(const TfcGraphWeight *weight) {
  return tfc_core_fail(TFC_BAD_ARTIFACT, "the model's descriptor is damaged: weight '%s' of the graph", weight->name ? weight->name : "?");
}

/* The segment of table 0: a model without code for this CPU has not needed it yet. */
static int32_t needSegment(TfcLoaded *loaded) {
  int32_t code = TFC_OK;
  pthread_mutex_lock(&loaded->devices);
  if (!loaded->weights.bytes)
    code = tfc_core_load_weights(&loaded->model->weights, loaded->folder, &loaded->weights);
  pthread_mutex_unlock(&loaded->devices);
  return code;
}

/* A weight being put together: bytes may be null, and then is only looked whether it can be. */
typedef struct Puzzle {
  uint8_t *bytes;
  int64_t count, element_bytes, missing;
  uint8_t *seen; /**< a bit per element */
} Puzzle;

static void putElement(Puzzle *puzzle, int64_t place, const uint8_t *from) {
  uint8_t bit = (uint8_t)(1 << (place & 7));
  if (!(puzzle->seen[place >> 3] & bit))
    --puzzle->missing;
  puzzle->seen[place >> 3] |= bit;
  if (puzzle->bytes)
    memcpy(puzzle->bytes + place * puzzle->element_bytes, from, (size_t)puzzle->element_bytes);
}

static void putPiece(Puzzle *puzzle, const TfcWeight *piece, const uint8_t *from) {
  int64_t count = tfc_layout_count(piece->dims, piece->rank);
  if (!piece->layout_strides || piece->rank == 0) {
    for (int64_t i = 0; i < count; ++i)
      putElement(puzzle, piece->layout_offset + i, from + i * puzzle->element_bytes);
    return;
  }
  int64_t index[TFC_LAYOUT_MAX_RANK] = {0}, length = piece->dims[piece->rank - 1], step = piece->layout_strides[piece->rank - 1];
  for (int64_t rows = length ? count / length : 0; rows > 0; --rows) {
    TfcLayoutRow row = tfc_layout_row(piece->dims, piece->rank, piece->layout_offset, piece->layout_strides, piece->bounds,
                                      piece->bound_count, index);
    for (int64_t i = row.begin; i < row.end; ++i)
      putElement(puzzle, row.source + i * step, from + i * puzzle->element_bytes);
    from += length * puzzle->element_bytes;
    tfc_layout_next_row(piece->dims, piece->rank, index);
  }
}

static bool pieceFits(const TfcWeights *table, const TfcWeight *piece, const Puzzle *puzzle) {
  int64_t count = tfc_layout_count(piece->dims, piece->rank);
  if (count < 0 || piece->dtype.bits != 8 * puzzle->element_bytes || piece->offset > table->bytes ||
      piece->bytes > table->bytes - piece->offset || (uint64_t)count > piece->bytes / (uint64_t)puzzle->element_bytes)
    return false;
  if (piece->bound_count)
    return piece->rank > 0 && piece->layout_strides && piece->bounds &&
           tfc_layout_bounded_fits(piece->dims, piece->rank, piece->layout_offset, piece->layout_strides, piece->bounds,
                                   piece->bound_count, puzzle->count);
  return tfc_layout_fits(piece->dims, piece->rank, piece->layout_offset, piece->layout_strides, puzzle->count);
}

static int32_t putTogether(TfcLoaded *loaded, const TfcGraphWeight *weight, Puzzle *puzzle) {
  const TfcWeights *table = &loaded->model->weights;
  int32_t code = weight->piece_count ? needSegment(loaded) : TFC_OK;
  for (uint32_t i = 0; i < weight->piece_count && !code; ++i) {
    const TfcWeight *piece = weight->pieces && weight->pieces[i] < table->weight_count ? &table->weights[weight->pieces[i]] : NULL;
    if (!piece || !pieceFits(table, piece, puzzle))
      return damaged(weight);
    putPiece(puzzle, piece, loaded->weights.bytes + piece->offset);
  }
  if (!code && puzzle->missing)
    code = tfc_core_fail(TFC_NOT_FOUND, "the model does not hold all of weight '%s': the compiler had no use for it as it stood",
                         weight->name);
  return code;
}

int32_t tfc_model_read_weight(TfcOpenModel *model, uint64_t number, void *to, uint64_t bytes) {
  TfcLoaded *loaded = (TfcLoaded *)model;
  if (!loaded)
    return tfc_core_fail(TFC_BAD_ARGUMENT, "read_weight: the model is null");
  const TfcModel *described = loaded->model;
  uint64_t count = described->bytes >= sizeof(TfcModel) && described->graph_weights ? described->graph_weight_count : 0;
  if (number >= count)
    return tfc_core_fail(TFC_BAD_ARGUMENT, "weight %llu of the graph does not exist; the model knows %llu", (unsigned long long)number,
                         (unsigned long long)count);
  const TfcGraphWeight *weight = &described->graph_weights[number];
  int64_t elements = weight->name && weight->rank >= 0 && (!weight->rank || weight->dims) ? tfc_layout_count(weight->dims, weight->rank) : -1;
  int64_t needed = elements < 0 ? -1 : tfc_core_type_bytes(weight->dtype, elements);
  if (needed < 0)
    return damaged(weight);
  if (to && bytes != (uint64_t)needed)
    return tfc_core_fail(TFC_BAD_ARGUMENT, "weight '%s' has %lld bytes, not %llu", weight->name, (long long)needed, (unsigned long long)bytes);
  if (weight->seeded) {
    const TfcSeed *seed = &weight->seed;
    int64_t made = to ? elements : 0;
    return tfc_seed_elements(to, made, weight->dtype.code, weight->dtype.bits, seed->kind, seed->seed, seed->stream, seed->mean, seed->scale, 0, 1)
               ? damaged(weight)
               : TFC_OK;
  }
  if (weight->dtype.bits % 8)
    return tfc_core_fail(TFC_NOT_FOUND, "weight '%s' has elements below a byte, which cannot be given back", weight->name);
  Puzzle puzzle = {to, elements, weight->dtype.bits / 8, elements, calloc((size_t)elements / 8 + 1, 1)};
  if (!puzzle.seen)
    return tfc_core_fail(TFC_OUT_OF_MEMORY, "no memory to read weight '%s'", weight->name);
  int32_t code = putTogether(loaded, weight, &puzzle);
  free(puzzle.seen);
  return code;
}
