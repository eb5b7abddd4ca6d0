/* The program around docs/Embedding.md, "A cache that grows in place": tokens with caches in place give the bits of caches apart. */

#include "gpt.h"

#include <stdio.h>
#include <string.h>

enum { STEPS = 5, VOCAB = 64, ROW = 64, HEAD_COUNT = 12 };

static int64_t token, token_dims[2] = {1, 1}, mask[STEPS], mask_dims[2], out_dims[3];

static void set_plain(TfcTensor *inputs, TfcTensor *outputs, int64_t past, float *logits) {
  token = (7 * past + 3) % VOCAB;
  mask[past] = 1;
  mask_dims[0] = 1;
  mask_dims[1] = past + 1;
  inputs[gpt_main_input_input_ids_index] = gpt_main_input_input_ids(&token, token_dims);
  inputs[gpt_main_input_attention_mask_index] = gpt_main_input_attention_mask(mask, mask_dims);
  outputs[gpt_main_output_logits_index] = gpt_main_output_logits(logits, VOCAB * sizeof(float), out_dims);
}

/** A token after `past` others, caches in place. `first` is the first number of the newest key. */
static int32_t step_in_place(TfcContext *context, int64_t past, float *logits, float *first) {
  TfcTensor inputs[gpt_main_input_count], outputs[gpt_main_output_count];
  set_plain(inputs, outputs, past, logits);
  const int i = gpt_main_input_past_key_values_0_key_index, o = gpt_main_output_present_0_key_index;
#include "cache.inc"
  static float values[BATCH * HEADS * ROOM * SIZE];
  const int v = gpt_main_input_past_key_values_0_value_index, w = gpt_main_output_present_0_value_index;
  inputs[v] = gpt_main_input_past_key_values_0_value(values, past_dims);
  outputs[w] = gpt_main_output_present_0_value(values, sizeof(values), present_dims);
  inputs[v].strides = outputs[w].strides = strides;
  int32_t code = gpt_main_run(context, inputs, outputs);
  *first = keys[past * SIZE];
  return code;
}

/** The same with buffers of their own for what is given and what comes back. */
static int32_t step_apart(TfcContext *context, int64_t past, float *logits, float *first) {
  static float keys[2][HEAD_COUNT * STEPS * ROW], values[2][HEAD_COUNT * STEPS * ROW];
  int64_t past_dims[4] = {1, HEAD_COUNT, past, ROW}, dims[2][4];
  int from = past % 2, to = 1 - from;
  TfcTensor inputs[gpt_main_input_count], outputs[gpt_main_output_count];
  set_plain(inputs, outputs, past, logits);
  inputs[gpt_main_input_past_key_values_0_key_index] = gpt_main_input_past_key_values_0_key(keys[from], past_dims);
  inputs[gpt_main_input_past_key_values_0_value_index] = gpt_main_input_past_key_values_0_value(values[from], past_dims);
  outputs[gpt_main_output_present_0_key_index] = gpt_main_output_present_0_key(keys[to], sizeof(keys[to]), dims[0]);
  outputs[gpt_main_output_present_0_value_index] = gpt_main_output_present_0_value(values[to], sizeof(values[to]), dims[1]);
  int32_t code = gpt_main_run(context, inputs, outputs);
  *first = keys[to][past * ROW];
  return code;
}

int main(void) {
  TfcLoaded *model;
  TfcContext *context;
  if (gpt_open(NULL, &model) || gpt_context_create(model, NULL, &context))
    return fprintf(stderr, "%s\n", gpt_last_error()), 1;
  for (int64_t past = 0; past < STEPS; ++past) {
    float logits[2][VOCAB], first[2];
    if (step_in_place(context, past, logits[0], &first[0]) || step_apart(context, past, logits[1], &first[1]))
      return fprintf(stderr, "%s\n", gpt_last_error()), 1;
    if (memcmp(logits[0], logits[1], sizeof(logits[0])) || first[0] != first[1] || first[0] == 0)
      return fprintf(stderr, "other bits after %d tokens\n", (int)past), 1;
  }
  gpt_context_destroy(context);
  gpt_close(model);
  printf("%d tokens, the same bits\n", STEPS);
  return 0;
}
