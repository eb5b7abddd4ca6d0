//===- PositionMask.cpp - Masks that only compare positions -------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "PositionMask.h"
#include "GraphMatchers.h"

#include "tfc/Dialect/Tfc/IR/BuildOp.h"

#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

using namespace mlir;
using namespace mlir::tfc;

static constexpr int kMaxDepth = 24;

//===----------------------------------------------------------------------------------------------===//
// Positions: tensors that are linear in their indices
//===----------------------------------------------------------------------------------------------===//

namespace {
/// Element [i0, i1, ...] is `offset + sum of steps[n] * i_n`.
struct Positions {
  SmallVector<int64_t> steps;
  DimExprAttr offset;
};
} // namespace

static std::optional<Positions> matchPositions(Value value, int depth);

/// The dims of `from` that are not 1 stand in `to` in the same order, with ones between them.
static std::optional<SmallVector<int64_t>> moveSteps(ArrayRef<int64_t> steps, ArrayRef<DimExprAttr> from,
                                                     ArrayRef<DimExprAttr> to) {
  SmallVector<int64_t> moved(to.size(), 0);
  size_t at = 0;
  for (auto [step, dim] : llvm::zip_equal(steps, from)) {
    if (dim.isConstant(1))
      continue;
    while (at < to.size() && to[at].isConstant(1))
      ++at;
    if (at == to.size() || to[at] != dim)
      return std::nullopt;
    moved[at++] = step;
  }
  bool isAll = llvm::all_of(ArrayRef(to).drop_front(at), [](DimExprAttr dim) { return dim.isConstant(1); });
  return isAll ? std::optional(moved) : std::nullopt;
}

/// Steps of an operand that broadcasts to `to`.
static std::optional<SmallVector<int64_t>> broadcastSteps(ArrayRef<int64_t> steps, ArrayRef<DimExprAttr> from,
                                                          ArrayRef<DimExprAttr> to) {
  SmallVector<int64_t> result(to.size() - from.size(), 0);
  for (auto [step, dim, target] : llvm::zip_equal(steps, from, to.take_back(from.size()))) {
    if (dim != target && !dim.isConstant(1))
      return std::nullopt;
    result.push_back(dim == target ? step : 0);
  }
  return result;
}

static std::optional<Positions> combine(Operation *op, int sign, int depth) {
  std::optional<Positions> x = matchPositions(op->getOperand(0), depth), y = matchPositions(op->getOperand(1), depth);
  if (!x || !y)
    return std::nullopt;
  SmallVector<DimExprAttr> dims = getDims(op->getResult(0));
  auto a = broadcastSteps(x->steps, getDims(op->getOperand(0)), dims);
  auto b = broadcastSteps(y->steps, getDims(op->getOperand(1)), dims);
  if (!a || !b)
    return std::nullopt;
  for (auto [step, other] : llvm::zip_equal(*a, *b))
    step += sign * other;
  return Positions{*a, sign > 0 ? x->offset + y->offset : x->offset - y->offset};
}

/// Scalars, and vectors of numbers that ascend evenly.
static std::optional<Positions> matchKnownPositions(Value value) {
  std::optional<SmallVector<DimExprAttr>> numbers = matchDimValues(value);
  if (!numbers || numbers->empty())
    return std::nullopt;
  SmallVector<DimExprAttr> dims = getDims(value);
  Positions result{SmallVector<int64_t>(dims.size(), 0), numbers->front()};
  if (numbers->size() == 1)
    return result;
  std::optional<int64_t> step = ((*numbers)[1] - (*numbers)[0]).getConstant();
  auto longDim = llvm::find_if(dims, [&](DimExprAttr dim) { return dim.isConstant(numbers->size()); });
  if (!step || longDim == dims.end())
    return std::nullopt;
  for (size_t i = 1; i < numbers->size(); ++i)
    if ((*numbers)[i] != (*numbers)[0] + *step * i)
      return std::nullopt;
  result.steps[longDim - dims.begin()] = *step;
  return result;
}

