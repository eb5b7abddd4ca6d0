//===- DataMovementOps.cpp - Reshape, slice, gather and friends -----------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Dialect/Tfc/IR/TfcOps.h"

#include "ConstantTensor.h"
#include "InferenceChecks.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mlir::tfc;

/// Reads a small constant for folding into a static result of at most kLimit elements.
static std::optional<ConstantTensor> loadForFold(Attribute operand, Type result) {
  auto type = cast<RankedTensorType>(result);
  if (!countElements(type, ConstantTensor::kLimit))
    return std::nullopt;
  return ConstantTensor::load(operand);
}

/// Elements of the result taken from the source at `index(result multi-index)`.
static Attribute foldByIndex(const ConstantTensor &source, Type result,
                             llvm::function_ref<int64_t(ArrayRef<int64_t>)> index) {
  auto type = cast<RankedTensorType>(result);
  ConstantTensor tensor{type, {}};
  SmallVector<int64_t> position(type.getRank(), 0), strides = computeStrides(type.getShape());
  for (int64_t linear = 0, count = type.getNumElements(); linear < count; ++linear) {
    for (int64_t dim = 0; dim < type.getRank(); ++dim)
      position[dim] = linear / strides[dim] % type.getDimSize(dim);
    int64_t at = index(position);
    if (at < 0 || at >= static_cast<int64_t>(source.elements.size()))
      return {};
    tensor.elements.push_back(source.elements[at]);
  }
  return tensor.store();
}

static bool sameElementTypes(Value x, Value y) {
  return getElementTypeOrSelf(x.getType()) == getElementTypeOrSelf(y.getType());
}

static int64_t rankOf(Value value) { return cast<RankedTensorType>(value.getType()).getRank(); }

//===----------------------------------------------------------------------------------------------===//
// ReshapeOp
//===----------------------------------------------------------------------------------------------===//

LogicalResult ReshapeOp::verify() {
  if (failed(checkKnownDims(getLoc(), {getX().getType(), getY().getType()})))
    return failure();
  if (!sameElementTypes(getX(), getY()))
    return emitOpError("(C1) element types differ");
  DimExprAttr from = getElementCount(getX().getType()), to = getElementCount(getY().getType());
  if (from.isTooComplex() || to.isTooComplex())
    return emitOpError("(C2) the number of elements is too complex an expression");
  if (from.isConstant() && to.isConstant() && from != to)
    return emitOpError("(C2) cannot make ") << to.str() << " elements of " << from.str();
  return success();
}

void ReshapeOp::collectRequirements(SmallVectorImpl<Requirement> &requirements) {
  DimExprAttr from = getElementCount(getX().getType()), to = getElementCount(getY().getType());
  if (from != to)
    requirements.push_back({RequireKind::Equal, to, from});
}

OpFoldResult ReshapeOp::fold(FoldAdaptor adaptor) {
  if (getX().getType() == getY().getType())
    return getX();
  // A chain of reshapes is one reshape. The inner one may carry a requirement of its own; it stays when the counts
  // of its ends are not provably equal.
  if (auto inner = getX().getDefiningOp<ReshapeOp>())
    if (getElementCount(inner.getX().getType()) == getElementCount(inner.getY().getType())) {
      getXMutable().assign(inner.getX());
      return getResult();
    }
  std::optional<ConstantTensor> source = loadForFold(adaptor.getX(), getType());
  auto type = cast<RankedTensorType>(getType());
  if (!source || static_cast<int64_t>(source->elements.size()) != type.getNumElements())
    return {};
  source->type = type;
  return source->store();
}

//===----------------------------------------------------------------------------------------------===//
// TransposeOp
//===----------------------------------------------------------------------------------------------===//

LogicalResult TransposeOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc, Adaptor adaptor,
                                            SmallVectorImpl<Type> &types) {
  auto type = cast<RankedTensorType>(adaptor.getX().getType());
  if (failed(checkKnownDims(loc, type)))
    return failure();
  ArrayRef<int64_t> permutation = adaptor.getPermutation();
  SmallVector<bool> seen(type.getRank(), false);
  bool isPermutation = static_cast<int64_t>(permutation.size()) == type.getRank();
  for (int64_t dim : permutation) {
    isPermutation = isPermutation && dim >= 0 && dim < type.getRank() && !seen[dim];
    if (!isPermutation)
      break;
    seen[dim] = true;
  }
  if (!isPermutation)
    return emitOptionalError(loc, "(C1) [", permutation, "] is no permutation of [0, ", type.getRank(), ")");
  SmallVector<DimExprAttr> dims;
  for (int64_t dim : permutation)
    dims.push_back(getDim(type, dim));
  types.push_back(getTensorType(dims, type.getElementType()));
  return success();
}

