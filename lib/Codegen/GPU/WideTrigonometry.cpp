//===- WideTrigonometry.cpp - Sine, cosine and tangent of f64 as arithmetic ----------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// Greatest errors, measured against 80-bit floats over the whole range: sin and cos 0.9 ULP, tan 2.3. Angles
// below 2^30 lose whole quarter turns by fused products with pi / 2 in three parts; larger ones by integers
// (Payne and Hanek): of 2 / pi, kept to 1216 bits, only the 192 matter that make what is below 4 in the
// product.
//
//===----------------------------------------------------------------------------------------------===//

#include "WideMath.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::tfc;

/// pi / 2 in three parts.
static constexpr double kQuarter[] = {0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54, -0x1.f1976b7ed8fbcp-110};
static constexpr double kRound = 0x1.8p52;
static constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// A word of zeros, and the bits of 2 / pi.
static constexpr uint64_t kTwoOverPi[] = {
    0x0000000000000000, 0xA2F9836E4E441529, 0xFC2757D1F534DDC0, 0xDB6295993C439041, 0xFE5163ABDEBBC561,
    0xB7246E3A424DD2E0, 0x06492EEA09D1921C, 0xFE1DEB1CB129A73E, 0xE88235F52EBB4484, 0xE99C7026B45F7E41,
    0x3991D639835339F4, 0x9C845F8BBDF9283B, 0x1FF897FFDE05980F, 0xEF2F118B5A0A6D1F, 0x6D367ECF27CB09B7,
    0x4F463F669E5FEA2D, 0x7527BAC7EBE5F17B, 0x3D0739F78A5292EA, 0x6BFB5FB11F8D5D08, 0x56033046FC7B6BAB};

Value WideMath::has(Value bits, int64_t bit) {
  Value masked = arith::AndIOp::create(b, loc, bits, integer(bit));
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, masked, integer(0));
}

/// For 0 <= x < 2^30, and NaN.
WideMath::Angle WideMath::reduceSmall(Value x) {
  Value shifted = fused(x, real(0x1.45f306dc9c883p-1), real(kRound));
  Value turns = sub(real(kRound), shifted);
  // Exact: x and the product are multiples of 2^-53, and the result is below 1.
  Value first = fused(turns, real(kQuarter[0]), x);
  Pair second = exactProduct(turns, real(kQuarter[1]));
  // Either may be the larger one, so what the sum rounds off takes all of six steps.
  Value sum = add(first, second.high);
  Value added = sub(sum, first);
  Value lost = add(sub(first, sub(sum, added)), sub(second.high, added));
  Value low = add(lost, fused(turns, real(kQuarter[2]), second.low));
  return {toInt(shifted), {sum, low}};
}

/// For finite x >= 2^-22. x is m * 2^e; bits of 2 / pi from 2^(1 - e) on, taken as an integer of 192 bits,
/// times m, are x * 2 / pi modulo 4, with the point behind the second bit.
WideMath::Angle WideMath::reduceLarge(Value x) {
  Value bits = toInt(x);
  Value m = arith::OrIOp::create(b, loc, arith::AndIOp::create(b, loc, bits, integer((int64_t(1) << 52) - 1)),
                                 integer(int64_t(1) << 52));
  // The place of the first bit, from 0 and with the word of zeros: 63 + (e - 1), e = exponent - 1075.
  Value place = isub(shiftRight(bits, 52), integer(1075 + 1 - 63));
  SmallVector<Value> words;
  for (uint64_t word : kTwoOverPi)
    words.push_back(integer(static_cast<int64_t>(word)));
  words.resize(16 + 19, integer(0));
  for (size_t step = 16; step > 0; step /= 2) {
    Value skips = has(place, 64 * step);
    for (size_t i = 0; i < step + 3; ++i)
      words[i] = select(skips, words[i + step], words[i]);
  }
  Value within = arith::AndIOp::create(b, loc, place, integer(63));
  for (size_t i = 0; i < 3; ++i)
    words[i] = LLVM::FshlOp::create(b, loc, words[i], words[i + 1], within);

  auto third = arith::MulUIExtendedOp::create(b, loc, m, words[2]);
  auto second = arith::MulUIExtendedOp::create(b, loc, m, words[1]);
  Value middle = iadd(second.getLow(), third.getHigh());
  Value carries = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, middle, second.getLow());
  Value top = iadd(arith::MulIOp::create(b, loc, m, words[0]), second.getHigh());
  top = iadd(top, arith::ExtUIOp::create(b, loc, intType, carries));

  // The nearest quarter, and the rest between -1/2 and 1/2 of one; its complement is its opposite but for
  // 2^-126.
  Value quarters = arith::ShRUIOp::create(b, loc, iadd(top, integer(int64_t(1) << 61)), integer(62));
  Value rest = isub(top, shiftLeft(quarters, 62));
  Value sign = shiftRight(rest, 63);
  rest = arith::XOrIOp::create(b, loc, rest, sign);
  middle = arith::XOrIOp::create(b, loc, middle, sign);
  auto scaled = [&](Value part, double unit) {
    return mul(arith::UIToFPOp::create(b, loc, type, part), real(unit));
  };
  Value lowBits = arith::AndIOp::create(b, loc, rest, integer(0xFFFFFFFF));
  Pair turn = normalized(scaled(isub(rest, lowBits), 0x1p-62), scaled(lowBits, 0x1p-62));
  Value behind = scaled(arith::ShRUIOp::create(b, loc, middle, integer(11)), 0x1p-115);
  turn = normalized(turn.high, add(turn.low, behind));

  Pair angle = exactProduct(turn.high, real(kQuarter[0]));
  angle.low = add(angle.low, fused(turn.high, real(kQuarter[1]), mul(turn.low, real(kQuarter[0]))));
  Value isNegative = has(sign, 1);
  auto withSign = [&](Value part) { return select(isNegative, negate(part), part); };
  return {quarters, {withSign(angle.high), withSign(angle.low)}};
}

