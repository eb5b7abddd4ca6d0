/*===- SeedStream.c - Made-up weights that are the same on every machine ------------------------------===*\
|*                                                                                                        *|
|* Part of tfc, under the Apache License v2.0 with LLVM Exceptions.                                       *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                                                *|
|*                                                                                                        *|
\*===--------------------------------------------------------------------------------------------------===*/

#include "tfc/Weights/SeedStream.h"

#include <stddef.h>
#include <string.h>

/* A fused multiply-add would give other bits on machines that have one. GCC is told by a flag
 * (CMakeLists.txt). */
#ifdef __clang__
#pragma STDC FP_CONTRACT OFF
#endif

/* The finalizer of splitmix64: every bit of the argument reaches every bit of the result. */
static uint64_t mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

static uint64_t streamKey(uint64_t seed, uint64_t stream) {
  return mix(mix(seed + 0x632BE59BD9B4E019u) ^ (stream * 0xD1B54A32D192ED03u + 1));
}

/* Four uniform numbers of 16 bits: mean 4 * 65535/2, variance 4 * (65536^2 - 1)/12. */
static double standardNormal(uint64_t bits) {
  const double inverseDeviation =
      2.6428997921303014e-05; /* 1/sqrt(variance), written out: the same double everywhere */
  int32_t sum = (int32_t)(bits & 0xFFFF) + (int32_t)(bits >> 16 & 0xFFFF) + (int32_t)(bits >> 32 & 0xFFFF) +
                (int32_t)(bits >> 48);
  return (double)(sum - 131070) * inverseDeviation;
}

void tfc_seed_f32(float *to, int64_t count, uint32_t kind, uint64_t seed, uint64_t stream, double mean,
                  double scale, int64_t first, int64_t stride) {
  if (kind == TFC_SEED_CONSTANT) {
    for (int64_t i = 0; i < count; ++i)
      to[i] = (float)mean;
    return;
  }
  const uint64_t golden = 0x9E3779B97F4A7C15u;
  uint64_t state = streamKey(seed, stream) + (uint64_t)first * golden;
  uint64_t step = (uint64_t)stride * golden;
  for (int64_t i = 0; i < count; ++i) {
    double scaled = scale * standardNormal(mix(state + (uint64_t)i * step));
    to[i] = (float)(mean + scaled);
  }
}

/* Rounds to nearest even in integers: shift the mantissa into place, add half, let the carry run into the
 * exponent. */
uint16_t tfc_round_f32(float value, unsigned exponent_bits, unsigned mantissa_bits, int has_infinity) {
  uint32_t bits;
  memcpy(&bits, &value, 4);
  uint32_t sign = bits >> 31 << (exponent_bits + mantissa_bits);
  uint32_t magnitude = bits & 0x7FFFFFFFu;
  uint32_t allOnes = (1u << exponent_bits) - 1;
  uint32_t infinity = allOnes << mantissa_bits;
  uint32_t nan = has_infinity ? infinity | 1u << (mantissa_bits - 1) : infinity | ((1u << mantissa_bits) - 1);
  if (magnitude > 0x7F800000u)
    return (uint16_t)(sign | nan);
  /* Formats without infinities end one below their NaN; what is above that becomes NaN, as a cast in ONNX
   * without saturation. */
  uint32_t largest = has_infinity ? infinity - 1 : nan - 1;
  uint32_t overflow = has_infinity ? infinity : nan;
  if (magnitude == 0x7F800000u)
    return (uint16_t)(sign | overflow);

  int32_t exponent = (int32_t)(magnitude >> 23) - 127 + (int32_t)((1u << (exponent_bits - 1)) - 1);
  uint64_t mantissa = magnitude & 0x7FFFFFu;
  unsigned shift = 23 - mantissa_bits;
  uint64_t packed;
  if (exponent > 0) {
    packed = ((uint64_t)exponent << 23) | mantissa;
  } else { /* below the normal numbers of the format: the hidden one becomes visible and moves right */
    packed = mantissa | (magnitude >> 23 ? 0x800000u : 0);
    shift += (unsigned)(1 - exponent);
    if (shift > 40)
      return (uint16_t)sign;
  }
  uint64_t half = (uint64_t)1 << shift >> 1;
  uint64_t rest = packed & (((uint64_t)1 << shift) - 1);
  uint64_t rounded = packed >> shift;
  if (shift && (rest > half || (rest == half && (rounded & 1))))
    ++rounded;
  return (uint16_t)(sign | (rounded > largest ? overflow : (uint32_t)rounded));
}

