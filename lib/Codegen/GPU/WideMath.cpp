//===- WideMath.cpp - Exponentials, logarithms and powers of f64 as arithmetic -------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// Greatest errors, measured against 80-bit floats over the whole range, in units of the result's last place
// (ULP):
//
//   exp, exp2   0.8
//   log         0.8
//   tanh        2.6
//   erf         1.0
//   pow         1.0
//   rsqrt       1.5: a root and a quotient
//
// NaN, infinities, zeros and their signs, and results out of range are those of the C library. Coefficients
// are the terms of the power series, but for erf: those are minimax polynomials (Remez) of erf(x) / x - 1 in
// x^2, and of -log(erfc(x)) weighted with erfc(x).
//
//===----------------------------------------------------------------------------------------------===//

#include "WideMath.h"

using namespace mlir;
using namespace mlir::tfc;

static constexpr double kInfinity = std::numeric_limits<double>::infinity();
static constexpr double kLog2E = 0x1.71547652b82fep+0;
/// ln(2) in two parts, and in two of which the first has 21 zeros behind it: products with exponents are
/// exact.
static constexpr double kLn2 = 0x1.62e42fefa39efp-1, kLn2Low = 0x1.abc9e3b39803fp-56;
static constexpr double kLn2Short = 0x1.62e42feep-1, kLn2Rest = 0x1.a39ef35793c76p-33;
/// Adding 1.5 * 2^52 rounds to the nearest integer and leaves that integer in the low bits of the sum.
static constexpr double kRound = 0x1.8p52;
static constexpr int64_t kRoundBits = 0x4338000000000000;

/// The polynomial with these coefficients, highest first.
Value WideMath::polynomial(Value x, ArrayRef<double> coefficients) {
  Value sum = real(coefficients.front());
  for (double c : coefficients.drop_front())
    sum = fused(sum, x, real(c));
  return sum;
}

/// 2^exponent, of an integer from -1022 to 1023.
Value WideMath::power(Value exponent) { return toReal(shiftLeft(iadd(exponent, integer(1023)), 52)); }

/// The integer in the low bits of a sum with kRound.
Value WideMath::wholePart(Value shifted) { return isub(toInt(shifted), integer(kRoundBits)); }

/// (e^r - 1 - r) / r^2 for |r| <= ln(2) / 2.
Value WideMath::expCurve(Value r) {
  SmallVector<double> terms;
  double factorial = 1;
  for (int k = 2; k <= 13; ++k)
    terms.insert(terms.begin(), 1 / (factorial *= k));
  return polynomial(r, terms);
}

/// e^(r + low) * 2^n, n in the low bits of `shifted`. The power is applied in two halves, so that results at
/// both ends of the range are rounded there and not before.
Value WideMath::scaledExp(Value r, Value low, Value shifted) {
  Value rest = fused(expCurve(r), mul(r, r), fused(low, r, low));
  Value y = add(real(1), add(r, rest));
  Value n = wholePart(shifted), half = shiftRight(n, 1);
  return mul(mul(y, power(half)), power(isub(n, half)));
}

Value WideMath::expOfPair(Pair x) {
  // Beyond these the result is inf or 0 anyway, and 2^n stays within reach of two factors.
  Value high = atLeast(atMost(x.high, 710), -746);
  Value shifted = fused(high, real(kLog2E), real(kRound));
  Value n = sub(shifted, real(kRound));
  // Exact: `high` and the product are multiples of 2^-54 unless n is 0.
  Value r = fused(n, real(-kLn2), high);
  Pair rest = normalized(r, fused(n, real(-kLn2Low), x.low));
  return scaledExp(rest.high, rest.low, shifted);
}

Value WideMath::exp(Value x) { return expOfPair({x, real(0)}); }

Value WideMath::exp2(Value x) {
  x = atLeast(atMost(x, 1025), -1080);
  Value shifted = add(x, real(kRound));
  Value part = sub(x, sub(shifted, real(kRound)));
  Pair r = exactProduct(part, real(kLn2));
  return scaledExp(r.high, fused(part, real(kLn2Low), r.low), shifted);
}

/// Of a positive finite number.
WideMath::Scientific WideMath::split(Value x) {
  // Denormals are scaled into the normal range first.
  Value isSmall = less(x, real(std::numeric_limits<double>::min()));
  Value bits = toInt(select(isSmall, mul(x, real(0x1p54)), x));
  // Subtracting the bits of sqrt(1/2) first makes the exponent count from there.
  Value exponent = shiftRight(isub(bits, integer(0x3FE6A09E667F3BCD)), 52);
  Value mantissa = toReal(isub(bits, shiftLeft(exponent, 52)));
  Value e = arith::SIToFPOp::create(b, loc, type, exponent);
  return {mantissa, sub(e, select(isSmall, real(54), real(0)))};
}

// log(m) = 2 * atanh(s) with s = f / (2 + f) and f = m - 1, |s| < 0.172. Of 2 * s = f - s * f the first part
// is exact, and only what is small beside it is rounded.
Value WideMath::log(Value x) {
  auto [mantissa, e] = split(x);
  Value f = sub(mantissa, real(1));
  Value s = div(f, add(f, real(2)));
  Value square = mul(s, s);
  SmallVector<double> terms;
  for (int odd = 23; odd >= 3; odd -= 2)
    terms.push_back(2.0 / odd);
  Value curve = mul(square, polynomial(square, terms));
  Value halfSquare = mul(real(0.5), mul(f, f));
  Value small = fused(s, add(halfSquare, curve), mul(e, real(kLn2Rest)));
  Value result = fused(e, real(kLn2Short), sub(f, sub(halfSquare, small)));

  // x + x keeps inf and NaN; the comparisons are false for NaN.
  result = select(less(x, real(kInfinity)), result, add(x, x));
  result = select(less(x, real(0)), real(std::numeric_limits<double>::quiet_NaN()), result);
  return select(equal(x, real(0)), real(-kInfinity), result);
}

