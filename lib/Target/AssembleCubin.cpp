//===- AssembleCubin.cpp - PTX becomes machine code, where there is a ptxas ----------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Target/DeviceCode.h"
#include "tfc/Target/OutputFile.h"
#include "tfc/TargetInfo/GpuTarget.h"

#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Program.h"

using namespace llvm;
using namespace tfc;

/// In PATH, where CMake has found the toolkit, or where it is usually installed.
static ErrorOr<std::string> findAssembler() {
  ErrorOr<std::string> program = sys::findProgramByName("ptxas");
#ifdef TFC_CUDA_BIN
  if (!program)
    program = sys::findProgramByName("ptxas", {TFC_CUDA_BIN});
#endif
  return program ? program : sys::findProgramByName("ptxas", {"/usr/local/cuda/bin"});
}

Expected<std::string> tfc::makeCubin(StringRef ptx, const GpuTarget &target) {
  ErrorOr<std::string> program = findAssembler();
  // The newest ones no longer make code for the oldest chips.
  if (!program || target.computeCapability < 75)
    return std::string();
  Expected<TemporaryFolder> folder = TemporaryFolder::create();
  if (!folder)
    return folder.takeError();
  Expected<std::string> source = folder->addFile("kernels.ptx", ptx);
  if (!source)
    return source.takeError();
  std::string result = folder->path("kernels.cubin"), log = folder->path("log"), why;
  std::optional<StringRef> redirects[] = {StringRef(), StringRef(log), StringRef(log)};
  std::string arch = "-arch=" + target.chip;
  int code = sys::ExecuteAndWait(*program, {*program, arch, *source, "-o", result}, std::nullopt, redirects,
                                       /*SecondsToWait=*/600, /*MemoryLimit=*/0, &why);
  auto bytes = MemoryBuffer::getFile(code == 0 ? result : log, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (code == 0 && bytes)
    return (*bytes)->getBuffer().str();
  StringRef said = bytes ? (*bytes)->getBuffer().split('\n').first : StringRef(why);
  // An older ptxas than the PTX's version is no reason to do without a model.
  if (said.contains("Unsupported .version") || said.contains("is not defined for option 'gpu-name'"))
    return std::string();
  return createStringError("ptxas refuses the code: %s", said.str().c_str());
}
