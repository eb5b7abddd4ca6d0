/*===- ContentHash.h - Is this the file that the compiler wrote? ------------------------------*- C -*-===*\
|*                                                                                                        *|
|* Part of tfc, under the Apache License v2.0 with LLVM Exceptions.                                       *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                                                *|
|*                                                                                                        *|
|* 128 bits over a stream of bytes, by 64x64->128 bit multiplications in four lanes: several GB/s. It     *|
|* finds mistakes (another model's weights, a truncated or damaged file); it is no defence against        *|
|* somebody who builds a collision on purpose.                                                            *|
|*                                                                                                        *|
\*===--------------------------------------------------------------------------------------------------===*/

#ifndef TFC_WEIGHTS_CONTENTHASH_H
#define TFC_WEIGHTS_CONTENTHASH_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(hidden)

typedef struct TfcContentHash {
  uint64_t lanes[4];
  uint64_t length;
  uint8_t pending[64]; /**< the bytes since the last whole block: length % 64 of them */
} TfcContentHash;

void tfc_hash_start(TfcContentHash *hash);
/** May be called with pieces of any size: the result depends on the bytes alone. */
void tfc_hash_add(TfcContentHash *hash, const void *bytes, uint64_t count);
void tfc_hash_finish(const TfcContentHash *hash, uint64_t result[2]);

/** All three in one. */
void tfc_hash_bytes(const void *bytes, uint64_t count, uint64_t result[2]);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* TFC_WEIGHTS_CONTENTHASH_H */
