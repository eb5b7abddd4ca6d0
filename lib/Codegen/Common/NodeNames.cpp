//===- NodeNames.cpp - Names of the source graph's nodes, from Locations ----------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Codegen/Common/NodeNames.h"
#include "tfc/Dialect/Tfc/IR/TfcOps.h"
#include "tfc/Dialect/Tfc/Transforms/FusionRemarks.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mlir::tfc;

void mlir::tfc::collectNodeNames(Location location, llvm::SetVector<StringAttr> &names) {
  if (auto name = dyn_cast<NameLoc>(location)) {
    names.insert(name.getName());
  } else if (auto fused = dyn_cast<FusedLoc>(location)) {
    for (Location part : fused.getLocations())
      collectNodeNames(part, names);
  } else if (auto call = dyn_cast<CallSiteLoc>(location)) {
    collectNodeNames(call.getCallee(), names);
  }
}

std::string mlir::tfc::getNodeText(Location location) {
  llvm::SetVector<StringAttr> names;
  collectNodeNames(location, names);
  return llvm::join(llvm::map_range(names, [](StringAttr name) { return name.getValue(); }), "+");
}

static constexpr llvm::StringLiteral kResultNodesAttr = "result_nodes";

StringRef mlir::tfc::getResultNode(LaunchOp launch, unsigned result) {
  if (auto names = launch->getAttrOfType<ArrayAttr>(kResultNodesAttr)) {
    auto name = result < names.size() ? dyn_cast<StringAttr>(names[result]) : StringAttr();
    return name ? name.getValue() : "";
  }
  auto last = launch.getNodes().empty() ? StringAttr() : dyn_cast<StringAttr>(launch.getNodes().getValue().back());
  return last ? last.getValue() : "";
}

void mlir::tfc::setResultNodes(LaunchOp launch, ArrayRef<Location> makers) {
  SmallVector<Attribute> names;
  for (Location maker : makers)
    names.push_back(StringAttr::get(launch.getContext(), getMakingNode(maker)));
  if (llvm::any_of(llvm::enumerate(names), [&](auto name) {
        return cast<StringAttr>(name.value()).getValue() != getResultNode(launch, name.index());
      }))
    launch->setAttr(kResultNodesAttr, ArrayAttr::get(launch.getContext(), names));
}

BlockArgument mlir::tfc::findIndexSource(Value value) {
  // Only few steps lie between an input and its use as an index; the bound keeps hostile graphs cheap.
  constexpr size_t kMaxSteps = 256;
  SmallVector<Value> work{value};
  llvm::SmallPtrSet<Value, 16> seen;
  while (!work.empty() && seen.size() < kMaxSteps) {
    Value next = work.pop_back_val();
    if (!seen.insert(next).second)
      continue;
    if (auto argument = dyn_cast<BlockArgument>(next)) {
      if (isa<func::FuncOp>(argument.getOwner()->getParentOp()))
        return argument;
      continue;
    }
    Operation *op = next.getDefiningOp();
    if (isa<CastOp, ReshapeOp, TransposeOp, ExpandOp, SliceOp, ConcatOp, PadOp, TileOp, AddOp, SubOp, MulOp,
            MinOp, MaxOp>(op))
      llvm::append_range(work, llvm::reverse(op->getOperands()));
    else if (isa<SelectOp>(op))
      work.append({op->getOperand(2), op->getOperand(1)});
    else if (isa<GatherOp>(op))
      work.push_back(op->getOperand(0));
    // Kernels are formed in order: what was such a step may be one already. Indices are integers all the way.
    else if (auto launch = dyn_cast<LaunchOp>(op))
      for (Value operand : llvm::reverse(launch.getInputs()))
        if (getElementTypeOrSelf(operand).isInteger())
          work.push_back(operand);
  }
  return {};
}

std::string mlir::tfc::describeCheck(Operation *op) {
  std::string node = getNodeText(op->getLoc());
  std::string text = node.empty() ? op->getName().getStringRef().str() : "node '" + node + "'";
  auto checked = dyn_cast<CheckedIndexOpInterface>(op);
  BlockArgument source = checked ? findIndexSource(checked.getIndexOperand().get()) : BlockArgument();
  if (!source)
    return text;
  auto function = cast<func::FuncOp>(source.getOwner()->getParentOp());
  if (auto name = function.getArgAttrOfType<StringAttr>(source.getArgNumber(), "tfc.name"))
    text += ": " + name.getValue().str();
  return text;
}
