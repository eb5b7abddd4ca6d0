//===- DecomposeOps.cpp - Ops without a lowering become ops that have one --------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "GraphMatchers.h"

#include "tfc/Dialect/Tfc/IR/BuildOp.h"
#include "tfc/Dialect/Tfc/Transforms/AttentionKernels.h"
#include "tfc/Dialect/Tfc/Transforms/Passes.h"

#include "mlir/IR/Builders.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

#include <cmath>

namespace mlir::tfc {
#define GEN_PASS_DEF_DECOMPOSEOPS
#include "tfc/Dialect/Tfc/Transforms/Passes.h.inc"
} // namespace mlir::tfc

using namespace mlir;
using namespace mlir::tfc;

bool mlir::tfc::hasAttentionKernel(AttentionOp op) {
  if (auto kernel = op->getParentOfType<FunctionOpInterface>(); kernel && kernel->hasAttr("tfc.plain"))
    return false;
  constexpr int64_t kMostHeadDim = 256;
  auto isHeadDim = [](DimExprAttr dim) {
    std::optional<int64_t> size = dim ? dim.getConstant() : std::nullopt;
    return size && *size >= 1 && *size <= kMostHeadDim;
  };
  // Whatever the op learns to say is left to its decomposition until the kernel knows it.
  auto isKnown = [&](NamedAttribute attribute) {
    StringAttr name = attribute.getName();
    return name == op.getScaleAttrName() || name == op.getSoftcapAttrName() || name == op.getCausalAttrName() ||
           name == op.getWindowLeftAttrName() || name == op.getWindowRightAttrName() ||
           name == op.getMaskedRowAttrName() || name == op.getFillAttrName() ||
           name == op.getOperandSegmentSizesAttrName() || op->getDiscardableAttr(name);
  };
  unsigned knownOperands = 3 + (op.getMask() ? 1 : 0) + (op.getBias() ? 1 : 0) + (op.getPastKey() ? 2 : 0) +
                           (op.getKeyLengths() ? 1 : 0);
  unsigned knownResults = op.getPresentKey() ? 3 : 1;
  return cast<RankedTensorType>(op.getQuery().getType()).getElementType().isF32() &&
         isHeadDim(getDim(op.getQuery(), 3)) && isHeadDim(getDim(op.getValue(), 3)) &&
         getDim(op.getQuery(), 1).isConstant() && getDim(op.getKey(), 1).isConstant() &&
         op->getNumOperands() == knownOperands && op->getNumResults() == knownResults &&
         llvm::all_of(op->getAttrs(), isKnown);
}

namespace {
/// Rewrites one attention. Every step is built from types that a user wrote, so every step may fail; after a
/// failure the steps that follow do nothing and `failed` stays true.
class AttentionDecomposer {
public:
  explicit AttentionDecomposer(AttentionOp op) : op(op), builder(op), loc(op.getLoc()) {
    elementType = cast<RankedTensorType>(op.getQuery().getType()).getElementType();
  }

  /// Leaves what the kernels know: puts past and new keys and values together.
  LogicalResult simplify() {
    if (!op.getPastKey() && !op.getPresentKey())
      return success();
    auto [keys, values] = putTogether();
    if (failed)
      return failure();
    auto plain = AttentionOp::create(builder, loc, TypeRange(op.getOutput().getType()), op.getQuery(), keys,
                                     values, op.getMask(), op.getBias(), /*past_key=*/Value(),
                                     /*past_value=*/Value(), op.getKeyLengths(), op.getScaleAttr(),
                                     op.getSoftcapAttr(), op.getCausalAttr(), op.getWindowLeftAttr(),
                                     op.getWindowRightAttr(), op.getMaskedRowAttr(), op.getFillAttr());
    copyOperandType(op, plain);
    // An attention that gives its probabilities has no kernel, so it does not come here.
    return replace(plain.getOutput(), keys, values, /*probabilities=*/Value());
  }

