//===- Attention.cpp - Attention as GPU kernels see it -------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "Attention.h"

#include "tfc/Codegen/Common/OperandCasts.h"
#include "tfc/Dialect/Tfc/IR/Broadcast.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"

#include <cmath>
#include <functional>
#include <limits>

using namespace mlir;
using namespace mlir::tfc;

static constexpr float kInfinity = std::numeric_limits<float>::infinity();
static constexpr double kLog2E = 1.44269504088896340736;
/// No query is further away from a key; sums of so many positions fit into 32 bits.
static constexpr int64_t kFarthest = int64_t(1) << 30;

static float getFill(AttentionOp op) {
  if (op.getMaskedRow() == MaskedRowKind::NaN || op.getMaskedRow() == MaskedRowKind::Zero)
    return -kInfinity;
  return op.getFill() ? op.getFill()->convertToFloat() : std::numeric_limits<float>::lowest();
}

/// The kernel's attention, when all other ops are views.
static AttentionOp findAttention(func::FuncOp kernel) {
  AttentionOp attention;
  for (Operation &op : kernel.getBody().front().without_terminator()) {
    if (auto candidate = dyn_cast<AttentionOp>(op)) {
      if (attention)
        return {};
      attention = candidate;
    } else if (!isa<TransposeOp, SliceOp>(op) && !isWideningCast(&op) && !isNarrowingCast(&op)) {
      return {};
    }
  }
  bool isSimple = attention && attention.getExtras().empty() && !attention.getPastKey();
  return isSimple ? attention : AttentionOp();
}

static StridedView plainView(unsigned pointer, Value tensor) {
  SmallVector<DimExprAttr> dims = getDims(tensor);
  return getPlainView(tensor.getContext(), pointer, dims, dims);
}

namespace {
/// An operand of the attention's products: where it lies, and the types of its numbers there and in the product.
struct ProductOperand {
  std::optional<StridedView> view;
  Type stored, element;
};
} // namespace

/// Reads the operand through views and casts.
static ProductOperand readOperand(Value operand) {
  ProductOperand result;
  std::function<std::optional<StridedView>(Value)> ofMemory = [&](Value tensor) -> std::optional<StridedView> {
    Operation *maker = tensor.getDefiningOp();
    if (!maker) {
      result.stored = getElementTypeOrSelf(tensor.getType());
      return plainView(cast<BlockArgument>(tensor).getArgNumber(), tensor);
    }
    if (!isWideningCast(maker) && !isNarrowingCast(maker))
      return std::nullopt;
    if (isNarrowingCast(maker))
      result.element = getElementTypeOrSelf(tensor.getType());
    return viewOfOperand(maker->getOperand(0), ofMemory);
  };
  result.view = viewOfOperand(operand, ofMemory);
  if (!result.element)
    result.element = result.stored;
  return result;
}

/// The output, or what a cast that is all that is done to it makes of it.
static Value getStoredOutput(AttentionOp op) {
  Value output = op.getOutput();
  Operation *user = output.hasOneUse() ? *output.user_begin() : nullptr;
  return isNarrowingCast(user) ? user->getResult(0) : output;
}

std::optional<GpuAttention> mlir::tfc::matchAttention(GpuKernelRequest request) {
  AttentionOp op = findAttention(request.kernel);
  ValueRange results = request.results().getOperands();
  if (!op || results.size() != 1)
    return std::nullopt;
  auto ofMemory = [&](Value tensor) -> std::optional<StridedView> {
    auto argument = dyn_cast<BlockArgument>(tensor);
    return argument ? std::optional(plainView(argument.getArgNumber(), tensor)) : std::nullopt;
  };
  ProductOperand operands[] = {readOperand(op.getQuery()), readOperand(op.getKey()), readOperand(op.getValue())};
  auto [query, key, value] = std::tie(operands[0].view, operands[1].view, operands[2].view);
  auto output = viewOfResult(getStoredOutput(op), results[0], plainView(request.kernel.getNumArguments(), results[0]));
  if (!query || !key || !value || !output)
    return std::nullopt;
  for (const StridedView *view : {&*query, &*key, &*value, &*output})
    if (!view->strides.back().isConstant(1))
      return std::nullopt;
  auto headDim = query->dims[3].getConstant(), valueDim = value->dims[3].getConstant();
  Type element = operands[0].element;
  bool isStoredNarrow = !element.isF32();
  for (const ProductOperand &operand : operands) {
    isStoredNarrow &= operand.stored == element;
    if (operand.element != operands[0].element)
      element = Float32Type::get(op.getContext());
  }
  if (!headDim || !valueDim || *headDim < 1 || *valueDim < 1 ||
      !isa<Float32Type, Float16Type, BFloat16Type>(element))
    return std::nullopt;
  float scale =
      op.getScale() ? op.getScale()->convertToFloat() : static_cast<float>(1.0 / std::sqrt(double(*headDim)));
  GpuAttention p{
      *query, *key, *value, *output, {}, {}, {}, element, isStoredNarrow, *headDim, *valueDim, scale, {}, {}, {},
      op.getMaskedRow(), getFill(op)};
  if (op.getSoftcap())
    p.softcap = op.getSoftcap()->convertToFloat();
  p.left = op.getWindowLeft(), p.right = op.getCausal() ? 0 : op.getWindowRight();
  for (std::optional<int64_t> *window : {&p.left, &p.right})
    if (*window && **window >= kFarthest)
      window->reset();
  if (Value lengths = op.getKeyLengths()) {
    auto argument = dyn_cast<BlockArgument>(lengths);
    if (!argument)
      return std::nullopt;
    p.lengths = argument.getArgNumber();
  }
  if (op.getMask() && !(p.mask = viewOfOperand(op.getMask(), ofMemory)))
    return std::nullopt;
  if (op.getBias() && !(p.bias = viewOfOperand(op.getBias(), ofMemory)))
    return std::nullopt;
  return p;
}

