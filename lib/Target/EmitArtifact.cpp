//===- EmitArtifact.cpp - From a module at stage llvm to the files of a model --------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===------------------------------------------------------------------------------------------------------===//

#include "tfc/Target/EmitArtifact.h"
#include "tfc/Target/EmbeddedFiles.h"
#include "tfc/Target/EmitHeader.h"
#include "tfc/Target/EmitModelABI.h"
#include "tfc/Target/LinkSharedLibrary.h"
#include "tfc/Target/OutputFile.h"
#include "tfc/Target/StaticArchive.h"
#include "tfc/Target/TranslateToLLVMIR.h"
#include "tfc/Target/WeightSegment.h"
#include "tfc/Target/WriteWeights.h"
#include "tfc/Weights/ContentHash.h"

#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"

#include <cerrno>
#include <optional>
#include <unistd.h>

using namespace mlir;
using namespace mlir::tfc;
using ::tfc::OutputFile;

static llvm::Error systemError(const Twine &doing) {
  std::error_code code(errno ? errno : EIO, std::generic_category());
  return llvm::createStringError(code, "cannot %s: %s", doing.str().c_str(), code.message().c_str());
}

bool mlir::tfc::isMachineError(const llvm::Error &error) {
  bool machine = false;
  llvm::visitErrors(error, [&](const llvm::ErrorInfoBase &info) {
    std::error_code code = info.convertToErrorCode();
    if (code.category() != std::generic_category() && code.category() != std::system_category())
      return;
    // These say that the user gave a path that is none.
    for (int path : {ENOENT, ENOTDIR, EISDIR, EACCES, EPERM, EROFS, ENAMETOOLONG, ELOOP, EINVAL})
      if (code.value() == path)
        return;
    machine = true;
  });
  return machine;
}

//===----------------------------------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------------------------------===//

/// "out/bert.so" -> "out/bert.weights"
static std::string getWeightsPath(StringRef output) {
  SmallString<256> path(output);
  if (llvm::sys::path::extension(path) == ".so" || llvm::sys::path::extension(path) == ".a")
    llvm::sys::path::replace_extension(path, "");
  return (path + ".weights").str();
}

/// What the descriptor says about the way of the weights, as far as it is known before they are written.
static void describeWeights(::tfc::ModelDescription &model, const ArtifactOptions &options) {
  model.mode = model.weightBytes == 0 ? TFC_WEIGHTS_NONE : options.weights;
  if (model.mode == TFC_WEIGHTS_EMBED)
    model.embeddedBytes = getWrittenBytes(model, WeightChoice::All);
  if (model.mode == TFC_WEIGHTS_SEED)
    model.embeddedBytes = getWrittenBytes(model, WeightChoice::Unseeded);
  if (model.mode == TFC_WEIGHTS_EXTERNAL)
    model.weightsFile = llvm::sys::path::filename(getWeightsPath(options.outputPath)).str();
}

static llvm::Error hashFile(int fd, uint64_t bytes, uint64_t result[2]) {
  TfcContentHash hash;
  tfc_hash_start(&hash);
  std::vector<char> buffer(std::min<uint64_t>(bytes, 4 << 20));
  for (uint64_t offset = 0; offset < bytes;) {
    ssize_t size = ::pread(fd, buffer.data(), std::min<uint64_t>(buffer.size(), bytes - offset), offset);
    if (size < 0 && errno == EINTR)
      continue;
    if (size <= 0)
      return systemError("read back the weights");
    tfc_hash_add(&hash, buffer.data(), size);
    offset += size;
  }
  tfc_hash_finish(&hash, result);
  return llvm::Error::success();
}

/// Writes the file of external weights, whose hash goes into the descriptor.
static llvm::Expected<OutputFile> writeExternalWeights(ModelReading &model, const ArtifactOptions &options) {
  llvm::Expected<OutputFile> file = OutputFile::create(getWeightsPath(options.outputPath));
  if (!file)
    return file.takeError();
  uint64_t bytes = getWrittenBytes(model.description, WeightChoice::All);
  if (::ftruncate(file->descriptor(), bytes) != 0)
    return systemError("write the weights");
  if (llvm::Error error = writeWeights(model, WeightChoice::All, file->descriptor(), 0))
    return std::move(error);
  if (llvm::Error error = hashFile(file->descriptor(), bytes, model.description.weightsHash.data()))
    return std::move(error);
  return file;
}

static WeightChoice getEmbeddedChoice(const ::tfc::ModelDescription &description) {
  return description.mode == TFC_WEIGHTS_EMBED ? WeightChoice::All : WeightChoice::Unseeded;
}

