/* Two models linked into one program, each with a query function of its own: `run_both BERT-CASE GPT-CASE`. */

#include "bert.h"
#include "gpt.h"

#include "case.h"

/* As alone.test has them compiled into shared libraries. */
#ifndef BERT_QUERY
#define BERT_QUERY tfc_model_query
#define GPT_QUERY gpt_query
#endif

enum { BATCH = 2, SEQ = 7 };

static int run_bert(TfcContext *context, const char *folder) {
  size_t bytes;
  int64_t dims[2] = {BATCH, SEQ}, hidden_dims[3], pooled_dims[2];
  static float hidden[BATCH * SEQ * 64], pooled[BATCH * 64];
  TfcTensor inputs[] = {bert_main_input_input_ids(read_raw(folder, "input_ids", &bytes), dims),
                        bert_main_input_attention_mask(read_raw(folder, "attention_mask", &bytes), dims),
                        bert_main_input_token_type_ids(read_raw(folder, "token_type_ids", &bytes), dims)};
  TfcTensor outputs[] = {bert_main_output_last_hidden_state(hidden, sizeof(hidden), hidden_dims),
                         bert_main_output_pooler_output(pooled, sizeof(pooled), pooled_dims)};
  if (bert_main_run(context, inputs, outputs) != TFC_OK)
    return 1;
  return wrong_floats(hidden, BATCH * SEQ * 64, folder, "last_hidden_state");
}

static int run_gpt(TfcContext *context, const char *folder) {
  size_t bytes;
  int64_t dims[2] = {BATCH, SEQ}, logits_dims[3];
  static float logits[BATCH * SEQ * 101];
  TfcTensor inputs[] = {gpt_main_input_input_ids(read_raw(folder, "input_ids", &bytes), dims)};
  TfcTensor outputs[] = {gpt_main_output_logits(logits, sizeof(logits), logits_dims)};
  if (gpt_main_run(context, inputs, outputs) != TFC_OK)
    return 1;
  return wrong_floats(logits, sizeof(logits) / sizeof(float), folder, "logits");
}

int main(int argc, char **argv) {
  TfcLoaded *bert, *gpt;
  TfcContext *bert_context, *gpt_context;
  if (argc != 3 || bert_open(".", &bert) || gpt_open(".", &gpt) || bert_context_create(bert, NULL, &bert_context) ||
      gpt_context_create(gpt, NULL, &gpt_context))
    return 3;
  int wrong = 0;
  for (int i = 0; i < 3; ++i)
    wrong += run_bert(bert_context, argv[1]) + run_gpt(gpt_context, argv[2]);
  /* A context of one model is no context of the other. */
  wrong += BERT_QUERY() == GPT_QUERY();
  printf("%d wrong\n", wrong);
  return wrong != 0;
}
