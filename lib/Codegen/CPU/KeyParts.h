//===- KeyParts.h - Which kernels make and take parts of an attention -----------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_CODEGEN_CPU_KEYPARTS_H
#define TFC_LIB_CODEGEN_CPU_KEYPARTS_H

#include "tfc/Dialect/Tfc/IR/TfcDialect.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::tfc {

/// On the kernel that makes parts, and on the one that takes them as its last operand: how many there are of
/// each query's keys.
constexpr StringLiteral kMakesKeyPartsAttr = "tfc.makes_key_parts",
                        kTakesKeyPartsAttr = "tfc.takes_key_parts";

inline bool isPartMaker(func::FuncOp kernel) { return kernel->hasAttr(kMakesKeyPartsAttr); }

/// Null for all other kernels.
inline DimExprAttr getPartCount(func::FuncOp kernel) {
  return kernel->getAttrOfType<DimExprAttr>(isPartMaker(kernel) ? kMakesKeyPartsAttr : kTakesKeyPartsAttr);
}

} // namespace mlir::tfc

#endif // TFC_LIB_CODEGEN_CPU_KEYPARTS_H