OpFoldResult TransposeOp::fold(FoldAdaptor adaptor) {
  ArrayRef<int64_t> permutation = getPermutation();
  if (llvm::equal(permutation, llvm::seq<int64_t>(0, permutation.size())))
    return getX();
  if (auto inner = getX().getDefiningOp<TransposeOp>()) {
    SmallVector<int64_t> composed;
    for (int64_t dim : permutation)
      composed.push_back(inner.getPermutation()[dim]);
    getXMutable().assign(inner.getX());
    setPermutation(composed);
    return getResult();
  }
  std::optional<ConstantTensor> source = loadForFold(adaptor.getX(), getType());
  if (!source)
    return {};
  SmallVector<int64_t> strides = computeStrides(source->type.getShape());
  return foldByIndex(*source, getType(), [&](ArrayRef<int64_t> position) {
    int64_t at = 0;
    for (auto [index, dim] : llvm::enumerate(permutation))
      at += position[index] * strides[dim];
    return at;
  });
}

//===----------------------------------------------------------------------------------------------===//
// ExpandOp and TileOp
//===----------------------------------------------------------------------------------------------===//

LogicalResult ExpandOp::verify() {
  if (failed(checkKnownDims(getLoc(), {getX().getType(), getY().getType()})))
    return failure();
  if (!sameElementTypes(getX(), getY()))
    return emitOpError("(C1) element types differ");
  if (!isBroadcastableTo(getDims(getX()), getDims(getY())))
    return emitOpError("(C2) ") << getX().getType() << " does not broadcast to " << getY().getType();
  return success();
}

void ExpandOp::collectRequirements(SmallVectorImpl<Requirement> &requirements) {
  SmallVector<DimExprAttr> from = getDims(getX()), to = getDims(getY());
  for (auto [dim, resultDim] : llvm::zip_equal(from, ArrayRef(to).take_back(from.size())))
    if (dim != resultDim && !dim.isConstant(1))
      requirements.push_back({RequireKind::Broadcastable, dim, resultDim});
}

/// Element (i mod operand dim) per dim, which is what both ops read.
static OpFoldResult foldRepeat(Value x, Value y, Attribute operand) {
  if (x.getType() == y.getType())
    return x;
  std::optional<ConstantTensor> source = loadForFold(operand, y.getType());
  if (!source)
    return {};
  ArrayRef<int64_t> shape = source->type.getShape();
  SmallVector<int64_t> strides = computeStrides(shape);
  return foldByIndex(*source, y.getType(), [&](ArrayRef<int64_t> position) {
    int64_t at = 0;
    for (auto [index, size] : llvm::enumerate(shape))
      at += size == 0 ? -1 : position[position.size() - shape.size() + index] % size * strides[index];
    return at;
  });
}

OpFoldResult ExpandOp::fold(FoldAdaptor adaptor) { return foldRepeat(getX(), getY(), adaptor.getX()); }
OpFoldResult TileOp::fold(FoldAdaptor adaptor) { return foldRepeat(getX(), getY(), adaptor.getX()); }

LogicalResult TileOp::verify() {
  if (failed(checkKnownDims(getLoc(), {getX().getType(), getY().getType()})))
    return failure();
  if (!sameElementTypes(getX(), getY()) || rankOf(getX()) != rankOf(getY()))
    return emitOpError("(C1) element types or ranks differ");
  for (auto [from, to] : llvm::zip_equal(getDims(getX()), getDims(getY())))
    if (from.isConstant(0) && !to.isConstant(0))
      return emitOpError("(C2) cannot repeat an empty dim ") << to.str() << " elements long";
  return success();
}

//===----------------------------------------------------------------------------------------------===//
// SliceOp
//===----------------------------------------------------------------------------------------------===//

