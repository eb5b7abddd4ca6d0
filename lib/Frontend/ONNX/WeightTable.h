//===- WeightTable.h - Tensors of a model as constants and weights --------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// Integers of a few numbers are shapes, axes and bounds: they become tfc.constant so that shape arithmetic
// folds. So do single floats. Everything else is a tfc.weight. Floats do not become constants even where they
// are short, because layers that differ only in weights must stay equal when they are outlined.
//
// Buffers of causal masks are neither: they become ops (BandBuffer.h).
//
// A tensor that stands in the model more than once (tied weights, constants that an exporter has copied)
// becomes one tfc.weight.
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_FRONTEND_ONNX_WEIGHTTABLE_H
#define TFC_LIB_FRONTEND_ONNX_WEIGHTTABLE_H

#include "TensorReader.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/DenseMap.h"

namespace mlir::tfc::onnx_import {

class WeightTable {
public:
  WeightTable(ModuleOp module, uint64_t constantBytes)
      : weights(OpBuilder::atBlockEnd(module.getBody())), symbols(module), constantBytes(constantBytes) {}

  /// Weights stand before the function that uses them.
  void placeBefore(Operation *function) {
    symbols.insert(function);
    weights.setInsertionPoint(function);
  }

  /// A value for the tensor at the builder's place. `name` is what the model calls it.
  Value build(OpBuilder &builder, Location loc, StringRef name, const TensorContents &contents);

private:
  bool isConstant(const TensorContents &contents) const;
  FlatSymbolRefAttr getWeight(Location loc, StringRef name, const TensorContents &contents);

  OpBuilder weights;
  SymbolTable symbols;
  uint64_t constantBytes;
  struct Known {
    TensorContents contents;
    FlatSymbolRefAttr symbol;
  };
  /// By a hash of the type and the first bytes; all bytes are compared where that agrees.
  llvm::DenseMap<uint64_t, SmallVector<Known, 1>> known;
};

} // namespace mlir::tfc::onnx_import

#endif // TFC_LIB_FRONTEND_ONNX_WEIGHTTABLE_H
