//===- KernelCache.h - Machine code of kernels, kept on disk from one compilation to the next -----*- C++ -*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===------------------------------------------------------------------------------------------------------===//

#ifndef TFC_TARGET_KERNELCACHE_H
#define TFC_TARGET_KERNELCACHE_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <array>
#include <functional>
#include <optional>
#include <string>

namespace tfc {

/// What generating a kernel gives: an object file, and what the host program must know of it.
struct CachedKernel {
  std::string tiles, scratch; ///< Expressions of the kernel's symbols.
  llvm::SmallString<0> object;
};

/// A folder with one file per kernel, named by a hash of all that its code depends on. Any number of compilers may share it: a
/// file appears whole or not at all, and is checked when it is read. Nothing that goes wrong here is an error: without the cache a kernel is
/// compiled. The folder is trusted as much as a compiler is, for what lies there becomes code.
class KernelCache {
public:
  using Key = std::array<uint8_t, 32>;
  static constexpr uint64_t kDefaultLimit = uint64_t(256) << 20;

  /// `warn` is told, once, in a sentence what keeps the cache from working.
  KernelCache(llvm::StringRef folder, uint64_t limitBytes, std::function<void(llvm::StringRef)> warn);

  /// A hash of a text and of this compiler: its own code and that of the libraries it is linked with.
  static Key makeKey(llvm::StringRef text);

  /// What is kept under the key; nothing where there is no such file or it is damaged.
  std::optional<CachedKernel> find(const Key &key);
  void store(const Key &key, const CachedKernel &kernel);
  /// Removes the files that have not been used for longest until the rest is within the limit.
  void prune();

private:
  std::string pathOf(const Key &key) const;
  void complain(llvm::Error error);

  std::string folder;
  uint64_t limitBytes;
  std::function<void(llvm::StringRef)> warn;
  bool complained = false;
};

} // namespace tfc

#endif // TFC_TARGET_KERNELCACHE_H