LogicalResult SliceOp::verify() {
  if (failed(checkKnownDims(getLoc(), {getX().getType(), getY().getType()})))
    return failure();
  int64_t rank = rankOf(getX());
  if (!sameElementTypes(getX(), getY()) || rankOf(getY()) != rank)
    return emitOpError("(C1) element types or ranks differ");
  if (static_cast<int64_t>(getOffsets().size()) != rank || static_cast<int64_t>(getStrides().size()) != rank)
    return emitOpError("(C2) needs one offset and one stride per dim");
  for (int64_t dim = 0; dim < rank; ++dim) {
    int64_t stride = getStrides()[dim];
    if (stride == 0)
      return emitOpError("(C3) the stride of dim ") << dim << " is 0";
    std::optional<int64_t> size = getDim(getX(), dim).getConstant(), length = getDim(getY(), dim).getConstant(),
                           offset = cast<DimExprAttr>(getOffsets()[dim]).getConstant();
    if (!size || !length || !offset || *length == 0)
      continue;
    int64_t span, last;
    if (__builtin_mul_overflow(*length - 1, stride, &span) || __builtin_add_overflow(*offset, span, &last) ||
        *offset < 0 || *offset >= *size || last < 0 || last >= *size)
      return emitOpError("(C4) dim ") << dim << ": " << *length << " elements from " << *offset << " in steps of " << stride
                                      << " leave [0, " << *size << ")";
  }
  return success();
}

void SliceOp::collectRequirements(SmallVectorImpl<Requirement> &requirements) {
  for (auto [dim, stride] : llvm::enumerate(getStrides())) {
    DimExprAttr size = getDim(getX(), dim), length = getDim(getY(), dim), offset = cast<DimExprAttr>(getOffsets()[dim]);
    DimExprAttr last = offset + (length - 1) * stride;
    auto [lowest, highest] = stride > 0 ? std::pair(offset, last) : std::pair(last, offset);
    // With constants alone the verifier has decided; and a slice of nothing reads nothing.
    if (length.isConstant(0) || (size.isConstant() && lowest.isConstant() && highest.isConstant()))
      continue;
    // A slice of length 0 reads nothing, wherever it starts: `length * end` is 0 then, and at least `end` otherwise.
    DimExprAttr end = highest + 1;
    if (!(size - end).isNonNegative())
      requirements.push_back({RequireKind::AtMost, end == length ? end : end.min(length * end), size});
    // Where length is 0 both sides are 0, whatever the index; else this says 0 <= lowest.
    if (!lowest.isNonNegative())
      requirements.push_back({RequireKind::AtMost, length, length * (lowest + 1)});
  }
}

OpFoldResult SliceOp::fold(FoldAdaptor adaptor) {
  bool isWhole = getX().getType() == getY().getType() &&
                 llvm::all_of(getOffsets(), [](Attribute offset) { return cast<DimExprAttr>(offset).isConstant(0); }) &&
                 llvm::all_of(getStrides(), [](int64_t stride) { return stride == 1; });
  if (isWhole)
    return getX();
  std::optional<ConstantTensor> source = loadForFold(adaptor.getX(), getType());
  if (!source || !llvm::all_of(getOffsets(), [](Attribute offset) { return cast<DimExprAttr>(offset).isConstant(); }))
    return {};
  SmallVector<int64_t> strides = computeStrides(source->type.getShape());
  return foldByIndex(*source, getType(), [&](ArrayRef<int64_t> position) {
    int64_t at = 0;
    for (auto [dim, index] : llvm::enumerate(position))
      at += (*cast<DimExprAttr>(getOffsets()[dim]).getConstant() + index * getStrides()[dim]) * strides[dim];
    return at;
  });
}

//===----------------------------------------------------------------------------------------------===//
// ConcatOp
//===----------------------------------------------------------------------------------------------===//

