//===- ReadModule.h - A module from a file of MLIR ----------------------------------*- C++ -*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_PIPELINE_READMODULE_H
#define TFC_PIPELINE_READMODULE_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace mlir::tfc {

/// Reads what `writeModule` or somebody wrote: text or bytecode, a module of any stage. Weight files are looked up beside it. Null with a
/// diagnostic where it cannot be read; what is nested too deep for a parser that calls itself is refused before. All dialects of the
/// context are loaded then.
OwningOpRef<ModuleOp> readModule(llvm::StringRef path, MLIRContext &context);

} // namespace mlir::tfc

#endif // TFC_PIPELINE_READMODULE_H
