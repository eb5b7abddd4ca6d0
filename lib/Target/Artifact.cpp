//===- Artifact.cpp - What goes into an artifact, from the modules of all its targets ---------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===------------------------------------------------------------------------------------------------------===//

#include "Artifact.h"

#include "tfc/Target/EmitModelABI.h"
#include "tfc/Target/WriteWeights.h"

#include "llvm/Support/Path.h"

using namespace mlir;
using namespace mlir::tfc;

std::string mlir::tfc::getWeightsPath(StringRef output, size_t table) {
  SmallString<256> path(output);
  if (llvm::sys::path::extension(path) == ".so" || llvm::sys::path::extension(path) == ".a")
    llvm::sys::path::replace_extension(path, "");
  return (path + (table ? "." + Twine(table) : Twine()) + ".weights").str();
}

std::string mlir::tfc::getProgramSuffix(size_t program) { return "." + std::to_string(program); }

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

/// What all modules say, with a table for the weights of each.
static llvm::Expected<Artifact> readModules(ModuleOp module, const ArtifactOptions &options) {
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

llvm::Expected<Artifact> mlir::tfc::readArtifact(ModuleOp module, const ArtifactOptions &options) {
  llvm::Expected<Artifact> artifact = readModules(module, options);
  if (artifact)
    describeWeights(*artifact, options);
  return artifact;
}
