//===- DeviceCode.h - What an artifact holds of the code of a GPU --------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_TARGET_DEVICECODE_H
#define TFC_TARGET_DEVICECODE_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <string>

namespace llvm {
class Module;
} // namespace llvm
namespace tfc {
struct GpuTarget;

/// Machine code for just this chip, made by NVIDIA's ptxas; empty where there is none on this machine, or where it does not know the
/// chip: then the driver compiles the PTX when the model is loaded. What ptxas finds wrong in the PTX is an error.
llvm::Expected<std::string> makeCubin(llvm::StringRef ptx, const GpuTarget &target);

/// A parameter list, before emulateGpuModule takes away what says how large those passed by value are.
using ParameterBytes = std::vector<std::pair<std::string, std::vector<uint32_t>>>;
ParameterBytes getParameterBytes(const llvm::Module &module);

/// Gives what emulateGpuModule made the variable `kEmulatedCodeSymbol` (a TfcEmulatedCode): a list of its kernels, and slots in the
/// place of everything that it wants of an emulator.
void listEmulatedCode(llvm::Module &module, const ParameterBytes &kernels);

} // namespace tfc

#endif // TFC_TARGET_DEVICECODE_H
