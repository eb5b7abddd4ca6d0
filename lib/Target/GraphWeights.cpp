//===- GraphWeights.cpp - What the graph's weights were ---------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===------------------------------------------------------------------------------------------------------===//
//
// Passes cut weights into panels, merge, split and transpose them; what stays is the source. So the graph's weights are noted by their
// sources before any pass runs, and found again among the views of these sources that the artifact holds.
//
//===------------------------------------------------------------------------------------------------------===//

#include "tfc/Target/GraphWeights.h"
#include "ReadEntry.h"

#include "llvm/ADT/DenseMap.h"

using namespace mlir;
using namespace mlir::tfc;

/// The row-major tensor that a layout only transposes, if it does no more.
static std::optional<SmallVector<int64_t>> getStoredShape(RankedTensorType type, LayoutAttr layout) {
  if (!layout)
    return llvm::to_vector(type.getShape());
  ArrayRef<int64_t> strides = layout.getStrides();
  if (layout.getOffset() != 0 || !layout.getBounds().empty() || strides.size() != size_t(type.getRank()))
    return std::nullopt;
  SmallVector<unsigned> order = llvm::to_vector(llvm::seq<unsigned>(type.getRank()));
  llvm::sort(order, [&](unsigned a, unsigned b) { return strides[a] != strides[b] ? strides[a] > strides[b] : a < b; });
  SmallVector<int64_t> shape;
  for (unsigned dim : order)
    shape.push_back(type.getDimSize(dim));
  int64_t expected = 1;
  for (unsigned dim : llvm::reverse(order)) {
    if (type.getDimSize(dim) != 1 && strides[dim] != expected)
      return std::nullopt;
    expected *= type.getDimSize(dim);
  }
  return shape;
}

SmallVector<GraphWeight> mlir::tfc::listGraphWeights(ModuleOp module) {
  SmallVector<GraphWeight> weights;
  for (WeightOp weight : module.getOps<WeightOp>()) {
    RankedTensorType type = weight.getTensorType();
    if (!weight.getParts().empty() || !type.hasStaticShape())
      continue;
    if (std::optional<SmallVector<int64_t>> shape = getStoredShape(type, weight.getLayoutAttr()))
      weights.push_back({weight.getSymName().str(), RankedTensorType::get(*shape, type.getElementType()), weight.getSource()});
  }
  return weights;
}

std::vector<::tfc::GraphWeightDescription> mlir::tfc::describeGraphWeights(ArrayRef<GraphWeight> weights, const ModelReading &table) {
  llvm::DenseMap<Attribute, SmallVector<uint32_t>> views;
  for (auto [number, weight] : llvm::enumerate(table.weights))
    views[weight->getAttr("source")].push_back(number);
  std::vector<::tfc::GraphWeightDescription> result;
  for (const GraphWeight &weight : weights) {
    std::optional<TfcDataType> dtype = getDataType(weight.type.getElementType());
    if (!dtype || weight.type.getRank() > TFC_MAX_RANK)
      continue;
    ::tfc::GraphWeightDescription described;
    described.name = weight.name;
    described.dims = weight.type.getShape().vec();
    described.dtype = *dtype;
    if (auto seed = dyn_cast<SeedSourceAttr>(weight.source)) {
      described.seeded = true;
      described.seed = describeSeed(seed);
    } else if (auto found = views.find(weight.source); found != views.end()) {
      // Views may have been made in another precision; where some are as the graph has it, those are taken.
      auto typeOf = [&](uint32_t number) { return table.description.weights[number].dtype; };
      auto isSame = [](TfcDataType a, TfcDataType b) { return a.code == b.code && a.bits == b.bits; };
      if (llvm::none_of(found->second, [&](uint32_t number) { return isSame(typeOf(number), *dtype); }))
        described.dtype = typeOf(found->second.front());
      for (uint32_t number : found->second)
        if (isSame(typeOf(number), described.dtype))
          described.pieces.push_back(number);
    }
    result.push_back(std::move(described));
  }
  return result;
}
