//===- WriteModule.cpp - A module as .mlir, weights by reference -----------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Pipeline/WriteModule.h"

#include "tfc/Dialect/Tfc/IR/TfcOps.h"
#include "tfc/Target/OutputFile.h"
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
static llvm::Error writeFile(StringRef path, llvm::function_ref<void(raw_ostream &)> write) {
  auto writeTo = [&](llvm::raw_fd_ostream &os) {
    write(os);
    os.flush();
    std::error_code code = os.error();
    os.clear_error();
    return code ? llvm::createStringError(code, "cannot write '%s': %s", path.str().c_str(), code.message().c_str())
                : llvm::Error::success();
  };
  if (path == "-")
    return writeTo(llvm::outs());
  llvm::Expected<::tfc::OutputFile> file = ::tfc::OutputFile::create(path);
  if (!file)
    return file.takeError();
  llvm::raw_fd_ostream os(file->descriptor(), /*shouldClose=*/false);
  if (llvm::Error error = writeTo(os))
    return error;
  return file->commit();
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
    error = writeFile(weightsPath, [&](raw_ostream &os) {
      for (ArrayRef<uint8_t> piece : pieces)
        os.write(reinterpret_cast<const char *>(piece.data()), piece.size());
    });
  if (!error)
    error = writeFile(path, [&](raw_ostream &os) {
      module->print(os, OpPrintingFlags().enableDebugInfo().useLocalScope());
      os << '\n';
    });
  for (auto [weight, source] : original)
    weight.setSourceAttr(source);
  return error;
}