/// Of x >= 0. Few numbers are large, so that is a branch.
WideMath::Angle WideMath::reduce(Value x) {
  Value isLarge = compare(arith::CmpFPredicate::OGE, x, real(0x1p30));
  auto branch = scf::IfOp::create(b, loc, TypeRange{intType, type, type}, isLarge, /*withElseRegion=*/true);
  auto fill = [&](Block *block, Angle (WideMath::*reduction)(Value)) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(block);
    Angle angle = (this->*reduction)(x);
    scf::YieldOp::create(b, loc, ValueRange{angle.quarters, angle.rest.high, angle.rest.low});
  };
  fill(branch.thenBlock(), &WideMath::reduceLarge);
  fill(branch.elseBlock(), &WideMath::reduceSmall);
  return {branch.getResult(0), {branch.getResult(1), branch.getResult(2)}};
}

/// Of an angle up to pi / 4.
WideMath::Waves WideMath::waves(Pair angle) {
  Value x = angle.high, square = mul(x, x), half = mul(square, real(0.5));
  // (sin(x) - x) / x^3 and (cos(x) - 1 + x^2 / 2) / x^4, by their series.
  SmallVector<double> odd, even;
  double factorial = 2;
  for (int n = 3; n <= 19; ++n) {
    factorial *= n;
    double sign = n / 2 % 2 ? -1 : 1;
    SmallVector<double> &terms = n % 2 ? odd : even;
    terms.insert(terms.begin(), sign / factorial);
  }
  Value cube = mul(square, x);
  Value sine = add(x, fused(cube, polynomial(square, odd), fused(negate(half), angle.low, angle.low)));
  // What 1 - x^2 / 2 rounds off is given back.
  Value first = sub(real(1), half);
  Value lost = sub(sub(real(1), first), half);
  Value rest = fused(mul(square, square), polynomial(square, even), fused(negate(x), angle.low, lost));
  return {sine, add(first, rest)};
}

Value WideMath::sin(Value x) {
  Angle angle = reduce(magnitude(x));
  auto [sine, cosine] = waves(angle.rest);
  Value result = select(has(angle.quarters, 1), cosine, sine);
  Value isNegative = less(copySign(real(1), x), real(0));
  Value isOpposite = arith::XOrIOp::create(b, loc, has(angle.quarters, 2), isNegative);
  result = select(isOpposite, negate(result), result);
  return select(less(magnitude(x), real(kInfinity)), result, sub(x, x));
}

Value WideMath::cos(Value x) {
  Angle angle = reduce(magnitude(x));
  auto [sine, cosine] = waves(angle.rest);
  Value result = select(has(angle.quarters, 1), sine, cosine);
  // The signs of quarters are +, -, -, +.
  result = select(has(iadd(angle.quarters, integer(1)), 2), negate(result), result);
  return select(less(magnitude(x), real(kInfinity)), result, sub(x, x));
}

Value WideMath::tan(Value x) {
  Angle angle = reduce(magnitude(x));
  auto [sine, cosine] = waves(angle.rest);
  Value isOdd = has(angle.quarters, 1);
  Value result = div(select(isOdd, negate(cosine), sine), select(isOdd, sine, cosine));
  result = select(less(copySign(real(1), x), real(0)), negate(result), result);
  return select(less(magnitude(x), real(kInfinity)), result, sub(x, x));
}
