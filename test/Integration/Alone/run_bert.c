/* A program that has bert.h and bert.so and nothing else of tfc: `run_bert FOLDER-OF-MODEL FOLDER-OF-CASE`. */

#include "bert.h"

#include "case.h"

enum { BATCH = 2, SEQ = 7, HIDDEN = 64 };

int main(int argc, char **argv) {
  if (argc != 3)
    return 2;
  TfcLoaded *model;
  if (bert_open(argv[1], &model) != TFC_OK) {
    fprintf(stderr, "%s\n", bert_last_error());
    return 1;
  }
  TfcContextOptions options = {.bytes = sizeof(options), .threads = 2};
  TfcContext *context;
  if (bert_context_create(model, &options, &context) != TFC_OK) {
    fprintf(stderr, "%s\n", bert_last_error());
    return 1;
  }

  size_t bytes;
  int64_t *ids = read_raw(argv[2], "input_ids", &bytes), *mask = read_raw(argv[2], "attention_mask", &bytes),
          *types = read_raw(argv[2], "token_type_ids", &bytes);
  int64_t dims[2] = {BATCH, SEQ}, hidden_dims[3], pooled_dims[2];
  static float hidden[BATCH * SEQ * HIDDEN], pooled[BATCH * HIDDEN];
  TfcTensor inputs[bert_main_input_count], outputs[bert_main_output_count];
  inputs[bert_main_input_input_ids_index] = bert_main_input_input_ids(ids, dims);
  inputs[bert_main_input_attention_mask_index] = bert_main_input_attention_mask(mask, dims);
  inputs[bert_main_input_token_type_ids_index] = bert_main_input_token_type_ids(types, dims);
  outputs[bert_main_output_last_hidden_state_index] = bert_main_output_last_hidden_state(hidden, sizeof(hidden), hidden_dims);
  outputs[bert_main_output_pooler_output_index] = bert_main_output_pooler_output(pooled, sizeof(pooled), pooled_dims);

  if (bert_main_run(context, inputs, outputs) != TFC_OK) {
    fprintf(stderr, "%s\n", bert_last_error());
    return 1;
  }
  int wrong = hidden_dims[0] != BATCH || hidden_dims[1] != SEQ || hidden_dims[2] != HIDDEN || pooled_dims[0] != BATCH;
  wrong += wrong_floats(hidden, BATCH * SEQ * HIDDEN, argv[2], "last_hidden_state");
  wrong += wrong_floats(pooled, BATCH * HIDDEN, argv[2], "pooler_output");

  /* And it says what is wrong with an input. */
  ids[3] = 1000000;
  int32_t code = bert_main_run(context, inputs, outputs);
  printf("%s\n", bert_last_error());
  wrong += code != TFC_BAD_INDEX;
  bert_context_destroy(context);
  bert_close(model);
  free(ids);
  free(mask);
  free(types);
  printf("%d wrong\n", wrong);
  return wrong != 0;
}
