//===- FloatArithmetic.cpp - What functions of all float types have in common --------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Codegen/Common/FloatArithmetic.h"

using namespace mlir;
using namespace mlir::tfc;
using arith::CmpFPredicate;

Value FloatArithmetic::completePower(Value x, Value y, Value result) {
  Value infinity = real(std::numeric_limits<double>::infinity());
  // y is whole when rounding leaves it, and odd when half of it is not whole.
  Value half = mul(y, real(0.5));
  Value whole = equal(nearest(y), y);
  Value odd = both(whole, compare(CmpFPredicate::UNE, nearest(half), half));
  Value isNegative = less(copySign(real(1), x), real(0));
  result = select(both(isNegative, odd), negate(result), result);
  // A negative number has powers at whole exponents only; -0 and -inf have all of them.
  Value ordinary = both(less(x, real(0)), less(negate(infinity), x));
  Value finite = less(magnitude(y), infinity);
  Value notWhole = both(both(ordinary, finite), compare(CmpFPredicate::UNE, nearest(y), y));
  result = select(notWhole, real(std::numeric_limits<double>::quiet_NaN()), result);
  Value minusOne = both(equal(x, real(-1)), equal(magnitude(y), infinity));
  Value one = either(equal(x, real(1)), equal(y, real(0)));
  return select(either(one, minusOne), real(1), result);
}