/// Writes the weights that travel inside the linked library.
static llvm::Error writeEmbeddedWeights(const ModelReading &model, OutputFile &library) {
  const ::tfc::ModelDescription &description = model.description;
  if (description.embeddedBytes == 0)
    return llvm::Error::success();
  WeightChoice choice = getEmbeddedChoice(description);
  llvm::Expected<uint64_t> start = ::tfc::openWeightSegment(library.descriptor(), description.embeddedBytes);
  if (!start)
    return start.takeError();
  return writeWeights(model, choice, library.descriptor(), *start);
}

//===----------------------------------------------------------------------------------------------===//
// Code
//===----------------------------------------------------------------------------------------------===//

/// The LLVM module with kernels, host programs and descriptor.
static llvm::Expected<std::unique_ptr<llvm::Module>> makeModule(ModuleOp module, const ModelReading &model,
                                                                const ArtifactOptions &options,
                                                                llvm::LLVMContext &context) {
  auto machine = ::tfc::createTargetMachine(options.target);
  if (!machine)
    return machine.takeError();
  auto translated = translateToLLVMIR(module, context);
  if (!translated)
    return translated.takeError();
  (*translated)->setTargetTriple((*machine)->getTargetTriple());
  (*translated)->setDataLayout((*machine)->createDataLayout());
  if (llvm::Error error = ::tfc::emitModelABI(**translated, model.description, options.querySymbol))
    return std::move(error);
  return translated;
}

/// The runtime's core goes into every model.so, and it is there for one kind of machine only.
static llvm::Error checkTripleIsLinkable(const llvm::Triple &triple) {
  llvm::Triple host(llvm::sys::getDefaultTargetTriple());
  if (triple.getArch() == host.getArch() && triple.getOS() == host.getOS())
    return llvm::Error::success();
  return llvm::createStringError("a shared library for '%s' cannot be linked on '%s', for the runtime's core "
                                 "is there for the latter only; "
                                 "object files and assembly can be written",
                                 triple.str().c_str(), host.str().c_str());
}

static llvm::Expected<std::vector<llvm::SmallString<0>>> emitCheckedObjects(std::unique_ptr<llvm::Module> code,
                                                                            const ArtifactOptions &options) {
  if (llvm::Error error = checkTripleIsLinkable(code->getTargetTriple()))
    return std::move(error);
  return ::tfc::emitObjects(std::move(code), options.target, options.threads);
}

static llvm::Error linkLibrary(std::unique_ptr<llvm::Module> code, const ArtifactOptions &options,
                               OutputFile &library) {
  llvm::Expected<std::vector<llvm::SmallString<0>>> objects = emitCheckedObjects(std::move(code), options);
  if (!objects)
    return objects.takeError();
  SmallVector<StringRef> inputs(objects->begin(), objects->end());
  inputs.push_back(::tfc::getRuntimeCoreObject());
  // The linker maps what it writes, and a disk that is full then ends it with a signal: it works in the
  // folder for temporary files, and the copy can fail in an orderly way. The weights are not in it yet.
  llvm::Expected<::tfc::TemporaryFolder> folder = ::tfc::TemporaryFolder::create();
  if (!folder)
    return folder.takeError();
  std::string linkedPath = folder->path("linked.so");
  ::tfc::LinkOptions link;
  link.outputPath = linkedPath;
  link.soname = llvm::sys::path::filename(options.outputPath);
  link.exportedSymbol = options.querySymbol;
  if (llvm::Error error = ::tfc::linkSharedLibrary(inputs, link))
    return error;
  auto linked = llvm::MemoryBuffer::getFile(linkedPath, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!linked)
    return llvm::createStringError(linked.getError(), "cannot read what the linker wrote: %s",
                                   linked.getError().message().c_str());
  if (llvm::Error error = library.write((*linked)->getBuffer()))
    return error;
  return library.reopen(); // Its start is where the weights' segment is looked for.
}