  LogicalResult run() {
    auto [keys, values] = putTogether();
    Value probabilities = computeProbabilities(keys);
    Value output = multiplyValues(probabilities, values);
    return failed ? failure() : replace(output, keys, values, probabilities);
  }

private:
  LogicalResult replace(Value output, Value keys, Value values, Value probabilities) {
    SmallVector<Value> results{output};
    if (op.getPresentKey())
      results.append({keys, values});
    if (op.getProbabilities())
      results.push_back(probabilities);
    for (auto [result, type] : llvm::zip_equal(results, op->getResultTypes()))
      result = reshape(result, cast<RankedTensorType>(type));
    if (failed)
      return failure();
    op->replaceAllUsesWith(results);
    op->erase();
    return success();
  }

  template <typename OpTy>
  Value build(ValueRange operands, ArrayRef<NamedAttribute> attributes = {}, TypeRange types = {}) {
    if (failed || llvm::is_contained(operands, Value()))
      return nullptr;
    FailureOr<Value> result = buildOp<OpTy>(builder, loc, operands, attributes, types);
    failed = mlir::failed(result);
    return failed ? Value() : *result;
  }

  NamedAttribute attribute(StringRef name, Attribute value) { return builder.getNamedAttr(name, value); }

  Value constant(const APFloat &value) {
    auto type = RankedTensorType::get({}, elementType);
    return build<ConstantOp>({}, attribute("value", DenseElementsAttr::get(type, value)), type);
  }
  Value constant(double value) {
    return constant(cast<FloatAttr>(FloatAttr::get(elementType, value)).getValue());
  }

  Value reshape(Value x, RankedTensorType type) {
    if (!x || x.getType() == type)
      return x;
    return build<ReshapeOp>(x, {}, type);
  }
  Value reshape(Value x, ArrayRef<DimExprAttr> dims) {
    return x ? reshape(x,
                       mlir::tfc::getTensorType(dims, cast<RankedTensorType>(x.getType()).getElementType()))
             : x;
  }

  Value product(Value a, Value b, ArrayRef<NamedAttribute> attributes = {}) {
    Value made = build<MatmulOp>({a, b}, attributes);
    if (made)
      copyOperandType(op, made.getDefiningOp());
    return made;
  }

  /// All keys and all values, past and following, under the names that the graph has for them.
  std::pair<Value, Value> putTogether() {
    auto [keys, values] = getPresentLocations(op.getLoc());
    return {withPast(op.getPastKey(), op.getKey(), keys), withPast(op.getPastValue(), op.getValue(), values)};
  }

  Value withPast(Value past, Value next, Location where) {
    if (!past || failed)
      return next;
    FailureOr<Value> whole = buildOp<ConcatOp>(builder, where, {past, next}, attribute("axis", builder.getI64IntegerAttr(2)));
    failed = mlir::failed(whole);
    return failed ? Value() : *whole;
  }

  DimExprAttr heads() { return getDim(op.getQuery(), 1); }
  DimExprAttr keyHeads() { return getDim(op.getKey(), 1); }

  /// Query heads that share a key head lie next to each other, so [b, heads, s, x] read as [b, key heads,
  /// group * s, x] puts the rows of a group into one product.
  Value group(Value x) {
    if (!x || heads() == keyHeads())
      return x;
    SmallVector<DimExprAttr> dims = getDims(x);
    std::optional<DimExprAttr> size = heads().exactDiv(keyHeads());
    DimExprAttr perHead = size ? *size : heads().floorDiv(keyHeads());
    return reshape(x, {dims[0], keyHeads(), perHead * dims[2], dims[3]});
  }

  /// The factor of the scores: 1 / sqrt(head dim) unless the op says another.
  Value scale() {
    if (op.getScale())
      return constant(op.getScale()->convertToDouble());
    DimExprAttr size = getDim(op.getQuery(), 3);
    if (std::optional<int64_t> value = size.getConstant())
      return constant(1.0 / std::sqrt(static_cast<double>(std::max<int64_t>(*value, 1))));
    Value length = buildDimValues(builder, loc, size, RankedTensorType::get({}, builder.getI64Type()));
    Value number = build<CastOp>(length, {}, RankedTensorType::get({}, elementType));
    return build<ReciprocalOp>(build<SqrtOp>(number));
  }

