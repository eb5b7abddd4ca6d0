//===- PointEmitter.cpp - Elements of tensors where a GPU thread wants them ----------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "PointEmitter.h"

#include "tfc/Conversion/TfcToLinalg/ElementTypes.h"
#include "tfc/Conversion/TfcToLinalg/EmitElementwise.h"
#include "tfc/Dialect/Tfc/IR/Broadcast.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

#include "llvm/ADT/SetVector.h"

#include <numeric>

using namespace mlir;
using namespace mlir::tfc;

using Elements = SmallVector<Value>;

static Type elementOf(Value tensor) { return cast<RankedTensorType>(tensor.getType()).getElementType(); }

static SplatElementsAttr matchSplatConstant(Operation *op) {
  auto constant = dyn_cast_or_null<ConstantOp>(op);
  return constant ? dyn_cast<SplatElementsAttr>(constant.getValue()) : SplatElementsAttr();
}

PointEmitter::PointEmitter(KernelBuilder &k, func::FuncOp kernel, ArrayRef<DimExprAttr> domain,
                           int64_t rowRank)
    : k(k), domain(domain), rowRank(rowRank) {
  int64_t number = 0;
  kernel.walk([&](CheckedIndexOpInterface op) { checks[op] = number++; });
}

/// Most ops that are written once more for each place they are wanted at. What is used twice is computed twice there, and so is all
/// that it is made from.
static constexpr int64_t kMostAtOtherPlaces = 512;

/// How many ops it takes to compute a value where nothing is known; at most a little above the limit.
static int64_t countOps(Value tensor) {
  Operation *last = tensor.getDefiningOp();
  DenseMap<Operation *, int64_t> counts;
  for (Operation *op = last ? &last->getBlock()->front() : nullptr; op; op = op->getNextNode()) {
    int64_t &count = counts[op] = 1;
    for (Value operand : op->getOperands())
      count = std::min(count + counts.lookup(operand.getDefiningOp()), kMostAtOtherPlaces + 1);
    if (op == last)
      return count;
  }
  return 0;
}

bool PointEmitter::canEmit(Value tensor, function_ref<bool(Value)> given) {
  // Each value once, however often it is used; what is given is known at one place alone.
  llvm::SetVector<std::pair<Value, unsigned>> wanted;
  wanted.insert({tensor, 1u});
  for (size_t i = 0; i < wanted.size(); ++i) {
    auto [value, isHere] = wanted[i];
    if (isHere && given(value))
      continue;
    Type element = elementOf(value);
    if (!hasKnownDims(value.getType()) || !getMemoryType(element) || element.isInteger(4) || isFloat8(element))
      return false;
    Operation *op = value.getDefiningOp();
    if (!op || matchSplatConstant(op))
      continue;
    if (!isa<ElementwiseOpInterface, ExpandOp, TransposeOp, SliceOp, ConcatOp, GatherOp>(op) ||
        op->getNumResults() != 1)
      return false;
    bool samePlace = isa<ElementwiseOpInterface, ExpandOp>(op);
    for (Value operand : op->getOperands()) {
      if (!samePlace && isHere && countOps(operand) > kMostAtOtherPlaces)
        return false;
      wanted.insert({operand, unsigned(isHere && samePlace)});
    }
  }
  return true;
}

void PointEmitter::moveTo(const Place &place, I64 linear, int64_t newWidth) {
  home = place;
  homeLinear = linear;
  width = newWidth;
  known.clear();
}

bool PointEmitter::sameOuter(const Place &place, size_t count) const {
  return place.outer.size() == home.outer.size() &&
         llvm::all_of(llvm::zip(ArrayRef(place.outer).take_front(count), home.outer),
                      [](auto pair) { return std::get<0>(pair).v == std::get<1>(pair).v; });
}

