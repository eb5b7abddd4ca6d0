//===- MergeProducts.cpp - Query, key and value as one product
//------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
//   x Wq + bq, x Wk + bk, x Wv + bv   becomes   slices of   x [Wq Wk Wv] + [bq bk bv]
//
// The weights stand behind each other as `#tfc.stack`, each written as [columns, K], so that no byte is
// copied here and every source (file, seed) stays what it was. The slices are views for whoever reads them:
// FormKernels puts a slice into the kernel of its user.
//
// Candidates are products of one value whose columns are then split into heads; that tells queries, keys and
// values from other products of one value, such as the two of a gated activation, which want to stay apart.
//
//===----------------------------------------------------------------------------------------------===//

#include "GraphMatchers.h"

#include "tfc/Dialect/Tfc/IR/BuildOp.h"
#include "tfc/Dialect/Tfc/IR/WeightView.h"
#include "tfc/Dialect/Tfc/Transforms/AttentionKernels.h"
#include "tfc/Dialect/Tfc/Transforms/FusionRemarks.h"
#include "tfc/Dialect/Tfc/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringExtras.h"

namespace mlir::tfc {
#define GEN_PASS_DEF_MERGEPRODUCTS
#include "tfc/Dialect/Tfc/Transforms/Passes.h.inc"
} // namespace mlir::tfc

using namespace mlir;
using namespace mlir::tfc;

namespace {

/// The vectors of every target we know divide this many columns, so that a packed part ends where a panel
/// ends.
constexpr int64_t kColumnsStep = 16;

/// One product of a group.
struct Part {
  MatmulOp matmul;
  WeightOp weight;
  AddOp add;  ///< Of the bias; null without one.
  Value bias; ///< One element per column.
  int64_t columns;

  Value getResult() { return add ? add->getResult(0) : matmul->getResult(0); }
};

/// Makes stacks of weights, one per list of parts.
class StackMaker {
public:
  explicit StackMaker(ModuleOp module) : symbols(module) {}

  WeightOp lookup(WeightRefOp ref) { return symbols.lookup<WeightOp>(ref.getWeight()); }

  /// A part of a stack, as yet without a name.
  struct Piece {
    std::string name;
    RankedTensorType type;
    Attribute source;
    LayoutAttr layout;
    TypeAttr sourceElement;
  };

  Value refer(OpBuilder &builder, Location loc, ArrayRef<Piece> pieces, WeightOp before) {
    SmallVector<Attribute> key;
    for (const Piece &piece : pieces)
      key.append({TypeAttr::get(piece.type), piece.source,
                  piece.layout ? Attribute(piece.layout) : builder.getUnitAttr(),
                  piece.sourceElement ? Attribute(piece.sourceElement) : builder.getUnitAttr()});
    WeightOp &stack = stacks[builder.getArrayAttr(key)];
    if (!stack)
      stack = make(loc, pieces, before);
    return WeightRefOp::create(builder, loc, stack.getTensorType(), stack.getSymNameAttr());
  }

private:
  WeightOp make(Location loc, ArrayRef<Piece> pieces, WeightOp before) {
    OpBuilder builder(before);
    SmallVector<FlatSymbolRefAttr> parts;
    int64_t rows = 0;
    for (const Piece &piece : pieces) {
      auto part =
          WeightOp::create(builder, loc, builder.getStringAttr(piece.name + "_part"),
                           TypeAttr::get(piece.type), piece.source, piece.layout, piece.sourceElement);
      parts.push_back(FlatSymbolRefAttr::get(symbols.insert(part)));
      rows += piece.type.getDimSize(0);
    }
    SmallVector<int64_t> shape(pieces.front().type.getShape());
    shape[0] = rows;
    auto type = RankedTensorType::get(shape, pieces.front().type.getElementType());
    auto stack = WeightOp::create(builder, loc, builder.getStringAttr(pieces.front().name + "_stack"),
                                  TypeAttr::get(type), StackedSourceAttr::get(builder.getContext(), parts),
                                  LayoutAttr(), TypeAttr());
    symbols.insert(stack);
    return stack;
  }

