//===- EntryDescription.cpp - What the descriptor says of an entry ----------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Codegen/Common/EntryDescription.h"
#include "tfc/Codegen/Common/EntryFunctions.h"
#include "tfc/Codegen/Common/InPlace.h"
#include "tfc/Codegen/Common/NodeNames.h"

#include "tfc-c/ModelABI.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <limits>

using namespace mlir;
using namespace mlir::tfc;

EntryDescription::EntryDescription(func::FuncOp entry, ArrayRef<func::FuncOp> kernels)
    : entry(entry), builder(entry.getContext()), values(entry.getContext()), kernels(kernels) {
  for (auto [number, kernel] : llvm::enumerate(this->kernels))
    kernelNumbers[kernel.getSymNameAttr()] = number;
}

DictionaryAttr EntryDescription::makeDictionary(ArrayRef<std::pair<StringRef, Attribute>> fields) {
  Builder maker(entry.getContext());
  return maker.getDictionaryAttr(llvm::map_to_vector(
      fields, [&](const auto &field) { return maker.getNamedAttr(field.first, field.second); }));
}

//===----------------------------------------------------------------------------------------------===//
// Symbols and ports
//===----------------------------------------------------------------------------------------------===//

void EntryDescription::addSymbols() {
  auto ranges = entry->getAttrOfType<DictionaryAttr>("tfc.symbol_ranges");
  auto declare = [&](StringAttr name, int64_t bornIn, TfcSymbolKind kind = TFC_SYMBOL_SIZE) {
    symbolNumbers[name] = symbols.size();
    values.declareSymbol(name, bornIn);
    auto range = ranges ? ranges.getAs<DenseI64ArrayAttr>(name) : DenseI64ArrayAttr();
    bool isRange = range && range.size() == 2;
    int64_t least = isRange ? range[0] : 0,
            greatest = isRange ? range[1] : std::numeric_limits<int64_t>::max();
    SmallVector<std::pair<StringRef, Attribute>> fields = {{"name", name},
                                                           {"min", builder.getI64IntegerAttr(least)},
                                                           {"max", builder.getI64IntegerAttr(greatest)},
                                                           {"born_in", builder.getI64IntegerAttr(bornIn)}};
    if (kind != TFC_SYMBOL_SIZE)
      fields.push_back({"kind", builder.getI64IntegerAttr(kind)});
    symbols.push_back(makeDictionary(fields));
  };
  llvm::SetVector<StringAttr> bound;
  for (Type type : entry.getArgumentTypes())
    for (DimExprAttr dim : getDims(type))
      dim.collectSymbols(bound);
  for (StringAttr name : bound)
    declare(name, 0);
  for (unsigned result = 0; result < entry.getNumResults(); ++result)
    if (StringAttr room = entry.getResultAttrOfType<StringAttr>(result, kRoomAttr); room && !symbolNumbers.contains(room))
      declare(room, 0, TFC_SYMBOL_ROOM);
  entry.walk([&](BindOp bind) {
    int64_t number = binds.size();
    bindNumbers[bind] = number;
    SmallVector<int64_t> numbers;
    for (auto name : bind.getSymbols().getAsRange<StringAttr>()) {
      numbers.push_back(symbols.size());
      declare(name, number + 1);
    }
    binds.push_back(makeDictionary({{"symbols", builder.getDenseI64ArrayAttr(numbers)},
                                    {"node", builder.getStringAttr(getNodeText(bind.getLoc()))}}));
  });
}

SmallVector<int64_t> EntryDescription::addDims(Type type) {
  return llvm::map_to_vector(getDims(type), [&](DimExprAttr dim) { return values.add(dim); });
}

/// The type that the descriptor can say: dims stand beside it as values.
static TypeAttr getPlainType(Type type) {
  auto tensor = cast<RankedTensorType>(type);
  return TypeAttr::get(RankedTensorType::get(tensor.getShape(), tensor.getElementType()));
}

