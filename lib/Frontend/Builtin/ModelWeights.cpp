//===- ModelWeights.cpp - Weights of a built-in model by Hugging Face name -------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "ModelWeights.h"

#include "tfc/Weights/CheckedJson.h"
#include "tfc/Weights/Safetensors.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/xxhash.h"

using namespace mlir;
using namespace mlir::tfc;
using ::tfc::quoteName;
using ::tfc::SafetensorsTensor;

ModelWeights::ModelWeights(GraphBuilder &graph, const ModelConfig &config, const WeightSource &source,
                           StringRef prefix)
    : graph(graph), weightBuilder(graph.getFunction()), config(config), source(source), prefix(prefix) {
  if (!source.file)
    return;
  // Absolute and without links (downloads are often links into a cache), so that IR written out and read in
  // again elsewhere still finds the file.
  SmallString<256> path;
  if (llvm::sys::fs::real_path(source.file->getPath(), path))
    path = source.file->getPath();
  filePath = path.str().str();
}

Value ModelWeights::get(StringRef name, ArrayRef<int64_t> shape, InitialWeight initial) {
  return declare(name, shape, shape, LayoutAttr(), initial);
}

Value ModelWeights::getMatrix(StringRef name, int64_t in, int64_t out, MatrixStorage storage) {
  if (storage == MatrixStorage::InByOut)
    return declare(name, {in, out}, {in, out}, LayoutAttr(), InitialWeight::Normal);
  auto transposing = LayoutAttr::get(weightBuilder.getContext(), /*offset=*/0, {1, in});
  return declare(name, {out, in}, {in, out}, transposing, InitialWeight::Normal);
}

//===----------------------------------------------------------------------------------------------===//
// Declarations
//===----------------------------------------------------------------------------------------------===//

static Type getFileElementType(StringRef dtype, Builder &builder) {
  return llvm::StringSwitch<Type>(dtype)
      .Case("F32", builder.getF32Type())
      .Case("F16", builder.getF16Type())
      .Case("BF16", builder.getBF16Type())
      .Default(Type());
}

Value ModelWeights::declare(StringRef name, ArrayRef<int64_t> storedShape, ArrayRef<int64_t> shape,
                            LayoutAttr layout, InitialWeight initial) {
  std::string fullName = prefix + name.str();
  auto [known, isNew] = values.try_emplace(fullName);
  if (!isNew)
    return known->second;
  Type elementType = weightBuilder.getF32Type();
  TypeAttr sourceElement;
  Attribute bytes;
  if (!source.file) {
    bytes = makeSeed(fullName, initial);
  } else {
    const SafetensorsTensor *tensor = findInFile(fullName, storedShape);
    if (!tensor)
      return {};
    bytes = FileSourceAttr::get(weightBuilder.getContext(), filePath, tensor->offset, tensor->bytes);
    Type stored = getFileElementType(tensor->dtype, weightBuilder);
    if (stored != elementType)
      sourceElement = TypeAttr::get(stored);
  }
  auto type = RankedTensorType::get(shape, elementType);
  WeightOp::create(weightBuilder, NameLoc::get(weightBuilder.getStringAttr(fullName)), fullName, type, bytes,
                   layout, sourceElement);
  known->second = WeightRefOp::create(graph.getBuilder(), graph.getLoc(), type, fullName);
  return known->second;
}

Attribute ModelWeights::makeSeed(StringRef fullName, InitialWeight initial) {
  bool isNormal = initial == InitialWeight::Normal;
  double mean = initial == InitialWeight::Ones ? 1.0 : 0.0;
  double scale = isNormal ? config.initializerRange : 0.0;
  // The stream is a hash of the name, so a weight does not change when others come or go.
  uint64_t stream = llvm::xxh3_64bits(fullName);
  return SeedSourceAttr::get(weightBuilder.getContext(), isNormal ? SeedKind::Normal : SeedKind::Constant,
                             source.seed, stream, weightBuilder.getF64FloatAttr(mean),
                             weightBuilder.getF64FloatAttr(scale));
}

//===----------------------------------------------------------------------------------------------===//
// The file
//===----------------------------------------------------------------------------------------------===//

/// A norm's two weights have had other names: checkpoints converted from TensorFlow still use them.
static std::string getOldNormName(StringRef name) {
  if (name.consume_back("LayerNorm.weight"))
    return (name + "LayerNorm.gamma").str();
  if (name.consume_back("LayerNorm.bias"))
    return (name + "LayerNorm.beta").str();
  return {};
}

static std::string formatShape(ArrayRef<int64_t> shape) {
  return "[" + llvm::join(llvm::map_range(shape, [](int64_t dim) { return std::to_string(dim); }), ", ") +
         "]";
}

const SafetensorsTensor *ModelWeights::findInFile(StringRef fullName, ArrayRef<int64_t> storedShape) {
  // The message names the file and the tensor; no node of the graph says more.
  auto report = [&](const Twine &what) {
    mlir::emitError(UnknownLoc::get(weightBuilder.getContext()))
        << quoteName(source.file->getPath()) << ": " << what;
    fileFits = false;
    return nullptr;
  };
  StringRef bare = fullName.drop_front(prefix.size());
  const SafetensorsTensor *tensor = nullptr;
  for (const std::string &name : {fullName.str(), bare.str(), getOldNormName(fullName), getOldNormName(bare)})
    if (!tensor && !name.empty())
      tensor = source.file->find(name);
  if (!tensor)
    return report("tensor " + quoteName(fullName) + " is missing");
  used.insert(tensor->name);
  if (ArrayRef<int64_t>(tensor->shape) != storedShape)
    return report("tensor " + quoteName(tensor->name) + " has shape " + formatShape(tensor->shape) +
                  ", the model needs " + formatShape(storedShape));
  if (!getFileElementType(tensor->dtype, weightBuilder))
    return report("tensor " + quoteName(tensor->name) + " has dtype " + tensor->dtype +
                  "; weights are F32, F16 or BF16");
  return tensor;
}

void ModelWeights::noteUnused() {
  constexpr size_t named = 4;
  SmallVector<std::string> names;
  size_t count = 0;
  for (const SafetensorsTensor &tensor : source.file->getTensors()) {
    if (used.contains(tensor.name))
      continue;
    if (++count <= named)
      names.push_back(quoteName(tensor.name));
  }
  if (count == 0)
    return;
  mlir::emitRemark(UnknownLoc::get(weightBuilder.getContext()))
      << quoteName(source.file->getPath()) << ": " << count
      << " tensors that the model does not have are ignored: " << llvm::join(names, ", ")
      << (count > named ? ", ..." : "");
}

LogicalResult ModelWeights::finish() {
  if (!fileFits)
    return failure();
  if (source.file)
    noteUnused();
  return success();
}
