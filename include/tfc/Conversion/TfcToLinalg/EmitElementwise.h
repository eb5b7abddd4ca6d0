//===- EmitElementwise.h - What an elementwise op means on scalars ---------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The one place that says what an elementwise tfc op computes. Bodies of linalg ops, epilogues of
// contractions and kernels all emit it from here.
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_CONVERSION_TFCTOLINALG_EMITELEMENTWISE_H
#define TFC_CONVERSION_TFCTOLINALG_EMITELEMENTWISE_H

#include "mlir/IR/Builders.h"

namespace mlir::tfc {

/// Emits what elementwise op `op` computes. `scalars` are the elements of its operands in scalar form
/// (ElementTypes.h); so is the result. f16 and bf16 are computed in f32 and rounded after every op, so that a
/// fused chain gives the bits of the chain op by op. Nothing that is emitted traps or is undefined. Fails for
/// an op or type without a meaning here.
FailureOr<Value> emitElementwise(OpBuilder &builder, Location loc, Operation *op, ValueRange scalars);

/// Whether `scalars` may as well be vectors of f32 for this op, and the result then is one.
bool emitsOnVectors(Operation *op);

/// Conversion of one scalar, as tfc.cast does it; the types are element types of tfc tensors.
FailureOr<Value> emitCast(OpBuilder &builder, Location loc, Value scalar, Type from, Type to,
                          bool saturate = true);

/// Maximum and minimum of floats that give NaN when one operand is NaN.
Value emitMaximum(OpBuilder &builder, Location loc, Value x, Value y);
Value emitMinimum(OpBuilder &builder, Location loc, Value x, Value y);

} // namespace mlir::tfc

#endif // TFC_CONVERSION_TFCTOLINALG_EMITELEMENTWISE_H