/// Objects, weights and the runtime's core in one archive.
static llvm::Error packArchive(std::unique_ptr<llvm::Module> code, const ModelReading &model, const ArtifactOptions &options,
                               OutputFile &library) {
  llvm::Triple triple = code->getTargetTriple();
  ::tfc::qualifyNames(*code, options.querySymbol);
  llvm::Expected<std::vector<llvm::SmallString<0>>> objects = emitCheckedObjects(std::move(code), options);
  if (!objects)
    return objects.takeError();
  // The names of members are for people only; linkers look at the symbols.
  std::string stem = ::tfc::toIdentifier(model.description.name);
  std::vector<std::pair<std::string, StringRef>> members;
  for (auto [number, object] : llvm::enumerate(*objects))
    members.emplace_back(stem + (number ? "-" + std::to_string(number) : "") + ".o", object);
  std::unique_ptr<llvm::MemoryBuffer> weights;
  if (uint64_t bytes = model.description.embeddedBytes) {
    llvm::Expected<::tfc::TemporaryFolder> folder = ::tfc::TemporaryFolder::create();
    if (!folder)
      return folder.takeError();
    llvm::Expected<OutputFile> file = OutputFile::create(folder->path("weights.o"));
    if (!file)
      return file.takeError();
    llvm::Expected<uint64_t> start = ::tfc::openWeightObject(file->descriptor(), triple, ::tfc::getWeightSymbol(options.querySymbol), bytes);
    if (!start)
      return start.takeError();
    if (llvm::Error error = writeWeights(model, getEmbeddedChoice(model.description), file->descriptor(), *start))
      return error;
    // Mapped, it stays when its name goes.
    auto mapped = llvm::MemoryBuffer::getFile(file->temporaryPath(), /*IsText=*/false, /*RequiresNullTerminator=*/false);
    if (!mapped)
      return llvm::createStringError(mapped.getError(), "cannot read back the weights: %s", mapped.getError().message().c_str());
    weights = std::move(*mapped);
    members.emplace_back(stem + "-weights.o", weights->getBuffer());
  }
  members.emplace_back("tfc-core.o", ::tfc::getRuntimeCoreObject());
  llvm::raw_fd_ostream os(library.descriptor(), /*shouldClose=*/false);
  return ::tfc::writeStaticArchive(os, members);
}

//===----------------------------------------------------------------------------------------------===//
// Artifacts
//===----------------------------------------------------------------------------------------------===//

/// The name of the query function, where none was given. In a program archives share one space of names, shared libraries do not.
static std::string getQuerySymbol(const ModelReading &model, LibraryKind kind, StringRef given) {
  if (!given.empty())
    return given.str();
  return kind == LibraryKind::Shared ? "tfc_model_query" : "tfc_model_" + ::tfc::toIdentifier(model.description.name);
}

llvm::Error mlir::tfc::emitArtifact(ModuleOp module, LibraryKind kind, const ArtifactOptions &given) {
  llvm::Expected<ModelReading> model = readModel(module, given.variants);
  if (!model)
    return model.takeError();
  ArtifactOptions options = given;
  options.querySymbol = getQuerySymbol(*model, kind, given.querySymbol);
  describeWeights(model->description, options);
  if (!options.headerPath.empty() && options.headerPath == options.outputPath)
    return llvm::createStringError("the header and the library cannot both be written to '%s'",
                                   options.outputPath.c_str());

  // All files are opened first: a path that cannot be written is known before the work is done.
  llvm::Expected<OutputFile> library = OutputFile::create(options.outputPath);
  if (!library)
    return library.takeError();
  std::optional<OutputFile> header, weights;
  if (!options.headerPath.empty()) {
    llvm::Expected<OutputFile> file = OutputFile::create(options.headerPath);
    if (!file)
      return file.takeError();
    header.emplace(std::move(*file));
    if (llvm::Error error = header->write(::tfc::makeHeader(model->description, options.querySymbol)))
      return error;
  }
  if (model->description.mode == TFC_WEIGHTS_EXTERNAL) {
    llvm::Expected<OutputFile> file = writeExternalWeights(*model, options);
    if (!file)
      return file.takeError();
    weights.emplace(std::move(*file));
  }

  llvm::LLVMContext context;
  llvm::Expected<std::unique_ptr<llvm::Module>> code = makeModule(module, *model, options, context);
  if (!code)
    return code.takeError();
  if (kind == LibraryKind::Static) {
    if (llvm::Error error = packArchive(std::move(*code), *model, options, *library))
      return error;
  } else {
    if (llvm::Error error = linkLibrary(std::move(*code), options, *library))
      return error;
    if (llvm::Error error = writeEmbeddedWeights(*model, *library))
      return error;
  }

  if (weights)
    if (llvm::Error error = weights->commit())
      return error;
  if (header)
    if (llvm::Error error = header->commit())
      return error;
  return library->commit(/*executable=*/kind == LibraryKind::Shared);
}

llvm::Error mlir::tfc::emitCodeFile(ModuleOp module, CodeKind kind, const ArtifactOptions &given) {
  llvm::Expected<ModelReading> model = readModel(module, given.variants);
  if (!model)
    return model.takeError();
  ArtifactOptions options = given;
  options.querySymbol = getQuerySymbol(*model, LibraryKind::Shared, given.querySymbol);
  describeWeights(model->description, options);
  llvm::Expected<OutputFile> file = OutputFile::create(options.outputPath);
  if (!file)
    return file.takeError();
  llvm::LLVMContext context;
  llvm::Expected<std::unique_ptr<llvm::Module>> code = makeModule(module, *model, options, context);
  if (!code)
    return code.takeError();
  llvm::SmallString<0> bytes;
  if (llvm::Error error = ::tfc::emitCode(**code, options.target, kind == CodeKind::Object, bytes))
    return error;
  if (llvm::Error error = file->write(bytes))
    return error;
  return file->commit();
}
