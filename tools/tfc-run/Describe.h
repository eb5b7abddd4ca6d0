//===- Describe.h - What a model takes, gives and holds ---------------------------------------*- C++ -*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#ifndef TFC_RUN_DESCRIBE_H
#define TFC_RUN_DESCRIBE_H

#include "tfc-c/ModelABI.h"

#include "Session/Status.h"

#include <cstdint>
#include <map>
#include <string>

namespace tfc {

/// A table for people; `isa` is what the kernels in use need. With sizes of the symbols the arenas are numbers.
Status describeText(const TfcModel &model, const std::string &isa, const std::map<std::string, int64_t> &sizes, std::string &text);

/// The same as one JSON object on one line.
std::string describeJson(const TfcModel &model, const std::string &isa);

} // namespace tfc

#endif // TFC_RUN_DESCRIBE_H