  //===--------------------------------------------------------------------------------------------===//
  // Which keys are allowed
  //===--------------------------------------------------------------------------------------------===//

  /// A scalar of i64 that is an expression of dims.
  Value number(DimExprAttr value) {
    return buildDimValues(builder, loc, value, RankedTensorType::get({}, builder.getI64Type()));
  }
  Value number(int64_t value) { return number(DimExprAttr::constant(builder.getContext(), value)); }

  /// `start`, `start + 1`, ...: as many as `count` says.
  Value count(DimExprAttr start, DimExprAttr length) {
    return build<RangeOp>({number(start), number(1)}, {}, mlir::tfc::getTensorType(length, builder.getI64Type()));
  }

  Value compare(CompareKind kind, Value x, Value y) {
    return build<CompareOp>({x, y}, attribute("kind", CompareKindAttr::get(builder.getContext(), kind)));
  }

  /// The key lengths as [batch, 1, 1, 1] of i64.
  Value keyLengths() {
    DimExprAttr one = DimExprAttr::constant(builder.getContext(), 1);
    Value lengths = reshape(op.getKeyLengths(), {getDim(op.getKeyLengths(), 0), one, one, one});
    return lengths ? build<CastOp>(lengths, {}, cast<RankedTensorType>(lengths.getType()).clone(builder.getI64Type())) : lengths;
  }

  /// Where each query stands among the keys: [queries, 1], or [batch, 1, queries, 1] where `lengths` says it.
  Value positions(Value lengths) {
    DimExprAttr queries = getDim(op.getQuery(), 2), zero = DimExprAttr::constant(builder.getContext(), 0);
    Value query = count(lengths ? zero : op.getTotalKeys() - queries, queries);
    query = reshape(query, {queries, DimExprAttr::constant(builder.getContext(), 1)});
    return lengths ? build<AddOp>({query, build<SubOp>({lengths, number(queries)})}) : query;
  }

  /// Which keys each query may attend, or null for all of them.
  Value allowedKeys() {
    SmallVector<Value> conditions;
    if (op.getMask())
      conditions.push_back(op.getMask());
    Value lengths = op.getKeyLengths() ? keyLengths() : Value();
    bool isBounded = op.getCausal() || op.getWindowLeft() || op.getWindowRight();
    Value key = isBounded || lengths ? count(DimExprAttr::constant(builder.getContext(), 0), op.getTotalKeys()) : Value();
    Value position = isBounded ? positions(lengths) : Value();
    // Wider than any tensor, and far enough from the ends of i64.
    auto width = [&](uint64_t window) { return number(std::min<uint64_t>(window, int64_t(1) << 62)); };
    if (lengths)
      conditions.push_back(compare(CompareKind::Lt, key, lengths));
    if (op.getCausal())
      conditions.push_back(compare(CompareKind::Le, key, position));
    if (op.getWindowLeft())
      conditions.push_back(compare(CompareKind::Ge, key, build<SubOp>({position, width(*op.getWindowLeft())})));
    if (op.getWindowRight())
      conditions.push_back(compare(CompareKind::Le, key, build<AddOp>({position, width(*op.getWindowRight())})));
    if (conditions.empty())
      return nullptr;
    Value all = conditions.front();
    for (Value condition : llvm::drop_begin(conditions))
      all = build<AndOp>({all, condition});
    return all;
  }

  //===--------------------------------------------------------------------------------------------===//
  // Scores, probabilities, output
  //===--------------------------------------------------------------------------------------------===//

  /// Scaled and capped.
  Value computeProducts(Value keys, ArrayRef<DimExprAttr> dims) {
    Value scores = product(group(op.getQuery()), keys, attribute("transpose_b", builder.getUnitAttr()));
    scores = build<MulOp>({reshape(scores, dims), scale()});
    if (!op.getSoftcap())
      return scores;
    Value cap = constant(op.getSoftcap()->convertToDouble());
    return build<MulOp>({build<TanhOp>(build<DivOp>({scores, cap})), cap});
  }

