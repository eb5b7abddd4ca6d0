//===- RunTest.cpp - Inputs are checked, shapes are remembered, errors have sentences -------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#include "Host.h"

#include <vector>

using namespace tfc_test;

namespace {

void expectRows(const LookupCall &call, const char *what) {
  for (size_t i = 0; i < call.hidden.data.size(); ++i)
    ASSERT_EQ(call.hidden.data[i], lookupRow(call.ids.data[i / 4], int64_t(i % 4))) << what << " at " << i;
}

TEST(Run, ManyShapes) {
  Opened lookup("lookup.so");
  for (int64_t batch : {1, 2, 5})
    for (int64_t seq : {1, 7, 64, 3})
      for (int64_t past : {0, 4}) {
        LookupCall call(batch, seq, past);
        ASSERT_EQ(call.run(lookup.context), TFC_OK) << tfc_last_error();
        expectRows(call, "shape");
      }
}

TEST(Run, NothingToDo) {
  Opened lookup("lookup.so");
  LookupCall call(0, 7, 0);
  for (TfcTensor &input : call.inputs)
    input.data = nullptr;
  call.output.data = nullptr;
  EXPECT_EQ(call.run(lookup.context), TFC_OK) << tfc_last_error();
}

TEST(Run, AsksSizesFirst) {
  Opened lookup("lookup.so");
  LookupCall call(2, 3, 1);
  uint64_t bytes = 1;
  for (TfcTensor &input : call.inputs)
    input.data = nullptr; // only dims are needed
  ASSERT_EQ(tfc_workspace_bytes(lookup.context, 0, call.inputs.data(), 3, &bytes), TFC_OK)
      << tfc_last_error();
  EXPECT_EQ(bytes, 128u);
  int64_t dims[3] = {};
  call.output.dims = dims;
  ASSERT_EQ(tfc_output_dims(lookup.context, 0, call.inputs.data(), 3, &call.output, 1), TFC_OK);
  EXPECT_EQ(dims[0], 2);
  EXPECT_EQ(dims[1], 3);
  EXPECT_EQ(dims[2], 4);
}

//===-- Wrong inputs: one sentence each
//--------------------------------------------------------------------===//

struct WrongInput : testing::Test {
  Opened lookup{"lookup.so"};
  LookupCall call{2, 7, 3};

