/*===- alone.c - A C program that has model.so and nothing else of tfc --------------------------------===*\
|*                                                                                                        *|
|* Part of tfc, under the Apache License v2.0 with LLVM Exceptions.                                       *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                                                *|
|*                                                                                                        *|
|* It is linked with lookup.so, which holds the runtime's core, and runs it through TfcModel.api: a good  *|
|* run, a bad one, several threads.                                                                       *|
|*                                                                                                        *|
\*===--------------------------------------------------------------------------------------------------===*/

#include "tfc-c/ModelABI.h"

#include <stdio.h>
#include <string.h>

const TfcModel *tfc_model_query(void);

static int fail(const TfcApi *api, const char *what) {
  printf("%s: %s\n", what, api->last_error());
  return 1;
}

int main(void) {
  const TfcModel *model = tfc_model_query();
  const TfcApi *api = model->api;
  TfcLoaded *loaded;
  TfcContext *context;
  TfcContextOptions options;
  memset(&options, 0, sizeof(options));
  options.bytes = sizeof(options);
  options.threads = 3;
  if (api->load(model, ".", &loaded))
    return fail(api, "load");
  if (api->context_create(loaded, &options, &context))
    return fail(api, "context");
  int64_t ids[6] = {0, 1, 2, 3, 4, 99}, idDims[2] = {2, 3}, maskDims[2] = {2, 3}, pastDims[3] = {2, 0, 4},
          hiddenDims[3] = {2, 3, 4};
  float mask[6] = {1, 1, 1, 1, 1, 2}, hidden[24];
  const TfcDataType f32 = {TFC_FLOAT, 32, 1}, i64 = {TFC_INT, 64, 1};
  TfcTensor inputs[3] = {{ids, 1, 0, i64, 2, idDims, NULL, 0, 0},
                         {mask, 1, 0, f32, 2, maskDims, NULL, 0, 0},
                         {NULL, 1, 0, f32, 3, pastDims, NULL, 0, 0}};
  TfcTensor outputs[1] = {{hidden, 1, 0, f32, 3, hiddenDims, NULL, 0, 0}};
  if (api->run(context, 0, inputs, 3, outputs, 1))
    return fail(api, "run");
  if (hidden[0] != 0.f || hidden[4] != 1.f || hidden[23] != 2 * 99.75f)
    return printf("wrong numbers: %f %f %f\n", hidden[0], hidden[4], hidden[23]), 1;
  ids[4] = 105;
  if (api->run(context, 0, inputs, 3, outputs, 1) != TFC_BAD_INDEX)
    return printf("a bad index was not noticed\n"), 1;
  if (strcmp(api->last_error(), "index 105 is outside [0, 100) in node 'Gather_3': input_ids") != 0)
    return fail(api, "sentence");
  api->context_destroy(context);
  api->unload(loaded);
  printf("alone: fine\n");
  return 0;
}
