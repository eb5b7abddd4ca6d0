//===- ReadModel.cpp - What a module at stage llvm says about the model --------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===------------------------------------------------------------------------------------------------------===//

#include "tfc/Target/ReadModel.h"
#include "ReadEntry.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/CheckedArithmetic.h"

using namespace mlir;
using namespace mlir::tfc;
using llvm::createStringError;

std::optional<uint64_t> mlir::tfc::getDataBytes(TfcDataType type, ArrayRef<int64_t> dims) {
  std::optional<int64_t> bits = type.bits;
  for (int64_t dim : dims) {
    // An empty tensor is empty, however large its other dims are.
    if (dim == 0)
      return 0;
    bits = bits && dim > 0 ? llvm::checkedMul<int64_t>(*bits, dim) : std::nullopt;
  }
  return bits ? std::optional<uint64_t>((uint64_t(*bits) + 7) / 8) : std::nullopt;
}

//===----------------------------------------------------------------------------------------------===//
// Entries and kernels
//===----------------------------------------------------------------------------------------------===//

namespace {
class ModelReader {
public:
  ModelReader(ModuleOp module, ArrayRef<KernelVariant> variants, bool isForDevice = false)
      : module(module), symbols(module), variants(variants), isForDevice(isForDevice) {}
  llvm::Expected<ModelReading> read();
  llvm::Expected<ModelReading> readWeightsAlone();

private:
  llvm::Expected<uint32_t> getKernelNumber(StringRef name);
  llvm::Error readSizes();
  llvm::Error checkSteps(const ::tfc::EntryDescription &entry);
  llvm::Error readEntries();
  llvm::Error readWeights();
  llvm::Error readWeight(WeightOp weight);
  bool isFunction(StringRef name, Type result, ArrayRef<Type> arguments);

  ModuleOp module;
  SymbolTable symbols;
  ArrayRef<KernelVariant> variants;
  bool isForDevice;
  llvm::StringMap<uint32_t> kernelNumbers;
  ModelReading result;
};
} // namespace

bool ModelReader::isFunction(StringRef name, Type returned, ArrayRef<Type> arguments) {
  auto function = symbols.lookup<LLVM::LLVMFuncOp>(name);
  return function && (!function.isExternal() || function->hasAttr("tfc.cached")) &&
         function.getFunctionType() == LLVM::LLVMFunctionType::get(returned, arguments, /*isVarArg=*/false);
}

/// Kernels are numbered across entries, so that entries share them.
llvm::Expected<uint32_t> ModelReader::getKernelNumber(StringRef name) {
  auto [known, isNew] = kernelNumbers.try_emplace(name, result.description.kernels.size());
  if (!isNew)
    return known->second;
  MLIRContext *context = module.getContext();
  Type pointer = LLVM::LLVMPointerType::get(context), index = IntegerType::get(context, 64);
  ::tfc::KernelDescription kernel;
  kernel.name = name.str();
  for (const KernelVariant &variant : variants) {
    std::string function = kernel.name + variant.suffix;
    if (isFunction(function, LLVM::LLVMVoidType::get(context), {pointer, index, index, pointer}))
      kernel.variants.push_back({variant.features, function});
  }
  if (kernel.variants.empty() && !isForDevice)
    return createStringError(
        "kernel @%s is no llvm.func with a body and the type (!llvm.ptr, i64, i64, !llvm.ptr)",
        kernel.name.c_str());
  result.description.kernels.push_back(std::move(kernel));
  return known->second;
}

