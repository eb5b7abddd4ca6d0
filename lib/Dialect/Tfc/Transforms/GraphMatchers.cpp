//===- GraphMatchers.cpp - What the fusions ask of a graph ------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "GraphMatchers.h"

#include "mlir/IR/Matchers.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>

using namespace mlir;
using namespace mlir::tfc;

std::optional<double> mlir::tfc::matchScalar(Value value) {
  DenseFPElementsAttr dense;
  if (!matchPattern(value, m_Constant(&dense)) || dense.getNumElements() != 1)
    return std::nullopt;
  APFloat number = *dense.value_begin<APFloat>();
  bool losesInfo;
  number.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &losesInfo);
  return number.convertToDouble();
}

bool mlir::tfc::isNear(double value, double expected) {
  return std::abs(value - expected) <= 2e-5 * std::abs(expected);
}

std::string mlir::tfc::formatNumber(double value) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%g", value);
  return text;
}

std::optional<ScaledValue> mlir::tfc::matchScaling(Operation *op) {
  if (!op || !isa<MulOp, DivOp>(op))
    return std::nullopt;
  Value x = op->getOperand(0), y = op->getOperand(1);
  std::optional<double> factor = matchScalar(y);
  if (factor && isa<DivOp>(op))
    factor = 1.0 / *factor;
  if (!factor && isa<MulOp>(op)) {
    factor = matchScalar(x);
    x = y;
  }
  if (!factor || !std::isfinite(*factor) || x.getType() != op->getResult(0).getType())
    return std::nullopt;
  return ScaledValue{x, *factor};
}

bool mlir::tfc::isBroadcastOf(DimExprAttr whole, DimExprAttr dim) {
  if (whole == dim)
    return true;
  llvm::SetVector<StringAttr> own;
  dim.collectSymbols(own);
  if (own.empty())
    return false;
  // Tried with lengths that are no multiples of each other, the others being 1 or as long as the dim.
  for (int64_t first : {2, 5, 11})
    for (bool areOne : {true, false}) {
      auto ownValue = [&](StringAttr name) -> std::optional<int64_t> { return first + 2 * (llvm::find(own, name) - own.begin()); };
      std::optional<int64_t> size = dim.evaluate(ownValue);
      auto value = [&](StringAttr name) { return own.contains(name) ? ownValue(name) : areOne ? std::optional<int64_t>(1) : size; };
      if (!size || whole.evaluate(value) != size)
        return false;
    }
  return true;
}

Value mlir::tfc::getOtherOperand(Operation *op, Value known) {
  Value x = op->getOperand(0), y = op->getOperand(1);
  if ((x == known) == (y == known))
    return nullptr;
  return x == known ? y : x;
}

Location mlir::tfc::fuseLocations(ArrayRef<Operation *> ops) {
  // The last one is the node that makes what the op will make; matchers collect from there backwards.
  SmallVector<Operation *> ordered(ops);
  if (llvm::all_of(ops, [&](Operation *op) { return op->getBlock() == ops.front()->getBlock(); }))
    llvm::sort(ordered, [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
  SmallVector<Location> locations;
  for (Operation *op : ordered)
    if (!isa<UnknownLoc>(op->getLoc()) && !llvm::is_contained(locations, op->getLoc()))
      locations.push_back(op->getLoc());
  return FusedLoc::get(ops.front()->getContext(), locations);
}

Location mlir::tfc::addPresentLocations(Location attention, Location keys, Location values) {
  SmallVector<Location> locations{attention};
  if (auto fused = dyn_cast<FusedLoc>(attention))
    locations.assign(fused.getLocations().begin(), fused.getLocations().end());
  return FusedLoc::get(locations, ArrayAttr::get(attention.getContext(), {LocationAttr(keys), LocationAttr(values)}), attention.getContext());
}

std::pair<Location, Location> mlir::tfc::getPresentLocations(Location attention) {
  auto fused = dyn_cast<FusedLoc>(attention);
  auto present = fused ? dyn_cast_or_null<ArrayAttr>(fused.getMetadata()) : ArrayAttr();
  if (!present || present.size() != 2 || !llvm::all_of(present, [](Attribute loc) { return isa<LocationAttr>(loc); }))
    return {attention, attention};
  return {Location(cast<LocationAttr>(present[0])), Location(cast<LocationAttr>(present[1]))};
}

void mlir::tfc::eraseDead(SmallVector<Operation *> ops) {
  for (bool changed = true; changed;) {
    changed = false;
    for (Operation *&op : ops)
      if (op && op->use_empty()) {
        op->erase();
        op = nullptr;
        changed = true;
      }
  }
}
