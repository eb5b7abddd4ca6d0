//===- StridedView.cpp - Operands and results of a kernel seen through strides --------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Codegen/Common/StridedView.h"

using namespace mlir;
using namespace mlir::tfc;

static StridedView rowMajorView(unsigned pointer, Type type) {
  MLIRContext *context = type.getContext();
  StridedView view{pointer, DimExprAttr::constant(context, 0), getDims(type), {}};
  DimExprAttr stride = DimExprAttr::constant(context, 1);
  view.strides.resize(view.dims.size());
  for (size_t i = view.dims.size(); i-- > 0;) {
    view.strides[i] = stride;
    stride = stride * view.dims[i];
  }
  return view;
}

std::optional<StridedView> mlir::tfc::viewOfOperand(Value tensor, PointerOfTensor pointerOf) {
  if (auto pointer = pointerOf(tensor))
    return rowMajorView(*pointer, tensor.getType());
  if (auto transpose = tensor.getDefiningOp<TransposeOp>()) {
    std::optional<StridedView> source = viewOfOperand(transpose.getX(), pointerOf);
    if (!source)
      return std::nullopt;
    StridedView view{source->pointer, source->offset, getDims(tensor), {}};
    for (int64_t dim : transpose.getPermutation())
      view.strides.push_back(source->strides[dim]);
    return view;
  }
  if (auto slice = tensor.getDefiningOp<SliceOp>()) {
    std::optional<StridedView> view = viewOfOperand(slice.getX(), pointerOf);
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

std::optional<StridedView> mlir::tfc::viewOfResult(Value made, Value stored, unsigned pointer) {
  if (stored == made)
    return rowMajorView(pointer, stored.getType());
  auto transpose = stored.getDefiningOp<TransposeOp>();
  if (!transpose || transpose.getX() != made)
    return std::nullopt;
  // Dim `permutation[i]` of what is transposed is dim i of the result.
  StridedView result = rowMajorView(pointer, stored.getType());
  StridedView view{pointer, result.offset, getDims(made), SmallVector<DimExprAttr>(result.strides.size())};
  for (auto [i, dim] : llvm::enumerate(transpose.getPermutation()))
    view.strides[dim] = result.strides[i];
  return view;
}
