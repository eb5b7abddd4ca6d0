/*===- CudaProgram.c - Puts a model on a device: code, functions, weights -----------------------------===*\
|*                                                                                                        *|
|* Part of tfc, under the Apache License v2.0 with LLVM Exceptions.                                       *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                                                *|
|*                                                                                                        *|
\*===--------------------------------------------------------------------------------------------------===*/

#include "Cuda.h"

#include <stdlib.h>

int32_t tfc_cuda_enter(CudaProgram *program) {
  return tfc_cuda_check(&program->driver, program->driver.pushContext(program->context), "entering the device's context");
}

void tfc_cuda_leave(CudaProgram *program) {
  TfcCuContext context;
  program->driver.popContext(&context);
}

/*===-- Which program -----------------------------------------------------------------------------------===*/

static bool fits(const CudaDriver *driver, const TfcProgram *program, int capability) {
  uint32_t kind = driver->emulates ? TFC_PROGRAM_EMULATED : TFC_PROGRAM_CUDA;
  return program->kind == kind && (program->exact ? (int)program->capability == capability
                                                  : (int)program->capability <= capability);
}

static int32_t chooseProgram(const TfcModel *model, CudaProgram *result, int capability) {
  Sentence had = {{0}, 0};
  for (uint32_t i = 0; i < model->program_count; ++i) {
    if (fits(&result->driver, &model->programs[i], capability)) {
      result->program = &model->programs[i];
      return TFC_OK;
    }
    tfc_core_say(&had, "%s%s", i ? ", " : "", model->programs[i].target);
  }
  char name[64] = "?";
  result->driver.deviceName(name, sizeof(name), result->device);
  return tfc_core_fail(TFC_NO_DEVICE, "the model is compiled for %s; GPU %d (%s) has compute capability %d.%d%s", had.text,
                       result->ordinal, name, capability / 10, capability % 10,
                       result->driver.emulates ? " and is emulated" : "");
}

static int32_t findDevice(CudaProgram *result, const TfcModel *model) {
  CudaDriver *driver = &result->driver;
  int count = 0, major = 0, minor = 0;
  int32_t code = tfc_cuda_check(driver, driver->deviceCount(&count), "counting devices");
  if (code)
    return code;
  if (result->ordinal < 0 || result->ordinal >= count)
    return tfc_core_fail(TFC_NO_DEVICE, "there is no GPU %d; the driver has %d", result->ordinal, count);
  code = tfc_cuda_check(driver, driver->deviceGet(&result->device, result->ordinal), "finding the device");
  if (!code)
    code = tfc_cuda_check(driver, driver->deviceAttribute(&major, TfcCuCapabilityMajor, result->device), "asking the device");
  if (!code)
    code = tfc_cuda_check(driver, driver->deviceAttribute(&minor, TfcCuCapabilityMinor, result->device), "asking the device");
  return code ? code : chooseProgram(model, result, 10 * major + minor);
}

/*===-- Code ----------------------------------------------------------------------------------------------===*/

static int32_t loadCode(CudaProgram *result) {
  const TfcProgram *program = result->program;
  const CudaDriver *driver = &result->driver;
  /* Machine code for another chip of the family is refused; the PTX then does. */
  if (program->cubin && driver->loadModule(&result->module, program->cubin, 0, NULL, NULL) == TfcCuSuccess)
    return TFC_OK;
  char log[300] = "";
  int options[] = {TfcCuJitErrorLog, TfcCuJitErrorLogBytes};
  void *values[] = {log, (void *)(uintptr_t)sizeof(log)};
  TfcCuResult loaded = driver->loadModule(&result->module, program->code, 2, options, values);
  if (loaded == TfcCuUnsupportedPtxVersion)
    return tfc_core_fail(TFC_NO_DEVICE, "the NVIDIA driver is too old for the model's code (%s)", program->target);
  if (loaded && loaded != TfcCuOutOfMemory && *log)
    return tfc_core_fail(TFC_DEVICE_FAILED, "the NVIDIA driver refuses the model's code (%s): %s", program->target, log);
  return tfc_cuda_check(driver, loaded, "loading the model's code");
}

static int32_t findFunction(CudaProgram *result, const TfcStep *step, TfcCuFunction *function) {
  const CudaDriver *driver = &result->driver;
  int32_t code = tfc_cuda_check(driver, driver->getFunction(function, result->module, step->function), step->function);
  /* More than this has to be asked for. */
  if (!code && step->shared > 48 * 1024)
    code = tfc_cuda_check(driver, driver->setAttribute(*function, TfcCuMaxDynamicShared, (int)step->shared),
                          "asking for shared memory");
  return code;
}

