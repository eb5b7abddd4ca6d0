//===- EmitElementwise.cpp - What an elementwise op means on scalars -------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Conversion/TfcToLinalg/EmitElementwise.h"

#include "EmitScalar.h"

#include "tfc/Conversion/TfcToLinalg/ElementTypes.h"
#include "tfc/Dialect/Tfc/IR/TfcOps.h"

#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::tfc;

/// Ops of one float: `x` is in compute form, so is the result. Null for ops that are none.
static Value emitFloatUnary(ScalarEmitter &e, Operation *op, Value x) {
  return TypeSwitch<Operation *, Value>(op)
      .Case<AbsOp>([&](auto) { return e.create<math::AbsFOp>(x); })
      .Case<NegOp>([&](auto) { return e.create<arith::NegFOp>(x); })
      .Case<CeilOp>([&](auto) { return e.create<math::CeilOp>(x); })
      .Case<FloorOp>([&](auto) { return e.create<math::FloorOp>(x); })
      .Case<RoundOp>([&](auto) { return e.create<math::RoundEvenOp>(x); })
      .Case<ExpOp>([&](auto) { return e.create<math::ExpOp>(x); })
      .Case<LogOp>([&](auto) { return e.create<math::LogOp>(x); })
      .Case<SqrtOp>([&](auto) { return e.create<math::SqrtOp>(x); })
      .Case<SinOp>([&](auto) { return e.create<math::SinOp>(x); })
      .Case<CosOp>([&](auto) { return e.create<math::CosOp>(x); })
      .Case<TanOp>([&](auto) { return e.create<math::TanOp>(x); })
      .Case<TanhOp>([&](auto) { return e.create<math::TanhOp>(x); })
      .Case<ErfOp>([&](auto) { return e.create<math::ErfOp>(x); })
      .Case<ReciprocalOp>([&](auto) { return e.create<arith::DivFOp>(e.like(x, 1), x); })
      .Case<SigmoidOp>([&](auto) { return emitSigmoid(e, x); })
      .Case<SiluOp>([&](auto) { return e.create<arith::MulFOp>(x, emitSigmoid(e, x)); })
      .Case<SignOp>([&](auto) { return emitFloatSign(e, x); })
      // The comparison is false for NaN, which stays.
      .Case<ReluOp>([&](auto) { return e.select(e.less(x, e.like(x, 0)), e.like(x, 0), x); })
      .Case<GeluOp>([&](GeluOp gelu) { return emitGelu(e, gelu.getKind(), x); })
      .Default([](Operation *) { return Value(); });
}

static Value emitIntegerUnary(ScalarEmitter &e, Operation *op, Value x, bool isUnsigned) {
  Value zero = e.like(x, 0);
  auto negated = [&] { return e.create<arith::SubIOp>(zero, x); };
  auto isNegative = [&] { return e.compare(arith::CmpIPredicate::slt, x, zero); };
  return TypeSwitch<Operation *, Value>(op)
      .Case<AbsOp>([&](auto) { return isUnsigned ? x : e.select(isNegative(), negated(), x); })
      .Case<NegOp>([&](auto) { return negated(); })
      .Case<SignOp>([&](auto) {
        Value positive = e.select(e.compare(arith::CmpIPredicate::ne, x, zero), e.like(x, 1), zero);
        return isUnsigned ? positive : e.select(isNegative(), e.like(x, -1), positive);
      })
      .Case<ReluOp>([&](auto) { return isUnsigned ? x : e.select(isNegative(), zero, x); })
      .Case<NotOp>([&](auto) { return e.create<arith::XOrIOp>(x, e.allOnes(x)); })
      .Default([](Operation *) { return Value(); });
}

static Value emitFloatBinary(ScalarEmitter &e, Operation *op, Value x, Value y) {
  return TypeSwitch<Operation *, Value>(op)
      .Case<AddOp>([&](auto) { return e.create<arith::AddFOp>(x, y); })
      .Case<SubOp>([&](auto) { return e.create<arith::SubFOp>(x, y); })
      .Case<MulOp>([&](auto) { return e.create<arith::MulFOp>(x, y); })
      .Case<DivOp>([&](auto) { return e.create<arith::DivFOp>(x, y); })
      .Case<ModOp>([&](ModOp mod) { return emitFloatMod(e, x, y, mod.getFmod()); })
      .Case<PowOp>([&](auto) { return e.create<math::PowFOp>(x, y); })
      .Case<MinOp>([&](auto) { return emitMinimum(e.builder, e.loc, x, y); })
      .Case<MaxOp>([&](auto) { return emitMaximum(e.builder, e.loc, x, y); })
      .Default([](Operation *) { return Value(); });
}