/// t / (t + 2) with t = e^(2|x|) - 1, which is 2^n * (e^r - 1) + (2^n - 1).
Value WideMath::tanh(Value x) {
  Value size = atMost(magnitude(x), 22); // tanh is 1 from 19.1 on
  Value twice = add(size, size);
  Value shifted = fused(twice, real(kLog2E), real(kRound));
  Value n = sub(shifted, real(kRound));
  Value r = fused(n, real(-kLn2Low), fused(n, real(-kLn2), twice));
  Value scale = power(wholePart(shifted));
  Value grown = fused(expCurve(r), mul(r, r), r);
  Value t = fused(grown, scale, sub(scale, real(1)));
  return copySign(div(t, add(t, real(2))), x);
}

Value WideMath::erf(Value x) {
  Value size = magnitude(x);
  Value small = polynomial(
      mul(x, x),
      {0x1.062759c5be8ecp-34, -0x1.38ac2290d3965p-30, 0x1.f7b99d7c8709ap-27, -0x1.5f1f40faeea79p-23,
       0x1.b9df305cad6f7p-20, -0x1.f4d1e434bc0cfp-17, 0x1.f9a321e4b84f9p-14, -0x1.c02db3db49762p-11,
       0x1.565bcd0dbd921p-8, -0x1.b82ce31284f38p-6, 0x1.ce2f21a042b34p-4, -0x1.812746b0379e6p-2,
       0x1.06eba8214db69p-3});
  small = fused(small, x, x);
  Value t = atMost(size, 6); // erf is 1 from 5.93 on
  Value exponent = polynomial(
      t, {-0x1.2475c82bfba98p-40, 0x1.a1f537802eb96p-35, -0x1.178f8533039f6p-30, 0x1.d09dd51b1c8bbp-27,
          -0x1.0c121bff36ccfp-23, 0x1.c5c1f9ec2fc65p-21, -0x1.20afcae02e2bdp-18, 0x1.138185c957b01p-16,
          -0x1.778e522ea65a2p-15, 0x1.248d7b4b7770dp-14, 0x1.8183c877fb83fp-15, -0x1.5107e6a892420p-11,
          0x1.d03cee8748605p-10, -0x1.27f0aec8c3e77p-12, -0x1.388e8b81d6cadp-6, 0x1.a4d9a9b627ddap-4,
          0x1.45f4328dd95f5p-1, 0x1.20dd5565508e6p+0, 0x1.8bf84ae9cebb9p-23});
  Value large = copySign(sub(real(1), exp(negate(exponent))), x);
  // Not less-than the other way round: a NaN takes the second branch, which keeps it.
  return select(less(real(1), size), large, small);
}

/// For |high| >= |low|.
WideMath::Pair WideMath::normalized(Value high, Value low) {
  Value sum = add(high, low);
  return {sum, add(sub(high, sum), low)};
}

WideMath::Pair WideMath::exactProduct(Value x, Value y) {
  Value product = mul(x, y);
  return {product, fused(x, y, negate(product))};
}

/// log of a positive finite number to about 2^-65, relative: log(m) = u + u^3 / 12 + u^5 / 80 + ... with u =
/// 2 * (m - 1) / (m + 1), the first two terms in two parts each.
WideMath::Pair WideMath::logPair(Value x) {
  auto [mantissa, e] = split(x);
  Value f = sub(mantissa, real(1));
  Value inverse = div(real(1), add(f, real(2)));
  Value u = mul(add(f, f), inverse);
  // What u leaves of 2 * f, over 2 + f.
  Value apart = sub(f, u);
  Value uLow = mul(inverse, fused(negate(u), f, add(apart, apart)));

  Pair square = exactProduct(u, u);
  square.low = fused(add(u, u), uLow, square.low);
  SmallVector<double> terms;
  for (int odd = 25; odd >= 5; odd -= 2)
    terms.push_back(std::ldexp(1.0 / odd, 1 - odd));
  Pair curve = normalized(real(0x1.5555555555555p-4), mul(square.high, polynomial(square.high, terms)));
  curve.low = add(curve.low, real(0x1.5555555555555p-58));

  Pair cubic = exactProduct(square.high, curve.high);
  cubic.low = add(cubic.low, fused(square.high, curve.low, mul(square.low, curve.high)));
  Pair term = exactProduct(cubic.high, u);
  term.low = add(term.low, fused(cubic.high, uLow, mul(cubic.low, u)));

  Pair sum = normalized(u, term.high);
  Value low = add(sum.low, add(term.low, uLow));
  Pair whole = normalized(mul(e, real(kLn2Short)), sum.high);
  return normalized(whole.high, add(whole.low, fused(e, real(kLn2Rest), low)));
}

Value WideMath::pow(Value x, Value y) {
  Value size = magnitude(x);
  Pair log = logPair(size);
  log.high = select(equal(size, real(0)), real(-kInfinity), log.high);
  log.high = select(less(size, real(kInfinity)), log.high, size); // inf, and NaN
  Pair product = exactProduct(y, log.high);
  product.low = fused(y, log.low, product.low);
  // Where the result is out of range the low part may be no number.
  Value isInRange = less(magnitude(product.high), real(800));
  product.low = select(isInRange, product.low, real(0));
  return completePower(x, y, expOfPair(product));
}
