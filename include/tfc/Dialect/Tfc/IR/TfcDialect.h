//===- TfcDialect.h - The tfc dialect and its attributes -*- C++ -*- -----------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_DIALECT_TFC_IR_TFCDIALECT_H
#define TFC_DIALECT_TFC_IR_TFCDIALECT_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/TensorEncoding.h"
#include "llvm/ADT/SetVector.h"

#include <memory>
#include <optional>

namespace tfc {
class WeightFiles;
} // namespace tfc

#include "tfc/Dialect/Tfc/IR/TfcEnums.h.inc"

#include "tfc/Dialect/Tfc/IR/TfcDialect.h.inc"

#define GET_ATTRDEF_CLASSES
#include "tfc/Dialect/Tfc/IR/TfcAttributes.h.inc"

#endif // TFC_DIALECT_TFC_IR_TFCDIALECT_H