LogicalResult ConcatOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc, Adaptor adaptor,
                                         SmallVectorImpl<Type> &types) {
  ValueRange inputs = adaptor.getInputs();
  if (inputs.empty())
    return emitOptionalError(loc, "(C1) needs at least one operand");
  if (failed(checkKnownDims(loc, inputs.getTypes())))
    return failure();
  auto first = cast<RankedTensorType>(inputs[0].getType());
  int64_t axis = adaptor.getAxis();
  if (axis < 0 || axis >= first.getRank())
    return emitOptionalError(loc, "(C2) axis ", axis, " is outside [0, ", first.getRank(), ")");
  SmallVector<DimExprAttr> dims = getDims(first);
  for (Value input : inputs.drop_front()) {
    auto type = cast<RankedTensorType>(input.getType());
    if (type.getRank() != first.getRank() || type.getElementType() != first.getElementType())
      return emitOptionalError(loc, "(C1) ranks or element types differ: ", first, " and ", type);
    for (auto [index, dim] : llvm::enumerate(getDims(type))) {
      if (static_cast<int64_t>(index) == axis) {
        dims[index] = dims[index] + dim;
        continue;
      }
      if (dims[index].isConstant() && dim.isConstant() && dims[index] != dim)
        return emitOptionalError(loc, "(C3) dim ", index, " differs: ", dims[index].str(), " and ", dim.str());
      // A constant says more than an expression; the requirement makes them equal.
      if (dim.isConstant())
        dims[index] = dim;
    }
  }
  types.push_back(getTensorType(dims, first.getElementType()));
  return success();
}

void ConcatOp::collectRequirements(SmallVectorImpl<Requirement> &requirements) {
  for (Value input : getInputs())
    for (auto [index, dim] : llvm::enumerate(getDims(input)))
      if (static_cast<uint64_t>(index) != getAxis() && dim != getDim(getY(), index))
        requirements.push_back({RequireKind::Equal, dim, getDim(getY(), index)});
}

OpFoldResult ConcatOp::fold(FoldAdaptor adaptor) {
  if (getInputs().size() == 1)
    return getInputs()[0];
  auto type = cast<RankedTensorType>(getType());
  if (!countElements(type, ConstantTensor::kLimit))
    return {};
  ConstantTensor result{type, SmallVector<ConstantElement>(type.getNumElements())};
  SmallVector<int64_t> strides = computeStrides(type.getShape());
  int64_t start = 0;
  for (Attribute operand : adaptor.getInputs()) {
    std::optional<ConstantTensor> input = ConstantTensor::load(operand);
    if (!input)
      return {};
    ArrayRef<int64_t> shape = input->type.getShape();
    SmallVector<int64_t> inputStrides = computeStrides(shape);
    for (auto [linear, element] : llvm::enumerate(input->elements)) {
      int64_t at = start * strides[getAxis()];
      for (size_t dim = 0; dim < shape.size(); ++dim)
        at += static_cast<int64_t>(linear) / inputStrides[dim] % shape[dim] * strides[dim];
      result.elements[at] = element;
    }
    start += shape[getAxis()];
  }
  return result.store();
}

//===----------------------------------------------------------------------------------------------===//
// Gathers
//===----------------------------------------------------------------------------------------------===//

LogicalResult GatherOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc, Adaptor adaptor,
                                         SmallVectorImpl<Type> &types) {
  Type x = adaptor.getX().getType(), indices = adaptor.getIndices().getType();
  int64_t axis = adaptor.getAxis();
  if (failed(checkAxis(loc, x, axis)) || failed(checkKnownDims(loc, indices)))
    return failure();
  SmallVector<DimExprAttr> dims;
  for (auto [index, dim] : llvm::enumerate(getDims(x))) {
    if (static_cast<int64_t>(index) == axis)
      llvm::append_range(dims, getDims(indices));
    else
      dims.push_back(dim);
  }
  types.push_back(getTensorType(dims, getElementTypeOrSelf(x)));
  return success();
}

OpOperand &GatherOp::getIndexOperand() { return getIndicesMutable(); }

OpFoldResult GatherOp::fold(FoldAdaptor adaptor) {
  std::optional<ConstantTensor> source = loadForFold(adaptor.getX(), getType());
  std::optional<ConstantTensor> indices = ConstantTensor::load(adaptor.getIndices());
  if (!source || !indices)
    return {};
  int64_t axis = getAxis(), indexRank = indices->type.getRank(), size = source->type.getDimSize(axis);
  SmallVector<int64_t> strides = computeStrides(source->type.getShape());
  SmallVector<int64_t> indexStrides = computeStrides(indices->type.getShape());
  for (const ConstantElement &element : indices->elements)
    if (element.kind != ConstantElement::Int || element.integer < -size || element.integer >= size)
      return {};
  return foldByIndex(*source, getType(), [&](ArrayRef<int64_t> position) {
    int64_t indexAt = 0, at = 0;
    for (int64_t i = 0; i < indexRank; ++i)
      indexAt += position[axis + i] * indexStrides[i];
    int64_t index = indices->elements[indexAt].integer;
    for (int64_t dim = 0, rank = strides.size(); dim < rank; ++dim) {
      int64_t coordinate = dim < axis    ? position[dim]
                           : dim == axis ? (index < 0 ? index + size : index)
                                         : position[dim - 1 + indexRank];
      at += coordinate * strides[dim];
    }
    return at;
  });
}

