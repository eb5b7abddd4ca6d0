//===- InPlace.h - What is said of results that extend an argument in place -*- C++ -*- ------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_CODEGEN_COMMON_INPLACE_H
#define TFC_CODEGEN_COMMON_INPLACE_H

#include "mlir/Support/LLVM.h"

namespace mlir::tfc {

/// On a result of an entry, beside `tfc.alias`: the name of the symbol that is its room, and the dim it grows along.
constexpr StringLiteral kRoomAttr = "tfc.room";
constexpr StringLiteral kRoomAxisAttr = "tfc.room_axis";

/// On an operand or result of a kernel: a DimsAttr, the dims of the row-major buffer whose front part it is.
constexpr StringLiteral kLayoutAttr = "tfc.layout";

/// On a kernel that is one concat of two operands: how many rows of the first are not in their place already.
constexpr StringLiteral kMovedRowsAttr = "tfc.moved_rows";

} // namespace mlir::tfc

#endif // TFC_CODEGEN_COMMON_INPLACE_H
