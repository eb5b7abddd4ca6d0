/* A host with operators of its own: `host main`, `host regions` and `host nibbles` run the models that models.py writes. */

#include "model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ROWS = 2, COLUMNS = 3 };

static int calls = 0;

/** y = 0.5 * x + k[1], and how many elements x has where that is asked for. */
static int32_t affine(const char *attributes, TfcTensor *tensors, uint32_t input_count, uint32_t output_count) {
  const char *said = " {\"alpha\":0.5,\"axes\":[1,0],\"mode\":\"a \\\"b\\\"\\n\"}";
  const TfcTensor *x = &tensors[0], *k = &tensors[2];
  if (strcmp(attributes, said) || input_count != 3 || tensors[1].data || tensors[1].rank)
    return TFC_BAD_ARGUMENT;
  if (x->rank != 2 || x->dims[0] != ROWS || x->dims[1] != COLUMNS || x->dtype.code != TFC_FLOAT || x->dtype.bits != 32 ||
      x->dtype.lanes != 1 || x->device_type != 1 || x->strides || x->byte_offset || k->rank != 1 || k->dims[0] != 2)
    return TFC_BAD_INPUT;
  const TfcTensor *y = &tensors[3];
  if (y->rank != 2 || y->dims[0] != ROWS || y->dims[1] != COLUMNS)
    return TFC_BAD_INPUT;
  for (int i = 0; i < ROWS * COLUMNS; ++i)
    ((float *)y->data)[i] = 0.5f * ((const float *)x->data)[i] + ((const float *)k->data)[1];
  if (output_count == 3) {
    const TfcTensor *count = &tensors[5];
    if (tensors[4].data || count->rank != 0 || count->dtype.code != TFC_INT || count->dtype.bits != 64)
      return TFC_BAD_INPUT;
    *(int64_t *)count->data = x->dims[0] * x->dims[1];
  }
  return TFC_OK;
}

/** The numbers with their signs turned, each in a byte. */
static int32_t nibbles(TfcTensor *tensors) {
  if (tensors[0].dtype.bits != 8 || tensors[0].rank != 1)
    return TFC_BAD_INPUT;
  for (int64_t i = 0; i < tensors[0].dims[0]; ++i)
    ((int8_t *)tensors[1].data)[i] = -((const int8_t *)tensors[0].data)[i];
  return TFC_OK;
}

static int32_t call(void *data, const char *name, TfcTensor *tensors, uint32_t input_count, uint32_t output_count) {
  ++*(int *)data;
  size_t length = strcspn(name, " ");
  if (length == strlen("own:Affine") && !strncmp(name, "own:Affine", length))
    return affine(name + length, tensors, input_count, output_count);
  if (!strcmp(name, "own:Nibbles"))
    return nibbles(tensors);
  return TFC_NOT_FOUND;
}

static TfcTensor tensor(void *data, int code, int bits, int rank, int64_t *dims, uint64_t capacity) {
  TfcTensor made = {data, 1, 0, {(uint8_t)code, (uint8_t)bits, 1}, rank, dims, NULL, 0, capacity};
  return made;
}

static int differs(float got, float expected) { return fabsf(got - expected) > 1e-6f; }

int main(int argc, char **argv) {
  if (argc != 2)
    return 2;
  TfcLoaded *loaded;
  TfcContext *context;
  TfcContextOptions options = {.bytes = sizeof(options), .threads = 2, .extern_call = call, .extern_data = &calls};
  if (model_open(NULL, &loaded) || model_context_create(loaded, &options, &context))
    return fprintf(stderr, "%s\n", model_last_error()), 3;
  const TfcApi *api = tfc_model_query()->api;
  float x[ROWS * COLUMNS] = {-1, 2, -3, 4, -5, 6}, y[ROWS * COLUMNS], z[ROWS * COLUMNS], d[ROWS * COLUMNS];
  int64_t dims[2] = {ROWS, COLUMNS}, out[3][2], count = 0, trips = 3;
  uint8_t flag = 1;
  int8_t q[5] = {-8, -1, 0, 1, 7};
  int64_t q_dims[1] = {5};
  int wrong = 0, expected_calls = 1;
  if (!strcmp(argv[1], "main")) {
    TfcTensor inputs[] = {tensor(x, TFC_FLOAT, 32, 2, dims, 0)};
    TfcTensor outputs[] = {tensor(y, TFC_FLOAT, 32, 2, out[0], sizeof(y)), tensor(&count, TFC_INT, 64, 0, out[1], 8)};
    wrong += api->run(context, 0, inputs, 1, outputs, 2) != TFC_OK;
    for (int i = 0; i < ROWS * COLUMNS; ++i)
      wrong += differs(y[i], 0.5f * fabsf(x[i]) + 10 + x[i]);
    wrong += count != ROWS * COLUMNS;
  } else if (!strcmp(argv[1], "regions")) {
    TfcTensor inputs[] = {tensor(x, TFC_FLOAT, 32, 2, dims, 0), tensor(&trips, TFC_INT, 64, 0, NULL, 0),
                          tensor(&flag, TFC_BOOL, 8, 0, NULL, 0)};
    TfcTensor outputs[] = {tensor(y, TFC_FLOAT, 32, 2, out[0], sizeof(y)), tensor(z, TFC_FLOAT, 32, 2, out[1], sizeof(z)),
                           tensor(d, TFC_FLOAT, 32, 2, out[2], sizeof(d))};
    wrong += api->run(context, 0, inputs, 3, outputs, 3) != TFC_OK;
    for (int i = 0; i < ROWS * COLUMNS; ++i) {
      float once = 0.5f * x[i] + 10;
      wrong += differs(z[i], once) + differs(d[i], once) + differs(y[i], 0.5f * (0.5f * once + 10) + 10);
    }
    expected_calls = 5;
  } else {
    TfcTensor inputs[] = {tensor(q, TFC_INT, 8, 1, q_dims, 0)};
    TfcTensor outputs[] = {tensor(y, TFC_FLOAT, 32, 1, out[0], sizeof(y))};
    wrong += api->run(context, 0, inputs, 1, outputs, 1) != TFC_OK;
    /* 8 has no place in 4 bits: it wraps around. */
    for (int i = 0; i < 5; ++i)
      wrong += differs(y[i], q[i] == -8 ? -8 : -q[i]);
  }
  wrong += calls != expected_calls;
  printf("%d calls, %d wrong: %s\n", calls, wrong, model_last_error());
  model_context_destroy(context);
  model_close(loaded);
  return wrong != 0;
}
