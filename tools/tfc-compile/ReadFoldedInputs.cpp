//===- ReadFoldedInputs.cpp - The arrays of --fold-inputs -------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------------===//

#include "ReadFoldedInputs.h"

#include "Npy.h"

std::string tfc::readFoldedInputs(const std::string &path, std::vector<mlir::tfc::FoldedInput> &inputs) {
  std::vector<Array> arrays;
  if (Status status = readArrays(path, arrays))
    return status.sentence;
  for (Array &array : arrays)
    inputs.push_back({array.name, typeName(array.type), std::move(array.dims), std::move(array.bytes)});
  return "";
}
