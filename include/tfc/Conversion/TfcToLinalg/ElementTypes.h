//===- ElementTypes.h - How elements lie in memory and how they are computed -----------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An element has two forms. In memory a bool is a byte that holds 0 or 1 and integers are signless. As a
// scalar a bool is an i1; all else is as in memory. What an unsigned integer means is known only by the tfc
// type, so whoever computes keeps that type at hand.
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_CONVERSION_TFCTOLINALG_ELEMENTTYPES_H
#define TFC_CONVERSION_TFCTOLINALG_ELEMENTTYPES_H

#include "mlir/IR/Builders.h"
#include "mlir/Transforms/DialectConversion.h"

namespace mlir::tfc {

/// The type of an element in memory; null for types without a lowering yet (4-bit integers, 8-bit floats).
Type getMemoryType(Type elementType);

/// One of ONNX's four 8-bit floats.
bool isFloat8(Type type);

/// The type of an element as a scalar of a computation.
Type getScalarType(Type elementType);

/// The type that arithmetic runs in: f32 for f16 and bf16, else the scalar type.
Type getComputeType(Type elementType);

/// From memory form to scalar form and back. `elementType` is the element type of the tfc tensor.
Value loadScalar(OpBuilder &builder, Location loc, Value memory, Type elementType);
Value storeScalar(OpBuilder &builder, Location loc, Value scalar, Type elementType);

/// From scalar form to the type that arithmetic runs in and back (rounding to nearest even).
Value toCompute(OpBuilder &builder, Location loc, Value scalar);
Value fromCompute(OpBuilder &builder, Location loc, Value value, Type elementType);

/// A number of a scalar or compute type, or of a vector of them in every lane.
Value createConstant(OpBuilder &builder, Location loc, Type type, double value);

/// Strips #tfc.dims and turns element types to their memory form.
class TfcTypeConverter : public TypeConverter {
public:
  TfcTypeConverter();
};

} // namespace mlir::tfc

#endif // TFC_CONVERSION_TFCTOLINALG_ELEMENTTYPES_H
