//===- CheckedJson.cpp - JSON from files that nobody vouches for -----------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Weights/CheckedJson.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

/// The position behind the closing quote of the string that starts at `begin`; npos where there is none.
static size_t endOfString(StringRef text, size_t begin) {
  for (size_t i = begin + 1; i < text.size(); ++i) {
    if (text[i] == '\\')
      ++i;
    else if (text[i] == '"')
      return i + 1;
  }
  return StringRef::npos;
}

/// The value of a string token, so that "a" and "\u0061" are one key. A malformed token stays as it is
/// written.
static std::string unescape(StringRef token) {
  if (!token.contains('\\'))
    return token.drop_front().drop_back().str();
  Expected<json::Value> value = json::parse(token);
  if (!value) {
    consumeError(value.takeError());
    return token.str();
  }
  return value->getAsString().value_or(token).str();
}

/// One pass over the text without recursion. What is not JSON at all is left for the parser to report.
static Error checkNestingAndKeys(StringRef text, unsigned maxDepth) {
  SmallVector<StringSet<>> open;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '{' || c == '[') {
      if (open.size() == maxDepth)
        return createStringError("nested deeper than %u levels", maxDepth);
      open.emplace_back();
    } else if ((c == '}' || c == ']') && !open.empty()) {
      open.pop_back();
    } else if (c == '"') {
      size_t end = endOfString(text, i);
      if (end == StringRef::npos)
        return Error::success();
      bool isKey = text.drop_front(end).ltrim().starts_with(":");
      if (isKey && !open.empty()) {
        std::string key = unescape(text.slice(i, end));
        if (!open.back().insert(key).second)
          return createStringError("key " + ::tfc::quoteName(key) + " stands twice in one object");
      }
      i = end - 1;
    }
  }
  return Error::success();
}

Expected<json::Value> tfc::parseCheckedJson(StringRef text, unsigned maxDepth) {
  if (Error error = checkNestingAndKeys(text, maxDepth))
    return std::move(error);
  return json::parse(text);
}

std::string tfc::quoteName(StringRef name) {
  constexpr size_t longest = 120;
  std::string text;
  raw_string_ostream os(text);
  os << '\'';
  printEscapedString(name.take_front(longest), os);
  os << (name.size() > longest ? "...'" : "'");
  return text;
}
