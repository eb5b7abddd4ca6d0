//===- PolynomialMath.cpp - Functions of f32 as arithmetic ---------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// Straight-line code for f32, on scalars and vectors alike: LLVM's loop vectorizer turns scalars into
// vectors. Products that feed sums carry `contract`, so CPUs with fused multiply-add use it and others need
// no library. Greatest errors were measured against double precision on random arguments over the whole
// range, in units of the result's last place (ULP):
//
//   exp, exp2   1.0; overflow gives inf, small results are rounded to denormals
//   log         0.8, denormals included
//   tanh        1.3; 5.5 with the flag `afn`
//   erf         1.0; 5.5 with the flag `afn`
//   sin, cos    1.6 for every argument, however large
//
// NaN gives NaN everywhere. Polynomials of exp, log, sin, cos and the core of tanh are those of Cephes
// (Moshier, netlib.org/cephes, expf.c, logf.c, sinf.c, tanhf.c).
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
  // The sum in `small` loses the sign of zero.
  return copySign(select(less(magnitude, real(0.625f)), small, large), x);
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

/// x * P(x^2) / Q(x^2) up to where the function is 1 in f32.
Value PolynomialMath::oddRatio(Value x, ArrayRef<float> numerator, ArrayRef<float> denominator, float one) {
  Value square = mul(x, x);
  Value ratio = div(mul(x, polynomial(square, numerator)), polynomial(square, denominator));
  // A NaN takes the ratio.
  Value isOne = less(real(one), math::AbsFOp::create(b, loc, x));
  return select(isOne, math::CopySignOp::create(b, loc, real(1), x), ratio);
}

// The two ratios have the least relative error among those of their degrees (2e-8 and 1.3e-8), by iterated
// reweighted least squares.
Value PolynomialMath::approximateTanh(Value x) {
  return oddRatio(x, {1.33350753e-08f, 2.05949982e-05f, 0.00349473371f, 0.13380307f, 1.0f},
                  {7.7685587e-07f, 0.000328423659f, 0.0258737318f, 0.467136204f, 1.0f}, 9.011f);
}

Value PolynomialMath::approximateErf(Value x) {
  return oddRatio(
      x, {2.12312375e-06f, 0.000285944086f, 0.00365279545f, 0.0524186604f, 0.187309295f, 1.12837911f},
      {3.88982371e-05f, 0.00114171708f, 0.0147425812f, 0.112900905f, 0.499331445f, 1.0f}, 3.8325067f);
}

/// sin(x + quarters * pi / 2). x * 2/pi is needed modulo 4 only: 2/pi is cut into pieces of 29 bits, whose
/// products with the 24 bits of x are exact in f64, and of each product whole multiples of 4 are dropped,
/// exactly again. So the largest numbers lose nothing.
Value PolynomialMath::sine(Value x, int32_t quarters) {
  Value wide = arith::ExtFOp::create(b, loc, doubleType, x);
  Value turns = precise(0);
  for (double piece : {0x1.45f306dp-1, 0x1.9391054p-30, 0x1.4fe13abp-59, 0x1.d1f534dp-88, 0x1.b81b6c5p-117,
                       0x1.5993c40p-148, 0x1.c820ff2p-175}) {
    Value product = mul(wide, precise(piece));
    Value multiple = math::RoundEvenOp::create(b, loc, mul(product, precise(0.25)));
    turns = add(turns, sub(product, mul(multiple, precise(4))));
  }
  Value nearest = math::RoundEvenOp::create(b, loc, turns);
  Value angle = arith::TruncFOp::create(b, loc, type, mul(sub(turns, nearest), precise(1.5707963267948966)));
  // The low bits of a sum that leaves no room behind the point; unlike a conversion it has a meaning for NaN.
  Value bits = arith::BitcastOp::create(b, loc, longType, add(nearest, precise(0x1.8p52)));
  Value quarter = iadd(arith::TruncIOp::create(b, loc, intType, bits), integer(quarters));
  Value square = mul(angle, angle);
  Value sine = polynomial(square, {-1.9515295891e-4f, 8.3321608736e-3f, -1.6666654611e-1f});
  sine = mulAdd(mul(sine, square), angle, angle);
  Value cosine = polynomial(square, {2.443315711809948e-5f, -1.388731625493765e-3f, 4.166664568298827e-2f});
  cosine = mulAdd(mul(cosine, square), square, mulAdd(square, real(-0.5f), real(1)));
  auto has = [&](int32_t bit) {
    Value masked = arith::AndIOp::create(b, loc, quarter, integer(bit));
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, masked, integer(0));
  };
  Value result = select(has(1), cosine, sine);
  result = select(has(2), arith::NegFOp::create(b, loc, result), result);
  if (quarters != 0)
    return result;
  // The sum of the pieces loses the sign of zero.
  return select(arith::CmpFOp::create(b, loc, CmpFPredicate::OEQ, x, real(0)), x, result);
}
