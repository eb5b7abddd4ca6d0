/* The program around docs/Embedding.md, "Operators of your own". */

#include "own.h"

#include <stdio.h>
#include <string.h>

static int calls;

/** y = 2 * x */
static void swirl(const TfcTensor *x, const TfcTensor *y) {
  int64_t count = 1;
  for (int32_t d = 0; d < x->rank; ++d)
    count *= x->dims[d];
  for (int64_t i = 0; i < count; ++i)
    ((float *)y->data)[i] = 2 * ((const float *)x->data)[i];
  ++calls;
}

#include "operator.inc"

int main(void) {
  TfcLoaded *model;
  TfcContext *context;
  if (own_open(NULL, &model) || own_context_create(model, &options, &context))
    return fprintf(stderr, "%s\n", own_last_error()), 1;
  float x[3] = {-1, 2, -3}, y[3];
  int64_t dims[1] = {3}, out_dims[1];
  TfcTensor inputs[] = {own_main_input_x(x, dims)}, outputs[] = {own_main_output_y(y, sizeof(y), out_dims)};
  if (own_main_run(context, inputs, outputs))
    return fprintf(stderr, "%s\n", own_last_error()), 1;
  own_context_destroy(context);
  own_close(model);
  printf("%d call, %g %g %g\n", calls, y[0], y[1], y[2]);
  return 0;
}
