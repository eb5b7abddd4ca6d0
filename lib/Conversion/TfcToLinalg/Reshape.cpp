//===- Reshape.cpp - Lowering of reshape -----------------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Both shapes are split into groups of dims with equal products, as far left as possible. A group collapses
// to one dim and expands to the other shape: views that copy nothing. Two things have no view: a group that
// would expand into several dims of unknown size (upstream's expand-strided-metadata does not survive it),
// and shapes that are equal only in total for reasons that the expressions do not show. Then each element is
// copied through its linear index.
//
//===----------------------------------------------------------------------------------------------===//

#include "LinalgBody.h"

#include "tfc/Conversion/TfcToLinalg/DimArithmetic.h"
#include "tfc/Conversion/TfcToLinalg/TfcToLinalg.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/DialectConversion.h"

using namespace mlir;
using namespace mlir::tfc;

namespace {
/// Groups of source dims and of result dims, one of each with equal products.
struct Grouping {
  SmallVector<ReassociationIndices> source, result;
};

/// Takes dims from whichever side has the smaller product until the products are equal. Symbolic products
/// cannot be ordered; a product that divides the other counts as the smaller one.
class GroupFinder {
public:
  GroupFinder(ArrayRef<DimExprAttr> source, ArrayRef<DimExprAttr> result) : source(source), result(result) {}

  std::optional<Grouping> find() {
    while (nextSource < source.size() && nextResult < result.size())
      if (!findGroup())
        return std::nullopt;
    // What is left over must be ones; they join the last group.
    while (nextSource < source.size())
      if (!joinLast(source, nextSource, grouping.source))
        return std::nullopt;
    while (nextResult < result.size())
      if (!joinLast(result, nextResult, grouping.result))
        return std::nullopt;
    return grouping;
  }

private:
  static void take(ArrayRef<DimExprAttr> dims, size_t &next, ReassociationIndices &group,
                   DimExprAttr &product) {
    product = group.empty() ? dims[next] : product * dims[next];
    group.push_back(next++);
  }

  bool findGroup() {
    ReassociationIndices sourceGroup, resultGroup;
    DimExprAttr sourceProduct, resultProduct;
    take(source, nextSource, sourceGroup, sourceProduct);
    take(result, nextResult, resultGroup, resultProduct);
    while (sourceProduct != resultProduct) {
      bool canTakeSource = nextSource < source.size(), canTakeResult = nextResult < result.size();
      if (canTakeSource && (resultProduct.exactDiv(sourceProduct) || !canTakeResult))
        take(source, nextSource, sourceGroup, sourceProduct);
      else if (canTakeResult && (sourceProduct.exactDiv(resultProduct) || !canTakeSource))
        take(result, nextResult, resultGroup, resultProduct);
      else if (canTakeSource && source.size() - nextSource >= result.size() - nextResult)
        take(source, nextSource, sourceGroup, sourceProduct);
      else if (canTakeResult)
        take(result, nextResult, resultGroup, resultProduct);
      else
        return false;
    }
    grouping.source.push_back(std::move(sourceGroup));
    grouping.result.push_back(std::move(resultGroup));
    return true;
  }

  static bool joinLast(ArrayRef<DimExprAttr> dims, size_t &next, SmallVector<ReassociationIndices> &groups) {
    if (groups.empty() || !dims[next].isConstant(1))
      return false;
    groups.back().push_back(next++);
    return true;
  }

