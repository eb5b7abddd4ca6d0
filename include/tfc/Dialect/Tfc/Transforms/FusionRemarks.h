//===- FusionRemarks.h - What became of a candidate for fusion -*- C++ -*- --------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// Every candidate ends in one remark, "fused: KIND: detail, at node 'N'" or "not fused: KIND: reason, at node 'N'".
// A remark is an ordinary diagnostic, so tfc-opt prints it, lit tests expect it, and the pass manager keeps the order
// of functions that are worked on side by side. Whoever wants to know more than the text reads it back here: writing
// and reading stand in one file.
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_DIALECT_TFC_TRANSFORMS_FUSIONREMARKS_H
#define TFC_DIALECT_TFC_TRANSFORMS_FUSIONREMARKS_H

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Operation.h"

#include <optional>
#include <string>

namespace mlir::tfc {

/// One candidate, as the report keeps it.
struct FusionRemark {
  std::string kind; ///< attention, layer_norm, rms_norm, gelu
  bool fused = false;
  std::string reason; ///< what it has, when fused; else the first constraint that failed
  std::string node;   ///< the graph's name of the node: the anchor when fused, else where the constraint failed
};

/// The remark as one line, as --explain-fusion prints it.
std::string format(const FusionRemark &remark);

/// Reads a remark back; nothing when the diagnostic is something else.
std::optional<FusionRemark> readFusionRemark(Diagnostic &diagnostic);

/// The first graph name in a location; "" when it has none.
std::string getNodeName(Location location);

/// The node that made a tensor: the last one in the location of the op that makes it now, as fusions list nodes in the order of
/// the graph, unless the location has a name for it. "" when there is none.
std::string getMakingNode(Location location);

/// The location of an op whose tensor no single node made, with a name for it.
Location nameTensor(Location location, StringRef name);

/// Collects why a candidate declines: the first constraint counts, whatever fails after it.
class FusionDecision {
public:
  /// `anchor` is the op that makes the graph around it a candidate.
  FusionDecision(StringRef kind, Operation *anchor) : kind(kind.str()), anchor(anchor->getLoc()), failedAt(anchor->getLoc()) {}

  /// Always failure, so that matchers read `return decision.decline(op, "...")`.
  LogicalResult decline(Operation *at, const Twine &reason);
  LogicalResult declineValue(Value at, const Twine &reason);

  void setKind(StringRef name) { kind = name.str(); }
  /// Emits the remark: what `decline` was told first, or that the candidate fused.
  void report(LogicalResult outcome, const Twine &detail = "") const;

private:
  std::string kind, reason;
  Location anchor, failedAt;
};

} // namespace mlir::tfc

#endif // TFC_DIALECT_TFC_TRANSFORMS_FUSIONREMARKS_H
