//===- PortHints.cpp - What --random should know of an entry's inputs -------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Codegen/Common/PortHints.h"
#include "tfc-c/ModelABI.h"
#include "tfc/Codegen/Common/NodeNames.h"
#include "tfc/Dialect/Tfc/IR/TfcOps.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mlir::tfc;

namespace {

std::string getLowerName(func::FuncOp entry, unsigned argument) {
  auto name = entry.getArgAttrOfType<StringAttr>(argument, "tfc.name");
  return name ? name.getValue().lower() : std::string();
}

/// Token types stay 0, as in the texts these models are fed with.
bool isTypeName(StringRef name) { return name.contains("type") || name.contains("segment"); }

bool isFloat(Value value) { return isa<FloatType>(cast<RankedTensorType>(value.getType()).getElementType()); }

void setHint(func::FuncOp entry, unsigned argument, TfcPortHint hint, DimExprAttr bound = {}) {
  if (entry.getArgAttr(argument, "tfc.hint"))
    return;
  entry.setArgAttr(argument, "tfc.hint", Builder(entry.getContext()).getI64IntegerAttr(hint));
  if (bound)
    entry.setArgAttr(argument, "tfc.hint_bound", bound);
}

/// Bool inputs are masks: named for padding, false attends; else true does. A name with "mask" in it and a
/// number type is a mask of ones.
void setHintByName(func::FuncOp entry, unsigned argument) {
  std::string name = getLowerName(entry, argument);
  Value value = entry.getArgument(argument);
  bool isBool = cast<RankedTensorType>(value.getType()).getElementType().isInteger(1);
  if (isBool)
    setHint(entry, argument, StringRef(name).contains("pad") ? TFC_HINT_PAD : TFC_HINT_MASK);
  else if (StringRef(name).contains("mask"))
    setHint(entry, argument, TFC_HINT_MASK);
}

} // namespace

void mlir::tfc::setPortHints(func::FuncOp entry) {
  for (unsigned i = 0; i < entry.getNumArguments(); ++i)
    if (isa<RankedTensorType>(entry.getArgument(i).getType()))
      setHintByName(entry, i);
  // An input that serves as index of several tables lies in the smallest one that comes first; tables of
  // static length only, since the others (positions in a cache) have their bound from the run.
  DenseMap<BlockArgument, int64_t> bounds;
  entry.walk([&](GatherOp gather) {
    BlockArgument source = findIndexSource(gather.getIndices());
    std::optional<int64_t> rows = getDim(gather.getX(), gather.getAxis()).getConstant();
    if (!source || !rows || *rows <= 0 || isFloat(source))
      return;
    auto [place, isNew] = bounds.try_emplace(source, *rows);
    if (!isNew)
      place->second = std::min(place->second, *rows);
  });
  for (BlockArgument argument : entry.getArguments()) {
    auto found = bounds.find(argument);
    if (found == bounds.end() || isTypeName(getLowerName(entry, argument.getArgNumber())))
      continue;
    setHint(entry, argument.getArgNumber(), TFC_HINT_INDEX,
            DimExprAttr::constant(entry.getContext(), found->second));
  }
}
