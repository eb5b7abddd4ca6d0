//===- GpuKernel.cpp - What a kernel becomes on a GPU --------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Codegen/GPU/GpuKernel.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mlir::tfc;

static ArrayAttr toArray(MLIRContext *context, ArrayRef<DimExprAttr> exprs) {
  return ArrayAttr::get(context, SmallVector<Attribute>(exprs.begin(), exprs.end()));
}

/// The driver takes no extent and no stride of 0. A product over no elements has such tensors all the same, and reads nothing of them; where
/// only the run knows of a 0, the generator sees to it or the grid is empty.
static ArrayAttr toArrayOfAtLeast(MLIRContext *context, ArrayRef<DimExprAttr> exprs, int64_t least) {
  return toArray(context, llvm::map_to_vector(exprs, [&](DimExprAttr expr) {
                   return expr.getConstant() ? expr.max(DimExprAttr::constant(context, least)) : expr;
                 }));
}

static DictionaryAttr toAttribute(Builder &b, const GpuTensorMap &map) {
  return b.getDictionaryAttr({b.getNamedAttr("pointer", b.getI64IntegerAttr(map.pointer)),
                              b.getNamedAttr("element", TypeAttr::get(map.elementType)),
                              b.getNamedAttr("offset", map.offset),
                              b.getNamedAttr("dims", toArrayOfAtLeast(b.getContext(), map.dims, 1)),
                              b.getNamedAttr("strides", toArrayOfAtLeast(b.getContext(), map.strides, 16)),
                              b.getNamedAttr("box", b.getI64ArrayAttr(map.box)),
                              b.getNamedAttr("swizzle", b.getI64IntegerAttr(map.swizzle))});
}

ArrayAttr mlir::tfc::getStepsAttr(MLIRContext *context, ArrayRef<GpuStep> steps) {
  Builder b(context);
  SmallVector<Attribute> result;
  for (const GpuStep &step : steps) {
    SmallVector<Attribute> maps;
    for (const GpuTensorMap &map : step.maps)
      maps.push_back(toAttribute(b, map));
    SmallVector<NamedAttribute> entries{b.getNamedAttr("function", step.function),
                                        b.getNamedAttr("grid", toArray(context, step.grid)),
                                        b.getNamedAttr("block", b.getI64IntegerAttr(step.block)),
                                        b.getNamedAttr("cluster", b.getI64IntegerAttr(step.cluster)),
                                        b.getNamedAttr("shared", b.getI64IntegerAttr(step.shared)),
                                        b.getNamedAttr("maps", b.getArrayAttr(maps))};
    if (step.overlaps)
      entries.push_back(b.getNamedAttr("overlaps", b.getUnitAttr()));
    result.push_back(b.getDictionaryAttr(entries));
  }
  return ArrayAttr::get(context, result);
}

namespace {
/// Reads the entries of one dictionary; the first that does not have the form is remembered.
class EntryReader {
public:
  EntryReader(Attribute attribute) : dictionary(dyn_cast<DictionaryAttr>(attribute)) {}

  template <typename AttrTy> AttrTy get(StringRef name) {
    auto attribute = dictionary ? dictionary.getAs<AttrTy>(name) : AttrTy();
    if (!attribute && wrong.empty())
      wrong = name;
    return attribute;
  }
  bool has(StringRef name) { return dictionary && dictionary.get(name); }
  int64_t getInteger(StringRef name) {
    auto attribute = get<IntegerAttr>(name);
    return attribute ? attribute.getInt() : 0;
  }
  template <typename AttrTy> SmallVector<AttrTy> getList(StringRef name) {
    SmallVector<AttrTy> result;
    auto list = get<ArrayAttr>(name);
    for (Attribute element : list ? list.getValue() : ArrayRef<Attribute>()) {
      if (auto typed = dyn_cast<AttrTy>(element))
        result.push_back(typed);
      else if (wrong.empty())
        wrong = name;
    }
    return result;
  }

  StringRef wrong;

private:
  DictionaryAttr dictionary;
};
} // namespace

/// Sets `wrong` to the name of the first entry that does not have the form.
static GpuTensorMap readMap(Attribute attribute, StringRef &wrong) {
  EntryReader reader(attribute);
  GpuTensorMap map;
  map.pointer = reader.getInteger("pointer");
  if (auto element = reader.get<TypeAttr>("element"))
    map.elementType = element.getValue();
  map.offset = reader.get<DimExprAttr>("offset");
  map.dims = reader.getList<DimExprAttr>("dims");
  map.strides = reader.getList<DimExprAttr>("strides");
  for (IntegerAttr extent : reader.getList<IntegerAttr>("box"))
    map.box.push_back(extent.getInt());
  map.swizzle = reader.getInteger("swizzle");
  if (reader.wrong.empty() &&
      (map.dims.empty() || map.dims.size() > 5 || map.strides.size() + 1 != map.dims.size() ||
       map.box.size() != map.dims.size()))
    reader.wrong = "dims";
  wrong = reader.wrong;
  return map;
}

FailureOr<std::vector<GpuStep>> mlir::tfc::readSteps(Operation *op, ArrayAttr steps) {
  std::vector<GpuStep> result;
  for (Attribute attribute : steps) {
    EntryReader reader(attribute);
    GpuStep step;
    step.function = reader.get<SymbolRefAttr>("function");
    for (DimExprAttr extent : reader.getList<DimExprAttr>("grid"))
      step.grid.push_back(extent);
    step.block = reader.getInteger("block");
    step.cluster = reader.getInteger("cluster");
    step.shared = reader.getInteger("shared");
    step.overlaps = reader.has("overlaps");
    for (Attribute map : reader.getList<Attribute>("maps")) {
      StringRef wrong;
      step.maps.push_back(readMap(map, wrong));
      if (!wrong.empty() && reader.wrong.empty())
        reader.wrong = wrong;
    }
    if (reader.wrong.empty() && step.grid.size() != 3)
      reader.wrong = "grid";
    if (!reader.wrong.empty())
      return op->emitError("step ") << result.size() << " of a GPU kernel: '" << reader.wrong
                                    << "' is missing or malformed";
    result.push_back(std::move(step));
  }
  return result;
}