bool GpuAttention::skipsKeys() const {
  // A finite fill counts where nothing allowed is larger: a row that a mask or a bias has emptied, or a query
  // before the first key.
  bool everyRowHasKeys = !mask && !bias && !lengths && (key.dims[2] - query.dims[2]).isNonNegative();
  return isBounded() && (fill == -kInfinity || everyRowHasKeys);
}

bool GpuAttention::hasPlainScores() const {
  // Without a positive scale the largest product is not the largest score. A fill that is not as low as can
  // be is compared with scores.
  return !bias && !softcap && scale > 0 && std::isfinite(scale * kLog2E) &&
         (fill == -kInfinity || fill == std::numeric_limits<float>::lowest());
}

bool GpuAttention::isAligned(int64_t elements) const {
  MLIRContext *context = element.getContext();
  DimExprAttr piece = DimExprAttr::constant(context, elements);
  for (const StridedView *view : {&query, &key, &value, &output}) {
    if (!view->offset.exactDiv(piece))
      return false;
    for (DimExprAttr stride : ArrayRef(view->strides).drop_back())
      if (!stride.exactDiv(piece))
        return false;
  }
  return headDim % elements == 0 && valueDim % elements == 0;
}

AttentionHead::AttentionHead(KernelBuilder &k, const GpuAttention &problem, I32 batch, I32 head)
    : queries(k.dim(problem.query.dims[2])), keys(k.dim(problem.key.dims[2])), k(k), problem(problem) {
  // Query heads that follow each other share a head of the keys.
  I32 keyHead = head / (k.dim(problem.query.dims[1]) / k.dim(problem.key.dims[1]));
  queryBase = enter(problem.query, batch, head);
  keyBase = enter(problem.key, batch, keyHead);
  valueBase = enter(problem.value, batch, keyHead);
  outputBase = enter(problem.output, batch, head);
  mask = open(problem.mask, batch, head);
  bias = open(problem.bias, batch, head);
  counted = keys;
  if (problem.lengths) {
    Value number = k.load(k.pointer(*problem.lengths) + batch, 1)[0];
    if (!number.getType().isInteger(64))
      number = arith::ExtSIOp::create(k.b, k.b.getI64Type(), number);
    // Below 0 is as good as none. Above the number of keys it still says where the queries stand.
    I64 length = I64(k.b, number).max(k.i64(0)).min(k.i64(kFarthest));
    counted = {k.b, arith::TruncIOp::create(k.b, k.b.getI32Type(), length.v)};
  }
}

GlobalPointer AttentionHead::enter(const StridedView &view, I32 batch, I32 head) {
  return k.pointer(view.pointer) + (k.wideDim(view.offset) + batch.wide() * k.wideDim(view.strides[0]) +
                                    head.wide() * k.wideDim(view.strides[1]));
}

std::optional<AttentionHead::Scores> AttentionHead::open(const std::optional<StridedView> &view, I32 batch,
                                                         I32 head) {
  if (!view)
    return std::nullopt;
  DimExprAttr whole[] = {problem.query.dims[0], problem.query.dims[1], problem.query.dims[2],
                         problem.key.dims[2]};
  SmallVector<I64> strides(4, k.i64(0));
  for (size_t i = 0, missing = 4 - view->dims.size(); i < view->dims.size(); ++i) {
    BroadcastRelation relation = relateBroadcast(view->dims[i], whole[missing + i]);
    if (relation == BroadcastRelation::One)
      continue;
    I64 stride = k.wideDim(view->strides[i]);
    strides[missing + i] =
        relation == BroadcastRelation::Same ? stride : select(k.dim(view->dims[i]) == 1, k.i64(0), stride);
  }
  I64 begin = k.wideDim(view->offset) + batch.wide() * strides[0] + head.wide() * strides[1];
  return Scores{k.pointer(view->pointer) + begin, strides[2], strides[3]};
}

Value AttentionHead::load(const Scores &scores, I32 query, I32 key) {
  // Threads beyond the end read the last element, and what they make of it is not used.
  I64 q = query.min(queries - 1).wide(), n = key.min(keys - 1).wide();
  return k.load(scores.base + (q * scores.queryStride + n * scores.keyStride), 1)[0];
}

Bool KeyRange::contains(I32 key) const {
  Bool below = key < to;
  return matchPattern(from.v, m_Zero()) ? below : below & from <= key;
}