static std::optional<Positions> matchPositions(Value value, int depth) {
  if (depth > kMaxDepth)
    return std::nullopt;
  if (std::optional<Positions> known = matchKnownPositions(value))
    return known;
  Operation *op = value.getDefiningOp();
  if (!op)
    return std::nullopt;
  SmallVector<DimExprAttr> dims = getDims(value);
  auto inner = [&](unsigned i) { return matchPositions(op->getOperand(i), depth + 1); };
  auto withSteps = [](std::optional<Positions> x, std::optional<SmallVector<int64_t>> steps) {
    return x && steps ? std::optional(Positions{*steps, x->offset}) : std::nullopt;
  };
  if (isa<RangeOp>(op)) {
    std::optional<Positions> start = inner(0);
    std::optional<SmallVector<int64_t>> step = matchIntegers(op->getOperand(1), 1);
    return start && step ? std::optional(Positions{{step->front()}, start->offset}) : std::nullopt;
  }
  if (isa<AddOp>(op))
    return combine(op, 1, depth + 1);
  if (isa<SubOp>(op))
    return combine(op, -1, depth + 1);
  if (isa<CastOp>(op))
    return inner(0);
  if (isa<ReshapeOp>(op)) {
    std::optional<Positions> x = inner(0);
    return x ? withSteps(x, moveSteps(x->steps, getDims(op->getOperand(0)), dims)) : std::nullopt;
  }
  if (isa<ExpandOp>(op)) {
    std::optional<Positions> x = inner(0);
    return x ? withSteps(x, broadcastSteps(x->steps, getDims(op->getOperand(0)), dims)) : std::nullopt;
  }
  if (auto transpose = dyn_cast<TransposeOp>(op)) {
    std::optional<Positions> x = inner(0);
    SmallVector<int64_t> steps;
    for (int64_t dim : transpose.getPermutation())
      steps.push_back(x ? x->steps[dim] : 0);
    return withSteps(x, steps);
  }
  if (auto slice = dyn_cast<SliceOp>(op)) {
    std::optional<Positions> x = inner(0);
    for (auto [i, offset, stride] : llvm::enumerate(slice.getOffsets().getAsRange<DimExprAttr>(), slice.getStrides()))
      if (x) {
        x->offset = x->offset + offset * x->steps[i];
        x->steps[i] *= stride;
      }
    return x;
  }
  return std::nullopt;
}

//===----------------------------------------------------------------------------------------------===//
// Bands
//===----------------------------------------------------------------------------------------------===//

static std::optional<Band> matchBand(Value value, int depth);

/// `0 <= difference`, or `0 < difference`, as a band of trues. The difference must hang on rows and columns alike.
static std::optional<Band> makeBand(const Positions &difference, bool isStrict) {
  size_t rank = difference.steps.size();
  if (rank < 2 || llvm::any_of(ArrayRef(difference.steps).drop_back(2), [](int64_t step) { return step != 0; }))
    return std::nullopt;
  int64_t row = difference.steps[rank - 2], column = difference.steps[rank - 1];
  if (std::abs(column) != 1 || row != -column)
    return std::nullopt;
  DimExprAttr offset = difference.offset - (isStrict ? 1 : 0);
  Band band{{}, {}, 1, 0};
  if (column == 1)
    band.lower = offset * -1;
  else
    band.upper = offset;
  return band;
}

/// |difference| <= width, when the difference is that of row and column.
static std::optional<Band> matchDistance(AbsOp distance, DimExprAttr width, int depth) {
  std::optional<Positions> x = matchPositions(distance.getX(), depth);
  std::optional<Band> band = x ? makeBand(*x, /*isStrict=*/false) : std::nullopt;
  if (!band)
    return std::nullopt;
  // j - i >= lower is where the difference is not negative, so the difference is j - i - lower.
  DimExprAttr middle = band->lower ? band->lower : band->upper;
  return Band{middle - width, middle + width, 1, 0};
}

