//===- FoldInputs.cpp - Inputs and dims that are known when compiling -----------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "GraphImporter.h"
#include "Names.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace mlir::tfc;
using namespace mlir::tfc::onnx_import;

/// How numpy calls an element type; what it has not comes as integers of the same width.
static std::string getArrayType(Type type) {
  if (type.isInteger(1))
    return "bool";
  if (auto integer = dyn_cast<IntegerType>(type))
    return (integer.isUnsigned() ? "ui" : "i") + std::to_string(std::max(integer.getWidth(), 8u));
  if (type.isBF16())
    return "ui16";
  return (type.getIntOrFloatBitWidth() == 8 ? "ui" : "f") + std::to_string(type.getIntOrFloatBitWidth());
}

LogicalResult GraphImporter::readFoldedInputs() {
  for (const FoldedInput &folded : options.foldedInputs) {
    std::string what = "--fold-inputs: " + quoted(folded.name);
    auto input = llvm::find_if(graph.input(), [&](const auto &info) { return info.name() == folded.name; });
    if (input == graph.input().end())
      return fail(what + " is not an input of the model");
    if (!foldedInputs.try_emplace(folded.name, &folded).second)
      return fail(what + " is given twice");
    if (!input->type().has_tensor_type() || !input->type().tensor_type().has_shape())
      continue;
    const auto &shape = input->type().tensor_type().shape();
    if (shape.dim_size() != static_cast<int>(folded.dims.size()))
      return fail(what + " has rank " + Twine(folded.dims.size()) + ", the model's input " +
                  Twine(shape.dim_size()));
    for (auto [i, size] : llvm::enumerate(folded.dims)) {
      const auto &dim = shape.dim(i);
      if (dim.has_dim_value() && dim.dim_value() >= 0 && dim.dim_value() != size)
        return fail(what + ": dim " + Twine(i) + " is " + Twine(size) + ", but must be " +
                    Twine(dim.dim_value()));
      if (dim.dim_param().empty() || options.dynamicAll)
        continue;
      auto [known, isNew] = knownDims.try_emplace(dim.dim_param(), size);
      if (!isNew && known->second != size)
        return fail(what + ": " + quoted(dim.dim_param()) + " is " + Twine(size) + ", but " +
                    Twine(known->second) + " in another input");
    }
  }
  return success();
}

LogicalResult GraphImporter::buildFoldedInputs(GraphScope &scope) {
  for (const ::onnx::ValueInfoProto &input : graph.input()) {
    const FoldedInput *folded = foldedInputs.lookup(input.name());
    if (!folded)
      continue;
    std::string what = "--fold-inputs: " + quoted(folded->name);
    auto type = onnx_import::getElementType(builder.getContext(), input.type().tensor_type().elem_type());
    if (!type)
      return fail(what + ": " + llvm::toString(type.takeError()));
    if (folded->type != getArrayType(*type))
      return fail(what + " is " + folded->type + ", but must be " + getArrayType(*type));
    auto shape = getCheckedType(folded->dims, getWideType(*type));
    if (!shape)
      return fail(what + ": " + llvm::toString(shape.takeError()));
    auto contents = reader.inMemory(*shape, folded->name, folded->bytes);
    if (!contents)
      return fail(what + ": " + llvm::toString(contents.takeError()));
    Location loc = NameLoc::get(builder.getStringAttr(folded->name));
    Value value = weights.build(builder, loc, folded->name, *contents);
    if (getElementTypeOrSelf(value) != *type)
      value = CastOp::create(builder, loc, getTensorType(getDims(value), *type), value);
    scope.values[input.name()] = value;
  }
  return success();
}

LogicalResult GraphImporter::setDimRanges() {
  NamedAttrList ranges;
  for (const DimRange &range : options.dimRanges) {
    if (!state.symbols.contains(range.symbol))
      return fail("no input has a dim named " + quoted(range.symbol));
    if (ranges.get(range.symbol))
      return fail("the dim " + quoted(range.symbol) + " has two ranges");
    ranges.set(range.symbol, builder.getDenseI64ArrayAttr({range.least, range.greatest}));
  }
  if (!ranges.empty())
    function->setAttr("tfc.symbol_ranges", ranges.getDictionary(builder.getContext()));
  return success();
}
