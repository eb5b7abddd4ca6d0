//===- HostCode.h - The host program as LLVM code -*- C++ -*- ---------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_CODEGEN_COMMON_HOSTCODE_H
#define TFC_CODEGEN_COMMON_HOSTCODE_H

#include "tfc/Codegen/Common/EntryDescription.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace mlir::tfc {

/// Emits `llvm.func @name(!llvm.ptr) -> i32` before the entry: the entry's ops as calls of the runtime.
FailureOr<LLVM::LLVMFuncOp> emitHostCode(func::FuncOp entry, EntryDescription &description, StringRef name);

} // namespace mlir::tfc

#endif // TFC_CODEGEN_COMMON_HOSTCODE_H
