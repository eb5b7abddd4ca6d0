//===- VectorEmitter.cpp - Writing scf and vector ops tersely -------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "VectorEmitter.h"
#include "tfc/Codegen/Loops/KernelFrame.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::tfc;

VectorEmitter::VectorEmitter(OpBuilder &builder, Location loc, int64_t lanes)
    : b(builder), loc(loc), lanes(lanes), vectorType(VectorType::get({lanes}, builder.getF32Type())),
      maskType(VectorType::get({lanes}, builder.getI1Type())) {}

Value VectorEmitter::index(int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); }

Value VectorEmitter::add(Value x, Value y) { return b.createOrFold<arith::AddIOp>(loc, x, y); }
Value VectorEmitter::sub(Value x, Value y) { return b.createOrFold<arith::SubIOp>(loc, x, y); }
Value VectorEmitter::mul(Value x, Value y) { return b.createOrFold<arith::MulIOp>(loc, x, y); }
Value VectorEmitter::div(Value x, Value y) { return b.createOrFold<arith::DivUIOp>(loc, x, y); }
Value VectorEmitter::rem(Value x, Value y) { return b.createOrFold<arith::RemUIOp>(loc, x, y); }
Value VectorEmitter::min(Value x, Value y) { return b.createOrFold<arith::MinSIOp>(loc, x, y); }
Value VectorEmitter::max(Value x, Value y) { return b.createOrFold<arith::MaxSIOp>(loc, x, y); }
Value VectorEmitter::ceilDiv(Value x, int64_t y) { return div(add(x, y - 1), index(y)); }
Value VectorEmitter::select(Value condition, Value x, Value y) {
  return b.createOrFold<arith::SelectOp>(loc, condition, x, y);
}
Value VectorEmitter::truth(bool value) { return arith::ConstantOp::create(b, loc, b.getBoolAttr(value)); }

Value VectorEmitter::lessEqual(Value x, Value y) {
  return b.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::sle, x, y);
}
Value VectorEmitter::equal(Value x, Value y) {
  return b.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::eq, x, y);
}

SmallVector<Value> VectorEmitter::loop(Value from, Value to, int64_t step, ValueRange init, LoopBody body) {
  auto forOp = scf::ForOp::create(b, loc, from, to, index(step), init,
                                  [&](OpBuilder &, Location, Value iv, ValueRange carried) {
                                    // The builder handed in is `b` at the loop's body.
                                    scf::YieldOp::create(b, loc, body(iv, carried));
                                  });
  return SmallVector<Value>(forOp.getResults());
}

void VectorEmitter::loop(Value from, Value to, int64_t step, function_ref<void(Value)> body) {
  loop(from, to, step, ValueRange{}, [&](Value iv, ValueRange) {
    body(iv);
    return SmallVector<Value>{};
  });
}

void VectorEmitter::branch(Value condition, function_ref<void()> then, function_ref<void()> otherwise) {
  scf::IfOp::create(
      b, loc, condition,
      [&](OpBuilder &, Location) {
        then();
        scf::YieldOp::create(b, loc);
      },
      [&](OpBuilder &, Location) {
        otherwise();
        scf::YieldOp::create(b, loc);
      });
}

Value VectorEmitter::branchValue(Value condition, function_ref<Value()> then,
                                 function_ref<Value()> otherwise) {
  auto op = scf::IfOp::create(
      b, loc, condition, [&](OpBuilder &, Location) { scf::YieldOp::create(b, loc, then()); },
      [&](OpBuilder &, Location) { scf::YieldOp::create(b, loc, otherwise()); });
  return op.getResult(0);
}

void VectorEmitter::choose(Value selector, ArrayRef<int64_t> cases, function_ref<void(int64_t)> body) {
  auto op = scf::IndexSwitchOp::create(b, loc, TypeRange{}, selector, cases, cases.size());
  OpBuilder::InsertionGuard guard(b);
  for (auto [number, region] : llvm::zip(cases, op.getCaseRegions())) {
    b.createBlock(&region);
    body(number);
    scf::YieldOp::create(b, loc);
  }
  b.createBlock(&op.getDefaultRegion());
  scf::YieldOp::create(b, loc);
}

Value VectorEmitter::bufferOf(Value pointer, Type element) {
  Value base = memrefOfPointer(b, loc, pointer, element);
  // The length is never read: offsets are bounded by the kernel's own arithmetic.
  OpFoldResult unbounded = index(int64_t(1) << 40), one = b.getIndexAttr(1);
  auto type = MemRefType::get({ShapedType::kDynamic}, element);
  return memref::ReinterpretCastOp::create(b, loc, type, base, b.getIndexAttr(0), ArrayRef<OpFoldResult>{unbounded},
                                           ArrayRef<OpFoldResult>{one});
}

VectorType VectorEmitter::vectorOf(Value buffer) const {
  return VectorType::get({lanes}, cast<MemRefType>(buffer.getType()).getElementType());
}
Value VectorEmitter::widen(Value vector) {
  return vector.getType() == vectorType ? vector : arith::ExtFOp::create(b, loc, vectorType, vector).getResult();
}

