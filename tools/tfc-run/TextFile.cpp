//===- TextFile.cpp - Files that are there when they are complete ------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#include "TextFile.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace tfc {

Status writeFile(const std::string &path, const std::string &contents) {
  std::string draft = path + ".tfc-draft";
  FILE *file = std::fopen(draft.c_str(), "we");
  if (!file)
    return badInput("cannot write " + path + ": " + std::strerror(errno));
  bool written = std::fwrite(contents.data(), 1, contents.size(), file) == contents.size();
  if (std::fclose(file) || !written || std::rename(draft.c_str(), path.c_str())) {
    std::string why = std::strerror(errno);
    std::remove(draft.c_str());
    return defect("cannot write " + path + ": " + why);
  }
  return {};
}

} // namespace tfc
