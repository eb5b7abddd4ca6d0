//===- Names.h - Names from a model in messages ---------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_FRONTEND_ONNX_NAMES_H
#define TFC_LIB_FRONTEND_ONNX_NAMES_H

#include "llvm/ADT/StringRef.h"
#include <string>

namespace mlir::tfc::onnx_import {

/// The text on one line and of bounded length: newlines, escape sequences of terminals and bytes that are no
/// UTF-8 are spelled as \xx. Names come from the file and end up in logs.
std::string printable(llvm::StringRef text, size_t limit = 160);

/// The same in quotes.
std::string quoted(llvm::StringRef name);

} // namespace mlir::tfc::onnx_import

#endif // TFC_LIB_FRONTEND_ONNX_NAMES_H
