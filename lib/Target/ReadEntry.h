//===- ReadEntry.h - Reading the dictionary of a tfc.entry op ----------------------------------------*- C++
//-*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===------------------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_TARGET_READENTRY_H
#define TFC_LIB_TARGET_READENTRY_H

#include "tfc/Dialect/Tfc/IR/TfcOps.h"
#include "tfc/Target/ModelDescription.h"

#include "llvm/Support/Error.h"

namespace mlir::tfc {

/// An entry, and the names of the kernels its launches number.
struct EntryReading {
  ::tfc::EntryDescription description;
  SmallVector<StringRef> kernels;
};

/// Reads and checks the dictionary that docs/RuntimeABI.md describes.
llvm::Expected<EntryReading> readEntry(EntryOp entry);

} // namespace mlir::tfc

#endif // TFC_LIB_TARGET_READENTRY_H
