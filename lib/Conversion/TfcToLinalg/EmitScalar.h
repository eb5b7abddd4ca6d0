//===- EmitScalar.h - Scalar formulas that take more than one op -----------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_CONVERSION_TFCTOLINALG_EMITSCALAR_H
#define TFC_LIB_CONVERSION_TFCTOLINALG_EMITSCALAR_H

#include "tfc/Conversion/TfcToLinalg/ElementTypes.h"
#include "tfc/Conversion/TfcToLinalg/EmitElementwise.h"
#include "tfc/Dialect/Tfc/IR/TfcDialect.h"
#include "tfc/Dialect/Tfc/IR/TfcOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <cmath>

namespace mlir::tfc {

/// A builder with a place and the few shorthands that formulas need.
class ScalarEmitter {
public:
  ScalarEmitter(OpBuilder &builder, Location loc) : builder(builder), loc(loc) {}

  template <typename OpTy, typename... Args> Value create(Args &&...args) {
    return OpTy::create(builder, loc, std::forward<Args>(args)...).getResult();
  }
  Value compare(arith::CmpIPredicate predicate, Value a, Value b) {
    return create<arith::CmpIOp>(predicate, a, b);
  }
  Value compare(arith::CmpFPredicate predicate, Value a, Value b) {
    return create<arith::CmpFOp>(predicate, a, b);
  }
  Value less(Value a, Value b) { return compare(arith::CmpFPredicate::OLT, a, b); }
  Value select(Value condition, Value a, Value b) { return create<arith::SelectOp>(condition, a, b); }
  Value boolean(bool value) { return create<arith::ConstantOp>(builder.getBoolAttr(value)); }
  /// A number of x's type.
  Value like(Value x, double value) { return createConstant(builder, loc, x.getType(), value); }
  Value allOnes(Value x) {
    unsigned width = x.getType().getIntOrFloatBitWidth();
    return create<arith::ConstantOp>(IntegerAttr::get(x.getType(), APInt::getAllOnes(width)));
  }

  OpBuilder &builder;
  Location loc;
};

Value emitSigmoid(ScalarEmitter &e, Value x);
Value emitFloatSign(ScalarEmitter &e, Value x);
Value emitGelu(ScalarEmitter &e, GeluKind kind, Value x);
/// Remainder with the divisor's sign, or with the dividend's (`fmod`).
Value emitFloatMod(ScalarEmitter &e, Value x, Value y, bool fmod);
Value emitIntegerDiv(ScalarEmitter &e, Value x, Value y, bool isUnsigned);
Value emitIntegerMod(ScalarEmitter &e, Value x, Value y, bool isUnsigned, bool fmod);
Value emitIntegerPow(ScalarEmitter &e, Value x, Value y, bool isUnsigned);

} // namespace mlir::tfc

#endif // TFC_LIB_CONVERSION_TFCTOLINALG_EMITSCALAR_H
