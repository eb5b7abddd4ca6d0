//===- FusionRemarks.cpp - What became of a candidate for fusion ------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Dialect/Tfc/Transforms/FusionRemarks.h"

#include "mlir/IR/Location.h"
#include "mlir/IR/Value.h"

using namespace mlir;
using namespace mlir::tfc;

static constexpr llvm::StringLiteral kFused = "fused: ", kNotFused = "not fused: ", kAtNode = ", at node '";

std::string mlir::tfc::getNodeName(Location location) {
  if (auto name = dyn_cast<NameLoc>(location))
    return name.getName().str();
  if (auto fused = dyn_cast<FusedLoc>(location))
    for (Location part : fused.getLocations())
      if (std::string name = getNodeName(part); !name.empty())
        return name;
  return "";
}

std::string mlir::tfc::getMakingNode(Location location) {
  if (auto name = dyn_cast<NameLoc>(location))
    return name.getName().str();
  if (auto call = dyn_cast<CallSiteLoc>(location))
    return getMakingNode(call.getCallee());
  auto fused = dyn_cast<FusedLoc>(location);
  if (!fused)
    return "";
  if (auto name = dyn_cast_or_null<StringAttr>(fused.getMetadata()))
    return name.str();
  for (Location part : llvm::reverse(fused.getLocations()))
    if (std::string name = getMakingNode(part); !name.empty())
      return name;
  return "";
}

Location mlir::tfc::nameTensor(Location location, StringRef name) {
  return FusedLoc::get(location.getContext(), {location}, StringAttr::get(location.getContext(), name));
}

std::string mlir::tfc::format(const FusionRemark &remark) {
  std::string text = (remark.fused ? kFused : kNotFused).str() + remark.kind;
  if (!remark.reason.empty())
    text += ": " + remark.reason;
  if (!remark.node.empty())
    text += kAtNode.str() + remark.node + "'";
  return text;
}

std::optional<FusionRemark> mlir::tfc::readFusionRemark(Diagnostic &diagnostic) {
  if (diagnostic.getSeverity() != DiagnosticSeverity::Remark)
    return std::nullopt;
  std::string whole = diagnostic.str();
  StringRef text = whole;
  FusionRemark remark;
  remark.fused = text.consume_front(kFused);
  if (!remark.fused && !text.consume_front(kNotFused))
    return std::nullopt;
  // Names of nodes may hold anything; kinds and reasons are ours and never hold the mark that starts a node.
  if (size_t at = text.find(kAtNode); at != StringRef::npos) {
    remark.node = text.drop_front(at + kAtNode.size()).drop_back().str();
    text = text.take_front(at);
  }
  auto [kind, reason] = text.split(": ");
  remark.kind = kind.str();
  remark.reason = reason.str();
  return remark;
}

LogicalResult FusionDecision::decline(Operation *at, const Twine &why) {
  if (reason.empty()) {
    reason = why.str();
    failedAt = at->getLoc();
  }
  return failure();
}

LogicalResult FusionDecision::declineValue(Value at, const Twine &why) {
  if (Operation *op = at.getDefiningOp())
    return decline(op, why);
  if (reason.empty()) {
    reason = why.str();
    failedAt = at.getLoc();
  }
  return failure();
}

void FusionDecision::report(LogicalResult outcome, const Twine &detail) const {
  bool fused = succeeded(outcome);
  emitRemark(anchor) << format({kind, fused, fused ? detail.str() : reason, getNodeName(fused ? anchor : failedAt)});
}