  Value addBias(Value scores) { return op.getBias() ? build<AddOp>({scores, op.getBias()}) : scores; }

  /// What the score of a key that is not allowed becomes.
  Value maskedScore() {
    if (op.getFill())
      return constant(op.getFill()->convertToDouble());
    if (op.getMaskedRow() == MaskedRowKind::NaN || op.getMaskedRow() == MaskedRowKind::Zero)
      return constant(-INFINITY);
    return constant(APFloat::getLargest(cast<FloatType>(elementType).getFloatSemantics(), /*Negative=*/true));
  }

  /// The scores with those of keys that are not allowed replaced, and the bias before or behind that.
  Value maskScores(Value scores) {
    bool isBiased = op.getMaskedRow() == MaskedRowKind::Biased;
    if (!isBiased)
      scores = addBias(scores);
    if (Value allowed = allowedKeys())
      scores = build<SelectOp>({allowed, scores, maskedScore()});
    return isBiased ? addBias(scores) : scores;
  }

  Value computeProbabilities(Value keys) {
    if (!keys)
      return nullptr;
    SmallVector<DimExprAttr> queryDims = getDims(op.getQuery());
    SmallVector<DimExprAttr> dims{queryDims[0], queryDims[1], queryDims[2], getDim(keys, 2)};
    Value scores = maskScores(computeProducts(keys, dims));
    Value probabilities = build<SoftmaxOp>(scores, attribute("axis", builder.getI64IntegerAttr(3)));
    // Only rows in which every score is -inf are NaN without a NaN among the scores.
    if (op.getMaskedRow() == MaskedRowKind::Zero) {
      Value top = build<ReduceOp>(scores, {attribute("kind", ReduceKindAttr::get(builder.getContext(), ReduceKind::Max)),
                                           attribute("axes", builder.getDenseI64ArrayAttr({3})),
                                           attribute("keep_dims", builder.getUnitAttr())});
      Value isEmpty = compare(CompareKind::Eq, top, constant(-INFINITY));
      probabilities = build<SelectOp>({isEmpty, constant(0.0), probabilities});
    }
    return reshape(probabilities, dims);
  }

  Value multiplyValues(Value probabilities, Value values) {
    return product(group(probabilities), values);
  }

  AttentionOp op;
  OpBuilder builder;
  Location loc;
  Type elementType;
  bool failed = false;
};

} // namespace

LogicalResult mlir::tfc::splitPast(AttentionOp op) { return AttentionDecomposer(op).simplify(); }

namespace {
struct DecomposeOps : mlir::tfc::impl::DecomposeOpsBase<DecomposeOps> {
  using DecomposeOpsBase::DecomposeOpsBase;

  void runOnOperation() override {
    SmallVector<AttentionOp> attentions;
    getOperation().walk([&](AttentionOp op) { attentions.push_back(op); });
    // Kernels of GPUs that round attentions' operands or outputs; CPUs have no generator for them.
    auto module = getOperation()->getParentOfType<ModuleOp>();
    auto narrows = [](CastOp op) { return !getElementTypeOrSelf(op.getType()).isF32(); };
    bool isCastKernelOfCPU = getOperation()->hasAttr("tfc.kernel") && llvm::any_of(getOperation().getOps<CastOp>(), narrows) &&
                             !(module && module->hasAttr("tfc.device"));
    for (AttentionOp op : attentions) {
      // Whoever asked for the pass has an operator for it.
      if (op->hasAttr("tfc.keep"))
        continue;
      AttentionDecomposer decomposer(op);
      bool isKept = keepAttention && hasAttentionKernel(op) && !isCastKernelOfCPU;
      if (mlir::failed(isKept ? decomposer.simplify() : decomposer.run()))
        return signalPassFailure();
    }
  }
};
} // namespace