static int32_t findFunctions(const TfcModel *model, CudaProgram *result) {
  const TfcProgram *program = result->program;
  size_t count = 0;
  for (uint32_t e = 0; e < model->entry_count; ++e)
    for (uint32_t i = 0; i < program->entries[e].launch_count; ++i)
      count += program->launches[e][i].step_count;
  result->functions = calloc(count + 1, sizeof(*result->functions));
  result->first_function = calloc((size_t)model->entry_count + 1, sizeof(*result->first_function));
  if (!result->functions || !result->first_function)
    return tfc_core_fail(TFC_OUT_OF_MEMORY, "no memory for the tables of model '%s'", model->name);
  uint32_t next = 0;
  int32_t code = TFC_OK;
  for (uint32_t e = 0; e < model->entry_count && !code; ++e) {
    uint32_t launches = program->entries[e].launch_count;
    result->first_function[e] = calloc((size_t)launches + 1, sizeof(uint32_t));
    if (!result->first_function[e])
      return tfc_core_fail(TFC_OUT_OF_MEMORY, "no memory for the tables of model '%s'", model->name);
    for (uint32_t i = 0; i < launches && !code; ++i) {
      const TfcDeviceLaunch *launch = &program->launches[e][i];
      result->first_function[e][i] = next;
      for (uint32_t s = 0; s < launch->step_count && !code; ++s)
        code = findFunction(result, &launch->steps[s], &result->functions[next++]);
    }
  }
  return code;
}

/*===-- Weights -------------------------------------------------------------------------------------------===*/

static int32_t uploadWeights(TfcLoaded *loaded, CudaProgram *result) {
  const CudaDriver *driver = &result->driver;
  const TfcWeights *table = tfc_core_weight_table(loaded->model, result->program->weights);
  WeightSegment segment = {NULL, NULL, 0};
  int32_t code = tfc_core_load_weights(table, loaded->folder, &segment);
  if (!code && table->bytes) {
    TfcCuResult had = driver->allocate(&result->weights, (size_t)table->bytes);
    if (had == TfcCuOutOfMemory)
      code = tfc_core_fail(TFC_OUT_OF_MEMORY, "GPU %d has no memory for %llu bytes of weights", result->ordinal,
                           (unsigned long long)table->bytes);
    else
      code = tfc_cuda_check(driver, had, "making room for weights");
    if (!code)
      code = tfc_cuda_check(driver, driver->copyToDevice(result->weights, segment.bytes, (size_t)table->bytes, NULL),
                            "copying weights");
    if (!code)
      code = tfc_cuda_check(driver, driver->synchronize(NULL), "copying weights");
  }
  tfc_core_unmap_weights(&segment);
  return code;
}

/*===-- All of it -----------------------------------------------------------------------------------------===*/

static void releaseProgram(CudaProgram *program, uint32_t entry_count) {
  CudaDriver *driver = &program->driver;
  if (program->context && driver->pushContext(program->context) == TfcCuSuccess) {
    if (program->weights)
      driver->release(program->weights);
    if (program->module)
      driver->unloadModule(program->module);
    tfc_cuda_leave(program);
  }
  if (program->context)
    driver->releaseContext(program->device);
  if (driver->library)
    tfc_cuda_close_driver(driver);
  tfc_core_free_binders(program->binders, entry_count);
  for (uint32_t e = 0; program->first_function && e < entry_count; ++e)
    free(program->first_function[e]);
  free(program->first_function);
  free(program->functions);
  free(program);
}

void tfc_cuda_release_programs(CudaProgram *programs, uint32_t entry_count) {
  while (programs) {
    CudaProgram *next = programs->next;
    releaseProgram(programs, entry_count);
    programs = next;
  }
}

static int32_t retainContext(CudaProgram *result) {
  const CudaDriver *driver = &result->driver;
  int32_t code = tfc_cuda_check(driver, driver->retainContext(&result->context, result->device), "opening the device");
  if (code)
    result->context = NULL; /* Nothing says that a driver leaves it alone, and what was not got is not given back. */
  return code;
}

static int32_t putOnDevice(TfcLoaded *loaded, CudaProgram *result) {
  int32_t code = tfc_cuda_open_driver(&result->driver);
  if (!code)
    code = findDevice(result, loaded->model);
  if (!code)
    code = tfc_core_make_binders(loaded->model, result->program->entries, &result->binders);
  if (!code)
    code = retainContext(result);
  if (!code)
    code = tfc_cuda_enter(result);
  if (code)
    return code;
  code = loadCode(result);
  if (!code)
    code = findFunctions(loaded->model, result);
  if (!code)
    code = uploadWeights(loaded, result);
  tfc_cuda_leave(result);
  return code;
}

static int32_t findOrPut(TfcLoaded *loaded, int32_t ordinal, CudaProgram **result) {
  for (CudaProgram *known = loaded->cuda_programs; known; known = known->next)
    if (known->ordinal == ordinal) {
      *result = known;
      return TFC_OK;
    }
  if (!loaded->model_program_count)
    return tfc_core_fail(TFC_NO_DEVICE, "model '%s' has no code for GPUs: compile it with --target=cpu,cuda", loaded->model->name);
  CudaProgram *program = calloc(1, sizeof(*program));
  if (!program)
    return tfc_core_fail(TFC_OUT_OF_MEMORY, "no memory for the tables of model '%s'", loaded->model->name);
  program->ordinal = ordinal;
  int32_t code = putOnDevice(loaded, program);
  if (code) {
    releaseProgram(program, loaded->model->entry_count);
    return code;
  }
  program->next = loaded->cuda_programs;
  loaded->cuda_programs = program;
  *result = program;
  return TFC_OK;
}

int32_t tfc_cuda_program(TfcLoaded *loaded, int32_t ordinal, CudaProgram **result) {
  pthread_mutex_lock(&loaded->devices);
  int32_t code = findOrPut(loaded, ordinal, result);
  pthread_mutex_unlock(&loaded->devices);
  return code;
}
