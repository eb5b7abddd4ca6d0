//===- EntryDescription.h - What the descriptor says of an entry -*- C++ -*- ------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_CODEGEN_COMMON_ENTRYDESCRIPTION_H
#define TFC_CODEGEN_COMMON_ENTRYDESCRIPTION_H

#include "tfc/Codegen/Common/ValueTable.h"
#include "tfc/Dialect/Tfc/IR/TfcOps.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::tfc {

/// Collects the entry dictionary of docs/RuntimeABI.md from a planned entry function, and numbers what the
/// host program refers to by number.
class EntryDescription {
public:
  /// `kernels` are all kernels of the module: the artifact has one list for all entries.
  EntryDescription(func::FuncOp entry, ArrayRef<func::FuncOp> kernels);

  /// Reads the whole entry; diagnoses what is missing.
  LogicalResult build();

  /// The dictionary, with the host program's name.
  DictionaryAttr getDictionary(StringRef runFunction);

  // Numbers for the host program, valid after `build`.
  int64_t getLaunchNumber(LaunchOp launch) const { return launchNumbers.lookup(launch); }
  int64_t getBindNumber(BindOp bind) const { return bindNumbers.lookup(bind); }
  /// The numbers of the values of a launch's symbols.
  SmallVector<int64_t> getSymbolValues(LaunchOp launch);
  /// The numbers of the values of a type's dims.
  SmallVector<int64_t> addDims(Type type);
  /// The number of the value that is a slot's offset in its arena.
  int64_t getSlotOffset(int64_t slot) const { return slotOffsets[slot]; }
  SlotAttr getSlot(int64_t slot) const { return slots[slot]; }
  size_t getSlotCount() const { return slots.size(); }

private:
  void addSymbols();
  LogicalResult addPorts();
  LogicalResult addLaunch(LaunchOp launch);
  /// The attribute with every expression in it replaced by the number of its value in the entry.
  Attribute numberExprs(Attribute attribute, function_ref<DimExprAttr(StringAttr)> toMain);
  /// The launches and inputs that a launch's operand comes from, through reshapes and the results of regions.
  void collectSources(Value value, llvm::SmallSetVector<int64_t, 4> &sources);
  LogicalResult addSlots();
  void addRequirements();
  StringRef getTensorName(Value value);
  /// Name, type and dims of the tensors that a launch reads or makes; null where the descriptor cannot say one of them.
  ArrayAttr describeTensors(ValueRange tensors);
  DictionaryAttr makeDictionary(ArrayRef<std::pair<StringRef, Attribute>> fields);

  func::FuncOp entry;
  Builder builder;
  ValueTable values;
  DenseMap<StringAttr, int64_t> kernelNumbers;
  SmallVector<func::FuncOp> kernels;
  SmallVector<SlotAttr> slots;
  SmallVector<int64_t> slotOffsets, arenaBytes;
  DenseMap<Operation *, int64_t> launchNumbers, bindNumbers;
  SmallVector<Attribute> symbols, inputs, outputs, requirements, launches, binds;
  DenseMap<StringAttr, int64_t> symbolNumbers;
  DenseMap<Value, StringRef> tensorNames;
  int64_t fetches = 0; ///< Places of the host program that read what kernels made: conditions and binds.
};

} // namespace mlir::tfc

#endif // TFC_CODEGEN_COMMON_ENTRYDESCRIPTION_H
