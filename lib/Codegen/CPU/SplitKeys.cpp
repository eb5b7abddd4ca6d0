//===- SplitKeys.cpp - Attention of few queries over many keys, in two launches -------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// How many queries and keys there are is known in the run only, so both kinds of runs take the same launches:
// parts are a tensor of so many rows, and of none where they do not pay. docs/design/20261122-decode.md says
// why it is done this way.
//
//===----------------------------------------------------------------------------------------------===//

#include "KeyParts.h"
#include "tfc/Codegen/CPU/Passes.h"
#include "tfc/Codegen/Common/OperandCasts.h"
#include "tfc/Codegen/Common/EntryFunctions.h"
#include "tfc/Codegen/Common/KernelWork.h"
#include "tfc/Dialect/Tfc/IR/TfcOps.h"
#include "tfc/Dialect/Tfc/Transforms/AttentionKernels.h"
#include "tfc/Schedule/AttentionSchedule.h"

#include "llvm/ADT/MapVector.h"

namespace mlir::tfc {
#define GEN_PASS_DEF_SPLITKEYS
#include "tfc/Codegen/CPU/Passes.h.inc"
} // namespace mlir::tfc

using namespace mlir;
using namespace mlir::tfc;
using ::tfc::DecodeSplit;

/// Whether a generator sees a view of one of the kernel's operands; where `isRow`, one whose last dim lies as
/// it is read.
static bool isViewOfOperand(Value tensor, bool isRow) {
  if (isa<BlockArgument>(tensor))
    return true;
  Operation *op = tensor.getDefiningOp();
  if (auto transpose = dyn_cast<TransposeOp>(op)) {
    ArrayRef<int64_t> order = transpose.getPermutation();
    return (!isRow || order.back() == int64_t(order.size()) - 1) && isViewOfOperand(transpose.getX(), isRow);
  }
  if (isWideningCast(op))
    return isRow && isViewOfOperand(op->getOperand(0), isRow);
  auto slice = dyn_cast<SliceOp>(op);
  return slice && (!isRow || slice.getStrides().back() == 1) && isViewOfOperand(slice.getX(), isRow);
}

/// The attention that is all the kernel does, but for views of what it reads and a transpose of what it
/// stores.
static AttentionOp findAttention(func::FuncOp kernel) {
  if (!llvm::hasSingleElement(kernel.getBody()) || kernel->hasAttr("tfc.plain"))
    return {};
  Operation *end = kernel.front().getTerminator();
  if (!isa<func::ReturnOp>(end) || end->getNumOperands() != 1)
    return {};
  AttentionOp attention;
  for (Operation &op : kernel.front().without_terminator()) {
    if (isa<AttentionOp>(op) && !attention)
      attention = cast<AttentionOp>(op);
    else if (!isa<TransposeOp, SliceOp>(op) && !isWideningCast(&op))
      return {};
  }
  if (!attention || !hasAttentionKernel(attention) || attention.getPastKey())
    return {};
  Value stored = end->getOperand(0);
  if (auto transpose = stored.getDefiningOp<TransposeOp>();
      transpose && transpose.getPermutation().back() == int64_t(transpose.getPermutation().size()) - 1)
    stored = transpose.getX();
  if (stored != attention.getOutput())
    return {};
  for (Value operand : attention->getOperands()) {
    bool isRow =
        llvm::is_contained({attention.getQuery(), attention.getKey(), attention.getValue()}, operand);
    if (!isViewOfOperand(operand, isRow))
      return {};
  }
  return attention;
}

/// DecodeSplit::partCount in the kernel's symbols; null where it is 0 in every run.
static DimExprAttr getPartCount(AttentionOp op) {
  auto constant = [&](int64_t value) { return DimExprAttr::constant(op.getContext(), value); };
  DimExprAttr queries = getDim(op.getQuery(), 2), keys = getDim(op.getKey(), 2);
  // Many keys would be many queries.
  if (queries == keys)
    return {};
  DimExprAttr rows = queries * getDim(op.getQuery(), 1).floorDiv(getDim(op.getKey(), 1));
  DimExprAttr areFew = constant(DecodeSplit::kMostRows).floorDiv(rows).min(constant(1));
  DimExprAttr areMany = (keys - 1).floorDiv(constant(DecodeSplit::kWholeKeys)).min(constant(1));
  DimExprAttr count = areFew * areMany * keys.ceilDiv(constant(DecodeSplit::kPartKeys));
  return count.isConstant(0) || count.isTooComplex() ? DimExprAttr() : count;
}

/// The work of a kernel that does it only where `condition` is 1, and then adds `more`.
static void setWork(func::FuncOp kernel, DimExprAttr condition, DimExprAttr moreBytes) {
  for (StringRef name : {"tfc.flops", "tfc.bytes"})
    if (auto work = kernel->getAttrOfType<DimExprAttr>(name))
      kernel->setAttr(name, name == "tfc.bytes" ? work * condition + moreBytes : work * condition);
}

