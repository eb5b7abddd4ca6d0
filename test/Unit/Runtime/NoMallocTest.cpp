//===- NoMallocTest.cpp - No memory is asked for in any run of a shape after its first ------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The allocation functions of this program stand before those of the C library and count.
//
//===-----------------------------------------------------------------------------------------------------===//

#include "Host.h"

#include <atomic>
#include <cerrno>

using namespace tfc_test;

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

static std::atomic<bool> counting{false};
static std::atomic<int> allocations{0};

extern "C" {
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *pointer, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);

static void note() {
  if (counting)
    ++allocations;
}

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
}

template <typename Fn> static int count(Fn fn) {
  allocations = 0;
  counting = true;
  fn();
  counting = false;
  return allocations;
}

TEST(NoMalloc, CountsAtAll) {
  Opened lookup("lookup.so");
  LookupCall call(2, 3, 0);
  EXPECT_GT(count([&] { call.run(lookup.context); }), 0) << "the first run makes the arena";
}

TEST(NoMalloc, SecondRunOfAShape) {
  TfcContextOptions options = {};
  options.threads = 3;
  Opened lookup("lookup.so", options);
  LookupCall call(20, 300, 2), other(3, 5, 1);
  int64_t strides[] = {1, 20};
  call.inputs[0].strides = strides;
  int64_t outputStrides[] = {1200, 4, 1};
  call.output.strides = outputStrides;
  call.output.capacity_bytes = 1 << 20;
  int32_t code = call.run(lookup.context);
  EXPECT_EQ(code, TFC_OK) << tfc_last_error();
  other.run(lookup.context);
  EXPECT_EQ(count([&] {
              for (int i = 0; i < 10; ++i)
                code |= call.run(lookup.context) | other.run(lookup.context);
            }),
            0);
  EXPECT_EQ(code, TFC_OK);
}

TEST(NoMalloc, BornSizes) {
  Opened compact("compact.so");
  Floats x({6}), positive({6});
  x.data = {1, 2, -3, 4, 5, -6};
  x.tensor.data = x.data.data();
  positive.tensor.capacity_bytes = 24;
  tfc_run(compact.context, 0, &x.tensor, 1, &positive.tensor, 1);
  EXPECT_EQ(count([&] { tfc_run(compact.context, 0, &x.tensor, 1, &positive.tensor, 1); }), 0);
  EXPECT_EQ(positive.dims[0], 4);
}

TEST(NoMalloc, NotEvenForAnError) {
  Opened lookup("lookup.so");
  LookupCall call(2, 3, 0);
  call.run(lookup.context);
  call.ids.data[0] = 1000;
  call.run(lookup.context);
  EXPECT_EQ(count([&] { call.run(lookup.context); }), 0);
}

#endif
