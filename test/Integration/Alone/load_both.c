/* Loads two models with RTLD_NOW | RTLD_LOCAL and runs each from several threads, every thread with a context of its own
 * over the one loaded model: `load_both BERT.so BERT-CASE GPT.so GPT-CASE`. It links nothing of tfc. */

#include "ModelABI.h"

#include "case.h"

#include <dlfcn.h>
#include <pthread.h>

enum { BATCH = 2, SEQ = 7, THREADS = 3, RUNS = 5, MAX_PORTS = 4 };

typedef struct Job {
  const TfcModel *model;
  TfcLoaded *loaded;
  const char *folder;
  int wrong;
} Job;

/** One thread: a context, and runs that must all give the expected outputs. Every input is [BATCH, SEQ] of i64. */
static void *work(void *data) {
  Job *job = data;
  const TfcApi *api = job->model->api;
  const TfcEntry *entry = &job->model->entries[0];
  TfcContextOptions options = {.bytes = sizeof(options), .threads = 2};
  TfcContext *context;
  job->wrong = 1;
  if (entry->input_count > MAX_PORTS || entry->output_count > MAX_PORTS || api->context_create(job->loaded, &options, &context))
    return NULL;
  TfcTensor inputs[MAX_PORTS] = {{0}}, outputs[MAX_PORTS] = {{0}};
  int64_t dims[2] = {BATCH, SEQ}, output_dims[MAX_PORTS][8];
  size_t bytes[MAX_PORTS], ignored;
  for (uint32_t i = 0; i < entry->input_count; ++i)
    inputs[i] = (TfcTensor){.data = read_raw(job->folder, entry->inputs[i].name, &ignored), .device_type = 1,
                            .dtype = entry->inputs[i].dtype, .rank = 2, .dims = dims};
  for (uint32_t i = 0; i < entry->output_count; ++i) {
    free(read_raw(job->folder, entry->outputs[i].name, &bytes[i]));
    outputs[i] = (TfcTensor){.data = malloc(bytes[i]), .device_type = 1, .dtype = entry->outputs[i].dtype,
                             .rank = entry->outputs[i].rank, .dims = output_dims[i], .capacity_bytes = bytes[i]};
  }
  int wrong = 0;
  for (int run = 0; run < RUNS; ++run) {
    if (api->run(context, 0, inputs, entry->input_count, outputs, entry->output_count) != TFC_OK) {
      fprintf(stderr, "%s\n", api->last_error());
      return NULL;
    }
    for (uint32_t i = 0; i < entry->output_count; ++i)
      wrong += wrong_floats(outputs[i].data, bytes[i] / sizeof(float), job->folder, entry->outputs[i].name);
  }
  api->context_destroy(context);
  job->wrong = wrong;
  return NULL;
}

int main(int argc, char **argv) {
  Job jobs[2 * THREADS];
  pthread_t threads[2 * THREADS];
  if (argc != 5)
    return 2;
  for (int m = 0; m < 2; ++m) {
    void *library = dlopen(argv[1 + 2 * m], RTLD_NOW | RTLD_LOCAL);
    if (!library) {
      fprintf(stderr, "%s\n", dlerror());
      return 1;
    }
    TfcModelQueryFn query;
    *(void **)&query = dlsym(library, "tfc_model_query");
    TfcLoaded *loaded;
    if (!query || query()->api->load(query(), ".", &loaded) != TFC_OK)
      return 1;
    for (int t = 0; t < THREADS; ++t)
      jobs[2 * t + m] = (Job){query(), loaded, argv[2 + 2 * m], 0};
  }
  for (int i = 0; i < 2 * THREADS; ++i)
    if (pthread_create(&threads[i], NULL, work, &jobs[i]))
      return 3;
  int wrong = jobs[0].model == jobs[1].model;
  for (int i = 0; i < 2 * THREADS; ++i) {
    pthread_join(threads[i], NULL);
    wrong += jobs[i].wrong;
  }
  printf("%d wrong\n", wrong);
  return wrong != 0;
}
