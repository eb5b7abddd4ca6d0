//===- ImportONNX.cpp - From an ONNX file to a tfc module -----------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Frontend/ONNX/ImportONNX.h"
#include "GraphImporter.h"
#include "ModelFile.h"
#include "Names.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Verifier.h"
#include "tfc/Weights/OpenBeneath.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace mlir::tfc;
using namespace mlir::tfc::onnx_import;

namespace {
/// A path in two parts: the folder is where weights outside the file are, the name is what `#tfc.file` says.
struct SplitPath {
  std::string folder;
  std::string name;
};
} // namespace

static SplitPath splitPath(StringRef path) {
  llvm::SmallString<256> absolute(path);
  (void)llvm::sys::fs::make_absolute(absolute);
  return {llvm::sys::path::parent_path(absolute).str(), llvm::sys::path::filename(absolute).str()};
}

static TensorReader::Options getReaderOptions(const SplitPath &path, const ImportOptions &options) {
  TensorReader::Options result;
  result.modelPath = path.name;
  result.externalRoot = path.folder;
  result.allowLinks = options.allowExternalLinks;
  if (!options.externalRoot.empty()) {
    llvm::SmallString<256> root(options.externalRoot);
    (void)llvm::sys::fs::make_absolute(root);
    result.externalRoot = root.str().str();
    result.externalRootIsBase = false;
  }
  return result;
}

static OwningOpRef<ModuleOp> createModule(MLIRContext &context, const SplitPath &path) {
  OwningOpRef<ModuleOp> module = ModuleOp::create(UnknownLoc::get(&context));
  Builder builder(&context);
  (*module)->setAttr("tfc.model_name", builder.getStringAttr(llvm::sys::path::stem(path.name)));
  (*module)->setAttr("tfc.weight_base", builder.getStringAttr(path.folder));
  return module;
}

/// The module, or the messages that say why there is none.
static OwningOpRef<ModuleOp> tryImport(StringRef path, MLIRContext &context, const ImportOptions &options,
                                       SmallVectorImpl<std::string> &messages) {
  auto failWith = [&](llvm::Error error) {
    messages.push_back(llvm::toString(std::move(error)));
    return nullptr;
  };
  auto file = ::tfc::openFile(path);
  if (!file)
    return failWith(file.takeError());
  SplitPath split = splitPath(path);
  ::tfc::WeightFiles &files = context.getLoadedDialect<TfcDialect>()->getWeightFiles();
  files.setBaseFolder(split.folder);
  if (llvm::Error error = files.addOpenedFile(split.name, std::move(*file)))
    return failWith(std::move(error));
  auto bytes = files.allBytes(split.name);
  if (!bytes)
    return failWith(bytes.takeError());
  auto model = parseModel(*bytes, options.limits);
  if (!model)
    return failWith(model.takeError());
  TensorReader reader(&context, files, getReaderOptions(split, options));
  OwningOpRef<ModuleOp> module = createModule(context, split);
  GraphImporter importer(**model, *module, reader, options);
  if (succeeded(importer.run()))
    return module;
  messages.append(importer.getMessages().begin(), importer.getMessages().end());
  return nullptr;
}

OwningOpRef<ModuleOp> mlir::tfc::importONNX(StringRef path, MLIRContext &context,
                                            const ImportOptions &options) {
  // Branches and loops become ops of these.
  context.loadDialect<scf::SCFDialect, tensor::TensorDialect>();
  SmallVector<std::string> messages;
  OwningOpRef<ModuleOp> module = tryImport(path, context, options, messages);
  if (module && failed(verify(*module)))
    return nullptr;
  // The place is in the message: there is no line of text that a reader could look up.
  for (const std::string &message : messages)
    emitError(UnknownLoc::get(&context)) << printable(path, 1000) << ": " << message;
  return module;
}
