//===- tfc-import-onnx.cpp - Imports an ONNX file and prints the module ---------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// For tests of the importer alone: tfc-import-onnx MODEL.onnx [--dynamic=all] [--dim=NAME=N] [--limit=NAME=N] [--allow-extern] [--quiet]
// [--locations]
//
//===----------------------------------------------------------------------------------------------===//

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/MLIRContext.h"
#include "tfc/Dialect/Tfc/IR/TfcOps.h"
#include "tfc/Frontend/ONNX/ImportONNX.h"
#include "llvm/Support/raw_ostream.h"

int main(int argc, char **argv) {
  mlir::tfc::ImportOptions options;
  llvm::StringRef path;
  bool quiet = false;
  mlir::OpPrintingFlags flags;
  for (int i = 1; i < argc; ++i) {
    llvm::StringRef argument(argv[i]);
    if (argument == "--dynamic=all") {
      options.dynamicAll = true;
    } else if (argument.consume_front("--dim=")) {
      auto [name, value] = argument.rsplit('=');
      int64_t number;
      if (value.getAsInteger(10, number))
        return 2;
      options.fixedDims.emplace_back(name.str(), number);
    } else if (argument.consume_front("--limit=")) {
      auto [name, value] = argument.rsplit('=');
      uint64_t number;
      if (value.getAsInteger(10, number) || !options.limits.set(name, number).empty())
        return 2;
    } else if (argument == "--allow-extern") {
      options.allowExtern = true;
    } else if (argument.consume_front("--external-root=")) {
      options.externalRoot = argument.str();
    } else if (argument == "--quiet") {
      quiet = true;
    } else if (argument == "--locations") {
      flags.enableDebugInfo(true, false);
    } else {
      path = argument;
    }
  }
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  context.loadDialect<mlir::tfc::TfcDialect, mlir::func::FuncDialect>();
  mlir::ScopedDiagnosticHandler handler(&context, [](mlir::Diagnostic &diagnostic) {
    llvm::errs() << "error: " << diagnostic.str() << "\n";
    return mlir::success();
  });
  mlir::OwningOpRef<mlir::ModuleOp> module = mlir::tfc::importONNX(path, context, options);
  if (!module)
    return 2;
  if (!quiet)
    module->print(llvm::outs(), flags);
  return 0;
}
