//===- StridedView.h - Operands and results of a kernel seen through strides ----------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_CODEGEN_COMMON_STRIDEDVIEW_H
#define TFC_CODEGEN_COMMON_STRIDEDVIEW_H

#include "tfc/Dialect/Tfc/IR/TfcOps.h"

namespace mlir::tfc {

/// Memory of one of the kernel's pointers as a tensor: element (i0, i1, ...) lies `offset + i0*strides[0] +
/// i1*strides[1] + ...` elements behind the pointer.
struct StridedView {
  unsigned pointer;
  DimExprAttr offset;
  SmallVector<DimExprAttr> dims, strides;
};

/// The row-major view of a tensor with these dims that is all of a buffer, or the front part of one with dims `buffer`.
StridedView getPlainView(MLIRContext *context, unsigned pointer, ArrayRef<DimExprAttr> dims,
                         ArrayRef<DimExprAttr> buffer);

/// The view of a tensor that lies in memory as a kernel is given it, if it does. Kernels of different devices keep their pointers in different ways.
using ViewOfMemory = llvm::function_ref<std::optional<StridedView>(Value)>;

/// The view of an operand of a kernel, or of what transposes and slices make of one.
std::optional<StridedView> viewOfOperand(Value tensor, ViewOfMemory viewOfMemory);

/// The view in which `made` lies where the kernel stores `stored` in a plain view: `stored` is `made` or its transpose.
std::optional<StridedView> viewOfResult(Value made, Value stored, const StridedView &place);

} // namespace mlir::tfc

#endif // TFC_CODEGEN_COMMON_STRIDEDVIEW_H