/// A kernel of a device is what its steps call.
llvm::Error ModelReader::checkSteps(const ::tfc::EntryDescription &entry) {
  llvm::StringSet<> functions;
  module.walk([&](LLVM::LLVMFuncOp function) {
    if (!function.isExternal() && !isa<ModuleOp>(function->getParentOp()))
      functions.insert(function.getSymName());
  });
  for (auto [number, launch] : llvm::enumerate(entry.launches)) {
    if (launch.device.steps.empty())
      return createStringError("tfc.entry @%s: launch %zu has no steps, so the device has nothing to run", entry.name.c_str(), number);
    for (const ::tfc::StepDescription &step : launch.device.steps)
      if (!functions.contains(step.function))
        return createStringError("tfc.entry @%s: launch %zu calls @%s, which the gpu.module does not have", entry.name.c_str(),
                                 number, step.function.c_str());
  }
  return llvm::Error::success();
}

llvm::Error ModelReader::readEntries() {
  MLIRContext *context = module.getContext();
  for (EntryOp op : module.getOps<EntryOp>()) {
    llvm::Expected<EntryReading> entry = readEntry(op);
    if (!entry)
      return entry.takeError();
    SmallVector<uint32_t> numbers;
    for (StringRef name : entry->kernels) {
      llvm::Expected<uint32_t> number = getKernelNumber(name);
      if (!number)
        return number.takeError();
      numbers.push_back(*number);
    }
    for (::tfc::LaunchDescription &launch : entry->description.launches)
      launch.kernel = numbers[launch.kernel];
    if (isForDevice)
      if (llvm::Error error = checkSteps(entry->description))
        return error;
    const std::string &run = entry->description.run;
    if (!isFunction(run, IntegerType::get(context, 32), {LLVM::LLVMPointerType::get(context)}))
      return createStringError(
          "tfc.entry @%s: the host program @%s is no llvm.func with a body and the type (!llvm.ptr) -> i32",
          entry->description.name.c_str(), run.c_str());
    result.description.entries.push_back(std::move(entry->description));
  }
  if (result.description.entries.empty())
    return createStringError(
        "the module has no tfc.entry, so there is nothing to run; was it lowered to the stage llvm?");
  return llvm::Error::success();
}

//===----------------------------------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------------------------------===//

TfcSeed mlir::tfc::describeSeed(SeedSourceAttr seed) {
  return {uint32_t(seed.getKind()),
          0,
          seed.getSeed(),
          seed.getStream(),
          seed.getMean().getValueAsDouble(),
          seed.getScale().getValueAsDouble()};
}

llvm::Error ModelReader::readWeight(WeightOp op) {
  auto offset = op->getAttrOfType<IntegerAttr>("segment_offset");
  if (!offset)
    return llvm::Error::success(); // Nothing uses it.
  if (!op.getParts().empty())
    return llvm::Error::success(); // Its parts are all of it.
  std::string name = op.getSymName().str();
  auto type = dyn_cast<RankedTensorType>(op.getTensorType());
  std::optional<TfcDataType> dtype = type ? getDataType(type.getElementType()) : std::nullopt;
  std::optional<uint64_t> bytes =
      dtype && type.hasStaticShape() ? getDataBytes(*dtype, type.getShape()) : std::nullopt;
  if (!bytes || type.getRank() > TFC_MAX_RANK)
    return createStringError("weight @%s has a type that weights cannot have", name.c_str());
  int64_t place = offset.getType().isSignlessInteger(64) ? offset.getInt() : -1;
  if (place < 0 || uint64_t(place) > result.description.weightBytes ||
      *bytes > result.description.weightBytes - place)
    return createStringError(
        "weight @%s does not lie in the segment of weights (segment_offset, tfc.weight_bytes)", name.c_str());

  ::tfc::WeightDescription weight;
  weight.name = name;
  weight.dtype = *dtype;
  weight.dims = type.getShape().vec();
  weight.offset = place;
  weight.bytes = *bytes;
  if (LayoutAttr layout = op.getLayoutAttr()) {
    weight.layoutOffset = layout.getOffset();
    weight.layoutStrides = layout.getStrides().vec();
    for (LayoutBoundAttr bound : layout.getBounds())
      weight.layoutBounds.push_back({bound.getOffset(), bound.getExtent(), bound.getStrides().vec()});
  }
  if (auto seed = dyn_cast<SeedSourceAttr>(op.getSource())) {
    weight.seeded = true;
    weight.seed = describeSeed(seed);
  }
  result.description.weights.push_back(std::move(weight));
  result.weights.push_back(op);
  return llvm::Error::success();
}

