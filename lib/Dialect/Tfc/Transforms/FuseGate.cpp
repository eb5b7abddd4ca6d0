//===- FuseGate.cpp - Gated activations of one input
//---------------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// SwiGLU is silu(x A) * (x B), GeGLU the same with gelu. As two products it already is what a kernel wants:
// the second product, with activation and factor as its epilogue. As one product whose columns are split, the
// halves would be copied; the split moves into the weight, where it costs nothing, and gives two products.
//
//===----------------------------------------------------------------------------------------------===//

#include "GraphMatchers.h"

#include "tfc/Dialect/Tfc/IR/BuildOp.h"
#include "tfc/Dialect/Tfc/Transforms/FusionRemarks.h"
#include "tfc/Dialect/Tfc/Transforms/Passes.h"

namespace mlir::tfc {
#define GEN_PASS_DEF_FUSEGATE
#include "tfc/Dialect/Tfc/Transforms/Passes.h.inc"
} // namespace mlir::tfc

using namespace mlir;
using namespace mlir::tfc;

namespace {

/// A product with a bias or without one: bias(matmul).
struct Projection {
  MatmulOp matmul;
  AddOp add;
  Value bias;
};

/// The columns [offset, offset + count * stride) of a value.
bool isColumnSlice(SliceOp slice) {
  SmallVector<DimExprAttr> whole = getDims(slice.getX()), sliced = getDims(slice.getY());
  for (size_t i = 0; i + 1 < whole.size(); ++i)
    if (whole[i] != sliced[i] || slice.getStrides()[i] != 1)
      return false;
  return !whole.empty() && slice.getStrides().back() > 0 && sliced.back().isConstant() &&
         cast<DimExprAttr>(slice.getOffsets()[whole.size() - 1]).isConstant();
}

std::optional<Projection> matchProjection(Value value) {
  Projection projection;
  if (auto add = value.getDefiningOp<AddOp>()) {
    for (auto [product, bias] : {std::pair(add.getX(), add.getY()), {add.getY(), add.getX()}})
      if (product.getDefiningOp<MatmulOp>() && getDims(bias).size() <= 1 &&
          product.getType() == add.getType()) {
        projection.add = add;
        projection.bias = bias;
        value = product;
        break;
      }
  }
  projection.matmul = value.getDefiningOp<MatmulOp>();
  return projection.matmul ? std::optional(projection) : std::nullopt;
}

class GateMatcher {
public:
  GateMatcher(Operation *activation, MulOp product)
      : activation(activation), product(product), decision("swiglu", product) {}

  LogicalResult match() {
    Value gate = activation->getOperand(0), other = getOtherOperand(product, activation->getResult(0));
    if (!activation->hasOneUse())
      return decision.decline(activation, "the activation is used elsewhere too");
    std::optional<Projection> ofGate = matchProjection(gate), ofOther = matchProjection(other);
    if (ofGate && ofOther) {
      if (ofGate->matmul.getA() != ofOther->matmul.getA())
        return decision.decline(product, "its factors are products of different values");
      detail = "two products";
      return success();
    }
    slices = {gate.getDefiningOp<SliceOp>(), other.getDefiningOp<SliceOp>()};
    if (!slices[0] || !slices[1] || slices[0].getX() != slices[1].getX())
      return decision.decline(product, "its factors are neither two products nor the halves of one");
    detail = "one split product";
    return matchSplit();
  }

  LogicalResult rewrite() {
    for (SliceOp slice : slices)
      if (slice && failed(replaceSlice(slice)))
        return failure();
    return success();
  }

