//===- tfc-target-test.cpp - Makes artifacts of modules at stage llvm ----------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===------------------------------------------------------------------------------------------------------===//

#include "tfc/Dialect/Tfc/IR/TfcOps.h"
#include "tfc/Target/EmitArtifact.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"

using namespace mlir;
using namespace llvm;

static cl::opt<std::string> input(cl::Positional, cl::desc("input.mlir"));
static cl::opt<std::string> output("o", cl::desc("output file"), cl::init("model.so"));
static cl::opt<std::string> header("header", cl::desc("header to write"));
static cl::opt<std::string> query("query", cl::desc("name of the query function"),
                                  cl::init("tfc_model_query"));
static cl::opt<std::string> triple("triple", cl::desc("target triple"));
static cl::opt<std::string> cpu("cpu", cl::desc("target CPU"));
static cl::opt<std::string> features("features", cl::desc("target CPU features"));
static cl::opt<unsigned> threads("jobs", cl::desc("threads of code generation"), cl::init(2));
static cl::opt<std::string> emit("emit", cl::desc("so, obj or asm"), cl::init("so"));
static cl::opt<TfcWeightMode> weights("weights", cl::desc("where weights go"), cl::init(TFC_WEIGHTS_EMBED),
                                      cl::values(clEnumValN(TFC_WEIGHTS_EMBED, "embed", ""),
                                                 clEnumValN(TFC_WEIGHTS_EXTERNAL, "external", ""),
                                                 clEnumValN(TFC_WEIGHTS_SEED, "seed", "")));
static cl::list<std::string>
    variants("variant", cl::desc("SUFFIX=FEATURES: functions of kernels for a set of CPU features"));

int main(int argc, char **argv) {
  InitLLVM init(argc, argv);
  cl::ParseCommandLineOptions(argc, argv);
  DialectRegistry registry;
  registry.insert<mlir::tfc::TfcDialect, LLVM::LLVMDialect>();
  MLIRContext context(registry);
  OwningOpRef<ModuleOp> module = parseSourceFile<ModuleOp>(input, &context);
  if (!module)
    return 2;

  mlir::tfc::ArtifactOptions options;
  options.outputPath = output;
  options.headerPath = header;
  options.querySymbol = query;
  options.weights = weights;
  options.threads = threads;
  options.target.triple = triple;
  options.target.cpu = cpu;
  options.target.features = features;
  if (!variants.empty())
    options.variants.clear();
  for (StringRef text : variants) {
    auto [suffix, bits] = text.split('=');
    mlir::tfc::KernelVariant variant;
    variant.suffix = suffix.str();
    if (bits.getAsInteger(0, variant.features))
      return 2;
    options.variants.push_back(variant);
  }
  auto kind = emit == "asm" ? mlir::tfc::CodeKind::Assembly : mlir::tfc::CodeKind::Object;
  Error error = emit == "so" ? mlir::tfc::emitArtifact(*module, mlir::tfc::LibraryKind::Shared, options)
                             : mlir::tfc::emitCodeFile(*module, kind, options);
  if (!error)
    return 0;
  int code = mlir::tfc::isMachineError(error) ? 3 : 2;
  errs() << "error: " << toString(std::move(error)) << "\n";
  return code;
}
