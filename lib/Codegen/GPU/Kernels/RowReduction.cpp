//===- RowReduction.cpp - Softmax, norms and sums along rows -------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// A kernel is one op that works along the last dim, with elementwise ops before and behind it; a sum or a
// mean may take several dims, the last ones, which are one row then. One warp works on a row; four or eight
// of them where the row is long. A row of known length stays in registers; one that is longer than those
// hold, or of which only the run knows the length, is computed anew in each pass. Sums are made by a fixed
// tree, so results are the same in every run, and long ones are exact.
//
//===----------------------------------------------------------------------------------------------===//

#include "Generators.h"
#include "PointEmitter.h"

#include "tfc/Conversion/TfcToLinalg/ElementTypes.h"
#include "tfc/Schedule/GpuSchedule.h"

#include <limits>

using namespace mlir;
using namespace mlir::tfc;

using Elements = SmallVector<Value>;
static constexpr float kInfinity = std::numeric_limits<float>::infinity();
static constexpr double kLog2e = 1.44269504088896340736;

static Value rowOperand(Operation *op) { return op->getOperand(0); }

/// How many of the operand's last dims the op works along; none where it works along others.
static std::optional<int64_t> rowDims(Operation *op) {
  if (op->getNumOperands() == 0 || !isa<RankedTensorType>(rowOperand(op).getType()))
    return std::nullopt;
  int64_t rank = cast<RankedTensorType>(rowOperand(op).getType()).getRank();
  auto ifLast = [&](int64_t axis) { return axis + 1 == rank ? std::optional<int64_t>(1) : std::nullopt; };
  if (auto softmax = dyn_cast<SoftmaxOp>(op))
    return ifLast(softmax.getAxis());
  if (auto norm = dyn_cast<LayerNormOp>(op))
    return ifLast(norm.getAxis());
  if (auto norm = dyn_cast<RmsNormOp>(op))
    return ifLast(norm.getAxis());
  auto reduce = dyn_cast<ReduceOp>(op);
  if (!reduce || reduce.getAxes().empty() ||
      !llvm::is_contained({ReduceKind::Sum, ReduceKind::Mean}, reduce.getKind()))
    return std::nullopt;
  // Axes are in their order.
  int64_t count = reduce.getAxes().size();
  for (auto [i, axis] : llvm::enumerate(reduce.getAxes()))
    if (axis != rank - count + int64_t(i))
      return std::nullopt;
  return count;
}

static DimExprAttr productOf(MLIRContext *context, ArrayRef<DimExprAttr> dims) {
  DimExprAttr product = DimExprAttr::constant(context, 1);
  for (DimExprAttr dim : dims)
    product = product * dim;
  return product;
}

namespace {
class RowEmitter {
public:
  RowEmitter(GpuKernelRequest request, Operation *op, const ::tfc::GpuRowSchedule &schedule)
      : request(request), op(op), s(schedule),
        k({request.module, request.kernel, request.target, "", schedule.threads()}),
        dims(getDims(rowOperand(op))), rowRank(*rowDims(op)), points(k, request.kernel, dims, rowRank) {}

  FailureOr<GpuKernel> emit();

private:
  /// Runs `body` on all runs of the thread's row, with numbers that it carries along.
  using PassBody = function_ref<SmallVector<F32>(ArrayRef<F32> carried)>;
  SmallVector<F32> pass(ArrayRef<F32> init, PassBody body);
  SmallVector<Value> runAt(I32 column, ValueRange carried, PassBody body, bool mayEnd);
  Place placeOf(I32 column);
  DimExprAttr rowLength() { return productOf(op->getContext(), ArrayRef(dims).take_back(rowRank)); }

  SmallVector<F32> operandNumbers();
  F32 sumOfRow(function_ref<F32(F32)> term);
  F32 maxOfRow();
  F32 combine(F32 x, bool isMax);
  F32 length() { return {k.b, arith::SIToFPOp::create(k.b, k.b.getF32Type(), columns.v)}; }
  /// Elements of scale or bias; nothing where there is none.
  SmallVector<F32> numbersOf(Value tensor);

  void emitRow();
  void emitSoftmax(SoftmaxOp softmax);
  void emitLayerNorm(LayerNormOp norm);
  void emitRmsNorm(RmsNormOp norm);
  void emitReduce(ReduceOp reduce);
  /// The last pass: `element` gives the row op's results from its operand, and everything that hangs on them
  /// is stored.
  void finish(function_ref<SmallVector<F32>(ArrayRef<F32>)> element);
  void storeResults();

