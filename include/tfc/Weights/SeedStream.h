/*===- SeedStream.h - Made-up weights that are the same on every machine ----------------------*- C -*-===*\
|*                                                                                                        *|
|* Part of tfc, under the Apache License v2.0 with LLVM Exceptions.                                       *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                                                *|
|*                                                                                                        *|
|* Element i of a stream is a function of (seed, stream, i) alone, so any part of a weight can be made by *|
|* any thread, by the compiler or by the runtime, and a view of a weight (a transpose, a slice) is made   *|
|* by asking for other numbers i. The function uses integers, then one multiplication and one addition in *|
|* double: no table and no libm, whose last bit differs between machines.                                 *|
|*                                                                                                        *|
|* normal:   mean + scale * n(i), n the sum of four 16-bit uniform numbers brought to mean 0, variance 1  *|
|* constant: mean                                                                                         *|
|*                                                                                                        *|
|* The sum is rounded to f32, then converted to the element type wanted.                                  *|
|*                                                                                                        *|
\*===--------------------------------------------------------------------------------------------------===*/

#ifndef TFC_WEIGHTS_SEEDSTREAM_H
#define TFC_WEIGHTS_SEEDSTREAM_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(hidden)

enum { TFC_SEED_NORMAL = 0, TFC_SEED_CONSTANT = 1 };

/** The elements first, first + stride, ... (count of them) of a stream, as f32. */
void tfc_seed_f32(float *to, int64_t count, uint32_t kind, uint64_t seed, uint64_t stream, double mean,
                  double scale, int64_t first, int64_t stride);

/**
 * The same, converted to the DLPack type (code, bits), element size a whole number of bytes. Returns 0, or -1
 * when the type is not one that weights can have. bfloat and float types round to nearest even; integers
 * truncate and saturate; bool is "not zero".
 */
int tfc_seed_elements(void *to, int64_t count, uint8_t code, uint8_t bits, uint32_t kind, uint64_t seed,
                      uint64_t stream, double mean, double scale, int64_t first, int64_t stride);

/** Converts f32 to the type (code, bits) as above. Returns 0, or -1 for another type. */
int tfc_elements_from_f32(void *to, const float *from, int64_t count, uint8_t code, uint8_t bits);

/** One f32 in one of the small float formats: exponent and mantissa bits, whether there are infinities. */
uint16_t tfc_round_f32(float value, unsigned exponent_bits, unsigned mantissa_bits, int has_infinity);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* TFC_WEIGHTS_SEEDSTREAM_H */
