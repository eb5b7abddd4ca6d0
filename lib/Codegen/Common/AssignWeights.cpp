//===- AssignWeights.cpp - Places of weights in the segment of weights ------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Codegen/Common/AssignWeights.h"
#include "tfc/Codegen/Common/KernelWork.h"
#include "tfc/Dialect/Tfc/IR/TfcOps.h"

#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/DenseSet.h"
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

namespace {
/// Gives weights their places, one behind the other.
class WeightPlacer {
public:
  explicit WeightPlacer(ModuleOp module) : module(module), symbols(module), builder(module.getContext()) {}

  LogicalResult run();

private:
  LogicalResult place(WeightOp weight, uint64_t alignment);
  LogicalResult placeStack(WeightOp stack);

  ModuleOp module;
  SymbolTable symbols;
  Builder builder;
  uint64_t end = 0;
};
} // namespace

LogicalResult WeightPlacer::place(WeightOp weight, uint64_t alignment) {
  std::optional<uint64_t> bytes = getWeightBytes(weight.getTensorType());
  if (!bytes)
    return weight.emitError("is too large: ") << weight.getTensorType();
  end = llvm::alignTo(end, alignment ? alignment : getAlignment(*bytes));
  weight->setAttr("segment_offset", builder.getI64IntegerAttr(end));
  end += *bytes;
  if (end > (uint64_t(1) << 50))
    return weight.emitError("lies beyond what a segment of weights can hold");
  return success();
}

/// The parts without a gap; the stack itself has the place of the first one.
LogicalResult WeightPlacer::placeStack(WeightOp stack) {
  std::optional<uint64_t> bytes = getWeightBytes(stack.getTensorType());
  if (!bytes)
    return stack.emitError("is too large: ") << stack.getTensorType();
  end = llvm::alignTo(end, getAlignment(*bytes));
  stack->setAttr("segment_offset", builder.getI64IntegerAttr(end));
  for (FlatSymbolRefAttr name : stack.getParts()) {
    auto part = symbols.lookup<WeightOp>(name.getAttr());
    if (!part || part->hasAttr("segment_offset"))
      return stack.emitError("shares its part ") << name << " with another stack";
    if (failed(place(part, /*alignment=*/1)))
      return failure();
  }
  return success();
}

LogicalResult WeightPlacer::run() {
  DenseMap<StringAttr, SmallVector<WeightRefOp>> references;
  module.walk(
      [&](WeightRefOp reference) { references[reference.getWeightAttr().getAttr()].push_back(reference); });
  DenseSet<StringAttr> parts;
  for (WeightOp weight : module.getOps<WeightOp>()) {
    weight->removeAttr("segment_offset");
    if (references.contains(weight.getSymNameAttr()))
      for (FlatSymbolRefAttr part : weight.getParts())
        parts.insert(part.getAttr());
  }

  // Large tables are often stored under two names (tied embeddings): the second name then points to the
  // first.
  using Contents = std::tuple<Type, Attribute, Attribute, Type>;
  DenseMap<Contents, FlatSymbolRefAttr> first;
  for (auto weight : llvm::make_early_inc_range(module.getOps<WeightOp>())) {
    // Its stack gives it a place.
    if (parts.contains(weight.getSymNameAttr()))
      continue;
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
      symbols.erase(weight);
      continue;
    }
    if (failed(weight.getParts().empty() ? place(weight, /*alignment=*/0) : placeStack(weight)))
      return failure();
  }
  module->setAttr("tfc.weight_bytes", builder.getI64IntegerAttr(llvm::alignTo(end, 64)));
  return success();
}

LogicalResult mlir::tfc::assignWeights(ModuleOp module) { return WeightPlacer(module).run(); }