  void expect(int32_t code, const std::string &sentence) {
    EXPECT_EQ(call.run(lookup.context), code);
    EXPECT_EQ(tfc_last_error(), sentence);
    LookupCall right(2, 7, 3); // and the context is as good as before
    EXPECT_EQ(right.run(lookup.context), TFC_OK) << tfc_last_error();
    expectRows(right, "after the error");
  }
};

TEST_F(WrongInput, Count) {
  call.inputs.pop_back();
  expect(TFC_BAD_INPUT,
         "2 inputs were given, but the model has 3: 'input_ids', 'attention_mask', 'past_key'");
}

TEST_F(WrongInput, Type) {
  call.inputs[0].dtype = {TFC_INT, 32, 1};
  expect(TFC_BAD_INPUT, "input 'input_ids': its type is i32, but must be i64");
}

TEST_F(WrongInput, Rank) {
  call.inputs[0].rank = 1;
  expect(TFC_BAD_INPUT, "input 'input_ids': its rank is 1, but must be 2");
}

TEST_F(WrongInput, Device) {
  call.inputs[1].device_type = 2;
  expect(TFC_BAD_INPUT,
         "input 'attention_mask': its device type is 2; this context takes memory of the CPU (1)");
}

TEST_F(WrongInput, StaticDim) {
  call.cache.dims[2] = 5;
  expect(TFC_BAD_INPUT, "input 'past_key': dim 2 is 5, but must be 4");
}

TEST_F(WrongInput, SymbolWithTwoValues) {
  call.mask.dims[0] = 3;
  expect(TFC_BAD_INPUT,
         "input 'attention_mask': dim 0 is 3, but 'batch' is 2 (from input 'input_ids', dim 0)");
}

TEST_F(WrongInput, ExpressionOfSymbols) {
  call.mask.dims[1] = 9;
  expect(TFC_BAD_INPUT, "input 'attention_mask': dim 1 is 9, but 'past + seq' is 10 (seq = 7 from input "
                        "'input_ids', dim 1; past = 3 from input 'past_key', dim 1)");
}

TEST_F(WrongInput, SymbolOutOfRange) {
  call.ids.dims[1] = 513;
  expect(TFC_BAD_INPUT, "input 'input_ids': dim 1 ('seq') is 513, but must lie between 0 and 512");
}

TEST_F(WrongInput, NegativeDim) {
  call.ids.dims[0] = -1;
  expect(TFC_BAD_INPUT, "input 'input_ids': dim 0 ('batch') is -1, but must be at least 0");
}

TEST_F(WrongInput, NullData) {
  call.inputs[0].data = nullptr;
  expect(TFC_BAD_ARGUMENT, "input 'input_ids': its data is a null pointer");
}

TEST_F(WrongInput, NullDims) {
  call.inputs[0].dims = nullptr;
  expect(TFC_BAD_ARGUMENT, "input 'input_ids': its dims are a null pointer");
}

TEST_F(WrongInput, TooSmallForItsDims) {
  call.inputs[0].capacity_bytes = 111;
  expect(TFC_BAD_INPUT, "input 'input_ids': its dims take 112 bytes, but its capacity is 111");
}

TEST_F(WrongInput, StridesBeyondItsMemory) {
  int64_t strides[] = {8, 1};
  call.inputs[0].capacity_bytes = 112;
  call.inputs[0].strides = strides;
  expect(TFC_BAD_INPUT, "input 'input_ids': its dims take 120 bytes, but its capacity is 112");
}

TEST_F(WrongInput, OutputDims) {
  call.hidden.dims[1] = 8;
  expect(TFC_BAD_INPUT, "output 'hidden': dim 1 is 8, but 'seq' is 7 (from input 'input_ids', dim 1)");
}

TEST_F(WrongInput, OutputTooSmall) {
  call.output.capacity_bytes = 223;
  expect(TFC_BUFFER_TOO_SMALL, "output 'hidden' takes 224 bytes, but its capacity is 223");
}

TEST_F(WrongInput, OutputNull) {
  call.output.data = nullptr;
  expect(TFC_BAD_ARGUMENT, "output 'hidden': its data is a null pointer");
}

TEST_F(WrongInput, Index) {
  call.ids.data[5] = 105;
  expect(TFC_BAD_INDEX, "index 105 is outside [0, 100) in node 'Gather_3': input_ids");
  call.ids.data[5] = -3;
  expect(TFC_BAD_INDEX, "index -3 is outside [0, 100) in node 'Gather_3': input_ids");
}

TEST(Run, Requirement) {
  Opened lookup("lookup.so");
  LookupCall call(1, 25, 1000);
  EXPECT_EQ(call.run(lookup.context), TFC_BAD_INPUT);
  EXPECT_STREQ(
      tfc_last_error(),
      "node 'Add_7': 'past + seq' is 1025 (seq = 25 from input 'input_ids', dim 1; past = 1000 from input "
      "'past_key', dim 1), but must be at most 1024");
  EXPECT_EQ(call.run(lookup.context), TFC_BAD_INPUT) << "also the second time";
}

TEST(Run, ArenaBeyondAllMemory) {
  Opened lookup("lookup.so");
  LookupCall call(1, 2, 0);
  int64_t batch = INT64_MAX / 4;
  call.ids.dims[0] = call.mask.dims[0] = call.cache.dims[0] = call.hidden.dims[0] = batch;
  uint64_t bytes;
  EXPECT_EQ(tfc_workspace_bytes(lookup.context, 0, call.inputs.data(), 3, &bytes), TFC_OUT_OF_MEMORY);
  EXPECT_NE(call.run(lookup.context), TFC_OK);
}

TEST(Run, FirstBadIndexWinsWhateverTheSplit) {
  TfcContextOptions options = {};
  options.threads = 4;
  Opened lookup("lookup.so", options);
  LookupCall call(64, 500, 0);
  for (size_t i = 1000; i < call.ids.data.size(); ++i)
    call.ids.data[i] = int64_t(i) + 100;
  for (int round = 0; round < 50; ++round) {
    ASSERT_EQ(call.run(lookup.context), TFC_BAD_INDEX);
    ASSERT_STREQ(tfc_last_error(), "index 1100 is outside [0, 100) in node 'Gather_3': input_ids");
  }
}

//===-- Memory of the caller, as it comes
//------------------------------------------------------------------===//

TEST(Run, StridedAndMisalignedInputs) {
  Opened lookup("lookup.so");
  LookupCall call(2, 3, 0);
  // The ids column by column, one byte off.
  std::vector<uint8_t> bytes(6 * 8 + 1);
  int64_t strides[] = {1, 2};
  for (int64_t b = 0; b < 2; ++b)
    for (int64_t s = 0; s < 3; ++s)
      std::memcpy(bytes.data() + 1 + 8 * (b + 2 * s), &call.ids.data[size_t(3 * b + s)], 8);
  call.inputs[0].data = bytes.data();
  call.inputs[0].byte_offset = 1;
  call.inputs[0].strides = strides;
  ASSERT_EQ(call.run(lookup.context), TFC_OK) << tfc_last_error();
  expectRows(call, "strided");
  int64_t same[] = {0, 0}; // one id for all
  call.inputs[0].strides = same;
  ASSERT_EQ(call.run(lookup.context), TFC_OK) << tfc_last_error();
  EXPECT_EQ(call.hidden.data[20], lookupRow(call.ids.data[0], 0));
}

TEST(Run, StridedOutput) {
  Opened lookup("lookup.so");
  LookupCall call(2, 3, 0);
  std::vector<float> wide(2 * 3 * 10, -1.f);
  int64_t strides[] = {30, 10, 2};
  call.output.data = wide.data();
  call.output.strides = strides;
  call.output.capacity_bytes = (30 + 20 + 6 + 1) * 4;
  ASSERT_EQ(call.run(lookup.context), TFC_OK) << tfc_last_error();
  EXPECT_EQ(wide[30 + 20 + 2 * 3], lookupRow(5, 3));
  EXPECT_EQ(wide[31], -1.f) << "what lies between is left alone";
  call.output.capacity_bytes -= 1;
  EXPECT_EQ(call.run(lookup.context), TFC_BUFFER_TOO_SMALL);
}

TEST(Run, OutputOverItsInput) {
  Opened lookup("lookup.so");
  LookupCall call(1, 8, 0);
  // The output begins in the middle of the mask: written in place, later rows would read changed values.
  std::vector<float> shared(64, 2.f);
  call.inputs[1].data = shared.data() + 4;
  call.output.data = shared.data();
  ASSERT_EQ(call.run(lookup.context), TFC_OK) << tfc_last_error();
  for (int64_t i = 0; i < 32; ++i)
    EXPECT_EQ(shared[size_t(i)], 2 * lookupRow(i / 4, i % 4)) << i;
}

TEST(Run, AllocatesOutputs) {
  std::vector<uint8_t> room;
  TfcContextOptions options = {};
  options.allocate_output = [](void *data, uint32_t, uint64_t bytes) -> void * {
    auto &room = *static_cast<std::vector<uint8_t> *>(data);
    room.resize(bytes);
    return room.data();
  };
  options.allocate_output_data = &room;
  Opened lookup("lookup.so", options);
  LookupCall call(1, 2, 0);
  call.output.data = nullptr;
  ASSERT_EQ(call.run(lookup.context), TFC_OK) << tfc_last_error();
  EXPECT_EQ(room.size(), 32u);
  EXPECT_EQ(call.output.data, room.data());
}

//===-- Sizes born in the run
//------------------------------------------------------------------------------===//

struct Compact : testing::Test {
  Opened model{"compact.so"};
  Floats x{{8}}, positive{{8}};

