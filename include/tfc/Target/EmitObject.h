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

/// Optimizes `module` and writes position independent object code. A large module is cut into parts that are
/// compiled side by side on up to `threads` threads, each an object file of its own. The cut depends on the
/// module alone, so the same module gives the same bytes.
llvm::Expected<std::vector<llvm::SmallString<0>>> emitObjects(std::unique_ptr<llvm::Module> module,
                                                              const CodegenTarget &target, unsigned threads);

/// Optimizes `module` and appends its assembly (or, with `object`, one object file) to `bytes`.
llvm::Error emitCode(llvm::Module &module, const CodegenTarget &target, bool object,
                     llvm::SmallVectorImpl<char> &bytes);

} // namespace tfc

#endif // TFC_TARGET_EMITOBJECT_H
