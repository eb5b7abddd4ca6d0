//===- VerifySymbols.h - Every symbol is bound before it is used -*- C++ -*-----------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_DIALECT_TFC_IR_VERIFYSYMBOLS_H
#define TFC_DIALECT_TFC_IR_VERIFYSYMBOLS_H

#include "mlir/Interfaces/FunctionInterfaces.h"

namespace mlir::tfc {

/// Checks the discipline of symbols in a function: each one that stands in a type or an attribute is a bare dim of an
/// argument (of a kernel: listed in `tfc.symbols`), or a `tfc.bind` that dominates the use has made it; no name that
/// is bound is empty or starts with `%`; and tensors of the signature have known dims. Emits an error for each op that
/// breaks it.
LogicalResult verifySymbols(FunctionOpInterface function);

} // namespace mlir::tfc

#endif // TFC_DIALECT_TFC_IR_VERIFYSYMBOLS_H