static std::optional<Band> matchPositionCompare(CompareOp op, int depth) {
  Value x = op.getX(), y = op.getY();
  CompareKind kind = op.getKind();
  // Only "less" is left: x < y or x <= y.
  if (kind == CompareKind::Gt || kind == CompareKind::Ge)
    std::swap(x, y);
  else if (kind != CompareKind::Lt && kind != CompareKind::Le)
    return std::nullopt;
  bool isStrict = kind == CompareKind::Lt || kind == CompareKind::Gt;
  if (auto distance = x.getDefiningOp<AbsOp>()) {
    std::optional<SmallVector<DimExprAttr>> width = matchDimValues(y, 1);
    if (width && width->size() == 1 && isa<IntegerType>(getElementTypeOrSelf(x.getType())))
      return matchDistance(distance, width->front() - (isStrict ? 1 : 0), depth);
    return std::nullopt;
  }
  std::optional<Positions> left = matchPositions(x, depth), right = matchPositions(y, depth);
  if (!left || !right)
    return std::nullopt;
  SmallVector<DimExprAttr> dims = getDims(op.getResult());
  auto a = broadcastSteps(left->steps, getDims(x), dims), b = broadcastSteps(right->steps, getDims(y), dims);
  if (!a || !b)
    return std::nullopt;
  for (auto [step, other] : llvm::zip_equal(*b, *a))
    step -= other;
  return makeBand(Positions{*b, right->offset - left->offset}, isStrict);
}

/// A constant that is the same number everywhere.
static std::optional<double> matchSplat(Value value) {
  DenseElementsAttr dense;
  if (!matchPattern(value, m_Constant(&dense)) || !dense.isSplat())
    return std::nullopt;
  Type type = dense.getElementType();
  if (isa<FloatType>(type)) {
    APFloat number = dense.getSplatValue<APFloat>();
    bool losesInfo;
    number.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &losesInfo);
    return number.convertToDouble();
  }
  if (!type.isIntOrIndex() || type.getIntOrFloatBitWidth() > 64)
    return std::nullopt;
  APInt number = dense.getSplatValue<APInt>();
  return type.isInteger(1) || type.isUnsignedInteger() ? double(number.getZExtValue()) : double(number.getSExtValue());
}

/// Both bounds hold.
static std::optional<Band> intersect(Band x, const Band &y) {
  for (auto [own, other, isLower] : {std::tuple(&x.lower, y.lower, true), std::tuple(&x.upper, y.upper, false)}) {
    if (!*own || !other)
      *own = *own ? *own : other;
    else
      *own = isLower ? own->max(other) : own->min(other);
  }
  return x;
}

static Band complement(Band band) {
  std::swap(band.inside, band.outside);
  return band;
}

/// Two bands of bools: what is true in both.
static std::optional<Band> matchAnd(const std::optional<Band> &x, const std::optional<Band> &y) {
  if (!x || !y || x->inside != 1 || y->inside != 1)
    return std::nullopt;
  std::optional<Band> both = intersect(*x, *y);
  if (both)
    both->outside = 0;
  return both;
}

/// What an op makes of each of two numbers; both operands are bands, one of them at most with a bound.
static std::optional<double> evaluate(Operation *op, double x, double y) {
  return llvm::TypeSwitch<Operation *, std::optional<double>>(op)
      .Case([&](AddOp) { return x + y; })
      .Case([&](SubOp) { return x - y; })
      .Case([&](MulOp) { return x * y; })
      .Case([&](CompareOp compare) -> std::optional<double> {
        switch (compare.getKind()) {
        case CompareKind::Eq: return x == y;
        case CompareKind::Ne: return x != y;
        case CompareKind::Lt: return x < y;
        case CompareKind::Le: return x <= y;
        case CompareKind::Gt: return x > y;
        case CompareKind::Ge: return x >= y;
        }
        return std::nullopt;
      })
      .Default([](Operation *) { return std::nullopt; });
}

static std::optional<Band> evaluateBands(Operation *op, int depth) {
  std::optional<Band> x = matchBand(op->getOperand(0), depth), y = matchBand(op->getOperand(1), depth);
  if (!x || !y)
    return std::nullopt;
  if (!x->isUniform() && !y->isUniform()) {
    // A product of two triangles is 0 where one of them is.
    if (!isa<MulOp>(op) || x->outside != 0 || y->outside != 0)
      return std::nullopt;
    double inside = x->inside * y->inside;
    std::optional<Band> both = intersect(*x, *y);
    both->inside = inside;
    return both;
  }
  const Band &shape = x->isUniform() ? *y : *x;
  std::optional<double> inside = evaluate(op, x->inside, y->inside);
  std::optional<double> outside = evaluate(op, x->isUniform() ? x->inside : x->outside, y->isUniform() ? y->inside : y->outside);
  // A number of f32 or f16 that leaves its range is none of these.
  if (!inside || !outside || std::isnan(*inside) || std::isnan(*outside))
    return std::nullopt;
  return Band{shape.lower, shape.upper, *inside, *outside};
}

