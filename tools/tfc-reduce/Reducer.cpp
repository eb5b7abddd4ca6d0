//===- Reducer.cpp - A smaller module that still does it ----------------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "Reducer.h"

#include "tfc/Dialect/Tfc/IR/TfcDialect.h"
#include "tfc/Dialect/Tfc/IR/VerifySymbols.h"

#include "mlir/IR/Iterators.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace mlir::tfc;

int64_t mlir::tfc::countOps(ModuleOp module) {
  int64_t count = -1; // the module itself
  module.walk([&](Operation *) { ++count; });
  return count;
}

//===----------------------------------------------------------------------------------------------===//
// Places
//===----------------------------------------------------------------------------------------------===//

/// Functions that nothing calls: their signature may change.
static SmallVector<FunctionOpInterface> getFreeFunctions(ModuleOp module) {
  SmallVector<FunctionOpInterface> functions;
  for (auto function : module.getOps<FunctionOpInterface>())
    if (!function.isExternal() && SymbolTable::symbolKnownUseEmpty(function, module))
      functions.push_back(function);
  return functions;
}

/// What can be taken out of bodies: all ops but terminators and those that hold functions.
static SmallVector<Operation *> getBodyOps(ModuleOp module) {
  SmallVector<Operation *> ops;
  module.walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (op->getParentOfType<FunctionOpInterface>() && !op->hasTrait<OpTrait::IsTerminator>())
      ops.push_back(op);
  });
  return ops;
}

static SmallVector<Operation *> getSymbols(ModuleOp module) {
  SmallVector<Operation *> symbols;
  for (Operation &op : module.getOps())
    if (isa<SymbolOpInterface>(op))
      symbols.push_back(&op);
  return symbols;
}

/// The free function and the number in it of place `place`, where each function has as many as `count` says.
static std::pair<FunctionOpInterface, size_t> findPlace(ModuleOp module, size_t place,
                                                        llvm::function_ref<size_t(FunctionOpInterface)> count) {
  for (FunctionOpInterface function : getFreeFunctions(module)) {
    if (place < count(function))
      return {function, place};
    place -= count(function);
  }
  return {nullptr, 0};
}

static size_t countPlaces(ModuleOp module, llvm::function_ref<size_t(FunctionOpInterface)> count) {
  size_t sum = 0;
  for (FunctionOpInterface function : getFreeFunctions(module))
    sum += count(function);
  return sum;
}

//===----------------------------------------------------------------------------------------------===//
// Taking
//===----------------------------------------------------------------------------------------------===//

/// Applies `change` to the number of every place of this kind that a result has in the function.
static void renumberPlaces(FunctionOpInterface function, PlaceKind kind, llvm::function_ref<int64_t(int64_t)> change) {
  function.walk([&](Operation *op) {
    auto places = op->getAttrOfType<ArrayAttr>("places");
    if (!places)
      return;
    auto changed = llvm::map_to_vector(places, [&](Attribute attribute) -> Attribute {
      auto place = dyn_cast<PlaceAttr>(attribute);
      return place && place.getKind() == kind ? PlaceAttr::get(op->getContext(), kind, change(place.getIndex())) : attribute;
    });
    op->setAttr("places", ArrayAttr::get(op->getContext(), changed));
  });
}

static size_t getResultCount(FunctionOpInterface function) { return function.getNumResults(); }

static void takeResult(ModuleOp module, size_t place) {
  auto [function, number] = findPlace(module, place, getResultCount);
  if (!function)
    return;
  for (Block &block : function.getFunctionBody())
    if (Operation *terminator = block.getTerminator(); terminator->getNumOperands() == function.getNumResults() && terminator->getNumSuccessors() == 0)
      terminator->eraseOperand(number);
  (void)function.eraseResult(number);
  // Whoever wrote this output has no place any more: the module is valid where it goes too.
  renumberPlaces(function, PlaceKind::Output, [taken = int64_t(number)](int64_t place) { return place == taken ? -1 : place - (place > taken); });
}

static size_t getArgumentCount(FunctionOpInterface function) { return function.getNumArguments(); }

static void takeArgument(ModuleOp module, size_t place) {
  auto [function, number] = findPlace(module, place, getArgumentCount);
  if (function && function.getArgument(number).use_empty())
    (void)function.eraseArgument(number);
}

/// An operand in place of a result, or a new argument of the function: the op is used no more.
static void takeOp(Operation *op, ArrayRef<FunctionOpInterface> free, bool lastOperand) {
  auto function = op->getParentOfType<FunctionOpInterface>();
  for (OpResult result : op->getResults()) {
    if (result.use_empty())
      continue;
    Value stand;
    for (Value operand : op->getOperands())
      if (operand.getType() == result.getType() && (lastOperand || !stand))
        stand = operand;
    if (!stand && llvm::is_contained(free, function)) {
      unsigned number = function.getNumArguments();
      if (succeeded(function.insertArgument(number, result.getType(), DictionaryAttr(), op->getLoc())))
        stand = function.getArgument(number);
    }
    if (!stand)
      return;
    result.replaceAllUsesWith(stand);
  }
  op->erase();
}

static void takeSymbol(ModuleOp module, Operation *op) {
  if (SymbolTable::symbolKnownUseEmpty(op, module))
    op->erase();
}

