/* A program with bert.h and bert.so that counts what is allocated while the model runs: `no_malloc FOLDER-OF-MODEL`. Its allocation
   functions stand before those of the C library, also for the library of the model. */

#define _GNU_SOURCE
#include "bert.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static atomic_int counting, allocations;

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *pointer, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);

static void note(void) { allocations += counting; }

void *malloc(size_t bytes) {
  note();
  return __libc_malloc(bytes);
}
void *calloc(size_t count, size_t bytes) {
  note();
  return __libc_calloc(count, bytes);
}
void *realloc(void *pointer, size_t bytes) {
  note();
  return __libc_realloc(pointer, bytes);
}
void *aligned_alloc(size_t alignment, size_t bytes) {
  note();
  return __libc_memalign(alignment, bytes);
}
int posix_memalign(void **pointer, size_t alignment, size_t bytes) {
  note();
  *pointer = __libc_memalign(alignment, bytes);
  return *pointer ? 0 : ENOMEM;
}
void *mmap(void *address, size_t bytes, int protection, int flags, int file, off_t offset) {
  note();
  return (void *)syscall(SYS_mmap, address, bytes, protection, flags, file, offset);
}

enum { MAX_BATCH = 4, MAX_SEQ = 40, HIDDEN = 64 };

static int64_t ids[MAX_BATCH * MAX_SEQ], mask[MAX_BATCH * MAX_SEQ], types[MAX_BATCH * MAX_SEQ];
static float hidden[MAX_BATCH * MAX_SEQ * HIDDEN], pooled[MAX_BATCH * HIDDEN];

static int run(TfcContext *context, int64_t batch, int64_t seq) {
  int64_t dims[2] = {batch, seq}, hidden_dims[3], pooled_dims[2];
  TfcTensor inputs[bert_main_input_count], outputs[bert_main_output_count];
  inputs[bert_main_input_input_ids_index] = bert_main_input_input_ids(ids, dims);
  inputs[bert_main_input_attention_mask_index] = bert_main_input_attention_mask(mask, dims);
  inputs[bert_main_input_token_type_ids_index] = bert_main_input_token_type_ids(types, dims);
  outputs[bert_main_output_last_hidden_state_index] = bert_main_output_last_hidden_state(hidden, sizeof(hidden), hidden_dims);
  outputs[bert_main_output_pooler_output_index] = bert_main_output_pooler_output(pooled, sizeof(pooled), pooled_dims);
  return bert_main_run(context, inputs, outputs);
}

/** How many times memory is asked for in a run of this shape. */
static int counted(TfcContext *context, int64_t batch, int64_t seq) {
  allocations = 0;
  counting = 1;
  int code = run(context, batch, seq);
  counting = 0;
  if (code)
    fprintf(stderr, "%s\n", bert_last_error());
  return code ? -1 : allocations;
}

int main(int argc, char **argv) {
  TfcLoaded *model;
  TfcContext *context;
  TfcContextOptions options = {.bytes = sizeof(options), .threads = 3};
  if (argc != 2 || bert_open(argv[1], &model) || bert_context_create(model, &options, &context))
    return 2;
  for (size_t i = 0; i < MAX_BATCH * MAX_SEQ; ++i)
    mask[i] = 1;
  int first = counted(context, MAX_BATCH, MAX_SEQ), later = 0;
  for (int i = 0; i < 5; ++i)
    later += counted(context, MAX_BATCH, MAX_SEQ);
  /* A shape that needs less has room in what is there. */
  int smaller = counted(context, 1, 7) + counted(context, 2, 33);
  printf("first %d, later %d, smaller %d\n", first, later, smaller);
  bert_context_destroy(context);
  bert_close(model);
  return 0;
}
