//===- call_kernels.c - Calls kernels of another machine in an emulator ---------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// Linked with the kernels. Reads calls from its input until that ends, and writes what they leave: run_kernels.py
// says in EmulatedKernels what is read and written. All numbers are 64-bit.
//
//===----------------------------------------------------------------------------------------------===//

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { Most = 64, Alignment = 64 };

typedef struct Worker {
  void *scratch;
  int32_t index, failedCheck;
  int64_t failedValue, failedBound;
} Worker;
typedef void (*Kernel)(const uint64_t *args, int64_t begin, int64_t end, Worker *worker);

static void fail(const char *what) {
  fprintf(stderr, "call_kernels: %s\n", what);
  exit(2);
}

static void get(void *bytes, size_t count) {
  if (fread(bytes, 1, count, stdin) != count)
    fail("a call ends too soon");
}

static uint64_t getNumber(void) {
  uint64_t number;
  get(&number, sizeof number);
  return number;
}

static uint64_t getCount(void) {
  uint64_t count = getNumber();
  if (count > Most)
    fail("too many of something");
  return count;
}

int main(void) {
  char name[256] = {0};
  void *memory[Most];
  char *buffers[Most];
  uint64_t sizes[Most], args[2 * Most];
  for (int next; (next = getchar()) != EOF;) {
    ungetc(next, stdin);
    uint64_t length = getNumber();
    if (length >= sizeof name)
      fail("a name is too long");
    get(name, length);
    name[length] = 0;
    Kernel kernel = (Kernel)dlsym(NULL, name);
    if (!kernel)
      fail(name);

    /* The last buffer is scratch. A buffer's contents, behind guard bytes, are aligned here as they were there. */
    uint64_t count = getCount();
    Worker worker = {NULL, 0, -1, 0, 0};
    for (uint64_t i = 0; i < count; ++i) {
      sizes[i] = getNumber();
      uint64_t start = getNumber(), shift = (Alignment - start % Alignment) % Alignment;
      memory[i] = aligned_alloc(Alignment, (sizes[i] + shift + Alignment) / Alignment * Alignment);
      if (!memory[i])
        fail("no memory");
      buffers[i] = (char *)memory[i] + shift;
      get(buffers[i], sizes[i]);
      args[i] = (uint64_t)(uintptr_t)(buffers[i] + start);
    }
    worker.scratch = (void *)(uintptr_t)args[count - 1];
    uint64_t symbols = getCount();
    for (uint64_t i = 0; i < symbols; ++i)
      args[count - 1 + i] = getNumber();
    for (uint64_t ranges = getCount(); ranges > 0; --ranges) {
      int64_t begin = (int64_t)getNumber(), end = (int64_t)getNumber();
      kernel(args, begin, end, &worker);
    }

    int64_t failed[3] = {worker.failedCheck, worker.failedValue, worker.failedBound};
    fwrite(failed, sizeof failed, 1, stdout);
    for (uint64_t i = 0; i < count; ++i) {
      fwrite(buffers[i], 1, sizes[i], stdout);
      free(memory[i]);
    }
    fflush(stdout);
  }
  return 0;
}