LogicalResult EntryDescription::addPorts() {
  auto nameOf = [&](DictionaryAttr attributes, StringRef kind, int64_t index) {
    auto name = attributes ? attributes.getAs<StringAttr>("tfc.name") : StringAttr();
    return name ? name : builder.getStringAttr(kind + Twine(index));
  };
  DenseMap<StringAttr, int64_t> inputNumbers;
  for (auto [index, type] : llvm::enumerate(entry.getArgumentTypes())) {
    StringAttr name = nameOf(entry.getArgAttrDict(index), "input", index);
    if (!inputNumbers.try_emplace(name, index).second)
      return entry.emitError("two inputs have the name '") << name.getValue() << "'";
    auto hint = entry.getArgAttrOfType<IntegerAttr>(index, "tfc.hint");
    auto bound = entry.getArgAttrOfType<DimExprAttr>(index, "tfc.hint_bound");
    inputs.push_back(
        makeDictionary({{"name", name},
                        {"type", getPlainType(type)},
                        {"dims", builder.getDenseI64ArrayAttr(addDims(type))},
                        {"hint", builder.getI64IntegerAttr(hint ? hint.getInt() : 0)},
                        {"hint_bound", builder.getI64IntegerAttr(bound ? values.add(bound) : 0)}}));
  }
  for (auto [index, type] : llvm::enumerate(entry.getResultTypes())) {
    int64_t alias = -1;
    if (auto name = entry.getResultAttrOfType<StringAttr>(index, "tfc.alias")) {
      auto found = inputNumbers.find(name);
      if (found == inputNumbers.end())
        return entry.emitError("result ")
               << index << " is an alias of '" << name.getValue() << "', which is no input";
      alias = found->second;
    }
    SmallVector<std::pair<StringRef, Attribute>> fields = {
        {"name", nameOf(entry.getResultAttrDict(index), "output", index)},
        {"type", getPlainType(type)},
        {"dims", builder.getDenseI64ArrayAttr(addDims(type))},
        {"alias", builder.getI64IntegerAttr(alias)}};
    if (auto room = entry.getResultAttrOfType<StringAttr>(index, kRoomAttr)) {
      fields.push_back({"room", builder.getI64IntegerAttr(symbolNumbers.lookup(room) + 1)});
      fields.push_back({"room_axis", entry.getResultAttr(index, kRoomAxisAttr)});
    }
    outputs.push_back(makeDictionary(fields));
  }
  return success();
}

//===----------------------------------------------------------------------------------------------===//
// Requirements and launches
//===----------------------------------------------------------------------------------------------===//

void EntryDescription::addRequirements() {
  entry.walk([&](RequireOp op) {
    requirements.push_back(makeDictionary({{"kind", builder.getI64IntegerAttr(int64_t(op.getKind()))},
                                           {"lhs", builder.getI64IntegerAttr(values.add(op.getLhs()))},
                                           {"rhs", builder.getI64IntegerAttr(values.add(op.getRhs()))},
                                           {"node", builder.getStringAttr(getNodeText(op.getLoc()))}}));
  });
}

SmallVector<int64_t> EntryDescription::getSymbolValues(LaunchOp launch) {
  return llvm::map_to_vector(launch.getSymbols().getAsRange<DimExprAttr>(),
                             [&](DimExprAttr expr) { return values.add(expr); });
}

void EntryDescription::collectSources(Value value, llvm::SmallSetVector<int64_t, 4> &sources) {
  // Regions hand the same value on by many ways, and views stand on views: each value is looked at once.
  llvm::SetVector<Value> reached;
  reached.insert(value);
  for (size_t next = 0; next < reached.size(); ++next) {
    Value value = reached[next];
    if (auto argument = dyn_cast<BlockArgument>(value)) {
      if (argument.getOwner() == &entry.front())
        sources.insert(-1 - int64_t(argument.getArgNumber()));
      continue;
    }
    Operation *op = value.getDefiningOp();
    if (auto launch = dyn_cast<LaunchOp>(op)) {
      // The launches of a loop's next round are not numbered yet.
      if (auto found = launchNumbers.find(launch); found != launchNumbers.end())
        sources.insert(found->second);
      continue;
    }
    if (isa<ReshapeOp, ExternCallOp>(op))
      reached.insert(op->operand_begin(), op->operand_end());
    unsigned number = cast<OpResult>(value).getResultNumber();
    for (Region &region : op->getRegions())
      if (!region.empty() && region.back().mightHaveTerminator())
        if (OperandRange yielded = region.back().getTerminator()->getOperands(); yielded.size() == op->getNumResults())
          reached.insert(yielded[number]);
  }
}

