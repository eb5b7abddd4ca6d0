//===- WeightView.cpp - Views of weights and what comes of them -------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Dialect/Tfc/IR/WeightView.h"

using namespace mlir;
using namespace mlir::tfc;

SmallVector<int64_t> mlir::tfc::getRowMajorStrides(ArrayRef<int64_t> shape) {
  SmallVector<int64_t> strides(shape.size(), 1);
  for (size_t i = shape.size(); i-- > 1;)
    strides[i - 1] = strides[i] * shape[i];
  return strides;
}

WeightView WeightView::of(WeightOp weight) {
  RankedTensorType type = weight.getTensorType();
  LayoutAttr layout = weight.getLayoutAttr();
  if (!layout)
    return {type, {LinearMap{0, getRowMajorStrides(type.getShape())}}};
  SmallVector<LinearMap> maps{LinearMap{layout.getOffset(), SmallVector<int64_t>(layout.getStrides())}};
  for (LayoutBoundAttr bound : layout.getBounds())
    maps.push_back(LinearMap{bound.getOffset(), SmallVector<int64_t>(bound.getStrides()), bound.getExtent()});
  return {type, std::move(maps)};
}

LayoutAttr WeightView::getLayout() const {
  MLIRContext *context = type.getContext();
  SmallVector<LayoutBoundAttr> bounds;
  for (const LinearMap &map : ArrayRef(maps).drop_front())
    bounds.push_back(LayoutBoundAttr::get(context, map.offset, map.strides, map.extent));
  return LayoutAttr::get(context, maps[0].offset, maps[0].strides, bounds);
}

bool WeightView::isPlain() const {
  return !isPadded() && maps[0].offset == 0 && maps[0].strides == getRowMajorStrides(getShape());
}

WeightView WeightView::transpose(ArrayRef<int64_t> permutation) const {
  SmallVector<int64_t> shape;
  SmallVector<LinearMap> result;
  for (int64_t dim : permutation)
    shape.push_back(getShape()[dim]);
  for (const LinearMap &map : maps) {
    LinearMap &next = result.emplace_back(LinearMap{map.offset, {}, map.extent});
    for (int64_t dim : permutation)
      next.strides.push_back(map.strides[dim]);
  }
  return {withShape(shape), std::move(result)};
}

WeightView WeightView::slice(ArrayRef<int64_t> offsets, ArrayRef<int64_t> sizes, ArrayRef<int64_t> strides) const {
  SmallVector<LinearMap> result(maps);
  for (LinearMap &map : result)
    for (auto [dim, stride] : llvm::enumerate(map.strides)) {
      map.offset += offsets[dim] * stride;
      stride *= strides[dim];
    }
  return {withShape(sizes), std::move(result)};
}

std::optional<WeightView::LinearMap> WeightView::reshape(const LinearMap &map, ArrayRef<int64_t> from,
                                                         ArrayRef<int64_t> to) {
  LinearMap result{map.offset, SmallVector<int64_t>(to.size(), 1), map.extent};
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
    std::optional<int64_t> innermost;
    int64_t expected = 0;
    for (size_t d = i; d-- > fromStart;) {
      if (from[d] == 1)
        continue;
      if (!innermost)
        innermost = map.strides[d];
      else if (map.strides[d] != expected)
        return std::nullopt;
      expected = map.strides[d] * from[d];
    }
    int64_t stride = innermost.value_or(1);
    for (size_t d = j; d-- > toStart;) {
      result.strides[d] = stride;
      stride *= to[d];
    }
  }
  return result;
}

std::optional<WeightView> WeightView::reshape(ArrayRef<int64_t> shape) const {
  SmallVector<LinearMap> result;
  for (const LinearMap &map : maps) {
    // Nothing is read from an empty weight, so any strides do.
    std::optional<LinearMap> next = type.getNumElements() == 0
                                        ? LinearMap{map.offset, SmallVector<int64_t>(shape.size(), 1), map.extent}
                                        : reshape(map, getShape(), shape);
    if (!next)
      return std::nullopt;
    result.push_back(std::move(*next));
  }
  return WeightView(withShape(shape), std::move(result));
}

WeightView WeightView::pad(ArrayRef<int64_t> low, ArrayRef<int64_t> shape) const {
  SmallVector<LinearMap> result(maps);
  for (LinearMap &map : result)
    for (auto [dim, stride] : llvm::enumerate(map.strides))
      map.offset -= low[dim] * stride;
  for (auto [dim, size] : llvm::enumerate(getShape())) {
    if (low[dim] <= 0 && shape[dim] - low[dim] <= size)
      continue; // Nothing but elements of this view along this dim.
    LinearMap bound{-low[dim], SmallVector<int64_t>(getRank(), 0), size};
    bound.strides[dim] = 1;
    result.push_back(std::move(bound));
  }
  return {withShape(shape), std::move(result)};
}
