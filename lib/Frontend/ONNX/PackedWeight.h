//===- PackedWeight.h - Matrices of a few bits, as floats when compiling -*- C++ -*---------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_FRONTEND_ONNX_PACKEDWEIGHT_H
#define TFC_LIB_FRONTEND_ONNX_PACKEDWEIGHT_H

#include "NodeContext.h"

namespace mlir::tfc::onnx_import {

/// What MatMulNBits says of its matrix: rows of blocks of numbers, each block with a scale and a zero point.
struct PackedLayout {
  int64_t rows, columns, bits, blockSize;
};

/// The matrix [rows, columns] as a weight of f32, where its bytes, scales and zero points (which may be null) are known and of the sizes that the
/// layout asks for, and there is room in memory. Else null, which is no error.
Value unpackWeight(NodeContext &node, const PackedLayout &layout, Value packed, Value scales, Value zeros);

} // namespace mlir::tfc::onnx_import

#endif // TFC_LIB_FRONTEND_ONNX_PACKEDWEIGHT_H
