/*===- CudaMemory.c - Memory of a device, and the way of inputs and outputs ---------------------------===*\
|*                                                                                                        *|
|* Part of tfc, under the Apache License v2.0 with LLVM Exceptions.                                       *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                                                *|
|*                                                                                                        *|
|* What the caller has on the device is used as it is. What lies in memory of the host has a room on the  *|
|* device, whose address stays from run to run, so that a graph need not be patched for it.               *|
|*                                                                                                        *|
\*===--------------------------------------------------------------------------------------------------===*/

#include "Cuda.h"

#include "tfc/Weights/LayoutRecipe.h"

void tfc_cuda_give_back(CudaState *state, DeviceRoom *room) {
  if (room->memory) {
    state->program->driver.synchronize(state->stream);
    state->program->driver.release(room->memory);
  }
  *room = (DeviceRoom){0, 0};
}

bool tfc_cuda_make_room(CudaState *state, DeviceRoom *room, uint64_t bytes) {
  if (bytes <= room->bytes && room->memory)
    return true;
  tfc_cuda_give_back(state, room);
  bytes = bytes ? (bytes + 255) & ~(uint64_t)255 : 256;
  if (state->program->driver.allocate(&room->memory, (size_t)bytes) != TfcCuSuccess) {
    *room = (DeviceRoom){0, 0};
    return false;
  }
  room->bytes = bytes;
  return true;
}

static int32_t makePortRoom(CudaState *state, DeviceRoom *room, int64_t bytes, const char *kind, const char *name) {
  if (tfc_cuda_make_room(state, room, (uint64_t)bytes))
    return TFC_OK;
  return tfc_core_fail(TFC_OUT_OF_MEMORY, "GPU %d has no memory for %s '%s' (%lld bytes)", state->program->ordinal, kind, name,
                       (long long)bytes);
}

/* Kernels read and write pieces of 16 bytes, and tensor maps want such addresses. What a caller has made may begin anywhere. */
static bool isAligned(const void *address) { return (uintptr_t)address % 16 == 0; }

static int64_t bytesOf(const TfcTensor *tensor) {
  return tfc_core_type_bytes(tensor->dtype, tfc_layout_count(tensor->dims, tensor->rank));
}

static int32_t copyInput(const CudaState *cuda, TfcCuPointer to, const uint8_t *from, size_t bytes, bool isOnDevice) {
  const CudaDriver *driver = &cuda->program->driver;
  TfcCuResult result = isOnDevice ? driver->copyOnDevice(to, (TfcCuPointer)(uintptr_t)from, bytes, cuda->stream)
                                  : driver->copyToDevice(to, from, bytes, cuda->stream);
  return tfc_cuda_check(driver, result, "copying inputs");
}

int32_t tfc_cuda_place_inputs(TfcContext *context, uint32_t number, const TfcTensor *inputs) {
  CudaState *cuda = context->cuda;
  CudaEntry *entry = &cuda->entries[number];
  const TfcEntry *described = &context->program[number];
  const EntryState *host = &context->entries[number];
  int32_t code = TFC_OK;
  for (uint32_t i = 0; i < described->input_count && !code; ++i) {
    int64_t bytes = bytesOf(&inputs[i]);
    bool isOnDevice = tfc_core_is_on_device(&inputs[i]);
    if (isOnDevice && bytes && isAligned(host->inputs[i])) {
      entry->inputs[i] = host->inputs[i];
      continue;
    }
    code = makePortRoom(cuda, &entry->input_rooms[i], bytes, "input", described->inputs[i].name);
    entry->inputs[i] = (const uint8_t *)(uintptr_t)entry->input_rooms[i].memory;
    if (!code && bytes)
      code = copyInput(cuda, entry->input_rooms[i].memory, host->inputs[i], (size_t)bytes, isOnDevice);
  }
  return code;
}

/* Whether the caller's own memory on the device is where the output can be made. */
static bool isMadeInPlace(TfcContext *context, uint32_t number, uint32_t output, const TfcTensor *inputs,
                          const TfcTensor *tensor, int64_t bytes) {
  const EntryState *host = &context->entries[number];
  return tfc_core_is_on_device(tensor) && bytes && isAligned(host->outputs[output]) &&
         !tfc_core_disturbs_input(&context->program[number], host, inputs, host->outputs[output], (uint64_t)bytes);
}

int32_t tfc_cuda_place_output(TfcContext *context, uint32_t number, uint32_t output, const TfcTensor *inputs,
                              const TfcTensor *tensor) {
  CudaState *cuda = context->cuda;
  CudaEntry *entry = &cuda->entries[number];
  int64_t bytes = bytesOf(tensor);
  if (isMadeInPlace(context, number, output, inputs, tensor, bytes)) {
    entry->outputs[output] = context->entries[number].outputs[output];
    return TFC_OK;
  }
  DeviceRoom *room = &entry->output_rooms[output];
  int32_t code = makePortRoom(cuda, room, bytes, "output", context->program[number].outputs[output].name);
  entry->outputs[output] = (uint8_t *)(uintptr_t)room->memory;
  return code;
}

int32_t tfc_cuda_deliver_outputs(TfcContext *context, uint32_t number, const TfcTensor *outputs) {
  CudaState *cuda = context->cuda;
  CudaEntry *entry = &cuda->entries[number];
  const CudaDriver *driver = &cuda->program->driver;
  const EntryState *host = &context->entries[number];
  TfcCuResult result = TfcCuSuccess;
  for (uint32_t i = 0; i < context->program[number].output_count && !result; ++i) {
    size_t bytes = (size_t)bytesOf(&outputs[i]);
    TfcCuPointer made = (TfcCuPointer)(uintptr_t)entry->outputs[i];
    if (!bytes || entry->outputs[i] == host->outputs[i])
      continue;
    if (tfc_core_is_on_device(&outputs[i]))
      result = driver->copyOnDevice((TfcCuPointer)(uintptr_t)host->outputs[i], made, bytes, cuda->stream);
    else
      result = driver->copyToHost(host->outputs[i], made, bytes, cuda->stream);
  }
  if (!result)
    result = driver->synchronize(cuda->stream);
  return tfc_cuda_check(driver, result, "running the model");
}
