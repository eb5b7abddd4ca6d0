//===- EmitArtifact.cpp - From a module at stage llvm to the files of a model --------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===------------------------------------------------------------------------------------------------------===//

#include "tfc/Target/EmitArtifact.h"
#include "ArtifactCode.h"
#include "ArtifactWeights.h"

#include "tfc/Target/EmbeddedFiles.h"
#include "tfc/Target/EmitHeader.h"
#include "tfc/Target/LinkSharedLibrary.h"
#include "tfc/Target/OutputFile.h"
#include "tfc/Target/StaticArchive.h"
#include "tfc/Target/WeightSegment.h"

#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/TargetParser/Host.h"

#include <cerrno>
#include <optional>

using namespace mlir;
using namespace mlir::tfc;
using ::tfc::OutputFile;

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
// Libraries
//===----------------------------------------------------------------------------------------------===//

static llvm::Triple getTriple(const ArtifactOptions &options) {
  return llvm::Triple(llvm::Triple::normalize(options.target.triple.empty() ? llvm::sys::getDefaultTargetTriple() : options.target.triple));
}

static bool isThisMachine(const llvm::Triple &triple) {
  llvm::Triple host(llvm::sys::getDefaultTargetTriple());
  return triple.getArch() == host.getArch() && triple.getOS() == host.getOS();
}

