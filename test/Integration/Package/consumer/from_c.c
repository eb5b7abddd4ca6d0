/* Runs the model through its header alone. */
#include "tiny.h"

#include <math.h>
#include <stdio.h>

int main(void) {
  TfcLoaded *model;
  TfcContext *context;
  TfcContextOptions options = {0};
  options.bytes = sizeof(options);
  options.threads = 1;
  if (tiny_open(NULL, &model) || tiny_context_create(model, &options, &context))
    return fprintf(stderr, "%s\n", tiny_last_error()), 1;
  int64_t ids[3] = {1, 17, 2}, ones[3] = {1, 1, 1}, zeros[3] = {0}, dims[3][2] = {{1, 3}, {1, 3}, {1, 3}}, out[3], pooled[2];
  float hidden[3 * 64], pooler[64];
  hidden[0] = pooler[0] = NAN;
  TfcTensor inputs[3], outputs[2];
  inputs[tiny_main_input_input_ids_index] = tiny_main_input_input_ids(ids, dims[0]);
  inputs[tiny_main_input_attention_mask_index] = tiny_main_input_attention_mask(ones, dims[1]);
  inputs[tiny_main_input_token_type_ids_index] = tiny_main_input_token_type_ids(zeros, dims[2]);
  outputs[tiny_main_output_last_hidden_state_index] = tiny_main_output_last_hidden_state(hidden, sizeof(hidden), out);
  outputs[tiny_main_output_pooler_output_index] = tiny_main_output_pooler_output(pooler, sizeof(pooler), pooled);
  if (tiny_main_run(context, inputs, outputs))
    return fprintf(stderr, "%s\n", tiny_last_error()), 1;
  printf("%.9g %.9g %d %d\n", hidden[0], pooler[0], (int)out[0], (int)out[1]);
  tiny_context_destroy(context);
  tiny_close(model);
  return 0;
}
