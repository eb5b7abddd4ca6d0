//===- Model.hpp - Compiled models from C++ ---------------------------------------------------*- C++ -*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------------===//
//
// A C++17 header over tfc-c/Runtime.h: owners that clean up, outputs that bring their memory, errors as exceptions. Link with
// libtfc-runtime.
//
//   tfc::Model model("bert.so");
//   tfc::Context context(model);
//   std::vector<int64_t> ids = {101, 7592, 102}, mask = {1, 1, 1};
//   tfc::Outputs outputs = context.run({{"input_ids", tfc::view(ids, {1, 3})}, {"attention_mask", tfc::view(mask, {1, 3})}});
//   const tfc::Array &hidden = outputs["last_hidden_state"]; // hidden.dims() is {1, 3, 768}
//   float first = hidden.data<float>()[0];
//
// A model never changes and may be shared by threads; a context is used by one thread at a time.
//
//===----------------------------------------------------------------------------------------------------===//

#ifndef TFC_C_MODEL_HPP
#define TFC_C_MODEL_HPP

#include "tfc-c/Runtime.h"

#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace tfc {

/// What the runtime refused, in its own sentence.
class Error : public std::runtime_error {
public:
  Error(int32_t code, const std::string &sentence) : std::runtime_error(sentence), number(code) {}
  TfcCode code() const { return static_cast<TfcCode>(number); }

private:
  int32_t number;
};

inline void check(int32_t code) {
  if (code != TFC_OK)
    throw Error(code, tfc_last_error());
}

/// The element type that the ABI has for a C++ type: integers, float, double, bool. Others give no member.
template <typename T> constexpr TfcDataType typeOf() {
  static_assert(std::is_arithmetic_v<T>, "no element type; fill a TfcDataType by hand for bf16, f16 and small floats");
  return {static_cast<uint8_t>(std::is_same_v<T, bool>       ? TFC_BOOL
                               : std::is_floating_point_v<T> ? TFC_FLOAT
                               : std::is_signed_v<T>         ? TFC_INT
                                                             : TFC_UINT),
          8 * sizeof(T), 1};
}

constexpr bool operator==(TfcDataType a, TfcDataType b) { return a.code == b.code && a.bits == b.bits && a.lanes == b.lanes; }

/// An input: memory of the caller, which must live until the run is over, and its dims. Strides count elements; none: row-major.
class View {
public:
  View(const void *data, TfcDataType type, std::vector<int64_t> dims, std::vector<int64_t> strides = {})
      : data(data), type(type), dims(std::move(dims)), strides(std::move(strides)) {
    if (!this->strides.empty() && this->strides.size() != this->dims.size())
      throw Error(TFC_BAD_ARGUMENT, "a view has " + std::to_string(this->dims.size()) + " dims, but " +
                                        std::to_string(this->strides.size()) + " strides");
  }

  TfcTensor tensor() {
    TfcTensor made = {};
    made.data = const_cast<void *>(data); // inputs are only read
    made.device_type = 1;                 // kDLCPU
    made.dtype = type;
    made.rank = static_cast<int32_t>(dims.size());
    made.dims = dims.data();
    made.strides = strides.empty() ? nullptr : strides.data();
    return made;
  }

private:
  const void *data;
  TfcDataType type;
  std::vector<int64_t> dims, strides;
};

/// A view of a vector's elements; their number must be the product of the dims.
template <typename T> View view(const std::vector<T> &elements, std::vector<int64_t> dims) {
  static_assert(!std::is_same_v<T, bool>, "std::vector<bool> has no elements in memory; use std::vector<uint8_t> and View");
  uint64_t count = 1;
  for (int64_t dim : dims)
    if (dim < 0 || __builtin_mul_overflow(count, static_cast<uint64_t>(dim), &count))
      throw Error(TFC_BAD_ARGUMENT, "a dim of a view is negative, or their product is too large");
  if (count != elements.size())
    throw Error(TFC_BAD_ARGUMENT, "a view's dims stand for " + std::to_string(count) + " elements, but there are " +
                                      std::to_string(elements.size()));
  return View(elements.data(), typeOf<T>(), std::move(dims));
}

/// An output with its memory, row-major.
class Array {
public:
  const std::string &name() const { return label; }
  TfcDataType type() const { return dtype; }
  const std::vector<int64_t> &dims() const { return shape; }
  const void *bytes() const { return memory.get(); }
  /// Throws where T is not the element type.
  template <typename T> const T *data() const {
    if (!(typeOf<T>() == dtype))
      throw Error(TFC_BAD_ARGUMENT, "output '" + label + "' has elements of another type");
    return reinterpret_cast<const T *>(memory.get());
  }
  int64_t size() const {
    int64_t count = 1;
    for (int64_t dim : shape)
      count *= dim;
    return count;
  }

private:
  friend class Context;
  struct Free {
    void operator()(void *pointer) const { std::free(pointer); }
  };
  std::string label;
  TfcDataType dtype = {};
  std::vector<int64_t> shape;
  std::unique_ptr<uint8_t[], Free> memory;
};

