//===- OutputFileTest.cpp - Files that appear whole or not at all --------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===------------------------------------------------------------------------------------------------------===//

#include "tfc/Target/OutputFile.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "gtest/gtest.h"

#include <sys/stat.h>
#include <unistd.h>

using namespace llvm;

namespace {

struct OutputFile : ::testing::Test {
  void SetUp() override { ASSERT_FALSE(sys::fs::createUniqueDirectory("tfc-output", folder)); }
  void TearDown() override { sys::fs::remove_directories(folder); }
  std::string path(StringRef name) { return (folder + "/" + name).str(); }
  std::string contents(StringRef name) {
    auto buffer = MemoryBuffer::getFile(path(name));
    return buffer ? (*buffer)->getBuffer().str() : "(none)";
  }
  size_t fileCount() {
    size_t count = 0;
    std::error_code code;
    for (sys::fs::directory_iterator it(folder, code), end; it != end; it.increment(code))
      ++count;
    return count;
  }
  void write(StringRef name, StringRef text) {
    auto file = tfc::OutputFile::create(path(name));
    ASSERT_TRUE(bool(file));
    ASSERT_FALSE(bool(file->write(text)));
    ASSERT_FALSE(bool(file->commit()));
  }
  SmallString<128> folder;
};

TEST_F(OutputFile, CommittedFileIsThere) {
  write("a", "text");
  EXPECT_EQ(contents("a"), "text");
  EXPECT_EQ(fileCount(), 1u);
}

TEST_F(OutputFile, WithoutCommitTheOldFileStays) {
  write("a", "old");
  {
    auto file = tfc::OutputFile::create(path("a"));
    ASSERT_TRUE(bool(file));
    ASSERT_FALSE(bool(file->write("new")));
    EXPECT_EQ(contents("a"), "old");
  }
  EXPECT_EQ(contents("a"), "old");
  EXPECT_EQ(fileCount(), 1u);
}

TEST_F(OutputFile, ALinkStaysALink) {
  write("real", "old");
  ASSERT_EQ(::symlink(path("real").c_str(), path("link").c_str()), 0);
  write("link", "new");
  EXPECT_EQ(contents("real"), "new");
  bool isLink = false;
  ASSERT_FALSE(sys::fs::is_symlink_file(path("link"), isLink));
  EXPECT_TRUE(isLink);
}

TEST_F(OutputFile, ADeviceIsNotReplaced) {
  auto file = tfc::OutputFile::create("/dev/null");
  ASSERT_TRUE(bool(file));
  ASSERT_FALSE(bool(file->write("text")));
  ASSERT_FALSE(bool(file->commit()));
  struct stat status;
  ASSERT_EQ(::stat("/dev/null", &status), 0);
  EXPECT_TRUE(S_ISCHR(status.st_mode));
}

TEST_F(OutputFile, WhatCannotBeWrittenIsAnError) {
  std::string nullInside("a\0b", 3);
  for (std::string bad :
       {std::string(folder), path("no/where"), std::string(), nullInside, path(std::string(300, 'x'))}) {
    auto file = tfc::OutputFile::create(bad);
    EXPECT_FALSE(bool(file)) << bad;
    consumeError(file.takeError());
  }
  EXPECT_EQ(fileCount(), 0u);
}

} // namespace
