//===- GrowInPlace.cpp - Results that are an argument with rows behind it -------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// Nothing is known at compile time of how a caller keeps its cache. So the kernels that read or write one get
// the rows that its buffer has room for as one more symbol, and where the caller keeps past and present apart
// that symbol is 0. docs/design/20261122-in-place.md says why it is done this way.
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Codegen/CPU/Passes.h"
#include "tfc/Codegen/Common/EntryFunctions.h"
#include "tfc/Codegen/Common/InPlace.h"
#include "tfc/Codegen/Common/KernelWork.h"
#include "tfc/Codegen/Common/LocalSymbols.h"
#include "tfc/Dialect/Tfc/IR/TfcOps.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringSet.h"

namespace mlir::tfc {
#define GEN_PASS_DEF_GROWINPLACE
#include "tfc/Codegen/CPU/Passes.h.inc"
} // namespace mlir::tfc

using namespace mlir;
using namespace mlir::tfc;

namespace {

/// Result `result` of the entry is argument `argument` with rows behind it, along `axis`.
struct Growth {
  BlockArgument argument;
  LaunchOp launch;
  unsigned result, operand;
  int64_t axis;
};

/// An operand of a launch, or counted behind those a result, that lies in a buffer with room.
struct Port {
  unsigned number;
  int64_t axis;
  StringAttr room;
};

class EntryGrowth {
public:
  EntryGrowth(func::FuncOp entry, SymbolTable &symbols) : entry(entry), symbols(symbols) {}

  size_t run() {
    for (OpOperand &returned : entry.front().getTerminator()->getOpOperands())
      if (std::optional<Growth> growth = match(returned))
        growths.push_back(*growth);
    for (const Growth &growth : growths)
      mark(growth);
    for (auto &[launch, ports] : touched)
      specialize(cast<LaunchOp>(launch), ports);
    return growths.size();
  }

private:
  std::optional<Growth> match(OpOperand &returned);
  bool isRead(Value value, const OpOperand *returned);
  bool isKnownAtStart(ArrayRef<DimExprAttr> dims);
  StringAttr roomOf(DimExprAttr rows);
  void mark(Growth growth);
  void specialize(LaunchOp launch, ArrayRef<Port> ports);
  func::FuncOp makeVariant(func::FuncOp kernel, ArrayRef<Port> ports, ArrayRef<StringAttr> rooms);

  func::FuncOp entry;
  SymbolTable &symbols;
  SmallVector<Growth> growths;
  llvm::MapVector<Operation *, SmallVector<Port>> touched;
  /// Outputs of the same length share a symbol: buffers of one cache have the same room.
  llvm::MapVector<DimExprAttr, StringAttr> rooms;
  llvm::StringMap<func::FuncOp> variants;
};

} // namespace

/// The concat that is all the kernel does, but for views of what it reads.
static ConcatOp findAppend(func::FuncOp kernel) {
  Operation *terminator = kernel.front().getTerminator();
  auto concat = terminator->getNumOperands() == 1 ? terminator->getOperand(0).getDefiningOp<ConcatOp>() : ConcatOp();
  for (Operation &op : kernel.front().without_terminator())
    if (&op != concat && !isa<TransposeOp, SliceOp>(op))
      return {};
  return concat && concat.getInputs().size() == 2 ? concat : ConcatOp();
}

/// Whether launches alone read the value, each as it lies: a reshape would have to know of the room.
bool EntryGrowth::isRead(Value value, const OpOperand *returned) {
  return llvm::all_of(value.getUses(),
                      [&](OpOperand &use) { return &use == returned || isa<LaunchOp>(use.getOwner()); });
}

/// Room is measured before the run, which must know by then how long the output becomes.
bool EntryGrowth::isKnownAtStart(ArrayRef<DimExprAttr> dims) {
  llvm::SetVector<StringAttr> used;
  for (DimExprAttr dim : dims)
    dim.collectSymbols(used);
  bool isBorn = false;
  entry.walk([&](BindOp bind) {
    isBorn |= llvm::any_of(bind.getSymbols(), [&](Attribute name) { return used.contains(cast<StringAttr>(name)); });
  });
  return !isBorn;
}

