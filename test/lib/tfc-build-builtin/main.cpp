//===- main.cpp - Prints the module of a built-in model --------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// A test's view of lib/Frontend/Builtin alone. Users have `tfc-compile --builtin NAME --emit=import`.
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Frontend/Builtin/BuildBuiltin.h"
#include "tfc/Weights/Safetensors.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/raw_ostream.h"

#include <optional>

using namespace llvm;

static cl::opt<std::string> name(cl::Positional, cl::desc("NAME"), cl::Required);
static cl::opt<std::string> config("config", cl::desc("key=value,... or a config.json"));
static cl::opt<std::string> load("load", cl::desc("read the weights from a safetensors file"));
static cl::opt<uint64_t> seed("seed", cl::desc("seed of made-up weights"));
static cl::opt<bool> locations("locations", cl::desc("print the names of nodes"));

static int fail(Error error) {
  errs() << "error: " << toString(std::move(error)) << "\n";
  return 2;
}

int main(int argc, char **argv) {
  cl::ParseCommandLineOptions(argc, argv, "prints the module of a built-in model\n");
  Expected<mlir::tfc::ModelConfig> model = mlir::tfc::makeModelConfig(name, config);
  if (!model)
    return fail(model.takeError());
  mlir::tfc::WeightSource source;
  source.seed = seed;
  std::optional<tfc::SafetensorsFile> file;
  if (!load.empty()) {
    Expected<tfc::SafetensorsFile> opened = tfc::SafetensorsFile::open(load);
    if (!opened)
      return fail(opened.takeError());
    file = std::move(*opened);
    source.file = &*file;
  }
  mlir::MLIRContext context;
  // Without a handler remarks are not printed.
  mlir::ScopedDiagnosticHandler handler(&context, [](mlir::Diagnostic &diagnostic) {
    bool isError = diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error;
    errs() << (isError ? "error: " : "remark: ") << diagnostic << "\n";
  });
  mlir::OwningOpRef<mlir::ModuleOp> module = mlir::tfc::buildBuiltin(*model, source, context);
  if (!module)
    return 2;
  mlir::OpPrintingFlags flags;
  if (locations)
    flags.enableDebugInfo(true, /*prettyForm=*/true);
  module->print(outs(), flags);
  outs() << "\n";
  return 0;
}