Value VectorEmitter::load(Value buffer, Value offset) {
  return widen(vector::LoadOp::create(b, loc, vectorOf(buffer), buffer, ValueRange{offset}));
}
Value VectorEmitter::maskedLoad(Value buffer, Value offset, Value mask) {
  VectorType stored = vectorOf(buffer);
  if (stored == vectorType)
    return vector::MaskedLoadOp::create(b, loc, vectorType, buffer, ValueRange{offset}, mask, zeros());
  Value none = arith::ConstantOp::create(b, loc, DenseElementsAttr::get(stored, FloatAttr::get(stored.getElementType(), 0.0)));
  return widen(vector::MaskedLoadOp::create(b, loc, stored, buffer, ValueRange{offset}, mask, none));
}
void VectorEmitter::store(Value vector, Value buffer, Value offset) {
  vector::StoreOp::create(b, loc, vector, buffer, ValueRange{offset});
}
void VectorEmitter::maskedStore(Value vector, Value buffer, Value offset, Value mask) {
  vector::MaskedStoreOp::create(b, loc, buffer, ValueRange{offset}, mask, vector);
}
Value VectorEmitter::loadScalar(Value buffer, Value offset) {
  return memref::LoadOp::create(b, loc, buffer, ValueRange{offset});
}
void VectorEmitter::storeScalar(Value scalar, Value buffer, Value offset) {
  memref::StoreOp::create(b, loc, scalar, buffer, ValueRange{offset});
}
Value VectorEmitter::loadScalarToLanes(Value buffer, Value offset) {
  Value scalar = loadScalar(buffer, offset);
  bool isWide = scalar.getType() == b.getF32Type() || !isa<FloatType>(scalar.getType());
  return toLanes(isWide ? scalar : arith::ExtFOp::create(b, loc, b.getF32Type(), scalar).getResult());
}

void VectorEmitter::prefetch(Value buffer, Value offset, bool nearest) {
  memref::PrefetchOp::create(b, loc, buffer, ValueRange{offset}, /*isWrite=*/false,
                             /*localityHint=*/nearest ? 3 : 2,
                             /*isDataCache=*/true);
}

Value VectorEmitter::splat(float value) {
  return arith::ConstantOp::create(b, loc, DenseElementsAttr::get(vectorType, value));
}
Value VectorEmitter::scalar(float value) {
  return arith::ConstantOp::create(b, loc, b.getF32FloatAttr(value));
}
Value VectorEmitter::toLanes(Value scalar) {
  return vector::BroadcastOp::create(b, loc, VectorType::get({lanes}, scalar.getType()), scalar);
}
Value VectorEmitter::mask(Value count) { return vector::CreateMaskOp::create(b, loc, maskType, ValueRange{count}); }

Value VectorEmitter::multiplyAdd(Value x, Value y, Value z, bool fused) {
  if (fused)
    return vector::FMAOp::create(b, loc, x, y, z);
  return arith::AddFOp::create(b, loc, z, arith::MulFOp::create(b, loc, x, y));
}

Value VectorEmitter::addf(Value x, Value y) { return arith::AddFOp::create(b, loc, x, y); }
Value VectorEmitter::subf(Value x, Value y) { return arith::SubFOp::create(b, loc, x, y); }
Value VectorEmitter::mulf(Value x, Value y) { return arith::MulFOp::create(b, loc, x, y); }
Value VectorEmitter::divf(Value x, Value y) { return arith::DivFOp::create(b, loc, x, y); }
Value VectorEmitter::compare(arith::CmpFPredicate predicate, Value x, Value y) {
  return arith::CmpFOp::create(b, loc, predicate, x, y);
}
Value VectorEmitter::larger(Value x, Value y) {
  // A comparison and a selection in this order are one instruction of x86.
  return arith::SelectOp::create(b, loc, compare(arith::CmpFPredicate::OGT, x, y), x, y);
}

// e^x = 2^n * 2^f with n the integer nearest to x * log2(e). Adding 1.5 * 2^23 + 127 rounds to an integer and
// leaves n + 127, the exponent field of 2^n, in the low bits of the sum. The polynomial of 2^f on [-1/2, 1/2]
// is the one of least relative error among those of degree 5 with value 1 at 0, so that e^0 is exactly 1.
// Multiplying by 2^n, rather than adding n to the exponent field, keeps a NaN.
Value VectorEmitter::expOfNonPositive(Value x, bool fused) {
  Value log2e = splat(1.44269504f), round = splat(12582912.0f + 127.0f);
  Value shifted = multiplyAdd(x, log2e, round, fused);
  Value n = subf(shifted, round);
  Value f = multiplyAdd(x, log2e, arith::NegFOp::create(b, loc, n), fused);
  Value p = splat(1.326472731e-3f);
  for (float coefficient : {9.671512991e-3f, 5.550733581e-2f, 2.402224243e-1f, 6.931470037e-1f, 1.0f})
    p = multiplyAdd(p, f, splat(coefficient), fused);
  auto integers = VectorType::get({lanes}, b.getI32Type());
  Value bits = arith::BitcastOp::create(b, loc, integers, shifted);
  Value places = arith::ConstantOp::create(b, loc, DenseElementsAttr::get(integers, b.getI32IntegerAttr(23)));
  Value power = arith::BitcastOp::create(b, loc, vectorType, arith::ShLIOp::create(b, loc, bits, places));
  Value tooSmall = compare(arith::CmpFPredicate::OLT, x, splat(-87.3f));
  return arith::SelectOp::create(b, loc, tooSmall, zeros(), mulf(p, power));
}