std::optional<Growth> EntryGrowth::match(OpOperand &returned) {
  auto launch = returned.get().getDefiningOp<LaunchOp>();
  auto kernel = launch ? symbols.lookup<func::FuncOp>(launch.getKernel()) : func::FuncOp();
  if (!kernel || launch->getBlock() != &entry.front() || kernel->hasAttr("tfc.plain"))
    return std::nullopt;
  ConcatOp concat = findAppend(kernel);
  auto past = concat ? dyn_cast<BlockArgument>(concat.getInputs()[0]) : BlockArgument();
  auto argument = past ? dyn_cast<BlockArgument>(launch.getInputs()[past.getArgNumber()]) : BlockArgument();
  if (!argument || argument.getOwner() != &entry.front())
    return std::nullopt;
  Type element = cast<RankedTensorType>(argument.getType()).getElementType();
  if (!element.isIntOrFloat() || element.getIntOrFloatBitWidth() % 8 != 0)
    return std::nullopt;
  auto alias = entry.getResultAttrOfType<StringAttr>(returned.getOperandNumber(), "tfc.alias");
  if (alias && alias != entry.getArgAttrOfType<StringAttr>(argument.getArgNumber(), "tfc.name"))
    return std::nullopt;
  bool isTaken = llvm::any_of(growths, [&](const Growth &other) { return other.argument == argument; });
  if (isTaken || !isRead(returned.get(), &returned) || !isRead(argument, nullptr) ||
      !isKnownAtStart(getDims(returned.get())))
    return std::nullopt;
  return Growth{argument, launch, returned.getOperandNumber(), past.getArgNumber(), int64_t(concat.getAxis())};
}

StringAttr EntryGrowth::roomOf(DimExprAttr rows) {
  auto [place, isNew] = rooms.try_emplace(rows);
  if (isNew) {
    llvm::SetVector<StringAttr> used;
    for (Type type : entry.getArgumentTypes())
      for (DimExprAttr dim : getDims(type))
        dim.collectSymbols(used);
    entry.walk([&](BindOp bind) {
      for (Attribute name : bind.getSymbols())
        used.insert(cast<StringAttr>(name));
    });
    for (const auto &[other, room] : rooms)
      used.insert(room);
    unsigned number = 0;
    do
      place->second = StringAttr::get(entry.getContext(), "room" + (number ? Twine(number) : Twine()));
    while (++number && used.contains(place->second));
  }
  return place->second;
}

void EntryGrowth::mark(Growth growth) {
  Builder builder(entry.getContext());
  Value made = growth.launch->getResult(0);
  StringAttr room = roomOf(getDims(made)[growth.axis]);
  if (auto name = entry.getArgAttrOfType<StringAttr>(growth.argument.getArgNumber(), "tfc.name"))
    entry.setResultAttr(growth.result, "tfc.alias", name);
  entry.setResultAttr(growth.result, kRoomAttr, room);
  entry.setResultAttr(growth.result, kRoomAxisAttr, builder.getI64IntegerAttr(growth.axis));
  touched[growth.launch].push_back({unsigned(growth.launch.getInputs().size()), growth.axis, room});
  for (Value value : {made, Value(growth.argument)})
    for (OpOperand &use : value.getUses())
      if (isa<LaunchOp>(use.getOwner()))
        touched[use.getOwner()].push_back({use.getOperandNumber(), growth.axis, room});
}