/* Codes of DLPack; this file knows no other header, so that the compiler's Weights library can hold it too.
 */
enum {
  CODE_INT = 0,
  CODE_UINT = 1,
  CODE_FLOAT = 2,
  CODE_BFLOAT = 4,
  CODE_BOOL = 6,
  CODE_E4M3FN = 10,
  CODE_E5M2 = 12
};

#define SATURATE(NAME, TYPE, LOW, HIGH)                                                                      \
  static TYPE NAME(float value) {                                                                            \
    if (!(value == value))                                                                                   \
      return 0;                                                                                              \
    return (double)value <= (double)(LOW) ? (LOW) : (double)value >= (double)(HIGH) ? (HIGH) : (TYPE)value;  \
  }
SATURATE(toI8, int8_t, INT8_MIN, INT8_MAX)
SATURATE(toI16, int16_t, INT16_MIN, INT16_MAX)
SATURATE(toI32, int32_t, INT32_MIN, INT32_MAX)
SATURATE(toI64, int64_t, INT64_MIN, INT64_MAX)
SATURATE(toU8, uint8_t, 0, UINT8_MAX)
SATURATE(toU16, uint16_t, 0, UINT16_MAX)
SATURATE(toU32, uint32_t, 0, UINT32_MAX)
SATURATE(toU64, uint64_t, 0, UINT64_MAX)
#undef SATURATE

#define CONVERT(TYPE, EXPRESSION)                                                                            \
  for (int64_t i = 0; i < count; ++i) {                                                                      \
    TYPE element = (TYPE)(EXPRESSION);                                                                       \
    memcpy((char *)to + i * (int64_t)sizeof(TYPE), &element, sizeof(TYPE));                                  \
  }                                                                                                          \
  return 0

int tfc_elements_from_f32(void *to, const float *from, int64_t count, uint8_t code, uint8_t bits) {
  switch (code << 8 | bits) {
  case CODE_FLOAT << 8 | 32:
    CONVERT(float, from[i]);
  case CODE_FLOAT << 8 | 64:
    CONVERT(double, from[i]);
  case CODE_FLOAT << 8 | 16:
    CONVERT(uint16_t, tfc_round_f32(from[i], 5, 10, 1));
  case CODE_BFLOAT << 8 | 16:
    CONVERT(uint16_t, tfc_round_f32(from[i], 8, 7, 1));
  case CODE_E4M3FN << 8 | 8:
    CONVERT(uint8_t, tfc_round_f32(from[i], 4, 3, 0));
  case CODE_E5M2 << 8 | 8:
    CONVERT(uint8_t, tfc_round_f32(from[i], 5, 2, 1));
  case CODE_BOOL << 8 | 8:
    CONVERT(uint8_t, from[i] != 0);
  case CODE_INT << 8 | 8:
    CONVERT(int8_t, toI8(from[i]));
  case CODE_INT << 8 | 16:
    CONVERT(int16_t, toI16(from[i]));
  case CODE_INT << 8 | 32:
    CONVERT(int32_t, toI32(from[i]));
  case CODE_INT << 8 | 64:
    CONVERT(int64_t, toI64(from[i]));
  case CODE_UINT << 8 | 8:
    CONVERT(uint8_t, toU8(from[i]));
  case CODE_UINT << 8 | 16:
    CONVERT(uint16_t, toU16(from[i]));
  case CODE_UINT << 8 | 32:
    CONVERT(uint32_t, toU32(from[i]));
  case CODE_UINT << 8 | 64:
    CONVERT(uint64_t, toU64(from[i]));
  default:
    return -1;
  }
}

int tfc_seed_elements(void *to, int64_t count, uint8_t code, uint8_t bits, uint32_t kind, uint64_t seed,
                      uint64_t stream, double mean, double scale, int64_t first, int64_t stride) {
  if (code == CODE_FLOAT && bits == 32 && (uintptr_t)to % sizeof(float) == 0) {
    tfc_seed_f32((float *)to, count, kind, seed, stream, mean, scale, first, stride);
    return 0;
  }
  float block[256] = {0};
  char *at = (char *)to;
  for (int64_t done = 0; done < count;) {
    int64_t now = count - done < 256 ? count - done : 256;
    tfc_seed_f32(block, now, kind, seed, stream, mean, scale,
                 (int64_t)((uint64_t)first + (uint64_t)done * (uint64_t)stride), stride);
    if (tfc_elements_from_f32(at, block, now, code, bits))
      return -1;
    at += now * (bits / 8);
    done += now;
  }
  return count ? 0 : tfc_elements_from_f32(to, block, 0, code, bits);
}