Value VectorEmitter::inverseOfSum(Value sum, bool zeroOfZero) {
  Value inverse = divf(splat(1), sum);
  if (!zeroOfZero)
    return inverse;
  return arith::SelectOp::create(b, loc, compare(arith::CmpFPredicate::OEQ, sum, zeros()), zeros(), inverse);
}

// Two vectors become one by adding their odd lanes to their even ones: half the lanes belong to the first, half to the second.
// When all have become one, each has one lane left, in order.
Value VectorEmitter::sumOfLanes(ArrayRef<Value> rows) {
  SmallVector<int64_t> even, odd;
  for (int64_t i = 0; i < 2 * lanes; i += 2) {
    even.push_back(i);
    odd.push_back(i + 1);
  }
  SmallVector<Value> sums(rows);
  while (sums.size() > 1) {
    SmallVector<Value> halves;
    for (size_t i = 0; i < sums.size(); i += 2)
      halves.push_back(addf(shuffle(sums[i], sums[i + 1], even), shuffle(sums[i], sums[i + 1], odd)));
    sums = halves;
  }
  return sums.front();
}

Value VectorEmitter::shuffle(Value x, Value y, ArrayRef<int64_t> mask) {
  return vector::ShuffleOp::create(b, loc, x, y, mask);
}

/// The lanes of each 128-bit quarter that a shuffle takes from its two operands, repeated for every quarter.
static SmallVector<int64_t> perQuarter(int64_t lanes, std::array<int64_t, 4> fromX, std::array<bool, 4> isY) {
  SmallVector<int64_t> mask;
  for (int64_t quarter = 0; quarter < lanes / 4; ++quarter)
    for (int i = 0; i < 4; ++i)
      mask.push_back(4 * quarter + fromX[i] + (isY[i] ? lanes : 0));
  return mask;
}

/// Whole quarters of the two operands, counted through both.
static SmallVector<int64_t> quarters(ArrayRef<int64_t> numbers) {
  SmallVector<int64_t> mask;
  for (int64_t number : numbers)
    for (int64_t i = 0; i < 4; ++i)
      mask.push_back(4 * number + i);
  return mask;
}

// The usual network of x86: interleave single elements, then pairs, which transposes every 4x4 block inside the 128-bit
// quarters; then move quarters. Each step is one shuffle instruction per vector.
SmallVector<Value> VectorEmitter::transpose(ArrayRef<Value> rows) {
  int64_t n = lanes;
  auto low = perQuarter(n, {0, 0, 1, 1}, {false, true, false, true});
  auto high = perQuarter(n, {2, 2, 3, 3}, {false, true, false, true});
  auto pairsLow = perQuarter(n, {0, 1, 0, 1}, {false, false, true, true});
  auto pairsHigh = perQuarter(n, {2, 3, 2, 3}, {false, false, true, true});
  SmallVector<Value> t(n), q(n);
  for (int64_t i = 0; i < n / 2; ++i) {
    t[2 * i] = shuffle(rows[2 * i], rows[2 * i + 1], low);
    t[2 * i + 1] = shuffle(rows[2 * i], rows[2 * i + 1], high);
  }
  // Afterwards q[4g + j], quarter l, holds rows 4g..4g+3 of column 4l + j.
  for (int64_t g = 0; g < n; g += 4) {
    q[g] = shuffle(t[g], t[g + 2], pairsLow);
    q[g + 1] = shuffle(t[g], t[g + 2], pairsHigh);
    q[g + 2] = shuffle(t[g + 1], t[g + 3], pairsLow);
    q[g + 3] = shuffle(t[g + 1], t[g + 3], pairsHigh);
  }
  if (n == 4)
    return q;
  SmallVector<Value> columns(n);
  if (n == 8) {
    for (int64_t j = 0; j < 4; ++j) {
      columns[j] = shuffle(q[j], q[4 + j], quarters({0, 2}));
      columns[4 + j] = shuffle(q[j], q[4 + j], quarters({1, 3}));
    }
    return columns;
  }
  auto even = quarters({0, 2, 4, 6}), odd = quarters({1, 3, 5, 7});
  for (int64_t j = 0; j < 4; ++j) {
    Value a = shuffle(q[j], q[4 + j], even), c = shuffle(q[j], q[4 + j], odd);
    Value d = shuffle(q[8 + j], q[12 + j], even), f = shuffle(q[8 + j], q[12 + j], odd);
    columns[j] = shuffle(a, d, even);
    columns[8 + j] = shuffle(a, d, odd);
    columns[4 + j] = shuffle(c, f, even);
    columns[12 + j] = shuffle(c, f, odd);
  }
  return columns;
}