/// Whether the elements asked for are those that `known` keeps: of the domain's dims at home, or the one of
/// the row.
bool PointEmitter::isKept(Value tensor, const Place &place, int64_t width) const {
  SmallVector<DimExprAttr> dims = getDims(tensor);
  if (dims == domain)
    return sameOuter(place, home.outer.size()) && place.column.v == home.column.v && width == this->width;
  return dims.size() == domain.size() && !dims.empty() && sameOuter(place, dims.size() - rowRank) &&
         ArrayRef(dims).drop_back(rowRank) == ArrayRef(domain).drop_back(rowRank) &&
         llvm::all_of(ArrayRef(dims).take_back(rowRank), [](DimExprAttr dim) { return dim.isConstant(1); });
}

FailureOr<Elements> PointEmitter::emit(Value tensor) { return atBroadcast(tensor, domain, home, width); }

LogicalResult PointEmitter::store(Value tensor, unsigned pointer) {
  FailureOr<Elements> elements = emit(tensor);
  if (failed(elements))
    return failure();
  for (Value &element : *elements)
    element = storeScalar(k.b, k.b.getLoc(), element, elementOf(tensor));
  GlobalPointer to = k.pointer(pointer) + homeLinear;
  int64_t piece = std::max<int64_t>(1, 16 / (to.element.getIntOrFloatBitWidth() / 8));
  for (int64_t from = 0; from < width; from += piece)
    k.store(ArrayRef(*elements).slice(from, std::min(piece, width - from)), to + k.i64(from));
  return success();
}

/// The elements of a tensor that stand at `place` of one with dims `dims`, which it broadcasts to.
FailureOr<Elements> PointEmitter::atBroadcast(Value tensor, ArrayRef<DimExprAttr> dims, const Place &place,
                                              int64_t width) {
  SmallVector<DimExprAttr> own = getDims(tensor);
  size_t missing = dims.size() - own.size();
  Place inner;
  auto index = [&](size_t i, I32 outer) {
    switch (relateBroadcast(own[i], dims[missing + i])) {
    case BroadcastRelation::Same:
      return outer;
    case BroadcastRelation::One:
      return k.i32(0);
    case BroadcastRelation::Unknown:
      return select(k.dim(own[i]) == 1, k.i32(0), outer);
    }
    return outer;
  };
  for (size_t i = 0; i + 1 < own.size(); ++i)
    inner.outer.push_back(index(i, place.outer[missing + i]));
  if (own.empty() || relateBroadcast(own.back(), dims.back()) == BroadcastRelation::One) {
    inner.column = k.i32(0);
    FailureOr<Elements> one = at(tensor, inner, 1);
    return failed(one) ? one : FailureOr<Elements>(Elements(width, one->front()));
  }
  if (relateBroadcast(own.back(), dims.back()) == BroadcastRelation::Unknown)
    return oneByOne(place, width, [&](const Place &point) {
      inner.column = index(own.size() - 1, point.column);
      return at(tensor, inner, 1);
    });
  inner.column = place.column;
  inner.alignment = place.alignment;
  return at(tensor, inner, width);
}

FailureOr<Elements> PointEmitter::oneByOne(const Place &place, int64_t width,
                                           function_ref<FailureOr<Elements>(const Place &)> element) {
  Elements result;
  for (int64_t i = 0; i < width; ++i) {
    FailureOr<Elements> one = element({place.outer, place.column + i, 1});
    if (failed(one))
      return failure();
    result.push_back(one->front());
  }
  return result;
}

FailureOr<Elements> PointEmitter::at(Value tensor, const Place &place, int64_t width) {
  bool isKnown = isKept(tensor, place, width);
  if (auto found = known.find(tensor); isKnown && found != known.end())
    return found->second;
  Operation *op = tensor.getDefiningOp();
  FailureOr<Elements> result;
  if (auto argument = dyn_cast<BlockArgument>(tensor))
    result = load(argument, place, width);
  else if (SplatElementsAttr splat = matchSplatConstant(op)) {
    auto number = splat.getSplatValue<TypedAttr>();
    // Constants of unsigned types are signless as scalars.
    if (auto integer = dyn_cast<IntegerAttr>(number))
      number = IntegerAttr::get(getScalarType(integer.getType()), integer.getValue());
    result = Elements(width, arith::ConstantOp::create(k.b, number));
  } else if (auto expand = dyn_cast<ExpandOp>(op))
    result = atBroadcast(expand.getX(), getDims(tensor), place, width);
  else if (auto transposed = dyn_cast<TransposeOp>(op))
    result = transpose(transposed, place, width);
  else if (auto sliced = dyn_cast<SliceOp>(op))
    result = slice(sliced, place, width);
  else if (auto joined = dyn_cast<ConcatOp>(op))
    result = concat(joined, place, width);
  else if (auto lookup = dyn_cast<GatherOp>(op))
    result = gather(lookup, place, width);
  else
    result = compute(op, place, width);
  if (succeeded(result) && isKnown)
    known[tensor] = *result;
  return result;
}

