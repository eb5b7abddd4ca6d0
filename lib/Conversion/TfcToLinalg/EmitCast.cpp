//===- EmitCast.cpp - Conversion of one scalar -----------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "EmitScalar.h"

using namespace mlir;
using namespace mlir::tfc;
using arith::CmpFPredicate;

/// f64 to f16 or bf16 with one rounding. Through f32 the first step must round to odd: the last bit then
/// tells that something was lost, and the second step cannot mistake the value for a tie. (LLVM would call a
/// library function for the direct conversion, and a compiled model links none.)
static Value emitNarrowDouble(ScalarEmitter &e, Value x, Type to) {
  Type single = e.builder.getF32Type();
  Value rounded = e.create<arith::TruncFOp>(single, x);
  Value back = e.create<arith::ExtFOp>(x.getType(), rounded);
  Value inexact = e.compare(CmpFPredicate::ONE, back, x);
  Value tooLarge = e.compare(CmpFPredicate::OGT, e.create<math::AbsFOp>(back), e.create<math::AbsFOp>(x));
  Type bitsType = e.builder.getI32Type();
  Value bits = e.create<arith::BitcastOp>(bitsType, rounded);
  bits = e.create<arith::SubIOp>(bits, e.create<arith::ExtUIOp>(bitsType, tooLarge));
  bits = e.create<arith::OrIOp>(bits, e.create<arith::ExtUIOp>(bitsType, inexact));
  return e.create<arith::TruncFOp>(to, e.create<arith::BitcastOp>(single, bits));
}

static Value emitFloatToFloat(ScalarEmitter &e, Value x, Type to) {
  unsigned from = x.getType().getIntOrFloatBitWidth(), width = to.getIntOrFloatBitWidth();
  if (x.getType() == to)
    return x;
  if (from == 64 && width == 16)
    return emitNarrowDouble(e, x, to);
  Value compute = toCompute(e.builder, e.loc, x);
  if (compute.getType() == to)
    return compute;
  return from < width ? e.create<arith::ExtFOp>(to, compute) : e.create<arith::TruncFOp>(to, compute);
}

/// Truncates toward zero; values beyond the range give its end, NaN gives 0.
static Value emitFloatToInteger(ScalarEmitter &e, Value x, Type to) {
  x = toCompute(e.builder, e.loc, x);
  bool isUnsigned = to.isUnsignedInteger();
  unsigned width = to.getIntOrFloatBitWidth();
  Type scalar = getScalarType(to);
  APInt least = isUnsigned ? APInt::getMinValue(width) : APInt::getSignedMinValue(width);
  APInt greatest = isUnsigned ? APInt::getMaxValue(width) : APInt::getSignedMaxValue(width);
  // Both bounds are powers of two (or 0), so every float type holds them.
  Value tooSmall = e.less(x, e.like(x, isUnsigned ? 0 : -std::ldexp(1.0, width - 1)));
  Value tooLarge =
      e.compare(CmpFPredicate::OGE, x, e.like(x, std::ldexp(1.0, isUnsigned ? width : width - 1)));
  Value isNaN = e.compare(CmpFPredicate::UNO, x, x);
  Value outside = e.create<arith::OrIOp>(e.create<arith::OrIOp>(tooSmall, tooLarge), isNaN);
  Value inside = e.select(outside, e.like(x, 0), x);
  Value integer =
      isUnsigned ? e.create<arith::FPToUIOp>(scalar, inside) : e.create<arith::FPToSIOp>(scalar, inside);
  auto constant = [&](const APInt &value) {
    return e.create<arith::ConstantOp>(IntegerAttr::get(scalar, value));
  };
  integer = e.select(tooSmall, constant(least), integer);
  return e.select(tooLarge, constant(greatest), integer);
}

static Value emitIntegerToFloat(ScalarEmitter &e, Value x, bool isUnsigned, Type to) {
  Type compute = getComputeType(to);
  Value value = isUnsigned ? e.create<arith::UIToFPOp>(compute, x) : e.create<arith::SIToFPOp>(compute, x);
  return fromCompute(e.builder, e.loc, value, to);
}

static Value emitIntegerToInteger(ScalarEmitter &e, Value x, bool isUnsigned, Type to) {
  Type scalar = getScalarType(to);
  unsigned from = x.getType().getIntOrFloatBitWidth(), width = scalar.getIntOrFloatBitWidth();
  if (from == width)
    return x;
  if (from > width)
    return e.create<arith::TruncIOp>(scalar, x);
  return isUnsigned ? e.create<arith::ExtUIOp>(scalar, x) : e.create<arith::ExtSIOp>(scalar, x);
}

FailureOr<Value> mlir::tfc::emitCast(OpBuilder &builder, Location loc, Value scalar, Type from, Type to) {
  if (!getMemoryType(from) || !getMemoryType(to))
    return failure();
  ScalarEmitter e(builder, loc);
  bool isFloat = isa<FloatType>(from);
  if (to.isInteger(1)) {
    if (from.isInteger(1))
      return scalar;
    // NaN is not zero, hence the unordered comparison.
    if (isFloat) {
      Value x = toCompute(builder, loc, scalar);
      return e.compare(CmpFPredicate::UNE, x, e.like(x, 0));
    }
    return e.compare(arith::CmpIPredicate::ne, scalar, e.like(scalar, 0));
  }
  if (isFloat)
    return isa<FloatType>(to) ? emitFloatToFloat(e, scalar, to) : emitFloatToInteger(e, scalar, to);
  bool isUnsigned = from.isUnsignedInteger() || from.isInteger(1);
  return isa<FloatType>(to) ? emitIntegerToFloat(e, scalar, isUnsigned, to)
                            : emitIntegerToInteger(e, scalar, isUnsigned, to);
}
