//===- StridedView.cpp - Operands and results of a kernel seen through strides --------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Codegen/Common/StridedView.h"

using namespace mlir;
using namespace mlir::tfc;

StridedView mlir::tfc::getPlainView(MLIRContext *context, unsigned pointer, ArrayRef<DimExprAttr> dims,
                                    ArrayRef<DimExprAttr> buffer) {
  StridedView view{pointer, DimExprAttr::constant(context, 0), llvm::to_vector(dims), {}};
  DimExprAttr stride = DimExprAttr::constant(context, 1);
  view.strides.resize(dims.size());
  for (size_t i = dims.size(); i-- > 0;) {
    view.strides[i] = stride;
    stride = stride * buffer[i];
  }
  return view;
}

std::optional<StridedView> mlir::tfc::viewOfOperand(Value tensor, ViewOfMemory viewOfMemory) {
  if (std::optional<StridedView> view = viewOfMemory(tensor))
    return view;
  if (auto transpose = tensor.getDefiningOp<TransposeOp>()) {
    std::optional<StridedView> source = viewOfOperand(transpose.getX(), viewOfMemory);
    if (!source)
      return std::nullopt;
    StridedView view{source->pointer, source->offset, getDims(tensor), {}};
    for (int64_t dim : transpose.getPermutation())
      view.strides.push_back(source->strides[dim]);
    return view;
  }
  if (auto slice = tensor.getDefiningOp<SliceOp>()) {
    std::optional<StridedView> view = viewOfOperand(slice.getX(), viewOfMemory);
    if (!view)
      return std::nullopt;
    view->dims = getDims(tensor);
    for (auto [offset, step, stride] :
         llvm::zip_equal(slice.getOffsets().getAsRange<DimExprAttr>(), slice.getStrides(), view->strides)) {
      view->offset = view->offset + offset * stride;
      stride = stride * step;
    }
    return view;
  }
  return std::nullopt;
}

std::optional<StridedView> mlir::tfc::viewOfResult(Value made, Value stored, const StridedView &place) {
  if (stored == made)
    return place;
  auto transpose = stored.getDefiningOp<TransposeOp>();
  if (!transpose || transpose.getX() != made)
    return std::nullopt;
  // Dim `permutation[i]` of what is transposed is dim i of the result.
  StridedView view{place.pointer, place.offset, getDims(made), SmallVector<DimExprAttr>(place.strides.size())};
  for (auto [i, dim] : llvm::enumerate(transpose.getPermutation()))
    view.strides[dim] = place.strides[i];
  return view;
}
