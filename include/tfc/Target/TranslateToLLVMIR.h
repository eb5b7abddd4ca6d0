//===- TranslateToLLVMIR.h - From a module at stage llvm to LLVM IR ----------------------------------*- C++
//-*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===------------------------------------------------------------------------------------------------------===//

#ifndef TFC_TARGET_TRANSLATETOLLVMIR_H
#define TFC_TARGET_TRANSLATETOLLVMIR_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"

#include <memory>

namespace llvm {
class LLVMContext;
class Module;
} // namespace llvm

namespace mlir::tfc {

/// Translates what stands in the LLVM dialect. tfc.weight and tfc.entry are left out (the descriptor tells of
/// them), and so is the code of devices; any other op is an error.
llvm::Expected<std::unique_ptr<llvm::Module>> translateToLLVMIR(ModuleOp module, llvm::LLVMContext &context);

} // namespace mlir::tfc

#endif // TFC_TARGET_TRANSLATETOLLVMIR_H
