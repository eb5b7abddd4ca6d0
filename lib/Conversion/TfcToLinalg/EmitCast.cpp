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

/// Truncates toward zero; values beyond the range give its end, NaN gives 0. Without `saturate` 4-bit integers keep
/// the low bits of such a value.
static Value emitFloatToInteger(ScalarEmitter &e, Value x, Type to, bool saturate) {
  x = toCompute(e.builder, e.loc, x);
  bool isNibble = to.isInteger(4), cutsBits = isNibble && !saturate;
  bool isUnsigned = to.isUnsignedInteger() && !cutsBits;
  unsigned width = cutsBits ? 32 : to.getIntOrFloatBitWidth();
  // 4 bits are cut out of 32.
  Type scalar = isNibble ? Type(e.builder.getI32Type()) : getScalarType(to);
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
    unsigned bits = scalar.getIntOrFloatBitWidth();
    return e.create<arith::ConstantOp>(
        IntegerAttr::get(scalar, isUnsigned ? value.zext(bits) : value.sext(bits)));
  };
  integer = e.select(tooSmall, constant(least), integer);
  integer = e.select(tooLarge, constant(greatest), integer);
  return isNibble ? e.create<arith::TruncIOp>(getScalarType(to), integer) : integer;
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

//===----------------------------------------------------------------------------------------------===//
// 8-bit floats
//===----------------------------------------------------------------------------------------------===//

namespace {
/// What the bits of an 8-bit float mean: a sign, an exponent, and so many bits of mantissa.
struct Float8Format {
  int mantissaBits;
  int bias;
  /// Bits of the largest number, of infinity or what stands for it, and of NaN, all without sign.
  int largest, beyond, nan;
  /// There is no negative zero: its bits are the one NaN.
  bool isUnsignedZero;
  /// The highest exponent is for infinity and NaN.
  bool hasInfinity;
};

Float8Format getFormat(Type type) {
  if (isa<Float8E4M3FNType>(type))
    return {3, 7, 0x7e, 0x7f, 0x7f, false, false};
  if (isa<Float8E4M3FNUZType>(type))
    return {3, 8, 0x7f, 0x80, 0x80, true, false};
  if (isa<Float8E5M2Type>(type))
    return {2, 15, 0x7b, 0x7c, 0x7e, false, true};
  return {2, 16, 0x7f, 0x80, 0x80, true, false};
}

/// Exact: f32 holds every 8-bit float.
Value emitFromFloat8(ScalarEmitter &e, Value bits, Type from) {
  Float8Format format = getFormat(from);
  Type i32 = e.builder.getI32Type(), f32 = e.builder.getF32Type();
  auto number = [&](int64_t value) { return createConstant(e.builder, e.loc, i32, value); };
  Value wide = e.create<arith::ExtUIOp>(i32, bits);
  Value magnitude = e.create<arith::AndIOp>(wide, number(0x7f));
  Value normal = e.create<arith::AddIOp>(e.create<arith::ShLIOp>(magnitude, number(23 - format.mantissaBits)),
                                         number((127 - format.bias) << 23));
  double unit = std::ldexp(1.0, 1 - format.bias - format.mantissaBits);
  Value small = e.create<arith::MulFOp>(e.create<arith::UIToFPOp>(f32, magnitude),
                                        createConstant(e.builder, e.loc, f32, unit));
  Value isSmall = e.compare(arith::CmpIPredicate::ult, magnitude, number(1 << format.mantissaBits));
  Value result = e.select(isSmall, e.create<arith::BitcastOp>(i32, small), normal);
  if (format.hasInfinity) {
    Value isTop = e.compare(arith::CmpIPredicate::uge, magnitude, number(format.beyond));
    Value payload = e.create<arith::ShLIOp>(e.create<arith::AndIOp>(magnitude, number(3)), number(21));
    result = e.select(isTop, e.create<arith::OrIOp>(payload, number(0x7f800000)), result);
  }
  Value sign = e.create<arith::ShLIOp>(e.create<arith::AndIOp>(wide, number(0x80)), number(24));
  result = e.create<arith::OrIOp>(result, sign);
  if (!format.hasInfinity) {
    Value key = format.isUnsignedZero ? wide : magnitude;
    result =
        e.select(e.compare(arith::CmpIPredicate::eq, key, number(format.nan)), number(0x7fc00000), result);
  }
  return e.create<arith::BitcastOp>(f32, result);
}

/// Rounds to nearest even. What is too large becomes the largest number, or, without `saturate`, infinity or
/// NaN.
Value emitToFloat8(ScalarEmitter &e, Value x, Type to, bool saturate) {
  Float8Format format = getFormat(to);
  Type i32 = e.builder.getI32Type(), f32 = e.builder.getF32Type();
  auto number = [&](int64_t value) { return createConstant(e.builder, e.loc, i32, value); };
  Value bits = e.create<arith::BitcastOp>(i32, x);
  Value sign = e.create<arith::ShRUIOp>(e.create<arith::AndIOp>(bits, number(int64_t(int32_t(0x80000000)))),
                                        number(24));
  Value rest = e.create<arith::AndIOp>(bits, number(0x7fffffff));
  int shift = 23 - format.mantissaBits;
  Value odd = e.create<arith::AndIOp>(e.create<arith::ShRUIOp>(rest, number(shift)), number(1));
  Value rounded = e.create<arith::AddIOp>(rest, e.create<arith::AddIOp>(odd, number((1 << (shift - 1)) - 1)));
  Value normal = e.create<arith::SubIOp>(e.create<arith::ShRUIOp>(rounded, number(shift)),
                                         number((127 - format.bias) << format.mantissaBits));
  // Below the least normal number the unit is fixed.
  double perUnit = std::ldexp(1.0, format.bias - 1 + format.mantissaBits);
  Value absolute = e.create<arith::BitcastOp>(f32, rest);
  Value least = createConstant(e.builder, e.loc, f32, std::ldexp(1.0, 1 - format.bias));
  Value isSmall = e.compare(CmpFPredicate::OLT, absolute, least);
  Value units = e.create<math::RoundEvenOp>(
      e.create<arith::MulFOp>(e.select(isSmall, absolute, e.like(absolute, 0)), e.like(absolute, perUnit)));
  Value magnitude = e.select(isSmall, e.create<arith::FPToSIOp>(i32, units), normal);
  Value isBeyond = e.compare(arith::CmpIPredicate::sgt, magnitude, number(format.largest));
  magnitude = e.select(isBeyond, number(saturate ? format.largest : format.beyond), magnitude);
  Value isNaN = e.compare(CmpFPredicate::UNO, x, x);
  magnitude = e.select(isNaN, number(format.nan), magnitude);
  Value result = e.create<arith::OrIOp>(magnitude, sign);
  if (format.isUnsignedZero)
    result = e.select(e.compare(arith::CmpIPredicate::eq, magnitude, number(0)), number(0), result);
  return e.create<arith::TruncIOp>(e.builder.getI8Type(), result);
}
} // namespace

