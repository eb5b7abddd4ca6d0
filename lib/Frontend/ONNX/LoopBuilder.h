//===- LoopBuilder.h - Loops whose bodies are graphs ----------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// Types of scf.while are the same in every turn, and so are the dims of a loop's variables. What each turn gives
// to a scan output is put into its row of a buffer that the loop carries; how many rows there are is known before:
//
// - the loop only ends by its limit: the limit;
// - it may end earlier: the loop runs twice, the first time to count.
//
// A loop whose variables change their dims is unrolled where the number of turns is known when compiling.
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_FRONTEND_ONNX_LOOPBUILDER_H
#define TFC_LIB_FRONTEND_ONNX_LOOPBUILDER_H

#include "NodeContext.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace mlir::tfc::onnx_import {

/// What one turn gives.
struct LoopTurn {
  Value condition;
  SmallVector<Value> carried, scans;
};

/// Fails where a dim of a value that leaves the region is a size that data inside it gave.
LogicalResult checkKnownOutside(NodeContext &node, ArrayRef<Value> values, Region &region, StringRef what);

class LoopBuilder {
public:
  using Body = std::function<std::optional<LoopTurn>(Value turn, Value condition, ArrayRef<Value> carried)>;

  explicit LoopBuilder(NodeContext &node) : node(node) {}

  /// Number of turns (i64, rank 0) and first condition; null where there is none.
  Value limit, condition;
  /// First values of the variables.
  SmallVector<Value> carried;
  /// Scan outputs that are filled from the end; none, or one entry for each.
  SmallVector<bool> isReversed;
  int64_t nodesInside = 0;
  Body body;

  /// The last values of the variables, then the scan outputs.
  std::optional<SmallVector<Value>> build();

private:
  /// A loop without its scan outputs, and what its body gives.
  struct Loop {
    scf::WhileOp op;
    LoopTurn turn;
    /// Variables get other dims than their first values have, always or in some runs.
    bool changesDims = false, mayChangeDims = false;
  };
  std::optional<Loop> createLoop();
  scf::WhileOp createFrame(ValueRange inits);
  void fillCondition(scf::WhileOp loop);
  bool endsByLimitOnly(Loop &loop);
  /// How many turns there are, as a tensor of rank 0 before the loop.
  Value countTurns(Loop &loop);
  std::optional<SmallVector<Value>> finish(Loop &loop);
  bool canUnroll() const;
  std::optional<SmallVector<Value>> unroll();
  void keepDims(Loop &loop);
  void yield(scf::WhileOp loop, const LoopTurn &turn, ValueRange buffers);
  std::optional<SmallVector<Value>> collectRows(Loop &loop, DimExprAttr count);
  Value placeRow(Value buffer, Value turn, Value row, bool isFromEnd, Value last);

  NodeContext &node;
};

} // namespace mlir::tfc::onnx_import

#endif // TFC_LIB_FRONTEND_ONNX_LOOPBUILDER_H