namespace {
struct SplitKeys : mlir::tfc::impl::SplitKeysBase<SplitKeys> {
  void runOnOperation() override {
    SymbolTable symbols(getOperation());
    llvm::MapVector<StringAttr, SmallVector<LaunchOp>> launches;
    for (func::FuncOp entry : getEntryFunctions(getOperation())) {
      if (failed(checkEntry(entry)))
        return signalPassFailure();
      auto slots = entry->getAttrOfType<ArrayAttr>("tfc.slots");
      if (!slots || !llvm::all_of(slots, llvm::IsaPred<SlotAttr>))
        return; // Whoever lowers the entry says so.
      plannedSlots[entry] = slots.size();
      entry.walk([&](LaunchOp launch) { launches[launch.getKernelAttr().getAttr()].push_back(launch); });
    }
    for (auto &[name, users] : launches)
      if (auto kernel = symbols.lookup<func::FuncOp>(name);
          kernel && llvm::all_of(users, [](LaunchOp user) { return getPlaces(user) != nullptr; }))
        splitKernel(kernel, users, symbols);
  }

private:
  void splitKernel(func::FuncOp kernel, ArrayRef<LaunchOp> users, SymbolTable &symbols);
  void splitLaunch(LaunchOp launch, func::FuncOp maker);
  int64_t getSlot(LaunchOp launch, Type type);

  DenseMap<Operation *, size_t> plannedSlots;
};
} // namespace

void SplitKeys::splitKernel(func::FuncOp kernel, ArrayRef<LaunchOp> users, SymbolTable &symbols) {
  AttentionOp attention = findAttention(kernel);
  DimExprAttr count = attention ? ::getPartCount(attention) : DimExprAttr();
  if (!count)
    return;
  SmallVector<DimExprAttr> dims = getDims(attention.getOutput());
  dims[2] = dims[2] * count;
  dims[3] = dims[3] + 2;
  RankedTensorType parts =
      getTensorType(dims, cast<RankedTensorType>(attention.getOutput().getType()).getElementType());

  func::FuncOp maker = kernel.clone();
  maker.setName((kernel.getName() + "_parts").str());
  symbols.insert(maker, Block::iterator(kernel));
  AttentionOp copy = findAttention(maker);
  Operation *end = maker.front().getTerminator(), *stored = end->getOperand(0).getDefiningOp();
  OpBuilder builder(end);
  end->setOperand(0, TileOp::create(builder, copy.getLoc(), parts, copy.getOutput()));
  if (stored != copy)
    stored->erase();
  maker.setType(FunctionType::get(&getContext(), maker.getArgumentTypes(), parts));
  maker.removeResAttrsAttr();
  maker->setAttr(kMakesKeyPartsAttr, count);

  unsigned last = kernel.getNumArguments();
  (void)kernel.insertArgument(last, parts, {}, kernel.getLoc());
  kernel->setAttr(kTakesKeyPartsAttr, count);
  DimExprAttr one = DimExprAttr::constant(&getContext(), 1), isCut = count.min(one),
              bytes = getTensorBytes(parts);
  setWork(maker, isCut, bytes);
  setWork(kernel, one - isCut, bytes);
  for (LaunchOp launch : users)
    splitLaunch(launch, maker);
  ++split;
}

void SplitKeys::splitLaunch(LaunchOp launch, func::FuncOp maker) {
  // As many values as there are names, says the verifier.
  llvm::StringMap<DimExprAttr> values;
  if (auto names = maker->getAttrOfType<ArrayAttr>("tfc.symbols"))
    for (auto [name, value] :
         llvm::zip_equal(names.getAsValueRange<StringAttr>(), launch.getSymbols().getAsRange<DimExprAttr>()))
      values[name] = value;
  SmallVector<DimExprAttr> dims = getDims(maker.getResultTypes()[0]);
  for (DimExprAttr &dim : dims)
    dim = dim.substitute([&](StringAttr name) { return values.lookup(name.getValue()); });
  Type type = getTensorType(dims, cast<RankedTensorType>(maker.getResultTypes()[0]).getElementType());

  OpBuilder builder(launch);
  auto make = LaunchOp::create(builder, launch.getLoc(), TypeRange(type), maker.getName(), launch.getInputs(),
                               launch.getSymbols(), launch.getNodesAttr(), ArrayAttr(), ArrayAttr());
  setPlaces(make, PlaceAttr::get(&getContext(), PlaceKind::Slot, getSlot(launch, type)));
  launch.getInputsMutable().append(make.getResult(0));
}

/// How many binds have run when the op does. One inside a region counts for the ops behind it there.
static int64_t getSegment(func::FuncOp entry, Operation *op) {
  SmallVector<BindOp> binds;
  entry.walk([&](BindOp bind) { binds.push_back(bind); });
  for (; op != entry; op = op->getParentOp())
    for (Operation *before = op->getPrevNode(); before; before = before->getPrevNode())
      if (auto bind = dyn_cast<BindOp>(before))
        return llvm::find(binds, bind) - binds.begin() + 1;
  return 0;
}

/// A slot for parts, above all that are planned. Launches share it: parts are dead when they have been
/// combined.
int64_t SplitKeys::getSlot(LaunchOp launch, Type type) {
  auto entry = launch->getParentOfType<func::FuncOp>();
  auto slots = llvm::to_vector(entry->getAttrOfType<ArrayAttr>("tfc.slots").getAsRange<SlotAttr>());
  int64_t segment = getSegment(entry, launch);
  SmallVector<int64_t> above;
  for (size_t i = 0; i < plannedSlots[entry]; ++i)
    if (slots[i].getSegment() == segment)
      above.push_back(i);
  auto slot = SlotAttr::get(&getContext(), getSlotBytes(type), above, segment);
  auto known = llvm::find(slots, slot);
  int64_t number = known - slots.begin();
  if (known == slots.end()) {
    slots.push_back(slot);
    entry->setAttr("tfc.slots", ArrayAttr::get(&getContext(), llvm::to_vector_of<Attribute>(slots)));
  }
  return number;
}
