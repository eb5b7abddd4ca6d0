/*===- Weights.c - The segment of weights: embedded, in a file beside the model, or made from seeds ---===*\
|*                                                                                                        *|
|* Part of tfc, under the Apache License v2.0 with LLVM Exceptions.                                       *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                                                *|
|*                                                                                                        *|
\*===--------------------------------------------------------------------------------------------------===*/

#define _GNU_SOURCE
#include "Core.h"

#include "tfc/Weights/ContentHash.h"
#include "tfc/Weights/LayoutRecipe.h"
#include "tfc/Weights/SeedStream.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Weights that lie in the file as the compiler wrote them can be mapped by pages of 2 MB, and those that come from the disk are then
   read by such pieces. It is a wish: where the system does not know it, pages are small. */
static void wishLargePages(const void *memory, uint64_t bytes) {
  uintptr_t page = (uintptr_t)2 << 20, begin = ((uintptr_t)memory + page - 1) & ~(page - 1);
  uintptr_t end = ((uintptr_t)memory + (uintptr_t)bytes) & ~(page - 1);
  if (begin < end)
    madvise((void *)begin, (size_t)(end - begin), MADV_HUGEPAGE);
}

/*===-- A file beside model.so
 * ---------------------------------------------------------------------------===*/

static int32_t checkAndMap(TfcLoaded *loaded, int file, const char *path) {
  const TfcWeights *weights = &loaded->model->weights;
  struct stat status;
  if (fstat(file, &status) || !S_ISREG(status.st_mode))
    return tfc_core_fail(TFC_BAD_ARTIFACT, "weights file '%s' is not a regular file", path);
  if ((uint64_t)status.st_size != weights->bytes)
    return tfc_core_fail(TFC_BAD_ARTIFACT,
                         "weights file '%s' has %lld bytes, the model was compiled with %llu", path,
                         (long long)status.st_size, (unsigned long long)weights->bytes);
  if (weights->bytes == 0)
    return TFC_OK;
  void *memory = mmap(NULL, (size_t)weights->bytes, PROT_READ, MAP_PRIVATE, file, 0);
  if (memory == MAP_FAILED)
    return tfc_core_fail(TFC_SYSTEM, "cannot map weights file '%s': error %d", path, errno);
  loaded->mapping = memory;
  loaded->mapping_bytes = (size_t)weights->bytes;
  loaded->weights = memory;
  wishLargePages(memory, weights->bytes);
  uint64_t hash[2];
  tfc_hash_bytes(memory, weights->bytes, hash);
  if (hash[0] != weights->hash[0] || hash[1] != weights->hash[1])
    return tfc_core_fail(TFC_BAD_ARTIFACT,
                         "weights file '%s' is damaged or belongs to another model: its hash differs", path);
  return TFC_OK;
}

static int32_t loadExternal(TfcLoaded *loaded, const char *folder) {
  const TfcWeights *weights = &loaded->model->weights;
  char path[PATH_MAX];
  if (!weights->file || !*weights->file || strchr(weights->file, '/') || strcmp(weights->file, "..") == 0)
    return tfc_core_fail(TFC_BAD_ARTIFACT, "the model names no usable weights file");
  int length = snprintf(path, sizeof(path), "%s/%s", folder && *folder ? folder : ".", weights->file);
  if (length < 0 || (size_t)length >= sizeof(path))
    return tfc_core_fail(TFC_BAD_ARTIFACT, "the path of weights file '%s' is too long", weights->file);
  int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO of that name must not make us wait */
  if (file < 0)
    return tfc_core_fail(errno == ENOENT ? TFC_BAD_ARTIFACT : TFC_SYSTEM, "cannot open weights file '%s'%s",
                         path,
                         errno == ENOENT   ? ": it must lie beside the model"
                         : errno == EACCES ? ": permission denied"
                                           : "");
  int32_t code = checkAndMap(loaded, file, path);
  close(file);
  return code;
}

/*===-- Seeds
 * --------------------------------------------------------------------------------------------===*/

