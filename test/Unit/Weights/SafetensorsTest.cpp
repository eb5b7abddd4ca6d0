//===- SafetensorsTest.cpp - Good and broken safetensors headers -----------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Weights/Safetensors.h"

#include "llvm/Support/Endian.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

using namespace llvm;
using tfc::SafetensorsFile;

namespace {

/// The message for a header in front of `dataBytes` bytes; "" where it is accepted.
std::string messageFor(StringRef header, uint64_t dataBytes) {
  Expected<SafetensorsFile> file = SafetensorsFile::parse("w.safetensors", header, dataBytes);
  return file ? std::string() : toString(file.takeError());
}

#define EXPECT_MESSAGE(message, part)                                                                        \
  EXPECT_NE(StringRef(message).find(part), StringRef::npos) << "message: " << (message)

/// A file that goes away with the test.
class TemporaryFile {
public:
  explicit TemporaryFile(StringRef contents) {
    EXPECT_FALSE(sys::fs::createTemporaryFile("tfc", "safetensors", path));
    std::error_code code;
    raw_fd_ostream(path, code) << contents;
    EXPECT_FALSE(code);
  }
  ~TemporaryFile() { sys::fs::remove(path); }
  StringRef getPath() const { return path; }

private:
  SmallString<128> path;
};

std::string withLength(uint64_t length, StringRef rest) {
  char bytes[8];
  support::endian::write64le(bytes, length);
  return std::string(bytes, 8) + rest.str();
}

std::string messageForFile(StringRef contents) {
  TemporaryFile file(contents);
  Expected<SafetensorsFile> opened = SafetensorsFile::open(file.getPath());
  return opened ? std::string() : toString(opened.takeError());
}

constexpr const char *twoTensors =
    R"({"__metadata__":{"format":"pt"},"b":{"dtype":"F16","shape":[2],"data_offsets":[24,28]},)"
    R"("a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}   )";

} // namespace

TEST(Safetensors, GivesPlacesInTheFile) {
  std::string header = twoTensors;
  TemporaryFile disk(withLength(header.size(), header) + std::string(28, 'x'));
  Expected<SafetensorsFile> file = SafetensorsFile::open(disk.getPath());
  ASSERT_TRUE(bool(file)) << toString(file.takeError());
  ASSERT_EQ(file->getTensors().size(), 2u);
  const tfc::SafetensorsTensor *b = file->find("b");
  ASSERT_NE(b, nullptr);
  EXPECT_EQ(b->dtype, "F16");
  EXPECT_EQ(b->shape, (SmallVector<int64_t, 4>{2}));
  EXPECT_EQ(b->offset, 8 + header.size() + 24);
  EXPECT_EQ(b->bytes, 4u);
  EXPECT_EQ(file->getTensors()[0].name, "a");
  EXPECT_EQ(file->find("__metadata__"), nullptr);
  EXPECT_EQ(file->find("c"), nullptr);
}

TEST(Safetensors, TakesScalarsEmptyTensorsAndEmptyFiles) {
  EXPECT_EQ(messageFor(R"({"s":{"dtype":"I64","shape":[],"data_offsets":[0,8]}})", 8), "");
  EXPECT_EQ(messageFor(R"({"e":{"dtype":"F32","shape":[0,7],"data_offsets":[0,0]}})", 0), "");
  EXPECT_EQ(messageFor("{}", 0), "");
}

TEST(Safetensors, RefusesFilesThatAreNone) {
  EXPECT_MESSAGE(messageForFile(""), "too short");
  EXPECT_MESSAGE(messageForFile("1234567"), "too short");
  EXPECT_MESSAGE(messageForFile("<!DOCTYPE html><html></html>"), "not a safetensors file");
  Expected<SafetensorsFile> missing = SafetensorsFile::open("/nonexistent/w.safetensors");
  ASSERT_FALSE(bool(missing));
  EXPECT_MESSAGE(toString(missing.takeError()), "No such file");
  Expected<SafetensorsFile> folder = SafetensorsFile::open("/");
  ASSERT_FALSE(bool(folder));
  EXPECT_MESSAGE(toString(folder.takeError()), "not a regular file");
}

TEST(Safetensors, DoesNotWaitForAPipe) {
  SmallString<128> path;
  sys::fs::createUniquePath("tfc-%%%%%%.fifo", path, /*MakeAbsolute=*/true);
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  Expected<SafetensorsFile> file = SafetensorsFile::open(path);
  sys::fs::remove(path);
  ASSERT_FALSE(bool(file));
  EXPECT_MESSAGE(toString(file.takeError()), "not a regular file");
}

TEST(Safetensors, ChecksTheHeaderLength) {
  EXPECT_MESSAGE(messageForFile(withLength(uint64_t(1) << 63, "{}")),
                 "header would take 9223372036854775808");
  EXPECT_MESSAGE(messageForFile(withLength(~uint64_t(0), "{}")), "header would take");
  EXPECT_MESSAGE(messageForFile(withLength(3, "{}")), "header would take 3 bytes");
  EXPECT_MESSAGE(messageForFile(withLength(0, "{}")), "not the JSON");
  std::string large(SafetensorsFile::maxHeaderBytes + 1, ' ');
  EXPECT_MESSAGE(messageForFile(withLength(large.size(), large)), "more than the");
  EXPECT_EQ(messageForFile(withLength(2, "{}")), "");
}

