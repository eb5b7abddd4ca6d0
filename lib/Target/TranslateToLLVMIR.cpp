//===- TranslateToLLVMIR.cpp - From a module at stage llvm to LLVM IR ----------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===------------------------------------------------------------------------------------------------------===//

#include "tfc/Target/TranslateToLLVMIR.h"
#include "tfc/Dialect/Tfc/IR/TfcOps.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/Verifier.h"

using namespace mlir;
using namespace mlir::tfc;

/// A module with the LLVM dialect's ops alone. The weights stay where they are: they are only references, and
/// the translation would not know them.
static llvm::Expected<OwningOpRef<ModuleOp>> copyCode(ModuleOp module) {
  OwningOpRef<ModuleOp> code(ModuleOp::create(module.getLoc()));
  OpBuilder builder = OpBuilder::atBlockEnd(code->getBody());
  for (Operation &op : module.getOps()) {
    if (isa<WeightOp, EntryOp>(op) || op.getName().getStringRef() == "gpu.module")
      continue;
    if (!isa_and_nonnull<LLVM::LLVMDialect>(op.getDialect()))
      return llvm::createStringError(
          "'%s' is not in the LLVM dialect; the module was not lowered to the stage llvm",
          op.getName().getStringRef().str().c_str());
    builder.clone(op);
  }
  return std::move(code);
}

llvm::Expected<std::unique_ptr<llvm::Module>> mlir::tfc::translateToLLVMIR(ModuleOp module,
                                                                           llvm::LLVMContext &llvmContext) {
  MLIRContext *context = module.getContext();
  DialectRegistry registry;
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  context->appendDialectRegistry(registry);

  llvm::Expected<OwningOpRef<ModuleOp>> code = copyCode(module);
  if (!code)
    return code.takeError();
  std::string message;
  ScopedDiagnosticHandler handler(context, [&](Diagnostic &diagnostic) {
    if (message.empty() && diagnostic.getSeverity() == DiagnosticSeverity::Error)
      message = diagnostic.str();
    return success();
  });
  // The name would go into the object file; a fixed one keeps the bytes the same.
  std::unique_ptr<llvm::Module> translated =
      translateModuleToLLVMIR(code->get(), llvmContext, "model", /*disableVerification=*/true);
  if (!translated)
    return llvm::createStringError("translation to LLVM IR failed: %s", message.c_str());
  // Verified here, for the translation would print what it finds on its own.
  llvm::raw_string_ostream stream(message);
  if (llvm::verifyModule(*translated, &stream))
    return llvm::createStringError("the module's code is not valid: %s",
                                   StringRef(message).split('\n').first.str().c_str());
  return std::move(translated);
}
