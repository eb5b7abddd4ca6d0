/*===- Launch.c - The launch door: every tile of a kernel, once ---------------------------------------===*\
|*                                                                                                        *|
|* Part of tfc, under the Apache License v2.0 with LLVM Exceptions.                                       *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                                                *|
|*                                                                                                        *|
\*===--------------------------------------------------------------------------------------------------===*/

#include "Core.h"

/* Below this much work a launch is done before a second thread has noticed it. */
enum { SmallFlops = 60000, SmallBytes = 32768 };

typedef struct Job {
  TfcContext *context;
  TfcKernelFn kernel;
  const uint64_t *args;
  TfcEvent event; /**< of the launch; `tell` says whether tiles are told of */
  bool tell;
} Job;

static void tellTiles(const Job *job, int32_t worker, int64_t begin, int64_t end, int32_t after) {
  TfcEvent event = job->event;
  event.kind = TFC_EVENT_TILES;
  event.after = after;
  event.worker = worker;
  event.begin = begin;
  event.end = end;
  job->context->options.profiler(job->context->options.profiler_data, &event);
}

/* A kernel notes the first failed check of each call. The record of the lowest tiles is kept: tiles ascend
   within a call, so it is the same check whatever the split, as a user who runs it again expects. */
static void runTiles(void *data, int32_t number, int64_t begin, int64_t end) {
  const Job *job = data;
  TfcWorker *kept = &job->context->workers[number];
  TfcWorker worker = {kept->scratch, number, -1, 0, 0};
  if (job->tell)
    tellTiles(job, number, begin, end, 0);
  job->kernel(job->args, begin, end, &worker);
  if (job->tell)
    tellTiles(job, number, begin, end, 1);
  int64_t *first = &job->context->first_failure[number];
  if (worker.failed_check >= 0 && begin < *first) {
    *kept = worker;
    *first = begin;
  }
}

static int32_t makeScratch(TfcContext *context, int64_t bytes) {
  int32_t width = tfc_core_pool_width(context->pool);
  int64_t each = tfc_core_add(bytes, 63) & ~(int64_t)63, all = tfc_core_multiply(each, width);
  if (bytes < 0 || !tfc_core_make_room(context, &context->scratch, (uint64_t)all))
    return tfc_core_fail(TFC_OUT_OF_MEMORY, "no memory for %lld bytes of scratch for each of %d threads",
                         (long long)bytes, width);
  for (int32_t i = 0; i < width; ++i) {
    context->workers[i] = (TfcWorker){context->scratch.memory + i * each, i, -1, 0, 0};
    context->first_failure[i] = INT64_MAX;
  }
  return TFC_OK;
}

int32_t tfc_core_bad_index(const TfcLaunch *launch, int32_t check, int64_t value, int64_t bound) {
  const char *where = (uint32_t)check < launch->check_count ? launch->checks[check]
                      : launch->node_count                  ? launch->nodes[0]
                                                            : "an unnamed node";
  return tfc_core_fail(TFC_BAD_INDEX, "index %lld is outside [%lld, %lld) in %s", (long long)value,
                       (long long)(bound < 0 ? bound : 0), (long long)(bound < 0 ? -bound : bound), where);
}

static int32_t reportFailure(TfcContext *context, const TfcLaunch *launch) {
  int32_t width = tfc_core_pool_width(context->pool), lowest = 0;
  for (int32_t i = 1; i < width; ++i)
    if (context->first_failure[i] < context->first_failure[lowest])
      lowest = i;
  const TfcWorker *worker = &context->workers[lowest];
  if (worker->failed_check < 0)
    return TFC_OK;
  return tfc_core_bad_index(launch, worker->failed_check, worker->failed_value, worker->failed_bound);
}

static int32_t runLaunch(TfcContext *context, const TfcLaunch *launch, const int64_t *values, Job *job, int64_t tiles) {
  int32_t code = makeScratch(context, values[launch->scratch]);
  if (code)
    return code;
  int64_t flops = values[launch->flops], bytes = values[launch->bytes];
  bool small = (flops > 0 || bytes > 0) && flops < SmallFlops && bytes < SmallBytes;
  if (small)
    runTiles(job, 0, 0, tiles);
  else
    tfc_core_pool_run(context->pool, tiles, runTiles, job);
  return reportFailure(context, launch);
}

/* A profiler is told around all of it, so that next to nothing of a run is left between two launches. */
int32_t tfc_core_launch(TfcRun *shown, uint32_t number, const uint64_t *args) {
  Run *run = shown->owner;
  TfcContext *context = run->context;
  if (number >= run->entry->launch_count)
    return tfc_core_fail(TFC_BAD_ARTIFACT, "the host program calls launch %u of %u", number,
                         run->entry->launch_count);
  const TfcLaunch *launch = &run->entry->launches[number];
  const int64_t *values = run->state->values;
  int64_t tiles = values[launch->tiles];
  if (tiles <= 0)
    return TFC_OK;
  if (tiles >= (int64_t)1 << 40)
    return tfc_core_fail(TFC_OUT_OF_MEMORY, "a kernel of node '%s' would have %lld tiles",
                         launch->node_count ? launch->nodes[0] : "?", (long long)tiles);
  TfcEvent event = {TFC_EVENT_LAUNCH, 0, run->entry, values, number, 0, 0, 0, args};
  tfc_core_tell(context, &event);
  Job job = {context, context->loaded->kernels[launch->kernel], args, event,
             tfc_core_wants(context, TFC_EVENT_TILES)};
  int32_t code = runLaunch(context, launch, values, &job, tiles);
  event.after = 1;
  tfc_core_tell(context, &event);
  return code;
}
