/*===- CudaRun.c - Runs on a device -------------------------------------------------------------------===*\
|*                                                                                                        *|
|* Part of tfc, under the Apache License v2.0 with LLVM Exceptions.                                       *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                                                *|
|*                                                                                                        *|
\*===--------------------------------------------------------------------------------------------------===*/

#include "Cuda.h"

#include <stdlib.h>
#include <string.h>

/* What a kernel's parameters take at most; the driver's own limit. */
enum { MostParameterBytes = 4096, MostParameters = MostParameterBytes / 8 };

/*===-- The launch door -----------------------------------------------------------------------------------===*/

static int mapType(TfcDataType type) {
  switch (type.code) {
  case TFC_BFLOAT:
    return TfcCuMapBF16;
  case TFC_FLOAT:
    return type.bits == 16 ? TfcCuMapF16 : type.bits == 32 ? TfcCuMapF32 : TfcCuMapF64;
  default:
    return type.bits == 8 ? TfcCuMapU8 : type.bits == 16 ? TfcCuMapU16 : type.bits == 32 ? TfcCuMapU32 : TfcCuMapU64;
  }
}

static int32_t encodeMap(const CudaState *cuda, const TfcTensorMap *map, const int64_t *values, const uint64_t *args,
                         TfcCuTensorMap *encoded) {
  uint64_t dims[5], strides[4];
  uint32_t steps[5] = {1, 1, 1, 1, 1};
  for (uint32_t i = 0; i < map->rank; ++i) {
    dims[i] = (uint64_t)values[map->dims[i]];
    if (i > 0)
      strides[i - 1] = (uint64_t)values[map->strides[i - 1]];
  }
  int swizzle = map->swizzle == 128  ? TfcCuSwizzle128
                : map->swizzle == 64 ? TfcCuSwizzle64
                : map->swizzle == 32 ? TfcCuSwizzle32
                                     : TfcCuSwizzleNone;
  void *address = (void *)(uintptr_t)(args[map->word] + (uint64_t)values[map->offset]);
  const CudaDriver *driver = &cuda->program->driver;
  return tfc_cuda_check(driver,
                        driver->encodeMap(encoded, mapType(map->dtype), map->rank, address, dims, strides, map->box, steps,
                                          /*interleave=*/0, swizzle, TfcCuPromote256, /*fill=*/0),
                        "describing a tensor");
}

static int32_t launchStep(const CudaState *cuda, const TapeEntry *step) {
  void *parameters[MostParameters + 1];
  uint32_t count = 0;
  uint8_t *maps = step->parameters + (size_t)step->word_count * sizeof(uint64_t);
  for (uint32_t i = 0; i < step->word_count; ++i)
    parameters[count++] = step->parameters + (size_t)i * sizeof(uint64_t);
  for (uint32_t i = 0; i < step->step->map_count; ++i)
    parameters[count++] = maps + (size_t)i * sizeof(TfcCuTensorMap);
  const CudaDriver *driver = &cuda->program->driver;
  TfcCuLaunchAttribute attributes[2] = {{0, {0}, {{0}}}, {0, {0}, {{0}}}};
  uint32_t attribute_count = 0;
  if (step->step->cluster > 1) {
    TfcCuLaunchAttribute *cluster = &attributes[attribute_count++];
    cluster->id = TfcCuClusterDimension;
    cluster->value.cluster.x = step->step->cluster;
    cluster->value.cluster.y = cluster->value.cluster.z = 1;
  }
  if (step->step->overlaps && driver->overlaps) {
    attributes[attribute_count].id = TfcCuSerialization;
    attributes[attribute_count++].value.overlaps = 1;
  }
  TfcCuLaunchConfig config = {{step->grid[0], step->grid[1], step->grid[2]},
                              {step->step->block, 1, 1},
                              step->step->shared,
                              cuda->stream,
                              attributes,
                              attribute_count};
  return tfc_cuda_check(driver, driver->launch(&config, step->function, parameters, NULL), step->step->function);
}

