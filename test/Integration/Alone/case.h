/* Reads a case that raw_case.py has written, and compares floats. */

#ifndef TFC_TEST_CASE_H
#define TFC_TEST_CASE_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/** The bytes of FOLDER/NAME.bin; ends the program when they are not there. */
static void *read_raw(const char *folder, const char *name, size_t *bytes) {
  char path[4096];
  snprintf(path, sizeof(path), "%s/%s.bin", folder, name);
  FILE *file = fopen(path, "rb");
  if (!file) {
    fprintf(stderr, "no file %s\n", path);
    exit(3);
  }
  fseek(file, 0, SEEK_END);
  *bytes = (size_t)ftell(file);
  rewind(file);
  void *data = malloc(*bytes + 1);
  if (!data || fread(data, 1, *bytes, file) != *bytes)
    exit(3);
  fclose(file);
  return data;
}

/** How many floats are farther from FOLDER/NAME.bin than 1e-5 + 1e-4 * |expected|. */
static int wrong_floats(const float *got, size_t count, const char *folder, const char *name) {
  size_t bytes;
  float *expected = (float *)read_raw(folder, name, &bytes);
  int wrong = bytes == count * sizeof(float) ? 0 : 1;
  for (size_t i = 0; !wrong && i < count; ++i)
    if (!(fabsf(got[i] - expected[i]) <= 1e-5f + 1e-4f * fabsf(expected[i])))
      ++wrong;
  free(expected);
  return wrong;
}

#endif
