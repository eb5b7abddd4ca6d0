//===- PlanMemory.cpp - Where launch results lie ----------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// A buffer here is a class of values that share memory: reshapes of a value; a result of scf.if and what its
// branches yield; a variable of scf.while, its first value and what each turn yields; what scf.condition
// passes on. tfc-form-kernels has put copies where sharing would be wrong.
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Codegen/Common/ArenaPlan.h"
#include "tfc/Codegen/Common/EntryFunctions.h"
#include "tfc/Codegen/Common/KernelWork.h"
#include "tfc/Codegen/Common/Passes.h"
#include "tfc/Dialect/Tfc/IR/TfcOps.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/EquivalenceClasses.h"

namespace mlir::tfc {
#define GEN_PASS_DEF_PLANMEMORY
#include "tfc/Codegen/Common/Passes.h.inc"
} // namespace mlir::tfc

using namespace mlir;
using namespace mlir::tfc;

namespace {

constexpr int64_t kNominalLength = 64;

/// Lengths that plans are tuned for: batches of one, sequences of some length. See the pass description.
int64_t getNominalValue(StringAttr symbol) {
  std::string name = symbol.getValue().lower();
  return StringRef(name).contains("batch") || name == "b" ? 1 : kNominalLength;
}

int64_t getNominalBytes(DimExprAttr bytes) {
  std::optional<int64_t> value =
      bytes.evaluate([](StringAttr symbol) -> std::optional<int64_t> { return getNominalValue(symbol); });
  return std::max<int64_t>(value.value_or(0), 0);
}

/// Numbers the ops of an entry in the order of its text, and knows when regions begin and end.
class Timeline {
public:
  explicit Timeline(func::FuncOp entry) { number(entry.front(), 0); }

  int64_t begin(Operation *op) const { return begins.lookup(op); }
  int64_t end(Operation *op) const { return ends.lookup(op); }
  /// The segment of the last bind that has run before the op, whichever branches were taken: a bind inside a
  /// region counts for the ops behind it there, and no longer behind the region.
  int64_t segment(Operation *op) const { return segments.lookup(op); }

  /// Until when a value must stay that `user` reads: the end of the outermost loop around the user that the
  /// value comes into from outside, for the next turn reads it again.
  int64_t lastRead(Operation *user, Value value) const {
    int64_t last = begin(user);
    for (Operation *parent = user->getParentOp(); parent && !isa<func::FuncOp>(parent);
         parent = parent->getParentOp())
      if (isa<scf::WhileOp>(parent) && !parent->isAncestor(value.getParentBlock()->getParentOp()))
        last = end(parent);
    return last;
  }

private:
  void number(Block &block, int64_t segment) {
    for (Operation &op : block) {
      begins[&op] = next++;
      segments[&op] = segment;
      if (isa<BindOp>(op))
        segment = ++bindCount;
      for (Region &region : op.getRegions())
        for (Block &inner : region)
          number(inner, segment);
      ends[&op] = op.getNumRegions() ? next++ : begins[&op];
    }
  }

  int64_t next = 0, bindCount = 0;
  DenseMap<Operation *, int64_t> begins, ends, segments;
};

class MemoryPlan {
public:
  explicit MemoryPlan(func::FuncOp entry) : entry(entry), timeline(entry) {}

  LogicalResult run() {
    joinRegionValues();
    if (failed(placeOutputs()))
      return failure();
    collectSlots();
    std::vector<std::vector<int64_t>> above = ::tfc::planArena(buffers);
    SmallVector<Attribute> slots;
    for (auto [buffer, bytes, lower] : llvm::zip_equal(buffers, sizes, above))
      slots.push_back(SlotAttr::get(entry.getContext(), bytes, lower, buffer.segment));
    entry->setAttr("tfc.slots", ArrayAttr::get(entry.getContext(), slots));
    return setPlaces();
  }

  size_t getSlotCount() const { return buffers.size(); }

private:
  void join(Value a, Value b) { classes.unionSets(getAliasRoot(a), getAliasRoot(b)); }
  Value leader(Value value) { return classes.getOrInsertLeaderValue(getAliasRoot(value)); }

