//===- Warp.cpp - Instructions that a warp executes together -------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "Block.h"

#include <cstring>

using namespace tfc::emu;

#define TFC_EMU_MEET(name, work)                                                                                     \
  extern "C" void tfc_emu_##name(void *result, const uint64_t *arguments) { meet(#name, arguments, result, work); }

using Arguments = const uint64_t *const *;
using Results = void *const *;

//===----------------------------------------------------------------------------------------------===//
// Shuffles and votes: (mask, value, lane or distance, clamp)
//===----------------------------------------------------------------------------------------------===//

template <unsigned (*Source)(unsigned lane, unsigned operand)> static void shuffle(Arguments a, Results r) {
  for (unsigned lane = 0; lane < kWarp; ++lane) {
    if (uint32_t(a[lane][0]) != ~0u)
      fail("a shuffle of a part of the warp is not emulated");
    unsigned source = Source(lane, uint32_t(a[lane][2]));
    memcpy(r[lane], &a[source < kWarp ? source : lane][1], 4);
  }
}
static unsigned byButterfly(unsigned lane, unsigned mask) { return lane ^ mask; }
static unsigned byIndex(unsigned, unsigned index) { return index % kWarp; }
static unsigned byDown(unsigned lane, unsigned delta) { return lane + delta; }
static unsigned byUp(unsigned lane, unsigned delta) { return lane - delta; }

TFC_EMU_MEET(shfl_sync_bfly_i32, shuffle<byButterfly>)
TFC_EMU_MEET(shfl_sync_bfly_f32, shuffle<byButterfly>)
TFC_EMU_MEET(shfl_sync_idx_i32, shuffle<byIndex>)
TFC_EMU_MEET(shfl_sync_idx_f32, shuffle<byIndex>)
TFC_EMU_MEET(shfl_sync_down_i32, shuffle<byDown>)
TFC_EMU_MEET(shfl_sync_down_f32, shuffle<byDown>)
TFC_EMU_MEET(shfl_sync_up_i32, shuffle<byUp>)
TFC_EMU_MEET(shfl_sync_up_f32, shuffle<byUp>)
TFC_EMU_MEET(bar_warp_sync, [](Arguments, Results) {})

//===----------------------------------------------------------------------------------------------===//
// ldmatrix and stmatrix: 8x8 matrices of 16-bit elements; lane 8 * i + r has the address of row r of matrix i.
//===----------------------------------------------------------------------------------------------===//

static unsigned char *rowOf(Arguments a, unsigned matrix, unsigned row) {
  auto *address = reinterpret_cast<unsigned char *>(a[matrix * 8 + row][0]);
  if (!isShared(address))
    fail("ldmatrix or stmatrix outside of shared memory");
  checkRange(address, 16, 16, "a row of ldmatrix or stmatrix");
  return address;
}

template <unsigned Count, bool Transposed> static void loadMatrices(Arguments a, Results r) {
  for (unsigned matrix = 0; matrix < Count; ++matrix)
    for (unsigned lane = 0; lane < kWarp; ++lane) {
      char *out = static_cast<char *>(r[lane]) + matrix * 4;
      for (unsigned i = 0; i < 2; ++i) {
        unsigned major = lane / 4, minor = 2 * (lane % 4) + i;
        unsigned row = Transposed ? minor : major, column = Transposed ? major : minor;
        memcpy(out + 2 * i, rowOf(a, matrix, row) + 2 * column, 2);
      }
    }
}

TFC_EMU_MEET(ldmatrix_sync_aligned_m8n8_x1_b16_p3, (loadMatrices<1, false>))
TFC_EMU_MEET(ldmatrix_sync_aligned_m8n8_x2_b16_p3, (loadMatrices<2, false>))
TFC_EMU_MEET(ldmatrix_sync_aligned_m8n8_x4_b16_p3, (loadMatrices<4, false>))
TFC_EMU_MEET(ldmatrix_sync_aligned_m8n8_x1_trans_b16_p3, (loadMatrices<1, true>))
TFC_EMU_MEET(ldmatrix_sync_aligned_m8n8_x2_trans_b16_p3, (loadMatrices<2, true>))
TFC_EMU_MEET(ldmatrix_sync_aligned_m8n8_x4_trans_b16_p3, (loadMatrices<4, true>))

template <unsigned Count> static void storeMatrices(Arguments a, Results) {
  for (unsigned matrix = 0; matrix < Count; ++matrix)
    for (unsigned lane = 0; lane < kWarp; ++lane)
      memcpy(rowOf(a, matrix, lane / 4) + 4 * (lane % 4), &a[lane][1 + matrix], 4);
}
TFC_EMU_MEET(stmatrix_sync_aligned_m8n8_x2_b16_p3, storeMatrices<2>)
TFC_EMU_MEET(stmatrix_sync_aligned_m8n8_x4_b16_p3, storeMatrices<4>)

//===----------------------------------------------------------------------------------------------===//
// mma.sync m16n8: A in 4 words, B in 2, C and D in 4. A word of A or B holds two elements along k (one of tf32).
//===----------------------------------------------------------------------------------------------===//

namespace {
struct BFloat {
  static constexpr unsigned bytes = 2;
  static double read(const char *at) {
    uint16_t half;
    memcpy(&half, at, 2);
    uint32_t bits = uint32_t(half) << 16;
    float value;
    memcpy(&value, &bits, 4);
    return value;
  }
};
struct Half {
  static constexpr unsigned bytes = 2;
  static double read(const char *at) {
    _Float16 value;
    memcpy(&value, at, 2);
    return value;
  }
};
struct TFloat {
  static constexpr unsigned bytes = 4;
  static double read(const char *at) {
    uint32_t bits;
    memcpy(&bits, at, 4);
    bits &= ~0x1FFFu; // 10 bits of mantissa; the others are not looked at
    float value;
    memcpy(&value, &bits, 4);
    return value;
  }
};
} // namespace

/// PTX ISA, "Matrix Fragments for mma.m16n8k16" and "mma.m16n8k8" of tf32.
template <typename Element> static void multiply(Arguments a, Results r) {
  constexpr unsigned perWord = 4 / Element::bytes, k = 8 * perWord;
  double A[16][k], B[k][8];
  for (unsigned lane = 0; lane < kWarp; ++lane)
    for (unsigned word = 0; word < 6; ++word)
      for (unsigned i = 0; i < perWord; ++i) {
        const char *at = reinterpret_cast<const char *>(&a[lane][word]) + i * Element::bytes;
        unsigned group = lane / 4, inner = lane % 4 * perWord + i;
        if (word < 4)
          A[group + 8 * (word % 2)][inner + k / 2 * (word / 2)] = Element::read(at);
        else
          B[inner + k / 2 * (word - 4)][group] = Element::read(at);
      }
  for (unsigned lane = 0; lane < kWarp; ++lane)
    for (unsigned i = 0; i < 4; ++i) {
      unsigned row = lane / 4 + 8 * (i / 2), column = 2 * (lane % 4) + i % 2;
      float c;
      memcpy(&c, &a[lane][6 + i], 4);
      double sum = c;
      for (unsigned n = 0; n < k; ++n)
        sum += A[row][n] * B[n][column];
      float rounded = float(sum);
      memcpy(static_cast<char *>(r[lane]) + 4 * i, &rounded, 4);
    }
}
TFC_EMU_MEET(mma_m16n8k16_row_col_bf16, multiply<BFloat>)
TFC_EMU_MEET(mma_m16n8k16_row_col_f32_f32, multiply<Half>)
TFC_EMU_MEET(mma_m16n8k8_row_col_tf32, multiply<TFloat>)
