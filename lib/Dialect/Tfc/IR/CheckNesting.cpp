//===- CheckNesting.cpp - Refuses IR text that would overflow the parser's stack ---------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Dialect/Tfc/IR/CheckNesting.h"

#include "mlir/Bytecode/BytecodeReader.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

/// A stack of 8 MiB holds about ten times as many levels.
static constexpr size_t kMaxNesting = 1000;

/// One past a string that starts at `begin`: its closing quote, or the end of the line where none comes.
static size_t skipString(StringRef text, size_t begin) {
  size_t at = begin + 1;
  while (at < text.size() && text[at] != '"' && text[at] != '\n')
    at += text[at] == '\\' ? 2 : 1;
  return at < text.size() && text[at] == '"' ? at + 1 : at;
}

LogicalResult mlir::tfc::checkNesting(llvm::MemoryBufferRef source,
                                      llvm::function_ref<void(StringRef, unsigned, const Twine &)> report) {
  if (isBytecode(source))
    return success();
  StringRef text = source.getBuffer();
  size_t depth = 0;
  for (size_t at = 0; at < text.size();) {
    char c = text[at];
    if (c == '"') {
      at = skipString(text, at);
      continue;
    }
    if (text.substr(at).starts_with("//")) {
      at = text.find('\n', at);
      continue;
    }
    // `->` and `>=` close nothing.
    bool closes = c == ')' || c == ']' || c == '}' ||
                  (c == '>' && (at == 0 || text[at - 1] != '-') && !text.substr(at).starts_with(">="));
    if (closes && depth > 0)
      --depth;
    if ((c == '(' || c == '[' || c == '{' || c == '<') && ++depth > kMaxNesting) {
      report(source.getBufferIdentifier(), text.take_front(at).count('\n') + 1,
             "brackets are nested more than " + Twine(kMaxNesting) + " deep");
      return failure();
    }
    ++at;
  }
  return success();
}
