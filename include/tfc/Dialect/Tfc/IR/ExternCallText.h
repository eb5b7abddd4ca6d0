//===- ExternCallText.h - What the host is told of a call -*- C++ -*------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_DIALECT_TFC_IR_EXTERNCALLTEXT_H
#define TFC_DIALECT_TFC_IR_EXTERNCALLTEXT_H

#include "tfc/Dialect/Tfc/IR/TfcOps.h"

namespace mlir::tfc {

/// The name that the hook gets: the operator, and where the node has attributes, a blank and they as a JSON object.
std::string getExternText(ExternCallOp call);

/// The tensors that the hook gets as inputs, or as outputs; null where the node leaves one out.
SmallVector<Value> getExternTensors(ExternCallOp call, bool outputs);

} // namespace mlir::tfc

#endif // TFC_DIALECT_TFC_IR_EXTERNCALLTEXT_H