static std::optional<Band> matchSelect(SelectOp op, int depth) {
  std::optional<Band> condition = matchBand(op.getCondition(), depth), x = matchBand(op.getX(), depth),
                      y = matchBand(op.getY(), depth);
  if (!condition || !x || !y || !x->isUniform() || !y->isUniform())
    return std::nullopt;
  auto pick = [&](double bit) { return bit != 0 ? x->inside : y->inside; };
  return Band{condition->lower, condition->upper, pick(condition->inside), pick(condition->outside)};
}

static std::optional<Band> matchTrilu(TriluOp op, int depth) {
  std::optional<Band> x = matchBand(op.getX(), depth);
  if (!x || !x->isUniform())
    return std::nullopt;
  Band band{{}, {}, x->inside, 0};
  (op.getUpper() ? band.lower : band.upper) = op.getK();
  return band;
}

/// Moves of leading dims leave the band as it is; a slice shifts it.
static std::optional<Band> matchMovedBand(Operation *op, int depth) {
  std::optional<Band> x = matchBand(op->getOperand(0), depth);
  if (!x || x->isUniform())
    return x;
  SmallVector<DimExprAttr> from = getDims(op->getOperand(0)), to = getDims(op->getResult(0));
  if (from.size() < 2 || to.size() < 2)
    return std::nullopt;
  size_t rank = from.size();
  if (isa<ReshapeOp, ExpandOp>(op))
    return ArrayRef(from).take_back(2) == ArrayRef(to).take_back(2) ? x : std::nullopt;
  if (auto transpose = dyn_cast<TransposeOp>(op)) {
    ArrayRef<int64_t> permutation = transpose.getPermutation();
    bool isKept = permutation[rank - 2] == int64_t(rank) - 2 && permutation[rank - 1] == int64_t(rank) - 1;
    return isKept ? x : std::nullopt;
  }
  auto slice = cast<SliceOp>(op);
  if (slice.getStrides()[rank - 1] != 1 || slice.getStrides()[rank - 2] != 1)
    return std::nullopt;
  // Row i of the slice is row i + offset.
  auto offset = [&](size_t i) { return cast<DimExprAttr>(slice.getOffsets()[i]); };
  DimExprAttr shift = offset(rank - 2) - offset(rank - 1);
  if (x->lower)
    x->lower = x->lower + shift;
  if (x->upper)
    x->upper = x->upper + shift;
  return x;
}

/// A band behind columns of a past that all have the number on the bound's near side.
static std::optional<Band> matchConcat(ConcatOp op, int depth) {
  int64_t last = cast<RankedTensorType>(op.getType()).getRank() - 1;
  if (op.getInputs().size() != 2 || last < 1 || op.getAxis() != static_cast<uint64_t>(last))
    return std::nullopt;
  std::optional<Band> past = matchBand(op.getInputs()[0], depth), band = matchBand(op.getInputs()[1], depth);
  if (!past || !band || !past->isUniform() || band->isUniform() || (band->lower && band->upper))
    return std::nullopt;
  DimExprAttr columns = getDim(op.getInputs()[0], last), &bound = band->upper ? band->upper : band->lower;
  // The first column of the band, seen from its first row, must lie on the near side too, or just beyond the last one.
  bool isNear = band->upper ? (bound + 1).isNonNegative() : bound.isNonNegative();
  if (!isNear || past->inside != (band->upper ? band->inside : band->outside))
    return std::nullopt;
  bound = bound + columns;
  return band;
}