/* -1: an extent does not fit; 0: nothing to do, however large another extent is. */
static int readGrid(const TfcStep *step, const int64_t *values, unsigned *grid) {
  int result = 1;
  for (int i = 0; i < 3; ++i) {
    int64_t extent = values[step->grid[i]];
    if (extent == 0)
      return 0;
    if (extent < 0 || extent > (i ? 65535 : INT32_MAX))
      result = -1;
    grid[i] = (unsigned)extent;
  }
  return result;
}

static int32_t runStep(Run *run, uint32_t number, const TfcStep *step, TfcCuFunction function, const uint64_t *args) {
  CudaState *cuda = run->context->cuda;
  const TfcDeviceLaunch *device = &cuda->program->program->launches[run->number][number];
  const TfcLaunch *launch = &run->entry->launches[number];
  _Alignas(64) uint8_t parameters[MostParameterBytes];
  TapeEntry entry = {function, NULL, step, {0, 0, 0}, device->word_count + 2, parameters};
  const int64_t *values = run->state->values;
  int runs = readGrid(step, values, entry.grid);
  if (runs < 0)
    return tfc_core_fail(TFC_OUT_OF_MEMORY, "a kernel of node '%s' is too large for the GPU",
                         launch->node_count ? launch->nodes[0] : "?");
  if (!runs)
    return TFC_OK;
  uint64_t *words = (uint64_t *)(void *)parameters;
  memcpy(words, args, device->word_count * sizeof(uint64_t));
  words[device->word_count] = cuda->workspace.memory;
  words[device->word_count + 1] = cuda->entries[run->number].status.memory + number * sizeof(TfcDeviceStatus);
  uint8_t *maps = parameters + (size_t)entry.word_count * sizeof(uint64_t);
  for (uint32_t i = 0; i < step->map_count; ++i) {
    TfcCuTensorMap encoded;
    int32_t code = encodeMap(cuda, &step->maps[i], values, args, &encoded);
    if (code)
      return code;
    memcpy(maps + i * sizeof(encoded), &encoded, sizeof(encoded));
  }
  if (cuda->mode == DoorPatches)
    return tfc_cuda_patch_step(run->context, &entry);
  int32_t code = launchStep(cuda, &entry);
  return code || cuda->mode != DoorCaptures ? code : tfc_cuda_note_step(run->context, &entry);
}

/* Grows the scratch of kernels; outside of captures only, where it has been made large enough before. */
static int32_t makeWorkspace(CudaState *cuda, int64_t bytes) {
  if (bytes >= 0 && bytes < INT64_MAX && tfc_cuda_make_room(cuda, &cuda->workspace, (uint64_t)bytes))
    return TFC_OK;
  return tfc_core_fail(TFC_OUT_OF_MEMORY, "GPU %d has no memory for %lld bytes of scratch", cuda->program->ordinal,
                       (long long)bytes);
}

static int32_t launchOnDevice(TfcRun *shown, uint32_t number, const uint64_t *args) {
  Run *run = shown->owner;
  CudaState *cuda = run->context->cuda;
  if (number >= run->entry->launch_count)
    return tfc_core_fail(TFC_BAD_ARTIFACT, "the host program calls launch %u of %u", number, run->entry->launch_count);
  const TfcDeviceLaunch *launch = &cuda->program->program->launches[run->number][number];
  const TfcCuFunction *functions =
      cuda->program->functions + cuda->program->first_function[run->number][number];
  int32_t code = makeWorkspace(cuda, run->state->values[launch->workspace]);
  TfcEvent event = {TFC_EVENT_LAUNCH, 0, run->entry, run->state->values, number, 0, 0, 0, args};
  tfc_core_tell(run->context, &event);
  if (!code)
    code = tfc_cuda_mark_before(run);
  for (uint32_t i = 0; i < launch->step_count && !code; ++i)
    code = runStep(run, number, &launch->steps[i], functions[i], args);
  if (!code && tfc_core_wants(run->context, TFC_EVENT_LAUNCH))
    code = tfc_cuda_check(&cuda->program->driver, cuda->program->driver.synchronize(cuda->stream), "running a kernel");
  if (!code && tfc_core_wants(run->context, TFC_EVENT_LAUNCH)) {
    event.after = 1;
    tfc_core_tell(run->context, &event);
  }
  return code ? code : tfc_cuda_mark_launch(run, number);
}

