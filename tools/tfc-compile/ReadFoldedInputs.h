//===- ReadFoldedInputs.h - The arrays of --fold-inputs -----------------------------------------*- C++ -*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#ifndef TFC_TOOLS_TFC_COMPILE_READFOLDEDINPUTS_H
#define TFC_TOOLS_TFC_COMPILE_READFOLDEDINPUTS_H

#include "tfc/Frontend/ONNX/ImportONNX.h"

namespace tfc {

/// Reads an .npz file. A message where that is not possible, else empty.
std::string readFoldedInputs(const std::string &path, std::vector<mlir::tfc::FoldedInput> &inputs);

} // namespace tfc

#endif // TFC_TOOLS_TFC_COMPILE_READFOLDEDINPUTS_H
