//===- ExpandGPUMath.cpp - Math functions as instructions of the GPU -----------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// f32 functions and their greatest errors, relative, over the whole range (the instruction's own error as the
// PTX ISA states it):
//
//   exp         2^-21.9: ex2.approx and a correction for what the product with log2(e) rounds off
//   exp2        2^-22: ex2.approx
//   rsqrt       2^-22.9: rsqrt.approx
//   log         0.8 ULP, tanh 2^-21, erf 2^-21: the polynomials of PolynomialMath with the exp above
//   sin, cos    1.6 ULP: those of PolynomialMath
//   tan         their quotient
//   powf        2^-21: the logarithm is taken in f64
//   tanh (afn)  2^-11: tanh.approx; only what is rounded to 16 bits next is marked so
//
// NaN gives NaN, and the ends of the range are those of the C library.
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Codegen/Common/PolynomialMath.h"
#include "tfc/Codegen/GPU/Passes.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

namespace mlir::tfc {
#define GEN_PASS_DEF_EXPANDGPUMATH
#include "tfc/Codegen/GPU/Passes.h.inc"
} // namespace mlir::tfc

using namespace mlir;
using namespace mlir::tfc;
using arith::CmpFPredicate;

namespace {
class GpuMath : public PolynomialMath {
public:
  explicit GpuMath(Operation *op) : PolynomialMath(op) { f64 = b.getF64Type(); }

  Value exp(Value x) override;
  Value exp2(Value x) { return approximate("llvm.nvvm.ex2.approx.f32", x); }
  Value rsqrt(Value x) { return approximate("llvm.nvvm.rsqrt.approx.f", x); }
  Value tanhApprox(Value x) {
    return LLVM::InlineAsmOp::create(b, loc, type, ValueRange{x}, b.getStringAttr("tanh.approx.f32 $0, $1;"),
                                     b.getStringAttr("=f,f"), UnitAttr(), UnitAttr(),
                                     LLVM::TailCallKindAttr::get(b.getContext(), LLVM::TailCallKind::None),
                                     LLVM::AsmDialectAttr(), ArrayAttr())
        .getResult(0);
  }
  Value tan(Value x) { return div(sin(x), cos(x)); }
  Value pow(Value x, Value y);

private:
  Value approximate(StringRef intrinsic, Value x) {
    return LLVM::CallIntrinsicOp::create(b, loc, type, b.getStringAttr(intrinsic), ValueRange{x})
        .getResult(0);
  }
  Value twice(double value) { return arith::ConstantOp::create(b, loc, b.getF64FloatAttr(value)); }
  Value widen(Value x) { return arith::ExtFOp::create(b, loc, f64, x); }
  Value narrow(Value x) { return arith::TruncFOp::create(b, loc, type, x); }
  Value fused(Value x, Value y, Value z) { return math::FmaOp::create(b, loc, x, y, z); }
  Value nearest(Value x) { return math::RoundEvenOp::create(b, loc, x); }
  Value compare(CmpFPredicate predicate, Value x, Value y) {
    return arith::CmpFOp::create(b, loc, predicate, x, y);
  }
  Value equal(Value x, Value y) { return compare(CmpFPredicate::OEQ, x, y); }
  Value both(Value x, Value y) { return arith::AndIOp::create(b, loc, x, y); }
  Value log2Wide(Value x);
  Value exp2Wide(Value t);

  Type f64;
};
} // namespace

Value GpuMath::exp(Value x) {
  // Beyond these the result is inf or 0 anyway, and what follows stays finite.
  x = atLeast(atMost(x, 89.0f), -104.0f);
  Value log2e = real(1.44269504f);
  Value high = mul(x, log2e);
  // What the product rounded off, and what log2(e) has behind its 24 bits.
  Value low = fused(x, log2e, sub(real(-0.0f), high));
  low = fused(x, real(1.92596299e-8f), low);
  return mul(exp2(high), fused(low, real(0.69314718f), real(1)));
}

/// log2 of a positive finite f64, to about 2^-45.
Value GpuMath::log2Wide(Value x) {
  Type i64 = b.getI64Type();
  auto integer64 = [&](int64_t value) {
    return arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(value));
  };
  Value bits = arith::BitcastOp::create(b, loc, i64, x);
  // x = m * 2^e with m in [sqrt(1/2), sqrt(2)), as in the logarithm of f32.
  Value offset = isub(bits, integer64(0x3FE6A09E667F3BCD));
  Value exponent = arith::ShRSIOp::create(b, loc, offset, integer64(52));
  Value mantissa = arith::BitcastOp::create(
      b, loc, f64, isub(bits, arith::ShLIOp::create(b, loc, exponent, integer64(52))));
  Value e = arith::SIToFPOp::create(b, loc, f64, exponent);
  // log(m) = 2 * atanh(s), s = (m - 1) / (m + 1), |s| < 0.172.
  Value s = div(sub(mantissa, twice(1)), add(mantissa, twice(1)));
  Value square = mul(s, s);
  Value sum = twice(1.0 / 17);
  for (int odd = 15; odd > 0; odd -= 2)
    sum = fused(sum, square, twice(1.0 / odd));
  return fused(mul(s, sum), twice(2.88539008177792681472), e);
}

