//===- WriteONNX.cpp - A module as an ONNX file ----------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Target/ONNX/WriteONNX.h"
#include "GraphWriter.h"
#include "tfc/Target/OutputFile.h"
#include "tfc/Target/WriteWeights.h"
#include "tfc/Version.h"

#include "llvm/Support/Path.h"

#include <sys/mman.h>
#include <unistd.h>

using namespace mlir;
using namespace mlir::tfc;
using namespace mlir::tfc::onnx_export;

/// Larger weights would bring the file near 2 GiB, where protobuf ends.
static constexpr uint64_t kMostInline = uint64_t(1) << 30;

//===----------------------------------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------------------------------===//

static llvm::Error systemError(const char *what) {
  std::error_code code(errno, std::generic_category());
  return llvm::createStringError(code, "cannot %s: %s", what, code.message().c_str());
}

namespace {
/// The bytes of all weights in memory, while this lives.
class MappedWeights {
public:
  static llvm::Expected<MappedWeights> create(const ModelReading &weights);
  MappedWeights(MappedWeights &&other) : bytes(std::exchange(other.bytes, {})) {}
  ~MappedWeights() {
    if (!bytes.empty())
      ::munmap(const_cast<char *>(bytes.data()), bytes.size());
  }
  StringRef get(uint64_t offset, uint64_t count) const { return StringRef(bytes).substr(offset, count); }

private:
  MappedWeights() = default;
  StringRef bytes;
};
} // namespace

llvm::Expected<MappedWeights> MappedWeights::create(const ModelReading &weights) {
  MappedWeights result;
  uint64_t size = getWrittenBytes(weights.description, WeightChoice::All);
  if (size == 0)
    return std::move(result);
  int fd = ::memfd_create("tfc-weights", MFD_CLOEXEC);
  if (fd < 0)
    return systemError("make room for the weights");
  llvm::Error error = ::ftruncate(fd, size) == 0 ? writeWeights(weights, WeightChoice::All, fd, 0) : systemError("make room for the weights");
  void *data = error ? MAP_FAILED : ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0);
  if (!error && data == MAP_FAILED)
    error = systemError("map the weights");
  ::close(fd);
  if (error)
    return std::move(error);
  result.bytes = StringRef(static_cast<const char *>(data), size);
  return std::move(result);
}

static void addExternal(::onnx::TensorProto &tensor, StringRef key, const std::string &value) {
  auto *entry = tensor.add_external_data();
  entry->set_key(key.str());
  entry->set_value(value);
}

/// An initializer for each weight that is referred to; its bytes come from `mapped`, or stand in the file `location`.
static llvm::Error addWeights(ModuleOp module, ModelState &state, const MappedWeights *mapped, StringRef location) {
  for (WeightOp op : module.getOps<WeightOp>()) {
    auto offset = op->getAttrOfType<IntegerAttr>("segment_offset");
    auto type = op.getTensorType();
    std::optional<TfcDataType> dtype = getDataType(type.getElementType());
    std::optional<uint64_t> bytes = dtype ? getDataBytes(*dtype, type.getShape()) : std::nullopt;
    std::optional<int32_t> number = getElementNumber(type.getElementType());
    // Parts of a stack have places, but nobody refers to them.
    if (!offset || !state.weights.contains(op.getSymName()))
      continue;
    if (!bytes || !number)
      return llvm::createStringError("weight @%s has a type that ONNX does not know", op.getSymName().str().c_str());
    ::onnx::TensorProto *tensor = state.root->add_initializer();
    tensor->set_name(state.getWeightName(op.getSymName()));
    tensor->set_data_type(*number);
    for (int64_t dim : type.getShape())
      tensor->add_dims(dim);
    if (mapped) {
      StringRef data = mapped->get(offset.getInt(), *bytes);
      tensor->set_raw_data(data.data(), data.size());
      continue;
    }
    tensor->set_data_location(::onnx::TensorProto::EXTERNAL);
    addExternal(*tensor, "location", location.str());
    addExternal(*tensor, "offset", std::to_string(offset.getInt()));
    addExternal(*tensor, "length", std::to_string(*bytes));
  }
  return llvm::Error::success();
}

//===----------------------------------------------------------------------------------------------===//
// Models
//===----------------------------------------------------------------------------------------------===//

