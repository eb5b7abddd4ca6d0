//===- FloatArithmetic.h - Short names for arithmetic on values of one float type ----------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_CODEGEN_COMMON_FLOATARITHMETIC_H
#define TFC_CODEGEN_COMMON_FLOATARITHMETIC_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/TypeUtilities.h"

namespace mlir::tfc {

/// What writes functions as arithmetic, in front of the op that they replace. Values are of the op's type,
/// scalar or vector, and of the integers that have as many bits.
class FloatArithmetic {
public:
  explicit FloatArithmetic(Operation *op) : b(op), loc(op->getLoc()), type(op->getResult(0).getType()) {
    intType = shaped(b.getIntegerType(getElementTypeOrSelf(type).getIntOrFloatBitWidth()));
  }
  virtual ~FloatArithmetic() = default;

protected:
  Type shaped(Type element) {
    auto vector = dyn_cast<VectorType>(type);
    return vector ? vector.clone(element) : element;
  }
  Value constant(TypedAttr element, Type to) {
    if (auto vector = dyn_cast<VectorType>(to))
      return arith::ConstantOp::create(b, loc, DenseElementsAttr::get(vector, element));
    return arith::ConstantOp::create(b, loc, element);
  }
  Value real(double value) { return constant(b.getFloatAttr(getElementTypeOrSelf(type), value), type); }
  Value integer(int64_t value) {
    return constant(b.getIntegerAttr(getElementTypeOrSelf(intType), value), intType);
  }
  Value add(Value x, Value y) { return arith::AddFOp::create(b, loc, x, y); }
  Value sub(Value x, Value y) { return arith::SubFOp::create(b, loc, x, y); }
  Value mul(Value x, Value y) { return arith::MulFOp::create(b, loc, x, y); }
  Value div(Value x, Value y) { return arith::DivFOp::create(b, loc, x, y); }
  Value negate(Value x) { return arith::NegFOp::create(b, loc, x); }
  /// x * y + z, rounded once.
  Value fused(Value x, Value y, Value z) { return math::FmaOp::create(b, loc, x, y, z); }
  Value magnitude(Value x) { return math::AbsFOp::create(b, loc, x); }
  Value copySign(Value x, Value sign) { return math::CopySignOp::create(b, loc, x, sign); }
  Value nearest(Value x) { return math::RoundEvenOp::create(b, loc, x); }
  Value iadd(Value x, Value y) { return arith::AddIOp::create(b, loc, x, y); }
  Value isub(Value x, Value y) { return arith::SubIOp::create(b, loc, x, y); }
  Value shiftLeft(Value x, int64_t bits) { return arith::ShLIOp::create(b, loc, x, integer(bits)); }
  Value shiftRight(Value x, int64_t bits) { return arith::ShRSIOp::create(b, loc, x, integer(bits)); }
  Value toInt(Value x) { return arith::BitcastOp::create(b, loc, intType, x); }
  Value toReal(Value x) { return arith::BitcastOp::create(b, loc, type, x); }
  Value compare(arith::CmpFPredicate predicate, Value x, Value y) {
    return arith::CmpFOp::create(b, loc, predicate, x, y);
  }
  Value less(Value x, Value y) { return compare(arith::CmpFPredicate::OLT, x, y); }
  Value equal(Value x, Value y) { return compare(arith::CmpFPredicate::OEQ, x, y); }
  Value both(Value x, Value y) { return arith::AndIOp::create(b, loc, x, y); }
  Value either(Value x, Value y) { return arith::OrIOp::create(b, loc, x, y); }
  Value select(Value c, Value x, Value y) { return arith::SelectOp::create(b, loc, c, x, y); }
  /// Both keep a NaN in x.
  Value atMost(Value x, double limit) {
    Value bound = real(limit);
    return select(less(bound, x), bound, x);
  }
  Value atLeast(Value x, double limit) {
    Value bound = real(limit);
    return select(less(x, bound), bound, x);
  }
  /// x^y from |x|^y: signs, and what the C library gives for 0, 1, -1, infinities and negative numbers.
  Value completePower(Value x, Value y, Value result);

  OpBuilder b;
  Location loc;
  Type type, intType;
};

} // namespace mlir::tfc

#endif // TFC_CODEGEN_COMMON_FLOATARITHMETIC_H
