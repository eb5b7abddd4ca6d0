//===- FoldConstants.cpp - What is computed from weights alone becomes a weight -----------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Dialect/Tfc/IR/BuildOp.h"
#include "tfc/Dialect/Tfc/IR/WeightView.h"
#include "tfc/Dialect/Tfc/Transforms/Passes.h"

#include "mlir/IR/Matchers.h"
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

/// Makes weights for views, one per distinct (source, view).
class ViewMaker {
public:
  explicit ViewMaker(ModuleOp module) : symbols(module) {
    for (WeightOp weight : module.getOps<WeightOp>())
      weights.try_emplace(key(weight.getSource(), WeightView::of(weight), weight.getSourceElementType()), weight);
  }

  WeightOp lookup(WeightRefOp ref) { return symbols.lookup<WeightOp>(ref.getWeight()); }

  /// The weight that is this view of `base`'s source.
  WeightOp get(WeightOp base, const WeightView &view) {
    Type sourceElement = base.getSourceElementType();
    WeightOp &weight = weights[key(base.getSource(), view, sourceElement)];
    if (weight)
      return weight;
    OpBuilder builder(base);
    builder.setInsertionPointAfter(base);
    RankedTensorType type = view.getType();
    LayoutAttr layout = view.isPlain() && isWhole(base, type) ? LayoutAttr() : view.getLayout();
    TypeAttr element = sourceElement == type.getElementType() ? TypeAttr() : TypeAttr::get(sourceElement);
    weight = WeightOp::create(builder, base.getLoc(), builder.getStringAttr(base.getSymName() + "_view"),
                              TypeAttr::get(type), base.getSource(), layout, element);
    symbols.insert(weight);
    return weight;
  }

private:
  /// A dense source without a layout must have exactly the type's elements.
  static bool isWhole(WeightOp base, RankedTensorType type) {
    auto dense = dyn_cast<DenseElementsAttr>(base.getSource());
    return !dense || dense.getNumElements() == type.getNumElements();
  }

  static Attribute key(Attribute source, const WeightView &view, Type sourceElement) {
    return ArrayAttr::get(source.getContext(),
                          {source, TypeAttr::get(view.getType()), view.getLayout(), TypeAttr::get(sourceElement)});
  }

  SymbolTable symbols;
  llvm::DenseMap<Attribute, WeightOp> weights;
};

/// Constant values of all expressions, or nothing.
std::optional<SmallVector<int64_t>> getConstants(ArrayAttr expressions) {
  SmallVector<int64_t> values;
  for (Attribute expression : expressions) {
    std::optional<int64_t> value = cast<DimExprAttr>(expression).getConstant();
    if (!value)
      return std::nullopt;
    values.push_back(*value);
  }
  return values;
}

/// Padding makes a weight larger. Up to this many elements it may, or to twice its size: a small file must not become a large artifact.
constexpr int64_t kPaddedElements = int64_t(1) << 20;

bool isWorthStoring(RankedTensorType padded, RankedTensorType from) {
  int64_t count = 1;
  for (int64_t size : padded.getShape())
    if (__builtin_mul_overflow(count, size, &count))
      return false;
  return count <= kPaddedElements || count / 2 <= from.getNumElements();
}

/// Whether the op fills with zeros, which a layout can say.
bool padsWithZero(PadOp pad) {
  return pad.getMode() == "constant" && (!pad.getValue() || matchPattern(pad.getValue(), m_PosZeroFloat()) ||
                                         matchPattern(pad.getValue(), m_Zero()));
}

std::optional<WeightView> applyToView(Operation *op, const WeightView &view) {
  auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  if (!type || !type.hasStaticShape())
    return std::nullopt;
  if (auto transpose = dyn_cast<TransposeOp>(op))
    return view.transpose(transpose.getPermutation());
  if (auto slice = dyn_cast<SliceOp>(op)) {
    std::optional<SmallVector<int64_t>> offsets = getConstants(slice.getOffsets());
    if (!offsets || llvm::any_of(slice.getStrides(), [](int64_t stride) { return stride < 0; }))
      return std::nullopt;
    return view.slice(*offsets, type.getShape(), slice.getStrides());
  }
  if (auto pad = dyn_cast<PadOp>(op)) {
    std::optional<SmallVector<int64_t>> low = getConstants(pad.getLow());
    auto isFar = [](int64_t count) { return count < INT32_MIN || count > INT32_MAX; };
    if (!low || llvm::any_of(*low, isFar) || !padsWithZero(pad) || type.getRank() == 0 || !isWorthStoring(type, view.getType()))
      return std::nullopt;
    return view.pad(*low, type.getShape());
  }
  if (isa<ReshapeOp>(op))
    return view.reshape(type.getShape());
  return std::nullopt;
}

/// A view of a weight becomes a weight.
struct FoldViewOfWeight : RewritePattern {
  FoldViewOfWeight(MLIRContext *context, ViewMaker &views, Pass::Statistic &folded)
      : RewritePattern(MatchAnyOpTypeTag(), /*benefit=*/1, context), views(views), folded(folded) {}

  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    if (!isa<TransposeOp, SliceOp, ReshapeOp, PadOp>(op))
      return failure();
    auto ref = op->getOperand(0).getDefiningOp<WeightRefOp>();
    WeightOp weight = ref ? views.lookup(ref) : WeightOp();
    if (!weight || !weight.getParts().empty())
      return rewriter.notifyMatchFailure(op, "the operand is no weight, or one without bytes of its own");
    std::optional<WeightView> view = applyToView(op, WeightView::of(weight));
    if (!view)
      return rewriter.notifyMatchFailure(op, "no layout says it");
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
      WeightView view = WeightView::of(weight);
      auto permutation = llvm::to_vector(llvm::seq<int64_t>(0, view.getRank()));
      std::swap(permutation[view.getRank() - 1], permutation[view.getRank() - 2]);
      view = view.transpose(permutation);
      WeightOp straight = views.get(weight, view);
      OpBuilder builder(matmul);
      Value newRef = WeightRefOp::create(builder, ref.getLoc(), view.getType(), straight.getSymNameAttr());
      matmul.getBMutable().assign(newRef);
      matmul.setTransposeB(false);
      ++foldedViews;
      if (ref->use_empty())
        ref->erase();
    }
  }
};

} // namespace