  SymbolTable symbols;
  llvm::DenseMap<Attribute, WeightOp> stacks;
};

/// The one op that uses the value, or null.
Operation *getOnlyUser(Value value) { return value.hasOneUse() ? *value.user_begin() : nullptr; }

/// True when the user splits the columns into heads: reshape from [..., n] to [..., heads, size], or to more dims.
bool isSplitBy(Value value, Operation *user) {
  auto reshape = dyn_cast<ReshapeOp>(user);
  if (!reshape)
    return false;
  DimExprAttr columns = getDims(value).back();
  SmallVector<DimExprAttr> dims = getDims(reshape.getY());
  return dims.size() >= 2 && dims.back() != columns && dims[dims.size() - 2] * dims.back() == columns;
}

bool isSplitIntoHeads(Value value) {
  return !value.use_empty() && llvm::all_of(value.getUsers(), [&](Operation *user) { return isSplitBy(value, user); });
}

class Merger {
public:
  Merger(ArrayRef<MatmulOp> products, StackMaker &stacks)
      : products(products), stacks(stacks), decision("qkv", products.front()) {}

  LogicalResult match() {
    for (MatmulOp matmul : products)
      if (failed(matchPart(matmul)))
        return failure();
    return success();
  }

  LogicalResult rewrite() {
    // The walk gives them in the order of the block, so the first one stands before everything that uses any
    // of them.
    MatmulOp first = parts.front().matmul;
    OpBuilder builder(first);
    SmallVector<Operation *> ops;
    SmallVector<std::string> names;
    for (Part &part : parts) {
      ops.push_back(part.matmul);
      if (part.add)
        ops.push_back(part.add);
      names.push_back(getMakingNode(part.getResult().getLoc()));
    }
    Location loc = nameTensor(fuseLocations(ops), llvm::join(names, "+"));
    FailureOr<Value> merged = buildOp<MatmulOp>(
        builder, loc, {first.getA(), stacks.refer(builder, loc, getWeightPieces(), parts.front().weight)},
        builder.getNamedAttr("transpose_b", builder.getUnitAttr()));
    auto hasTypeOfFirst = [&](Part &part) { return part.matmul->getAttr(kOperandType) == first->getAttr(kOperandType); };
    if (succeeded(merged) && llvm::all_of(parts, hasTypeOfFirst))
      copyOperandType(first, merged->getDefiningOp());
    if (succeeded(merged) && hasBias())
      merged = buildOp<AddOp>(builder, loc,
                              {*merged, stacks.refer(builder, loc, getBiasPieces(), parts.front().weight)});
    if (failed(merged))
      return failure();
    int64_t offset = 0;
    for (Part &part : parts) {
      Value result = part.getResult();
      auto constant = [&](int64_t value) { return DimExprAttr::constant(builder.getContext(), value); };
      SmallVector<Attribute> offsets(getDims(result).size(), constant(0));
      SmallVector<int64_t> strides(offsets.size(), 1);
      offsets.back() = constant(offset);
      offset += part.columns;
      Value slice = SliceOp::create(builder, result.getLoc(), result.getType(), *merged,
                                    builder.getArrayAttr(offsets), strides);
      result.replaceAllUsesWith(slice);
    }
    for (Part &part : parts) {
      SmallVector<Operation *> dead{part.matmul};
      if (part.add)
        dead.push_back(part.add);
      eraseDead(std::move(dead));
    }
    return success();
  }

  FusionDecision &getDecision() { return decision; }
  std::string describe() {
    std::string text = std::to_string(products.size()) + " products of";
    for (Part &part : parts)
      text += (&part == parts.begin() ? " " : ", ") + std::to_string(part.columns);
    return text + " columns" + (hasBias() ? ", bias" : "");
  }

private:
  LogicalResult matchPart(MatmulOp matmul) {
    Part part;
    part.matmul = matmul;
    part.weight = stacks.lookup(matmul.getB().getDefiningOp<WeightRefOp>());
    if (!part.weight || !part.weight.getParts().empty())
      return decision.decline(matmul, "its weight is made of several");
    ArrayRef<int64_t> shape = part.weight.getTensorType().getShape();
    part.columns = shape[matmul.getTransposeB() ? 0 : 1];
    if (part.columns == 0 || part.columns % kColumnsStep != 0)
      return decision.decline(matmul, "its " + std::to_string(part.columns) + " columns are no multiple of " +
                                          std::to_string(kColumnsStep));
    Type element = part.weight.getTensorType().getElementType();
    if (!parts.empty() && element != parts.front().weight.getTensorType().getElementType())
      return decision.decline(matmul, "its weight has another element type");
    if (auto add = dyn_cast_if_present<AddOp>(getOnlyUser(matmul.getC()))) {
      part.add = add;
      part.bias = getOtherOperand(add, matmul.getC());
      SmallVector<DimExprAttr> dims = getDims(part.bias);
      auto constant = part.bias.getDefiningOp<ConstantOp>();
      bool isKnown =
          part.bias.getDefiningOp<WeightRefOp>() || (constant && isa<DenseElementsAttr>(constant.getValue()));
      if (!isKnown || dims.size() != 1 || !dims[0].isConstant(part.columns))
        return decision.decline(add, "its bias is not one constant per column");
    }
    parts.push_back(part);
    return success();
  }

