//===- Inputs.h - The inputs of a run, from a file ---------------------------------*- C++ -*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#ifndef TFC_RUN_INPUTS_H
#define TFC_RUN_INPUTS_H

#include "Options.h"
#include "Session/Array.h"
#include "Session/Status.h"

#include <string>
#include <vector>

namespace tfc {

/// Arrays of the file in the order of the entry's inputs, converted to their types.
Status readInputs(const TfcEntry &entry, const std::string &path, std::vector<Array> &inputs);

/// The inputs that the command line asks for: a file's, or made-up ones.
Status readOrMakeInputs(const Options &options, const TfcEntry &entry, std::vector<Array> &inputs);

} // namespace tfc

#endif // TFC_RUN_INPUTS_H
