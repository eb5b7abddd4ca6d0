//===- LoadInput.h - What there is to compile, as a module --------------------------*- C++ -*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_PIPELINE_LOADINPUT_H
#define TFC_LIB_PIPELINE_LOADINPUT_H

#include "tfc/Pipeline/Compiler.h"

namespace mlir::tfc {

/// A built-in graph, an ONNX file or a module of any stage, verified as far as passes take it for granted. Null with a diagnostic where
/// there is none.
OwningOpRef<ModuleOp> loadInput(const CompileInput &input, MLIRContext &context, Stage &stage);

} // namespace mlir::tfc

#endif // TFC_LIB_PIPELINE_LOADINPUT_H
