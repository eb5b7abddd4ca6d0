//===- EmitScalar.cpp - Scalar formulas that take more than one op ---------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "EmitScalar.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::tfc;
using arith::CmpFPredicate;
using arith::CmpIPredicate;

//===----------------------------------------------------------------------------------------------===//
// Floats
//===----------------------------------------------------------------------------------------------===//

Value mlir::tfc::emitSigmoid(ScalarEmitter &e, Value x) {
  Value one = e.like(x, 1);
  // exp overflows to infinity for large negative x, and 1 / infinity is the right 0.
  Value exp = e.create<math::ExpOp>(e.create<arith::NegFOp>(x));
  return e.create<arith::DivFOp>(one, e.create<arith::AddFOp>(one, exp));
}

Value mlir::tfc::emitFloatSign(ScalarEmitter &e, Value x) {
  Value zero = e.like(x, 0);
  Value negativeOrSame = e.select(e.less(x, zero), e.like(x, -1), x);
  return e.select(e.less(zero, x), e.like(x, 1), negativeOrSame);
}

Value mlir::tfc::emitGelu(ScalarEmitter &e, GeluKind kind, Value x) {
  auto mul = [&](Value a, Value b) { return e.create<arith::MulFOp>(a, b); };
  auto add = [&](Value a, Value b) { return e.create<arith::AddFOp>(a, b); };
  // The sum with 1 takes the last places from erf and tanh, so that fewer of them need to be right.
  auto approximate = arith::FastMathFlags::afn;
  switch (kind) {
  case GeluKind::Quick:
    return mul(x, emitSigmoid(e, mul(x, e.like(x, 1.702))));
  case GeluKind::Erf: {
    Value erf = e.create<math::ErfOp>(mul(x, e.like(x, M_SQRT1_2)), approximate);
    return mul(mul(x, e.like(x, 0.5)), add(erf, e.like(x, 1)));
  }
  case GeluKind::Tanh: {
    Value cube = mul(mul(x, x), x);
    Value inner = add(x, mul(cube, e.like(x, 0.044715)));
    Value tanh = e.create<math::TanhOp>(mul(inner, e.like(x, std::sqrt(2.0 / M_PI))), approximate);
    return mul(mul(x, e.like(x, 0.5)), add(tanh, e.like(x, 1)));
  }
  }
  return nullptr;
}

Value mlir::tfc::emitFloatMod(ScalarEmitter &e, Value x, Value y, bool fmod) {
  Value rest = e.create<arith::RemFOp>(x, y);
  if (fmod)
    return rest;
  Value zero = e.like(x, 0);
  Value isZero = e.compare(CmpFPredicate::OEQ, rest, zero);
  Value signsDiffer = e.create<arith::XOrIOp>(e.less(rest, zero), e.less(y, zero));
  Value moved = e.select(signsDiffer, e.create<arith::AddFOp>(rest, y), rest);
  return e.select(isZero, e.create<math::CopySignOp>(zero, y), moved);
}

// Two comparisons and two selects: LLVM makes a machine's max or min of the inner pair (which gives y where
// one is NaN), and the outer pair keeps x when it is the NaN.
Value mlir::tfc::emitMaximum(OpBuilder &builder, Location loc, Value x, Value y) {
  ScalarEmitter e(builder, loc);
  Value larger = e.select(e.compare(CmpFPredicate::OGT, x, y), x, y);
  return e.select(e.compare(CmpFPredicate::UNO, x, x), x, larger);
}

Value mlir::tfc::emitMinimum(OpBuilder &builder, Location loc, Value x, Value y) {
  ScalarEmitter e(builder, loc);
  Value smaller = e.select(e.compare(CmpFPredicate::OLT, x, y), x, y);
  return e.select(e.compare(CmpFPredicate::UNO, x, x), x, smaller);
}

//===----------------------------------------------------------------------------------------------===//
// Integers
//===----------------------------------------------------------------------------------------------===//

namespace {
/// A divisor that never traps: 1 stands in for 0, and for the -1 that overflows with the least integer.
struct SafeDivisor {
  Value value;
  Value isZero;
  Value isMinusOne; ///< null for unsigned division
};
} // namespace

