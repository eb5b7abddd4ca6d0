//===- ProgramOps.cpp - Weights, launches, entry points -----------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Dialect/Tfc/IR/TfcOps.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

using namespace mlir;
using namespace mlir::tfc;

//===----------------------------------------------------------------------------------------------===//
// WeightOp
//===----------------------------------------------------------------------------------------------===//

/// One past the last source element that the layout reads, as far as that can be said at once, or failure on overflow or a
/// negative index.
static FailureOr<int64_t> computeSourceElements(RankedTensorType type, LayoutAttr layout) {
  int64_t last = layout ? layout.getOffset() : 0, count = 1;
  bool isPadded = layout && !layout.getBounds().empty();
  if (last < 0 && !isPadded)
    return failure();
  if (llvm::is_contained(type.getShape(), 0))
    return 0;
  for (int64_t size : type.getShape())
    if (__builtin_mul_overflow(count, size, &count))
      return failure();
  // What bounds leave out is not read; whoever reads checks each row (tfc_layout_bounded_fits).
  if (isPadded)
    return 0;
  if (!layout)
    return count;
  for (auto [size, stride] : llvm::zip_equal(type.getShape(), layout.getStrides())) {
    int64_t step;
    if (stride < 0 || __builtin_mul_overflow(size - 1, stride, &step) || __builtin_add_overflow(last, step, &last))
      return failure();
  }
  return last == INT64_MAX ? FailureOr<int64_t>(failure()) : last + 1;
}

/// Bits that an element takes in a file: bool is a byte, 4-bit integers stand in pairs. Nothing for other types.
static std::optional<int64_t> getElementBits(Type type) {
  if (type.isInteger(1))
    return 8;
  if (!isa<IntegerType, FloatType>(type))
    return std::nullopt;
  int64_t bits = type.getIntOrFloatBitWidth();
  if (!llvm::is_contained({4, 8, 16, 32, 64}, bits))
    return std::nullopt;
  return bits;
}

LogicalResult WeightOp::verify() {
  auto type = dyn_cast<RankedTensorType>(getType());
  if (!type || !type.hasStaticShape() || type.getEncoding())
    return emitOpError("(C1) a weight has static dims and no encoding, got ") << getType();
  LayoutAttr layout = getLayoutAttr();
  if (layout && static_cast<int64_t>(layout.getStrides().size()) != type.getRank())
    return emitOpError("(C3) the layout has ") << layout.getStrides().size() << " strides for rank " << type.getRank();
  if (layout && !layout.getBounds().empty() && type.getRank() == 0)
    return emitOpError("(C3) a scalar cannot be padded");
  for (LayoutBoundAttr bound : layout ? layout.getBounds() : ArrayRef<LayoutBoundAttr>()) {
    if (static_cast<int64_t>(bound.getStrides().size()) != type.getRank())
      return emitOpError("(C3) a bound of the layout has ") << bound.getStrides().size() << " strides for rank " << type.getRank();
    if (bound.getExtent() < 0)
      return emitOpError("(C3) a bound of the layout has a negative extent, ") << bound.getExtent();
  }
  FailureOr<int64_t> needed = computeSourceElements(type, layout);
  if (failed(needed))
    return emitOpError("(C2) the layout reads before the source's start or beyond any file");
  Type sourceElement = getSourceElementType();
  std::optional<int64_t> bits = getElementBits(sourceElement);
  if (!bits)
    return emitOpError("(C2) the source's elements are no numbers: ") << sourceElement;
  if (auto file = dyn_cast<FileSourceAttr>(getSource())) {
    int64_t total, end;
    if (file.getOffset() < 0 || file.getBytes() < 0 || __builtin_add_overflow(file.getOffset(), file.getBytes(), &end))
      return emitOpError("(C2) no file has bytes [") << file.getOffset() << ", + " << file.getBytes() << ")";
    if (__builtin_mul_overflow(*needed, *bits, &total) || total / 8 + (total % 8 != 0) > file.getBytes())
      return emitOpError("(C2) the layout reads ") << *needed << " elements of " << sourceElement << ", but the source has "
                                                    << file.getBytes() << " bytes";
    return success();
  }
  if (isa<SeedSourceAttr>(getSource()))
    return success();
  if (isa<StackedSourceAttr>(getSource())) {
    if (layout || getSourceElement() || *bits < 8)
      return emitOpError("(C5) a stack has neither a layout nor another element type, and its elements are whole bytes");
    return success();
  }
  auto dense = dyn_cast<DenseElementsAttr>(getSource());
  if (!dense)
    return emitOpError("(C2) the source must be #tfc.file, #tfc.seed, #tfc.stack or a dense value");
  if (dense.getNumElements() < *needed || (!layout && dense.getNumElements() != *needed) ||
      dense.getElementType() != sourceElement)
    return emitOpError("(C4) the dense source does not have the elements that the type needs");
  return success();
}

