//===- CheckedJson.h - JSON from files that nobody vouches for ------------------------------*- C++ -*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// llvm::json recurses once per nesting level and lets the last of two equal keys win. For a file from outside
// the first is a stack overflow in waiting and the second lets two readers see two different files, so both
// are looked for before the parser sees the text.
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_WEIGHTS_CHECKEDJSON_H
#define TFC_WEIGHTS_CHECKEDJSON_H

#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"

namespace tfc {

/// Parses `text`; nesting deeper than `maxDepth` and an object with two equal keys are errors too.
llvm::Expected<llvm::json::Value> parseCheckedJson(llvm::StringRef text, unsigned maxDepth);

/// `name` in single quotes, fit for one line of a message: control characters escaped, the end of a long one
/// left off.
std::string quoteName(llvm::StringRef name);

} // namespace tfc

#endif // TFC_WEIGHTS_CHECKEDJSON_H