static std::optional<Band> matchBand(Value value, int depth) {
  if (depth > kMaxDepth)
    return std::nullopt;
  if (std::optional<double> number = matchSplat(value))
    return Band{{}, {}, *number, *number};
  Operation *op = value.getDefiningOp();
  if (!op)
    return std::nullopt;
  auto inner = [&](unsigned i) { return matchBand(op->getOperand(i), depth + 1); };
  if (isa<ReshapeOp, ExpandOp, TransposeOp, SliceOp>(op))
    return matchMovedBand(op, depth + 1);
  if (auto trilu = dyn_cast<TriluOp>(op))
    return matchTrilu(trilu, depth + 1);
  if (auto concat = dyn_cast<ConcatOp>(op))
    return matchConcat(concat, depth + 1);
  if (auto select = dyn_cast<SelectOp>(op))
    return matchSelect(select, depth + 1);
  if (auto compare = dyn_cast<CompareOp>(op))
    if (std::optional<Band> band = matchPositionCompare(compare, depth + 1))
      return band;
  if (isa<AndOp, OrOp, NotOp>(op) && !getElementTypeOrSelf(value.getType()).isInteger(1))
    return std::nullopt;
  if (isa<NotOp>(op)) {
    std::optional<Band> x = inner(0);
    return x ? std::optional(Band{x->lower, x->upper, 1 - x->inside, 1 - x->outside}) : std::nullopt;
  }
  if (isa<AndOp>(op))
    return matchAnd(inner(0), inner(1));
  // Not both false.
  if (isa<OrOp>(op)) {
    auto negated = [&](unsigned i) {
      std::optional<Band> x = inner(i);
      return x ? std::optional(Band{x->lower, x->upper, 1 - x->inside, 1 - x->outside}) : std::nullopt;
    };
    std::optional<Band> neither = matchAnd(negated(0), negated(1));
    return neither ? std::optional(complement(*neither)) : std::nullopt;
  }
  if (auto cast = dyn_cast<CastOp>(op)) {
    std::optional<Band> x = inner(0);
    Type type = getElementTypeOrSelf(value.getType());
    if (x && type.isInteger(1))
      x->inside = x->inside != 0, x->outside = x->outside != 0;
    // Small whole numbers are the same in every type.
    auto isSmall = [](double number) { return number == std::trunc(number) && std::abs(number) <= 100; };
    return x && (isa<FloatType>(type) || (isSmall(x->inside) && isSmall(x->outside))) ? x : std::nullopt;
  }
  if (isa<AddOp, SubOp, MulOp, CompareOp>(op))
    return evaluateBands(op, depth + 1);
  return std::nullopt;
}

std::optional<Band> mlir::tfc::matchBand(Value value) { return ::matchBand(value, 0); }

//===----------------------------------------------------------------------------------------------===//
// Bounds of tfc.attention
//===----------------------------------------------------------------------------------------------===//

/// The distance of a bound from the queries' own diagonal.
static std::optional<int64_t> getDistance(DimExprAttr bound, DimExprAttr diagonal) { return (bound - diagonal).getConstant(); }

bool mlir::tfc::takeBand(Value allowed, bool isNegated, DimExprAttr queries, DimExprAttr keys, PositionBounds &bounds) {
  SmallVector<DimExprAttr> dims = getDims(allowed);
  if (dims.size() < 2 || dims[dims.size() - 2] != queries || dims.back() != keys)
    return false;
  std::optional<Band> band = matchBand(allowed);
  if (!band || band->isUniform())
    return false;
  if (isNegated)
    band->inside = band->inside == 0, band->outside = band->outside == 0;
  // One side of a diagonal, written as what lies on its other side.
  if (band->inside == 0 && band->outside != 0 && !(band->lower && band->upper)) {
    Band other{{}, {}, 1, 0};
    if (band->upper)
      other.lower = band->upper + 1;
    else
      other.upper = band->lower - 1;
    band = other;
  }
  if (band->inside == 0 || band->outside != 0)
    return false;
  DimExprAttr diagonal = keys - queries;
  PositionBounds result = bounds;
  if (band->upper) {
    std::optional<int64_t> right = getDistance(band->upper, diagonal);
    if (!right || *right < 0)
      return false;
    if (*right == 0)
      result.isCausal = true;
    else
      result.right = std::min(result.right.value_or(*right), *right);
  }
  if (band->lower) {
    std::optional<int64_t> left = getDistance(diagonal, band->lower);
    if (!left || *left < 0)
      return false;
    result.left = std::min(result.left.value_or(*left), *left);
  }
  if (result.isCausal)
    result.right = std::nullopt;
  bounds = result;
  return true;
}
