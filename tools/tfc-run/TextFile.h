//===- TextFile.h - Files that are there when they are complete ------------------------------------*- C++ -*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#ifndef TFC_RUN_TEXTFILE_H
#define TFC_RUN_TEXTFILE_H

#include "Session/Status.h"

#include <string>

namespace tfc {

/// Writes a whole file; it appears under its name only when it is complete.
Status writeFile(const std::string &path, const std::string &contents);

} // namespace tfc

#endif // TFC_RUN_TEXTFILE_H