KeyRange AttentionHead::keysSeenBy(I32 query) {
  KeyRange range{k.i32(0), problem.lengths ? counted.min(keys) : keys};
  if (problem.left || problem.right) {
    I32 position = query + counted - queries;
    if (problem.right)
      range.to = range.to.min(position + (*problem.right + 1));
    if (problem.left)
      range.from = range.from.max(position - *problem.left);
  }
  return range;
}

KeyRange AttentionHead::keysNeededBy(I32 first, int64_t count) {
  KeyRange all{k.i32(0), keys};
  // Where the run says how many keys count, all rows have keys if these are no fewer than queries.
  bool mayHaveKeys = problem.lengths && !problem.mask && !problem.bias;
  if (!problem.skipsKeys() && !mayHaveKeys)
    return all;
  I32 last = count == 1 ? first : (first + (count - 1)).min(queries - 1);
  KeyRange seen{keysSeenBy(first).from, keysSeenBy(last).to.max(k.i32(0))};
  if (problem.skipsKeys())
    return seen;
  Bool allHaveKeys = queries <= counted;
  return {select(allHaveKeys, seen.from, all.from), select(allHaveKeys, seen.to, all.to)};
}

F32 AttentionHead::score(F32 product, I32 query, I32 key) {
  F32 s = problem.hasPlainScores() ? product : product * k.f32(problem.scale);
  if (problem.softcap) {
    F32 cap = k.f32(*problem.softcap);
    s = F32(k.b, math::TanhOp::create(k.b, (s / cap).v)) * cap;
  }
  F32 added = bias ? k.toF32(load(*bias, query, key)) : F32();
  bool biasIsLast = problem.maskedRow == MaskedRowKind::Biased;
  if (added && !biasIsLast)
    s = s + added;
  Bool allowed;
  if (mask) {
    Value byte = load(*mask, query, key);
    Value zero = arith::ConstantOp::create(k.b, k.b.getIntegerAttr(byte.getType(), 0));
    allowed = {k.b, arith::CmpIOp::create(k.b, arith::CmpIPredicate::ne, byte, zero)};
  }
  if (problem.isBounded()) {
    Bool seen = keysSeenBy(query).contains(key);
    allowed = allowed ? allowed & seen : seen;
  }
  if (allowed)
    s = select(allowed, s, k.f32(problem.fill));
  if (added && biasIsLast)
    s = s + added;
  return select(key < keys, s, k.f32(-kInfinity));
}

ScoreWeights::ScoreWeights(KernelBuilder &k, const GpuAttention &problem, F32 most)
    : k(k), factor(k.f32(problem.hasPlainScores() ? problem.scale * kLog2E : kLog2E)),
      // -inf from -inf would be NaN, and keys to come may still be allowed.
      most(select(most == k.f32(-kInfinity), k.f32(0), most)) {}

// The maximum is taken off first: the largest score weighs exactly 1 whatever its size, and the lowest finite
// one, which stands for a masked key, is never multiplied with anything.
F32 ScoreWeights::operator()(F32 score) { return k.exp2((score - most) * factor); }

F32 AttentionHead::factor(F32 sum, F32 most) {
  // A sum of 0 gives NaN, as it should where every score is -inf.
  F32 inverse = k.f32(1) / sum;
  F32 nothing = problem.maskedRow == MaskedRowKind::Zero ? k.f32(0) : inverse;
  inverse = select(most == k.f32(-kInfinity), nothing, inverse);
  return select(keys == 0, k.f32(0), inverse);
}

FailureOr<std::optional<GpuKernel>> mlir::tfc::generateAttention(GpuKernelRequest request) {
  // Up to so many queries are worth a block per query and part of the keys.
  static constexpr int64_t kMostDecoded = 8, kMostDim = 256;
  std::optional<GpuAttention> problem = matchAttention(request);
  if (!problem || problem->headDim > kMostDim || problem->valueDim > kMostDim)
    return std::optional<GpuKernel>();
  DimExprAttr one = DimExprAttr::constant(request.kernel.getContext(), 1);
  DimExprAttr isMany = atLeast(problem->query.dims[2], kMostDecoded + 1), isFew = one - isMany;
  GpuKernel kernel;
  kernel.workspace = DimExprAttr::constant(request.kernel.getContext(), 0);
  if (!isMany.isConstant(1)) {
    FlashDecodeSteps decode = emitFlashDecode(request, *problem);
    for (GpuStep &step : decode.steps) {
      step.grid[0] = step.grid[0] * isFew;
      kernel.steps.push_back(std::move(step));
    }
    kernel.workspace = decode.workspace * isFew;
  }
  if (!isMany.isConstant(0)) {
    std::optional<GpuStep> flash = emitFlashWgmma(request, *problem);
    if (!flash)
      flash = emitFlashMma(request, *problem);
    if (!flash)
      flash = emitFlashSimt(request, *problem);
    if (!flash)
      return std::optional<GpuKernel>();
    flash->grid[0] = flash->grid[0] * isMany;
    kernel.steps.push_back(std::move(*flash));
  }
  return std::optional<GpuKernel>(std::move(kernel));
}