/// The slots of a memory plan; none where it is not as tfc-plan-memory makes it, which may be the fault that is looked for.
static SmallVector<SlotAttr> getSlots(FunctionOpInterface function) {
  auto list = function->getAttrOfType<ArrayAttr>("tfc.slots");
  if (!list || !llvm::all_of(list, llvm::IsaPred<SlotAttr>))
    return {};
  auto isKnown = [&](int64_t number) { return number >= 0 && number < int64_t(list.size()); };
  auto slots = llvm::to_vector(list.getAsRange<SlotAttr>());
  if (!llvm::all_of(slots, [&](SlotAttr slot) { return llvm::all_of(slot.getAbove(), isKnown); }))
    return {};
  return slots;
}

static size_t getSlotCount(FunctionOpInterface function) { return getSlots(function).size(); }

/// A slot in which nothing lies. What lies above it stays above all that it lay above.
static void takeSlot(ModuleOp module, size_t place) {
  auto [function, found] = findPlace(module, place, getSlotCount);
  if (!function)
    return;
  int64_t taken = found;
  bool isUsed = false;
  renumberPlaces(function, PlaceKind::Slot, [&](int64_t number) {
    isUsed |= number == taken;
    return number;
  });
  if (isUsed)
    return;
  auto renumber = [&](int64_t number) { return number - (number > taken); };
  SmallVector<SlotAttr> slots = getSlots(function);
  SmallVector<Attribute> left;
  for (SlotAttr slot : slots) {
    SmallVector<int64_t> above(slot.getAbove());
    if (llvm::is_contained(above, taken))
      llvm::append_range(above, slots[taken].getAbove());
    llvm::erase(above, taken);
    llvm::sort(above);
    above.erase(llvm::unique(above), above.end());
    left.push_back(SlotAttr::get(module.getContext(), slot.getBytes(), llvm::map_to_vector(above, renumber), slot.getSegment()));
  }
  left.erase(left.begin() + taken);
  function->setAttr("tfc.slots", ArrayAttr::get(module.getContext(), left));
  renumberPlaces(function, PlaceKind::Slot, renumber);
}

static void eraseDead(ModuleOp module) {
  module.walk<WalkOrder::PostOrder, ReverseIterator>([](Operation *op) {
    if (op->getParentOfType<FunctionOpInterface>() && isOpTriviallyDead(op))
      op->erase();
  });
}

//===----------------------------------------------------------------------------------------------===//
// Searching
//===----------------------------------------------------------------------------------------------===//

/// Modules behind host lowering have no symbols of dims.
static bool isValid(ModuleOp module) {
  ScopedDiagnosticHandler quiet(module.getContext(), [](Diagnostic &) { return success(); });
  if (failed(verify(module)))
    return false;
  return llvm::all_of(module.getOps<FunctionOpInterface>(), [](FunctionOpInterface function) { return succeeded(verifySymbols(function)); });
}

bool Reducer::accept(OwningOpRef<ModuleOp> candidate) {
  eraseDead(*candidate);
  if (OperationEquivalence::isEquivalentTo(*candidate, *best, OperationEquivalence::IgnoreLocations) || !isValid(*candidate))
    return false;
  ++tests;
  if (!isInteresting(*candidate))
    return false;
  best = std::move(candidate);
  return true;
}

bool Reducer::reduce(const Kind &kind) {
  bool changed = false;
  for (size_t size = std::max<size_t>(1, kind.count(*best));; size /= 2) {
    for (size_t last = kind.count(*best); last > 0;) {
      size_t first = last > size ? last - size : 0;
      OwningOpRef<ModuleOp> candidate = best->clone();
      kind.take(*candidate, first, last);
      changed |= accept(std::move(candidate));
      last = std::min(first, kind.count(*best));
    }
    if (size == 1)
      return changed;
  }
}

void Reducer::run() {
  auto takeEach = [](auto takeOne) {
    return [takeOne](ModuleOp module, size_t first, size_t last) {
      for (size_t place = last; place-- > first;)
        takeOne(module, place);
    };
  };
  auto takeResults = takeEach(takeResult), takeArguments = takeEach(takeArgument), takeSlots = takeEach(takeSlot);
  bool lastOperand = false;
  auto takeOps = [&](ModuleOp module, size_t first, size_t last) {
    SmallVector<Operation *> ops = getBodyOps(module);
    SmallVector<FunctionOpInterface> free = getFreeFunctions(module);
    // From the last on: an op goes before those that hold it, or that it uses.
    for (size_t place = std::min(last, ops.size()); place-- > first;)
      takeOp(ops[place], free, lastOperand);
  };
  auto takeSymbols = [](ModuleOp module, size_t first, size_t last) {
    SmallVector<Operation *> symbols = getSymbols(module);
    for (size_t place = std::min(last, symbols.size()); place-- > first;)
      takeSymbol(module, symbols[place]);
  };
  auto countResults = [](ModuleOp module) { return countPlaces(module, getResultCount); };
  auto countArguments = [](ModuleOp module) { return countPlaces(module, getArgumentCount); };
  auto countSlots = [](ModuleOp module) { return countPlaces(module, getSlotCount); };
  auto countBodyOps = [](ModuleOp module) { return getBodyOps(module).size(); };
  auto countSymbols = [](ModuleOp module) { return getSymbols(module).size(); };
  for (bool changed = true; changed;) {
    changed = reduce({countResults, takeResults});
    for (bool last : {false, true}) {
      lastOperand = last;
      changed |= reduce({countBodyOps, takeOps});
    }
    changed |= reduce({countSymbols, takeSymbols});
    changed |= reduce({countArguments, takeArguments});
    changed |= reduce({countSlots, takeSlots});
  }
}
