/*===- CudaEvents.c - When launches run, by the device's clock ----------------------------------------===*\
|*                                                                                                        *|
|* Part of tfc, under the Apache License v2.0 with LLVM Exceptions.                                       *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                                                *|
|*                                                                                                        *|
|* For a profiler that asks for TFC_EVENT_DEVICE. A run that is a graph has an event node behind every    *|
|* launch, so kernels follow each other as they do without a profiler, and are told of when all is over:  *|
|* a launch begins where the one before it ended. Runs without a graph may do a launch more than once;    *|
|* there each is waited for and told of by itself.                                                        *|
|*                                                                                                        *|
\*===--------------------------------------------------------------------------------------------------===*/

#include "Cuda.h"

#include <stdlib.h>

/* Behind those of the launches, whose ends are events 1 and up. */
static uint32_t beforeLaunch(const TfcEntry *entry) { return entry->launch_count + 1; }
static uint32_t runBegin(const TfcEntry *entry) { return entry->launch_count + 2; }
static uint32_t runEnd(const TfcEntry *entry) { return entry->launch_count + 3; }
static uint32_t eventCount(uint32_t launch_count) { return launch_count + 4; }

int32_t tfc_cuda_make_events(TfcContext *context, uint32_t number) {
  CudaState *cuda = context->cuda;
  CudaEntry *entry = &cuda->entries[number];
  const CudaDriver *driver = &cuda->program->driver;
  if (entry->events || !(tfc_core_wants(context, TFC_EVENT_DEVICE) || tfc_core_wants(context, TFC_EVENT_DEVICE_RUN)))
    return TFC_OK;
  uint32_t launches = context->program[number].launch_count;
  TfcCuEvent *events = calloc(eventCount(launches), sizeof(*events));
  if (!events)
    return tfc_core_fail(TFC_OUT_OF_MEMORY, "no memory for the events of a profile");
  entry->events = events;
  int32_t code = TFC_OK;
  for (uint32_t i = 0; i < eventCount(launches) && !code; ++i)
    code = tfc_cuda_check(driver, driver->createEvent(&events[i], 0), "making an event");
  if (code)
    tfc_cuda_destroy_events(cuda, entry, launches);
  return code;
}

void tfc_cuda_destroy_events(CudaState *state, CudaEntry *entry, uint32_t launch_count) {
  for (uint32_t i = 0; entry->events && i < eventCount(launch_count); ++i)
    if (entry->events[i])
      state->program->driver.destroyEvent(entry->events[i]);
  free(entry->events);
  entry->events = NULL;
}

static int32_t record(const CudaState *cuda, TfcCuEvent event) {
  const CudaDriver *driver = &cuda->program->driver;
  return tfc_cuda_check(driver, driver->recordEvent(event, cuda->stream, cuda->mode == DoorCaptures ? TfcCuRecordExternal : 0),
                        "recording an event");
}

int32_t tfc_cuda_mark_start(TfcContext *context, uint32_t number) {
  const CudaEntry *entry = &context->cuda->entries[number];
  return tfc_core_wants(context, TFC_EVENT_DEVICE) ? record(context->cuda, entry->events[0]) : TFC_OK;
}

int32_t tfc_cuda_mark_before(Run *run) {
  const CudaState *cuda = run->context->cuda;
  const CudaEntry *entry = &cuda->entries[run->number];
  return tfc_core_wants(run->context, TFC_EVENT_DEVICE) && cuda->mode == DoorLaunches ? record(cuda, entry->events[beforeLaunch(run->entry)])
                                                                                       : TFC_OK;
}

int32_t tfc_cuda_mark_run(Run *run, bool end) {
  const CudaState *cuda = run->context->cuda;
  const TfcCuEvent *events = cuda->entries[run->number].events;
  return tfc_core_wants(run->context, TFC_EVENT_DEVICE_RUN) ? record(cuda, events[end ? runEnd(run->entry) : runBegin(run->entry)]) : TFC_OK;
}

static int32_t tell(Run *run, uint32_t launch, TfcCuEvent begin) {
  const CudaState *cuda = run->context->cuda;
  const CudaDriver *driver = &cuda->program->driver;
  const TfcCuEvent *events = cuda->entries[run->number].events;
  float began = 0, took = 0;
  TfcCuResult result = driver->elapsedTime(&began, events[0], begin);
  if (!result)
    result = driver->elapsedTime(&took, begin, events[launch + 1]);
  int32_t code = tfc_cuda_check(driver, result, "reading an event");
  int64_t from = (int64_t)((double)began * 1e6);
  TfcEvent event = {TFC_EVENT_DEVICE, 1, run->entry, run->state->values, launch, 0, from, from + (int64_t)((double)took * 1e6), NULL};
  if (!code)
    tfc_core_tell(run->context, &event);
  return code;
}

int32_t tfc_cuda_mark_launch(Run *run, uint32_t launch) {
  const CudaState *cuda = run->context->cuda;
  const CudaDriver *driver = &cuda->program->driver;
  const TfcCuEvent *events = cuda->entries[run->number].events;
  if (!tfc_core_wants(run->context, TFC_EVENT_DEVICE) || cuda->mode == DoorPatches)
    return TFC_OK;
  int32_t code = record(cuda, events[launch + 1]);
  if (code || cuda->mode == DoorCaptures)
    return code;
  code = tfc_cuda_check(driver, driver->synchronize(cuda->stream), "running a kernel");
  return code ? code : tell(run, launch, events[beforeLaunch(run->entry)]);
}

static int32_t tellRun(Run *run) {
  const CudaState *cuda = run->context->cuda;
  const CudaDriver *driver = &cuda->program->driver;
  const TfcCuEvent *events = cuda->entries[run->number].events;
  float took = 0;
  int32_t code = tfc_cuda_check(driver, driver->elapsedTime(&took, events[runBegin(run->entry)], events[runEnd(run->entry)]), "reading an event");
  TfcEvent event = {TFC_EVENT_DEVICE_RUN, 1, run->entry, run->state->values, 0, 0, 0, (int64_t)((double)took * 1e6), NULL};
  if (!code)
    tfc_core_tell(run->context, &event);
  return code;
}

int32_t tfc_cuda_tell(Run *run, bool isGraph) {
  const TfcCuEvent *events = run->context->cuda->entries[run->number].events;
  int32_t code = TFC_OK;
  if (isGraph && tfc_core_wants(run->context, TFC_EVENT_DEVICE))
    for (uint32_t i = 0; i < run->entry->launch_count && !code; ++i)
      code = tell(run, i, events[i]);
  return code || !tfc_core_wants(run->context, TFC_EVENT_DEVICE_RUN) ? code : tellRun(run);
}
