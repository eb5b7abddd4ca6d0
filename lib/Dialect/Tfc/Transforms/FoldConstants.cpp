//===- FoldConstants.cpp - What is computed from weights alone becomes a weight -----------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Dialect/Tfc/IR/BuildOp.h"
#include "tfc/Dialect/Tfc/Transforms/Passes.h"

#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mlir::tfc {
#define GEN_PASS_DEF_FOLDCONSTANTS
#include "tfc/Dialect/Tfc/Transforms/Passes.h.inc"
} // namespace mlir::tfc

using namespace mlir;
using namespace mlir::tfc;

namespace {

/// A strided view of a weight's source, before it has a name.
struct View {
  RankedTensorType type;
  int64_t offset;
  SmallVector<int64_t> strides;
};

SmallVector<int64_t> rowMajorStrides(ArrayRef<int64_t> shape) {
  SmallVector<int64_t> strides(shape.size(), 1);
  for (int64_t i = static_cast<int64_t>(shape.size()) - 2; i >= 0; --i)
    strides[i] = strides[i + 1] * shape[i + 1];
  return strides;
}

/// Makes weights for views, one per distinct (source, view).
class ViewMaker {
public:
  explicit ViewMaker(ModuleOp module) : symbols(module) {
    for (WeightOp weight : module.getOps<WeightOp>())
      weights.try_emplace(key(weight.getSource(), weight.getType(), getView(weight), weight.getSourceElementType()), weight);
  }

  WeightOp lookup(WeightRefOp ref) { return symbols.lookup<WeightOp>(ref.getWeight()); }

  static View getView(WeightOp weight) {
    RankedTensorType type = weight.getTensorType();
    if (LayoutAttr layout = weight.getLayoutAttr())
      return {type, layout.getOffset(), SmallVector<int64_t>(layout.getStrides())};
    return {type, 0, rowMajorStrides(type.getShape())};
  }

  /// The weight that is this view of `base`'s source.
  WeightOp get(WeightOp base, const View &view) {
    Type sourceElement = base.getSourceElementType();
    WeightOp &weight = weights[key(base.getSource(), view.type, view, sourceElement)];
    if (weight)
      return weight;
    OpBuilder builder(base);
    builder.setInsertionPointAfter(base);
    bool rowMajor = view.offset == 0 && view.strides == rowMajorStrides(view.type.getShape()) && isWhole(base, view);
    LayoutAttr layout = rowMajor ? LayoutAttr() : LayoutAttr::get(base.getContext(), view.offset, view.strides);
    TypeAttr element = sourceElement == view.type.getElementType() ? TypeAttr() : TypeAttr::get(sourceElement);
    weight = WeightOp::create(builder, base.getLoc(), builder.getStringAttr(base.getSymName() + "_view"),
                              TypeAttr::get(view.type), base.getSource(), layout, element);
    symbols.insert(weight);
    return weight;
  }

private:
  /// A dense source without a layout must have exactly the type's elements.
  static bool isWhole(WeightOp base, const View &view) {
    auto dense = dyn_cast<DenseElementsAttr>(base.getSource());
    return !dense || dense.getNumElements() == view.type.getNumElements();
  }

  static Attribute key(Attribute source, Type type, const View &view, Type sourceElement) {
    Builder builder(source.getContext());
    return builder.getArrayAttr({source, TypeAttr::get(type), builder.getI64IntegerAttr(view.offset),
                                 builder.getDenseI64ArrayAttr(view.strides), TypeAttr::get(sourceElement)});
  }