  bool hasBias() const {
    return llvm::any_of(parts, [](const Part &part) { return part.bias != nullptr; });
  }

  SmallVector<StackMaker::Piece> getWeightPieces() {
    SmallVector<StackMaker::Piece> pieces;
    for (Part &part : parts) {
      WeightOp weight = part.weight;
      WeightView view = WeightView::of(weight);
      if (!MatmulOp(part.matmul).getTransposeB())
        view = view.transpose({1, 0});
      pieces.push_back({weight.getSymName().str(), view.getType(), weight.getSource(), view.getLayout(),
                        weight.getSourceElementAttr()});
    }
    return pieces;
  }

  SmallVector<StackMaker::Piece> getBiasPieces() {
    SmallVector<StackMaker::Piece> pieces;
    for (Part &part : parts) {
      WeightOp weight = part.weight;
      Type element = weight.getTensorType().getElementType();
      auto type = RankedTensorType::get({part.columns}, element);
      std::string name = weight.getSymName().str() + "_bias";
      if (!part.bias) {
        Attribute zeros = DenseElementsAttr::get(type, FloatAttr::get(element, 0.0));
        pieces.push_back({name, type, zeros, LayoutAttr(), TypeAttr()});
      } else if (auto constant = part.bias.getDefiningOp<ConstantOp>()) {
        pieces.push_back({name, type, constant.getValue(), LayoutAttr(), TypeAttr()});
      } else {
        WeightOp bias = stacks.lookup(part.bias.getDefiningOp<WeightRefOp>());
        pieces.push_back({bias.getSymName().str(), type, bias.getSource(), bias.getLayoutAttr(),
                          bias.getSourceElementAttr()});
      }
    }
    return pieces;
  }

  ArrayRef<MatmulOp> products;
  StackMaker &stacks;
  SmallVector<Part> parts;
  FusionDecision decision;
};

bool isProductWithWeight(MatmulOp matmul) {
  return !matmul.getTransposeA() && matmul.getB().getDefiningOp<WeightRefOp>() && getDims(matmul.getB()).size() == 2 &&
         isa<FloatType>(getElementTypeOrSelf(matmul.getB().getType()));
}

/// A product with a weight whose columns are split into heads, behind a bias or not.
bool isCandidate(MatmulOp matmul) {
  if (!isProductWithWeight(matmul))
    return false;
  Value result = matmul.getC();
  if (auto add = dyn_cast_if_present<AddOp>(getOnlyUser(result)); add && add.getType() == result.getType())
    result = add.getZ();
  return isSplitIntoHeads(result);
}

/// Says of a product beside others that it would be one of them, were it not used as a whole too.
void reportUsedElsewhere(MatmulOp matmul, size_t others) {
  Value result = matmul.getC();
  if (auto add = dyn_cast_if_present<AddOp>(getOnlyUser(result)); add && add.getType() == result.getType())
    result = add.getZ();
  auto isSplit = [&](OpOperand &use) { return isSplitBy(result, use.getOwner()); };
  if (others == 0 || result.hasOneUse() || llvm::none_of(result.getUses(), isSplit))
    return;
  FusionDecision decision("qkv", matmul);
  decision.report(decision.decline(matmul, "it is used as a whole too, not only split into heads"), "");
}

struct MergeProductsPass : mlir::tfc::impl::MergeProductsBase<MergeProductsPass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    StackMaker stacks(module);
    for (auto function : module.getOps<func::FuncOp>()) {
      // By what they multiply and where they stand.
      llvm::MapVector<std::pair<Value, Block *>, SmallVector<MatmulOp>> groups;
      SmallVector<MatmulOp> others;
      function.walk([&](MatmulOp matmul) {
        if (isCandidate(matmul))
          groups[{matmul.getA(), matmul->getBlock()}].push_back(matmul);
        else if (isProductWithWeight(matmul))
          others.push_back(matmul);
      });
      for (MatmulOp matmul : others)
        reportUsedElsewhere(matmul, groups.lookup({matmul.getA(), matmul->getBlock()}).size());
      for (auto &[key, products] : groups) {
        if (products.size() < 2)
          continue;
        Merger merger(products, stacks);
        LogicalResult matched = merger.match();
        merger.getDecision().report(matched, merger.describe());
        if (failed(matched))
          continue;
        ++mergedProducts;
        if (failed(merger.rewrite()))
          return signalPassFailure();
      }
    }
  }
};

} // namespace
