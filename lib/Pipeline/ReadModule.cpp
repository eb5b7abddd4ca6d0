//===- ReadModule.cpp - A module from a file of MLIR ------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Pipeline/ReadModule.h"

#include "tfc/Dialect/Tfc/IR/CheckNesting.h"
#include "tfc/Dialect/Tfc/IR/TfcDialect.h"
#include "tfc/Weights/WeightFiles.h"

#include "mlir/Parser/Parser.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;
using namespace mlir::tfc;

OwningOpRef<ModuleOp> mlir::tfc::readModule(StringRef path, MLIRContext &context) {
  auto source = llvm::MemoryBuffer::getFile(path);
  if (!source) {
    emitError(UnknownLoc::get(&context)) << path << ": " << source.getError().message();
    return {};
  }
  auto report = [&](StringRef file, unsigned line, const Twine &message) {
    emitError(FileLineColLoc::get(&context, file, line, 1)) << message;
  };
  if (failed(checkNesting((*source)->getMemBufferRef(), report)))
    return {};
  SmallString<256> folder(path);
  llvm::sys::fs::make_absolute(folder);
  llvm::sys::path::remove_filename(folder);
  context.loadAllAvailableDialects();
  context.getLoadedDialect<TfcDialect>()->getWeightFiles().setBaseFolder(folder);
  llvm::SourceMgr sources;
  sources.AddNewSourceBuffer(std::move(*source), llvm::SMLoc());
  return parseSourceFile<ModuleOp>(sources, ParserConfig(&context));
}