/// Whether a launch that reads the tensor goes on with the node that made it. A Gemm is a product and a sum: where they stand in
/// different kernels, the product alone is nothing that the graph has a name for.
static bool isUnfinished(Value tensor, StringRef node) {
  SmallVector<StringRef> merged;
  node.split(merged, '+');
  auto isOfNode = [&](Attribute name) {
    StringRef other = cast<StringAttr>(name).getValue();
    return other == node || llvm::is_contained(merged, other);
  };
  SmallVector<Value> views{tensor};
  while (!views.empty())
    for (Operation *user : views.pop_back_val().getUsers()) {
      if (isa<ReshapeOp>(user))
        views.push_back(user->getResult(0));
      else if (auto launch = dyn_cast<LaunchOp>(user); launch && llvm::any_of(launch.getNodes(), isOfNode))
        return true;
    }
  return false;
}

/// What the graph calls a tensor: the node that made it, the input or the weight.
static StringRef findTensorName(Value value) {
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    auto function = dyn_cast<func::FuncOp>(argument.getOwner()->getParentOp());
    auto name = function ? function.getArgAttrOfType<StringAttr>(argument.getArgNumber(), "tfc.name") : StringAttr();
    return name ? name.getValue() : "";
  }
  if (auto launch = value.getDefiningOp<LaunchOp>()) {
    StringRef node = getResultNode(launch, cast<OpResult>(value).getResultNumber());
    return isUnfinished(value, node) ? "" : node;
  }
  if (auto weight = value.getDefiningOp<WeightRefOp>())
    return weight.getWeight();
  return "";
}

StringRef EntryDescription::getTensorName(Value value) {
  value = getAliasRoot(value);
  auto [place, isNew] = tensorNames.try_emplace(value);
  if (isNew)
    place->second = findTensorName(value);
  return place->second;
}

ArrayAttr EntryDescription::describeTensors(ValueRange tensors) {
  SmallVector<Attribute> described;
  for (Value tensor : tensors) {
    if (cast<RankedTensorType>(tensor.getType()).getRank() > TFC_MAX_RANK)
      return {};
    described.push_back(makeDictionary({{"name", builder.getStringAttr(getTensorName(tensor))},
                                        {"type", getPlainType(tensor.getType())},
                                        {"dims", builder.getDenseI64ArrayAttr(addDims(tensor.getType()))}}));
  }
  return builder.getArrayAttr(described);
}

Attribute EntryDescription::numberExprs(Attribute attribute, function_ref<DimExprAttr(StringAttr)> toMain) {
  if (auto expr = dyn_cast<DimExprAttr>(attribute))
    return builder.getI64IntegerAttr(values.add(expr.substitute(toMain)));
  if (auto array = dyn_cast<ArrayAttr>(attribute))
    return builder.getArrayAttr(
        llvm::map_to_vector(array, [&](Attribute element) { return numberExprs(element, toMain); }));
  if (auto dictionary = dyn_cast<DictionaryAttr>(attribute))
    return builder.getDictionaryAttr(llvm::map_to_vector(dictionary, [&](NamedAttribute field) {
      return builder.getNamedAttr(field.getName(), numberExprs(field.getValue(), toMain));
    }));
  return attribute;
}