/// In the model's order, or by name.
class Outputs {
public:
  size_t size() const { return arrays.size(); }
  const Array &operator[](size_t index) const { return arrays.at(index); }
  const Array &operator[](const std::string &name) const {
    for (const Array &array : arrays)
      if (array.name() == name)
        return array;
    throw Error(TFC_NOT_FOUND, "the model has no output '" + name + "'");
  }
  auto begin() const { return arrays.begin(); }
  auto end() const { return arrays.end(); }

private:
  friend class Context;
  std::vector<Array> arrays;
};

class Model {
public:
  /// Opens a model.so. `query`: the name of its exported function, where it was compiled with --query-symbol.
  explicit Model(const std::string &path, const char *query = nullptr) { check(tfc_model_open(path.c_str(), query, &opened)); }
  /// For a model that is linked into the program: what its query function returns. `folder`: where external weights lie.
  explicit Model(const TfcModel *descriptor, const char *folder = nullptr) { check(tfc_model_adopt(descriptor, folder, &opened)); }
  Model(Model &&other) noexcept : opened(std::exchange(other.opened, nullptr)) {}
  Model &operator=(Model &&other) noexcept {
    std::swap(opened, other.opened);
    return *this;
  }
  ~Model() {
    if (opened)
      tfc_model_close(opened);
  }

  const TfcModel &describe() const { return *tfc_model_describe(opened); }
  TfcOpenModel *get() const { return opened; }

private:
  TfcOpenModel *opened = nullptr;
};

/// What a run needs: threads, memory, the last shape. It keeps the model alive.
class Context {
public:
  /// threads: how many a run uses, the caller's included; 0: as many as the process may have.
  explicit Context(const Model &model, int32_t threads = 0, const char *entry = nullptr) : model(&model.describe()) {
    check(tfc_model_find_entry(model.get(), entry, &number));
    TfcContextOptions options = {};
    options.bytes = sizeof(options);
    options.threads = threads;
    options.allocate_output = allocate;
    options.allocate_output_data = rooms.get();
    check(tfc_context_create(model.get(), &options, &context));
  }
  Context(const Context &) = delete;
  Context &operator=(const Context &) = delete;
  Context(Context &&other) noexcept
      : model(other.model), number(other.number), rooms(std::move(other.rooms)), context(std::exchange(other.context, nullptr)) {}
  ~Context() {
    if (context)
      tfc_context_destroy(context);
  }

  int32_t threads() const { return tfc_context_threads(context); }

  /// Inputs by name, each exactly once. Throws Error; the context is as good as before then.
  Outputs run(std::vector<std::pair<std::string, View>> inputs) {
    const TfcEntry &entry = model->entries[number];
    std::vector<TfcTensor> tensors(entry.input_count);
    std::vector<bool> given(entry.input_count);
    for (auto &[name, view] : inputs) {
      uint32_t place = findInput(entry, name);
      if (given[place])
        throw Error(TFC_BAD_INPUT, "input '" + name + "' is given twice");
      given[place] = true;
      tensors[place] = view.tensor();
    }
    for (uint32_t i = 0; i < entry.input_count; ++i)
      if (!given[i])
        throw Error(TFC_BAD_INPUT, std::string("input '") + entry.inputs[i].name + "' is missing");
    return runTensors(entry, tensors);
  }

private:
  /// Memory of the run in progress. It has an address of its own, so that contexts can be moved.
  struct Rooms {
    std::vector<Array> *arrays = nullptr;
  };

  static void *allocate(void *data, uint32_t output, uint64_t bytes) {
    Array &array = (*static_cast<Rooms *>(data)->arrays)[output];
    array.memory.reset(static_cast<uint8_t *>(std::aligned_alloc(64, (bytes + 63) / 64 * 64 + 64)));
    return array.memory.get();
  }

  static uint32_t findInput(const TfcEntry &entry, const std::string &name) {
    for (uint32_t i = 0; i < entry.input_count; ++i)
      if (name == entry.inputs[i].name)
        return i;
    throw Error(TFC_BAD_INPUT, "the model has no input '" + name + "'");
  }

  Outputs runTensors(const TfcEntry &entry, const std::vector<TfcTensor> &tensors) {
    Outputs outputs;
    outputs.arrays.resize(entry.output_count);
    std::vector<TfcTensor> results(entry.output_count);
    for (uint32_t i = 0; i < entry.output_count; ++i) {
      Array &array = outputs.arrays[i];
      array.label = entry.outputs[i].name;
      array.dtype = entry.outputs[i].dtype;
      array.shape.resize(static_cast<size_t>(entry.outputs[i].rank));
      results[i].device_type = 1;
      results[i].dtype = array.dtype;
      results[i].rank = entry.outputs[i].rank;
      results[i].dims = array.shape.data();
    }
    rooms->arrays = &outputs.arrays;
    check(tfc_run(context, number, tensors.data(), entry.input_count, results.data(), entry.output_count));
    return outputs;
  }

  const TfcModel *model;
  uint32_t number = 0;
  std::unique_ptr<Rooms> rooms = std::make_unique<Rooms>();
  TfcContext *context = nullptr;
};

} // namespace tfc

#endif // TFC_C_MODEL_HPP
