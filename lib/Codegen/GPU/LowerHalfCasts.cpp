//===- LowerHalfCasts.cpp - Casts of 16-bit floats without a library -----------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// All of them round to nearest even and keep NaN. The tricks with f16 are well known: adding a float of the right size makes the
// adder round a denormal, and moving the exponent does the rest.
//
//===----------------------------------------------------------------------------------------------===//

#include "LowerHalfCasts.h"

#include "llvm/IR/InstIterator.h"

using namespace llvm;

Value *mlir::tfc::roundToBFloat(IRBuilderBase &b, Value *x) {
  Type *i32 = x->getType()->getWithNewType(b.getInt32Ty());
  auto number = [&](uint32_t value) { return ConstantInt::get(i32, value); };
  Value *bits = b.CreateBitCast(x, i32);
  Value *odd = b.CreateAnd(b.CreateLShr(bits, 16), number(1));
  Value *rounded = b.CreateAdd(bits, b.CreateAdd(odd, number(0x7FFF)));
  Value *quiet = b.CreateOr(bits, number(0x400000));
  return b.CreateLShr(b.CreateSelect(b.CreateFCmpUNO(x, x), quiet, rounded), 16);
}

namespace {
class CastWriter {
public:
  explicit CastWriter(Instruction &cast)
      : b(&cast), x(cast.getOperand(0)), i32(cast.getType()->getWithNewType(b.getInt32Ty())),
        i16(cast.getType()->getWithNewType(b.getInt16Ty())), f32(cast.getType()->getWithNewType(b.getFloatTy())) {}

  Value *toBFloat() { return low(mlir::tfc::roundToBFloat(b, x)); }

  Value *toHalf() {
    Value *bits = b.CreateBitCast(x, i32), *sign = b.CreateAnd(bits, number(0x80000000)), *size = b.CreateXor(bits, sign);
    Value *large = b.CreateSelect(b.CreateICmpUGT(size, number(0x7F800000)), number(0x7E00), number(0x7C00));
    Value *magic = number(0x3F000000);
    Value *small = b.CreateSub(b.CreateBitCast(b.CreateFAdd(asFloat(size), asFloat(magic)), i32), magic);
    Value *odd = b.CreateAnd(b.CreateLShr(size, 13), number(1));
    Value *usual = b.CreateLShr(b.CreateAdd(b.CreateAdd(size, number(0xC8000FFF)), odd), 13);
    Value *half = b.CreateSelect(b.CreateICmpULT(size, number(0x38800000)), small, usual);
    half = b.CreateSelect(b.CreateICmpUGE(size, number(0x47800000)), large, half);
    return low(b.CreateOr(half, b.CreateLShr(sign, 16)));
  }

  Value *fromHalf() {
    Value *bits = b.CreateZExt(b.CreateBitCast(x, i16), i32), *size = b.CreateAnd(bits, number(0x7FFF));
    Value *moved = b.CreateAdd(b.CreateShl(size, 13), number(112u << 23));
    Value *special = b.CreateAdd(moved, number(112u << 23));
    Value *small = b.CreateFSub(asFloat(b.CreateAdd(moved, number(1u << 23))), asFloat(number(113u << 23)));
    Value *wide = b.CreateSelect(b.CreateICmpULT(size, number(0x400)), b.CreateBitCast(small, i32), moved);
    wide = b.CreateSelect(b.CreateICmpUGE(size, number(0x7C00)), special, wide);
    return asFloat(b.CreateOr(wide, b.CreateShl(b.CreateAnd(bits, number(0x8000)), 16)));
  }

private:
  Constant *number(uint32_t value) { return ConstantInt::get(i32, value); }
  Value *asFloat(Value *bits) { return b.CreateBitCast(bits, f32); }
  Value *low(Value *bits) { return b.CreateTrunc(bits, i16); }

  IRBuilder<> b;
  Value *x;
  Type *i32, *i16, *f32;
};
} // namespace

/// x86 makes a vector of bf16 by way of f32, so vectors are made of integers.
static void lowerInserts(Function &function) {
  SmallVector<InsertElementInst *> inserts;
  for (Instruction &instruction : instructions(function))
    if (auto *insert = dyn_cast<InsertElementInst>(&instruction); insert && insert->getType()->getScalarType()->isBFloatTy())
      inserts.push_back(insert);
  for (InsertElementInst *insert : inserts) {
    IRBuilder<> b(insert);
    Type *bits = insert->getType()->getWithNewType(b.getInt16Ty());
    Value *vector = b.CreateInsertElement(b.CreateBitCast(insert->getOperand(0), bits),
                                          b.CreateBitCast(insert->getOperand(1), b.getInt16Ty()), insert->getOperand(2));
    insert->replaceAllUsesWith(b.CreateBitCast(vector, insert->getType()));
    insert->eraseFromParent();
  }
}

void mlir::tfc::lowerHalfCasts(Function &function) {
  SmallVector<Instruction *> casts;
  for (Instruction &instruction : instructions(function))
    if (isa<FPTruncInst, FPExtInst>(instruction))
      casts.push_back(&instruction);
  for (Instruction *cast : casts) {
    Type *from = cast->getOperand(0)->getType()->getScalarType(), *to = cast->getType()->getScalarType();
    IRBuilder<> b(cast);
    Value *result = nullptr;
    if (from->isFloatTy() && to->isBFloatTy())
      result = b.CreateBitCast(CastWriter(*cast).toBFloat(), cast->getType());
    else if (from->isFloatTy() && to->isHalfTy())
      result = b.CreateBitCast(CastWriter(*cast).toHalf(), cast->getType());
    else if (from->isHalfTy() && to->isFloatTy())
      result = CastWriter(*cast).fromHalf();
    if (!result)
      continue;
    cast->replaceAllUsesWith(result);
    cast->eraseFromParent();
  }
  lowerInserts(function);
}
