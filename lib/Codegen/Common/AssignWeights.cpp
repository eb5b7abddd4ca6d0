//===- AssignWeights.cpp - Places of weights in the segment of weights ------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Codegen/Common/AssignWeights.h"
#include "tfc/Codegen/Common/KernelWork.h"
#include "tfc/Dialect/Tfc/IR/TfcOps.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::tfc;

/// A cache line for small weights; a page for large ones, so that they can be read, prefetched or dropped
/// page-wise.
static uint64_t getAlignment(uint64_t bytes) { return bytes >= (1u << 16) ? 4096 : 64; }

/// Bytes of a static tensor, or nothing where they are beyond what a file could hold.
static std::optional<uint64_t> getWeightBytes(RankedTensorType type) {
  std::optional<int64_t> bytes = getTensorBytes(type).getConstant();
  constexpr int64_t kLimit = int64_t(1) << 46;
  return bytes && *bytes >= 0 && *bytes <= kLimit ? std::optional<uint64_t>(*bytes) : std::nullopt;
}

LogicalResult mlir::tfc::assignWeights(ModuleOp module) {
  DenseMap<StringAttr, SmallVector<WeightRefOp>> references;
  module.walk(
      [&](WeightRefOp reference) { references[reference.getWeightAttr().getAttr()].push_back(reference); });

  // Large tables are often stored under two names (tied embeddings): the second name then points to the
  // first.
  using Contents = std::tuple<Type, Attribute, Attribute, Type>;
  DenseMap<Contents, FlatSymbolRefAttr> first;
  Builder builder(module.getContext());
  uint64_t end = 0;
  for (auto weight : llvm::make_early_inc_range(module.getOps<WeightOp>())) {
    auto found = references.find(weight.getSymNameAttr());
    Contents contents{weight.getTensorType(), weight.getSource(), weight.getLayoutAttr(),
                      weight.getSourceElementType()};
    auto [known, isNew] = first.try_emplace(contents, FlatSymbolRefAttr::get(weight.getSymNameAttr()));
    if (found == references.end() || !isNew) {
      if (found == references.end() && isNew)
        first.erase(known);
      else if (found != references.end())
        for (WeightRefOp reference : found->second)
          reference.setWeightAttr(known->second);
      weight.erase();
      continue;
    }
    std::optional<uint64_t> bytes = getWeightBytes(weight.getTensorType());
    if (!bytes)
      return weight.emitError("is too large: ") << weight.getTensorType();
    end = llvm::alignTo(end, getAlignment(*bytes));
    weight->setAttr("segment_offset", builder.getI64IntegerAttr(end));
    end += *bytes;
    if (end > (uint64_t(1) << 50))
      return weight.emitError("lies beyond what a segment of weights can hold");
  }
  module->setAttr("tfc.weight_bytes", builder.getI64IntegerAttr(llvm::alignTo(end, 64)));
  return success();
}
