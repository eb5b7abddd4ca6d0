/*===- Context.c - What a run needs: threads, arenas, remembered shapes -------------------------------===*\
|*                                                                                                        *|
|* Part of tfc, under the Apache License v2.0 with LLVM Exceptions.                                       *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                                                *|
|*                                                                                                        *|
\*===--------------------------------------------------------------------------------------------------===*/

#define _GNU_SOURCE
#include "Cuda.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

uint8_t *tfc_core_nowhere(void) {
  static _Alignas(64) uint8_t nowhere[64];
  return nowhere;
}

void tfc_core_release(TfcLoaded *loaded) {
  if (!loaded || atomic_fetch_sub(&loaded->users, 1) != 1)
    return;
  void (*closing)(void *) = loaded->closing;
  void *data = loaded->closing_data;
  tfc_core_unmap_weights(&loaded->weights);
  tfc_cuda_release_programs(loaded->cuda_programs, loaded->model->entry_count);
  tfc_core_free_binders(loaded->binders, loaded->model->entry_count);
  pthread_mutex_destroy(&loaded->devices);
  free(loaded->kernels);
  free(loaded->folder);
  free(loaded);
  if (closing)
    closing(data);
}

/*===-- Memory
 * -------------------------------------------------------------------------------------------===*/

static void *allocate(TfcContext *context, uint64_t bytes) {
  const TfcContextOptions *options = &context->options;
  if (options->allocate)
    return options->allocate(options->allocator, bytes, 64);
  /* Large pages spare kernels that walk over megabytes most of their misses in the TLB. */
  const uint64_t largePage = (uint64_t)2 << 20;
  bool large = bytes >= 2 * largePage;
  void *memory;
  if (posix_memalign(&memory, large ? largePage : 64, (size_t)bytes))
    return NULL;
  if (large)
    madvise(memory, (size_t)(bytes / largePage * largePage), MADV_HUGEPAGE);
  return memory;
}

static void giveBack(TfcContext *context, Room *room) {
  if (room->memory && context->options.allocate)
    context->options.release(context->options.allocator, room->memory);
  else if (room->memory)
    free(room->memory);
  *room = (Room){NULL, 0};
}

bool tfc_core_make_room(TfcContext *context, Room *room, uint64_t bytes) {
  if (bytes <= room->bytes && room->memory)
    return true;
  if (bytes > (uint64_t)INT64_MAX - 64)
    return false;
  giveBack(context, room);
  bytes = bytes ? (bytes + 63) & ~(uint64_t)63 : 64;
  room->memory = allocate(context, bytes);
  room->bytes = room->memory ? bytes : 0;
  return room->memory != NULL;
}

/*===-- The entries' tables
 * ------------------------------------------------------------------------------===*/

/* Hands out pieces of one block; the first walk, without a block, only counts. */
typedef struct Cutter {
  uint8_t *block;
  size_t used;
} Cutter;

static void *cut(Cutter *cutter, size_t count, size_t size) {
  void *piece = cutter->block ? cutter->block + cutter->used : NULL;
  cutter->used += (count * size + 15) & ~(size_t)15;
  return piece;
}

static void cutEntries(Cutter *cutter, TfcContext *context) {
  const TfcModel *model = context->loaded->model;
  EntryState *states = cut(cutter, model->entry_count, sizeof(EntryState));
  int32_t width = context->pool ? tfc_core_pool_width(context->pool) : 1;
  TfcWorker *workers = cut(cutter, (size_t)width, sizeof(TfcWorker));
  int64_t *failures = cut(cutter, (size_t)width, sizeof(int64_t));
  for (uint32_t i = 0; i < model->entry_count; ++i) {
    const TfcEntry *entry = &context->program[i];
    size_t segments = (size_t)entry->bind_count + 1;
    EntryState state = {0};
    state.symbols = cut(cutter, entry->symbol_count, sizeof(int64_t));
    state.values = cut(cutter, entry->value_count, sizeof(int64_t));
    state.arenas = cut(cutter, segments, sizeof(Room));
    state.arena_pointers = cut(cutter, segments, sizeof(uint8_t *));
    state.input_rooms = cut(cutter, entry->input_count, sizeof(Room));
    state.output_rooms = cut(cutter, entry->output_count, sizeof(Room));
    state.inputs = cut(cutter, entry->input_count, sizeof(uint8_t *));
    state.outputs = cut(cutter, entry->output_count, sizeof(uint8_t *));
    if (states)
      states[i] = state;
  }
  context->entries = states;
  context->workers = workers;
  context->first_failure = failures;
}

