//===- Host.h - What the tests of the runtime share: tensors and the handwritten models -------*- C++ -*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#ifndef TFC_TEST_RUNTIME_HOST_H
#define TFC_TEST_RUNTIME_HOST_H

#include "tfc-c/Runtime.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

namespace tfc_test {

inline std::string folder() { return TFC_TEST_MODELS; }
inline std::string modelPath(const std::string &name) { return folder() + "/" + name; }

/// A tensor with memory of its own.
template <typename T> struct Host {
  std::vector<T> data;
  std::vector<int64_t> dims;
  TfcTensor tensor = {};

  Host(std::vector<int64_t> shape, TfcDataType type) : dims(std::move(shape)) {
    size_t count = 1;
    for (int64_t dim : dims)
      count *= size_t(dim);
    data.resize(count);
    tensor = {data.data(), 1, 0, type, int32_t(dims.size()), dims.data(), nullptr, 0, 0};
  }
  Host(const Host &) = delete;
};

struct Floats : Host<float> {
  explicit Floats(std::vector<int64_t> shape) : Host(std::move(shape), {TFC_FLOAT, 32, 1}) {}
};
struct Ids : Host<int64_t> {
  explicit Ids(std::vector<int64_t> shape) : Host(std::move(shape), {TFC_INT, 64, 1}) {}
};

/// A model that is open as long as this lives, with one context.
struct Opened {
  explicit Opened(const std::string &name, TfcContextOptions options = {}) {
    options.bytes = sizeof(options);
    EXPECT_EQ(tfc_model_open(modelPath(name).c_str(), nullptr, &model), TFC_OK) << tfc_last_error();
    if (model) {
      EXPECT_EQ(tfc_context_create(model, &options, &context), TFC_OK) << tfc_last_error();
    }
  }
  ~Opened() {
    tfc_context_destroy(context);
    tfc_model_close(model);
  }
  Opened(const Opened &) = delete;

  TfcOpenModel *model = nullptr;
  TfcContext *context = nullptr;
};

/// Inputs and output of lookup.c for one shape: ids 0, 1, 2, ..., a mask of ones.
struct LookupCall {
  LookupCall(int64_t batch, int64_t seq, int64_t past)
      : ids({batch, seq}), mask({batch, past + seq}), cache({batch, past, 4}), hidden({batch, seq, 4}) {
    for (size_t i = 0; i < ids.data.size(); ++i)
      ids.data[i] = int64_t(i % 100);
    for (float &value : mask.data)
      value = 1;
    inputs = {ids.tensor, mask.tensor, cache.tensor};
    output = hidden.tensor;
  }
  int32_t run(TfcContext *context) {
    return tfc_run(context, 0, inputs.data(), uint32_t(inputs.size()), &output, 1);
  }

  Ids ids;
  Floats mask, cache, hidden;
  std::vector<TfcTensor> inputs;
  TfcTensor output;
};

inline float lookupRow(int64_t id, int64_t column) { return float(id) + 0.25f * float(column); }

} // namespace tfc_test

#endif // TFC_TEST_RUNTIME_HOST_H
