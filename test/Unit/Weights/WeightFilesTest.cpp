//===- WeightFilesTest.cpp - Bounds, blobs and untrusted paths -----------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Weights/WeightFiles.h"
#include "tfc/Weights/OpenBeneath.h"
#include "gtest/gtest.h"
#include <cstdlib>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

using namespace tfc;

namespace {

/// A folder of its own for each test, gone at its end.
class Folder : public testing::Test {
protected:
  void SetUp() override {
    char pattern[] = "/tmp/tfc-weights-XXXXXX";
    ASSERT_NE(mkdtemp(pattern), nullptr);
    root = pattern;
    inside = root + "/model";
    ASSERT_EQ(mkdir(inside.c_str(), 0700), 0);
    write(inside + "/w.bin", "0123456789");
    write(root + "/secret.bin", "secret");
  }
  void TearDown() override { ASSERT_EQ(std::system(("rm -rf " + root).c_str()), 0); }

  static void write(const std::string &path, const std::string &contents) { std::ofstream(path) << contents; }

  /// Empty where the file opens, else the reason why it does not.
  std::string refusal(llvm::StringRef path, bool links = false) {
    auto file = openBeneath(inside, path, links);
    if (file)
      return "";
    return llvm::toString(file.takeError());
  }

  std::string root, inside;
};

std::string text(llvm::ArrayRef<uint8_t> bytes) { return std::string(bytes.begin(), bytes.end()); }

TEST_F(Folder, BytesOfFile) {
  WeightFiles files;
  files.setBaseFolder(inside);
  EXPECT_EQ(text(cantFail(files.bytes("w.bin", 3, 4))), "3456");
  EXPECT_EQ(text(cantFail(files.bytes(inside + "/w.bin", 0, 10))), "0123456789");
  EXPECT_EQ(cantFail(files.bytes("w.bin", 10, 0)).size(), 0u);
  // One mapping serves both spellings of the path.
  EXPECT_EQ(cantFail(files.bytes("w.bin", 0, 1)).data(),
            cantFail(files.bytes(inside + "/w.bin", 0, 1)).data());
}

TEST_F(Folder, BytesOutsideFileAreRefused) {
  WeightFiles files;
  files.setBaseFolder(inside);
  for (auto [offset, size] :
       {std::pair<uint64_t, uint64_t>{0, 11}, {11, 0}, {5, 6}, {UINT64_MAX, 2}, {2, UINT64_MAX}}) {
    auto bytes = files.bytes("w.bin", offset, size);
    EXPECT_FALSE(static_cast<bool>(bytes));
    llvm::consumeError(bytes.takeError());
  }
  auto missing = files.bytes("none.bin", 0, 1);
  ASSERT_FALSE(static_cast<bool>(missing));
  EXPECT_NE(llvm::toString(missing.takeError()).find("none.bin"), std::string::npos);
}

TEST_F(Folder, Blob) {
  WeightFiles files;
  std::string one = files.addBlob("table", {1, 2, 3});
  std::string two = files.addBlob("table", {4, 5});
  EXPECT_NE(one, two);
  EXPECT_EQ(cantFail(files.bytes(one, 1, 2))[0], 2);
  EXPECT_EQ(cantFail(files.allBytes(two)).size(), 2u);
  // No path that a model names can be the name of a blob.
  EXPECT_NE(refusal(one), "");
  WeightFiles other;
  auto unknown = other.allBytes(one);
  EXPECT_FALSE(static_cast<bool>(unknown));
  llvm::consumeError(unknown.takeError());
}

TEST_F(Folder, OpenedFileIsNotOpenedAgain) {
  WeightFiles files;
  files.setBaseFolder(inside);
  cantFail(files.addOpenedFile("w.bin", cantFail(openBeneath(inside, "w.bin"))));
  ASSERT_EQ(rename((root + "/secret.bin").c_str(), (inside + "/w.bin").c_str()), 0);
  EXPECT_EQ(text(cantFail(files.allBytes("w.bin"))), "0123456789");
}

TEST_F(Folder, BeneathOpensPlainFiles) {
  EXPECT_EQ(refusal("w.bin"), "");
  EXPECT_EQ(refusal("./w.bin"), "");
  ASSERT_EQ(mkdir((inside + "/sub").c_str(), 0700), 0);
  write(inside + "/sub/v.bin", "v");
  EXPECT_EQ(refusal("sub/v.bin"), "");
}

TEST_F(Folder, BeneathRefusesPathsThatLeave) {
  for (std::string path :
       {"../secret.bin", "a/../../secret.bin", "./a/./../../secret.bin", "..\\secret.bin", "/etc/passwd",
        "C:\\x", "C:x", "\\\\?\\C:\\x", "file://w.bin", "", ".", "..", "w.bin/", "sub/.."})
    EXPECT_NE(refusal(path), "") << path;
  EXPECT_NE(refusal(llvm::StringRef("w.bin\0x", 7)), "");
  EXPECT_NE(refusal(std::string(5000, 'a')), "");
  EXPECT_NE(refusal(std::string(300, 'a')), "");
}

TEST_F(Folder, BeneathRefusesLinks) {
  ASSERT_EQ(symlink("../secret.bin", (inside + "/out").c_str()), 0);
  ASSERT_EQ(symlink("w.bin", (inside + "/in").c_str()), 0);
  ASSERT_EQ(symlink("loop", (inside + "/loop").c_str()), 0);
  ASSERT_EQ(symlink("..", (inside + "/parent").c_str()), 0);
  ASSERT_EQ(link((root + "/secret.bin").c_str(), (inside + "/hard").c_str()), 0);
  for (const char *path : {"out", "in", "loop", "parent/secret.bin", "hard"})
    EXPECT_NE(refusal(path), "") << path;
  // Where links are allowed, those that stay inside open; those that leave do not.
  EXPECT_EQ(refusal("in", /*links=*/true), "");
  EXPECT_NE(refusal("out", /*links=*/true), "");
  EXPECT_NE(refusal("parent/secret.bin", /*links=*/true), "");
}

TEST_F(Folder, BeneathRefusesWhatIsNoRegularFile) {
  ASSERT_EQ(mkfifo((inside + "/fifo").c_str(), 0600), 0);
  ASSERT_EQ(mkdir((inside + "/folder").c_str(), 0700), 0);
  EXPECT_NE(refusal("fifo"), "");
  EXPECT_NE(refusal("folder"), "");
  auto device = openFile("/dev/zero");
  ASSERT_FALSE(static_cast<bool>(device));
  EXPECT_EQ(llvm::toString(device.takeError()), "is not a regular file");
}

} // namespace