LogicalResult GatherElementsOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc, Adaptor adaptor,
                                                 SmallVectorImpl<Type> &types) {
  Type x = adaptor.getX().getType(), indices = adaptor.getIndices().getType();
  if (failed(checkAxis(loc, x, adaptor.getAxis())) || failed(checkKnownDims(loc, indices)))
    return failure();
  SmallVector<DimExprAttr> xDims = getDims(x), dims = getDims(indices);
  if (xDims.size() != dims.size())
    return emitOptionalError(loc, "(C1) ranks differ: ", x, " and ", indices);
  for (auto [index, xDim, dim] : llvm::enumerate(xDims, dims))
    if (index != adaptor.getAxis() && xDim.isConstant() && dim.isConstant() && *dim.getConstant() > *xDim.getConstant())
      return emitOptionalError(loc, "(C2) dim ", index, " of the indices, ", dim.str(), ", exceeds ", xDim.str());
  types.push_back(getTensorType(dims, getElementTypeOrSelf(x)));
  return success();
}

void GatherElementsOp::collectRequirements(SmallVectorImpl<Requirement> &requirements) {
  for (auto [index, xDim, dim] : llvm::enumerate(getDims(getX()), getDims(getIndices())))
    if (index != getAxis() && !(xDim - dim).isNonNegative())
      requirements.push_back({RequireKind::AtMost, dim, xDim});
}

OpOperand &GatherElementsOp::getIndexOperand() { return getIndicesMutable(); }

LogicalResult ScatterElementsOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc, Adaptor adaptor,
                                                  SmallVectorImpl<Type> &types) {
  Type x = adaptor.getX().getType(), indices = adaptor.getIndices().getType(),
       updates = adaptor.getUpdates().getType();
  if (failed(checkAxis(loc, x, adaptor.getAxis())) || failed(checkKnownDims(loc, {indices, updates})))
    return failure();
  SmallVector<DimExprAttr> xDims = getDims(x), indexDims = getDims(indices), updateDims = getDims(updates);
  if (xDims.size() != indexDims.size() || xDims.size() != updateDims.size())
    return emitOptionalError(loc, "(C1) ranks differ: ", x, ", ", indices, " and ", updates);
  for (auto [index, xDim, dim] : llvm::enumerate(xDims, indexDims))
    if (index != adaptor.getAxis() && xDim.isConstant() && dim.isConstant() &&
        *dim.getConstant() > *xDim.getConstant())
      return emitOptionalError(loc, "(C2) dim ", index, " of the indices, ", dim.str(), ", exceeds ",
                               xDim.str());
  for (auto [dim, updateDim] : llvm::zip_equal(indexDims, updateDims))
    if (dim.isConstant() && updateDim.isConstant() && dim != updateDim)
      return emitOptionalError(loc, "(C3) dims of indices and updates differ: ", dim.str(), " and ",
                               updateDim.str());
  Type element = getElementTypeOrSelf(x);
  if (element != getElementTypeOrSelf(updates))
    return emitOptionalError(loc, "(C4) element types differ: ", x, " and ", updates);
  if (element.isInteger(1) && adaptor.getKind() != ScatterKind::Set)
    return emitOptionalError(loc, "(C5) bools can only be set");
  types.push_back(x);
  return success();
}

void ScatterElementsOp::collectRequirements(SmallVectorImpl<Requirement> &requirements) {
  for (auto [index, xDim, dim] : llvm::enumerate(getDims(getX()), getDims(getIndices())))
    if (index != getAxis() && !(xDim - dim).isNonNegative())
      requirements.push_back({RequireKind::AtMost, dim, xDim});
  for (auto [dim, updateDim] : llvm::zip_equal(getDims(getIndices()), getDims(getUpdates())))
    if (dim != updateDim)
      requirements.push_back({RequireKind::Equal, updateDim, dim});
}

