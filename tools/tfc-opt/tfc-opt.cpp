//===- tfc-opt.cpp - Runs tfc's passes one by one -----------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Dialect/Tfc/IR/CheckNesting.h"
#include "tfc/Pipeline/Pipelines.h"

#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Support/FileUtilities.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/ToolOutputFile.h"

/// What MlirOptMain does with a file, with a look at its brackets before the parser takes it.
static mlir::LogicalResult processFile(llvm::StringRef input, llvm::StringRef output, mlir::DialectRegistry &registry,
                                       const mlir::MlirOptMainConfig &config) {
  std::string error;
  std::unique_ptr<llvm::MemoryBuffer> source = mlir::openInputFile(input, &error);
  if (!source) {
    llvm::errs() << error << "\n";
    return mlir::failure();
  }
  auto report = [](llvm::StringRef file, unsigned line, const llvm::Twine &message) {
    llvm::errs() << file << ":" << line << ": error: " << message << "\n";
  };
  if (mlir::failed(mlir::tfc::checkNesting(source->getMemBufferRef(), report)))
    return mlir::failure();
  std::unique_ptr<llvm::ToolOutputFile> target = mlir::openOutputFile(output, &error);
  if (!target) {
    llvm::errs() << error << "\n";
    return mlir::failure();
  }
  if (mlir::failed(mlir::MlirOptMain(target->os(), std::move(source), registry, config)))
    return mlir::failure();
  target->keep();
  return mlir::success();
}

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  mlir::registerAllPasses();
  mlir::tfc::registerTfcDialects(registry);
  mlir::tfc::registerAllTfcPasses();
  auto [input, output] = mlir::registerAndParseCLIOptions(argc, argv, "tfc optimizer driver\n", registry);
  mlir::MlirOptMainConfig config = mlir::MlirOptMainConfig::createFromCLOptions();
  if (config.shouldShowDialects() || config.shouldListPasses())
    return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, input, output, registry));
  llvm::InitLLVM initializer(argc, argv);
  return mlir::asMainReturnCode(processFile(input, output, registry, config));
}
