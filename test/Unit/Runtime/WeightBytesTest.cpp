//===- WeightBytesTest.cpp - Seeds, strided views, hashes -----------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#include "tfc/Weights/ContentHash.h"
#include "tfc/Weights/LayoutRecipe.h"
#include "tfc/Weights/SeedStream.h"

#include "tfc-c/ModelABI.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <vector>

namespace {

std::vector<float> normal(int64_t count, int64_t first, int64_t stride, uint64_t seed = 1,
                          uint64_t stream = 2) {
  std::vector<float> values(size_t(count), -1.f);
  tfc_seed_f32(values.data(), count, TFC_SEED_NORMAL, seed, stream, 0.0, 1.0, first, stride);
  return values;
}

TEST(SeedStream, ElementDependsOnItsNumberAlone) {
  std::vector<float> all = normal(1000, 0, 1), part = normal(10, 500, 1), strided = normal(10, 3, 97),
                     backwards = normal(10, 9, -1);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(part[i], all[500 + i]);
    EXPECT_EQ(strided[i], all[3 + 97 * i]);
    EXPECT_EQ(backwards[i], all[9 - i]);
  }
}

TEST(SeedStream, SeedsAndStreamsDiffer) {
  EXPECT_NE(normal(16, 0, 1, 1, 2), normal(16, 0, 1, 2, 2));
  EXPECT_NE(normal(16, 0, 1, 1, 2), normal(16, 0, 1, 1, 3));
  EXPECT_NE(normal(16, 0, 1, 1, 2), normal(16, 0, 1, 2, 1));
}

TEST(SeedStream, SameOnEveryMachine) {
  // Written down once: weights of artifacts made elsewhere depend on these bits.
  std::vector<float> values = normal(4, 0, 1, 42, 7);
  std::vector<uint32_t> bits(4);
  std::memcpy(bits.data(), values.data(), 16);
  EXPECT_EQ(bits, (std::vector<uint32_t>{0xBEE4A176u, 0x40171906u, 0x3FCEF15Fu, 0x3F64B63Fu}));
}

TEST(SeedStream, MeanAndVariance) {
  std::vector<float> values(1 << 20);
  tfc_seed_f32(values.data(), 1 << 20, TFC_SEED_NORMAL, 5, 6, 3.0, 0.02, 0, 1);
  double mean = 0, square = 0;
  for (float value : values) {
    mean += value;
    square += (value - 3.0) * (value - 3.0);
  }
  EXPECT_NEAR(mean / values.size(), 3.0, 1e-4);
  EXPECT_NEAR(std::sqrt(square / values.size()), 0.02, 1e-4);
}

TEST(SeedStream, ConstantAndTypes) {
  int64_t integers[3] = {};
  EXPECT_EQ(tfc_seed_elements(integers, 3, TFC_INT, 64, TFC_SEED_CONSTANT, 0, 0, -7.9, 0, 0, 1), 0);
  EXPECT_EQ(integers[2], -7);
  uint16_t half[300] = {};
  EXPECT_EQ(tfc_seed_elements(half, 300, TFC_FLOAT, 16, TFC_SEED_CONSTANT, 0, 0, 1.5, 0, 0, 1), 0);
  EXPECT_EQ(half[299], 0x3E00);
  EXPECT_EQ(tfc_seed_elements(half, 1, TFC_INT, 4, TFC_SEED_CONSTANT, 0, 0, 1, 0, 0, 1), -1)
      << "not whole bytes";
  float plain[700];
  double wide[700];
  tfc_seed_f32(plain, 700, TFC_SEED_NORMAL, 1, 1, 0, 1, 11, 3);
  tfc_seed_elements(wide, 700, TFC_FLOAT, 64, TFC_SEED_NORMAL, 1, 1, 0, 1, 11, 3);
  EXPECT_EQ(wide[699], double(plain[699]));
}

TEST(SeedStream, SmallFloatsRoundToEven) {
  const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(tfc_round_f32(1.0f, 8, 7, 1), 0x3F80);
  EXPECT_EQ(tfc_round_f32(1.00390625f, 8, 7, 1), 0x3F80) << "half way, down to even";
  EXPECT_EQ(tfc_round_f32(1.01171875f, 8, 7, 1), 0x3F82) << "half way, up to even";
  EXPECT_EQ(tfc_round_f32(3.4e38f, 8, 7, 1), 0x7F80) << "the carry reaches infinity";
  EXPECT_EQ(tfc_round_f32(65504.f, 5, 10, 1), 0x7BFF);
  EXPECT_EQ(tfc_round_f32(65520.f, 5, 10, 1), 0x7C00);
  EXPECT_EQ(tfc_round_f32(5.9604645e-8f, 5, 10, 1), 0x0001) << "smallest denormal";
  EXPECT_EQ(tfc_round_f32(2.9e-8f, 5, 10, 1), 0x0000);
  EXPECT_EQ(tfc_round_f32(-inf, 5, 10, 1), 0xFC00);
  EXPECT_EQ(tfc_round_f32(nan, 5, 10, 1) & 0x7FFF, 0x7E00);
  EXPECT_EQ(tfc_round_f32(448.f, 4, 3, 0), 0x7E);
  EXPECT_EQ(tfc_round_f32(1000.f, 4, 3, 0), 0x7F) << "e4m3fn has no infinity";
  EXPECT_EQ(tfc_round_f32(-0.f, 4, 3, 0), 0x80);
}

