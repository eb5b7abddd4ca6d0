/* rows.so by its header: capacities of outputs whose size data decides, and that a run of a known shape asks for no memory. */

#include "rows.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Every allocation of this process, the model's too, goes through these. */
extern void *__libc_malloc(size_t bytes);
extern void *__libc_calloc(size_t count, size_t bytes);
extern void *__libc_memalign(size_t alignment, size_t bytes);
static int allocations;
void *malloc(size_t bytes) {
  ++allocations;
  return __libc_malloc(bytes);
}
void *calloc(size_t count, size_t bytes) {
  ++allocations;
  return __libc_calloc(count, bytes);
}
int posix_memalign(void **pointer, size_t alignment, size_t bytes) {
  ++allocations;
  *pointer = __libc_memalign(alignment, bytes);
  return *pointer ? 0 : 12;
}

static int failures;
static void check(int holds, const char *what) {
  if (!holds) {
    printf("FAILED %s\n", what);
    ++failures;
  }
}

enum { N = 5 };
static TfcContext *context;
static float table[N * 4], rows[N * 4], products[N * N];
static int64_t rows_dims[2], products_dims[2];

static int32_t run(const float *x, uint64_t rows_bytes, uint64_t products_bytes) {
  int64_t x_dims[1] = {N}, table_dims[2] = {N, 4};
  TfcTensor inputs[2] = {rows_main_input_x(x, x_dims), rows_main_input_table(table, table_dims)};
  memset(rows, 0, sizeof(rows));
  rows_dims[0] = products_dims[0] = products_dims[1] = -7;
  TfcTensor outputs[2] = {rows_main_output_rows(rows, rows_bytes, rows_dims), rows_main_output_products(products, products_bytes, products_dims)};
  return rows_main_run(context, inputs, outputs);
}

int main(void) {
  TfcLoaded *model;
  TfcContextOptions options = {.bytes = sizeof(options), .threads = 1};
  if (rows_open(".", &model) || rows_context_create(model, &options, &context))
    return 3;
  for (int i = 0; i < N * 4; ++i)
    table[i] = (float)i / 10;
  const float three[N] = {1, -1, 2, 0, 3}, none[N] = {-1, -1, -1, -1, -1}, all[N] = {1, 1, 1, 1, 1};

  check(run(three, sizeof(rows), sizeof(products)) == TFC_OK, "there is room");
  check(rows_dims[0] == 3 && rows_dims[1] == 4 && products_dims[0] == 3 && products_dims[1] == 3, "the dims are written");
  check(fabsf(rows[4] - expf(0.8f)) < 1e-5f && fabsf(rows[8] - expf(1.6f)) < 1e-5f, "rows 0, 2 and 4");
  check(run(three, 3 * 16, 9 * 4) == TFC_OK, "there is exactly the room that is needed");

  check(run(three, 3 * 16 - 1, 9 * 4) == TFC_BUFFER_TOO_SMALL, "one byte short");
  check(rows_dims[0] == 3 && rows_dims[1] == 4, "the dims that are needed are written");
  printf("%s\n", rows_last_error());
  check(strstr(rows_last_error(), "rows") != NULL, "the sentence names the output");
  check(run(three, 3 * 16, 4) == TFC_BUFFER_TOO_SMALL && products_dims[0] == 3, "the other output is too small");

  check(run(none, 16, 16) == TFC_OK && rows_dims[0] == 0 && products_dims[0] == 0, "none is born");
  check(run(all, sizeof(rows), sizeof(products)) == TFC_OK && rows_dims[0] == N, "all are born");

  int before = allocations;
  for (int i = 0; i < 3; ++i)
    check(run(all, sizeof(rows), sizeof(products)) == TFC_OK, "runs again");
  check(allocations == before, "a shape that was run before asks for no memory");
  check(run(three, sizeof(rows), sizeof(products)) == TFC_OK && fabsf(rows[4] - expf(0.8f)) < 1e-5f, "right again");
  rows_context_destroy(context);
  rows_close(model);
  printf("%d failures\n", failures);
  return failures != 0;
}