LogicalResult EntryDescription::addLaunch(LaunchOp launch) {
  auto found = kernelNumbers.find(launch.getKernelAttr().getAttr());
  if (found == kernelNumbers.end())
    return launch.emitError("'") << launch.getKernel() << "' is not a kernel of this module";
  func::FuncOp kernel = kernels[found->second];
  auto names = kernel->getAttrOfType<ArrayAttr>("tfc.symbols");
  if (!names || names.size() != launch.getSymbols().size())
    return launch.emitError("gives ")
           << launch.getSymbols().size() << " symbols, its kernel has " << (names ? names.size() : 0);
  auto toMain = [&](StringAttr local) -> DimExprAttr {
    auto place = llvm::find(names, local);
    return place == names.end() ? DimExprAttr()
                                : cast<DimExprAttr>(launch.getSymbols()[place - names.begin()]);
  };
  SmallVector<std::pair<StringRef, Attribute>> fields;
  fields.push_back({"kernel", builder.getI64IntegerAttr(found->second)});
  for (StringRef key : {"tiles", "scratch", "flops", "bytes"}) {
    auto expr = kernel->getAttrOfType<DimExprAttr>(("tfc." + key).str());
    if (!expr)
      return launch.emitError("kernel '") << launch.getKernel() << "' has no tfc." << key
                                          << "; tfc-form-kernels and tfc-generate-kernels set it";
    fields.push_back({key, builder.getI64IntegerAttr(values.add(expr.substitute(toMain)))});
  }
  // What a kernel is on a device is said in its own symbols, too.
  if (Attribute steps = kernel->getAttr("tfc.steps")) {
    auto workspace = kernel->getAttrOfType<DimExprAttr>("tfc.workspace");
    if (!workspace)
      return launch.emitError("kernel '") << launch.getKernel() << "' has tfc.steps, but no tfc.workspace";
    fields.push_back({"steps", numberExprs(steps, toMain)});
    fields.push_back({"workspace", builder.getI64IntegerAttr(values.add(workspace.substitute(toMain)))});
    fields.push_back({"words", builder.getI64IntegerAttr(launch.getInputs().size() + launch.getOutputs().size() +
                                                         launch.getSymbols().size())});
  }
  fields.push_back({"nodes", launch.getNodes()});
  fields.push_back({"checks", launch.getChecks() ? *launch.getChecks() : builder.getArrayAttr({})});
  llvm::SmallSetVector<int64_t, 4> sources;
  for (Value input : launch.getInputs())
    collectSources(input, sources);
  fields.push_back({"sources", builder.getDenseI64ArrayAttr(sources.getArrayRef())});
  ArrayAttr operands = describeTensors(launch.getInputs()), results = describeTensors(launch.getOutputs());
  if (operands && results) {
    fields.push_back({"operands", operands});
    fields.push_back({"results", results});
  }
  launchNumbers[launch] = launches.size();
  launches.push_back(makeDictionary(fields));
  getSymbolValues(launch);
  return success();
}

//===----------------------------------------------------------------------------------------------===//
// Slots
//===----------------------------------------------------------------------------------------------===//

