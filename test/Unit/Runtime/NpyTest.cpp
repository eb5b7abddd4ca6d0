//===- NpyTest.cpp - npy and npz files: round trips and broken ones -------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#include "Npy.h"
#include "Compare.h"
#include "Zip.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <ctime>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

using namespace tfc;

namespace {

std::string temporary(const std::string &name) {
  return testing::TempDir() + "/tfc-npy-" + std::to_string(getpid()) + "-" + name;
}

void writeFile(const std::string &path, const std::string &contents) {
  std::ofstream(path, std::ios::binary) << contents;
}

std::string readFile(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

Array arrayOf(const std::string &name, TfcDataType type, std::vector<int64_t> dims) {
  Array array;
  array.name = name;
  array.type = type;
  array.dims = std::move(dims);
  array.bytes.resize(size_t(byteCount(elementCount(array.dims, type), type)));
  for (size_t i = 0; i < array.bytes.size(); ++i)
    array.bytes[i] = uint8_t(i * 7 + 1);
  return array;
}

const TfcDataType f32 = {TFC_FLOAT, 32, 1}, bf16 = {TFC_BFLOAT, 16, 1}, i4 = {TFC_INT, 4, 1};

std::string npyOf(const std::string &header, const std::string &elements, char version = 1) {
  std::string head("\x93NUMPY", 6);
  head += version;
  head += '\0';
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i)
    head += char(header.size() >> 8 * i);
  return head + header + elements;
}

Status parse(const std::string &contents, Array &array) {
  return parseNpy("x", std::vector<uint8_t>(contents.begin(), contents.end()), array);
}

//===-- Round trips
//----------------------------------------------------------------------------------------===//

TEST(Npz, RoundTripOfEveryType) {
  std::vector<Array> arrays;
  for (TfcDataType type :
       {TfcDataType{TFC_INT, 8, 1}, TfcDataType{TFC_INT, 16, 1}, TfcDataType{TFC_INT, 32, 1},
        TfcDataType{TFC_INT, 64, 1}, TfcDataType{TFC_UINT, 8, 1}, TfcDataType{TFC_UINT, 16, 1},
        TfcDataType{TFC_UINT, 32, 1}, TfcDataType{TFC_UINT, 64, 1}, TfcDataType{TFC_FLOAT, 16, 1}, f32,
        TfcDataType{TFC_FLOAT, 64, 1}, TfcDataType{TFC_BOOL, 8, 1}})
    arrays.push_back(arrayOf(typeName(type), type, {2, 3}));
  arrays.push_back(arrayOf("scalar", f32, {}));
  arrays.push_back(arrayOf("empty", f32, {0, 5}));
  arrays.push_back(arrayOf("one", f32, {7}));
  arrays.push_back(arrayOf("/a/b.c:0", f32, {1, 1, 1, 1}));
  std::string path = temporary("round.npz");
  ASSERT_EQ(writeArrays(path, arrays).sentence, "");
  std::vector<Array> back;
  ASSERT_EQ(readArrays(path, back).sentence, "");
  ASSERT_EQ(back.size(), arrays.size());
  for (size_t i = 0; i < back.size(); ++i) {
    EXPECT_EQ(back[i].name, arrays[i].name);
    EXPECT_TRUE(back[i].type == arrays[i].type) << arrays[i].name;
    EXPECT_EQ(back[i].dims, arrays[i].dims);
    EXPECT_EQ(back[i].bytes, arrays[i].bytes);
  }
  unlink(path.c_str());
}

TEST(Npz, TypesThatNumpyDoesNotKnow) {
  Array bits = arrayOf("b", bf16, {4}), small = arrayOf("i", i4, {3}), back;
  small.bytes = {0xF1, 0x08}; // 1, -1, -8
  std::string path = temporary("bits.npz");
  ASSERT_EQ(writeArrays(path, {bits, small}).sentence, "");
  std::vector<Array> files;
  ASSERT_EQ(readArrays(path, files).sentence, "");
  EXPECT_EQ(typeName(files[0].type), "ui16");
  EXPECT_EQ(typeName(files[1].type), "i8");
  EXPECT_EQ(files[1].bytes, (std::vector<uint8_t>{1, 0xFF, 0xF8}));
  EXPECT_EQ(fromFile(files[0], bf16, back).sentence, "");
  EXPECT_EQ(back.bytes, bits.bytes);
  EXPECT_EQ(fromFile(files[1], i4, back).sentence, "");
  EXPECT_EQ(back.bytes, small.bytes);
  files[1].bytes[0] = 8;
  EXPECT_EQ(fromFile(files[1], i4, back).sentence, "'i': element 0 is 8, which does not fit in i4");
  EXPECT_EQ(fromFile(files[1], f32, back).sentence, "'i' is i8 in the file, but must be f32");
  unlink(path.c_str());
}

TEST(Npz, FloatsForABfloatInputAreRounded) {
  Array floats, back;
  floats.type = f32;
  floats.dims = {2};
  float values[] = {1.01171875f, -2.f};
  floats.bytes.resize(8);
  std::memcpy(floats.bytes.data(), values, 8);
  ASSERT_EQ(fromFile(floats, bf16, back).sentence, "");
  EXPECT_EQ(back.bytes, (std::vector<uint8_t>{0x82, 0x3F, 0x00, 0xC0}));
}

TEST(Npy, ColumnMajorAndBigEndian) {
  Array array;
  ASSERT_EQ(
      parse(npyOf("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }", "abcdef"), array).sentence,
      "");
  EXPECT_EQ(std::string(array.bytes.begin(), array.bytes.end()), "acebdf");
  ASSERT_EQ(parse(npyOf("{'descr': '>u2', 'fortran_order': False, 'shape': (2,), }", "abcd"), array).sentence,
            "");
  EXPECT_EQ(std::string(array.bytes.begin(), array.bytes.end()), "badc");
}

TEST(Npy, VersionsOfTheFormat) {
  Array array;
  for (char version : {1, 2, 3})
    EXPECT_EQ(parse(npyOf("{'descr': '<f4', 'fortran_order': False, 'shape': (), }", "1234", version), array)
                  .sentence,
              "");
  EXPECT_NE(
      parse(npyOf("{'descr': '<f4', 'fortran_order': False, 'shape': (), }", "1234", 4), array).sentence, "");
}

//===-- Broken ones: a sentence, exit code 2, never more
//-----------------------------------------------------===//

TEST(Npy, BrokenHeaders) {
  const char *broken[] = {
      "",
      "{",
      "{}",
      "{'descr': '<f4', 'fortran_order': False, }",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (1, }",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': 1}",
      "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}",
      "{'descr': '<f4', 'fortran_order': Maybe, 'shape': (1,)}",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} and more",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,)}",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4)}",
      "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}",
      "{'descr': '|O', 'fortran_order': False, 'shape': (1,)}",
      "{'descr': '<c8', 'fortran_order': False, 'shape': (1,)}",
      "{'descr': '<f1', 'fortran_order': False, 'shape': (4,)}",
      "{'descr': '<U1', 'fortran_order': False, 'shape': (1,)}",
  };
  for (const char *header : broken) {
    Array array;
    Status status = parse(npyOf(header, "1234"), array);
    EXPECT_EQ(status.code, BadInput) << header;
    EXPECT_NE(status.sentence, "") << header;
  }
}

