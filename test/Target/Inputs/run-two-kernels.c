/* Runs two-kernels.mlir's model with nothing of tfc but its header and its shared library. */

#include TWO_KERNELS_H

#include <stdio.h>
#include <string.h>

static int fail(const char *what) {
  fprintf(stderr, "%s: %s\n", what, two_kernels_last_error());
  return 1;
}

static int checkDescriptor(const TfcModel *model) {
  const TfcEntry *entry = &model->entries[0];
  if (model->magic != TFC_ABI_MAGIC || model->version != TFC_ABI_VERSION || model->bytes != sizeof(TfcModel))
    return fail("head of the descriptor");
  if (strcmp(model->name, "two-kernels") || model->entry_count != 1 || model->kernel_count != 2 ||
      strcmp(entry->name, "main"))
    return fail("names");
  if (strcmp(model->kernels[1].name, "double_0") || model->kernels[1].variant_count != 1 ||
      model->kernels[1].variants[0].features)
    return fail("kernels");
  if (entry->symbol_count != 1 || strcmp(entry->symbols[0].name, "batch") || entry->symbols[0].max != 1000 ||
      entry->value_count != 6)
    return fail("symbols and values");
  /* 64 * floordiv(16 * %0 + 63, 64): value 0, times 16, rounded up. */
  const TfcExpr *arena = &entry->values[5];
  if (arena->word_count != 4 || arena->words[0].op != TFC_EXPR_CONST || arena->words[0].operand != 16 ||
      arena->words[1].op != TFC_EXPR_VALUE || arena->words[2].op != TFC_EXPR_MUL ||
      arena->words[3].op != TFC_EXPR_ALIGN || arena->words[3].operand != 64)
    return fail("code of the arena's size");
  if (!strstr(arena->text, "batch"))
    return fail("text of the arena's size");
  if (entry->launch_count != 2 || entry->launches[1].kernel != 1 || entry->launches[1].check_count != 1 ||
      strcmp(entry->launches[1].checks[0], "node 'Add_1': x") || strcmp(entry->launches[0].nodes[0], "Add_0"))
    return fail("launches");
  if (strcmp(entry->inputs[0].name, "x*/0") || entry->inputs[0].dtype.code != TFC_FLOAT ||
      entry->inputs[0].dtype.bits != 32)
    return fail("inputs");
  if (model->weights.weight_count != 2 || model->weights.bytes != 128 ||
      model->weights.weights[1].layout_strides[1] != 2)
    return fail("weights");
  return 0;
}

static int checkTransposedWeight(const TfcModel *model) {
  static const float wanted[6] = {1, 3, 5, 2, 4, 6};
  if (model->weights.mode != TFC_WEIGHTS_EMBED)
    return 0;
  return memcmp(model->weights.embedded + 64, wanted, sizeof(wanted)) ? fail("transposed weight") : 0;
}

int main(int argc, char **argv) {
  const TfcModel *model = QUERY();
  if (checkDescriptor(model) || checkTransposedWeight(model))
    return 1;
  TfcLoaded *loaded;
  TfcContext *context;
  if (two_kernels_open(argc > 1 ? argv[1] : ".", &loaded))
    return fail("open");
  if (two_kernels_context_create(loaded, NULL, &context))
    return fail("context");
  enum { Rows = 100 };
  static float x[Rows * 4], y[Rows * 4];
  for (int i = 0; i < Rows * 4; ++i)
    x[i] = (float)i;
  int64_t xDims[two_kernels_main_input_x__0_rank] = {Rows}, yDims[two_kernels_main_output_y_rank];
  TfcTensor input = two_kernels_main_input_x__0(x, xDims),
            output = two_kernels_main_output_y(y, sizeof(y), yDims);
  uint64_t arena;
  if (two_kernels_main_workspace_bytes(context, &input, &arena) || arena != Rows * 16 / 64 * 64)
    return fail("bytes of the arena");
  if (two_kernels_main_output_dims(context, &input, &output) || yDims[0] != Rows || yDims[1] != 4)
    return fail("dims before the run");
  yDims[0] = 0;
  if (two_kernels_main_run(context, &input, &output))
    return fail("run");
  if (yDims[0] != Rows || yDims[1] != 4)
    return fail("dims of the output");
  for (int i = 0; i < Rows * 4; ++i)
    if (y[i] != (x[i] + (float)(i % 4 + 1)) * 2)
      return fail("values of the output");
  xDims[0] = 1001;
  if (two_kernels_main_run(context, &input, &output) != TFC_BAD_INPUT ||
      !strstr(two_kernels_last_error(), "batch"))
    return fail("a batch that is too large was taken");
  two_kernels_context_destroy(context);
  two_kernels_close(loaded);
  puts("fine");
  return 0;
}