  GpuKernelRequest request;
  Operation *op;
  const ::tfc::GpuRowSchedule &s;
  KernelBuilder k;
  SmallVector<DimExprAttr> dims;
  int64_t rowRank; ///< How many of the last dims are a row.
  PointEmitter points;
  I32 row, columns, threadInRow;
  SmallVector<I32> outer; ///< The row's indices, of the dims before it.
  SharedPointer exchange; ///< One number per warp and reduction, where several warps share a row.
  int64_t exchanges = 0;
  SmallVector<PointEmitter::Known> kept; ///< What is known of each run that stays in registers.
  bool broken = false;
};
} // namespace

SmallVector<F32> RowEmitter::numbersOf(Value tensor) {
  if (!tensor)
    return {};
  FailureOr<Elements> elements = points.emit(tensor);
  if (failed(elements)) {
    broken = true;
    return SmallVector<F32>(s.width, k.f32(0));
  }
  return llvm::map_to_vector(*elements, [&](Value element) { return k.toF32(element); });
}

SmallVector<F32> RowEmitter::operandNumbers() { return numbersOf(rowOperand(op)); }

/// Where an element of the row lies.
Place RowEmitter::placeOf(I32 column) {
  SmallVector<I32> indices(outer);
  indices.resize(dims.size());
  for (size_t i = dims.size(); --i > outer.size(); column = column / k.dim(dims[i]))
    indices[i] = column % k.dim(dims[i]);
  indices[outer.size()] = column;
  I32 last = indices.pop_back_val();
  return {indices, last, s.width};
}

/// One run; where `mayEnd`, only if it lies inside the row.
SmallVector<Value> RowEmitter::runAt(I32 column, ValueRange carried, PassBody body, bool mayEnd) {
  auto run = [&] {
    points.moveTo(placeOf(column), row.wide() * k.wideDim(rowLength()) + column.wide(), s.width);
    SmallVector<F32> numbers;
    for (Value value : carried)
      numbers.push_back({k.b, value});
    return llvm::map_to_vector(body(numbers), [](F32 x) { return x.v; });
  };
  if (!mayEnd)
    return run();
  if (carried.empty()) {
    k.when(column < columns, [&] { run(); });
    return {};
  }
  return k.when(column < columns, carried, run);
}

SmallVector<F32> RowEmitter::pass(ArrayRef<F32> init, PassBody body) {
  SmallVector<Value> carried = llvm::map_to_vector(init, [](F32 x) { return x.v; });
  I32 first = threadInRow * s.width;
  if (!s.runs) {
    carried = k.loop(first, columns, k.i32(s.stride()), carried, [&](I32 column, ValueRange values) {
      return runAt(column, values, body, /*mayEnd=*/false);
    });
  } else {
    kept.resize(*s.runs);
    int64_t columnCount = *rowLength().getConstant();
    for (int64_t i = 0; i < *s.runs; ++i) {
      bool mayEnd = (i + 1) * s.stride() > columnCount;
      // What is computed inside of a branch is not known outside of it.
      auto keeping = [&](ArrayRef<F32> numbers) {
        if (!mayEnd)
          points.known = kept[i];
        SmallVector<F32> next = body(numbers);
        if (!mayEnd)
          kept[i] = points.known;
        return next;
      };
      carried = runAt(first + i * s.stride(), carried, keeping, mayEnd);
    }
  }
  return llvm::map_to_vector(carried, [&](Value value) { return F32(k.b, value); });
}

/// Over all threads of the row.
F32 RowEmitter::combine(F32 x, bool isMax) {
  x = isMax ? k.warpMax(x) : k.warpSum(x);
  if (s.warpsPerRow == 1)
    return x;
  // Each reduction has a place of its own, so that one barrier is enough.
  int64_t base = exchanges++ * s.warpsPerRow * 4;
  k.when(k.lane() == 0, [&] { k.store({x.v}, exchange + base + k.warp() * 4); });
  k.barrier();
  F32 result;
  for (int64_t i = 0; i < s.warpsPerRow; ++i) {
    F32 part(k.b, k.load(exchange + (base + i * 4), k.b.getF32Type(), 1)[0]);
    result = !result ? part : isMax ? k.max(result, part) : result + part;
  }
  return result;
}

F32 RowEmitter::sumOfRow(function_ref<F32(F32)> term) {
  SmallVector<F32> sum = pass({k.f32(0)}, [&](ArrayRef<F32> carried) {
    F32 sum = carried[0];
    for (F32 x : operandNumbers())
      sum = sum + term(x);
    return SmallVector<F32>{sum};
  });
  return combine(sum[0], /*isMax=*/false);
}

F32 RowEmitter::maxOfRow() {
  SmallVector<F32> most = pass({k.f32(-kInfinity)}, [&](ArrayRef<F32> carried) {
    F32 most = carried[0];
    for (F32 x : operandNumbers())
      most = k.max(most, x);
    return SmallVector<F32>{most};
  });
  return combine(most[0], /*isMax=*/true);
}

