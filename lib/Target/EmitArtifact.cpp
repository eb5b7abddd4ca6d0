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
#include "tfc/Target/SplitCode.h"
#include "tfc/Target/StaticArchive.h"
#include "tfc/Target/TranslateToLLVMIR.h"
#include "tfc/Target/WeightSegment.h"
#include "tfc/Target/WriteWeights.h"
#include "tfc/Weights/ContentHash.h"

#include "llvm/ADT/SmallBitVector.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Linker/Linker.h"
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

/// "out/bert.so" -> "out/bert.weights", and "out/bert.1.weights" for the second table.
static std::string getWeightsPath(StringRef output, size_t table) {
  SmallString<256> path(output);
  if (llvm::sys::path::extension(path) == ".so" || llvm::sys::path::extension(path) == ".a")
    llvm::sys::path::replace_extension(path, "");
  return (path + (table ? "." + Twine(table) : Twine()) + ".weights").str();
}

namespace {
/// All that goes into an artifact: what the descriptor says, and which module has the bytes of each table of weights.
struct Artifact {
  ::tfc::ModelDescription description;
  std::vector<ModelReading> readings; ///< The CPU's, if there is code for it, then those of the programs.
  SmallVector<size_t> owners;         ///< Per table, the number of a reading.

  ::tfc::WeightTableDescription &table(size_t number) {
    return number ? description.moreWeights[number - 1] : description;
  }
  const ModelReading &owner(size_t number) const { return readings[owners[number]]; }
};
} // namespace

/// The table that has the same bytes as this reading wants, or a new one.
static uint32_t getTable(Artifact &artifact, size_t reading) {
  for (auto [table, owner] : llvm::enumerate(artifact.owners))
    if (haveSameWeights(artifact.readings[owner], artifact.readings[reading]))
      return table;
  const ::tfc::WeightTableDescription &weights = artifact.readings[reading].description;
  if (artifact.owners.empty())
    static_cast<::tfc::WeightTableDescription &>(artifact.description) = weights;
  else
    artifact.description.moreWeights.push_back(weights);
  artifact.owners.push_back(reading);
  return artifact.owners.size() - 1;
}

/// Host programs of all devices come together in one LLVM module, where each needs a name of its own.
static std::string getProgramSuffix(size_t program) { return "." + std::to_string(program); }

static llvm::Expected<Artifact> readArtifact(ModuleOp module, const ArtifactOptions &options) {
  Artifact artifact;
  auto add = [&](llvm::Expected<ModelReading> reading) -> llvm::Error {
    if (!reading)
      return reading.takeError();
    artifact.readings.push_back(std::move(*reading));
    return llvm::Error::success();
  };
  if (module)
    if (llvm::Error error = add(readModel(module, options.variants)))
      return std::move(error);
  for (const DeviceProgram &program : options.programs)
    if (llvm::Error error = add(readDeviceModel(program.module)))
      return std::move(error);
  if (artifact.readings.empty())
    return llvm::createStringError("there is no program to make an artifact of");
  const ::tfc::ModelDescription &first = artifact.readings.front().description;
  artifact.description.name = first.name;
  artifact.description.deviceOnly = !module;
  for (size_t i = 0; i < artifact.readings.size(); ++i) {
    uint32_t table = getTable(artifact, i);
    if (module && i == 0)
      continue;
    size_t number = i - (module ? 1 : 0);
    const DeviceProgram &from = options.programs[number];
    const ::tfc::ModelDescription &read = artifact.readings[i].description;
    ::tfc::ProgramDescription program;
    program.kind = from.kind;
    program.capability = from.capability;
    program.exact = from.isExact;
    program.weights = table;
    program.target = from.target;
    program.entries = read.entries;
    program.kernels = read.kernels;
    program.code = from.kind == TFC_PROGRAM_CUDA ? from.ptx : ::tfc::kEmulatedCodeSymbol.str() + getProgramSuffix(number);
    program.cubin = from.cubin;
    for (::tfc::EntryDescription &entry : program.entries)
      entry.run += getProgramSuffix(number);
    artifact.description.programs.push_back(std::move(program));
  }
  artifact.description.graphWeights = describeGraphWeights(options.graphWeights, artifact.owner(0));
  artifact.description.entries = module ? first.entries : artifact.description.programs.front().entries;
  artifact.description.kernels = first.kernels;
  return artifact;
}