  SymbolTable symbols;
  llvm::DenseMap<Attribute, WeightOp> weights;
};

/// The view of `view` under a reshape to `shape`, where strides can say it: dims are split, and runs of dims that lie
/// behind each other are merged.
std::optional<View> reshapeView(const View &view, RankedTensorType type) {
  ArrayRef<int64_t> from = view.type.getShape(), to = type.getShape();
  View result{type, view.offset, SmallVector<int64_t>(to.size(), 1)};
  if (view.type.getNumElements() == 0)
    return result;
  size_t i = 0, j = 0;
  while (i < from.size() || j < to.size()) {
    // One group of dims on each side with the same number of elements.
    size_t fromStart = i, toStart = j;
    int64_t fromCount = i < from.size() ? from[i++] : 1, toCount = j < to.size() ? to[j++] : 1;
    while (fromCount != toCount) {
      if (fromCount < toCount) {
        if (i == from.size())
          return std::nullopt;
        fromCount *= from[i++];
      } else {
        if (j == to.size())
          return std::nullopt;
        toCount *= to[j++];
      }
    }
    // The source group must be one run: each stride is the next one times the next length.
    int64_t innermost = 1, expected = -1;
    for (size_t d = i; d-- > fromStart;) {
      if (from[d] == 1)
        continue;
      if (expected == -1)
        innermost = view.strides[d];
      else if (view.strides[d] != expected)
        return std::nullopt;
      expected = view.strides[d] * from[d];
    }
    int64_t stride = innermost;
    for (size_t d = j; d-- > toStart;) {
      result.strides[d] = stride;
      stride *= to[d];
    }
  }
  return result;
}

std::optional<View> applyToView(Operation *op, const View &view) {
  auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  if (!type || !type.hasStaticShape())
    return std::nullopt;
  if (auto transpose = dyn_cast<TransposeOp>(op)) {
    View result{type, view.offset, {}};
    for (int64_t dim : transpose.getPermutation())
      result.strides.push_back(view.strides[dim]);
    return result;
  }
  if (auto slice = dyn_cast<SliceOp>(op)) {
    View result{type, view.offset, {}};
    for (auto [dim, stride] : llvm::enumerate(slice.getStrides())) {
      std::optional<int64_t> offset = cast<DimExprAttr>(slice.getOffsets()[dim]).getConstant();
      if (!offset || stride < 0)
        return std::nullopt;
      result.offset += *offset * view.strides[dim];
      result.strides.push_back(stride * view.strides[dim]);
    }
    return result;
  }
  if (isa<ReshapeOp>(op))
    return reshapeView(view, type);
  return std::nullopt;
}

/// A view of a weight becomes a weight.
struct FoldViewOfWeight : RewritePattern {
  FoldViewOfWeight(MLIRContext *context, ViewMaker &views, Pass::Statistic &folded)
      : RewritePattern(MatchAnyOpTypeTag(), /*benefit=*/1, context), views(views), folded(folded) {}

  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    if (!isa<TransposeOp, SliceOp, ReshapeOp>(op))
      return failure();
    auto ref = op->getOperand(0).getDefiningOp<WeightRefOp>();
    WeightOp weight = ref ? views.lookup(ref) : WeightOp();
    if (!weight || !weight.getParts().empty())
      return rewriter.notifyMatchFailure(op, "the operand is no weight, or one without bytes of its own");
    std::optional<View> view = applyToView(op, ViewMaker::getView(weight));
    if (!view)
      return rewriter.notifyMatchFailure(op, "no strided view says it");
    WeightOp result = views.get(weight, *view);
    rewriter.replaceOpWithNewOp<WeightRefOp>(op, op->getResult(0).getType(), result.getSymNameAttr());
    ++folded;
    return success();
  }

  ViewMaker &views;
  Pass::Statistic &folded;
};

struct FoldConstantsPass : mlir::tfc::impl::FoldConstantsBase<FoldConstantsPass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    ViewMaker views(module);
    RewritePatternSet patterns(&getContext());
    patterns.add<FoldViewOfWeight>(&getContext(), views, foldedViews);
    if (failed(applyPatternsGreedily(module, std::move(patterns))))
      module.emitWarning("folding views of weights did not settle");
    straightenMatmuls(module, views);
  }

  /// matmul(x, w) {transpose_b} -> matmul(x, w'), w' the weight as [K, N], unless the bytes of w are used in their own
  /// layout as well.
  void straightenMatmuls(ModuleOp module, ViewMaker &views) {
    llvm::DenseMap<Attribute, int> usesInOwnLayout;
    SmallVector<MatmulOp> candidates;
    auto isCandidate = [](Operation *user, Value ref) {
      auto matmul = dyn_cast<MatmulOp>(user);
      return matmul && matmul.getTransposeB() && matmul.getB() == ref && matmul.getA() != ref;
    };
    module.walk([&](WeightRefOp ref) {
      WeightOp weight = views.lookup(ref);
      if (!weight || !weight.getParts().empty())
        return;
      for (Operation *user : ref->getUsers()) {
        if (isCandidate(user, ref.getY()))
          candidates.push_back(cast<MatmulOp>(user));
        else
          ++usesInOwnLayout[weight.getSource()];
      }
    });
    for (MatmulOp matmul : candidates) {
      auto ref = matmul.getB().getDefiningOp<WeightRefOp>();
      WeightOp weight = views.lookup(ref);
      if (usesInOwnLayout.contains(weight.getSource()))
        continue;
      View view = ViewMaker::getView(weight);
      size_t rank = view.strides.size();
      SmallVector<int64_t> shape(view.type.getShape());
      std::swap(shape[rank - 1], shape[rank - 2]);
      std::swap(view.strides[rank - 1], view.strides[rank - 2]);
      view.type = RankedTensorType::get(shape, view.type.getElementType());
      WeightOp straight = views.get(weight, view);
      OpBuilder builder(matmul);
      Value newRef = WeightRefOp::create(builder, ref.getLoc(), view.type, straight.getSymNameAttr());
      matmul.getBMutable().assign(newRef);
      matmul.setTransposeB(false);
      ++foldedViews;
      if (ref->use_empty())
        ref->erase();
    }
  }
};

} // namespace
