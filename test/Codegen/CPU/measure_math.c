//===- measure_math.c - Errors of math kernels against double precision ---------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// measure_math KERNELS.so|linked STEP: runs each kernel on every STEP-th bit pattern of f32 and prints the greatest
// error in units of the exact result's last place (of the argument's for gelu, whose small results are
// differences of large ones), where it is, and how often NaN or infinity is wrong. measure_math.py makes the
// kernels.
//
//===----------------------------------------------------------------------------------------------===//

#include <dlfcn.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { Batch = 1 << 16 };

typedef void (*Kernel)(const uint64_t *args, int64_t begin, int64_t end, void *worker);
typedef struct Function {
  const char *name;
  double (*exact)(double);
  double limit;
  int ofArgument;
} Function;

static double geluErf(double x) { return x == -INFINITY ? NAN : x / 2 * erfc(-x / sqrt(2)); }
static double geluTanh(double x) {
  return x == -INFINITY ? NAN : x / 2 * (1 + tanh(sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
}

static const Function functions[] = {{"exp_f32", exp, 1.01, 0},         {"log_f32", log, 0.79, 0},
                                     {"tanh_f32", tanh, 1.32, 0},       {"erf_f32", erf, 1.03, 0},
                                     {"sin_f32", sin, 1.6, 0},          {"cos_f32", cos, 1.6, 0},
                                     {"gelu_erf_f32", geluErf, 2.8, 1}, {"gelu_tanh_f32", geluTanh, 3.1, 1}};

static double ulp(double exact) {
  int exponent;
  frexp(exact, &exponent);
  return ldexp(1, (exponent - 24 > -149) ? exponent - 24 : -149);
}

/* Whether the function keeps what is promised of it. */
static int measure(const Function *function, Kernel kernel, uint64_t step) {
  static float x[Batch], y[Batch];
  uint8_t worker[64] = {0};
  double worst = 0;
  float at = 0;
  uint64_t wrong = 0, count = 0;
  for (uint64_t next = 0; next < (uint64_t)1 << 32;) {
    int64_t filled = 0;
    for (; filled < Batch; ++filled, next += step) {
      uint32_t bits = next < (uint64_t)1 << 32 ? (uint32_t)next : 0;
      memcpy(&x[filled], &bits, 4);
    }
    uint64_t args[] = {(uint64_t)(uintptr_t)x, (uint64_t)(uintptr_t)y};
    kernel(args, 0, TILES, worker);
    for (int64_t i = 0; i < filled; ++i, ++count) {
      double exact = function->exact(x[i]);
      float rounded = (float)exact;
      if (isnan(rounded) || isinf(rounded) || isnan(y[i]) || isinf(y[i])) {
        /* One last place beside an overflow is no fault. */
        if (!(isnan(rounded) && isnan(y[i])) && rounded != y[i] && fabs(exact) < 3.4028e38)
          ++wrong;
        else if (isnan(rounded) != isnan(y[i]))
          ++wrong;
        continue;
      }
      double error = fabs(y[i] - exact) / ulp(function->ofArgument ? x[i] : exact);
      if (error > worst) {
        worst = error;
        at = x[i];
      }
    }
  }
  int good = worst <= function->limit && wrong == 0;
  printf("%-13s greatest error %.3f ULP at %a (%.9g), NaN or inf wrong %llu of %llu%s\n", function->name,
         worst, at, at, (unsigned long long)wrong, (unsigned long long)count, good ? "" : ": too much");
  return good;
}

int main(int argc, char **argv) {
  int isLinked = argc == 3 && strcmp(argv[1], "linked") == 0;
  void *library = argc == 3 ? dlopen(isLinked ? NULL : argv[1], RTLD_NOW) : NULL;
  if (!library) {
    fprintf(stderr, "usage: measure_math KERNELS.so|linked STEP\n");
    return 2;
  }
  int good = 1;
  for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); ++i) {
    Kernel kernel = (Kernel)dlsym(library, functions[i].name);
    if (!kernel) {
      fprintf(stderr, "there is no kernel %s\n", functions[i].name);
      return 2;
    }
    good &= measure(&functions[i], kernel, strtoull(argv[2], NULL, 10));
  }
  return !good;
}
