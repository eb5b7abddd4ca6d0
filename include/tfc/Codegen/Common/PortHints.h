//===- PortHints.h - What --random should know of an entry's inputs -*- C++ -*- ---------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_CODEGEN_COMMON_PORTHINTS_H
#define TFC_CODEGEN_COMMON_PORTHINTS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::tfc {

/// Sets `tfc.hint` (a TfcPortHint of ModelABI.h, i64) and, for indices, `tfc.hint_bound` (a dim expression)
/// on arguments of the entry function, from how they are used and what they are called. Hints that stand
/// there stay.
void setPortHints(func::FuncOp entry);

} // namespace mlir::tfc

#endif // TFC_CODEGEN_COMMON_PORTHINTS_H
