//===- PolynomialMath.cpp - Functions of f32 as arithmetic ---------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// Straight-line code for f32, on scalars and vectors alike: LLVM's loop vectorizer turns scalars into vectors. Products
// that feed sums carry `contract`, so CPUs with fused multiply-add use it and others need no library. Greatest errors were
// measured against double precision on random arguments over the whole range, in units of the result's last place (ULP):
//
//   exp, exp2   1.0; overflow gives inf, small results are rounded to denormals
//   log         0.8, denormals included
//   tanh        1.3
//   erf         1.0
//
// NaN gives NaN everywhere. Polynomials of exp, log and the core of tanh are those of Cephes (Moshier, netlib.org/cephes, expf.c,
// logf.c, tanhf.c).
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Codegen/Common/PolynomialMath.h"

using namespace mlir;
using namespace mlir::tfc;
using arith::CmpFPredicate;

/// Adding and subtracting 1.5 * 2^23 rounds to the nearest integer and leaves that integer in the low bits of the sum.
static constexpr float kRound = 12582912.0f;
static constexpr int32_t kRoundBits = 0x4B400000;

/// e^r * 2^n for |r| <= ln(2)/2, n in the low bits of `shifted`. The power is applied in two halves, so that results at both ends of
/// the range are rounded once.
Value PolynomialMath::expOfReduced(Value r, Value shifted) {
  Value p = polynomial(r, {1.9875691500e-4f, 1.3981999507e-3f, 8.3334519073e-3f, 4.1665795894e-2f, 1.6666665459e-1f,
                           5.0000001201e-1f});
  Value y = add(mulAdd(p, mul(r, r), r), real(1));
  Value n = isub(toInt(shifted), integer(kRoundBits));
  Value half = arith::ShRSIOp::create(b, loc, n, integer(1));
  auto power = [&](Value exponent) {
    return toReal(arith::ShLIOp::create(b, loc, iadd(exponent, integer(127)), integer(23)));
  };
  return mul(mul(y, power(half)), power(isub(n, half)));
}

Value PolynomialMath::exp(Value x) {
  // Beyond these the result is inf or 0 anyway, and 2^n stays within reach of two factors.
  x = atLeast(atMost(x, 89.0f), -104.0f);
  Value shifted = mulAdd(x, real(1.44269504f), real(kRound));
  Value n = sub(shifted, real(kRound));
  // ln(2) in two parts; the product of n with the first is exact.
  Value r = mulAdd(n, real(-0.693359375f), x);
  r = mulAdd(n, real(2.12194440e-4f), r);
  return expOfReduced(r, shifted);
}

Value PolynomialMath::exp2(Value x) {
  x = atLeast(atMost(x, 129.0f), -151.0f);
  Value shifted = add(x, real(kRound));
  Value n = sub(shifted, real(kRound));
  return expOfReduced(mul(sub(x, n), real(0.69314718f)), shifted);
}

Value PolynomialMath::log(Value x) {
  // Denormals are scaled into the normal range first.
  Value isSmall = less(x, real(1.17549435e-38f));
  Value scaled = select(isSmall, mul(x, real(8388608.0f)), x);
  Value bits = toInt(scaled);
  // x = m * 2^e with m in [sqrt(1/2), sqrt(2)): subtracting the bits of sqrt(1/2) first makes the exponent count from there.
  Value offset = isub(bits, integer(0x3F3504F3));
  Value exponent = arith::ShRSIOp::create(b, loc, offset, integer(23));
  Value mantissa = toReal(isub(bits, arith::ShLIOp::create(b, loc, exponent, integer(23))));
  Value e = arith::SIToFPOp::create(b, loc, type, exponent);
  e = sub(e, select(isSmall, real(23), real(0)));

  Value t = sub(mantissa, real(1));
  Value square = mul(t, t);
  Value p = polynomial(t, {7.0376836292e-2f, -1.1514610310e-1f, 1.1676998740e-1f, -1.2420140846e-1f, 1.4249322787e-1f,
                           -1.6668057665e-1f, 2.0000714765e-1f, -2.4999993993e-1f, 3.3333331174e-1f});
  Value y = mul(mul(p, t), square);
  y = mulAdd(e, real(-2.12194440e-4f), y);
  y = mulAdd(square, real(-0.5f), y);
  Value result = mulAdd(e, real(0.693359375f), add(t, y));

  float inf = std::numeric_limits<float>::infinity();
  // x + x keeps inf and NaN; the comparisons are false for NaN.
  Value isFinite = less(x, real(inf));
  result = select(isFinite, result, add(x, x));
  result = select(less(x, real(0)), real(std::numeric_limits<float>::quiet_NaN()), result);
  Value isZero = arith::CmpFOp::create(b, loc, CmpFPredicate::OEQ, x, real(0));
  return select(isZero, real(-inf), result);
}

Value PolynomialMath::tanh(Value x) {
  Value square = mul(x, x);
  Value p = polynomial(square, {-5.70498872745e-3f, 2.06390887954e-2f, -5.37397155531e-2f, 1.33314422036e-1f,
                                -3.33332819422e-1f});
  Value small = mulAdd(mul(p, square), x, x);
  Value magnitude = math::AbsFOp::create(b, loc, x);
  Value e = exp(add(magnitude, magnitude));
  Value large = sub(real(1), div(real(2), add(e, real(1))));
  large = math::CopySignOp::create(b, loc, large, x);
  return select(less(magnitude, real(0.625f)), small, large);
}

// Two polynomials: of x^2 near 0, and of |x| in the exponent of 1 - exp(...) beyond.
Value PolynomialMath::erf(Value x) {
  Value magnitude = math::AbsFOp::create(b, loc, x);
  Value square = mul(x, x);
  Value small = polynomial(square, {-5.96761703e-4f, 4.99119423e-3f, -2.67681349e-2f, 1.12819925e-1f, -3.76125336e-1f,
                                    1.28379166e-1f});
  small = mulAdd(small, x, x);
  Value t = atMost(magnitude, 4.0f); // erf is 1 from there on
  Value q = polynomial(t, {-1.72853470e-5f, 3.83197126e-4f, -3.88396438e-3f, 2.42546219e-2f, -1.06777877e-1f,
                           -6.34846687e-1f, -1.28717512e-1f});
  q = mulAdd(q, t, sub(real(0), t));
  Value large = math::CopySignOp::create(b, loc, sub(real(1), exp(q)), x);
  // Not less-than the other way round: a NaN takes the second branch, which keeps it.
  return select(less(real(0.927734375f), magnitude), large, small);
}
