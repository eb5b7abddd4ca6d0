//===- TensorScatter.h - Writing new rows into a cache -----------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_FRONTEND_ONNX_TENSORSCATTER_H
#define TFC_LIB_FRONTEND_ONNX_TENSORSCATTER_H

#include "NodeContext.h"

namespace mlir::tfc::onnx_import {

/// The cache with the rows of `update` written along an axis, from place `first` of each batch on (null: 0). Rows that
/// would stand outside the cache end the run, or with `circular` go on at its begin.
Value writeIntoCache(NodeContext &node, Value cache, Value update, Value first, int64_t axis, bool circular);

} // namespace mlir::tfc::onnx_import

#endif // TFC_LIB_FRONTEND_ONNX_TENSORSCATTER_H