static bool isSameContent(WeightOp a, WeightOp b) {
  return a.getType() == b.getType() && a.getSource() == b.getSource() &&
         a.getLayoutAttr() == b.getLayoutAttr() && a.getSourceElementType() == b.getSourceElementType();
}

llvm::Error ModelReader::readWeights() {
  for (WeightOp op : module.getOps<WeightOp>())
    if (llvm::Error error = readWeight(op))
      return error;
  // Ascending by place, and of tied weights only the first.
  auto &descriptions = result.description.weights;
  SmallVector<size_t> order = llvm::to_vector(llvm::seq<size_t>(descriptions.size()));
  llvm::stable_sort(order,
                    [&](size_t a, size_t b) { return descriptions[a].offset < descriptions[b].offset; });
  std::vector<::tfc::WeightDescription> kept;
  SmallVector<WeightOp> keptOps;
  for (size_t number : order) {
    ::tfc::WeightDescription &next = descriptions[number];
    WeightOp op = result.weights[number];
    bool overlaps = !kept.empty() && next.bytes > 0 && next.offset < kept.back().offset + kept.back().bytes;
    if (overlaps && next.offset == kept.back().offset && isSameContent(op, keptOps.back()))
      continue;
    if (overlaps)
      return createStringError("weights @%s and @%s lie in the same place of the segment of weights",
                               kept.back().name.c_str(), next.name.c_str());
    kept.push_back(std::move(next));
    keptOps.push_back(op);
  }
  descriptions = std::move(kept);
  result.weights = std::move(keptOps);
  return llvm::Error::success();
}

llvm::Error ModelReader::readSizes() {
  auto name = module->getAttrOfType<StringAttr>("tfc.model_name");
  result.description.name = name && !name.getValue().contains('\0') ? name.getValue().str() : "model";
  auto bytes = module->getAttrOfType<IntegerAttr>("tfc.weight_bytes");
  if (bytes && (!bytes.getType().isSignlessInteger(64) || bytes.getInt() < 0))
    return createStringError("tfc.weight_bytes must be an i64 that is not negative");
  result.description.weightBytes = bytes ? bytes.getInt() : 0;
  return llvm::Error::success();
}

llvm::Expected<ModelReading> ModelReader::read() {
  if (llvm::Error error = readSizes())
    return std::move(error);
  if (llvm::Error error = readEntries())
    return std::move(error);
  if (llvm::Error error = readWeights())
    return std::move(error);
  return std::move(result);
}

llvm::Expected<ModelReading> ModelReader::readWeightsAlone() {
  if (llvm::Error error = readSizes())
    return std::move(error);
  if (llvm::Error error = readWeights())
    return std::move(error);
  return std::move(result);
}

llvm::Expected<ModelReading> mlir::tfc::readModel(ModuleOp module, ArrayRef<KernelVariant> variants) {
  return ModelReader(module, variants).read();
}

llvm::Expected<ModelReading> mlir::tfc::readWeights(ModuleOp module) { return ModelReader(module, {}).readWeightsAlone(); }

llvm::Expected<ModelReading> mlir::tfc::readDeviceModel(ModuleOp module) {
  return ModelReader(module, {}, /*isForDevice=*/true).read();
}

bool mlir::tfc::haveSameWeights(const ModelReading &a, const ModelReading &b) {
  if (a.description.weightBytes != b.description.weightBytes || a.weights.size() != b.weights.size())
    return false;
  for (size_t i = 0; i < a.weights.size(); ++i)
    if (a.description.weights[i].offset != b.description.weights[i].offset || !isSameContent(a.weights[i], b.weights[i]))
      return false;
  return true;
}
