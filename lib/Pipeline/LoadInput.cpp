//===- LoadInput.cpp - What there is to compile, as a module ----------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "LoadInput.h"

#include "tfc/Dialect/Tfc/IR/VerifySymbols.h"
#include "tfc/Frontend/Builtin/BuildBuiltin.h"
#include "tfc/Frontend/ONNX/ImportONNX.h"
#include "tfc/Pipeline/ReadModule.h"
#include "tfc/Weights/Safetensors.h"

#include "mlir/IR/Verifier.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

using namespace mlir;
using namespace mlir::tfc;

static OwningOpRef<ModuleOp> loadBuiltin(const CompileInput &input, MLIRContext &context) {
  Location loc = UnknownLoc::get(&context);
  llvm::Expected<ModelConfig> config = makeModelConfig(input.builtin, input.config);
  if (!config) {
    emitError(loc) << llvm::toString(config.takeError());
    return {};
  }
  WeightSource source;
  source.seed = input.seed;
  std::unique_ptr<::tfc::SafetensorsFile> file;
  if (!input.safetensors.empty()) {
    auto opened = ::tfc::SafetensorsFile::open(input.safetensors);
    if (!opened) {
      emitError(loc) << llvm::toString(opened.takeError());
      return {};
    }
    file = std::make_unique<::tfc::SafetensorsFile>(std::move(*opened));
    source.file = file.get();
  }
  return buildBuiltin(*config, source, context);
}

static OwningOpRef<ModuleOp> loadONNX(const CompileInput &input, MLIRContext &context) {
  ImportOptions import;
  import.dynamicAll = input.dynamicAll;
  import.fixedDims = input.fixedDims;
  import.dimRanges = input.dimRanges;
  import.foldedInputs = input.foldedInputs;
  import.allowExtern = input.allowExtern;
  import.limits = input.limits;
  import.externalRoot = input.externalRoot;
  import.allowExternalLinks = !input.externalRoot.empty();
  return importONNX(input.path, context, import);
}

/// What the verifiers of single ops cannot see; the passes take it for granted. Later stages have no symbols in types.
static LogicalResult verifyLoaded(ModuleOp module, Stage stage) {
  LogicalResult result = verify(module);
  if (succeeded(result) && stage <= Stage::Plan)
    for (auto function : module.getOps<FunctionOpInterface>())
      if (failed(verifySymbols(function)))
        result = failure();
  return result;
}

OwningOpRef<ModuleOp> mlir::tfc::loadInput(const CompileInput &input, MLIRContext &context, Stage &stage) {
  stage = Stage::Import;
  StringRef path = input.path;
  OwningOpRef<ModuleOp> module;
  if (!input.builtin.empty()) {
    module = loadBuiltin(input, context);
  } else if (path.ends_with(".mlir") || path.ends_with(".mlirbc")) {
    module = readModule(path, context);
    if (module)
      stage = detectStage(*module);
  } else {
    module = loadONNX(input, context);
  }
  if (!module || failed(verifyLoaded(*module, stage)))
    return {};
  return module;
}
