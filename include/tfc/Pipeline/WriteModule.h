//===- WriteModule.h - A module as .mlir, weights by reference -*- C++ -*- -----------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_PIPELINE_WRITEMODULE_H
#define TFC_PIPELINE_WRITEMODULE_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"

namespace mlir::tfc {

/// Writes the module to `path` ("-" is standard output) so that it can be read in again from anywhere: paths of
/// weight files become absolute, and bytes that stand in no file go to `path`.weights. Nothing partial is left.
llvm::Error writeModule(ModuleOp module, llvm::StringRef path);

/// Writes a module of the stages import (`isSimplified` false) and fused as an ONNX file.
llvm::Error exportONNX(ModuleOp module, llvm::StringRef path, bool isSimplified);

} // namespace mlir::tfc

#endif // TFC_PIPELINE_WRITEMODULE_H
