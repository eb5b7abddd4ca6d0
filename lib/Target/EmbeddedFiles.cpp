//===- EmbeddedFiles.cpp - Files that the compiler carries with it -------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===------------------------------------------------------------------------------------------------------===//

#include "tfc/Target/EmbeddedFiles.h"

#include "llvm/TargetParser/Host.h"

extern "C" {
extern const char tfc_embedded_core_object[], tfc_embedded_core_object_end[];
extern const char tfc_embedded_core_object_aarch64[], tfc_embedded_core_object_aarch64_end[];
extern const char tfc_embedded_model_abi[], tfc_embedded_model_abi_end[];
}

llvm::StringRef tfc::getRuntimeCoreObject(const llvm::Triple &triple) {
  llvm::Triple host(llvm::sys::getDefaultTargetTriple());
  if (triple.getArch() == host.getArch() && triple.getOS() == host.getOS())
    return {tfc_embedded_core_object, size_t(tfc_embedded_core_object_end - tfc_embedded_core_object)};
  if (triple.getArch() == llvm::Triple::aarch64 && triple.isOSLinux())
    return {tfc_embedded_core_object_aarch64, size_t(tfc_embedded_core_object_aarch64_end - tfc_embedded_core_object_aarch64)};
  return {};
}

llvm::StringRef tfc::getModelABIText() {
  return {tfc_embedded_model_abi, size_t(tfc_embedded_model_abi_end - tfc_embedded_model_abi)};
}