FailureOr<Elements> PointEmitter::compute(Operation *op, const Place &place, int64_t width) {
  SmallVector<Elements> operands;
  for (Value operand : op->getOperands()) {
    FailureOr<Elements> elements = atBroadcast(operand, getDims(op->getResult(0)), place, width);
    if (failed(elements))
      return failure();
    operands.push_back(std::move(*elements));
  }
  Elements result;
  for (int64_t i = 0; i < width; ++i) {
    SmallVector<Value> scalars;
    for (Elements &elements : operands)
      scalars.push_back(elements[i]);
    FailureOr<Value> value = emitElementwise(k.b, op->getLoc(), op, scalars);
    if (failed(value))
      return failure();
    result.push_back(*value);
  }
  return result;
}

FailureOr<Elements> PointEmitter::transpose(TransposeOp op, const Place &place, int64_t width) {
  ArrayRef<int64_t> permutation = op.getPermutation();
  auto source = [&](const Place &point) {
    SmallVector<I32> indices(permutation.size());
    for (auto [i, dim] : llvm::enumerate(permutation))
      indices[dim] = i + 1 == permutation.size() ? point.column : point.outer[i];
    Place place;
    place.column = indices.pop_back_val();
    place.outer = indices;
    return place;
  };
  if (permutation.back() + 1 != static_cast<int64_t>(permutation.size()))
    return oneByOne(place, width, [&](const Place &point) { return at(op.getX(), source(point), 1); });
  Place moved = source(place);
  moved.alignment = place.alignment;
  return at(op.getX(), moved, width);
}

FailureOr<Elements> PointEmitter::slice(SliceOp op, const Place &place, int64_t width) {
  auto offset = [&](size_t i) { return cast<DimExprAttr>(op.getOffsets()[i]); };
  Place moved;
  for (auto [i, index] : llvm::enumerate(place.outer))
    moved.outer.push_back(k.dim(offset(i)) + index * op.getStrides()[i]);
  size_t last = place.outer.size();
  int64_t stride = op.getStrides()[last];
  if (stride != 1)
    return oneByOne(place, width, [&](const Place &point) {
      moved.column = k.dim(offset(last)) + point.column * stride;
      return at(op.getX(), moved, 1);
    });
  moved.column = k.dim(offset(last)) + place.column;
  moved.alignment = std::gcd(place.alignment, offset(last).getConstant().value_or(1));
  return at(op.getX(), moved, width);
}

/// Each operand in a branch of its own, so that only the one that has the place is read.
FailureOr<Elements> PointEmitter::concat(ConcatOp op, const Place &place, int64_t width) {
  size_t axis = op.getAxis(), last = place.outer.size();
  bool isAlongRow = axis == last;
  auto isWhole = [&](Value input) { return getDim(input, axis).getConstant().value_or(1) % width == 0; };
  // Neighbours may be of two operands, unless these have whole pieces.
  if (isAlongRow && width != 1 && (place.alignment % width || !llvm::all_of(op.getInputs(), isWhole)))
    return oneByOne(place, width, [&](const Place &point) { return concat(op, point, 1); });
  SmallVector<Type> types(width, getScalarType(elementOf(op.getY())));
  bool broken = false;
  // What is computed in a branch is not known behind it.
  Known before = known;
  auto choose = [&](auto &&choose, unsigned number, I32 index) -> Elements {
    Value input = op.getInputs()[number];
    auto inside = [&] {
      Place moved = place;
      (isAlongRow ? moved.column : moved.outer[axis]) = index;
      FailureOr<Elements> elements = at(input, moved, width);
      known = before;
      broken |= failed(elements);
      return succeeded(elements) ? *elements : Elements();
    };
    if (broken || number + 1 == op.getInputs().size())
      return inside();
    I32 size = k.dim(getDim(input, axis));
    auto branch =
        scf::IfOp::create(k.b, types, (index < size).v, /*addThenBlock=*/true, /*addElseBlock=*/true);
    OpBuilder::InsertionGuard guard(k.b);
    k.b.setInsertionPointToStart(&branch.getThenRegion().front());
    scf::YieldOp::create(k.b, inside());
    k.b.setInsertionPointToStart(&branch.getElseRegion().front());
    scf::YieldOp::create(k.b, choose(choose, number + 1, index - size));
    return branch.getResults();
  };
  Elements result = choose(choose, 0, isAlongRow ? place.column : place.outer[axis]);
  if (broken)
    return failure();
  return result;
}