static llvm::Error linkLibrary(ModuleOp module, const Artifact &artifact, const ArtifactOptions &options, OutputFile &library) {
  llvm::Expected<std::vector<SmallString<0>>> objects = compileParts(module, artifact, LibraryKind::Shared, options);
  if (!objects)
    return objects.takeError();
  llvm::Triple triple = getTriple(options);
  // The page that stands for the weights is in the first object. Last in the list, it comes last in memory on every machine.
  SmallVector<StringRef> inputs(std::next(objects->begin()), objects->end());
  inputs.push_back(::tfc::getRuntimeCoreObject(triple));
  inputs.push_back(objects->front());
  SmallString<0> nothing;
  if (!isThisMachine(triple)) {
    ::tfc::OwnedModule empty;
    empty.module = std::make_unique<llvm::Module>("nothing", *empty.context);
    if (llvm::Error error = ::tfc::emitCode(*empty.module, options.target, /*object=*/true, nothing))
      return error;
  }
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
  link.foreignObject = nothing;
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
static llvm::Error packArchive(ModuleOp module, Artifact &artifact, const ArtifactOptions &options, OutputFile &library) {
  llvm::Triple triple = getTriple(options);
  llvm::Expected<std::vector<llvm::SmallString<0>>> objects = compileParts(module, artifact, LibraryKind::Static, options);
  if (!objects)
    return objects.takeError();
  // The names of members are for people only; linkers look at the symbols.
  std::string stem = ::tfc::toIdentifier(artifact.description.name);
  std::vector<std::pair<std::string, StringRef>> members;
  for (auto [number, object] : llvm::enumerate(*objects))
    members.emplace_back(stem + (number ? "-" + std::to_string(number) : "") + ".o", object);
  std::unique_ptr<llvm::MemoryBuffer> weights;
  if (uint64_t bytes = getEmbeddedBytes(artifact)) {
    llvm::Expected<::tfc::TemporaryFolder> folder = ::tfc::TemporaryFolder::create();
    if (!folder)
      return folder.takeError();
    llvm::Expected<OutputFile> file = OutputFile::create(folder->path("weights.o"));
    if (!file)
      return file.takeError();
    llvm::Expected<uint64_t> start = ::tfc::openWeightObject(file->descriptor(), triple, ::tfc::getWeightSymbol(options.querySymbol), bytes);
    if (!start)
      return start.takeError();
    if (llvm::Error error = writeEmbeddedTables(artifact, file->descriptor(), *start))
      return error;
    // Mapped, it stays when its name goes.
    auto mapped = llvm::MemoryBuffer::getFile(file->temporaryPath(), /*IsText=*/false, /*RequiresNullTerminator=*/false);
    if (!mapped)
      return llvm::createStringError(mapped.getError(), "cannot read back the weights: %s", mapped.getError().message().c_str());
    weights = std::move(*mapped);
    members.emplace_back(stem + "-weights.o", weights->getBuffer());
  }
  members.emplace_back("tfc-core.o", ::tfc::getRuntimeCoreObject(triple));
  llvm::raw_fd_ostream os(library.descriptor(), /*shouldClose=*/false);
  return ::tfc::writeStaticArchive(os, members);
}

/// Writes the weights that travel inside the linked library.
static llvm::Error writeEmbeddedWeights(Artifact &artifact, OutputFile &library) {
  uint64_t bytes = getEmbeddedBytes(artifact);
  if (bytes == 0)
    return llvm::Error::success();
  llvm::Expected<uint64_t> start = ::tfc::openWeightSegment(library.descriptor(), bytes);
  if (!start)
    return start.takeError();
  return writeEmbeddedTables(artifact, library.descriptor(), *start);
}

//===----------------------------------------------------------------------------------------------===//
// Artifacts
//===----------------------------------------------------------------------------------------------===//

/// The name of the query function, where none was given. In a program archives share one space of names, shared libraries do not.
static std::string getQuerySymbol(const ::tfc::ModelDescription &model, LibraryKind kind, StringRef given) {
  if (!given.empty())
    return given.str();
  return kind == LibraryKind::Shared ? "tfc_model_query" : "tfc_model_" + ::tfc::toIdentifier(model.name);
}

llvm::Error mlir::tfc::emitArtifact(ModuleOp module, LibraryKind kind, const ArtifactOptions &given) {
  llvm::Expected<Artifact> artifact = readArtifact(module, given);
  if (!artifact)
    return artifact.takeError();
  ArtifactOptions options = given;
  options.querySymbol = getQuerySymbol(artifact->description, kind, given.querySymbol);
  if (!options.headerPath.empty() && options.headerPath == options.outputPath)
    return llvm::createStringError("the header and the library cannot both be written to '%s'",
                                   options.outputPath.c_str());

  // All files are opened first: a path that cannot be written is known before the work is done.
  llvm::Expected<OutputFile> library = OutputFile::create(options.outputPath);
  if (!library)
    return library.takeError();
  std::optional<OutputFile> header;
  if (!options.headerPath.empty()) {
    llvm::Expected<OutputFile> file = OutputFile::create(options.headerPath);
    if (!file)
      return file.takeError();
    header.emplace(std::move(*file));
    if (llvm::Error error = header->write(::tfc::makeHeader(artifact->description, options.querySymbol)))
      return error;
  }
  std::vector<OutputFile> weights;
  for (size_t number = 0; number < artifact->owners.size(); ++number) {
    if (artifact->table(number).mode != TFC_WEIGHTS_EXTERNAL)
      continue;
    llvm::Expected<OutputFile> file = writeExternalWeights(*artifact, number, options);
    if (!file)
      return file.takeError();
    weights.push_back(std::move(*file));
  }

  if (kind == LibraryKind::Static) {
    if (llvm::Error error = packArchive(module, *artifact, options, *library))
      return error;
  } else {
    if (llvm::Error error = linkLibrary(module, *artifact, options, *library))
      return error;
    if (llvm::Error error = writeEmbeddedWeights(*artifact, *library))
      return error;
  }

  for (OutputFile &file : weights)
    if (llvm::Error error = file.commit())
      return error;
  if (header)
    if (llvm::Error error = header->commit())
      return error;
  return library->commit(/*executable=*/kind == LibraryKind::Shared);
}

llvm::Error mlir::tfc::emitCodeFile(ModuleOp module, CodeKind kind, const ArtifactOptions &given) {
  llvm::Expected<Artifact> artifact = readArtifact(module, given);
  if (!artifact)
    return artifact.takeError();
  ArtifactOptions options = given;
  options.querySymbol = getQuerySymbol(artifact->description, LibraryKind::Shared, given.querySymbol);
  llvm::Expected<OutputFile> file = OutputFile::create(options.outputPath);
  if (!file)
    return file.takeError();
  ::tfc::OwnedModule code;
  if (llvm::Error error = translateWhole(module, *artifact, options, code))
    return error;
  llvm::SmallString<0> bytes;
  if (llvm::Error error = ::tfc::emitCode(*code.module, options.target, kind == CodeKind::Object, bytes))
    return error;
  if (llvm::Error error = file->write(bytes))
    return error;
  return file->commit();
}