//===-- Layouts
//--------------------------------------------------------------------------------------------===//

template <typename T>
void checkCopy(std::vector<int64_t> dims, int64_t offset, std::vector<int64_t> strides, int64_t sourceCount) {
  std::vector<T> source(static_cast<size_t>(sourceCount)), back(static_cast<size_t>(sourceCount));
  std::iota(source.begin(), source.end(), T(1));
  int32_t rank = int32_t(dims.size());
  ASSERT_TRUE(tfc_layout_fits(dims.data(), rank, offset, strides.data(), sourceCount));
  int64_t count = tfc_layout_count(dims.data(), rank);
  std::vector<T> result(static_cast<size_t>(count));
  tfc_layout_copy(result.data(), source.data(), dims.data(), rank, offset, strides.data(), sizeof(T));
  tfc_layout_scatter(back.data(), result.data(), dims.data(), rank, offset, strides.data(), sizeof(T));
  std::vector<int64_t> index(dims.size());
  for (int64_t i = 0; i < count; ++i) {
    int64_t at = offset, rest = i;
    for (size_t d = dims.size(); d-- > 0;) {
      at += rest % dims[d] * strides[d];
      rest /= dims[d];
    }
    ASSERT_EQ(result[size_t(i)], source[size_t(at)]) << i;
    ASSERT_EQ(back[size_t(at)], source[size_t(at)]) << i;
  }
}

TEST(LayoutRecipe, Copies) {
  checkCopy<float>({3, 4}, 0, {4, 1}, 12);           // as it is
  checkCopy<float>({100, 70}, 0, {1, 100}, 7000);    // transpose
  checkCopy<uint8_t>({37, 65}, 0, {1, 37}, 37 * 65); // transpose of bytes
  checkCopy<int64_t>({5, 33, 34}, 0, {1, 5, 165}, 5610);
  checkCopy<uint16_t>({2, 3, 4, 5}, 7, {60, 20, 5, 1}, 127); // slice
  checkCopy<double>({4, 6}, 0, {0, 1}, 6);                   // broadcast
  checkCopy<float>({4, 6}, 23, {-6, -1}, 24);                // both dims reversed
  checkCopy<float>({1, 6, 1}, 0, {99, 1, 99}, 6);            // strides of dims of 1 mean nothing
  checkCopy<float>({}, 3, {}, 4);
}

TEST(LayoutRecipe, Bounds) {
  int64_t dims[] = {3, 4}, strides[] = {4, 1}, negative[] = {-4, 1}, huge[] = {INT64_MAX, 1};
  EXPECT_TRUE(tfc_layout_fits(dims, 2, 0, strides, 12));
  EXPECT_FALSE(tfc_layout_fits(dims, 2, 0, strides, 11));
  EXPECT_FALSE(tfc_layout_fits(dims, 2, 1, strides, 12));
  EXPECT_FALSE(tfc_layout_fits(dims, 2, 7, negative, 12));
  EXPECT_TRUE(tfc_layout_fits(dims, 2, 8, negative, 12));
  EXPECT_FALSE(tfc_layout_fits(dims, 2, 0, huge, INT64_MAX));
  int64_t empty[] = {0, INT64_MAX}, tooMany[] = {INT64_MAX, 2}, bad[] = {-1, 2};
  EXPECT_TRUE(tfc_layout_fits(empty, 2, 0, huge, 0)) << "reads nothing";
  EXPECT_EQ(tfc_layout_count(empty, 2), 0);
  EXPECT_EQ(tfc_layout_count(tooMany, 2), -1);
  EXPECT_EQ(tfc_layout_count(bad, 2), -1);
  EXPECT_EQ(tfc_layout_count(dims, 17), -1);
}

TEST(LayoutRecipe, RowMajor) {
  int64_t dims[] = {3, 1, 4}, plain[] = {4, 4, 1}, odd[] = {4, 999, 1}, columns[] = {1, 3, 3};
  EXPECT_TRUE(tfc_layout_is_row_major(dims, 3, nullptr));
  EXPECT_TRUE(tfc_layout_is_row_major(dims, 3, plain));
  EXPECT_TRUE(tfc_layout_is_row_major(dims, 3, odd));
  EXPECT_FALSE(tfc_layout_is_row_major(dims, 3, columns));
}