void RowEmitter::storeResults() {
  for (auto [i, result] : llvm::enumerate(request.results().getOperands()))
    if (getDims(result) == dims)
      broken |= failed(points.store(result, request.kernel.getNumArguments() + i));
}

void RowEmitter::finish(function_ref<SmallVector<F32>(ArrayRef<F32>)> element) {
  Type elementType = cast<RankedTensorType>(op->getResult(0).getType()).getElementType();
  pass({}, [&](ArrayRef<F32>) {
    SmallVector<F32> results = element(operandNumbers());
    points.give(op->getResult(0),
                llvm::map_to_vector(results, [&](F32 x) { return k.fromF32(x, elementType); }));
    storeResults();
    return SmallVector<F32>();
  });
}

void RowEmitter::emitSoftmax(SoftmaxOp softmax) {
  F32 most = maxOfRow();
  // A row of -inf alone gives NaN, as the difference is then.
  auto exponential = [&](F32 x) { return k.exp2((x - most) * k.f32(kLog2e)); };
  F32 sum = sumOfRow(exponential);
  if (softmax.getLog()) {
    // log2(sum) is in [0, log2(n)]: sum is at least 1.
    F32 log = F32(k.b, k.intrinsic("llvm.nvvm.lg2.approx.f", k.b.getF32Type(), {sum.v})) * k.f32(1 / kLog2e);
    return finish(
        [&](ArrayRef<F32> xs) { return llvm::map_to_vector(xs, [&](F32 x) { return x - most - log; }); });
  }
  F32 factor = k.f32(1) / sum;
  finish([&](ArrayRef<F32> xs) {
    return llvm::map_to_vector(xs, [&](F32 x) { return exponential(x) * factor; });
  });
}

void RowEmitter::emitLayerNorm(LayerNormOp norm) {
  F32 mean = sumOfRow([](F32 x) { return x; }) / length();
  F32 variance = sumOfRow([&](F32 x) { return (x - mean) * (x - mean); }) / length();
  F32 factor = k.rsqrt(variance + k.f32(norm.getEpsilon().convertToDouble()));
  finish([&](ArrayRef<F32> xs) {
    SmallVector<F32> scale = numbersOf(norm.getScale()), bias = numbersOf(norm.getBias()), ys;
    for (auto [i, x] : llvm::enumerate(xs)) {
      F32 y = (x - mean) * factor;
      y = scale.empty() ? y : y * scale[i];
      ys.push_back(bias.empty() ? y : y + bias[i]);
    }
    return ys;
  });
}

void RowEmitter::emitRmsNorm(RmsNormOp norm) {
  F32 mean = sumOfRow([](F32 x) { return x * x; }) / length();
  F32 factor = k.rsqrt(mean + k.f32(norm.getEpsilon().convertToDouble()));
  finish([&](ArrayRef<F32> xs) {
    SmallVector<F32> scale = numbersOf(norm.getScale()), ys;
    for (auto [i, x] : llvm::enumerate(xs))
      ys.push_back(scale.empty() ? x * factor : x * factor * scale[i]);
    return ys;
  });
}

/// What hangs on the sum has one element per row, or the row's elements.
void RowEmitter::emitReduce(ReduceOp reduce) {
  F32 value = sumOfRow([](F32 x) { return x; });
  if (reduce.getKind() == ReduceKind::Mean)
    value = value / length();
  Type elementType = cast<RankedTensorType>(reduce.getType()).getElementType();
  Value scalar = k.fromF32(value, elementType);
  bool hasRows = llvm::any_of(request.results().getOperands(), [&](Value v) { return getDims(v) == dims; });
  if (hasRows)
    pass({}, [&](ArrayRef<F32>) {
      points.give(reduce, {scalar});
      storeResults();
      return SmallVector<F32>();
    });
  bool keepsRank = getDims(reduce.getY()).size() == dims.size();
  k.when(threadInRow == 0, [&] {
    for (auto [i, result] : llvm::enumerate(request.results().getOperands())) {
      unsigned pointer = request.kernel.getNumArguments() + i;
      if (getDims(result) == dims)
        continue;
      if (!keepsRank) {
        k.store({scalar}, k.pointer(pointer) + row);
        continue;
      }
      SmallVector<I32> first(outer);
      first.resize(dims.size() - 1, k.i32(0));
      points.moveTo({first, k.i32(0), 1}, row.wide(), 1);
      points.give(reduce, {scalar});
      broken |= failed(points.store(result, pointer));
    }
  });
}

