//===- LargePageWriterTest.cpp ------------------------------------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===--------------------------------------------------------------------------------------------------------===//

#include "LargePageWriter.h"

#include "gtest/gtest.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <random>
#include <unistd.h>

using namespace tfc;

namespace {
struct Piece {
  uint64_t place, size;
};

/// What the file holds after the pieces have been written, and what it should hold: byte `i` is a function of i, gaps are zero.
void checkPieces(const std::vector<Piece> &pieces) {
  FILE *file = std::tmpfile();
  ASSERT_NE(file, nullptr);
  LargePageWriter writer(fileno(file));
  std::vector<char> expected;
  for (Piece piece : pieces) {
    expected.resize(std::max<uint64_t>(expected.size(), piece.place + piece.size));
    for (uint64_t i = 0; i < piece.size; ++i)
      expected[piece.place + i] = char((piece.place + i) * 31 % 255 + 1);
    ASSERT_EQ(writer.put(expected.data() + piece.place, piece.size, piece.place), 0);
  }
  ASSERT_EQ(writer.flush(), 0);
  std::vector<char> found(expected.size() + 1);
  EXPECT_EQ(::pread(fileno(file), found.data(), found.size(), 0), ssize_t(expected.size()));
  found.pop_back();
  EXPECT_TRUE(found == expected);
  std::fclose(file);
}

constexpr uint64_t kPage = 2 << 20;

TEST(LargePageWriter, WritesWhatItIsGiven) {
  checkPieces({{0, 1}});
  checkPieces({{0, kPage}, {kPage, 3 * kPage + 5}, {4 * kPage + 5, 7}});
  checkPieces({{100, kPage - 100}, {kPage, kPage}});
  checkPieces({{100, kPage - 101}, {kPage, 1}});
  checkPieces({{0, 10}, {64, 10}, {128, 10}});
  checkPieces({{0, 10}, {100000, 10}, {3 * kPage, 10}});
}

TEST(LargePageWriter, PlacesMayGoBack) { checkPieces({{kPage, 100}, {0, 100}, {200, 50}, {kPage + 100, 3}}); }

TEST(LargePageWriter, RandomPieces) {
  std::mt19937 random(1);
  for (int round = 0; round < 5; ++round) {
    std::vector<Piece> pieces;
    for (uint64_t place = random() % 5000; place < 6 * kPage;) {
      uint64_t size = random() % (random() % 8 ? 100000 : 3 * kPage);
      pieces.push_back({place, size});
      place += size + random() % 3 * 61;
    }
    checkPieces(pieces);
  }
}

TEST(LargePageWriter, TellsErrors) {
  int file = ::open("/dev/full", O_WRONLY);
  if (file < 0)
    GTEST_SKIP() << "no /dev/full";
  LargePageWriter writer(file);
  std::vector<char> bytes(kPage);
  EXPECT_NE(writer.put(bytes.data(), bytes.size(), 0), 0);
  EXPECT_EQ(writer.put(bytes.data(), 5, 0), 0);
  EXPECT_NE(writer.flush(), 0);
  ::close(file);
}
} // namespace