/// What a bounded layout says, element by element.
int64_t boundedElement(const std::vector<int64_t> &index, int64_t offset, const int64_t *strides,
                       const std::vector<TfcLayoutBound> &bounds) {
  auto dot = [&](int64_t start, const int64_t *steps) {
    return std::inner_product(index.begin(), index.end(), steps, start);
  };
  for (const TfcLayoutBound &bound : bounds) {
    int64_t at = dot(bound.offset, bound.strides);
    if (at < 0 || at >= bound.extent)
      return -1;
  }
  return dot(offset, strides);
}

TEST(LayoutRecipe, BoundedRows) {
  struct Case {
    int64_t dims[3], offset, strides[3], starts[2], extents[2], steps[2][3];
  } cases[] = {
      // 10 columns in panels of 4, the last one padded; rows padded from 5 to 6.
      {{3, 6, 4}, 0, {4, 10, 1}, {0, 0}, {10, 5}, {{4, 0, 1}, {0, 1, 0}}},
      // Two rows before, one column cut, backwards.
      {{2, 5, 7}, 13, {50, 7, -1}, {-2, 5}, {3, 6}, {{0, 1, 0}, {0, 0, -1}}},
      // Every third element, of which some lie outside on both sides.
      {{1, 1, 9}, -6, {0, 0, 3}, {-6, 0}, {14, 1}, {{0, 0, 3}, {0, 0, 0}}},
      // Nothing at all.
      {{2, 2, 3}, 0, {6, 3, 1}, {0, 0}, {0, 5}, {{6, 3, 1}, {0, 0, 1}}},
  };
  for (const Case &c : cases) {
    std::vector<TfcLayoutBound> bounds = {{c.starts[0], c.extents[0], c.steps[0]}, {c.starts[1], c.extents[1], c.steps[1]}};
    std::vector<int64_t> index(3, 0);
    int64_t rows = 0, read = 0;
    do {
      TfcLayoutRow row = tfc_layout_row(c.dims, 3, c.offset, c.strides, bounds.data(), 2, index.data());
      for (int64_t j = 0; j < c.dims[2]; ++j) {
        index[2] = j;
        int64_t expected = boundedElement(index, c.offset, c.strides, bounds);
        bool isRead = j >= row.begin && j < row.end;
        EXPECT_EQ(isRead, expected >= 0) << j;
        if (isRead) {
          EXPECT_EQ(row.source + j * c.strides[2], expected);
          read = std::max(read, expected + 1);
        }
      }
      index[2] = 0;
      ++rows;
    } while (tfc_layout_next_row(c.dims, 3, index.data()));
    EXPECT_EQ(rows, c.dims[0] * c.dims[1]);
    EXPECT_TRUE(tfc_layout_bounded_fits(c.dims, 3, c.offset, c.strides, bounds.data(), 2, read));
    if (read) {
      EXPECT_FALSE(tfc_layout_bounded_fits(c.dims, 3, c.offset, c.strides, bounds.data(), 2, read - 1));
    }
  }
}

TEST(LayoutRecipe, BoundsThatCannotBe) {
  int64_t dims[] = {4}, strides[] = {1}, huge[] = {INT64_MAX / 2};
  TfcLayoutBound negative = {0, -1, strides}, overflow = {0, 4, huge}, far = {0, INT64_MAX, strides};
  for (TfcLayoutBound bound : {negative, overflow, far})
    EXPECT_FALSE(tfc_layout_bounded_fits(dims, 1, 0, strides, &bound, 1, 100));
  TfcLayoutBound fine = {-1, 2, strides};
  EXPECT_TRUE(tfc_layout_bounded_fits(dims, 1, -1, strides, &fine, 1, 2));
  EXPECT_FALSE(tfc_layout_bounded_fits(dims, 1, -2, strides, &fine, 1, 2));
}

//===-- Hashes
//---------------------------------------------------------------------------------------------===//

TEST(ContentHash, PiecesDoNotMatterBytesDo) {
  std::vector<uint8_t> bytes(1000);
  std::iota(bytes.begin(), bytes.end(), uint8_t(3));
  uint64_t whole[2], pieces[2], changed[2], longer[2];
  tfc_hash_bytes(bytes.data(), bytes.size(), whole);
  for (size_t step : {1u, 7u, 63u, 64u, 65u, 500u}) {
    TfcContentHash hash;
    tfc_hash_start(&hash);
    for (size_t at = 0; at < bytes.size(); at += step)
      tfc_hash_add(&hash, bytes.data() + at, std::min(step, bytes.size() - at));
    tfc_hash_finish(&hash, pieces);
    EXPECT_EQ(pieces[0], whole[0]);
    EXPECT_EQ(pieces[1], whole[1]);
  }
  for (size_t at = 0; at < bytes.size(); ++at) {
    bytes[at] ^= 1;
    tfc_hash_bytes(bytes.data(), bytes.size(), changed);
    EXPECT_TRUE(changed[0] != whole[0] && changed[1] != whole[1]) << at;
    bytes[at] ^= 1;
  }
  bytes.push_back(0);
  tfc_hash_bytes(bytes.data(), bytes.size(), longer);
  EXPECT_NE(longer[0], whole[0]);
}

} // namespace
