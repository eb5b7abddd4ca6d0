//===- DumpWeights.cpp - The graph's weights as a file --------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//
//
// safetensors: 8 bytes with the length of a JSON object that says where each tensor lies, the object, the bytes. Weights are made one
// after the other, so memory holds the largest of them and not all.
//
//===-----------------------------------------------------------------------------------------------------===//

#include "DumpWeights.h"
#include "Json.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <unistd.h>

namespace tfc {

namespace {
/// A file beside its place, put there when it is complete.
class Draft {
public:
  explicit Draft(const std::string &path) : path(path), draft(path + "." + std::to_string(getpid()) + ".tfc-draft") {}
  ~Draft() {
    if (file)
      std::fclose(file);
    if (!draft.empty())
      ::unlink(draft.c_str());
  }
  Status open() {
    file = std::fopen(draft.c_str(), "wxe");
    if (!file) {
      std::string sentence = "cannot write " + path + ": " + std::strerror(errno);
      draft.clear();
      return badInput(sentence);
    }
    return {};
  }
  Status write(const void *bytes, size_t count) {
    return !count || std::fwrite(bytes, 1, count, file) == count ? Status{} : failed();
  }
  Status commit() {
    int closed = std::fclose(file);
    file = nullptr;
    if (closed || std::rename(draft.c_str(), path.c_str()))
      return failed();
    draft.clear();
    return {};
  }

private:
  Status failed() const { return defect("cannot write " + path + ": " + std::strerror(errno)); }
  std::string path, draft;
  FILE *file = nullptr;
};

struct Tensor {
  uint64_t number, bytes;
  const TfcGraphWeight *weight;
};
} // namespace

/// What readers of the format take at most.
static constexpr size_t kHeaderLimit = 100000000;

/// Empty: safetensors has no such type.
static std::string typeInFile(TfcDataType type) {
  const std::string bits = std::to_string(type.bits);
  bool isWide = type.bits >= 16 && type.bits <= 64;
  switch (type.code) {
  case TFC_INT:
    return type.bits >= 8 ? "I" + bits : "";
  case TFC_UINT:
    return type.bits >= 8 ? "U" + bits : "";
  case TFC_FLOAT:
    return isWide ? "F" + bits : "";
  case TFC_BFLOAT:
    return "BF16";
  case TFC_BOOL:
    return "BOOL";
  case TFC_FLOAT8_E4M3FN:
    return "F8_E4M3";
  case TFC_FLOAT8_E5M2:
    return "F8_E5M2";
  default:
    return "";
  }
}

static std::string makeHeader(const std::vector<Tensor> &tensors) {
  std::string text = "{";
  uint64_t offset = 0;
  for (const Tensor &tensor : tensors) {
    std::string dims;
    for (int32_t d = 0; d < tensor.weight->rank; ++d)
      dims += (d ? "," : "") + std::to_string(tensor.weight->dims[d]);
    text += (text.size() > 1 ? "," : "") + jsonString(tensor.weight->name) + ":{\"dtype\":\"" + typeInFile(tensor.weight->dtype) +
            "\",\"shape\":[" + dims + "],\"data_offsets\":[" + std::to_string(offset) + "," + std::to_string(offset + tensor.bytes) + "]}";
    offset += tensor.bytes;
  }
  text += "}";
  text.append((8 - text.size() % 8) % 8, ' '); // the bytes begin aligned
  return text;
}

/// Which weights there are, and the names of those that cannot be written.
static Status listTensors(const Session &session, std::vector<Tensor> &tensors, std::vector<std::string> &missing) {
  const TfcModel &model = session.model();
  for (uint64_t i = 0; i < model.graph_weight_count; ++i) {
    const TfcGraphWeight &weight = model.graph_weights[i];
    int32_t code = tfc_model_read_weight(session.handle(), i, nullptr, 0);
    if (code && code != TFC_NOT_FOUND)
      return runtimeStatus(code);
    int64_t count = elementCount({weight.dims, weight.dims + weight.rank}, weight.dtype);
    if (code || typeInFile(weight.dtype).empty() || !std::strcmp(weight.name, "__metadata__"))
      missing.push_back(weight.name);
    else
      tensors.push_back({i, uint64_t(byteCount(count, weight.dtype)), &weight});
  }
  return {};
}

static Status writeTensors(const Session &session, const std::vector<Tensor> &tensors, const std::string &header, Draft &file) {
  unsigned char length[8];
  for (int i = 0; i < 8; ++i)
    length[i] = static_cast<unsigned char>(uint64_t(header.size()) >> 8 * i);
  if (Status status = file.write(length, sizeof(length)))
    return status;
  if (Status status = file.write(header.data(), header.size()))
    return status;
  std::vector<uint8_t> bytes;
  for (const Tensor &tensor : tensors) {
    bytes.resize(tensor.bytes);
    uint8_t nothing;
    if (int32_t code = tfc_model_read_weight(session.handle(), tensor.number, tensor.bytes ? bytes.data() : &nothing, tensor.bytes))
      return runtimeStatus(code);
    if (Status status = file.write(bytes.data(), bytes.size()))
      return status;
  }
  return file.commit();
}

Status dumpWeights(const Session &session, const std::string &path) {
  if (session.model().bytes < sizeof(TfcModel))
    return badInput("the model does not say what its weights are called: compile it again");
  std::vector<Tensor> tensors;
  std::vector<std::string> missing;
  if (Status status = listTensors(session, tensors, missing))
    return status;
  std::string header = makeHeader(tensors);
  if (header.size() > kHeaderLimit)
    return badInput("the names of the weights are too long for a .safetensors file, whose header has 100 MB at most");
  Draft file(path);
  if (Status status = file.open())
    return status;
  if (Status status = writeTensors(session, tensors, header, file))
    return status;
  uint64_t total = 0;
  for (const Tensor &tensor : tensors)
    total += tensor.bytes;
  std::printf("%zu weights, %.1f MB, in %s\n", tensors.size(), double(total) * 1e-6, path.c_str());
  constexpr size_t kNamed = 8;
  for (size_t i = 0; i < missing.size() && i < kNamed; ++i)
    std::printf("not in the model as the graph has it: %s\n", jsonString(missing[i]).c_str());
  if (missing.size() > kNamed)
    std::printf("and %zu more\n", missing.size() - kNamed);
  return {};
}

} // namespace tfc
