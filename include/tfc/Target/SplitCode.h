//===- SplitCode.h - The parts of a module that are compiled on their own -----------------------*- C++ -*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===------------------------------------------------------------------------------------------------------===//

#ifndef TFC_TARGET_SPLITCODE_H
#define TFC_TARGET_SPLITCODE_H

#include "tfc/Target/ModelDescription.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/Error.h"

#include <vector>

namespace mlir::tfc {

/// Code that becomes an object file of its own: a module of the LLVM dialect alone.
struct CodePart {
  OwningOpRef<ModuleOp> code;
  /// The kernels of the model that it has, by number.
  SmallVector<uint32_t> kernels;
};

/// Cuts the code of a module at stage llvm. The first part has the host programs, and declarations of all kernels; each other one
/// a kernel with its variants and whatever only it uses, in the order of the model's kernels. What such a part holds depends on the kernel
/// alone. Kernels that share a definition with others, or with the host programs, stay together.
llvm::Expected<std::vector<CodePart>> splitCode(ModuleOp module, const ::tfc::ModelDescription &model);

} // namespace mlir::tfc

#endif // TFC_TARGET_SPLITCODE_H
