//===- WideMath.h - Functions of f64 as arithmetic ------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_CODEGEN_GPU_WIDEMATH_H
#define TFC_LIB_CODEGEN_GPU_WIDEMATH_H

#include "tfc/Codegen/Common/FloatArithmetic.h"

namespace mlir::tfc {

/// Arithmetic on f64 scalars, in place of an op with an f64 result. GPUs have f64 sums, products, fused
/// products, quotients and roots, and nothing else. Errors are stated at the heads of WideMath.cpp,
/// WideTrigonometry.cpp and Remainder.cpp.
class WideMath : public FloatArithmetic {
public:
  using FloatArithmetic::FloatArithmetic;

  Value exp(Value x);
  Value exp2(Value x);
  Value log(Value x);
  Value tanh(Value x);
  Value erf(Value x);
  Value pow(Value x, Value y);
  Value rsqrt(Value x) { return div(real(1), math::SqrtOp::create(b, loc, x)); }
  Value sin(Value x);
  Value cos(Value x);
  Value tan(Value x);

private:
  /// A number in two parts: high is the sum rounded, low is what that leaves out.
  struct Pair {
    Value high, low;
  };
  /// An angle up to pi / 4, and how many quarter turns (modulo 4) were taken away.
  struct Angle {
    Value quarters;
    Pair rest;
  };
  /// A multiple of an angle's parts.
  struct Waves {
    Value sine, cosine;
  };
  /// x = mantissa * 2^exponent with the mantissa in [sqrt(1/2), sqrt(2)); both are f64.
  struct Scientific {
    Value mantissa, exponent;
  };

  Value polynomial(Value x, ArrayRef<double> coefficients);
  Value power(Value exponent);
  Value wholePart(Value shifted);
  Value expCurve(Value r);
  Value scaledExp(Value r, Value low, Value shifted);
  Value expOfPair(Pair x);
  Scientific split(Value x);
  Pair normalized(Value high, Value low);
  Pair exactProduct(Value x, Value y);
  Pair logPair(Value x);

  Angle reduceSmall(Value x);
  Angle reduceLarge(Value x);
  Angle reduce(Value x);
  Waves waves(Pair angle);
  Value has(Value bits, int64_t bit);
};

/// x - y * trunc(x / y), exactly, of f32 or f64, in place of an op with such a result.
Value emitRemainder(Operation *op, Value x, Value y);

} // namespace mlir::tfc

#endif // TFC_LIB_CODEGEN_GPU_WIDEMATH_H