  int32_t run(std::vector<float> values) {
    x.data.assign(8, 0.f);
    std::copy(values.begin(), values.end(), x.data.begin());
    x.dims[0] = int64_t(values.size());
    x.tensor.data = x.data.data();
    return tfc_run(model.context, 0, &x.tensor, 1, &positive.tensor, 1);
  }
};

TEST_F(Compact, DimsAreWritten) {
  positive.tensor.capacity_bytes = 32;
  ASSERT_EQ(run({1, -1, 2, 0, 3}), TFC_OK) << tfc_last_error();
  EXPECT_EQ(positive.dims[0], 3);
  EXPECT_EQ(positive.data[2], 3.f);
  ASSERT_EQ(run({-1, -1}), TFC_OK) << tfc_last_error();
  EXPECT_EQ(positive.dims[0], 0);
  ASSERT_EQ(run({5, -1, 6, 7, 8, 1}), TFC_OK) << tfc_last_error();
  EXPECT_EQ(positive.dims[0], 5);
  EXPECT_EQ(positive.data[4], 1.f);
}

TEST_F(Compact, UnknownBeforeTheRun) {
  ASSERT_EQ(tfc_output_dims(model.context, 0, &x.tensor, 1, &positive.tensor, 1), TFC_OK);
  EXPECT_EQ(positive.dims[0], -1);
}

TEST_F(Compact, TooSmallSaysHowMuch) {
  positive.tensor.capacity_bytes = 8;
  EXPECT_EQ(run({1, 2, 3, 4}), TFC_BUFFER_TOO_SMALL);
  EXPECT_STREQ(tfc_last_error(), "output 'positive' takes 16 bytes, but its capacity is 8");
  EXPECT_EQ(positive.dims[0], 4);
  positive.tensor.data = nullptr;
  EXPECT_EQ(run({1, 2, 3}), TFC_BUFFER_TOO_SMALL);
  EXPECT_EQ(positive.dims[0], 3);
}

TEST_F(Compact, RequirementOfABornSymbol) {
  positive.tensor.capacity_bytes = 32;
  EXPECT_EQ(run({1, 2, 3, 4, 5, 6, 7}), TFC_BAD_INPUT);
  EXPECT_STREQ(tfc_last_error(),
               "node 'TopK_9': 'found' is 7 (from node 'NonZero_1'), but must be at most 6");
}

TEST_F(Compact, NegativeSize) {
  positive.tensor.capacity_bytes = 32;
  EXPECT_EQ(run({-99, 2}), TFC_BAD_INPUT);
  EXPECT_STREQ(tfc_last_error(), "node 'NonZero_1': 'found' is -5, but must be at least 0");
}

} // namespace
