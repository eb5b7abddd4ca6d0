//===- Json.cpp - Writing JSON --------------------------------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#include "Json.h"

#include <cstdio>

namespace tfc {

/// Length of the UTF-8 character at `at`, or 0.
static size_t characterLength(const std::string &text, size_t at) {
  auto byte = [&](size_t i) { return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0; };
  unsigned lead = byte(0);
  size_t length = lead < 0x80                   ? 1
                  : lead >= 0xC2 && lead < 0xE0 ? 2
                  : lead >= 0xE0 && lead < 0xF0 ? 3
                  : lead >= 0xF0 && lead < 0xF5 ? 4
                                                : 0;
  for (size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xC0) != 0x80)
      return 0;
  return length;
}

std::string jsonString(const std::string &text) {
  std::string out = "\"";
  for (size_t at = 0; at < text.size();) {
    size_t length = characterLength(text, at);
    unsigned char c = static_cast<unsigned char>(text[at]);
    char escape[8];
    if (length == 0) {
      out += '?';
    } else if (c == '"' || c == '\\') {
      out += '\\';
      out += text[at];
    } else if (c < 0x20 || c == '<') { // so that a page may hold it in a script
      std::snprintf(escape, sizeof(escape), "\\u%04x", c);
      out += escape;
    } else {
      out.append(text, at, length);
    }
    at += length ? length : 1;
  }
  return out + "\"";
}

std::string jsonStrings(const std::vector<std::string> &texts) {
  std::string out = "[";
  for (const std::string &text : texts)
    out += (out.size() > 1 ? ", " : "") + jsonString(text);
  return out + "]";
}

} // namespace tfc
