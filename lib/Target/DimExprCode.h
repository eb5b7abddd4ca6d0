//===- DimExprCode.h - Postfix code of dim expressions -----------------------------------------------*- C++
//-*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===------------------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_TARGET_DIMEXPRCODE_H
#define TFC_LIB_TARGET_DIMEXPRCODE_H

#include "tfc/Dialect/Tfc/IR/TfcDialect.h"
#include "tfc/Target/ModelDescription.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Error.h"

namespace mlir::tfc {

/// The code of an expression for the runtime. `symbolNumbers` gives the entry's symbols; a name `%i` is value
/// number i, which must be below `valueCount`, the number of values that stand before this one.
llvm::Expected<std::vector<TfcExprWord>>
getExprCode(DimExprAttr expr, const llvm::StringMap<uint32_t> &symbolNumbers, uint32_t valueCount);

} // namespace mlir::tfc

#endif // TFC_LIB_TARGET_DIMEXPRCODE_H
