//===- LinkSharedLibrary.h - From object files to a shared library -----------------------------------*- C++
//-*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===------------------------------------------------------------------------------------------------------===//

#ifndef TFC_TARGET_LINKSHAREDLIBRARY_H
#define TFC_TARGET_LINKSHAREDLIBRARY_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace tfc {

struct LinkOptions {
  llvm::StringRef outputPath; ///< Overwritten.
  llvm::StringRef soname;
  llvm::StringRef exportedSymbol; ///< The only one.
  /// For another machine, whose C library is not here: an object file for it without any symbol. What is undefined then is found
  /// out only where the library is loaded.
  llvm::StringRef foreignObject;
};

/// Links object files (their bytes) into a shared library with lld, inside this process. Nothing is needed of
/// the machine but the C library that runs this very program: no compiler driver, no start files, no
/// development packages. An error carries what lld said, as one sentence.
llvm::Error linkSharedLibrary(llvm::ArrayRef<llvm::StringRef> objects, const LinkOptions &options);

} // namespace tfc

#endif // TFC_TARGET_LINKSHAREDLIBRARY_H