void RowEmitter::emitRow() {
  if (auto softmax = dyn_cast<SoftmaxOp>(op))
    return emitSoftmax(softmax);
  if (auto norm = dyn_cast<LayerNormOp>(op))
    return emitLayerNorm(norm);
  if (auto norm = dyn_cast<RmsNormOp>(op))
    return emitRmsNorm(norm);
  emitReduce(cast<ReduceOp>(op));
}

FailureOr<GpuKernel> RowEmitter::emit() {
  MLIRContext *context = request.kernel.getContext();
  DimExprAttr one = DimExprAttr::constant(context, 1);
  DimExprAttr rows = productOf(context, ArrayRef(dims).drop_back(rowRank));
  columns = k.dim(rowLength());
  threadInRow = k.thread() % (32 * s.warpsPerRow);
  row = k.blockIndex() * s.rowsPerBlock + k.thread() / (32 * s.warpsPerRow);
  if (s.warpsPerRow > 1)
    exchange = k.shared(s.warpsPerRow * 4 * 4);
  auto work = [&] {
    outer.resize(dims.size() - rowRank);
    I32 rest = row;
    for (size_t i = outer.size(); i-- > 0; rest = rest / k.dim(dims[i]))
      outer[i] = i == 0 ? rest : rest % k.dim(dims[i]);
    emitRow();
  };
  // Whole warps leave: what is shared by a block is shared only where it has one row.
  if (s.rowsPerBlock > 1)
    k.when(row < k.dim(rows), work);
  else
    work();
  GpuStep step = k.finish();
  if (broken)
    return failure();
  step.grid = {rows.ceilDiv(DimExprAttr::constant(context, s.rowsPerBlock)), one, one};
  return GpuKernel{{step}, DimExprAttr::constant(context, 0)};
}

/// The kernel's row op, when all its results can be made from it and from operands element by element.
static Operation *matchRowKernel(GpuKernelRequest request) {
  Operation *rowOp = nullptr;
  for (Operation &op : request.kernel.getBody().front().without_terminator()) {
    if (!rowDims(&op))
      continue;
    if (rowOp)
      return nullptr;
    rowOp = &op;
  }
  if (!rowOp)
    return nullptr;
  auto isFloat = [](Value value) {
    return isa<Float32Type, Float16Type, BFloat16Type>(
        cast<RankedTensorType>(value.getType()).getElementType());
  };
  if (!isFloat(rowOp->getResult(0)) ||
      !llvm::all_of(rowOp->getOperands(), [](Value operand) { return PointEmitter::canEmit(operand); }))
    return nullptr;
  SmallVector<DimExprAttr> dims = getDims(rowOperand(rowOp));
  int64_t rowRank = *rowDims(rowOp);
  SmallVector<DimExprAttr> perRow(dims), reduced(ArrayRef(dims).drop_back(rowRank));
  std::fill(perRow.end() - rowRank, perRow.end(), DimExprAttr::constant(request.kernel.getContext(), 1));
  bool keepsRank = getDims(rowOp->getResult(0)).size() == dims.size();
  for (Value result : request.results().getOperands()) {
    SmallVector<DimExprAttr> own = getDims(result);
    // One element per row: where the reduced dims have gone, nothing but the sum itself has a place for its
    // elements.
    bool fits = own == dims || (isa<ReduceOp>(rowOp) && ((keepsRank && own == perRow) ||
                                                         (!keepsRank && result == rowOp->getResult(0))));
    if (!keepsRank && own == dims && own != reduced)
      fits = false;
    auto given = [&](Value value) { return value == rowOp->getResult(0); };
    if (!fits || isa<BlockArgument>(result) || !PointEmitter::canEmit(result, given))
      return nullptr;
  }
  return rowOp;
}

FailureOr<std::optional<GpuKernel>> mlir::tfc::generateRowReduction(GpuKernelRequest request) {
  Operation *op = matchRowKernel(request);
  if (!op)
    return std::optional<GpuKernel>();
  Type element = cast<RankedTensorType>(rowOperand(op).getType()).getElementType();
  SmallVector<DimExprAttr> dims = getDims(rowOperand(op));
  std::optional<int64_t> length =
      productOf(request.kernel.getContext(), ArrayRef(dims).take_back(*rowDims(op))).getConstant();
  ::tfc::GpuRowSchedule schedule = ::tfc::selectGpuRows(length, element.getIntOrFloatBitWidth() / 8);
  // What a thread reads at once has neighbours along the last dim only.
  while (length && *length && *dims.back().getConstant() % schedule.width)
    schedule.width /= 2;
  if (schedule.runs)
    schedule.runs = llvm::divideCeil(*length, schedule.stride());
  FailureOr<GpuKernel> kernel = RowEmitter(request, op, schedule).emit();
  if (failed(kernel))
    return failure();
  return std::optional<GpuKernel>(std::move(*kernel));
}