  void joinRegionValues() {
    entry.walk([&](scf::IfOp branch) {
      for (Region *region : {&branch.getThenRegion(), &branch.getElseRegion()})
        if (!region->empty())
          for (auto [result, yielded] :
               llvm::zip_equal(branch.getResults(), region->front().getTerminator()->getOperands()))
            join(result, yielded);
    });
    entry.walk([&](scf::WhileOp loop) {
      for (auto [init, variable, yielded] :
           llvm::zip_equal(loop.getInits(), loop.getBeforeArguments(), loop.getYieldOp().getOperands())) {
        join(init, variable);
        join(init, yielded);
      }
      for (auto [passed, argument, result] :
           llvm::zip_equal(loop.getConditionOp().getArgs(), loop.getAfterArguments(), loop.getResults())) {
        join(passed, argument);
        join(passed, result);
      }
    });
  }

  /// Results of the function are written where the caller wants them.
  LogicalResult placeOutputs() {
    for (OpOperand &use : entry.front().getTerminator()->getOpOperands()) {
      int64_t index = use.getOperandNumber();
      auto launch = getAliasRoot(use.get()).getDefiningOp<LaunchOp>();
      if (!launch || launch->getBlock() != &entry.front() ||
          !places.try_emplace(leader(use.get()), PlaceAttr::get(entry.getContext(), PlaceKind::Output, index))
               .second)
        return use.getOwner()->emitError("result ")
               << index
               << " is not made by a launch for it alone; tfc-form-kernels inserts the copy that is missing";
    }
    return success();
  }

  /// A buffer is alive from where it is first written to where it, or a reshape of it, is last read.
  void extend(::tfc::ArenaBuffer &buffer, Value value) {
    SmallVector<Value> aliases{value};
    while (!aliases.empty()) {
      Value alias = aliases.pop_back_val();
      for (Operation *user : alias.getUsers()) {
        if (isa<ReshapeOp>(user))
          aliases.push_back(user->getResult(0));
        buffer.last = std::max(buffer.last, timeline.lastRead(user, value));
      }
    }
    Operation *owner = value.getDefiningOp() ? value.getDefiningOp() : value.getParentBlock()->getParentOp();
    buffer.first = std::min(buffer.first, timeline.begin(owner));
    // A loop's variables and results live as long as it turns.
    buffer.last =
        std::max(buffer.last, isa<scf::WhileOp>(owner) ? timeline.end(owner) : timeline.begin(owner));
  }

  void collectSlots() {
    entry.walk([&](Operation *writer) {
      if (!writesPlaces(writer))
        return;
      for (Value result : writer->getResults()) {
        Value key = leader(result);
        auto [place, isNew] =
            places.try_emplace(key, PlaceAttr::get(entry.getContext(), PlaceKind::Slot, buffers.size()));
        if (!isNew)
          continue;
        ::tfc::ArenaBuffer buffer;
        buffer.first = buffer.last = timeline.begin(writer);
        buffer.segment = timeline.segment(writer);
        for (Value member : classes.members(key)) {
          extend(buffer, member);
          // What leaves a region lies in an arena that is there behind it.
          if (Operation *owner = member.getDefiningOp())
            buffer.segment = std::min(buffer.segment, timeline.segment(owner));
        }
        sizes.push_back(getSlotBytes(result.getType()));
        buffer.nominalBytes = getNominalBytes(sizes.back());
        buffers.push_back(buffer);
      }
    });
  }

  LogicalResult setPlaces() {
    auto getPlace = [&](Value result) -> Attribute { return places.lookup(leader(result)); };
    entry.walk([&](Operation *writer) {
      if (writesPlaces(writer))
        mlir::tfc::setPlaces(writer, llvm::map_to_vector(writer->getResults(), getPlace));
    });
    return success();
  }

  func::FuncOp entry;
  Timeline timeline;
  // Used by look-up only: what comes out does not depend on the addresses of values.
  llvm::EquivalenceClasses<Value> classes;
  DenseMap<Value, PlaceAttr> places;
  std::vector<::tfc::ArenaBuffer> buffers;
  SmallVector<DimExprAttr> sizes;
};

struct PlanMemory : mlir::tfc::impl::PlanMemoryBase<PlanMemory> {
  using PlanMemoryBase::PlanMemoryBase;

  void runOnOperation() override {
    for (func::FuncOp entry : getEntryFunctions(getOperation())) {
      if (failed(checkEntry(entry)))
        return signalPassFailure();
      MemoryPlan plan(entry);
      if (failed(plan.run()))
        return signalPassFailure();
      slots += plan.getSlotCount();
    }
  }
};

} // namespace
