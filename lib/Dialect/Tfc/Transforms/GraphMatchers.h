//===- GraphMatchers.h - What the fusions ask of a graph -*- C++ -*- ---------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_DIALECT_TFC_TRANSFORMS_GRAPHMATCHERS_H
#define TFC_LIB_DIALECT_TFC_TRANSFORMS_GRAPHMATCHERS_H

#include "tfc/Dialect/Tfc/IR/TfcOps.h"

#include "mlir/IR/Builders.h"

#include <string>

namespace mlir::tfc {

/// The value of a float constant of one element, of any rank.
std::optional<double> matchScalar(Value value);

/// True when the value is a constant of one element within a relative error of 2e-5: exporters round constants (0.7071
/// for 1/sqrt(2)), and an error of that size stays below what fused and unfused may differ by.
bool isNear(double value, double expected);

/// A constant of a graph as people write it: six digits.
std::string formatNumber(double value);

/// `value = factor * x` where the factor is a scalar constant that does not change x's type: one mul or div.
struct ScaledValue {
  Value x;
  double factor;
};
std::optional<ScaledValue> matchScaling(Operation *op);

/// Whether `whole` is `dim` for every value of the symbols, but where other lengths than 1 and `dim` are broadcast with it:
/// broadcast(m, dim) and the like.
bool isBroadcastOf(DimExprAttr whole, DimExprAttr dim);

/// The operand of a commutative op that is not `known`; null when `known` is none or both of them.
Value getOtherOperand(Operation *op, Value known);

/// One location for an op that stands for several: theirs, in the order of the graph.
Location fuseLocations(ArrayRef<Operation *> ops);

/// The location of an attention that also does what two other ops did: put past and following keys, and values, together.
Location addPresentLocations(Location attention, Location keys, Location values);

/// The locations of the two tensors of past and following; the attention's own where it did not take in other ops for them.
std::pair<Location, Location> getPresentLocations(Location attention);

/// Erases those of the ops that nothing uses any more, users before their operands.
void eraseDead(SmallVector<Operation *> ops);

} // namespace mlir::tfc

#endif // TFC_LIB_DIALECT_TFC_TRANSFORMS_GRAPHMATCHERS_H