/// 2^t as f32.
Value GpuMath::exp2Wide(Value t) {
  Value bounded = select(compare(CmpFPredicate::OGT, t, twice(200)), twice(200), t);
  bounded = select(compare(CmpFPredicate::OLT, bounded, twice(-200)), twice(-200), bounded);
  Value n = nearest(bounded);
  Value power = arith::FPToSIOp::create(b, loc, b.getI32Type(), n);
  Value part = exp2(narrow(sub(bounded, n)));
  // In two factors, so that results at both ends of the range are rounded once.
  Value half = arith::ShRSIOp::create(b, loc, power, integer(1));
  auto scale = [&](Value k) {
    return toReal(arith::ShLIOp::create(b, loc, iadd(k, integer(127)), integer(23)));
  };
  return mul(mul(part, scale(half)), scale(isub(power, half)));
}

Value GpuMath::pow(Value x, Value y) {
  const double inf = std::numeric_limits<double>::infinity();
  Value magnitude = widen(math::AbsFOp::create(b, loc, x));
  Value log = log2Wide(magnitude);
  log = select(equal(magnitude, twice(0)), twice(-inf), log);
  log = select(equal(magnitude, twice(inf)), twice(inf), log);
  log = select(compare(CmpFPredicate::UNO, magnitude, magnitude), magnitude, log);
  Value result = exp2Wide(mul(widen(y), log));

  // y is whole when rounding leaves it, and odd when half of it is not whole.
  Value half = mul(y, real(0.5f));
  Value whole = equal(nearest(y), y);
  Value odd = both(whole, compare(CmpFPredicate::UNE, nearest(half), half));
  Value sign = arith::ShRUIOp::create(b, loc, toInt(x), integer(31));
  Value negative = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, sign, integer(0));
  result = select(both(negative, odd), arith::NegFOp::create(b, loc, result), result);
  // A negative number has powers at whole exponents only; -0 and -inf have all of them.
  float infinity = std::numeric_limits<float>::infinity();
  Value ordinary = both(less(x, real(0)), less(real(-infinity), x));
  Value finite = less(math::AbsFOp::create(b, loc, y), real(infinity));
  Value notWhole = both(both(ordinary, finite), compare(CmpFPredicate::UNE, nearest(y), y));
  result = select(notWhole, real(std::numeric_limits<float>::quiet_NaN()), result);
  Value minusOne = both(equal(x, real(-1)), equal(math::AbsFOp::create(b, loc, y), real(infinity)));
  Value one = arith::OrIOp::create(b, loc, equal(x, real(1)), equal(y, real(0)));
  return select(arith::OrIOp::create(b, loc, one, minusOne), real(1), result);
}

/// Null for functions that stay.
static Value expand(Operation *op) {
  GpuMath math(op);
  Value x = op->getOperand(0);
  if (isa<math::ExpOp>(op))
    return math.exp(x);
  if (isa<math::Exp2Op>(op))
    return math.exp2(x);
  if (isa<math::LogOp>(op))
    return math.log(x);
  if (auto tanh = dyn_cast<math::TanhOp>(op))
    return bitEnumContainsAll(tanh.getFastmath(), arith::FastMathFlags::afn) ? math.tanhApprox(x)
                                                                             : math.tanh(x);
  if (isa<math::ErfOp>(op))
    return math.erf(x);
  if (isa<math::RsqrtOp>(op))
    return math.rsqrt(x);
  if (isa<math::SinOp>(op))
    return math.sin(x);
  if (isa<math::CosOp>(op))
    return math.cos(x);
  if (isa<math::PowFOp>(op))
    return math.pow(x, op->getOperand(1));
  if (isa<math::TanOp>(op))
    return math.tan(x);
  return {};
}

namespace {
struct ExpandGPUMath : mlir::tfc::impl::ExpandGPUMathBase<ExpandGPUMath> {
  void runOnOperation() override {
    SmallVector<Operation *> ops;
    getOperation().walk([&](Operation *op) {
      if (isa_and_nonnull<math::MathDialect>(op->getDialect()) && op->getNumResults() == 1 &&
          op->getResult(0).getType().isF32())
        ops.push_back(op);
    });
    for (Operation *op : ops)
      if (Value value = expand(op)) {
        op->getResult(0).replaceAllUsesWith(value);
        op->erase();
      }
  }
};
} // namespace