/* Elements [begin, end) of a weight: runs along its last dim, each a strided run of the stream. */
static void fillElements(const TfcWeight *weight, uint8_t *to, int64_t begin, int64_t end) {
  const TfcSeed *seed = &weight->seed;
  int64_t bytes = weight->dtype.bits / 8;
  int32_t rank = weight->rank;
  if (!weight->layout_strides || rank == 0) {
    tfc_seed_elements(to + begin * bytes, end - begin, weight->dtype.code, weight->dtype.bits, seed->kind,
                      seed->seed, seed->stream, seed->mean, seed->scale, weight->layout_offset + begin, 1);
    return;
  }
  int64_t length = weight->dims[rank - 1], step = weight->layout_strides[rank - 1];
  int64_t index[TFC_LAYOUT_MAX_RANK] = {0}, rest = begin / length;
  for (int32_t d = rank - 2; d >= 0; --d) {
    index[d] = rest % weight->dims[d];
    rest /= weight->dims[d];
  }
  while (begin < end) {
    TfcLayoutRow row = tfc_layout_row(weight->dims, rank, weight->layout_offset, weight->layout_strides,
                                      weight->bounds, weight->bound_count, index);
    int64_t column = begin % length, now = length - column < end - begin ? length - column : end - begin;
    /* The memory is fresh: what the bounds leave out is zero already. */
    int64_t first = column > row.begin ? column : row.begin, last = column + now < row.end ? column + now : row.end;
    if (first < last)
      tfc_seed_elements(to + (begin + first - column) * bytes, last - first, weight->dtype.code, weight->dtype.bits,
                        seed->kind, seed->seed, seed->stream, seed->mean, seed->scale, row.source + first * step,
                        step);
    begin += now;
    tfc_layout_next_row(weight->dims, rank, index);
  }
}

typedef struct SeedJob {
  const TfcWeights *weights;
  uint8_t *segment;
} SeedJob;

enum { ElementsPerItem = 1 << 16 };

static int64_t itemsOf(const TfcWeight *weight) {
  return (tfc_layout_count(weight->dims, weight->rank) + ElementsPerItem - 1) / ElementsPerItem;
}

/* The items of all seeded weights stand in one row; finds those of [begin, end) weight by weight. */
static void fillItems(void *data, int32_t worker, int64_t begin, int64_t end) {
  (void)worker;
  const SeedJob *job = data;
  int64_t first = 0;
  for (uint32_t w = 0; w < job->weights->weight_count && first < end; ++w) {
    const TfcWeight *weight = &job->weights->weights[w];
    if (!weight->seeded)
      continue;
    int64_t items = itemsOf(weight), count = tfc_layout_count(weight->dims, weight->rank);
    int64_t from = begin > first ? begin - first : 0, to = end - first < items ? end - first : items;
    if (from < to) {
      int64_t last = to * ElementsPerItem < count ? to * ElementsPerItem : count;
      fillElements(weight, job->segment + weight->offset, from * ElementsPerItem, last);
    }
    first += items;
  }
}

/* Bytes that no seed makes stand in `embedded` in the order of the weights, each at the next multiple of 64.
 */
static int32_t copyEmbedded(const TfcWeights *weights, uint8_t *segment) {
  uint64_t from = 0;
  for (uint32_t w = 0; w < weights->weight_count; ++w) {
    const TfcWeight *weight = &weights->weights[w];
    if (weight->seeded || weight->bytes == 0)
      continue;
    from = (from + 63) & ~(uint64_t)63;
    if (!weights->embedded || from > weights->embedded_bytes ||
        weight->bytes > weights->embedded_bytes - from)
      return tfc_core_fail(TFC_BAD_ARTIFACT, "the bytes of weight '%s' are missing", weight->name);
    memcpy(segment + weight->offset, weights->embedded + from, (size_t)weight->bytes);
    from += weight->bytes;
  }
  return TFC_OK;
}