  ArrayRef<DimExprAttr> source, result;
  size_t nextSource = 0, nextResult = 0;
  Grouping grouping;
};

struct LowerReshape : OpConversionPattern<ReshapeOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(ReshapeOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    auto type = dyn_cast_or_null<RankedTensorType>(getTypeConverter()->convertType(op.getType()));
    if (!type)
      return rewriter.notifyMatchFailure(op, "the element type has no lowering");
    Value result = createView(rewriter, op, adaptor.getX(), type);
    rewriter.replaceOp(op, result ? result : createCopy(rewriter, op, adaptor.getX()));
    return success();
  }

private:
  /// Null when there is no view.
  static Value createView(OpBuilder &builder, ReshapeOp op, Value x, RankedTensorType type) {
    Location loc = op.getLoc();
    auto sourceType = cast<RankedTensorType>(x.getType());
    SmallVector<DimExprAttr> dims = getDims(op.getType());
    if (sourceType == type && getDims(op.getX()) == dims)
      return x;
    SmallVector<OpFoldResult> sizes;
    // From or to one element: all dims are 1.
    if (sourceType.getRank() == 0 || type.getRank() == 0) {
      RankedTensorType other = type.getRank() == 0 ? sourceType : type;
      if (!llvm::all_of(other.getShape(), [](int64_t size) { return size == 1; }))
        return nullptr;
      if (type.getRank() == 0)
        return tensor::CollapseShapeOp::create(builder, loc, type, x, ArrayRef<ReassociationIndices>{});
      return tensor::ExpandShapeOp::create(builder, loc, type, x, ArrayRef<ReassociationIndices>{});
    }
    std::optional<Grouping> grouping = GroupFinder(getDims(op.getX()), dims).find();
    if (!grouping)
      return nullptr;
    for (const ReassociationIndices &group : grouping->result)
      if (llvm::count_if(group, [&](int64_t dim) { return type.isDynamicDim(dim); }) > 1)
        return nullptr;
    RankedTensorType middle = collapse(type, grouping->result);
    if (middle != collapse(sourceType, grouping->source))
      return nullptr;
    if (middle != sourceType)
      x = tensor::CollapseShapeOp::create(builder, loc, middle, x, grouping->source);
    if (middle == type)
      return x;
    for (DimExprAttr dim : dims)
      sizes.push_back(getDimSize(builder, loc, dim));
    return tensor::ExpandShapeOp::create(builder, loc, type, x, grouping->result, sizes);
  }

  static RankedTensorType collapse(RankedTensorType type, ArrayRef<ReassociationIndices> groups) {
    SmallVector<int64_t> shape;
    for (const ReassociationIndices &group : groups) {
      int64_t size = 1;
      for (int64_t dim : group)
        size = ShapedType::isDynamic(size) || type.isDynamicDim(dim) ? ShapedType::kDynamic
                                                                     : size * type.getDimSize(dim);
      shape.push_back(size);
    }
    return type.clone(shape);
  }

  static Value createCopy(OpBuilder &builder, ReshapeOp op, Value x) {
    Location loc = op.getLoc();
    auto materialize = [&](DimExprAttr dim) { return materializeDim(builder, loc, dim); };
    SmallVector<Value> from = llvm::map_to_vector(getDims(op.getX()), materialize);
    SmallVector<Value> to = llvm::map_to_vector(getDims(op.getType()), materialize);
    Type elementType = op.getType().getElementType();
    return createFromIndices(builder, loc, op.getType(), [&](OpBuilder &body, ValueRange indices) {
      Value linear = arith::ConstantIndexOp::create(body, loc, 0);
      for (auto [index, dim] : llvm::zip_equal(indices, to))
        linear = arith::AddIOp::create(body, loc, arith::MulIOp::create(body, loc, linear, dim).getResult(),
                                       index);
      SmallVector<Value> source(from.size());
      for (size_t dim = from.size(); dim-- > 0;) {
        if (dim == 0) {
          source[dim] = linear;
          break;
        }
        // The body runs for no element when a dim is 0; the 1 keeps a hoisted division from trapping.
        Value one = arith::ConstantIndexOp::create(body, loc, 1);
        Value divisor = arith::MaxSIOp::create(body, loc, from[dim], one);
        source[dim] = arith::RemUIOp::create(body, loc, linear, divisor);
        linear = arith::DivUIOp::create(body, loc, linear, divisor);
      }
      return readElement(body, loc, x, source, elementType);
    });
  }
};
} // namespace

void mlir::tfc::populateTfcToLinalgReshapePatterns(const TypeConverter &converter,
                                                   RewritePatternSet &patterns) {
  patterns.add<LowerReshape>(converter, patterns.getContext());
}
