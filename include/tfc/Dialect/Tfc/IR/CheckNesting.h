//===- CheckNesting.h - Refuses IR text that would overflow the parser's stack -*- C++ -*-------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_DIALECT_TFC_IR_CHECKNESTING_H
#define TFC_DIALECT_TFC_IR_CHECKNESTING_H

#include "mlir/Support/LLVM.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/MemoryBufferRef.h"

namespace mlir::tfc {

/// MLIR's parser recurses into attributes, types and regions without a limit, so that a file of brackets alone ends it
/// with a crash. Whoever parses a file asks here first: brackets nested beyond what any model needs are reported once.
/// Bytecode passes.
LogicalResult checkNesting(llvm::MemoryBufferRef source,
                           llvm::function_ref<void(StringRef file, unsigned line, const Twine &message)> report);

} // namespace mlir::tfc

#endif // TFC_DIALECT_TFC_IR_CHECKNESTING_H
