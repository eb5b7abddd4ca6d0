//===- WeightView.h - Views of weights and what comes of them -----------------------------*- C++ -*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// How the elements of a weight lie in its source: one linear map from an element's index to the source's element, and for
// padded weights one more per bound. A view of a view is the same change of all these maps.
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_DIALECT_TFC_IR_WEIGHTVIEW_H
#define TFC_DIALECT_TFC_IR_WEIGHTVIEW_H

#include "tfc/Dialect/Tfc/IR/TfcOps.h"

namespace mlir::tfc {

class WeightView {
public:
  /// How this weight reads its source.
  static WeightView of(WeightOp weight);

  RankedTensorType getType() const { return type; }
  ArrayRef<int64_t> getShape() const { return type.getShape(); }
  int64_t getRank() const { return type.getRank(); }
  bool isPadded() const { return maps.size() > 1; }
  /// The layout that says this view.
  LayoutAttr getLayout() const;
  /// Whether the elements are the first ones of the source, in order: what a weight without a layout says.
  bool isPlain() const;

  /// Dim i is dim `permutation[i]` of this view.
  WeightView transpose(ArrayRef<int64_t> permutation) const;
  /// Every `strides[i]`-th element from `offsets[i]` on; strides are not negative. The slice must lie within the view.
  WeightView slice(ArrayRef<int64_t> offsets, ArrayRef<int64_t> sizes, ArrayRef<int64_t> strides) const;
  /// The same elements in row-major order, or nothing where strides cannot say it: dims are split, and runs of dims
  /// that lie behind each other are merged.
  std::optional<WeightView> reshape(ArrayRef<int64_t> shape) const;
  /// Zeros around it: `low` of them before each dim (negative: that many elements are cut), and as many after it as
  /// the shape has room for.
  WeightView pad(ArrayRef<int64_t> low, ArrayRef<int64_t> shape) const;

private:
  /// `offset + i0*strides[0] + ...`. The first map of a view gives the element of the source; of the others each says that
  /// its value is in [0, extent), or the element is zero.
  struct LinearMap {
    int64_t offset = 0;
    SmallVector<int64_t> strides;
    int64_t extent = 0;
  };

  WeightView(RankedTensorType type, SmallVector<LinearMap> maps) : type(type), maps(std::move(maps)) {}
  RankedTensorType withShape(ArrayRef<int64_t> shape) const {
    return RankedTensorType::get(shape, type.getElementType());
  }
  static std::optional<LinearMap> reshape(const LinearMap &map, ArrayRef<int64_t> from, ArrayRef<int64_t> to);

  RankedTensorType type;
  SmallVector<LinearMap> maps;
};

/// The strides of a row-major tensor of this shape.
SmallVector<int64_t> getRowMajorStrides(ArrayRef<int64_t> shape);

} // namespace mlir::tfc

#endif // TFC_DIALECT_TFC_IR_WEIGHTVIEW_H