LogicalResult WeightOp::verifySymbolUses(SymbolTableCollection &symbols) {
  if (!isa<StackedSourceAttr>(getSource()))
    return success();
  RankedTensorType type = getTensorType();
  int64_t rows = 0;
  for (FlatSymbolRefAttr name : getParts()) {
    auto part = symbols.lookupNearestSymbolFrom<WeightOp>(*this, name);
    if (!part)
      return emitOpError("(C5) part ") << name << " does not exist";
    RankedTensorType partType = part.getTensorType();
    if (!part.getParts().empty() || type.getRank() == 0 || partType.getRank() != type.getRank() ||
        partType.getElementType() != type.getElementType() ||
        partType.getShape().drop_front() != type.getShape().drop_front() ||
        __builtin_add_overflow(rows, partType.getDimSize(0), &rows))
      return emitOpError("(C5) part ") << name << " of type " << partType << " does not fit into " << type;
  }
  if (rows != (type.getRank() ? type.getDimSize(0) : 0) || getParts().empty())
    return emitOpError("(C5) the parts have ") << rows << " rows together, the type is " << type;
  return success();
}

LogicalResult WeightRefOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto weight = symbols.lookupNearestSymbolFrom<WeightOp>(*this, getWeightAttr());
  if (!weight)
    return emitOpError("(C1) weight ") << getWeightAttr() << " does not exist";
  if (weight.getType() != getType())
    return emitOpError("(C1) weight ") << getWeightAttr() << " has type " << weight.getType() << ", not " << getType();
  return success();
}

//===----------------------------------------------------------------------------------------------===//
// LaunchOp
//===----------------------------------------------------------------------------------------------===//

LogicalResult LaunchOp::verify() {
  if (std::optional<ArrayAttr> places = getPlaces()) {
    if (places->size() != getNumResults())
      return emitOpError("(C4) has ") << places->size() << " places for " << getNumResults() << " results";
    auto function = (*this)->getParentOfType<FunctionOpInterface>();
    auto slots = function ? function->getAttrOfType<ArrayAttr>("tfc.slots") : ArrayAttr();
    for (Attribute attribute : *places) {
      auto place = dyn_cast<PlaceAttr>(attribute);
      if (!place)
        return emitOpError("(C4) places are #tfc.place attributes, not ") << attribute;
      bool isOutput = place.getKind() == PlaceKind::Output;
      int64_t limit = isOutput ? (function ? function.getNumResults() : INT64_MAX) : (slots ? slots.size() : INT64_MAX);
      if (place.getIndex() < 0 || place.getIndex() >= limit)
        return emitOpError("(C4) there is no ") << stringifyPlaceKind(place.getKind()) << " " << place.getIndex();
    }
  }
  return success();
}

/// The kernel's type with its local symbols replaced by what the launch gives them.
static Type substituteSymbols(Type type, const llvm::DenseMap<StringAttr, DimExprAttr> &values) {
  SmallVector<DimExprAttr> dims;
  for (DimExprAttr dim : getDims(type)) {
    if (!dim)
      return type;
    dims.push_back(dim.substitute([&](StringAttr name) { return values.lookup(name); }));
  }
  return getTensorType(dims, getElementTypeOrSelf(type));
}

LogicalResult LaunchOp::verifySymbolUses(SymbolTableCollection &symbolTable) {
  auto kernel = symbolTable.lookupNearestSymbolFrom<FunctionOpInterface>(*this, getKernelAttr());
  if (!kernel || !kernel->hasAttr("tfc.kernel"))
    return emitOpError("(C1) kernel ") << getKernelAttr() << " does not exist, or has no tfc.kernel attribute";
  auto names = kernel->getAttrOfType<ArrayAttr>("tfc.symbols");
  if (!names || names.size() != getSymbols().size())
    return emitOpError("(C3) gives ") << getSymbols().size() << " expressions, but the kernel has "
                                      << (names ? names.size() : 0) << " local symbols";
  // Once generated, a kernel takes an argument block; its tensors are gone.
  if (!llvm::all_of(kernel.getArgumentTypes(), [](Type type) { return isa<RankedTensorType>(type); }))
    return success();
  llvm::DenseMap<StringAttr, DimExprAttr> values;
  for (auto [name, value] : llvm::zip_equal(names, getSymbols())) {
    auto text = dyn_cast<StringAttr>(name);
    if (!text)
      return emitOpError("(C3) the kernel's tfc.symbols are no strings");
    if (!values.try_emplace(text, cast<DimExprAttr>(value)).second)
      return emitOpError("(C3) the kernel has two local symbols of the name ") << text;
  }
  if (kernel.getNumArguments() != getInputs().size() || kernel.getNumResults() != getNumResults())
    return emitOpError("(C2) operands or results do not match the kernel's in number");
  auto check = [&](Type formal, Type actual) -> LogicalResult {
    if (!isa<RankedTensorType>(formal) || substituteSymbols(formal, values) != actual)
      return emitOpError("(C2) ") << actual << " does not match the kernel's " << formal;
    return success();
  };
  for (auto [formal, actual] : llvm::zip_equal(kernel.getArgumentTypes(), getInputs().getTypes()))
    if (failed(check(formal, actual)))
      return failure();
  for (auto [formal, actual] : llvm::zip_equal(kernel.getResultTypes(), getResultTypes()))
    if (failed(check(formal, actual)))
      return failure();
  return success();
}