FailureOr<Elements> PointEmitter::gather(GatherOp op, const Place &place, int64_t width) {
  int64_t axis = op.getAxis(), indexRank = getDims(op.getIndices()).size(), rank = getDims(op.getX()).size();
  bool lastIsLooked = axis + 1 == rank;
  if (lastIsLooked && width != 1)
    return oneByOne(place, width, [&](const Place &point) { return gather(op, point, 1); });
  SmallVector<I32> all(place.outer);
  all.push_back(place.column);
  Place ofIndex, ofRow;
  SmallVector<I32> indices(ArrayRef(all).slice(axis, indexRank));
  ofIndex.column = indices.empty() ? k.i32(0) : indices.pop_back_val();
  ofIndex.outer = indices;
  FailureOr<Elements> looked = at(op.getIndices(), ofIndex, 1);
  if (failed(looked))
    return failure();
  Value wide = looked->front();
  if (!wide.getType().isInteger(64))
    wide = arith::ExtSIOp::create(k.b, k.b.getI64Type(), wide);
  I64 index(k.b, wide), bound = k.dim(getDim(op.getX(), axis)).wide();
  I64 wrapped = select(index < 0, index + bound, index);
  Bool bad = wrapped < 0 | wrapped >= bound;
  k.when(bad, [&] {
    I32 tile(k.b, arith::TruncIOp::create(k.b, k.b.getI32Type(), homeLinear.v));
    k.noteFailure(checks.lookup(op), tile, index, k.i64(0) - bound);
  });
  I32 row(k.b, arith::TruncIOp::create(k.b, k.b.getI32Type(), select(bad, k.i64(0), wrapped).v));
  SmallVector<I32> source(all.begin(), all.begin() + axis);
  source.push_back(row);
  source.append(all.begin() + axis + indexRank, all.end());
  ofRow.column = source.pop_back_val();
  ofRow.outer = source;
  ofRow.alignment = lastIsLooked ? 1 : place.alignment;
  return at(op.getX(), ofRow, width);
}

Elements PointEmitter::load(BlockArgument argument, const Place &place, int64_t width) {
  SmallVector<DimExprAttr> dims = getDims(argument);
  GlobalPointer base = k.pointer(argument.getArgNumber());
  I64 offset;
  if (isHome(place) && ArrayRef(dims) == ArrayRef(domain))
    offset = homeLinear;
  else {
    offset = k.i64(0);
    for (auto [i, index] : llvm::enumerate(place.outer))
      offset = (offset + index.wide()) * k.wideDim(dims[i + 1]);
    offset = offset + place.column.wide();
  }
  // In one access where it is sure to be aligned.
  int64_t row = dims.empty() ? 1 : dims.back().getConstant().value_or(1);
  int64_t bytes = base.element.getIntOrFloatBitWidth() / 8;
  bool aligned = std::gcd(row, place.alignment) % width == 0;
  int64_t piece = aligned ? std::min(width, std::max<int64_t>(1, 16 / bytes)) : 1;
  Elements result;
  for (int64_t from = 0; from < width; from += piece)
    for (Value element : k.load(base + (offset + from), piece))
      result.push_back(loadScalar(k.b, k.b.getLoc(), element, elementOf(argument)));
  return result;
}
