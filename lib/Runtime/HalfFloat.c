//===- HalfFloat.c - f16 on CPUs that have no instructions for it -----------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// LLVM calls these two by the names that compilers' own libraries give them. A model.so is linked without such a library. They are
// weak: models in static libraries may be linked into one program, and that with a compiler's library.
//
//===----------------------------------------------------------------------------------------------===//

#include <stdint.h>
#include <string.h>

#if defined(__x86_64__) && defined(__FLT16_MAX__)

__attribute__((weak)) float __extendhfsf2(_Float16 x);
__attribute__((weak)) _Float16 __truncsfhf2(float x);

float __extendhfsf2(_Float16 x) {
  uint16_t half;
  memcpy(&half, &x, sizeof half);
  uint32_t sign = (uint32_t)(half & 0x8000) << 16, exponent = half >> 10 & 31, mantissa = half & 1023, bits;
  if (exponent == 31) {
    bits = 0x7f800000 | mantissa << 13;
  } else if (exponent) {
    bits = (exponent + 112) << 23 | mantissa << 13;
  } else {
    float small = (float)mantissa * 0x1p-24f;
    memcpy(&bits, &small, sizeof bits);
  }
  bits |= sign;
  float result;
  memcpy(&result, &bits, sizeof result);
  return result;
}

/* Rounds to nearest even. */
_Float16 __truncsfhf2(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  uint32_t sign = bits >> 16 & 0x8000, rest = bits & 0x7fffffff, half;
  if (rest > 0x7f800000) {
    half = 0x7e00 | (rest >> 13 & 0x3ff);
  } else if (rest >= 0x477ff000) { /* 65520 lies between the largest number and what would be the next. */
    half = 0x7c00;
  } else if (rest < 0x38800000) {
    /* Beside 1/2 a float has the digits that a small f16 has. */
    float small;
    memcpy(&small, &rest, sizeof small);
    small += 0.5f;
    memcpy(&half, &small, sizeof half);
    half -= 0x3f000000;
  } else {
    half = (rest + 0xfff + (rest >> 13 & 1) - 0x38000000) >> 13;
  }
  uint16_t whole = (uint16_t)(half | sign);
  _Float16 result;
  memcpy(&result, &whole, sizeof result);
  return result;
}

#else
/* C has no empty files. */
typedef int TfcHasHalfFloats;
#endif