  FusionDecision &getDecision() { return decision; }
  std::string describe() const {
    std::string name = activation->getName().stripDialect().str();
    if (auto gelu = dyn_cast<GeluOp>(activation))
      name += " " + stringifyGeluKind(gelu.getKind()).str();
    return name + ", " + detail.str();
  }

private:
  LogicalResult matchSplit() {
    Value whole = slices[0].getX();
    std::optional<Projection> found = matchProjection(whole);
    if (!found)
      return decision.declineValue(whole, "what is split is no product");
    source = *found;
    for (SliceOp slice : slices)
      if (!isColumnSlice(slice))
        return decision.decline(slice, "the product is not split along its columns");
    Value weight = source.matmul.getB();
    if (!weight.getDefiningOp<WeightRefOp>() || getDims(weight).size() != 2)
      return decision.decline(source.matmul, "the product is not with a weight");
    if (source.add && getDims(source.bias).size() == 1 && !source.bias.getDefiningOp<WeightRefOp>() &&
        !source.bias.getDefiningOp<ConstantOp>())
      return decision.decline(source.add, "the bias is no constant");
    auto isSplit = [&](Operation *user) { return user == slices[0] || user == slices[1]; };
    if (!llvm::all_of(whole.getUsers(), isSplit) || (source.add && !source.matmul->hasOneUse()))
      return decision.declineValue(whole, "the product is used as a whole too");
    return success();
  }

  /// The columns of `slice` of a tensor whose dim `axis` runs along the product's columns.
  static FailureOr<Value> sliceAlong(OpBuilder &builder, Location loc, Value value, size_t axis,
                                     SliceOp slice) {
    SmallVector<DimExprAttr> dims = getDims(value);
    size_t last = slice.getOffsets().size() - 1;
    dims[axis] = getDims(slice.getY()).back();
    SmallVector<Attribute> offsets(dims.size(), DimExprAttr::constant(builder.getContext(), 0));
    SmallVector<int64_t> strides(dims.size(), 1);
    offsets[axis] = slice.getOffsets()[last];
    strides[axis] = slice.getStrides()[last];
    return buildOp<SliceOp>(builder, loc, value,
                            {builder.getNamedAttr("offsets", builder.getArrayAttr(offsets)),
                             builder.getNamedAttr("strides", builder.getDenseI64ArrayAttr(strides))},
                            getTensorType(dims, getElementTypeOrSelf(value.getType())));
  }

  /// slice(x W + b) -> x slice(W) + slice(b)
  LogicalResult replaceSlice(SliceOp slice) {
    OpBuilder builder(slice);
    MatmulOp matmul = source.matmul;
    FailureOr<Value> weight =
        sliceAlong(builder, matmul.getLoc(), matmul.getB(), matmul.getTransposeB() ? 0 : 1, slice);
    if (failed(weight))
      return failure();
    FailureOr<Value> result =
        buildOp<MatmulOp>(builder, matmul.getLoc(), {matmul.getA(), *weight}, matmul->getAttrs());
    if (succeeded(result) && source.add) {
      FailureOr<Value> bias = source.bias;
      if (getDims(source.bias).size() == 1 && !getDims(source.bias)[0].isConstant(1))
        bias = sliceAlong(builder, source.add.getLoc(), source.bias, 0, slice);
      if (failed(bias))
        return failure();
      result = buildOp<AddOp>(builder, source.add.getLoc(), {*result, *bias});
    }
    if (failed(result) || result->getType() != slice.getType())
      return failure();
    slice.replaceAllUsesWith(*result);
    slice.erase();
    return success();
  }

  Operation *activation;
  MulOp product;
  std::array<SliceOp, 2> slices;
  Projection source;
  StringRef detail;
  FusionDecision decision;
};

struct FuseGatePass : mlir::tfc::impl::FuseGateBase<FuseGatePass> {
  void runOnOperation() override {
    SmallVector<std::pair<Operation *, MulOp>> anchors;
    getOperation().walk([&](Operation *op) {
      if (!isa<SiluOp, GeluOp>(op))
        return;
      for (Operation *user : op->getUsers()) {
        auto mul = dyn_cast<MulOp>(user);
        Value other = mul ? getOtherOperand(mul, op->getResult(0)) : Value();
        // A constant or broadcast factor makes no gate.
        if (other && other.getType() == mul.getType() && !other.getDefiningOp<ConstantOp>() &&
            op->getResult(0).getType() == mul.getType())
          anchors.push_back({op, mul});
      }
    });
    for (auto [activation, product] : anchors) {
      GateMatcher matcher(activation, product);
      LogicalResult matched = matcher.match();
      matcher.getDecision().report(matched, matcher.describe());
      if (failed(matched))
        continue;
      ++fusedGates;
      if (failed(matcher.rewrite()))
        return signalPassFailure();
    }
  }
};

} // namespace
