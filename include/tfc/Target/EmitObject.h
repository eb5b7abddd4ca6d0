//===- EmitObject.h - From an LLVM module to object code or assembly ---------------------------------*- C++
//-*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===------------------------------------------------------------------------------------------------------===//

#ifndef TFC_TARGET_EMITOBJECT_H
#define TFC_TARGET_EMITOBJECT_H

#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <memory>
#include <string>
#include <vector>

namespace llvm {
class LLVMContext;
class Module;
class TargetMachine;
} // namespace llvm

namespace tfc {

/// What machine code is made for, in LLVM's words.
struct CodegenTarget {
  std::string triple;   ///< Empty: this machine's.
  std::string cpu;      ///< "x86-64-v3"; empty: the plainest of the architecture.
  std::string features; ///< "+avx512bf16,-avx512vnni"
  unsigned optLevel = 3;
};

/// The machine code generator for `target`; an error names an unknown triple, CPU or feature.
llvm::Expected<std::unique_ptr<llvm::TargetMachine>> createTargetMachine(const CodegenTarget &target);

/// A module and the context it lives in, which no other thread uses.
struct OwnedModule {
  std::unique_ptr<llvm::LLVMContext> context;
  std::unique_ptr<llvm::Module> module;

  OwnedModule();
  OwnedModule(OwnedModule &&other);
  OwnedModule &operator=(OwnedModule &&) = delete;
  ~OwnedModule();
};

/// Optimizes the modules side by side on up to `threads` threads (0: all of the machine) and writes position independent object
/// code, one object file each. The bytes do not depend on the number of threads.
llvm::Expected<std::vector<llvm::SmallString<0>>> emitObjects(std::vector<OwnedModule> modules, const CodegenTarget &target,
                                                              unsigned threads);

/// Optimizes `module` and appends its assembly (or, with `object`, one object file) to `bytes`.
llvm::Error emitCode(llvm::Module &module, const CodegenTarget &target, bool object,
                     llvm::SmallVectorImpl<char> &bytes);

} // namespace tfc

#endif // TFC_TARGET_EMITOBJECT_H
