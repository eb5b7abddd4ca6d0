//===- DumpWeights.h - The graph's weights as a file ------------------------------------------*- C++ -*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#ifndef TFC_RUN_DUMPWEIGHTS_H
#define TFC_RUN_DUMPWEIGHTS_H

#include "Session/Session.h"

namespace tfc {

/// Writes a .safetensors file with the weights under the names of the graph, row-major as the graph has them. Those that the
/// artifact does not hold as they were are named on standard output. The file is there when it is complete, or not at all.
Status dumpWeights(const Session &session, const std::string &path);

} // namespace tfc

#endif // TFC_RUN_DUMPWEIGHTS_H
