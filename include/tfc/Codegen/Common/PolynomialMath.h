//===- PolynomialMath.h - Functions of f32 as arithmetic -----------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_CODEGEN_COMMON_POLYNOMIALMATH_H
#define TFC_CODEGEN_COMMON_POLYNOMIALMATH_H

#include "tfc/Codegen/Common/FloatArithmetic.h"

namespace mlir::tfc {

/// Arithmetic on values of one f32 type, scalar or vector.
class PolynomialMath : public FloatArithmetic {
public:
  explicit PolynomialMath(Operation *op)
      : FloatArithmetic(op),
        contract(arith::FastMathFlagsAttr::get(op->getContext(), arith::FastMathFlags::contract)) {
    longType = shaped(b.getI64Type());
    doubleType = shaped(b.getF64Type());
  }

  /// tanh and erf are made of exp, so a machine with an instruction for it says so here.
  virtual Value exp(Value x);
  Value exp2(Value x);
  Value log(Value x);
  Value tanh(Value x);
  Value erf(Value x);
  Value approximateTanh(Value x);
  Value approximateErf(Value x);
  Value sin(Value x) { return sine(x, 0); }
  Value cos(Value x) { return sine(x, 1); }
  Value rsqrt(Value x) { return div(real(1), math::SqrtOp::create(b, loc, x)); }

protected:
  Value precise(double value) { return constant(b.getF64FloatAttr(value), doubleType); }
  Value mulAdd(Value x, Value y, Value z) {
    return arith::AddFOp::create(b, loc, arith::MulFOp::create(b, loc, x, y, contract), z, contract);
  }
  /// The polynomial with these coefficients, highest first.
  Value polynomial(Value x, ArrayRef<float> coefficients) {
    Value sum = real(coefficients.front());
    for (float c : coefficients.drop_front())
      sum = mulAdd(sum, x, real(c));
    return sum;
  }
  Value expOfReduced(Value r, Value shifted);
  Value oddRatio(Value x, ArrayRef<float> numerator, ArrayRef<float> denominator, float one);
  Value sine(Value x, int32_t quarters);

  Type longType, doubleType;
  arith::FastMathFlagsAttr contract;
};

} // namespace mlir::tfc

#endif // TFC_CODEGEN_COMMON_POLYNOMIALMATH_H
