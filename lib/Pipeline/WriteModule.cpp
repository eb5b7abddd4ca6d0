//===- WriteModule.cpp - A module as .mlir, weights by reference -----------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Pipeline/WriteModule.h"

#include "tfc/Dialect/Tfc/IR/TfcOps.h"
#include "tfc/Weights/WeightFiles.h"

#include "mlir/IR/AsmState.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace mlir::tfc;

/// A blob's name starts with a NUL, which no path can hold.
static bool isBlob(StringRef path) { return path.starts_with(StringRef("\0", 1)); }

static std::string makeAbsolute(StringRef path, StringRef baseFolder) {
  SmallString<256> absolute;
  if (!llvm::sys::path::is_absolute(path) && !baseFolder.empty())
    absolute = baseFolder;
  llvm::sys::path::append(absolute, path);
  llvm::sys::fs::make_absolute(absolute);
  llvm::sys::path::remove_dots(absolute, /*remove_dot_dot=*/false);
  return absolute.str().str();
}

/// Writes through a temporary file beside the target, so that a failure leaves nothing behind.
static llvm::Error writeAtomically(StringRef path, llvm::function_ref<llvm::Error(raw_ostream &)> write) {
  if (path == "-") {
    llvm::Error error = write(llvm::outs());
    llvm::outs().flush();
    return error;
  }
  auto file = llvm::sys::fs::TempFile::create(path + ".%%%%%%.tmp");
  if (!file)
    return llvm::createStringError(std::errc::io_error, "cannot write %s: %s", path.str().c_str(),
                                   llvm::toString(file.takeError()).c_str());
  llvm::raw_fd_ostream os(file->FD, /*shouldClose=*/false);
  llvm::Error error = write(os);
  os.flush();
  if (!error && os.has_error())
    error = llvm::createStringError(os.error(), "cannot write %s: %s", path.str().c_str(), os.error().message().c_str());
  os.clear_error();
  if (error) {
    llvm::consumeError(file->discard());
    return error;
  }
  if (llvm::Error kept = file->keep(path)) {
    std::string reason = llvm::toString(std::move(kept));
    llvm::consumeError(file->discard());
    return llvm::createStringError(std::errc::io_error, "cannot write %s: %s", path.str().c_str(), reason.c_str());
  }
  return llvm::Error::success();
}

llvm::Error mlir::tfc::writeModule(ModuleOp module, StringRef path) {
  ::tfc::WeightFiles &files = module.getContext()->getLoadedDialect<TfcDialect>()->getWeightFiles();
  std::string weightsPath = path == "-" ? "" : (path + ".weights").str();
  std::vector<ArrayRef<uint8_t>> pieces;
  int64_t piecesBytes = 0;
  // The sources are changed for printing and put back: the module goes on to the next stage.
  SmallVector<std::pair<WeightOp, Attribute>> original;
  llvm::Error error = llvm::Error::success();
  for (WeightOp weight : module.getOps<WeightOp>()) {
    auto file = dyn_cast<FileSourceAttr>(weight.getSource());
    if (!file)
      continue;
    original.emplace_back(weight, file);
    if (!isBlob(file.getPath())) {
      weight.setSourceAttr(FileSourceAttr::get(module.getContext(), makeAbsolute(file.getPath(), files.getBaseFolder()),
                                               file.getOffset(), file.getBytes()));
      continue;
    }
    llvm::Expected<ArrayRef<uint8_t>> bytes = files.bytes(file.getPath(), file.getOffset(), file.getBytes());
    if (!bytes) {
      error = llvm::joinErrors(std::move(error), bytes.takeError());
      break;
    }
    if (weightsPath.empty()) {
      error = llvm::joinErrors(std::move(error),
                               llvm::createStringError(std::errc::invalid_argument,
                                                       "this model has weights that stand in no file; give an output "
                                                       "file with -o, so that they can be written beside it"));
      break;
    }
    weight.setSourceAttr(FileSourceAttr::get(module.getContext(), makeAbsolute(weightsPath, ""), piecesBytes, file.getBytes()));
    pieces.push_back(*bytes);
    piecesBytes += file.getBytes();
  }
  if (!error && !pieces.empty())
    error = writeAtomically(weightsPath, [&](raw_ostream &os) {
      for (ArrayRef<uint8_t> piece : pieces)
        os.write(reinterpret_cast<const char *>(piece.data()), piece.size());
      return llvm::Error::success();
    });
  if (!error)
    error = writeAtomically(path, [&](raw_ostream &os) {
      module->print(os, OpPrintingFlags().enableDebugInfo().useLocalScope());
      os << '\n';
      return llvm::Error::success();
    });
  for (auto [weight, source] : original)
    weight.setSourceAttr(source);
  return error;
}