static void releaseRooms(TfcContext *context) {
  const TfcModel *model = context->loaded->model;
  for (uint32_t i = 0; context->entries && i < model->entry_count; ++i) {
    EntryState *state = &context->entries[i];
    for (uint32_t k = 0; k <= context->program[i].bind_count; ++k)
      giveBack(context, &state->arenas[k]);
    for (uint32_t k = 0; k < context->program[i].input_count; ++k)
      giveBack(context, &state->input_rooms[k]);
    for (uint32_t k = 0; k < context->program[i].output_count; ++k)
      giveBack(context, &state->output_rooms[k]);
  }
  giveBack(context, &context->scratch);
}

/*===-- Create and destroy
 * -------------------------------------------------------------------------------===*/

static int32_t readOptions(const TfcContextOptions *given, TfcContextOptions *options) {
  memset(options, 0, sizeof(*options));
  if (given) {
    if (given->bytes < sizeof(uint64_t) + sizeof(int32_t))
      return tfc_core_fail(TFC_BAD_ARGUMENT, "options.bytes is %llu: set it to sizeof(TfcContextOptions)",
                           (unsigned long long)given->bytes);
    memcpy(options, given, given->bytes < sizeof(*options) ? (size_t)given->bytes : sizeof(*options));
  }
  if (options->threads < 0 || options->threads > TFC_MAX_THREADS)
    return tfc_core_fail(TFC_BAD_ARGUMENT, "threads is %d; it must lie between 0 (all that are ours) and %d",
                         options->threads, TFC_MAX_THREADS);
  if (options->executor && (options->executor_width < 1 || options->executor_width > TFC_MAX_THREADS))
    return tfc_core_fail(TFC_BAD_ARGUMENT, "executor_width is %d; it must lie between 1 and %d",
                         options->executor_width, TFC_MAX_THREADS);
  if (options->device_type < 0 || options->device_type > 2)
    return tfc_core_fail(TFC_BAD_ARGUMENT, "device_type is %d; it must be 1 (CPU), 2 (CUDA) or 0 (what the model is compiled for)",
                         options->device_type);
  if (!options->allocate != !options->release)
    return tfc_core_fail(TFC_BAD_ARGUMENT, "allocate and release must be given together");
  return TFC_OK;
}

/* Whose entries the context runs, and on what. */
static int32_t chooseDevice(TfcContext *context) {
  TfcLoaded *loaded = context->loaded;
  bool wantsCpu = context->options.device_type == 1 || (context->options.device_type == 0 && loaded->has_cpu);
  context->program = loaded->model->entries;
  context->binders = loaded->binders;
  if (!wantsCpu)
    return tfc_cuda_create_state(context);
  if (loaded->cpu_refusal.length)
    return tfc_core_fail(TFC_UNSUPPORTED_CPU, "%s", loaded->cpu_refusal.text);
  if (!loaded->has_cpu)
    return tfc_core_fail(TFC_UNSUPPORTED_CPU, "model '%s' has no code for CPUs: it runs on a GPU, or compile it with --target=cpu,...",
                         loaded->model->name);
  return TFC_OK;
}

int32_t tfc_core_context_create(TfcLoaded *loaded, const TfcContextOptions *given, TfcContext **result) {
  if (!loaded || !result)
    return tfc_core_fail(TFC_BAD_ARGUMENT, "context_create: %s is null",
                         loaded ? "the place for the result" : "the model");
  *result = NULL;
  TfcContextOptions options;
  int32_t code = readOptions(given, &options);
  if (code)
    return code;
  TfcContext *context = calloc(1, sizeof(*context));
  if (!context)
    return tfc_core_fail(TFC_OUT_OF_MEMORY, "no memory for a context");
  context->options = options;
  context->loaded = loaded;
  atomic_flag_clear(&context->busy);
  atomic_fetch_add(&loaded->users, 1);
  code = chooseDevice(context);
  if (code) {
    tfc_core_context_destroy(context);
    return code;
  }
  /* A device needs no threads of ours. */
  int32_t width = context->cuda     ? 1
                  : options.executor ? options.executor_width
                  : options.threads ? options.threads
                                    : tfc_core_cpu_count();
  context->pool = tfc_core_pool_create(width, context->cuda ? NULL : options.executor, options.executor_data);
  Cutter cutter = {NULL, 0};
  if (context->pool) {
    cutEntries(&cutter, context);
    cutter = (Cutter){calloc(1, cutter.used + 16), 0};
  }
  context->block = cutter.block;
  if (!cutter.block) {
    tfc_core_context_destroy(context);
    return tfc_core_fail(TFC_OUT_OF_MEMORY, "no memory for a context of %d threads", width);
  }
  cutEntries(&cutter, context);
  *result = context;
  return TFC_OK;
}

void tfc_core_context_destroy(TfcContext *context) {
  if (!context)
    return;
  tfc_core_pool_destroy(context->pool);
  tfc_cuda_destroy_state(context);
  releaseRooms(context);
  free(context->block);
  TfcLoaded *loaded = context->loaded;
  free(context);
  tfc_core_release(loaded);
}
