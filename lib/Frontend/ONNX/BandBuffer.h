//===- BandBuffer.h - Buffers of causal masks ----------------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// Models keep causal masks as buffers for all positions they may ever have, [1, 1, 1024, 1024] and more, of which each
// run cuts its part. What stands in such a buffer is known: it becomes the triangle that it is, which is made for the
// positions of the run alone, and which fusion can read.
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_FRONTEND_ONNX_BANDBUFFER_H
#define TFC_LIB_FRONTEND_ONNX_BANDBUFFER_H

#include "TensorReader.h"
#include "mlir/IR/Builders.h"

namespace mlir::tfc::onnx_import {

/// The value of a tensor that holds one number in its lower triangle, or in the diagonals next to its middle from below,
/// and another number elsewhere; null when it holds anything else.
Value buildBandBuffer(OpBuilder &builder, Location loc, const TensorContents &contents);

} // namespace mlir::tfc::onnx_import

#endif // TFC_LIB_FRONTEND_ONNX_BANDBUFFER_H
