/*===- CudaDriver.c - Finds NVIDIA's driver, if there is one ------------------------------------------===*\
|*                                                                                                        *|
|* Part of tfc, under the Apache License v2.0 with LLVM Exceptions.                                       *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                                                *|
|*                                                                                                        *|
\*===--------------------------------------------------------------------------------------------------===*/

#define _GNU_SOURCE
#include "Cuda.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

int32_t tfc_cuda_check(const CudaDriver *driver, TfcCuResult result, const char *doing) {
  if (result == TfcCuSuccess)
    return TFC_OK;
  const char *why = NULL;
  if (!driver->errorString || driver->errorString(result, &why) || !why)
    why = "an error without a name";
  return tfc_core_fail(result == TfcCuOutOfMemory ? TFC_OUT_OF_MEMORY : TFC_DEVICE_FAILED,
                       "%s failed on the GPU: %s (%d)", doing, why, result);
}

/* Asked for by its plain name, which every driver exports: an old one should be told from a broken one. */
static int32_t checkVersion(CudaDriver *driver) {
  TfcCuResult (*ask)(int *) = NULL;
  void *symbol = dlsym(driver->library, "cuDriverGetVersion");
  int version = 0;
  memcpy(&ask, &symbol, sizeof(ask));
  if (!ask || ask(&version))
    return tfc_core_fail(TFC_NO_DEVICE, "the library that should be the NVIDIA driver has no cuDriverGetVersion");
  if (version < TFC_CUDA_VERSION)
    return tfc_core_fail(TFC_NO_DEVICE, "the NVIDIA driver is too old: it knows CUDA %d.%d, and 12.0 is the least that is needed",
                         version / 1000, version % 1000 / 10);
  /* Graphs know launches that overlap since 12.3. TFC_CUDA_OVERLAP=0 turns them off, to see what they are worth. */
  const char *overlap = getenv("TFC_CUDA_OVERLAP");
  driver->overlaps = version >= 12030 && !(overlap && !strcmp(overlap, "0"));
  return TFC_OK;
}

static int32_t findFunctions(CudaDriver *driver) {
  TfcCuGetProcAddress find = NULL;
  void *symbol = dlsym(driver->library, "cuGetProcAddress_v2");
  if (!symbol)
    return tfc_core_fail(TFC_NO_DEVICE, "the NVIDIA driver has no cuGetProcAddress_v2");
  memcpy(&find, &symbol, sizeof(find));
  const struct {
    const char *name;
    void *place;
  } functions[] = {
#define X(member, name, parameters) {name, &driver->member},
      TFC_CUDA_FUNCTIONS(X)
#undef X
  };
  for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); ++i) {
    void *found = NULL;
    int status = 0;
    if (find(functions[i].name, &found, TFC_CUDA_VERSION, 0, &status) || !found)
      return tfc_core_fail(TFC_NO_DEVICE, "the NVIDIA driver has no %s of CUDA 12.0", functions[i].name);
    memcpy(functions[i].place, &found, sizeof(found));
  }
  return TFC_OK;
}

int32_t tfc_cuda_open_driver(CudaDriver *driver) {
  const char *path = secure_getenv("TFC_CUDA_DRIVER");
  memset(driver, 0, sizeof(*driver));
  driver->library = dlopen(path && *path ? path : "libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!driver->library)
    return tfc_core_fail(TFC_NO_DEVICE, "there is no NVIDIA driver on this machine (%s)",
                         path && *path ? "the library that TFC_CUDA_DRIVER names cannot be loaded"
                                       : "libcuda.so.1 cannot be loaded");
  driver->emulates = dlsym(driver->library, "tfcEmulatesGpu") != NULL;
  int32_t code = checkVersion(driver);
  if (!code)
    code = findFunctions(driver);
  TfcCuResult started = code ? TfcCuSuccess : driver->init(0);
  if (!code && started == TfcCuNoDevice)
    code = tfc_core_fail(TFC_NO_DEVICE, "the NVIDIA driver finds no GPU on this machine");
  else if (!code && started)
    code = tfc_cuda_check(driver, started, "starting the driver");
  if (code)
    tfc_cuda_close_driver(driver);
  return code;
}

void tfc_cuda_close_driver(CudaDriver *driver) {
  /* The library stays: a driver that has been started is not made to be unloaded while the program lives. */
  memset(driver, 0, sizeof(*driver));
}
