//===- StaticArchive.h - A model as a static library -*- C++ -*-----------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===------------------------------------------------------------------------------------------------------===//

#ifndef TFC_TARGET_STATICARCHIVE_H
#define TFC_TARGET_STATICARCHIVE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/TargetParser/Triple.h"

#include <string>
#include <utility>

namespace llvm {
class Module;
class raw_fd_ostream;
} // namespace llvm

namespace tfc {

/// Gives everything that the module defines, but the query function, a name that ends with the query function's: archives of several
/// models meet in one program, and there hidden names are one space. The page of weights becomes a reference to
/// `getWeightSymbol`, which an object of its own defines.
void qualifyNames(llvm::Module &module, llvm::StringRef querySymbol);

std::string getWeightSymbol(llvm::StringRef querySymbol);

/// Makes the file an object that defines `symbol` as `bytes` read-only bytes, and returns where in the file they go. It gets its final
/// size, with zeros there.
llvm::Expected<uint64_t> openWeightObject(int fd, const llvm::Triple &triple, llvm::StringRef symbol, uint64_t bytes);

/// Writes an archive with a table of symbols; the same members give the same bytes.
llvm::Error writeStaticArchive(llvm::raw_fd_ostream &os, llvm::ArrayRef<std::pair<std::string, llvm::StringRef>> members);

} // namespace tfc

#endif // TFC_TARGET_STATICARCHIVE_H
