//===- RunArtifact.h - One run of a compiled model on made-up inputs -*- C++ -*-
//--------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_VERIFY_RUNARTIFACT_H
#define TFC_LIB_VERIFY_RUNARTIFACT_H

#include "Session/Array.h"
#include "Session/Status.h"

#include <map>
#include <string>
#include <vector>

namespace tfc {

/// Sizes of symbols, by name.
using Sizes = std::map<std::string, int64_t>;

/// Runs every entry of the artifact; outputs of all of them one behind the other.
Status runArtifact(const std::string &path, const std::string &query, const Sizes &sizes, uint64_t seed,
                   std::vector<Array> &outputs);

/// Sizes for the symbols that have none yet, such that the model runs: small and different ones, else equal
/// ones.
Status completeSizes(const std::string &path, const std::string &query, uint64_t seed, Sizes &sizes);

} // namespace tfc

#endif // TFC_LIB_VERIFY_RUNARTIFACT_H
