//===- DimArithmetic.cpp - Dim expressions as index values -----------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Conversion/TfcToLinalg/DimArithmetic.h"

#include "tfc/Dialect/Tfc/IR/TfcOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::tfc;
using arith::CmpIPredicate;

Value mlir::tfc::materializeDim(OpBuilder &builder, Location loc, DimExprAttr dim) {
  if (std::optional<int64_t> value = dim.getConstant())
    return arith::ConstantIndexOp::create(builder, loc, *value);
  return DimOp::create(builder, loc, builder.getIndexType(), dim);
}

OpFoldResult mlir::tfc::getDimSize(OpBuilder &builder, Location loc, DimExprAttr dim) {
  if (std::optional<int64_t> value = dim.getConstant())
    return builder.getIndexAttr(*value);
  return materializeDim(builder, loc, dim);
}

namespace {
/// Emits one expression; a null value stands for a symbol that nobody knows.
class DimEmitter {
public:
  DimEmitter(OpBuilder &builder, Location loc, llvm::function_ref<Value(StringAttr)> symbolValue)
      : builder(builder), loc(loc), symbolValue(symbolValue) {}

  Value emit(DimExprAttr dim) {
    Value sum;
    for (auto [coefficient, monomial] : llvm::zip_equal(dim.getCoefficients(), dim.getMonomials())) {
      Value term = emitTerm(coefficient, monomial);
      if (!term)
        return nullptr;
      sum = sum ? arith::AddIOp::create(builder, loc, sum, term).getResult() : term;
    }
    return sum ? sum : constant(0);
  }

private:
  Value constant(int64_t value) { return arith::ConstantIndexOp::create(builder, loc, value); }

  Value compare(CmpIPredicate predicate, Value a, Value b) {
    return arith::CmpIOp::create(builder, loc, predicate, a, b);
  }
  Value select(Value condition, Value a, Value b) {
    return arith::SelectOp::create(builder, loc, condition, a, b);
  }

  Value emitTerm(int64_t coefficient, ArrayAttr monomial) {
    Value product;
    for (Attribute atom : monomial) {
      Value value =
          isa<StringAttr>(atom) ? symbolValue(cast<StringAttr>(atom)) : emitCall(cast<DimCallAttr>(atom));
      if (!value)
        return nullptr;
      product = product ? arith::MulIOp::create(builder, loc, product, value).getResult() : value;
    }
    if (!product)
      return constant(coefficient);
    return coefficient == 1 ? product
                            : arith::MulIOp::create(builder, loc, product, constant(coefficient)).getResult();
  }

  Value emitCall(DimCallAttr call) {
    Value a = emit(call.getLhs());
    Value b = emit(call.getRhs());
    if (!a || !b)
      return nullptr;
    switch (call.getKind()) {
    case DimCallKind::FloorDiv:
      return emitDivision(a, b, /*remainder=*/false);
    case DimCallKind::Mod:
      return emitDivision(a, b, /*remainder=*/true);
    case DimCallKind::Min:
      return arith::MinSIOp::create(builder, loc, a, b);
    case DimCallKind::Max:
      return arith::MaxSIOp::create(builder, loc, a, b);
    case DimCallKind::Broadcast:
      return select(compare(CmpIPredicate::eq, a, constant(1)), b, a);
    case DimCallKind::Wrap:
      return select(compare(CmpIPredicate::slt, a, constant(0)), arith::AddIOp::create(builder, loc, a, b),
                    a);
    }
    return nullptr;
  }

  /// Floor division or its remainder, 0 for a divisor of 0. Written out, since arith.floordivsi needs a pass
  /// of its own.
  Value emitDivision(Value a, Value b, bool remainder) {
    Value zero = constant(0);
    Value isZero = compare(CmpIPredicate::eq, b, zero);
    Value divisor = select(isZero, constant(1), b);
    Value rest = arith::RemSIOp::create(builder, loc, a, divisor);
    Value signsDiffer =
        compare(CmpIPredicate::slt, arith::XOrIOp::create(builder, loc, rest, divisor).getResult(), zero);
    Value inexact = compare(CmpIPredicate::ne, rest, zero);
    Value adjust = arith::AndIOp::create(builder, loc, signsDiffer, inexact);
    Value result;
    if (remainder) {
      result = select(adjust, arith::AddIOp::create(builder, loc, rest, divisor), rest);
    } else {
      Value quotient = arith::DivSIOp::create(builder, loc, a, divisor);
      result = select(adjust, arith::SubIOp::create(builder, loc, quotient, constant(1)), quotient);
    }
    return select(isZero, zero, result);
  }

  OpBuilder &builder;
  Location loc;
  llvm::function_ref<Value(StringAttr)> symbolValue;
};
} // namespace

Value mlir::tfc::emitDimExpr(OpBuilder &builder, Location loc, DimExprAttr dim,
                             llvm::function_ref<Value(StringAttr)> symbolValue) {
  return DimEmitter(builder, loc, symbolValue).emit(dim);
}