/// Offsets from sizes: the largest end below. A slot is numbered after those it lies above, whatever the
/// order of the list; what then is left lies in a circle.
LogicalResult EntryDescription::addSlots() {
  arenaBytes.assign(binds.size() + 1, 0);
  auto list = entry->getAttrOfType<ArrayAttr>("tfc.slots");
  if (!list)
    return entry.emitError("has no tfc.slots; run tfc-plan-memory first");
  for (Attribute attribute : list) {
    auto slot = dyn_cast<SlotAttr>(attribute);
    if (!slot || slot.getSegment() < 0 || slot.getSegment() > int64_t(binds.size()))
      return entry.emitError("tfc.slots holds ") << attribute << ", which is no slot of one of its segments";
    slots.push_back(slot);
  }
  auto isSlot = [&](int64_t number) { return number >= 0 && number < int64_t(slots.size()); };
  SmallVector<int64_t> waiting(slots.size()), ready, ends(slots.size());
  SmallVector<SmallVector<int64_t>> higher(slots.size());
  for (auto [number, slot] : llvm::enumerate(slots)) {
    for (int64_t lower : slot.getAbove()) {
      if (!isSlot(lower) || slots[lower].getSegment() != slot.getSegment())
        return entry.emitError("slot ")
               << number << " lies above " << lower << ", which is no slot of its segment";
      higher[lower].push_back(number);
    }
    waiting[number] = slot.getAbove().size();
    if (waiting[number] == 0)
      ready.push_back(number);
  }
  slotOffsets.assign(slots.size(), 0);
  SmallVector<SmallVector<int64_t>> highest(binds.size() + 1);
  for (size_t done = 0; done < ready.size(); ++done) {
    int64_t number = ready[done];
    SmallVector<int64_t> lowerEnds;
    for (int64_t lower : slots[number].getAbove())
      lowerEnds.push_back(ends[lower]);
    slotOffsets[number] = values.addLargest(lowerEnds);
    int64_t size = values.add(slots[number].getBytes());
    ends[number] = values.add(values.getReference(slotOffsets[number]) + values.getReference(size));
    // What lies below another slot is no higher than that one.
    if (higher[number].empty())
      highest[slots[number].getSegment()].push_back(ends[number]);
    for (int64_t next : higher[number])
      if (--waiting[next] == 0)
        ready.push_back(next);
  }
  if (ready.size() != slots.size())
    return entry.emitError("slots lie above each other in a circle");
  for (auto [number, candidates] : llvm::zip_equal(arenaBytes, highest))
    number = values.addLargest(candidates);
  return success();
}

//===----------------------------------------------------------------------------------------------===//
// All of it
//===----------------------------------------------------------------------------------------------===//

LogicalResult EntryDescription::build() {
  addSymbols();
  if (failed(addPorts()))
    return failure();
  addRequirements();
  WalkResult result = entry.walk([&](LaunchOp launch) {
    return failed(addLaunch(launch)) ? WalkResult::interrupt() : WalkResult::advance();
  });
  entry.walk([&](ExternCallOp call) {
    for (ValueRange tensors : {ValueRange(call.getInputs()), ValueRange(call.getOutputs())})
      for (Value tensor : tensors)
        addDims(tensor.getType());
  });
  if (result.wasInterrupted() || failed(addSlots()))
    return failure();
  entry.walk([&](tensor::ExtractOp) { ++fetches; });
  fetches += binds.size();
  if (StringAttr symbol = values.getUndeclaredSymbol())
    return entry.emitError("symbol '") << symbol.getValue() << "' is bound by no input and no tfc.bind";
  return success();
}

DictionaryAttr EntryDescription::getDictionary(StringRef runFunction) {
  Builder maker(entry.getContext());
  auto reference = [&](StringRef name) -> Attribute {
    return FlatSymbolRefAttr::get(entry.getContext(), name);
  };
  SmallVector<Attribute> exprs(values.getValues().begin(), values.getValues().end());
  SmallVector<Attribute> kernelList;
  for (func::FuncOp kernel : kernels)
    kernelList.push_back(reference(kernel.getSymName()));
  SmallVector<std::pair<StringRef, Attribute>> fields({{"run", reference(runFunction)},
                         {"symbols", maker.getArrayAttr(symbols)},
                         {"values", maker.getArrayAttr(exprs)},
                         {"value_segments", maker.getDenseI64ArrayAttr(values.getSegments())},
                         {"inputs", maker.getArrayAttr(inputs)},
                         {"outputs", maker.getArrayAttr(outputs)},
                         {"requirements", maker.getArrayAttr(requirements)},
                         {"kernels", maker.getArrayAttr(kernelList)},
                         {"launches", maker.getArrayAttr(launches)},
                         {"binds", maker.getArrayAttr(binds)},
                         {"arena_bytes", maker.getDenseI64ArrayAttr(arenaBytes)}});
  if (entry->getParentOfType<ModuleOp>()->hasAttr("tfc.device"))
    fields.push_back({"fetches", maker.getI64IntegerAttr(fetches)});
  return makeDictionary(fields);
}
