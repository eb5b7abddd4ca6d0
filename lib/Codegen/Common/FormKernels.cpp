//===- FormKernels.cpp - main becomes a program of launches -----------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Codegen/Common/EntryFunctions.h"
#include "tfc/Codegen/Common/KernelLibrary.h"
#include "tfc/Codegen/Common/OperandCasts.h"
#include "tfc/Codegen/Common/Passes.h"
#include "tfc/Codegen/Common/PortHints.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Iterators.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace mlir::tfc {
#define GEN_PASS_DEF_FORMKERNELS
#include "tfc/Codegen/Common/Passes.h.inc"
} // namespace mlir::tfc

using namespace mlir;
using namespace mlir::tfc;

/// The same value in a buffer of its own. An expand to the same type is a copy in a form that every backend
/// knows.
static void replaceByCopy(OpOperand &use) {
  OpBuilder builder(use.getOwner());
  Value value = use.get();
  Location location = value.getDefiningOp() ? value.getDefiningOp()->getLoc() : use.getOwner()->getLoc();
  use.set(ExpandOp::create(builder, location, value.getType(), value));
}

/// True when a kernel of this very block can write the value straight to where it is wanted.
static bool isMadeHere(Value root, Block *block) {
  Operation *producer = root.getDefiningOp();
  return producer && producer->getBlock() == block && !staysInMain(producer) && !isCloned(producer);
}

/// True when the dims of the type are known where `producer` stands. A reshape behind a tfc.bind may give a value a
/// type whose dims are born after it was made: its output has no memory yet at that time.
static bool areDimsKnownAt(Type type, Operation *producer) {
  llvm::SetVector<StringAttr> symbols;
  for (DimExprAttr dim : getDims(type))
    dim.collectSymbols(symbols);
  for (auto bind : producer->getBlock()->getOps<BindOp>())
    if (producer->isBeforeInBlock(bind) &&
        llvm::any_of(bind.getSymbols(), [&](Attribute name) { return symbols.contains(cast<StringAttr>(name)); }))
      return false;
  return true;
}

/// Values that leave a block need a buffer of their own to be written to: one per operand, made in this
/// block.
static void copyYieldedValues(Block &block) {
  Operation *terminator = block.getTerminator();
  DenseSet<Value> taken;
  for (OpOperand &use : terminator->getOpOperands()) {
    if (!isa<RankedTensorType>(use.get().getType()))
      continue;
    Value root = getAliasRoot(use.get());
    if (!isMadeHere(root, &block) || !areDimsKnownAt(use.get().getType(), root.getDefiningOp()) ||
        !taken.insert(root).second)
      replaceByCopy(use);
  }
}

/// The variables of a loop have buffers of their own, written once before the loop and at the end of every
/// turn. At the end: every new value stands in a buffer of its own before the first variable is overwritten,
/// so that a turn which swaps variables is right.
static void copyLoopVariables(scf::WhileOp loop) {
  for (OpOperand &use : loop->getOpOperands())
    replaceByCopy(use);
  Block &after = loop.getAfter().front();
  copyYieldedValues(after);
  for (OpOperand &use : after.getTerminator()->getOpOperands())
    replaceByCopy(use);
}

/// Main's own ops read memory; constants live in kernels only.
static void copyConstantsForMain(Block &block) {
  for (Operation &op : llvm::make_early_inc_range(block))
    if (staysInMain(&op))
      for (OpOperand &use : op.getOpOperands())
        if (Operation *producer = use.get().getDefiningOp(); producer && isCloned(producer))
          replaceByCopy(use);
}

static void eraseDeadOps(func::FuncOp entry) {
  entry.walk<WalkOrder::PostOrder, ReverseIterator>([](Operation *op) {
    if (isOpTriviallyDead(op))
      op->erase();
  });
}

namespace {
struct FormKernels : mlir::tfc::impl::FormKernelsBase<FormKernels> {
  using FormKernelsBase::FormKernelsBase;

  void runOnOperation() override {
    KernelLibrary library(getOperation());
    GroupingOptions options{fuse, epilogue, embedding, operandCasts};
    for (func::FuncOp entry : getEntryFunctions(getOperation())) {
      if (failed(checkEntry(entry)))
        return signalPassFailure();
      setPortHints(entry);
      eraseDeadOps(entry);
      entry.walk([](scf::WhileOp loop) { copyLoopVariables(loop); });
      SmallVector<Block *> blocks;
      entry.walk([&](Block *block) { blocks.push_back(block); });
      for (Block *block : blocks) {
        copyConstantsForMain(*block);
        copyYieldedValues(*block);
        if (fuse)
          separateOperandCasts(*block, /*weightsOnly=*/!operandCasts);
        std::vector<OpGroup> groups = groupOps(*block, options);
        reportGroups(*block, groups, options);
        for (const OpGroup &group : groups) {
          library.outline(group);
          ++launches;
        }
      }
      eraseDeadOps(entry);
    }
    if (plain)
      for (func::FuncOp kernel : getKernels(getOperation()))
        kernel->setAttr("tfc.plain", UnitAttr::get(&getContext()));
    kernels += library.size();
  }
};
} // namespace
