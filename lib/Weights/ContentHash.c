/*===- ContentHash.c - Is this the file that the compiler wrote? --------------------------------------===*\
|*                                                                                                        *|
|* Part of tfc, under the Apache License v2.0 with LLVM Exceptions.                                       *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                                                *|
|*                                                                                                        *|
\*===--------------------------------------------------------------------------------------------------===*/

#include "tfc/Weights/ContentHash.h"

#include <string.h>

static const uint64_t keys[4] = {0x9E3779B97F4A7C15u, 0xC2B2AE3D27D4EB4Fu, 0x165667B19E3779F9u,
                                 0xD6E8FEB86659FD93u};

/* Both halves of the product, folded: every bit of either factor moves about half of the result. */
static uint64_t fold(uint64_t a, uint64_t b) {
  __extension__ typedef unsigned __int128 Wide;
  Wide product = (Wide)a * b;
  return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t rotate(uint64_t x, int by) { return x << by | x >> (64 - by); }

static void addBlock(uint64_t lanes[4], const uint8_t *block) {
  for (int j = 0; j < 4; ++j) {
    uint64_t low, high;
    memcpy(&low, block + 16 * j, 8);
    memcpy(&high, block + 16 * j + 8, 8);
    /* The lane enters twice, so that a factor that happens to be zero cannot wipe out what came before. */
    lanes[j] = rotate(lanes[j], 29) + fold(low ^ keys[j], high ^ lanes[j]);
  }
}

void tfc_hash_start(TfcContentHash *hash) {
  memset(hash, 0, sizeof(*hash));
  memcpy(hash->lanes, keys, sizeof(keys));
}

void tfc_hash_add(TfcContentHash *hash, const void *bytes, uint64_t count) {
  const uint8_t *at = (const uint8_t *)bytes;
  uint64_t held = hash->length % 64;
  hash->length += count;
  if (held) {
    uint64_t take = count < 64 - held ? count : 64 - held;
    memcpy(hash->pending + held, at, (size_t)take);
    at += take;
    count -= take;
    if (held + take < 64)
      return;
    addBlock(hash->lanes, hash->pending);
  }
  for (; count >= 64; at += 64, count -= 64)
    addBlock(hash->lanes, at);
  if (count)
    memcpy(hash->pending, at, (size_t)count);
}

void tfc_hash_finish(const TfcContentHash *hash, uint64_t result[2]) {
  uint64_t lanes[4];
  uint8_t last[64] = {0};
  memcpy(lanes, hash->lanes, sizeof(lanes));
  memcpy(last, hash->pending, (size_t)(hash->length % 64));
  addBlock(lanes, last); /* the length tells zeros of the file from zeros of the padding */
  uint64_t a = hash->length ^ keys[1], b = hash->length + keys[2];
  for (int j = 0; j < 4; ++j) {
    a = fold(a ^ lanes[j], keys[3 - j]) + rotate(b, 17);
    b = fold(b + lanes[3 - j], keys[j]) ^ rotate(a, 41);
  }
  result[0] = fold(a ^ keys[0], b | 1);
  result[1] = fold(b ^ keys[3], a | 1);
}

void tfc_hash_bytes(const void *bytes, uint64_t count, uint64_t result[2]) {
  TfcContentHash hash;
  tfc_hash_start(&hash);
  tfc_hash_add(&hash, bytes, count);
  tfc_hash_finish(&hash, result);
}
