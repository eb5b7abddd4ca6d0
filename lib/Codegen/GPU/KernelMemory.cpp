//===- KernelMemory.cpp - Loads, stores and copies of GPU kernels --------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "KernelBuilder.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::tfc;

static Type accessType(Type element, int64_t count) {
  return count == 1 ? element : Type(VectorType::get({count}, element));
}

static unsigned accessBytes(Type element, int64_t count) {
  return std::min<unsigned>(16, count * element.getIntOrFloatBitWidth() / 8);
}

static SmallVector<Value> takeApart(ImplicitLocOpBuilder &b, Value loaded, int64_t count) {
  if (count == 1)
    return {loaded};
  SmallVector<Value> elements;
  for (int64_t i = 0; i < count; ++i)
    elements.push_back(
        LLVM::ExtractElementOp::create(b, loaded, arith::ConstantOp::create(b, b.getI32IntegerAttr(i))));
  return elements;
}

static Value putTogether(ImplicitLocOpBuilder &b, ArrayRef<Value> elements) {
  if (elements.size() == 1)
    return elements[0];
  Value vector = LLVM::UndefOp::create(b, accessType(elements[0].getType(), elements.size()));
  for (auto [i, element] : llvm::enumerate(elements))
    vector = LLVM::InsertElementOp::create(b, vector, element,
                                           arith::ConstantOp::create(b, b.getI32IntegerAttr(i)));
  return vector;
}

SmallVector<Value> KernelBuilder::load(GlobalPointer from, int64_t count, bool readOnly) {
  auto load =
      LLVM::LoadOp::create(b, accessType(from.element, count), from.v, accessBytes(from.element, count));
  load.setInvariant(readOnly && (from.isWeight || !step.overlaps));
  return takeApart(b, load, count);
}

void KernelBuilder::store(ArrayRef<Value> elements, GlobalPointer to) {
  LLVM::StoreOp::create(b, putTogether(b, elements), to.v, accessBytes(to.element, elements.size()));
}

SmallVector<Value> KernelBuilder::load(SharedPointer from, Type element, int64_t count) {
  return takeApart(
      b, LLVM::LoadOp::create(b, accessType(element, count), from.v, accessBytes(element, count)), count);
}

void KernelBuilder::store(ArrayRef<Value> elements, SharedPointer to) {
  LLVM::StoreOp::create(b, putTogether(b, elements), to.v,
                        accessBytes(elements[0].getType(), elements.size()));
}

void KernelBuilder::copyAsync(SharedPointer to, GlobalPointer from, I32 sourceBytes) {
  intrinsic("llvm.nvvm.cp.async.cg.shared.global.16.s", {}, {to.v, from.v, sourceBytes.v});
}

void KernelBuilder::commitCopies() { intrinsic("llvm.nvvm.cp.async.commit.group", {}, {}); }

void KernelBuilder::waitCopies(int64_t pending) { NVVM::CpAsyncWaitGroupOp::create(b, pending); }

void KernelBuilder::barrier() { intrinsic("llvm.nvvm.barrier.cta.sync.aligned.all", {}, {i32(0).v}); }

/// The protocol is TfcDeviceStatus' (tfc-c/ModelABI.h). All lanes of a warp may come here at once; since
/// sm_70 each makes progress on its own, so that the one with the lock gives it back.
void KernelBuilder::noteFailure(int64_t check, I32 tile, I64 value, I64 bound) {
  Value status = entry->getArgument(pointerCount() + symbolCount + 1);
  auto field = [&](int32_t offset) -> Value {
    return LLVM::GEPOp::create(b, status.getType(), b.getI8Type(), status, ArrayRef<LLVM::GEPArg>{offset});
  };
  Type i64Type = b.getI64Type();
  Value free = i32(-1).v, taken = i32(0).v;
  auto spin = scf::WhileOp::create(b, TypeRange(), ValueRange());
  {
    OpBuilder::InsertionGuard guard(b);
    b.createBlock(&spin.getBefore());
    auto swap = LLVM::AtomicCmpXchgOp::create(b, status, free, taken, LLVM::AtomicOrdering::acq_rel,
                                              LLVM::AtomicOrdering::monotonic);
    Value won = LLVM::ExtractValueOp::create(b, swap, ArrayRef<int64_t>{1});
    scf::ConditionOp::create(b, (!Bool(b, won)).v, ValueRange());
    b.createBlock(&spin.getAfter());
    scf::YieldOp::create(b);
  }
  auto readVolatile = [&](int32_t offset) {
    return LLVM::LoadOp::create(b, i64Type, field(offset), /*alignment=*/8, /*isVolatile=*/true);
  };
  I64 wideTile(b, arith::ExtUIOp::create(b, i64Type, tile.v));
  Bool lower(b, arith::CmpIOp::create(b, arith::CmpIPredicate::ult, wideTile.v, readVolatile(8)));
  when(lower, [&] {
    auto write = [&](Value what, int32_t offset, unsigned alignment) {
      LLVM::StoreOp::create(b, what, field(offset), alignment, /*isVolatile=*/true);
    };
    write(i32(check).v, 4, 4);
    write(wideTile.v, 8, 8);
    write(value.v, 16, 8);
    write(bound.v, 24, 8);
  });
  LLVM::AtomicRMWOp::create(b, LLVM::AtomicBinOp::xchg, status, free, LLVM::AtomicOrdering::acq_rel);
}