TEST(Safetensors, RefusesBrokenJson) {
  EXPECT_MESSAGE(messageFor("", 0), "not the JSON");
  EXPECT_MESSAGE(messageFor("{\"a\":", 0), "not the JSON");
  EXPECT_MESSAGE(messageFor("{\"a", 0), "not the JSON");
  EXPECT_MESSAGE(messageFor("[]", 0), "not a JSON object");
  EXPECT_MESSAGE(messageFor("{\"\xff\":1}", 0), "UTF-8");
  EXPECT_MESSAGE(messageFor("{} {}", 0), "not the JSON");
}

TEST(Safetensors, RefusesDeepNesting) {
  std::string deep = "{\"a\":" + std::string(100000, '[');
  EXPECT_MESSAGE(messageFor(deep, 0), "nested deeper than");
  // Brackets inside a string nest nothing.
  EXPECT_EQ(messageFor("{\"__metadata__\":{\"k\":\"" + std::string(100000, '[') + "\"}}", 0), "");
}

TEST(Safetensors, RefusesEqualKeys) {
  StringRef empty = R"({"dtype":"F32","shape":[0],"data_offsets":[0,0]})";
  EXPECT_MESSAGE(messageFor(("{\"a\":" + empty + ",\"a\":" + empty + "}").str(), 0), "'a' stands twice");
  EXPECT_MESSAGE(messageFor(("{\"a\":" + empty + ",\"\\u0061\" :" + empty + "}").str(), 0),
                 "'a' stands twice");
  EXPECT_MESSAGE(messageFor(R"({"a":{"dtype":"F32","dtype":"F16","shape":[0],"data_offsets":[0,0]}})", 0),
                 "'dtype' stands twice");
  EXPECT_EQ(messageFor(("{\"a\":" + empty + ",\"b\":" + empty + "}").str(), 0), "");
}

TEST(Safetensors, ChecksTheParts) {
  EXPECT_MESSAGE(messageFor(R"({"a":3})", 0), "'a' is not an object");
  EXPECT_MESSAGE(messageFor(R"({"a":{"shape":[0],"data_offsets":[0,0]}})", 0), "has no dtype");
  EXPECT_MESSAGE(messageFor(R"({"a":{"dtype":"F33","shape":[0],"data_offsets":[0,0]}})", 0), "'F33'");
  EXPECT_MESSAGE(messageFor(R"({"a":{"dtype":"F32","data_offsets":[0,0]}})", 0), "needs a shape");
  EXPECT_MESSAGE(messageFor(R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,0]}})", 0),
                 "needs a shape");
  EXPECT_MESSAGE(messageFor(R"({"a":{"dtype":"F32","shape":["2"],"data_offsets":[0,8]}})", 8),
                 "needs a shape");
  EXPECT_MESSAGE(
      messageFor(R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}})", 0),
      "needs a shape");
  EXPECT_MESSAGE(
      messageFor(R"({"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]}})",
                 4),
      "at most 16");
}

TEST(Safetensors, ChecksOffsets) {
  EXPECT_MESSAGE(messageFor(R"({"a":{"dtype":"F32","shape":[1]}})", 4), "two data_offsets");
  EXPECT_MESSAGE(messageFor(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}})", 8),
                 "two data_offsets");
  EXPECT_MESSAGE(messageFor(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}})", 4),
                 "none negative");
  EXPECT_MESSAGE(messageFor(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", 4), "reversed");
  EXPECT_MESSAGE(messageFor(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}})", 4),
                 "ends at byte 8");
  EXPECT_MESSAGE(
      messageFor(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,18446744073709551615]}})", 4),
      "ends at byte 18446744073709551615");
  EXPECT_MESSAGE(messageFor(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4), "takes 8");
  EXPECT_MESSAGE(messageFor(R"({"a":{"dtype":"F4","shape":[3],"data_offsets":[0,1]}})", 1), "takes 2");
}

TEST(Safetensors, ChecksTheTiling) {
  StringRef a = R"("a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]})";
  EXPECT_MESSAGE(messageFor(("{" + a + R"(,"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}})").str(), 6),
                 "'b' overlaps");
  EXPECT_MESSAGE(messageFor(("{" + a + R"(,"b":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})").str(), 4),
                 "'b' overlaps");
  EXPECT_MESSAGE(messageFor(("{" + a + R"(,"b":{"dtype":"U8","shape":[4],"data_offsets":[5,9]}})").str(), 9),
                 "bytes 4 to 5");
  EXPECT_MESSAGE(messageFor(("{" + a + "}").str(), 5), "bytes 4 to 5");
  EXPECT_EQ(messageFor(("{" + a + R"(,"b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}})").str(), 8), "");
}

TEST(Safetensors, NamesDoNotReachTheTerminal) {
  EXPECT_MESSAGE(messageFor("{\"\\u001b[31m\\n\":3}", 0), "'\\1B[31m\\0A'");
  EXPECT_MESSAGE(messageFor("{\"" + std::string(100000, 'n') + "\":3}", 0), "nnn...'");
}
