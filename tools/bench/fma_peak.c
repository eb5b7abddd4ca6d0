//===- fma_peak.c - How many floating point operations one thread does per second -----------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// Prints the best rate of 24 independent chains of fused multiply-adds over several tries, in GFLOP/s of the thread's own CPU
// time, so that other processes on the machine hardly matter. Build with -O2 -march=native on an AVX-512 or AVX2 machine.
//
//===----------------------------------------------------------------------------------------------===//

#include <immintrin.h>
#include <stdio.h>
#include <time.h>

#ifdef __AVX512F__
typedef __m512 Vector;
#define SET _mm512_set1_ps
#define FMA _mm512_fmadd_ps
enum { Chains = 24 };
#else
typedef __m256 Vector;
#define SET _mm256_set1_ps
#define FMA _mm256_fmadd_ps
enum { Chains = 12 };
#endif

static double cpuSeconds(void) {
  struct timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

int main(void) {
  enum { Steps = 300000, Tries = 40 };
  double best = 0;
  for (int attempt = 0; attempt < Tries; ++attempt) {
    Vector sums[Chains], x = SET(0.999f), y = SET(0.001f);
#pragma GCC unroll 24
    for (int i = 0; i < Chains; ++i)
      sums[i] = SET((float)i);
    double start = cpuSeconds();
    for (int step = 0; step < Steps; ++step) {
#pragma GCC unroll 24
      for (int i = 0; i < Chains; ++i)
        sums[i] = FMA(sums[i], x, y);
      /* Keeps the steps apart without leaving the registers. */
#pragma GCC unroll 24
      for (int i = 0; i < Chains; ++i)
        __asm__ volatile("" : "+v"(sums[i]));
    }
    double rate = 2.0 * Steps * Chains * (double)(sizeof(Vector) / 4) / (cpuSeconds() - start);
    best = rate > best ? rate : best;
  }
  printf("%.1f\n", best / 1e9);
  return 0;
}
