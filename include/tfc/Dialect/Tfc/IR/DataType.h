//===- DataType.h - Element types as the model ABI says them -*- C++ -*----------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_DIALECT_TFC_IR_DATATYPE_H
#define TFC_DIALECT_TFC_IR_DATATYPE_H

#include "tfc-c/ModelABI.h"

#include "mlir/IR/BuiltinTypes.h"
#include <optional>

namespace mlir::tfc {

/// The data type of a tensor's elements; none for types that the ABI does not know.
std::optional<TfcDataType> getDataType(Type elementType);

} // namespace mlir::tfc

#endif // TFC_DIALECT_TFC_IR_DATATYPE_H