TEST(Npz, TruncatedEverywhere) {
  std::string path = temporary("whole.npz"), cut = temporary("cut.npz");
  ASSERT_EQ(writeArrays(path, {arrayOf("a", f32, {3, 4}), arrayOf("b", f32, {5})}).sentence, "");
  std::string whole = readFile(path);
  for (size_t length = 0; length < whole.size(); ++length) {
    writeFile(cut, whole.substr(0, length));
    std::vector<Array> arrays;
    ASSERT_EQ(readArrays(cut, arrays).code, BadInput) << length;
  }
  unlink(path.c_str());
  unlink(cut.c_str());
}

TEST(Npz, ChangedEverywhere) {
  std::string path = temporary("whole.npz"), changed = temporary("changed.npz");
  Array array = arrayOf("a", f32, {3, 4});
  ASSERT_EQ(writeArrays(path, {array}).sentence, "");
  std::string whole = readFile(path);
  for (size_t at = 0; at < whole.size(); ++at)
    for (int mask : {1, 0x80, 0xFF}) {
      std::string bytes = whole;
      bytes[at] = char(bytes[at] ^ mask);
      writeFile(changed, bytes);
      std::vector<Array> arrays;
      Status status = readArrays(changed, arrays);
      // Times, versions and the like may change; elements that are read must be the right ones.
      if (!status && arrays.size() == 1)
        ASSERT_EQ(arrays[0].bytes, array.bytes) << at;
      else if (status)
        ASSERT_EQ(status.code, BadInput) << at;
    }
  unlink(path.c_str());
  unlink(changed.c_str());
}

/// A directory of `count` members without contents, each with the name that `nameOf` gives.
template <typename NameOf> std::string directoryOf(uint32_t count, NameOf nameOf) {
  std::string entries;
  for (uint32_t i = 0; i < count; ++i) {
    std::string name = nameOf(i), entry("PK\1\2");
    entry.resize(46);
    entry[28] = char(name.size());
    entries += entry + name;
  }
  std::string end("PK\5\6");
  end.resize(22);
  auto put = [&](size_t at, uint32_t value, size_t bytes) { std::memcpy(&end[at], &value, bytes); };
  put(10, count, 2);
  put(12, uint32_t(entries.size()), 4);
  return entries + end;
}