/// 4-bit numbers as 8-bit ones, with the type that says so.
static std::pair<Value, Type> widenNibble(ScalarEmitter &e, Value scalar, Type type) {
  if (!type.isInteger(4))
    return {scalar, type};
  bool isUnsigned = type.isUnsignedInteger();
  Type wide =
      IntegerType::get(type.getContext(), 8, isUnsigned ? IntegerType::Unsigned : IntegerType::Signless);
  Type signless = e.builder.getI8Type();
  return {isUnsigned ? e.create<arith::ExtUIOp>(signless, scalar)
                     : e.create<arith::ExtSIOp>(signless, scalar),
          wide};
}

FailureOr<Value> mlir::tfc::emitCast(OpBuilder &builder, Location loc, Value scalar, Type from, Type to,
                                     bool saturate) {
  if (!getMemoryType(from) || !getMemoryType(to))
    return failure();
  ScalarEmitter e(builder, loc);
  if (from == to)
    return scalar;
  std::tie(scalar, from) = widenNibble(e, scalar, from);
  if (isFloat8(from)) {
    scalar = emitFromFloat8(e, scalar, from);
    from = builder.getF32Type();
  }
  if (isFloat8(to)) {
    FailureOr<Value> single = emitCast(builder, loc, scalar, from, builder.getF32Type());
    return failed(single) ? single : emitToFloat8(e, *single, to, saturate);
  }
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
    return isa<FloatType>(to) ? emitFloatToFloat(e, scalar, to) : emitFloatToInteger(e, scalar, to, saturate);
  bool isUnsigned = from.isUnsignedInteger() || from.isInteger(1);
  return isa<FloatType>(to) ? emitIntegerToFloat(e, scalar, isUnsigned, to)
                            : emitIntegerToInteger(e, scalar, isUnsigned, to);
}
