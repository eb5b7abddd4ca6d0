//===- Remainder.cpp - The remainder of a division of floats ---------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// What fmod of the C library is, exactly: LLVM's x - y * trunc(x / y) for GPUs is wrong where the quotient
// has more bits than the float, and where it overflows. Here multiples y * 2^k are taken away, the quotient
// by each below 2^52, until what is left is less than y. f32 is computed in f64. In C:
//
//   while (x >= y) {
//     double t = y * 2^max(0, exponent(x) - exponent(y) - 50);
//     x = fma(-trunc(x / t), t, x);   // exact
//     if (x < 0) x += t;              // the quotient had been rounded up; exact too
//   }
//
//===----------------------------------------------------------------------------------------------===//

#include "WideMath.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::tfc;

namespace {
class Remainder : public FloatArithmetic {
public:
  Remainder(Operation *op) : FloatArithmetic(op) {
    type = b.getF64Type();
    intType = b.getI64Type();
  }
  Value write(Value x, Value y, Type narrow);

private:
  Value exponent(Value x);
  Value largestMultiple(Value x, Value y);
  Value takeAway(Value x, Value multiple);
};
} // namespace

/// The exponent of a positive number. Denormals are scaled first.
Value Remainder::exponent(Value x) {
  Value isSmall = less(x, real(std::numeric_limits<double>::min()));
  Value scaled = select(isSmall, mul(x, real(0x1p54)), x);
  return isub(shiftRight(toInt(scaled), 52), select(isSmall, integer(54), integer(0)));
}

/// y * 2^k, not above x, and above x / 2^53. The power is applied in two halves, for it may be beyond any
/// f64.
Value Remainder::largestMultiple(Value x, Value y) {
  Value apart = isub(isub(exponent(x), exponent(y)), integer(50));
  Value k = arith::MaxSIOp::create(b, loc, apart, integer(0));
  k = arith::MinSIOp::create(b, loc, k, integer(2 * 1023));
  Value half = shiftRight(k, 1);
  auto power = [&](Value exponent) { return toReal(shiftLeft(iadd(exponent, integer(1023)), 52)); };
  return mul(mul(y, power(half)), power(isub(k, half)));
}

Value Remainder::takeAway(Value x, Value multiple) {
  Value quotient = math::TruncOp::create(b, loc, div(x, multiple));
  Value rest = fused(negate(quotient), multiple, x);
  return select(less(rest, real(0)), add(rest, multiple), rest);
}

Value Remainder::write(Value x, Value y, Type narrow) {
  bool isWide = narrow == type;
  Value from = isWide ? x : arith::ExtFOp::create(b, loc, type, x);
  Value by = magnitude(isWide ? y : arith::ExtFOp::create(b, loc, type, y));
  Value size = magnitude(from);
  // inf, NaN and division by zero do not enter the loop.
  Value isNumber =
      both(less(size, real(std::numeric_limits<double>::infinity())), less(real(0), by));
  Value begin = select(isNumber, size, real(0)), divisor = select(isNumber, by, real(1));
  auto loop = scf::WhileOp::create(b, loc, TypeRange{type}, ValueRange{begin});
  {
    OpBuilder::InsertionGuard guard(b);
    Block *before = b.createBlock(&loop.getBefore(), {}, {type}, {loc});
    Value left = before->getArgument(0);
    scf::ConditionOp::create(b, loc, compare(arith::CmpFPredicate::OGE, left, divisor), ValueRange{left});
    Block *after = b.createBlock(&loop.getAfter(), {}, {type}, {loc});
    left = after->getArgument(0);
    scf::YieldOp::create(b, loc, ValueRange{takeAway(left, largestMultiple(left, divisor))});
  }
  Value result = copySign(loop.getResult(0), from);
  result = select(isNumber, result, real(std::numeric_limits<double>::quiet_NaN()));
  return isWide ? result : arith::TruncFOp::create(b, loc, narrow, result);
}

Value mlir::tfc::emitRemainder(Operation *op, Value x, Value y) {
  return Remainder(op).write(x, y, op->getResult(0).getType());
}
