//===- LoadTest.cpp - What is not a model that can run here ends in one sentence ------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#include "Host.h"

#include "tfc/Weights/SeedStream.h"

#include <cstdio>
#include <fstream>
#include <unistd.h>

using namespace tfc_test;

namespace {

std::string openError(const std::string &path, int32_t wanted, const char *query = nullptr) {
  TfcOpenModel *model = nullptr;
  EXPECT_EQ(tfc_model_open(path.c_str(), query, &model), wanted) << tfc_last_error();
  EXPECT_EQ(model, nullptr);
  tfc_model_close(model);
  return tfc_last_error();
}

std::string temporary(const std::string &name, const std::string &contents) {
  std::string path = testing::TempDir() + "/tfc-load-" + std::to_string(getpid()) + "-" + name;
  std::ofstream(path, std::ios::binary) << contents;
  return path;
}

std::string contentsOf(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

TEST(Load, Describes) {
  Opened lookup("lookup.so");
  const TfcModel *model = tfc_model_describe(lookup.model);
  EXPECT_STREQ(model->name, "lookup");
  EXPECT_STREQ(model->entries[0].inputs[0].name, "input_ids");
  uint32_t entry = 9;
  EXPECT_EQ(tfc_model_find_entry(lookup.model, "main", &entry), TFC_OK);
  EXPECT_EQ(entry, 0u);
  EXPECT_EQ(tfc_model_find_entry(lookup.model, "decode", &entry), TFC_NOT_FOUND);
  EXPECT_STREQ(tfc_last_error(), "the model has no entry 'decode'; it has: 'main'");
}

TEST(Load, TwoModelsInOneProcess) {
  Opened one("lookup.so"), two("lookup_seed.so"), three("compact.so");
  LookupCall first(1, 4, 0), second(1, 4, 0);
  EXPECT_EQ(first.run(one.context), TFC_OK);
  EXPECT_EQ(second.run(two.context), TFC_OK);
  EXPECT_NE(first.hidden.data, second.hidden.data);
}

TEST(Load, NotAFile) {
  EXPECT_EQ(openError("/nowhere/model.so", TFC_NOT_FOUND), "cannot open '/nowhere/model.so': no such file");
  EXPECT_NE(openError(testing::TempDir(), TFC_BAD_ARTIFACT).find("it is not a regular file"),
            std::string::npos);
  EXPECT_NE(openError(std::string(5000, 'x'), TFC_NOT_FOUND), "");
}

TEST(Load, NotALibrary) {
  std::string path = temporary("text", "hello, world");
  EXPECT_EQ(openError(path, TFC_BAD_ARTIFACT), "'" + path + "' is not a model: it is not a shared library");
  unlink(path.c_str());
}

TEST(Load, TruncatedEverywhere) {
  std::string whole = contentsOf(modelPath("lookup.so"));
  ASSERT_GT(whole.size(), 1000u);
  for (int part = 0; part < 16; ++part) {
    std::string path = temporary("cut", whole.substr(0, whole.size() * size_t(part) / 16));
    TfcOpenModel *model = nullptr;
    // The very end of the file holds what only a debugger reads; cut there, a model may still be whole.
    int32_t code = tfc_model_open(path.c_str(), nullptr, &model);
    EXPECT_TRUE(code == TFC_BAD_ARTIFACT || (code == TFC_OK && part > 8)) << part << ": " << tfc_last_error();
    tfc_model_close(model);
    unlink(path.c_str());
  }
}

TEST(Load, LibraryWithoutAModel) {
  EXPECT_EQ(openError(modelPath("lookup.so"), TFC_BAD_ARTIFACT, "other_query"),
            "'" + modelPath("lookup.so") +
                "' is a shared library but not a model: it has no function 'other_query'");
}

TEST(Load, NewerAbi) {
  EXPECT_EQ(openError(modelPath("lookup_newer.so"), TFC_ABI_MISMATCH),
            "the model has ABI version 99, this runtime has " + std::to_string(TFC_ABI_VERSION) + ": compile the model again");
}

TEST(Load, CpuLacksFeatures) {
  std::string sentence = openError(modelPath("lookup_cpu.so"), TFC_UNSUPPORTED_CPU);
  EXPECT_NE(sentence.find("the model is compiled for x86-64-v3, feature bits 0x10000000000; this CPU has "),
            std::string::npos)
      << sentence;
}

TEST(Load, DamagedDescriptor) {
  Opened lookup("lookup.so");
  TfcModel model = *tfc_model_describe(lookup.model);
  TfcEntry entry = model.entries[0];
  model.entries = &entry;
  TfcOpenModel *opened = nullptr;
  auto expect = [&](int32_t code, const std::string &part) {
    EXPECT_EQ(tfc_model_adopt(&model, nullptr, &opened), code);
    EXPECT_NE(std::string(tfc_last_error()).find(part), std::string::npos) << tfc_last_error();
    EXPECT_EQ(opened, nullptr);
    entry = tfc_model_describe(lookup.model)->entries[0];
  };
  entry.input_count = 2; // past_key is gone, and with it the dim that binds 'past'
  expect(TFC_BAD_ARTIFACT, "entry 'main': no input dim gives symbol 'past' its value");
  entry.value_count = 3;
  expect(TFC_BAD_ARTIFACT, "the model's descriptor is damaged");
  entry.symbol_count = 1;
  expect(TFC_BAD_ARTIFACT, "the model's descriptor is damaged: entry 'main', value 1");
  model.magic = 7;
  expect(TFC_BAD_ARTIFACT, "this is not a tfc model");
  EXPECT_EQ(tfc_model_adopt(nullptr, nullptr, &opened), TFC_BAD_ARGUMENT);
}

//===-- Weights
//--------------------------------------------------------------------------------------------===//

TEST(Weights, FromASeedThroughALayout) {
  Opened lookup("lookup_seed.so");
  LookupCall call(1, 100, 0);
  ASSERT_EQ(call.run(lookup.context), TFC_OK) << tfc_last_error();
  std::vector<float> source(400);
  tfc_seed_f32(source.data(), 400, TFC_SEED_NORMAL, 42, 7, 0.0, 0.5, 0, 1);
  for (size_t row = 0; row < 100; ++row)
    for (size_t column = 0; column < 4; ++column)
      ASSERT_EQ(call.hidden.data[row * 4 + column], source[column * 100 + row]) << row << ", " << column;
}

struct External : testing::Test {
  std::string file = modelPath("lookup_external.weights"), bytes;

  External() {
    for (int64_t i = 0; i < 400; ++i) {
      float value = lookupRow(i / 4, i % 4);
      bytes.append(reinterpret_cast<const char *>(&value), 4);
    }
    unlink(file.c_str());
  }
  ~External() override { unlink(file.c_str()); }
  void write(const std::string &contents) { std::ofstream(file, std::ios::binary) << contents; }
};

TEST_F(External, Loads) {
  write(bytes);
  Opened lookup("lookup_external.so");
  LookupCall call(1, 5, 0);
  ASSERT_EQ(call.run(lookup.context), TFC_OK);
  EXPECT_EQ(call.hidden.data[4 * 4 + 1], lookupRow(4, 1));
}

TEST_F(External, Missing) {
  EXPECT_EQ(openError(modelPath("lookup_external.so"), TFC_BAD_ARTIFACT),
            "cannot open weights file '" + file + "': it must lie beside the model");
}

TEST_F(External, Truncated) {
  write(bytes.substr(0, 1000));
  EXPECT_EQ(openError(modelPath("lookup_external.so"), TFC_BAD_ARTIFACT),
            "weights file '" + file + "' has 1000 bytes, the model was compiled with 1600");
}

TEST_F(External, OfAnotherModel) {
  bytes[777] ^= 1;
  write(bytes);
  EXPECT_EQ(openError(modelPath("lookup_external.so"), TFC_BAD_ARTIFACT),
            "weights file '" + file + "' is damaged or belongs to another model: its hash differs");
}

} // namespace
