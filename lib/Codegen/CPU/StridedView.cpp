//===- StridedView.cpp - Operands and results of a kernel seen through strides --------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "StridedView.h"
#include "tfc/Codegen/Loops/KernelFrame.h"

using namespace mlir;
using namespace mlir::tfc;

/// How a tensor lies behind a pointer: row-major, as all or as the front part of a buffer.
static StridedView plainView(unsigned pointer, Value tensor) {
  MLIRContext *context = tensor.getContext();
  StridedView view{pointer, DimExprAttr::constant(context, 0), getDims(tensor), {}};
  DimsAttr layout = layoutOfPointer(tensor, pointer);
  ArrayRef<DimExprAttr> buffer = layout ? layout.getDims() : view.dims;
  DimExprAttr stride = DimExprAttr::constant(context, 1);
  view.strides.resize(view.dims.size());
  for (size_t i = view.dims.size(); i-- > 0;) {
    view.strides[i] = stride;
    stride = stride * buffer[i];
  }
  return view;
}

std::optional<StridedView> mlir::tfc::viewOfOperand(Value tensor) {
  if (auto pointer = pointerBehindTensor(tensor))
    return plainView(*pointer, tensor);
  if (auto transpose = tensor.getDefiningOp<TransposeOp>()) {
    std::optional<StridedView> source = viewOfOperand(transpose.getX());
    if (!source)
      return std::nullopt;
    StridedView view{source->pointer, source->offset, getDims(tensor), {}};
    for (int64_t dim : transpose.getPermutation())
      view.strides.push_back(source->strides[dim]);
    return view;
  }
  if (auto slice = tensor.getDefiningOp<SliceOp>()) {
    std::optional<StridedView> view = viewOfOperand(slice.getX());
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
    return plainView(pointer, stored);
  auto transpose = stored.getDefiningOp<TransposeOp>();
  if (!transpose || transpose.getX() != made)
    return std::nullopt;
  // Dim `permutation[i]` of what is transposed is dim i of the result.
  StridedView result = plainView(pointer, stored);
  StridedView view{pointer, result.offset, getDims(made), SmallVector<DimExprAttr>(result.strides.size())};
  for (auto [i, dim] : llvm::enumerate(transpose.getPermutation()))
    view.strides[dim] = result.strides[i];
  return view;
}
