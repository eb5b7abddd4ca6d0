/*===- DeviceAccess.c - What tools want to know of a device and its memory ----------------------------===*\
|*                                                                                                        *|
|* Part of tfc, under the Apache License v2.0 with LLVM Exceptions.                                       *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                                                *|
|*                                                                                                        *|
|* Of libtfc-runtime only: no run needs it.                                                               *|
|*                                                                                                        *|
\*===--------------------------------------------------------------------------------------------------===*/

#include "Cuda.h"

#include "tfc-c/Runtime.h"

#include <string.h>

int32_t tfc_model_program(TfcOpenModel *model, int32_t device_type, int32_t device_id, const TfcProgram **program) {
  TfcLoaded *loaded = (TfcLoaded *)model;
  if (!loaded || !program)
    return tfc_core_fail(TFC_BAD_ARGUMENT, "model_program: %s is null", loaded ? "the place for the result" : "the model");
  *program = NULL;
  if (device_type == 1 || (device_type == 0 && loaded->has_cpu))
    return TFC_OK;
  CudaProgram *onDevice;
  int32_t code = tfc_cuda_program(loaded, device_id, &onDevice);
  if (!code)
    *program = onDevice->program;
  return code;
}

static int32_t copy(TfcContext *context, void *to, const void *from, uint64_t bytes, bool toDevice) {
  if (!context || (bytes && (!to || !from)))
    return tfc_core_fail(TFC_BAD_ARGUMENT, "copying memory of a run: %s is null", context ? "an address" : "the context");
  CudaState *cuda = context->cuda;
  if (!cuda || !bytes) {
    if (bytes)
      memmove(to, from, (size_t)bytes);
    return TFC_OK;
  }
  int32_t code = tfc_cuda_enter(cuda->program);
  if (code)
    return code;
  const CudaDriver *driver = &cuda->program->driver;
  TfcCuResult result = toDevice ? driver->copyToDevice((TfcCuPointer)(uintptr_t)to, from, (size_t)bytes, cuda->stream)
                                : driver->copyToHost(to, (TfcCuPointer)(uintptr_t)from, (size_t)bytes, cuda->stream);
  if (!result)
    result = driver->synchronize(cuda->stream);
  code = tfc_cuda_check(driver, result, "copying memory of a run");
  tfc_cuda_leave(cuda->program);
  return code;
}

int32_t tfc_context_fetch(TfcContext *context, void *to, const void *from, uint64_t bytes) { return copy(context, to, from, bytes, false); }

int32_t tfc_context_store(TfcContext *context, void *to, const void *from, uint64_t bytes) { return copy(context, to, from, bytes, true); }

void *tfc_context_stream(const TfcContext *context) { return context && context->cuda ? (void *)context->cuda->stream : NULL; }

/*===-- What a device can do ------------------------------------------------------------------------------===*/

/* Bytes per second that are read and written by copies on the device, the best of some. */
static int32_t measureCopies(const CudaDriver *driver, TfcCuStream stream, double *rate) {
  enum { Attempts = 6 };
  size_t bytes = (size_t)(driver->emulates ? 4 : 1024) << 20;
  TfcCuPointer rooms[2] = {0, 0};
  TfcCuEvent events[2] = {NULL, NULL};
  TfcCuResult result = TfcCuSuccess;
  for (int i = 0; i < 2 && !result; ++i)
    result = driver->allocate(&rooms[i], bytes);
  for (int i = 0; i < 2 && !result; ++i)
    result = driver->createEvent(&events[i], 0);
  for (int i = 0; i < Attempts && !result; ++i) {
    float milliseconds = 0;
    result = driver->recordEvent(events[0], stream, 0);
    if (!result)
      result = driver->copyOnDevice(rooms[1], rooms[0], bytes, stream);
    if (!result)
      result = driver->recordEvent(events[1], stream, 0);
    if (!result)
      result = driver->synchronize(stream);
    if (!result)
      result = driver->elapsedTime(&milliseconds, events[0], events[1]);
    double now = milliseconds > 0 ? 2e3 * (double)bytes / (double)milliseconds : 0;
    if (i && now > *rate) /* the first one warms up */
      *rate = now;
  }
  for (int i = 0; i < 2; ++i) {
    if (events[i])
      driver->destroyEvent(events[i]);
    if (rooms[i])
      driver->release(rooms[i]);
  }
  return tfc_cuda_check(driver, result, "measuring copies");
}

static int32_t measureOpened(CudaProgram *device, TfcDevicePeaks *peaks) {
  const CudaDriver *driver = &device->driver;
  int values[4] = {0, 0, 0, 0};
  static const int asked[] = {TfcCuCapabilityMajor, TfcCuCapabilityMinor, TfcCuMultiprocessors, TfcCuClockRate};
  TfcCuResult result = driver->deviceName(peaks->name, sizeof(peaks->name), device->device);
  for (int i = 0; i < 4 && !result; ++i)
    result = driver->deviceAttribute(&values[i], asked[i], device->device);
  int32_t code = tfc_cuda_check(driver, result, "asking the device");
  if (code)
    return code;
  peaks->capability = (uint32_t)(10 * values[0] + values[1]);
  peaks->multiprocessors = (uint32_t)values[2];
  peaks->clock_hz = 1e3 * values[3];
  code = tfc_cuda_enter(device);
  if (code)
    return code;
  TfcCuStream stream;
  code = tfc_cuda_check(driver, driver->createStream(&stream, TfcCuStreamNonBlocking), "making a stream");
  if (!code) {
    code = measureCopies(driver, stream, &peaks->copy_bytes);
    driver->destroyStream(stream);
  }
  tfc_cuda_leave(device);
  return code;
}

int32_t tfc_device_peaks(int32_t device_id, TfcDevicePeaks *peaks) {
  if (!peaks)
    return tfc_core_fail(TFC_BAD_ARGUMENT, "device_peaks: the place for the result is null");
  memset(peaks, 0, sizeof(*peaks));
  CudaProgram device = {0};
  int count = 0;
  int32_t code = tfc_cuda_open_driver(&device.driver);
  if (code)
    return code;
  const CudaDriver *driver = &device.driver;
  code = tfc_cuda_check(driver, driver->deviceCount(&count), "counting devices");
  if (!code && (device_id < 0 || device_id >= count))
    code = tfc_core_fail(TFC_NO_DEVICE, "there is no GPU %d; the driver has %d", device_id, count);
  if (!code)
    code = tfc_cuda_check(driver, driver->deviceGet(&device.device, device_id), "finding the device");
  if (!code)
    code = tfc_cuda_check(driver, driver->retainContext(&device.context, device.device), "opening the device");
  if (!code) {
    code = measureOpened(&device, peaks);
    driver->releaseContext(device.device);
  }
  tfc_cuda_close_driver(&device.driver);
  return code;
}