static SafeDivisor emitSafeDivisor(ScalarEmitter &e, Value y, bool isUnsigned) {
  SafeDivisor divisor;
  divisor.isZero = e.compare(CmpIPredicate::eq, y, e.like(y, 0));
  Value replace = divisor.isZero;
  if (!isUnsigned) {
    divisor.isMinusOne = e.compare(CmpIPredicate::eq, y, e.allOnes(y));
    replace = e.create<arith::OrIOp>(divisor.isZero, divisor.isMinusOne);
  }
  divisor.value = e.select(replace, e.like(y, 1), y);
  return divisor;
}

Value mlir::tfc::emitIntegerDiv(ScalarEmitter &e, Value x, Value y, bool isUnsigned) {
  SafeDivisor divisor = emitSafeDivisor(e, y, isUnsigned);
  Value zero = e.like(x, 0);
  if (isUnsigned)
    return e.select(divisor.isZero, zero, e.create<arith::DivUIOp>(x, divisor.value));
  Value quotient = e.create<arith::DivSIOp>(x, divisor.value);
  quotient = e.select(divisor.isMinusOne, e.create<arith::SubIOp>(zero, x), quotient);
  return e.select(divisor.isZero, zero, quotient);
}

Value mlir::tfc::emitIntegerMod(ScalarEmitter &e, Value x, Value y, bool isUnsigned, bool fmod) {
  // The stand-in 1 leaves the rest 0, which is right for 0 (as defined) and for -1.
  SafeDivisor divisor = emitSafeDivisor(e, y, isUnsigned);
  if (isUnsigned)
    return e.create<arith::RemUIOp>(x, divisor.value);
  Value rest = e.create<arith::RemSIOp>(x, divisor.value);
  if (fmod)
    return rest;
  Value zero = e.like(x, 0);
  Value signsDiffer = e.compare(CmpIPredicate::slt, e.create<arith::XOrIOp>(rest, y), zero);
  Value inexact = e.compare(CmpIPredicate::ne, rest, zero);
  Value adjust = e.create<arith::AndIOp>(signsDiffer, inexact);
  return e.select(adjust, e.create<arith::AddIOp>(rest, y), rest);
}

/// Square and multiply over the bits of the exponent; products wrap around.
static Value emitPowerOfNatural(ScalarEmitter &e, Value x, Value exponent) {
  Value zero = e.create<arith::ConstantIndexOp>(0);
  Value one = e.create<arith::ConstantIndexOp>(1);
  Value bits = e.create<arith::ConstantIndexOp>(int64_t(x.getType().getIntOrFloatBitWidth()));
  SmallVector<Value> inits{e.like(x, 1), x, exponent};
  auto loop = scf::ForOp::create(
      e.builder, e.loc, zero, bits, one, inits, [&](OpBuilder &body, Location loc, Value, ValueRange state) {
        ScalarEmitter e(body, loc);
        Value result = state[0], square = state[1], rest = state[2], unit = e.like(rest, 1);
        Value isOdd = e.compare(CmpIPredicate::ne, e.create<arith::AndIOp>(rest, unit), e.like(rest, 0));
        Value product = e.select(isOdd, e.create<arith::MulIOp>(result, square), result);
        scf::YieldOp::create(body, loc,
                             ValueRange{product, e.create<arith::MulIOp>(square, square),
                                        e.create<arith::ShRUIOp>(rest, unit)});
      });
  return loop.getResult(0);
}

Value mlir::tfc::emitIntegerPow(ScalarEmitter &e, Value x, Value y, bool isUnsigned) {
  Value natural = emitPowerOfNatural(e, x, y);
  if (isUnsigned)
    return natural;
  // 1 / x^n truncated is 0 but for x = 1 and x = -1.
  Value zero = e.like(y, 0), one = e.like(x, 1), minusOne = e.allOnes(x);
  Value isOdd = e.compare(CmpIPredicate::ne, e.create<arith::AndIOp>(y, e.like(y, 1)), zero);
  Value ofMinusOne = e.select(isOdd, minusOne, one);
  Value fraction = e.select(e.compare(CmpIPredicate::eq, x, minusOne), ofMinusOne, zero);
  fraction = e.select(e.compare(CmpIPredicate::eq, x, one), one, fraction);
  return e.select(e.compare(CmpIPredicate::slt, y, zero), fraction, natural);
}
