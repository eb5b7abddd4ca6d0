//===- VectorEmitter.h - Writing scf and vector ops tersely ---------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// What the generators of micro-kernels share: index arithmetic that folds as it is written, f32 vectors of one width, and
// buffers as unbounded 1-D views with offsets in elements.
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_CODEGEN_CPU_VECTOREMITTER_H
#define TFC_LIB_CODEGEN_CPU_VECTOREMITTER_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Builders.h"

namespace mlir::tfc {

class VectorEmitter {
public:
  VectorEmitter(OpBuilder &builder, Location loc, int64_t lanes);

  OpBuilder &b;
  Location loc;
  int64_t lanes;
  VectorType vectorType, maskType;

  // Index arithmetic. Constants fold, x + 0 and x * 1 are x.
  Value index(int64_t value);
  Value add(Value x, Value y);
  Value add(Value x, int64_t y) { return add(x, index(y)); }
  Value sub(Value x, Value y);
  Value mul(Value x, Value y);
  Value mul(Value x, int64_t y) { return mul(x, index(y)); }
  Value div(Value x, Value y);
  Value rem(Value x, Value y);
  Value min(Value x, Value y);
  Value max(Value x, Value y);
  Value ceilDiv(Value x, int64_t y);
  Value select(Value condition, Value x, Value y);
  Value truth(bool value);
  Value lessEqual(Value x, Value y);
  Value equal(Value x, Value y);

  // Control flow.
  using LoopBody = function_ref<SmallVector<Value>(Value iv, ValueRange carried)>;
  SmallVector<Value> loop(Value from, Value to, int64_t step, ValueRange init, LoopBody body);
  void loop(Value from, Value to, int64_t step, function_ref<void(Value)> body);
  void branch(Value condition, function_ref<void()> then, function_ref<void()> otherwise);
  Value branchValue(Value condition, function_ref<Value()> then, function_ref<Value()> otherwise);
  /// Runs the case whose number `selector` is; none of them where there is no such case.
  void choose(Value selector, ArrayRef<int64_t> cases, function_ref<void(int64_t)> body);

  // Memory: `buffer` is a view made by bufferOf. Vectors are of f32 whatever 16-bit float a buffer holds.
  Value bufferOf(Value pointer) { return bufferOf(pointer, b.getF32Type()); }
  Value bufferOf(Value pointer, Type element);
  Value load(Value buffer, Value offset);
  Value maskedLoad(Value buffer, Value offset, Value mask);
  void store(Value vector, Value buffer, Value offset);
  void maskedStore(Value vector, Value buffer, Value offset, Value mask);
  Value loadScalar(Value buffer, Value offset);
  void storeScalar(Value scalar, Value buffer, Value offset);
  Value loadScalarToLanes(Value buffer, Value offset);
  /// Asks for the cache line at the offset, to be in the second cache soon, or in the `nearest`.
  void prefetch(Value buffer, Value offset, bool nearest = false);

  Value zeros() { return splat(0); }
  Value splat(float value);
  Value scalar(float value);
  Value toLanes(Value scalar);
  /// Lanes [0, count); none where count is negative, all where it exceeds the lanes.
  Value mask(Value count);
  /// x * y + z, rounded once where `fused`.
  Value multiplyAdd(Value x, Value y, Value z, bool fused);
  Value addf(Value x, Value y);
  Value subf(Value x, Value y);
  Value mulf(Value x, Value y);
  Value divf(Value x, Value y);
  Value compare(arith::CmpFPredicate predicate, Value x, Value y);
  /// The larger of two; a NaN in y is kept, one in x is not.
  Value larger(Value x, Value y);
  /// e^x for x <= 0, and NaN for NaN; 0 where e^x is no normal number. Errors stay below 2e-7 + 4e-8 * |x| of
  /// the result.
  Value expOfNonPositive(Value x, bool fused);
  /// 1 / sum; with `zeroOfZero`, 0 where the sum is 0.
  Value inverseOfSum(Value sum, bool zeroOfZero);
  /// Lane i of the result is the sum of the lanes of row i. Takes `lanes` vectors.
  Value sumOfLanes(ArrayRef<Value> rows);
  /// Lane i of result j is lane j of row i. Takes and gives `lanes` vectors; lanes is 4, 8 or 16.
  SmallVector<Value> transpose(ArrayRef<Value> rows);

private:
  VectorType vectorOf(Value buffer) const;
  Value widen(Value vector);
  Value shuffle(Value x, Value y, ArrayRef<int64_t> mask);
};

} // namespace mlir::tfc

#endif // TFC_LIB_CODEGEN_CPU_VECTOREMITTER_H