int64_t mlir::tfc::onnx_export::chooseOpset(ModuleOp module) {
  constexpr int64_t kOld = 17, kNew = 23;
  auto isNewType = [](Type type) {
    Type element = getElementTypeOrSelf(type);
    return element.isBF16() || element.getIntOrFloatBitWidth() == 4 ||
           (isa<FloatType>(element) && element.getIntOrFloatBitWidth() == 8);
  };
  WalkResult found = module.walk([&](Operation *op) {
    bool isNew = isa<RmsNormOp>(op);
    if (auto attention = dyn_cast<AttentionOp>(op))
      isNew |= getAttentionForm(attention) == AttentionForm::Standard;
    for (Type type : op->getResultTypes())
      isNew |= isa<RankedTensorType>(type) && isNewType(type);
    if (isa<AndOp, OrOp, XorOp, NotOp>(op))
      isNew |= !getElementTypeOrSelf(op->getResult(0)).isInteger(1);
    if (auto scatter = dyn_cast<ScatterElementsOp>(op))
      isNew |= scatter.getKind() == ScatterKind::Min || scatter.getKind() == ScatterKind::Max;
    if (auto quantize = dyn_cast<QuantizeOp>(op))
      isNew |= getElementTypeOrSelf(quantize.getY()).getIntOrFloatBitWidth() != 8 || quantize.getBlockSize() || !quantize.getZeroPoint() ||
               !getElementTypeOrSelf(quantize.getX()).isF32();
    if (auto dequantize = dyn_cast<DequantizeOp>(op))
      isNew |= dequantize.getBlockSize() || !getElementTypeOrSelf(dequantize.getY()).isF32() ||
               !getElementTypeOrSelf(dequantize.getScale()).isF32();
    if (auto pad = dyn_cast<PadOp>(op))
      isNew |= pad.getMode() == "wrap";
    if (auto gelu = dyn_cast<GeluOp>(op))
      isNew |= !getElementTypeOrSelf(gelu.getX()).isF32();
    return isNew ? WalkResult::interrupt() : WalkResult::advance();
  });
  return found.wasInterrupted() ? kNew : kOld;
}

static llvm::Error writeModel(const ::onnx::ModelProto &model, ::tfc::OutputFile &file) {
  std::string bytes;
  if (model.ByteSizeLong() > size_t(INT32_MAX) || !model.SerializeToString(&bytes))
    return llvm::createStringError("the model is too large for an ONNX file");
  return file.write(bytes);
}

llvm::Error mlir::tfc::writeONNX(ModuleOp module, StringRef path) {
  SmallVector<func::FuncOp> entries;
  for (auto function : module.getOps<func::FuncOp>())
    if (function->hasAttr("tfc.entry"))
      entries.push_back(function);
  if (entries.size() != 1)
    return llvm::createStringError("an ONNX file holds one graph, the module has %zu entries", entries.size());

  ::onnx::ModelProto model;
  ModelState state;
  state.root = model.mutable_graph();
  state.opset = chooseOpset(module);
  auto name = module->getAttrOfType<StringAttr>("tfc.model_name");
  state.root->set_name(name ? name.str() : "model");
  if (failed(GraphWriter(state.root, state).writeFunction(entries.front())))
    return llvm::createStringError("the graph cannot be written as ONNX");
  model.set_ir_version(state.opset > 17 ? 11 : 8);
  model.set_producer_name("tfc");
  model.set_producer_version(TFC_VERSION);
  auto import = [&](StringRef domain, int64_t version) {
    auto *opset = model.add_opset_import();
    opset->set_domain(domain.str());
    opset->set_version(version);
  };
  import("", state.opset);
  if (state.usesContrib || state.domains.contains("com.microsoft"))
    import("com.microsoft", 1);
  for (auto &domain : state.domains)
    if (domain.getKey() != "com.microsoft")
      import(domain.getKey(), 1);

  llvm::Expected<ModelReading> weights = readWeights(module);
  if (!weights)
    return weights.takeError();
  llvm::Expected<::tfc::OutputFile> file = ::tfc::OutputFile::create(path);
  if (!file)
    return file.takeError();
  if (getWrittenBytes(weights->description, WeightChoice::All) <= kMostInline) {
    llvm::Expected<MappedWeights> mapped = MappedWeights::create(*weights);
    if (!mapped)
      return mapped.takeError();
    if (llvm::Error error = addWeights(module, state, &*mapped, ""))
      return error;
    if (llvm::Error error = writeModel(model, *file))
      return error;
    return file->commit();
  }
  std::string dataPath = (path + ".data").str();
  llvm::Expected<::tfc::OutputFile> data = ::tfc::OutputFile::create(dataPath);
  if (!data)
    return data.takeError();
  if (llvm::Error error = writeWeights(*weights, WeightChoice::All, data->descriptor(), 0))
    return error;
  if (llvm::Error error = addWeights(module, state, nullptr, llvm::sys::path::filename(dataPath)))
    return error;
  if (llvm::Error error = writeModel(model, *file))
    return error;
  if (llvm::Error error = data->commit())
    return error;
  return file->commit();
}