/// The kernel over one more symbol per room.
func::FuncOp EntryGrowth::makeVariant(func::FuncOp kernel, ArrayRef<Port> ports, ArrayRef<StringAttr> rooms) {
  MLIRContext *context = kernel.getContext();
  func::FuncOp variant = kernel.clone();
  variant.setName((kernel.getName() + "_in_place").str());
  symbols.insert(variant, std::next(kernel->getIterator()));
  auto names = llvm::to_vector(kernel->getAttrOfType<ArrayAttr>("tfc.symbols"));
  size_t known = names.size(), inputs = kernel.getNumArguments();
  for (size_t i = 0; i < rooms.size(); ++i)
    names.push_back(StringAttr::get(context, getLocalSymbolName(known + i)));
  variant->setAttr("tfc.symbols", ArrayAttr::get(context, names));
  auto localRoom = [&](StringAttr room) {
    return DimExprAttr::symbol(context, getLocalSymbolName(known + (llvm::find(rooms, room) - rooms.begin())));
  };
  for (const Port &port : ports) {
    bool isInput = port.number < inputs;
    SmallVector<DimExprAttr> dims =
        getDims(isInput ? variant.getArgumentTypes()[port.number] : variant.getResultTypes()[port.number - inputs]);
    dims[port.axis] = dims[port.axis].max(localRoom(port.room));
    auto layout = DimsAttr::get(context, dims);
    if (isInput)
      variant.setArgAttr(port.number, kLayoutAttr, layout);
    else
      variant.setResultAttr(port.number - inputs, kLayoutAttr, layout);
  }
  auto result = llvm::find_if(ports, [&](const Port &port) { return port.number >= inputs; });
  if (result == ports.end())
    return variant;
  // The kernel that appends: how many rows it has to copy, and what that does to the bytes it moves.
  ConcatOp concat = findAppend(variant);
  SmallVector<DimExprAttr> made = getDims(concat.getY());
  DimExprAttr past = getDims(concat.getInputs()[0])[concat.getAxis()], one = DimExprAttr::constant(context, 1);
  DimExprAttr moved = past * (one - localRoom(result->room).min(one));
  DimExprAttr bytes = (made[concat.getAxis()] - past + moved) *
                      (2 * getElementBytes(cast<RankedTensorType>(concat.getY().getType()).getElementType()));
  for (auto [i, dim] : llvm::enumerate(made))
    if (int64_t(i) != int64_t(concat.getAxis()))
      bytes = bytes * dim;
  variant->setAttr(kMovedRowsAttr, moved);
  variant->setAttr("tfc.bytes", bytes);
  return variant;
}

void EntryGrowth::specialize(LaunchOp launch, ArrayRef<Port> ports) {
  llvm::SetVector<StringAttr> used;
  for (const Port &port : ports)
    used.insert(port.room);
  std::string key = launch.getKernel().str();
  for (const Port &port : ports)
    key += ("," + Twine(port.number) + ":" + Twine(port.axis) + ":" +
            Twine(llvm::find(used, port.room) - used.begin()))
               .str();
  func::FuncOp &variant = variants[key];
  auto kernel = symbols.lookup<func::FuncOp>(launch.getKernel());
  if (!variant)
    variant = makeVariant(kernel, ports, used.getArrayRef());
  SmallVector<Attribute> values = llvm::to_vector(launch.getSymbols());
  for (StringAttr room : used)
    values.push_back(DimExprAttr::symbol(entry.getContext(), room.getValue()));
  launch.setSymbolsAttr(ArrayAttr::get(entry.getContext(), values));
  launch.setKernel(variant.getName());
}

namespace {
struct GrowInPlace : mlir::tfc::impl::GrowInPlaceBase<GrowInPlace> {
  void runOnOperation() override {
    SymbolTable symbols(getOperation());
    size_t count = 0;
    for (func::FuncOp entry : getEntryFunctions(getOperation())) {
      if (failed(checkEntry(entry)))
        return signalPassFailure();
      count += EntryGrowth(entry, symbols).run();
    }
    if (count)
      eraseUnusedKernels();
    grown += count;
  }

  void eraseUnusedKernels() {
    llvm::StringSet<> used;
    getOperation().walk([&](LaunchOp launch) { used.insert(launch.getKernel()); });
    for (func::FuncOp kernel : getKernels(getOperation()))
      if (!used.contains(kernel.getName()))
        kernel.erase();
  }
};
} // namespace