static int32_t checkWeights(const TfcWeights *weights, int64_t *items) {
  *items = 0;
  for (uint32_t w = 0; w < weights->weight_count; ++w) {
    const TfcWeight *weight = &weights->weights[w];
    int64_t count = tfc_layout_count(weight->dims, weight->rank);
    int64_t bytes = count < 0 ? -1 : tfc_core_type_bytes(weight->dtype, count);
    if (bytes < 0 || (uint64_t)bytes != weight->bytes || weight->offset > weights->bytes ||
        weight->bytes > weights->bytes - weight->offset)
      return tfc_core_fail(TFC_BAD_ARTIFACT, "weight '%s' does not lie in the segment of weights",
                           weight->name);
    if (!weight->seeded)
      continue;
    if (weight->bound_count && (weight->rank < 1 || !weight->bounds || !weight->layout_strides ||
                                !tfc_layout_bounded_fits(weight->dims, weight->rank, weight->layout_offset,
                                                         weight->layout_strides, weight->bounds,
                                                         weight->bound_count, INT64_MAX)))
      return tfc_core_fail(TFC_BAD_ARTIFACT, "the layout of weight '%s' is damaged", weight->name);
    if (tfc_seed_elements(NULL, 0, weight->dtype.code, weight->dtype.bits, TFC_SEED_CONSTANT, 0, 0, 0, 0, 0,
                          1))
      return tfc_core_fail(TFC_BAD_ARTIFACT, "weight '%s' has a type that no seed makes", weight->name);
    *items += itemsOf(weight);
  }
  return TFC_OK;
}

static int32_t loadSeeded(TfcLoaded *loaded) {
  const TfcWeights *weights = &loaded->model->weights;
  int64_t items;
  int32_t code = checkWeights(weights, &items);
  if (code || weights->bytes == 0)
    return code;
  if (weights->bytes > INT64_MAX)
    return tfc_core_fail(TFC_BAD_ARTIFACT, "the segment of weights is too large");
  void *memory =
      mmap(NULL, (size_t)weights->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    return tfc_core_fail(TFC_OUT_OF_MEMORY, "no memory for %llu bytes of weights",
                         (unsigned long long)weights->bytes);
  loaded->mapping = memory;
  loaded->mapping_bytes = (size_t)weights->bytes;
  loaded->weights = memory;
  madvise(memory, (size_t)weights->bytes, MADV_HUGEPAGE);
  code = copyEmbedded(weights, memory);
  if (code)
    return code;
  SeedJob job = {weights, memory};
  ThreadPool *pool = items > 8 ? tfc_core_pool_create(tfc_core_cpu_count(), NULL, NULL) : NULL;
  if (pool)
    tfc_core_pool_run(pool, items, fillItems, &job);
  else
    fillItems(&job, 0, 0, items);
  tfc_core_pool_destroy(pool);
  mprotect(memory, (size_t)weights->bytes, PROT_READ);
  return TFC_OK;
}

int32_t tfc_core_load_weights(TfcLoaded *loaded, const char *folder) {
  const TfcWeights *weights = &loaded->model->weights;
  if (weights->weight_count && !weights->weights)
    return tfc_core_fail(TFC_BAD_ARTIFACT, "the model's list of weights is missing");
  switch (weights->mode) {
  case TFC_WEIGHTS_NONE:
    loaded->weights = tfc_core_nowhere();
    return TFC_OK;
  case TFC_WEIGHTS_EMBED:
    loaded->weights = weights->embedded;
    if (weights->embedded)
      wishLargePages(weights->embedded, weights->embedded_bytes);
    return weights->embedded || weights->bytes == 0
               ? TFC_OK
               : tfc_core_fail(TFC_BAD_ARTIFACT, "the model's weights are missing");
  case TFC_WEIGHTS_EXTERNAL:
    return loadExternal(loaded, folder);
  case TFC_WEIGHTS_SEED:
    return loadSeeded(loaded);
  default:
    return tfc_core_fail(TFC_BAD_ARTIFACT, "weights of unknown mode %u", weights->mode);
  }
}

void tfc_core_unmap_weights(TfcLoaded *loaded) {
  if (loaded->mapping)
    munmap(loaded->mapping, loaded->mapping_bytes);
}