OpOperand &ScatterElementsOp::getIndexOperand() { return getIndicesMutable(); }

//===----------------------------------------------------------------------------------------------===//
// The rest
//===----------------------------------------------------------------------------------------------===//

LogicalResult PadOp::verify() {
  if (failed(checkKnownDims(getLoc(), {getX().getType(), getY().getType()})))
    return failure();
  if (!sameElementTypes(getX(), getY()) || rankOf(getX()) != rankOf(getY()) ||
      (getValue() && (rankOf(getValue()) != 0 || !sameElementTypes(getX(), getValue()))))
    return emitOpError("(C1) element types or ranks do not fit");
  if (static_cast<int64_t>(getLow().size()) != rankOf(getX()))
    return emitOpError("(C2) needs one low per dim");
  if (!llvm::is_contained({"constant", "edge", "reflect", "wrap"}, getMode()))
    return emitOpError("(C3) unknown mode '") << getMode() << "'; there are constant, edge, reflect and wrap";
  return success();
}

LogicalResult TriluOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc, Adaptor adaptor,
                                        SmallVectorImpl<Type> &types) {
  auto type = cast<RankedTensorType>(adaptor.getX().getType());
  if (failed(checkKnownDims(loc, type)))
    return failure();
  if (type.getRank() < 2)
    return emitOptionalError(loc, "(C1) needs rank 2 or more, got ", type);
  types.push_back(type);
  return success();
}

LogicalResult RangeOp::verify() {
  if (failed(checkKnownDims(getLoc(), getY().getType())))
    return failure();
  if (rankOf(getStart()) != 0 || rankOf(getStep()) != 0 || !sameElementTypes(getStart(), getY()) ||
      !sameElementTypes(getStep(), getY()))
    return emitOpError("(C1) start and step must be scalars of the result's element type");
  if (rankOf(getY()) != 1)
    return emitOpError("(C2) the result has rank 1");
  return success();
}

OpFoldResult RangeOp::fold(FoldAdaptor adaptor) {
  std::optional<ConstantTensor> start = loadForFold(adaptor.getStart(), getType());
  std::optional<ConstantTensor> step = ConstantTensor::load(adaptor.getStep());
  auto type = cast<RankedTensorType>(getType());
  if (!start || !step || !isa<IntegerType>(type.getElementType()) || type.getElementType().isUnsignedInteger())
    return {};
  ConstantTensor result{type, {}};
  DimExprAttr first = start->elements[0].asDim(getContext()), increment = step->elements[0].asDim(getContext());
  for (int64_t i = 0; i < type.getNumElements(); ++i)
    result.elements.push_back(ConstantElement::ofDim(first + increment * i));
  return result.store();
}

LogicalResult EyeOp::verify() {
  if (failed(checkKnownDims(getLoc(), getY().getType())))
    return failure();
  if (rankOf(getY()) != 2)
    return emitOpError("(C1) the result has rank 2");
  return success();
}

LogicalResult OneHotOp::verify() {
  if (failed(checkKnownDims(getLoc(), {getIndices().getType(), getY().getType()})))
    return failure();
  SmallVector<DimExprAttr> expected = getDims(getIndices()), dims = getDims(getY());
  int64_t axis = getAxis();
  if (dims.size() != expected.size() + 1 || axis < 0 || axis >= static_cast<int64_t>(dims.size()))
    return emitOpError("(C1) the result's dims must be those of the indices with one inserted at axis");
  expected.insert(expected.begin() + axis, dims[axis]);
  if (expected != dims)
    return emitOpError("(C1) the result's dims must be those of the indices with one inserted at axis");
  if (rankOf(getOn()) != 0 || rankOf(getOff()) != 0 || !sameElementTypes(getOn(), getY()) || !sameElementTypes(getOff(), getY()))
    return emitOpError("(C2) off and on must be scalars of the result's element type");
  return success();
}

LogicalResult NonzeroOp::verify() {
  if (failed(checkKnownDims(getLoc(), {getX().getType(), getY().getType()})))
    return failure();
  if (rankOf(getY()) != 2 || !getDim(getY(), 0).isConstant(rankOf(getX())))
    return emitOpError("(C1) the result is [rank of x, count]");
  return success();
}
