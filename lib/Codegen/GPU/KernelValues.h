//===- KernelValues.h - Values of a GPU kernel ---------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// Thin handles of SSA values, so that kernels read like the formulas they are. Arithmetic folds constants as
// it is written.
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_CODEGEN_GPU_KERNELVALUES_H
#define TFC_LIB_CODEGEN_GPU_KERNELVALUES_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::tfc {

/// What all handles share: the value, and the builder that writes what is done with it.
struct KernelValue {
  ImplicitLocOpBuilder *b = nullptr;
  Value v;

  explicit operator bool() const { return static_cast<bool>(v); }
};

struct Bool : KernelValue {
  Bool() = default;
  Bool(ImplicitLocOpBuilder &builder, Value value) : KernelValue{&builder, value} {}
  Bool operator&(Bool other) const { return {*b, b->createOrFold<arith::AndIOp>(v, other.v)}; }
  Bool operator|(Bool other) const { return {*b, b->createOrFold<arith::OrIOp>(v, other.v)}; }
  Bool operator!() const {
    return {*b, b->createOrFold<arith::XOrIOp>(v, arith::ConstantOp::create(*b, b->getBoolAttr(true)))};
  }
};

/// An index or a count. Division and remainder are of numbers that are not negative.
template <typename Derived, unsigned Width> struct KernelInteger : KernelValue {
  KernelInteger() = default;
  KernelInteger(ImplicitLocOpBuilder &builder, Value value) : KernelValue{&builder, value} {}
  KernelInteger(ImplicitLocOpBuilder &builder, int64_t value)
      : KernelValue{&builder, arith::ConstantOp::create(
                                  builder, builder.getIntegerAttr(builder.getIntegerType(Width), value))} {}

  Derived operator+(Derived o) const { return make<arith::AddIOp>(o); }
  Derived operator-(Derived o) const { return make<arith::SubIOp>(o); }
  Derived operator*(Derived o) const { return make<arith::MulIOp>(o); }
  Derived operator/(Derived o) const { return make<arith::DivUIOp>(o); }
  Derived operator%(Derived o) const { return make<arith::RemUIOp>(o); }
  Derived operator&(Derived o) const { return make<arith::AndIOp>(o); }
  Derived operator^(Derived o) const { return make<arith::XOrIOp>(o); }
  Derived operator|(Derived o) const { return make<arith::OrIOp>(o); }
  Derived operator<<(Derived o) const { return make<arith::ShLIOp>(o); }
  Derived operator>>(Derived o) const { return make<arith::ShRUIOp>(o); }
  Derived operator+(int64_t o) const { return *this + like(o); }
  Derived operator-(int64_t o) const { return *this - like(o); }
  Derived operator*(int64_t o) const { return *this * like(o); }
  Derived operator/(int64_t o) const { return *this / like(o); }
  Derived operator%(int64_t o) const { return *this % like(o); }
  Derived operator&(int64_t o) const { return *this & like(o); }
  Derived operator^(int64_t o) const { return *this ^ like(o); }
  Derived operator<<(int64_t o) const { return *this << like(o); }
  Derived operator>>(int64_t o) const { return *this >> like(o); }
  Bool operator<(Derived o) const { return compare(arith::CmpIPredicate::slt, o); }
  Bool operator<=(Derived o) const { return compare(arith::CmpIPredicate::sle, o); }
  Bool operator>=(Derived o) const { return compare(arith::CmpIPredicate::sge, o); }
  Bool operator==(Derived o) const { return compare(arith::CmpIPredicate::eq, o); }
  Bool operator<(int64_t o) const { return *this < like(o); }
  Bool operator>=(int64_t o) const { return *this >= like(o); }
  Bool operator==(int64_t o) const { return *this == like(o); }
  Derived min(Derived o) const { return make<arith::MinSIOp>(o); }
  Derived max(Derived o) const { return make<arith::MaxSIOp>(o); }
  Derived ceilDiv(int64_t o) const { return (*this + (o - 1)) / o; }
  Derived like(int64_t value) const { return {*b, value}; }

private:
  template <typename Op> Derived make(Derived o) const { return {*b, b->createOrFold<Op>(v, o.v)}; }
  Bool compare(arith::CmpIPredicate predicate, Derived o) const {
    return {*b, b->createOrFold<arith::CmpIOp>(predicate, v, o.v)};
  }
};

struct I64 : KernelInteger<I64, 64> {
  using KernelInteger::KernelInteger;
};
/// Most indices: 32 bits are cheaper on a GPU.
struct I32 : KernelInteger<I32, 32> {
  using KernelInteger::KernelInteger;
  /// Sign-extended.
  I64 wide() const { return {*b, b->createOrFold<arith::ExtSIOp>(b->getI64Type(), v)}; }
};

/// Sums and products carry `contract`: a product that feeds a sum becomes one instruction.
struct F32 : KernelValue {
  F32() = default;
  F32(ImplicitLocOpBuilder &builder, Value value) : KernelValue{&builder, value} {}
  F32(ImplicitLocOpBuilder &builder, double value)
      : KernelValue{&builder, arith::ConstantOp::create(builder, builder.getF32FloatAttr(value))} {}

  F32 operator+(F32 o) const { return make<arith::AddFOp>(o); }
  F32 operator-(F32 o) const { return make<arith::SubFOp>(o); }
  F32 operator*(F32 o) const { return make<arith::MulFOp>(o); }
  F32 operator/(F32 o) const { return {*b, arith::DivFOp::create(*b, v, o.v)}; }
  F32 operator-() const { return {*b, arith::NegFOp::create(*b, v)}; }
  Bool operator<(F32 o) const { return compare(arith::CmpFPredicate::OLT, o); }
  Bool operator==(F32 o) const { return compare(arith::CmpFPredicate::OEQ, o); }
  F32 like(double value) const { return {*b, value}; }

private:
  template <typename Op> F32 make(F32 o) const {
    return {*b, Op::create(*b, v, o.v,
                           arith::FastMathFlagsAttr::get(b->getContext(), arith::FastMathFlags::contract))};
  }
  Bool compare(arith::CmpFPredicate predicate, F32 o) const {
    return {*b, arith::CmpFOp::create(*b, predicate, v, o.v)};
  }
};

/// Memory. `element` is what it holds, in the form it has there.
struct GlobalPointer : KernelValue {
  Type element;
  bool isWeight = false; ///< Nothing that runs writes to it.
  GlobalPointer() = default;
  GlobalPointer(ImplicitLocOpBuilder &builder, Value value, Type element, bool isWeight = false)
      : KernelValue{&builder, value}, element(element), isWeight(isWeight) {}
  GlobalPointer operator+(I64 offset) const;
  GlobalPointer operator+(I32 offset) const { return *this + offset.wide(); }
};
/// Offsets are in bytes.
struct SharedPointer : KernelValue {
  SharedPointer() = default;
  SharedPointer(ImplicitLocOpBuilder &builder, Value value) : KernelValue{&builder, value} {}
  SharedPointer operator+(I32 bytes) const;
  SharedPointer operator+(int64_t bytes) const { return bytes == 0 ? *this : *this + I32(*b, bytes); }
};

template <typename T> T select(Bool condition, T x, T y) {
  T result = x;
  result.v = x.b->template createOrFold<arith::SelectOp>(condition.v, x.v, y.v);
  return result;
}

} // namespace mlir::tfc

#endif // TFC_LIB_CODEGEN_GPU_KERNELVALUES_H
