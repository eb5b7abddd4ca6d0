//===- PolynomialMath.h - Functions of f32 as arithmetic -----------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_CODEGEN_COMMON_POLYNOMIALMATH_H
#define TFC_CODEGEN_COMMON_POLYNOMIALMATH_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

namespace mlir::tfc {

/// Arithmetic on values of one f32 type, scalar or vector.
class PolynomialMath {
public:
  explicit PolynomialMath(Operation *op)
      : b(op), loc(op->getLoc()), type(op->getResult(0).getType()),
        contract(arith::FastMathFlagsAttr::get(op->getContext(), arith::FastMathFlags::contract)) {
    intType = b.getI32Type();
    longType = b.getI64Type();
    doubleType = b.getF64Type();
    if (auto vector = dyn_cast<VectorType>(type)) {
      intType = vector.clone(intType);
      longType = vector.clone(longType);
      doubleType = vector.clone(doubleType);
    }
  }

  virtual ~PolynomialMath() = default;

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
  Value constant(TypedAttr element, Type to) {
    if (auto vector = dyn_cast<VectorType>(to))
      return arith::ConstantOp::create(b, loc, DenseElementsAttr::get(vector, element));
    return arith::ConstantOp::create(b, loc, element);
  }
  Value real(float value) { return constant(b.getF32FloatAttr(value), type); }
  Value precise(double value) { return constant(b.getF64FloatAttr(value), doubleType); }
  Value integer(int32_t value) { return constant(b.getI32IntegerAttr(value), intType); }
  Value add(Value x, Value y) { return arith::AddFOp::create(b, loc, x, y); }
  Value sub(Value x, Value y) { return arith::SubFOp::create(b, loc, x, y); }
  Value mul(Value x, Value y) { return arith::MulFOp::create(b, loc, x, y); }
  Value div(Value x, Value y) { return arith::DivFOp::create(b, loc, x, y); }
  Value mulAdd(Value x, Value y, Value z) {
    return arith::AddFOp::create(b, loc, arith::MulFOp::create(b, loc, x, y, contract), z, contract);
  }
  Value iadd(Value x, Value y) { return arith::AddIOp::create(b, loc, x, y); }
  Value isub(Value x, Value y) { return arith::SubIOp::create(b, loc, x, y); }
  Value toInt(Value x) { return arith::BitcastOp::create(b, loc, intType, x); }
  Value toReal(Value x) { return arith::BitcastOp::create(b, loc, type, x); }
  Value less(Value x, Value y) { return arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OLT, x, y); }
  Value select(Value c, Value x, Value y) { return arith::SelectOp::create(b, loc, c, x, y); }
  /// Both keep a NaN in x.
  Value atMost(Value x, float limit) {
    Value bound = real(limit);
    return select(less(bound, x), bound, x);
  }
  Value atLeast(Value x, float limit) {
    Value bound = real(limit);
    return select(less(x, bound), bound, x);
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

  OpBuilder b;
  Location loc;
  Type type, intType, longType, doubleType;
  arith::FastMathFlagsAttr contract;
};

} // namespace mlir::tfc

#endif // TFC_CODEGEN_COMMON_POLYNOMIALMATH_H
