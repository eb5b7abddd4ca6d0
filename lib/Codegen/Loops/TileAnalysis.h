//===- TileAnalysis.h - Which dims of a kernel can be cut -----------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// A kernel is a graph of linalg.generic ops. Every loop of every op belongs to one class of loops: where an op reads what
// another one made, the loops on both sides of a dim run over the same thing and are one class. Softmax over rows:
//
//   max(i, j reduced)   exp(i, j)   sum(i, j reduced)   divide(i, j)         classes {i, i, i, i} and {j, j, j, j}
//
// A class can be cut when all its loops are parallel: then a tile of every op needs just that tile of the ops before it.
// Class j cannot, for its loop in `max` is a reduction.
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_CODEGEN_LOOPS_TILEANALYSIS_H
#define TFC_LIB_CODEGEN_LOOPS_TILEANALYSIS_H

#include "tfc/Dialect/Tfc/IR/TfcOps.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace mlir::tfc {

/// A class of loops that is cut: into pieces of `block` of its `size` iterations.
struct TiledLoops {
  unsigned loopClass;
  DimExprAttr size;
  int64_t block;
};

class TileAnalysis {
public:
  /// A tile gets about `tileWork` innermost iterations.
  TileAnalysis(Block &body, int64_t tileWork);

  /// The loops to cut, outermost first; none where the kernel has to be one tile.
  ArrayRef<TiledLoops> tiled() const { return tiledLoops; }
  /// The number in tiled() of the class of an op's loop, if it is cut.
  std::optional<unsigned> tiledIndex(linalg::GenericOp op, unsigned loop) const;

private:
  void collect(Block &body);
  void unite(unsigned a, unsigned b) { parent[find(a)] = find(b); }
  unsigned find(unsigned loop) const;
  unsigned loopId(linalg::GenericOp op, unsigned loop) const { return firstLoop.lookup(op) + loop; }
  void blockLoops(AffineExpr expr, linalg::GenericOp op);
  void blockResult(Value result);
  void connect(linalg::GenericOp op, OpOperand &operand);
  void connectOps();
  void chooseClasses();
  void chooseBlocks();
  bool hasClass(linalg::GenericOp op, unsigned loopClass) const;
  int64_t innerWork(ArrayRef<unsigned> inner) const;

  SmallVector<linalg::GenericOp> ops;
  SmallVector<bufferization::MaterializeInDestinationOp> stores;
  int64_t tileWork;
  bool onlyLoops = true; // no op but linalg.generic makes or reads what is computed
  DenseMap<Operation *, unsigned> firstLoop;
  mutable SmallVector<unsigned> parent;
  SmallVector<unsigned> blocked;
  SmallVector<TiledLoops> tiledLoops;
};

/// The op and dim of the loop that runs along dim `dim` of a generic's result, if one does.
std::optional<unsigned> loopOfResultDim(OpResult result, unsigned dim);

} // namespace mlir::tfc

#endif // TFC_LIB_CODEGEN_LOOPS_TILEANALYSIS_H
