//===- ArtifactWeights.cpp - The bytes of an artifact's weights, in it or beside it -----------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===------------------------------------------------------------------------------------------------------===//

#include "ArtifactWeights.h"

#include "tfc/Target/WriteWeights.h"
#include "tfc/Weights/ContentHash.h"

#include <cerrno>
#include <unistd.h>

using namespace mlir;
using namespace mlir::tfc;
using ::tfc::OutputFile;

static llvm::Error systemError(const Twine &doing) {
  std::error_code code(errno ? errno : EIO, std::generic_category());
  return llvm::createStringError(code, "cannot %s: %s", doing.str().c_str(), code.message().c_str());
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

llvm::Expected<OutputFile> mlir::tfc::writeExternalWeights(Artifact &artifact, size_t number, const ArtifactOptions &options) {
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

uint64_t mlir::tfc::getEmbeddedBytes(Artifact &artifact) {
  uint64_t bytes = 0;
  for (size_t number = 0; number < artifact.owners.size(); ++number)
    if (const ::tfc::WeightTableDescription &table = artifact.table(number); table.embeddedBytes > 0)
      bytes = table.embeddedOffset + table.embeddedBytes;
  return bytes;
}

llvm::Error mlir::tfc::writeEmbeddedTables(Artifact &artifact, int fd, uint64_t start) {
  for (size_t number = 0; number < artifact.owners.size(); ++number) {
    const ::tfc::WeightTableDescription &table = artifact.table(number);
    WeightChoice choice = table.mode == TFC_WEIGHTS_EMBED ? WeightChoice::All : WeightChoice::Unseeded;
    if (table.embeddedBytes > 0)
      if (llvm::Error error = writeWeights(artifact.owner(number), choice, fd, start + table.embeddedOffset))
        return error;
  }
  return llvm::Error::success();
}
