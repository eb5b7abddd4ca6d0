//===- StridedView.h - Operands and results of a kernel seen through strides ----------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_CODEGEN_CPU_STRIDEDVIEW_H
#define TFC_LIB_CODEGEN_CPU_STRIDEDVIEW_H

#include "tfc/Codegen/Common/StridedView.h"

namespace mlir::tfc {

/// The view of an operand of a framed kernel, or of what transposes and slices make of one.
std::optional<StridedView> viewOfOperand(Value tensor);

/// The view in which `made` lies where the kernel stores `stored` at a pointer: `stored` is `made` or its
/// transpose.
std::optional<StridedView> viewOfResult(Value made, Value stored, unsigned pointer);

} // namespace mlir::tfc

#endif // TFC_LIB_CODEGEN_CPU_STRIDEDVIEW_H
