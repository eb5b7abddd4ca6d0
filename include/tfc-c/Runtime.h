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

/** The sentence of this thread's last error, "" if there was none. Valid until the thread's next call. */
const char *tfc_last_error(void);

/** "TFC_BAD_INPUT" and so on. */
const char *tfc_code_name(int32_t code);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* TFC_C_RUNTIME_H */
