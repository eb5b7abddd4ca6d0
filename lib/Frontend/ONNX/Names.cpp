//===- Names.cpp - Names from a model in messages -------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "Names.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/JSON.h"

std::string mlir::tfc::onnx_import::printable(llvm::StringRef text, size_t limit) {
  bool isText = llvm::json::isUTF8(text);
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    unsigned char c = text[i];
    // A limit may cut only where a character starts.
    if (result.size() >= limit && (!isText || (c & 0xc0) != 0x80))
      return result + "... (" + std::to_string(text.size()) + " bytes)";
    // C2 80 to C2 9F are U+0080 to U+009F, control characters of terminals.
    bool isLongControl = c == 0xc2 && i + 1 < text.size() && (text[i + 1] & 0xe0) == 0x80;
    if (c >= 0x20 && c != 0x7f && (c < 0x80 || isText) && !isLongControl) {
      result += static_cast<char>(c);
      continue;
    }
    for (size_t last = i + isLongControl; i <= last; ++i)
      result += std::string("\\") + llvm::hexdigit(text[i] >> 4 & 15) + llvm::hexdigit(text[i] & 15);
    --i;
  }
  return result;
}

std::string mlir::tfc::onnx_import::quoted(llvm::StringRef name) { return "'" + printable(name) + "'"; }