/// What the descriptor says about the way of the weights, as far as it is known before they are written.
static void describeWeights(Artifact &artifact, const ArtifactOptions &options) {
  uint64_t end = 0;
  for (size_t number = 0; number < artifact.owners.size(); ++number) {
    ::tfc::WeightTableDescription &table = artifact.table(number);
    table.mode = table.weightBytes == 0 ? TFC_WEIGHTS_NONE : options.weights;
    if (table.mode == TFC_WEIGHTS_EMBED)
      table.embeddedBytes = getWrittenBytes(table, WeightChoice::All);
    if (table.mode == TFC_WEIGHTS_SEED)
      table.embeddedBytes = getWrittenBytes(table, WeightChoice::Unseeded);
    if (table.mode == TFC_WEIGHTS_EXTERNAL)
      table.weightsFile = llvm::sys::path::filename(getWeightsPath(options.outputPath, number)).str();
    // Pages, as within a table, so that each can be mapped and dropped by itself.
    table.embeddedOffset = llvm::alignTo(end, ::tfc::kWeightSegmentPage);
    if (table.embeddedBytes > 0)
      end = table.embeddedOffset + table.embeddedBytes;
  }
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

/// Writes the file of a table of external weights, whose hash goes into the descriptor.
static llvm::Expected<OutputFile> writeExternalWeights(Artifact &artifact, size_t number, const ArtifactOptions &options) {
  ::tfc::WeightTableDescription &table = artifact.table(number);
  llvm::Expected<OutputFile> file = OutputFile::create(getWeightsPath(options.outputPath, number));
  if (!file)
    return file.takeError();
  uint64_t bytes = getWrittenBytes(table, WeightChoice::All);
  if (::ftruncate(file->descriptor(), bytes) != 0)
    return systemError("write the weights");
  if (llvm::Error error = writeWeights(artifact.owner(number), WeightChoice::All, file->descriptor(), 0))
    return std::move(error);
  if (llvm::Error error = hashFile(file->descriptor(), bytes, table.weightsHash.data()))
    return std::move(error);
  return file;
}

/// Bytes of weights that travel inside the library.
static uint64_t getEmbeddedBytes(Artifact &artifact) {
  uint64_t bytes = 0;
  for (size_t number = 0; number < artifact.owners.size(); ++number)
    if (const ::tfc::WeightTableDescription &table = artifact.table(number); table.embeddedBytes > 0)
      bytes = table.embeddedOffset + table.embeddedBytes;
  return bytes;
}

/// Writes them, table by table, from `start` on.
static llvm::Error writeEmbeddedTables(Artifact &artifact, int fd, uint64_t start) {
  for (size_t number = 0; number < artifact.owners.size(); ++number) {
    const ::tfc::WeightTableDescription &table = artifact.table(number);
    WeightChoice choice = table.mode == TFC_WEIGHTS_EMBED ? WeightChoice::All : WeightChoice::Unseeded;
    if (table.embeddedBytes > 0)
      if (llvm::Error error = writeWeights(artifact.owner(number), choice, fd, start + table.embeddedOffset))
        return error;
  }
  return llvm::Error::success();
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
// Code
//===----------------------------------------------------------------------------------------------===//

/// LLVM IR for the machine; without code an empty module.
static llvm::Error translate(ModuleOp code, const llvm::TargetMachine &machine, ::tfc::OwnedModule &result) {
  if (code) {
    auto translated = translateToLLVMIR(code, *result.context);
    if (!translated)
      return translated.takeError();
    result.module = std::move(*translated);
  } else {
    result.module = std::make_unique<llvm::Module>("model", *result.context);
  }
  result.module->setTargetTriple(machine.getTargetTriple());
  result.module->setDataLayout(machine.createDataLayout());
  return llvm::Error::success();
}

/// Adds what a program of a device has of code for this machine to `code`, under names of its own.
static llvm::Error linkProgram(const DeviceProgram &program, size_t number, StringRef cpu, llvm::Module &code) {
  auto host = translateToLLVMIR(program.module, code.getContext());
  if (!host)
    return host.takeError();
  // A CPU that is too old for the kernels may have a device.
  if (!cpu.empty())
    for (llvm::Function &function : **host)
      if (!function.isDeclaration()) {
        function.addFnAttr("target-cpu", cpu);
        function.addFnAttr("target-features", "");
      }
  SmallVector<std::unique_ptr<llvm::Module>, 2> parts;
  parts.push_back(std::move(*host));
  if (program.emulate) {
    auto kernels = program.emulate(code.getContext());
    if (!kernels)
      return kernels.takeError();
    parts.push_back(std::move(*kernels));
  }
  for (std::unique_ptr<llvm::Module> &part : parts) {
    part->setTargetTriple(code.getTargetTriple());
    part->setDataLayout(code.getDataLayout());
    for (llvm::GlobalObject &object : part->global_objects())
      if (!object.isDeclaration() && !object.hasLocalLinkage())
        object.setName(object.getName() + getProgramSuffix(number));
    if (llvm::Linker::linkModules(code, std::move(part)))
      return llvm::createStringError("the code of program '%s' does not go with that of the others", program.target.c_str());
  }
  return llvm::Error::success();
}

/// Adds the code of the devices' programs, and the descriptor of all.
static llvm::Error addDescriptor(llvm::Module &code, const Artifact &artifact, const ArtifactOptions &options) {
  for (auto [number, program] : llvm::enumerate(options.programs))
    if (llvm::Error error = linkProgram(program, number, options.programCpu, code))
      return error;
  return ::tfc::emitModelABI(code, artifact.description, options.querySymbol);
}

/// The code of the module in parts, the first with the descriptor.
static llvm::Expected<std::vector<::tfc::OwnedModule>> makeModules(ArrayRef<CodePart> parts, const Artifact &artifact,
                                                                   const llvm::TargetMachine &machine, const ArtifactOptions &options) {
  std::vector<::tfc::OwnedModule> modules(parts.size());
  for (auto [part, module] : llvm::zip_equal(parts, modules)) {
    if (llvm::Error error = translate(part.code ? *part.code : ModuleOp(), machine, module))
      return std::move(error);
    if (&module != &modules.front())
      ::tfc::hideKernels(*module.module, artifact.description);
    else if (llvm::Error error = addDescriptor(*module.module, artifact, options))
      return std::move(error);
  }
  return modules;
}

static llvm::Triple getTriple(const ArtifactOptions &options) {
  return llvm::Triple(llvm::Triple::normalize(options.target.triple.empty() ? llvm::sys::getDefaultTargetTriple() : options.target.triple));
}

static bool isThisMachine(const llvm::Triple &triple) {
  llvm::Triple host(llvm::sys::getDefaultTargetTriple());
  return triple.getArch() == host.getArch() && triple.getOS() == host.getOS();
}

/// The runtime's core goes into every model.so.
static llvm::Error checkTripleIsLinkable(const llvm::Triple &triple) {
  if (!::tfc::getRuntimeCoreObject(triple).empty())
    return llvm::Error::success();
  return llvm::createStringError("a shared library for '%s' cannot be linked by this compiler, for the runtime's core was not built "
                                 "for it; object files and assembly can be written",
                                 triple.str().c_str());
}

/// Object files in an order that depends on the model alone: that of the host programs, then those of the kernels as the model
/// numbers them, compiled here or before.
static llvm::Expected<std::vector<SmallString<0>>> compileParts(ModuleOp module, const Artifact &artifact, LibraryKind kind,
                                                                const ArtifactOptions &options) {
  auto machine = ::tfc::createTargetMachine(options.target);
  if (!machine)
    return machine.takeError();
  if (llvm::Error error = checkTripleIsLinkable((*machine)->getTargetTriple()))
    return std::move(error);
  // What is for devices alone has no code of its own, but their host programs.
  llvm::Expected<std::vector<CodePart>> parts = std::vector<CodePart>(1);
  if (module)
    parts = splitCode(module, artifact.description);
  if (!parts)
    return parts.takeError();
  llvm::Expected<std::vector<::tfc::OwnedModule>> modules = makeModules(*parts, artifact, **machine, options);
  if (!modules)
    return modules.takeError();
  if (kind == LibraryKind::Static)
    for (::tfc::OwnedModule &part : *modules)
      ::tfc::qualifyNames(*part.module, options.querySymbol);
  llvm::Expected<std::vector<SmallString<0>>> objects = ::tfc::emitObjects(std::move(*modules), options.target, options.threads);
  if (!objects)
    return objects.takeError();

  if (!module)
    return objects;
  ArrayRef<::tfc::KernelDescription> kernels = artifact.description.kernels;
  std::vector<SmallString<0>> ofKernel(kernels.size());
  llvm::SmallBitVector compiled(kernels.size());
  for (auto [part, object] : llvm::zip_equal(*parts, *objects)) {
    for (uint32_t number : part.kernels)
      compiled.set(number);
    if (&part == &parts->front())
      continue;
    if (options.onKernelObject && part.kernels.size() == 1)
      options.onKernelObject(kernels[part.kernels.front()].name, object);
    ofKernel[part.kernels.front()] = std::move(object);
  }
  objects->resize(1);
  for (auto [number, kernel] : llvm::enumerate(kernels)) {
    auto known = options.kernelObjects.find(kernel.name);
    if (!compiled[number] && known == options.kernelObjects.end())
      return llvm::createStringError("kernel @%s has no code", kernel.name.c_str());
    if (!compiled[number])
      ofKernel[number] = known->second;
    if (!ofKernel[number].empty())
      objects->push_back(std::move(ofKernel[number]));
  }
  return objects;
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
  describeWeights(*artifact, options);
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
  describeWeights(*artifact, options);
  llvm::Expected<OutputFile> file = OutputFile::create(options.outputPath);
  if (!file)
    return file.takeError();
  auto machine = ::tfc::createTargetMachine(options.target);
  if (!machine)
    return machine.takeError();
  ::tfc::OwnedModule code;
  if (llvm::Error error = translate(module, **machine, code))
    return error;
  if (llvm::Error error = addDescriptor(*code.module, *artifact, options))
    return error;
  llvm::SmallString<0> bytes;
  if (llvm::Error error = ::tfc::emitCode(*code.module, options.target, kind == CodeKind::Object, bytes))
    return error;
  if (llvm::Error error = file->write(bytes))
    return error;
  return file->commit();
}
