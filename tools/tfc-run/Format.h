//===- Format.h - printf into a string ------------------------------------------------------------*- C++ -*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#ifndef TFC_RUN_FORMAT_H
#define TFC_RUN_FORMAT_H

#include <string>

namespace tfc {

/// At most 511 characters; what is longer is cut off.
__attribute__((format(printf, 1, 2))) std::string format(const char *pattern, ...);

} // namespace tfc

#endif // TFC_RUN_FORMAT_H
