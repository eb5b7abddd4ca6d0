//===- GroupOps.h - Which ops share a kernel -*- C++ -*- --------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_CODEGEN_COMMON_GROUPOPS_H
#define TFC_CODEGEN_COMMON_GROUPOPS_H

#include "tfc/Dialect/Tfc/IR/TfcDialect.h"

#include "mlir/IR/Block.h"

#include <vector>

namespace mlir::tfc {

/// Ops of one block that become one kernel.
struct OpGroup {
  /// In the order of the block. The last one is the root: the launch stands in its place.
  SmallVector<Operation *> ops;
  /// Values made here that are used elsewhere: the results of the kernel.
  SmallVector<Value> results;

  Operation *getRoot() const { return ops.back(); }
};

/// True for ops that main keeps: they move no data, or the runtime does their work.
bool staysInMain(Operation *op);

/// True for ops that are cloned into every kernel that uses them.
bool isCloned(Operation *op);

/// What may share a kernel at all.
struct GroupingOptions {
  bool fuse = true;      ///< False: each op is a group of its own.
  bool epilogue = true;  ///< Products take what follows them.
  bool embedding = true; ///< Norms take the lookups before them.
  /// Products read their operands through casts, and what casts make narrow is stored so by the kernel that makes it (OperandCasts.h).
  bool operandCasts = false;
};

/// The groups of a block, in the order of their roots; regions of its ops are not entered.
std::vector<OpGroup> groupOps(Block &block, const GroupingOptions &options);

/// Tells what became of the candidates of a block for kernels that count as fusions: epilogues of products, embeddings with
/// their norm.
void reportGroups(Block &block, ArrayRef<OpGroup> groups, const GroupingOptions &options);

} // namespace mlir::tfc

#endif // TFC_CODEGEN_COMMON_GROUPOPS_H
