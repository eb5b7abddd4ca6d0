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
// NaN gives NaN, and the ends of the range are those of the C library. Those of f64 stand in WideMath.cpp and
// WideTrigonometry.cpp, remainders of both in Remainder.cpp.
//
//===----------------------------------------------------------------------------------------------===//

#include "WideMath.h"

#include "tfc/Codegen/Common/PolynomialMath.h"
#include "tfc/Codegen/GPU/Passes.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

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
  explicit GpuMath(Operation *op) : PolynomialMath(op) {
    auto tanh = dyn_cast<math::TanhOp>(op);
    isApproximate = tanh && bitEnumContainsAll(tanh.getFastmath(), arith::FastMathFlags::afn);
    f64 = b.getF64Type();
  }

  Value exp(Value x) override;
  Value exp2(Value x) { return approximate("llvm.nvvm.ex2.approx.f32", x); }
  Value rsqrt(Value x) { return approximate("llvm.nvvm.rsqrt.approx.f", x); }
  Value tanh(Value x) { return isApproximate ? tanhApprox(x) : PolynomialMath::tanh(x); }
  Value tan(Value x) { return div(sin(x), cos(x)); }
  Value pow(Value x, Value y);

private:
  Value tanhApprox(Value x) {
    return LLVM::InlineAsmOp::create(b, loc, type, ValueRange{x}, b.getStringAttr("tanh.approx.f32 $0, $1;"),
                                     b.getStringAttr("=f,f"), UnitAttr(), UnitAttr(),
                                     LLVM::TailCallKindAttr::get(b.getContext(), LLVM::TailCallKind::None),
                                     LLVM::AsmDialectAttr(), ArrayAttr())
        .getResult(0);
  }
  Value approximate(StringRef intrinsic, Value x) {
    return LLVM::CallIntrinsicOp::create(b, loc, type, b.getStringAttr(intrinsic), ValueRange{x})
        .getResult(0);
  }
  Value twice(double value) { return arith::ConstantOp::create(b, loc, b.getF64FloatAttr(value)); }
  Value widen(Value x) { return arith::ExtFOp::create(b, loc, f64, x); }
  Value narrow(Value x) { return arith::TruncFOp::create(b, loc, type, x); }
  Value log2Wide(Value x);
  Value exp2Wide(Value t);

  Type f64;
  bool isApproximate;
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
  Value size = widen(magnitude(x));
  Value log = log2Wide(size);
  log = select(equal(size, twice(0)), twice(-inf), log);
  log = select(equal(size, twice(inf)), twice(inf), log);
  log = select(compare(CmpFPredicate::UNO, size, size), size, log);
  return completePower(x, y, exp2Wide(mul(widen(y), log)));
}

/// Null for functions that stay.
template <typename Math>
static Value expandFunction(Operation *op) {
  Math math(op);
  Value x = op->getOperand(0);
  if (isa<math::ExpOp>(op))
    return math.exp(x);
  if (isa<math::Exp2Op>(op))
    return math.exp2(x);
  if (isa<math::LogOp>(op))
    return math.log(x);
  if (isa<math::TanhOp>(op))
    return math.tanh(x);
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

static Value expand(Operation *op) {
  // Kernels of the generic road come in the LLVM dialect.
  if (isa<arith::RemFOp, LLVM::FRemOp>(op))
    return emitRemainder(op, op->getOperand(0), op->getOperand(1));
  return op->getResult(0).getType().isF32() ? expandFunction<GpuMath>(op) : expandFunction<WideMath>(op);
}

static bool isFunction(Operation *op) {
  if (op->getNumResults() != 1 || !isa<Float32Type, Float64Type>(op->getResult(0).getType()))
    return false;
  return isa_and_nonnull<math::MathDialect>(op->getDialect()) || isa<arith::RemFOp, LLVM::FRemOp>(op);
}

namespace {
struct ExpandGPUMath : mlir::tfc::impl::ExpandGPUMathBase<ExpandGPUMath> {
  void runOnOperation() override {
    SmallVector<Operation *> ops;
    getOperation().walk([&](Operation *op) {
      if (isFunction(op))
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
