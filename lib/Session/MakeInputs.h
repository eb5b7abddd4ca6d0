//===- MakeInputs.h - Made-up inputs of a run -------------------------------------------------*- C++ -*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_SESSION_MAKEINPUTS_H
#define TFC_LIB_SESSION_MAKEINPUTS_H

#include "Session/Array.h"
#include "Session/Status.h"

#include <map>
#include <string>
#include <vector>

namespace tfc {

/// Whether the symbol is a size that the dims of the inputs decide.
inline bool isInputSize(const TfcSymbol &symbol) { return !symbol.born_in && symbol.kind == TFC_SYMBOL_SIZE; }

/// A value for every symbol of the entry that its inputs bind, in their order.
Status chooseSymbols(const TfcEntry &entry, const std::map<std::string, int64_t> &sizes,
                     std::vector<int64_t> &symbols);

/// The sizes of a run that takes outputs of one with `sizes` for its past: those that name the inputs' lengths grow, and what
/// must equal a length that grew follows.
Status growSizes(const TfcEntry &entry, std::map<std::string, int64_t> &sizes);

/// Made-up inputs for these sizes of the symbols. An element depends on (seed, input, position) alone.
Status makeInputs(const TfcEntry &entry, const std::map<std::string, int64_t> &sizes, uint64_t seed,
                  std::vector<Array> &inputs);

} // namespace tfc

#endif // TFC_LIB_SESSION_MAKEINPUTS_H
