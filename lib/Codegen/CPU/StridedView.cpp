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
  SmallVector<DimExprAttr> dims = getDims(tensor);
  DimsAttr layout = layoutOfPointer(tensor, pointer);
  return getPlainView(tensor.getContext(), pointer, dims, layout ? layout.getDims() : ArrayRef(dims));
}

std::optional<StridedView> mlir::tfc::viewOfOperand(Value tensor) {
  return viewOfOperand(tensor, [](Value inMemory) -> std::optional<StridedView> {
    if (auto pointer = pointerBehindTensor(inMemory))
      return plainView(*pointer, inMemory);
    return std::nullopt;
  });
}

std::optional<StridedView> mlir::tfc::viewOfResult(Value made, Value stored, unsigned pointer) {
  return viewOfResult(made, stored, plainView(pointer, stored));
}