static Value emitIntegerBinary(ScalarEmitter &e, Operation *op, Value x, Value y, bool isUnsigned) {
  return TypeSwitch<Operation *, Value>(op)
      .Case<AddOp>([&](auto) { return e.create<arith::AddIOp>(x, y); })
      .Case<SubOp>([&](auto) { return e.create<arith::SubIOp>(x, y); })
      .Case<MulOp>([&](auto) { return e.create<arith::MulIOp>(x, y); })
      .Case<DivOp>([&](auto) { return emitIntegerDiv(e, x, y, isUnsigned); })
      .Case<ModOp>([&](ModOp mod) { return emitIntegerMod(e, x, y, isUnsigned, mod.getFmod()); })
      .Case<PowOp>([&](auto) { return emitIntegerPow(e, x, y, isUnsigned); })
      .Case<MinOp>(
          [&](auto) { return isUnsigned ? e.create<arith::MinUIOp>(x, y) : e.create<arith::MinSIOp>(x, y); })
      .Case<MaxOp>(
          [&](auto) { return isUnsigned ? e.create<arith::MaxUIOp>(x, y) : e.create<arith::MaxSIOp>(x, y); })
      .Case<AndOp>([&](auto) { return e.create<arith::AndIOp>(x, y); })
      .Case<OrOp>([&](auto) { return e.create<arith::OrIOp>(x, y); })
      .Case<XorOp>([&](auto) { return e.create<arith::XOrIOp>(x, y); })
      .Default([](Operation *) { return Value(); });
}

static Value emitCompare(ScalarEmitter &e, CompareKind kind, Value x, Value y, bool isUnsigned) {
  using F = arith::CmpFPredicate;
  using I = arith::CmpIPredicate;
  auto compare = [&](F ofFloat, I ofSigned, I ofUnsigned) {
    return isa<FloatType>(x.getType()) ? e.compare(ofFloat, x, y)
                                       : e.compare(isUnsigned ? ofUnsigned : ofSigned, x, y);
  };
  switch (kind) {
  case CompareKind::Eq:
    return compare(F::OEQ, I::eq, I::eq);
  case CompareKind::Ne:
    return compare(F::UNE, I::ne, I::ne);
  case CompareKind::Lt:
    return compare(F::OLT, I::slt, I::ult);
  case CompareKind::Le:
    return compare(F::OLE, I::sle, I::ule);
  case CompareKind::Gt:
    return compare(F::OGT, I::sgt, I::ugt);
  case CompareKind::Ge:
    return compare(F::OGE, I::sge, I::uge);
  }
  return nullptr;
}

/// is_nan and is_inf.
static Value emitPredicate(ScalarEmitter &e, Operation *op, Value x) {
  using F = arith::CmpFPredicate;
  if (isa<IsNanOp>(op))
    return e.compare(F::UNO, x, x);
  auto isInf = dyn_cast<IsInfOp>(op);
  if (!isInf)
    return nullptr;
  Value result = e.boolean(false);
  if (isInf.getPositive())
    result = e.create<arith::OrIOp>(result, e.compare(F::OEQ, x, e.like(x, INFINITY)));
  if (isInf.getNegative())
    result = e.create<arith::OrIOp>(result, e.compare(F::OEQ, x, e.like(x, -INFINITY)));
  return result;
}

bool mlir::tfc::emitsOnVectors(Operation *op) {
  auto isF32 = [](Value value) { return getElementTypeOrSelf(value.getType()).isF32(); };
  return isa<AddOp, SubOp, MulOp, DivOp, MinOp, MaxOp, AbsOp, NegOp, CeilOp, FloorOp, RoundOp, ExpOp, LogOp,
             SqrtOp, SinOp, CosOp, TanhOp, ErfOp, ReciprocalOp, SigmoidOp, SiluOp, SignOp, ReluOp, GeluOp>(
             op) &&
         llvm::all_of(op->getOperands(), isF32) && llvm::all_of(op->getResults(), isF32);
}

FailureOr<Value> mlir::tfc::emitElementwise(OpBuilder &builder, Location loc, Operation *op,
                                            ValueRange scalars) {
  if (!isa<ElementwiseOpInterface>(op) || scalars.size() != op->getNumOperands() || op->getNumResults() != 1)
    return failure();
  ScalarEmitter e(builder, loc);
  Type resultType = getElementTypeOrSelf(op->getResult(0).getType());
  Type operandType = getElementTypeOrSelf(op->getOperand(0).getType());
  if (auto cast = dyn_cast<CastOp>(op))
    return emitCast(builder, loc, scalars[0], operandType, resultType, cast.getSaturate());
  if (isa<SelectOp>(op))
    return e.select(scalars[0], scalars[1], scalars[2]);

  SmallVector<Value> values;
  for (Value scalar : scalars)
    values.push_back(toCompute(builder, loc, scalar));
  bool isFloat = isa<FloatType>(operandType);
  // Bools compare as 0 and 1.
  bool isUnsigned = operandType.isUnsignedInteger() || operandType.isInteger(1);
  Value result;
  if (auto compare = dyn_cast<CompareOp>(op))
    result = emitCompare(e, compare.getKind(), values[0], values[1], isUnsigned);
  else if (isa<IsNanOp, IsInfOp>(op))
    result = emitPredicate(e, op, values[0]);
  else if (values.size() == 1)
    result = isFloat ? emitFloatUnary(e, op, values[0]) : emitIntegerUnary(e, op, values[0], isUnsigned);
  else if (values.size() == 2)
    result = isFloat ? emitFloatBinary(e, op, values[0], values[1])
                     : emitIntegerBinary(e, op, values[0], values[1], isUnsigned);
  if (!result)
    return failure();
  return fromCompute(builder, loc, result, resultType);
}
