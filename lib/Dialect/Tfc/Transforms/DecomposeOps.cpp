//===- DecomposeOps.cpp - Ops without a lowering become ops that have one --------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Dialect/Tfc/IR/BuildOp.h"
#include "tfc/Dialect/Tfc/Transforms/AttentionKernels.h"
#include "tfc/Dialect/Tfc/Transforms/Passes.h"

#include "mlir/IR/Builders.h"

#include <cmath>

namespace mlir::tfc {
#define GEN_PASS_DEF_DECOMPOSEOPS
#include "tfc/Dialect/Tfc/Transforms/Passes.h.inc"
} // namespace mlir::tfc

using namespace mlir;
using namespace mlir::tfc;

bool mlir::tfc::hasAttentionKernel(AttentionOp op) {
  constexpr int64_t kMostHeadDim = 256;
  auto isHeadDim = [](DimExprAttr dim) {
    std::optional<int64_t> size = dim ? dim.getConstant() : std::nullopt;
    return size && *size >= 1 && *size <= kMostHeadDim;
  };
  // Whatever the op learns to say is left to its decomposition until the kernel knows it.
  auto isKnown = [&](NamedAttribute attribute) {
    StringAttr name = attribute.getName();
    return name == op.getScaleAttrName() || name == op.getCausalAttrName() ||
           name == op.getMaskedRowAttrName() || name == op.getOperandSegmentSizesAttrName() ||
           op->getDiscardableAttr(name);
  };
  unsigned knownOperands = 3 + (op.getMask() ? 1 : 0) + (op.getBias() ? 1 : 0) + (op.getPastKey() ? 2 : 0);
  unsigned knownResults = op.getPresentKey() ? 3 : 1;
  return cast<RankedTensorType>(op.getQuery().getType()).getElementType().isF32() &&
         isHeadDim(getDim(op.getQuery(), 3)) && isHeadDim(getDim(op.getValue(), 3)) &&
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

  /// Only puts past and new keys and values together.
  LogicalResult splitPast() {
    if (!op.getPastKey())
      return success();
    Value keys = withPast(op.getPastKey(), op.getKey());
    Value values = withPast(op.getPastValue(), op.getValue());
    if (failed)
      return failure();
    auto plain = AttentionOp::create(builder, loc, op.getOutput().getType(), TypeRange(), op.getQuery(), keys,
                                     values, op.getMask(), op.getBias(),
                                     /*past_key=*/Value(), /*past_value=*/Value(), op.getScaleAttr(),
                                     op.getCausal(), op.getMaskedRow());
    return replace(plain.getOutput(), keys, values);
  }

  LogicalResult run() {
    Value keys = withPast(op.getPastKey(), op.getKey());
    Value values = withPast(op.getPastValue(), op.getValue());
    Value probabilities = computeProbabilities(keys);
    Value output = multiplyValues(probabilities, values);
    return failed ? failure() : replace(output, keys, values);
  }

private:
  LogicalResult replace(Value output, Value keys, Value values) {
    SmallVector<Value> results{output};
    if (op.getPresentKey())
      results.append({keys, values});
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

  Value withPast(Value past, Value next) {
    return past ? build<ConcatOp>({past, next}, attribute("axis", builder.getI64IntegerAttr(2))) : next;
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

  /// Where a query may attend, or null for everywhere.
  Value allowed(DimExprAttr queries, DimExprAttr keys) {
    Value mask = op.getMask();
    if (!op.getCausal())
      return mask;
    RankedTensorType scalar = RankedTensorType::get({}, builder.getI64Type());
    Value one = buildDimValues(builder, loc, DimExprAttr::constant(builder.getContext(), 1), scalar);
    Value zero = buildDimValues(builder, loc, DimExprAttr::constant(builder.getContext(), 0), scalar);
    Value offset = buildDimValues(builder, loc, keys - queries, scalar);
    Value query = build<RangeOp>({offset, one}, {}, mlir::tfc::getTensorType(queries, builder.getI64Type()));
    query = reshape(query, {queries, DimExprAttr::constant(builder.getContext(), 1)});
    Value key = build<RangeOp>({zero, one}, {}, mlir::tfc::getTensorType(keys, builder.getI64Type()));
    Value causal = build<CompareOp>(
        {key, query}, attribute("kind", CompareKindAttr::get(builder.getContext(), CompareKind::Le)));
    return mask ? build<AndOp>({mask, causal}) : causal;
  }

  Value computeProbabilities(Value keys) {
    if (!keys)
      return nullptr;
    SmallVector<DimExprAttr> queryDims = getDims(op.getQuery());
    SmallVector<DimExprAttr> dims{queryDims[0], queryDims[1], queryDims[2], getDim(keys, 2)};
    Value scores =
        build<MatmulOp>({group(op.getQuery()), keys}, attribute("transpose_b", builder.getUnitAttr()));
    scores = build<MulOp>({reshape(scores, dims), scale()});
    if (op.getBias())
      scores = build<AddOp>({scores, op.getBias()});
    Value condition = allowed(dims[2], dims[3]);
    NamedAttribute axis = attribute("axis", builder.getI64IntegerAttr(3));
    if (!condition)
      return reshape(build<SoftmaxOp>(scores, axis), dims);

    const llvm::fltSemantics &semantics = cast<FloatType>(elementType).getFloatSemantics();
    bool isUniform = op.getMaskedRow() == MaskedRowKind::Uniform;
    Value masked = constant(isUniform ? APFloat::getLargest(semantics, /*Negative=*/true)
                                      : APFloat::getInf(semantics, /*Negative=*/true));
    Value probabilities = build<SoftmaxOp>(build<SelectOp>({condition, scores, masked}), axis);
    // Masked keys have probability 0 already, but in rows where all are masked: those are NaN.
    if (op.getMaskedRow() == MaskedRowKind::Zero)
      probabilities = build<SelectOp>({condition, probabilities, constant(0.0)});
    return reshape(probabilities, dims);
  }

  Value multiplyValues(Value probabilities, Value values) {
    return build<MatmulOp>({group(probabilities), values});
  }

  AttentionOp op;
  OpBuilder builder;
  Location loc;
  Type elementType;
  bool failed = false;
};

struct DecomposeOps : mlir::tfc::impl::DecomposeOpsBase<DecomposeOps> {
  using DecomposeOpsBase::DecomposeOpsBase;

  void runOnOperation() override {
    SmallVector<AttentionOp> attentions;
    getOperation().walk([&](AttentionOp op) { attentions.push_back(op); });
    for (AttentionOp op : attentions) {
      AttentionDecomposer decomposer(op);
      if (mlir::failed(keepAttention && hasAttentionKernel(op) ? decomposer.splitPast() : decomposer.run()))
        return signalPassFailure();
    }
  }
};
} // namespace