/*===-- What comes back -----------------------------------------------------------------------------------===*/

static int32_t readBack(CudaState *cuda, void *to, TfcCuPointer from, uint64_t bytes) {
  const CudaDriver *driver = &cuda->program->driver;
  TfcCuResult result = driver->copyToHost(to, from, (size_t)bytes, cuda->stream);
  if (!result)
    result = driver->synchronize(cuda->stream);
  return tfc_cuda_check(driver, result, "running the model");
}

/* The failed check of the first launch that had one, as on a CPU, which would have stopped there. */
static int32_t checkStatus(Run *run) {
  CudaState *cuda = run->context->cuda;
  CudaEntry *entry = &cuda->entries[run->number];
  if (!entry->has_checks)
    return TFC_OK;
  uint32_t count = run->entry->launch_count;
  int32_t code = readBack(cuda, entry->host_status, entry->status.memory, count * sizeof(TfcDeviceStatus));
  for (uint32_t i = 0; i < count && !code; ++i) {
    const TfcDeviceStatus *status = &entry->host_status[i];
    if (status->tile != UINT64_MAX)
      code = tfc_core_bad_index(&run->entry->launches[i], status->check, status->value, status->bound);
  }
  return code;
}

static int32_t fetchFromDevice(TfcRun *shown, const void *data, uint64_t bytes, void *result) {
  Run *run = shown->owner;
  int32_t code = readBack(run->context->cuda, result, (TfcCuPointer)(uintptr_t)data, bytes);
  return code ? code : checkStatus(run);
}

static int32_t bindFromDevice(TfcRun *shown, uint32_t number, const int64_t *data) {
  Run *run = shown->owner;
  if (number >= run->entry->bind_count)
    return tfc_core_bind(shown, number, data);
  uint32_t count = run->entry->binds[number].symbol_count;
  int64_t *numbers = calloc((size_t)count + 1, sizeof(int64_t));
  if (!numbers)
    return tfc_core_fail(TFC_OUT_OF_MEMORY, "no memory for %u numbers", count);
  int32_t code = fetchFromDevice(shown, data, count * sizeof(int64_t), numbers);
  if (!code)
    code = tfc_core_bind(shown, number, numbers);
  free(numbers);
  return code;
}

static int32_t refuseExtern(TfcRun *run, const char *name, TfcTensor *tensors, uint32_t input_count, uint32_t output_count) {
  (void)run, (void)tensors, (void)input_count, (void)output_count;
  return tfc_core_fail(TFC_NOT_FOUND, "the model calls operator '%s' of the host, which runs on the CPU alone", name);
}

/*===-- A run ---------------------------------------------------------------------------------------------===*/

int32_t tfc_cuda_make_arena(TfcContext *context, uint32_t number, uint32_t segment, uint64_t bytes) {
  CudaState *cuda = context->cuda;
  DeviceRoom *room = &cuda->entries[number].arenas[segment];
  if (!tfc_cuda_make_room(cuda, room, bytes))
    return tfc_core_fail(TFC_OUT_OF_MEMORY, "GPU %d has no memory for an arena of %llu bytes", cuda->program->ordinal,
                         (unsigned long long)bytes);
  cuda->entries[number].arena_pointers[segment] = (uint8_t *)(uintptr_t)room->memory;
  return TFC_OK;
}

