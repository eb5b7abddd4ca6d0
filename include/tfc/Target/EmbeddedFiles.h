//===- EmbeddedFiles.h - Files that the compiler carries with it -------------------------------------*- C++
//-*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===------------------------------------------------------------------------------------------------------===//

#ifndef TFC_TARGET_EMBEDDEDFILES_H
#define TFC_TARGET_EMBEDDEDFILES_H

#include "llvm/ADT/StringRef.h"

namespace tfc {

/// The object file of the runtime's core, made for the machine the compiler runs on.
llvm::StringRef getRuntimeCoreObject();

/// The text of tfc-c/ModelABI.h.
llvm::StringRef getModelABIText();

} // namespace tfc

#endif // TFC_TARGET_EMBEDDEDFILES_H
