//===- RotaryEmbedding.h - Rotating queries and keys by their positions -----------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_FRONTEND_ONNX_ROTARYEMBEDDING_H
#define TFC_LIB_FRONTEND_ONNX_ROTARYEMBEDDING_H

#include "NodeContext.h"

namespace mlir::tfc::onnx_import {

/// Rotates pairs of the last dim of [batch, heads, length, d] by angles whose cosines and sines are
/// [batch or 1, length, pairs]. The pairs are neighbours where `interleaved`, else they stand `pairs` apart; what lies
/// behind them stays as it is; with `isWhole` there is nothing behind them.
Value rotate(NodeContext &node, Value x, Value cosines, Value sines, bool interleaved, bool isWhole);

/// The rows of a table [positions, pairs] that stand for positions [batch or 1, length].
Value lookUpAngles(NodeContext &node, Value table, Value positions);

} // namespace mlir::tfc::onnx_import

#endif // TFC_LIB_FRONTEND_ONNX_ROTARYEMBEDDING_H