/* Everything that the inputs decide: their way to the device, memory, places of the outputs. */
static int32_t prepare(Run *run) {
  TfcContext *context = run->context;
  CudaState *cuda = context->cuda;
  CudaEntry *entry = &cuda->entries[run->number];
  const TfcEntry *described = run->entry;
  const CudaDriver *driver = &cuda->program->driver;
  int32_t code = TFC_OK;
  if (!tfc_cuda_make_room(cuda, &entry->status, described->launch_count * sizeof(TfcDeviceStatus)))
    code = tfc_core_fail(TFC_OUT_OF_MEMORY, "GPU %d has no memory left", cuda->program->ordinal);
  if (!code && entry->has_checks)
    code = tfc_cuda_check(driver, driver->fill(entry->status.memory, 0xFF, described->launch_count * sizeof(TfcDeviceStatus), cuda->stream),
                          "starting a run");
  if (!code)
    code = tfc_cuda_make_events(context, run->number);
  if (!code)
    code = tfc_core_gather_inputs(context, described, run->state, run->inputs);
  if (!code)
    code = tfc_cuda_place_inputs(context, run->number, run->inputs);
  if (!code)
    code = tfc_core_make_arena(context, described, run->state, 0);
  for (uint32_t i = 0; i < described->output_count && !code; ++i) {
    entry->outputs[i] = (uint8_t *)(uintptr_t)entry->status.memory; /* until its dims are known */
    run->state->outputs[i] = tfc_core_nowhere();
    if (tfc_core_output_segment(described, i) == 0)
      code = tfc_core_place_output(context, described, run->state, i, run->inputs, run->outputs);
  }
  for (uint32_t i = 0; i < described->launch_count && !code; ++i) {
    uint32_t value = cuda->program->program->launches[run->number][i].workspace;
    if (described->values[value].segment == 0)
      code = makeWorkspace(cuda, run->state->values[value]);
  }
  return code;
}

/* Where what runs depends on what is computed, there is no sequence to capture. A profiler may want the launches one by one. */
static bool canBeGraph(const Run *run) {
  return run->entry->bind_count == 0 && run->context->cuda->program->program->fetches[run->number] == 0 &&
         run->entry->launch_count > 0 && !tfc_core_wants(run->context, TFC_EVENT_LAUNCH);
}

/* Launches one by one. */
static int32_t runSteps(Run *run) {
  int32_t code = tfc_cuda_mark_start(run->context, run->number);
  return code ? code : run->entry->run(&run->shown);
}

static int32_t runInside(Run *run) {
  int32_t code = prepare(run);
  bool isGraph = false;
  if (!code)
    code = tfc_cuda_mark_run(run, /*end=*/false);
  if (!code && canBeGraph(run))
    code = tfc_cuda_run_graph(run->context, run->number, run, &isGraph);
  if (!code && !isGraph)
    code = runSteps(run);
  if (!code)
    code = tfc_cuda_mark_run(run, /*end=*/true);
  if (!code)
    code = checkStatus(run);
  if (!code)
    code = tfc_cuda_deliver_outputs(run->context, run->number, run->outputs);
  if (!code)
    code = tfc_cuda_tell(run, isGraph);
  if (code) /* what is under way still reads the rooms of this run */
    run->context->cuda->program->driver.synchronize(run->context->cuda->stream);
  else
    tfc_core_deliver_outputs(run->context, run->entry, run->state, run->outputs);
  return code;
}

int32_t tfc_cuda_run(TfcContext *context, uint32_t number, const TfcTensor *inputs, TfcTensor *outputs) {
  static const TfcRunTable table = {sizeof(TfcRunTable), launchOnDevice, bindFromDevice, refuseExtern, fetchFromDevice};
  CudaState *cuda = context->cuda;
  CudaEntry *entry = &cuda->entries[number];
  EntryState *state = &context->entries[number];
  Run run = {{&table, state->values, entry->inputs, entry->outputs, entry->arena_pointers,
              (const uint8_t *)(uintptr_t)cuda->program->weights, &run},
             context,
             &context->program[number],
             number,
             state,
             inputs,
             outputs};
  int32_t code = tfc_cuda_enter(cuda->program);
  if (code)
    return code;
  code = runInside(&run);
  tfc_cuda_leave(cuda->program);
  return code;
}

/*===-- Contexts ------------------------------------------------------------------------------------------===*/

