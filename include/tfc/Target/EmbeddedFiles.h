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
#include "llvm/TargetParser/Triple.h"

namespace tfc {

/// The object file with the runtime's core, which goes into every model.so, for this machine; empty where there is none.
llvm::StringRef getRuntimeCoreObject(const llvm::Triple &triple);

/// The text of tfc-c/ModelABI.h.
llvm::StringRef getModelABIText();

} // namespace tfc

#endif // TFC_TARGET_EMBEDDEDFILES_H
