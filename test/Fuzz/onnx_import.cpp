//===- onnx_import.cpp - The ONNX importer under libFuzzer ----------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// Any bytes are an ONNX file: they are imported or refused with a message. See test/Fuzz/onnx-import.test.
//
//===----------------------------------------------------------------------------------------------===//

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/MLIRContext.h"
#include "tfc/Dialect/Tfc/IR/TfcOps.h"
#include "tfc/Frontend/ONNX/ImportONNX.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include <cstdlib>
#include <unistd.h>

/// The importer maps files: each process has one in memory, which is written anew.
static llvm::SmallString<64> scratchFile;

static const char *getScratchFile() {
  if (scratchFile.empty()) {
    llvm::sys::path::append(scratchFile, llvm::sys::fs::exists("/dev/shm") ? "/dev/shm" : "/tmp",
                            "tfc-fuzz-" + llvm::Twine(getpid()) + ".onnx");
    atexit([] { (void)llvm::sys::fs::remove(scratchFile); });
  }
  return scratchFile.c_str();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *path = getScratchFile();
  std::error_code error;
  {
    llvm::raw_fd_ostream os(path, error);
    os.write(reinterpret_cast<const char *>(data), size);
  }
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  context.loadDialect<mlir::tfc::TfcDialect, mlir::func::FuncDialect>();
  bool said = false;
  mlir::ScopedDiagnosticHandler handler(&context, [&](mlir::Diagnostic &) {
    said = true;
    return mlir::success();
  });
  mlir::tfc::ImportOptions options;
  options.dynamicAll = size % 2;
  mlir::OwningOpRef<mlir::ModuleOp> module = mlir::tfc::importONNX(path, context, options);
  // A refusal without a message is a finding too.
  if (!module && !said)
    abort();
  return 0;
}
