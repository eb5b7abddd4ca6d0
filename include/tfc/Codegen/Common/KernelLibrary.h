//===- KernelLibrary.h - Kernels made of groups of ops, each once -*- C++ -*- -----------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_CODEGEN_COMMON_KERNELLIBRARY_H
#define TFC_CODEGEN_COMMON_KERNELLIBRARY_H

#include "tfc/Codegen/Common/GroupOps.h"
#include "tfc/Dialect/Tfc/IR/TfcOps.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/StringMap.h"

namespace mlir::tfc {

/// Makes kernel functions of groups, at the end of the module. Groups that come to the same function, but for
/// Locations and the names of symbols, share it.
class KernelLibrary {
public:
  explicit KernelLibrary(ModuleOp module) : module(module), symbolTable(module) {}

  /// Replaces the group, in place of its root, by a launch of its kernel.
  LaunchOp outline(const OpGroup &group);

  size_t size() const { return kernels.size(); }

private:
  func::FuncOp findOrInsert(func::FuncOp candidate, StringRef baseName);

  ModuleOp module;
  SymbolTable symbolTable;
  /// By the text of the function without its name.
  llvm::StringMap<func::FuncOp> kernels;
  llvm::StringMap<int64_t> nextNumber;
};

} // namespace mlir::tfc

#endif // TFC_CODEGEN_COMMON_KERNELLIBRARY_H
