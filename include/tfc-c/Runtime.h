/*===- Runtime.h - Load a compiled model and run it -------------------------------------------*- C -*-===*\
|*                                                                                                        *|
|* Part of tfc, under the Apache License v2.0 with LLVM Exceptions.                                       *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                                                *|
|*                                                                                                        *|
|* What libtfc-runtime exports. A model.so also carries these functions itself (TfcModel.api), so a       *|
|* program can do without this library; the library adds opening a model.so by its path.                  *|
|*                                                                                                        *|
|*   TfcOpenModel *model;                                                                                 *|
|*   TfcContext *context;                                                                                 *|
|*   if (tfc_model_open("model.so", NULL, &model) || tfc_context_create(model, NULL, &context))           *|
|*     return fprintf(stderr, "%s\n", tfc_last_error()), 1;                                               *|
|*   ...                                                                                                  *|
|*   int32_t code = tfc_run(context, 0, inputs, 2, outputs, 1);                                           *|
|*                                                                                                        *|
|* A model is immutable and may be used by any number of threads; a context is used by one thread at a    *|
|* time.                                                                                                  *|
|*                                                                                                        *|
\*===--------------------------------------------------------------------------------------------------===*/

#ifndef TFC_C_RUNTIME_H
#define TFC_C_RUNTIME_H

#include "tfc-c/ModelABI.h"

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/** A model in memory. */
typedef struct TfcOpenModel TfcOpenModel;

/** Opens a model.so. `query` is the name of its exported function; null: tfc_model_query. */
int32_t tfc_model_open(const char *path, const char *query, TfcOpenModel **model);

/** The same for a model that is linked into the program. `folder`: where its external weights lie, or null.
 */
int32_t tfc_model_adopt(const TfcModel *descriptor, const char *folder, TfcOpenModel **model);

/** Memory and library go when the last context of the model is destroyed, if that comes later. */
void tfc_model_close(TfcOpenModel *model);

/** Inputs, outputs, symbols, kernels, weights: valid while the model is open. */
const TfcModel *tfc_model_describe(const TfcOpenModel *model);

/** What the kernels in use need of the CPU: "x86-64-v3". A model may have several variants of its kernels; the first that the
 * CPU can run is taken when the model is opened. The environment variable TFC_MAX_ISA (x86-64, x86-64-v2, x86-64-v3, x86-64-v4) lets
 * it take none above a level. */
const char *tfc_model_isa(const TfcOpenModel *model);

/** Number of the entry point of this name; null: the first. */
int32_t tfc_model_find_entry(const TfcOpenModel *model, const char *name, uint32_t *entry);

/** Writes weight number `number` of TfcModel.graph_weights, row-major, to `to`, whose size is `bytes`, just that of the weight. A null
 * `to`: only says whether it could. TFC_NOT_FOUND: the model does not hold all of it, for the compiler had no use for the rest. */
int32_t tfc_model_read_weight(TfcOpenModel *model, uint64_t number, void *to, uint64_t bytes);

/** The program that a context for this device runs, null where it runs code for CPUs. The device is opened, and the model put there, as
 * by context_create, whose options these two are. */
int32_t tfc_model_program(TfcOpenModel *model, int32_t device_type, int32_t device_id, const TfcProgram **program);

/** See TfcApi in ModelABI.h for these. `options` may be null. */
int32_t tfc_context_create(TfcOpenModel *model, const TfcContextOptions *options, TfcContext **context);
void tfc_context_destroy(TfcContext *context);
/** How many threads its runs use, the caller's included. */
int32_t tfc_context_threads(const TfcContext *context);
int32_t tfc_workspace_bytes(TfcContext *context, uint32_t entry, const TfcTensor *inputs,
                            uint32_t input_count, uint64_t *bytes);
int32_t tfc_output_dims(TfcContext *context, uint32_t entry, const TfcTensor *inputs, uint32_t input_count,
                        TfcTensor *outputs, uint32_t output_count);
int32_t tfc_run(TfcContext *context, uint32_t entry, const TfcTensor *inputs, uint32_t input_count,
                TfcTensor *outputs, uint32_t output_count);

/** Copies between memory of the host and the addresses that a profiler is told of (TfcEvent.args), which are the context's device's.
 * To be called out of the profiler: then nothing is under way there. */
int32_t tfc_context_fetch(TfcContext *context, void *to, const void *from, uint64_t bytes);
int32_t tfc_context_store(TfcContext *context, void *to, const void *from, uint64_t bytes);

/** The CUstream that runs of a context on a GPU are put on; null on a CPU. */
void *tfc_context_stream(const TfcContext *context);

/** What a GPU is, and what it reads and writes of its memory in copies: measured, in some milliseconds. */
typedef struct TfcDevicePeaks {
  char name[64];
  uint32_t capability; /**< 90 is 9.0 */
  uint32_t multiprocessors;
  double clock_hz;   /**< the highest of the multiprocessors */
  double copy_bytes; /**< per second, read and written bytes both counted */
} TfcDevicePeaks;
int32_t tfc_device_peaks(int32_t device_id, TfcDevicePeaks *peaks);

/** The sentence of this thread's last error, "" if there was none. Valid until the thread's next call. */
const char *tfc_last_error(void);

/** "TFC_BAD_INPUT" and so on. */
const char *tfc_code_name(int32_t code);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* TFC_C_RUNTIME_H */
