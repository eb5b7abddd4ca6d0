//===- WriteONNX.h - A module as an ONNX file -*- C++ -*--------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_TARGET_ONNX_WRITEONNX_H
#define TFC_TARGET_ONNX_WRITEONNX_H

#include "tfc/Dialect/Tfc/IR/TfcOps.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"

namespace mlir::tfc {

/// Whether one operator says what the op says. Others must be decomposed before a module is written.
bool hasONNXOperator(AttentionOp op);

/// Writes a module of the stages import and fused, whose weights have places (assignWeights). Weights of more than a gigabyte go into a
/// file of their own, PATH.data. Where an op has no ONNX spelling a diagnostic says so.
llvm::Error writeONNX(ModuleOp module, llvm::StringRef path);

} // namespace mlir::tfc

#endif // TFC_TARGET_ONNX_WRITEONNX_H
