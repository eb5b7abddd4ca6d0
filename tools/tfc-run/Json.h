//===- Json.h - Writing JSON --------------------------------------------------------------------*- C++ -*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#ifndef TFC_RUN_JSON_H
#define TFC_RUN_JSON_H

#include <string>
#include <vector>

namespace tfc {

/// A JSON string with its quotes; bytes that are not UTF-8 become '?'. '<' is escaped, so that a page's script may hold it.
std::string jsonString(const std::string &text);
/// ["a", "b"]
std::string jsonStrings(const std::vector<std::string> &texts);

} // namespace tfc

#endif // TFC_RUN_JSON_H
