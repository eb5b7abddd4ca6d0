//===- KernelWarp.cpp - What the lanes of a warp do together -------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "KernelBuilder.h"

using namespace mlir;
using namespace mlir::tfc;

std::optional<MmaType> mlir::tfc::getMmaType(Type element) {
  if (element.isBF16())
    return MmaType::BF16;
  if (element.isF16())
    return MmaType::F16;
  return std::nullopt;
}

F32 KernelBuilder::shuffleXor(F32 x, int64_t laneMask) {
  return {b, intrinsic("llvm.nvvm.shfl.sync.bfly.f32", b.getF32Type(),
                       {i32(-1).v, x.v, i32(laneMask).v, i32(31).v})};
}

F32 KernelBuilder::warpSum(F32 x, int64_t lanes) {
  for (int64_t distance = lanes / 2; distance > 0; distance /= 2)
    x = x + shuffleXor(x, distance);
  return x;
}

F32 KernelBuilder::warpMax(F32 x, int64_t lanes) {
  for (int64_t distance = lanes / 2; distance > 0; distance /= 2)
    x = max(x, shuffleXor(x, distance));
  return x;
}

static Type structOf(Type element, size_t count) {
  return LLVM::LLVMStructType::getLiteral(element.getContext(), SmallVector<Type>(count, element));
}

std::array<Value, 4> KernelBuilder::loadMatrices(SharedPointer row, bool transposed) {
  StringRef name = transposed ? "llvm.nvvm.ldmatrix.sync.aligned.m8n8.x4.trans.b16.p3"
                              : "llvm.nvvm.ldmatrix.sync.aligned.m8n8.x4.b16.p3";
  Value loaded = intrinsic(name, structOf(b.getI32Type(), 4), {row.v});
  std::array<Value, 4> words;
  for (int64_t i = 0; i < 4; ++i)
    words[i] = LLVM::ExtractValueOp::create(b, loaded, ArrayRef<int64_t>{i});
  return words;
}

std::array<F32, 4> KernelBuilder::mma(MmaType type, ArrayRef<Value> a, ArrayRef<Value> bWords,
                                      const std::array<F32, 4> &c) {
  SmallVector<Value> arguments(a);
  llvm::append_range(arguments, bWords);
  if (type == MmaType::F16)
    for (Value &word : arguments)
      word = LLVM::BitcastOp::create(b, VectorType::get({2}, b.getF16Type()), word);
  for (F32 x : c)
    arguments.push_back(x.v);
  StringRef name = type == MmaType::BF16  ? "llvm.nvvm.mma.m16n8k16.row.col.bf16"
                   : type == MmaType::F16 ? "llvm.nvvm.mma.m16n8k16.row.col.f32.f32"
                                          : "llvm.nvvm.mma.m16n8k8.row.col.tf32";
  Value sums = intrinsic(name, structOf(b.getF32Type(), 4), arguments);
  std::array<F32, 4> result;
  for (int64_t i = 0; i < 4; ++i)
    result[i] = {b, LLVM::ExtractValueOp::create(b, sums, ArrayRef<int64_t>{i})};
  return result;
}

Value KernelBuilder::roundToTF32(Value word) {
  Value number = LLVM::BitcastOp::create(b, b.getF32Type(), word);
  return intrinsic("llvm.nvvm.f2tf32.rna", b.getI32Type(), {number});
}

Value KernelBuilder::packPair(F32 low, F32 high, MmaType type) {
  Type element = type == MmaType::BF16 ? Type(b.getBF16Type()) : Type(b.getF16Type());
  Value pair = LLVM::UndefOp::create(b, VectorType::get({2}, element));
  for (int64_t i = 0; i < 2; ++i)
    pair = LLVM::InsertElementOp::create(b, pair, fromF32(i == 0 ? low : high, element), i32(i).v);
  return LLVM::BitcastOp::create(b, b.getI32Type(), pair);
}