static bool makeEntry(const TfcEntry *described, CudaEntry *entry) {
  uint32_t segments = described->bind_count + 1, inputs = described->input_count, outputs = described->output_count;
  entry->arenas = calloc(segments, sizeof(DeviceRoom));
  entry->arena_pointers = calloc(segments, sizeof(uint8_t *));
  entry->input_rooms = calloc((size_t)inputs + 1, sizeof(DeviceRoom));
  entry->inputs = calloc((size_t)inputs + 1, sizeof(uint8_t *));
  entry->output_rooms = calloc((size_t)outputs + 1, sizeof(DeviceRoom));
  entry->outputs = calloc((size_t)outputs + 1, sizeof(uint8_t *));
  entry->host_status = calloc((size_t)described->launch_count + 1, sizeof(TfcDeviceStatus));
  for (uint32_t i = 0; i < described->launch_count; ++i)
    entry->has_checks = entry->has_checks || described->launches[i].check_count;
  return entry->arenas && entry->arena_pointers && entry->input_rooms && entry->inputs && entry->output_rooms &&
         entry->outputs && entry->host_status;
}

int32_t tfc_cuda_create_state(TfcContext *context) {
  CudaProgram *program;
  int32_t code = tfc_cuda_program(context->loaded, context->options.device_id, &program);
  if (code)
    return code;
  uint32_t count = context->loaded->model->entry_count;
  CudaState *state = calloc(1, sizeof(*state));
  if (state)
    state->entries = calloc((size_t)count + 1, sizeof(CudaEntry));
  if (!state || !state->entries) {
    free(state);
    return tfc_core_fail(TFC_OUT_OF_MEMORY, "no memory for a context");
  }
  state->program = program;
  context->cuda = state;
  context->program = program->program->entries;
  context->binders = program->binders;
  for (uint32_t e = 0; e < count; ++e)
    if (!makeEntry(&context->program[e], &state->entries[e]))
      return tfc_core_fail(TFC_OUT_OF_MEMORY, "no memory for a context");
  state->stream = context->options.stream;
  if (state->stream)
    return TFC_OK;
  code = tfc_cuda_enter(program);
  if (code)
    return code;
  code = tfc_cuda_check(&program->driver, program->driver.createStream(&state->stream, TfcCuStreamNonBlocking), "making a stream");
  state->owns_stream = !code;
  tfc_cuda_leave(program);
  return code;
}

static void destroyEntry(CudaState *state, const TfcEntry *described, CudaEntry *entry) {
  tfc_cuda_destroy_graphs(state, entry->graphs);
  tfc_cuda_destroy_events(state, entry, described->launch_count);
  for (uint32_t i = 0; entry->arenas && i <= described->bind_count; ++i)
    tfc_cuda_give_back(state, &entry->arenas[i]);
  for (uint32_t i = 0; entry->input_rooms && i < described->input_count; ++i)
    tfc_cuda_give_back(state, &entry->input_rooms[i]);
  for (uint32_t i = 0; entry->output_rooms && i < described->output_count; ++i)
    tfc_cuda_give_back(state, &entry->output_rooms[i]);
  tfc_cuda_give_back(state, &entry->status);
  free(entry->arenas);
  free(entry->arena_pointers);
  free(entry->input_rooms);
  free(entry->inputs);
  free(entry->output_rooms);
  free(entry->outputs);
  free(entry->host_status);
}

void tfc_cuda_destroy_state(TfcContext *context) {
  CudaState *state = context->cuda;
  if (!state)
    return;
  bool entered = tfc_cuda_enter(state->program) == TFC_OK;
  for (uint32_t e = 0; e < context->loaded->model->entry_count; ++e)
    destroyEntry(state, &context->program[e], &state->entries[e]);
  tfc_cuda_give_back(state, &state->workspace);
  if (state->owns_stream)
    state->program->driver.destroyStream(state->stream);
  if (entered)
    tfc_cuda_leave(state->program);
  free(state->entries);
  free(state);
  context->cuda = NULL;
}