TEST(Npz, NamesAreUnique) {
  std::string path = temporary("names.npz");
  std::vector<Array> arrays;
  writeFile(path, directoryOf(2, [](uint32_t) { return std::string("same"); }));
  EXPECT_NE(readArrays(path, arrays).sentence.find("two members called 'same'"), std::string::npos);
  // Many members are no reason to compare each with each.
  writeFile(path, directoryOf(65000, [](uint32_t i) { return std::to_string(i); }));
  ZipReader zip;
  std::clock_t start = std::clock();
  EXPECT_FALSE(zip.open(path));
  EXPECT_EQ(zip.members().size(), 65000u);
  EXPECT_LT(double(std::clock() - start) / CLOCKS_PER_SEC, 2.0);
  unlink(path.c_str());
}

TEST(Npz, NoSuchFiles) {
  std::vector<Array> arrays;
  EXPECT_EQ(readArrays("/nowhere.npz", arrays).code, BadInput);
  EXPECT_EQ(readArrays(testing::TempDir(), arrays).sentence,
            "'" + testing::TempDir() + "': is not a regular file");
  std::string path = temporary("text"), fifo = temporary("fifo");
  writeFile(path, "some text");
  EXPECT_EQ(readArrays(path, arrays).sentence, "'" + path + "' is neither an npz nor an npy file");
  unlink(path.c_str());
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_EQ(readArrays(fifo, arrays).code, BadInput) << "and it does not hang";
  unlink(fifo.c_str());
}

TEST(Npz, WritingFailsWithoutTraces) {
  Array array = arrayOf("a", f32, {3, 4});
  EXPECT_EQ(writeArrays("/nowhere/out.npz", {array}).code, BadInput);
  EXPECT_EQ(writeArrays(testing::TempDir(), {array}).code, BadInput);
  EXPECT_EQ(writeArrays("/dev/full", {array}).code, BadInput) << "not a regular file";
}

//===-- Comparison
//-----------------------------------------------------------------------------------------===//

Array floats(std::vector<float> values) {
  Array array;
  array.name = "y";
  array.type = f32;
  array.dims = {int64_t(values.size())};
  array.bytes.resize(values.size() * 4);
  std::memcpy(array.bytes.data(), values.data(), array.bytes.size());
  return array;
}

int compare(const Array &output, const Array &expected, std::string *sentence = nullptr) {
  std::string summary;
  Status status = compareArrays({output}, {expected}, 1e-4, 1e-5, summary);
  if (sentence)
    *sentence = status.sentence;
  return status.code;
}

TEST(Compare, Elements) {
  EXPECT_EQ(compare(floats({1, 2}), floats({1, 2})), Fine);
  EXPECT_EQ(compare(floats({1.00005f}), floats({1})), Fine);
  EXPECT_EQ(compare(floats({1.001f}), floats({1})), CheckFailed);
  EXPECT_EQ(compare(floats({NAN, INFINITY, -INFINITY}), floats({NAN, INFINITY, -INFINITY})), Fine);
  EXPECT_EQ(compare(floats({NAN}), floats({1})), CheckFailed);
  EXPECT_EQ(compare(floats({1}), floats({NAN})), CheckFailed);
  EXPECT_EQ(compare(floats({INFINITY}), floats({-INFINITY})), CheckFailed);
  EXPECT_EQ(compare(floats({3e38f}), floats({INFINITY})), CheckFailed);
  std::string sentence;
  compare(floats({1, 2.5f, 3, 9}), floats({1, 2, 3, 4}), &sentence);
  EXPECT_EQ(sentence, "output 'y' at [3] is 9, expected 4: error 5, allowed 0.00041; 2 of 4 elements differ");
}

TEST(Compare, IntegersAreEqualOrNot) {
  Array a = arrayOf("y", {TFC_INT, 64, 1}, {1}), b = a;
  int64_t large = (int64_t(1) << 60) + 1, next = large + 1; // the same as doubles
  std::memcpy(a.bytes.data(), &large, 8);
  std::memcpy(b.bytes.data(), &next, 8);
  EXPECT_EQ(compare(a, a), Fine);
  EXPECT_EQ(compare(a, b), CheckFailed);
}

TEST(Compare, NamesTypesShapes) {
  std::string summary;
  Array y = floats({1, 2}), z = y, matrix = y, integers = arrayOf("y", {TFC_INT, 32, 1}, {2});
  z.name = "z";
  matrix.dims = {1, 2};
  EXPECT_EQ(compare(y, z), CheckFailed);
  EXPECT_EQ(compare(y, matrix), CheckFailed);
  EXPECT_EQ(compare(y, integers), CheckFailed);
  EXPECT_EQ(compareArrays({y}, {y, z}, 1, 1, summary).code, CheckFailed);
  EXPECT_EQ(compareArrays({y, z}, {y}, 1, 1, summary).code, CheckFailed);
}

} // namespace
