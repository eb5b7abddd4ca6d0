//===- KernelHopper.cpp - What only Hopper can do ------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "KernelHopper.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::tfc;

void HopperBuilder::initBarrier(SharedPointer barrier, int64_t arrivals) {
  k.intrinsic("llvm.nvvm.mbarrier.init.shared", {}, {barrier.v, k.i32(arrivals).v});
}

void HopperBuilder::publishBarriers() {
  k.intrinsic("llvm.nvvm.fence.mbarrier_init.release.cluster", {}, {});
}

void HopperBuilder::wait(SharedPointer barrier, I32 parity) {
  auto loop = scf::WhileOp::create(b, TypeRange(), ValueRange());
  OpBuilder::InsertionGuard guard(b);
  b.createBlock(&loop.getBefore());
  Bool over(b, k.intrinsic("llvm.nvvm.mbarrier.try.wait.parity.scope.cta.space.cta", b.getI1Type(),
                           {barrier.v, parity.v}));
  scf::ConditionOp::create(b, (!over).v, ValueRange());
  b.createBlock(&loop.getAfter());
  scf::YieldOp::create(b);
}

void HopperBuilder::arrive(SharedPointer barrier) {
  k.intrinsic("llvm.nvvm.mbarrier.arrive.shared", b.getI64Type(), {barrier.v});
}

void HopperBuilder::arriveExpecting(SharedPointer barrier, int64_t bytes) {
  k.intrinsic("llvm.nvvm.mbarrier.arrive.expect.tx.scope.cta.space.cta", b.getI64Type(),
              {barrier.v, k.i32(bytes).v});
}

void HopperBuilder::copyTile(SharedPointer to, unsigned map, SharedPointer barrier,
                             ArrayRef<I32> coordinates) {
  // The engine takes addresses of the cluster's shared memory; a block's own are among them.
  Value cluster = LLVM::AddrSpaceCastOp::create(b, LLVM::LLVMPointerType::get(b.getContext(), 7), to.v);
  SmallVector<Value> arguments{cluster, barrier.v, k.map(map)};
  for (I32 coordinate : coordinates)
    arguments.push_back(coordinate.v);
  Value no = k.boolean(false).v;
  arguments.push_back(arith::ConstantOp::create(b, b.getI16IntegerAttr(0))); // multicast mask
  arguments.push_back(k.i64(0).v);                                           // cache hint
  arguments.append({no, no, k.i32(0).v}); // neither is there; no pair of blocks
  k.intrinsic(("llvm.nvvm.cp.async.bulk.tensor.g2s.tile." + std::to_string(coordinates.size()) + "d"), {},
              arguments);
}

I32 HopperBuilder::clusterRank() {
  return {b, k.intrinsic("llvm.nvvm.read.ptx.sreg.cluster.ctarank", b.getI32Type(), {})};
}

void HopperBuilder::clusterBarrier(bool publishes) {
  k.intrinsic(publishes ? "llvm.nvvm.barrier.cluster.arrive.aligned"
                        : "llvm.nvvm.barrier.cluster.arrive.relaxed.aligned",
              {}, {});
  k.intrinsic("llvm.nvvm.barrier.cluster.wait.aligned", {}, {});
}

SmallVector<Value> HopperBuilder::loadFrom(I32 rank, SharedPointer place, Type element, int64_t count) {
  Type ofCluster = LLVM::LLVMPointerType::get(b.getContext(), 7);
  SharedPointer there(b, k.intrinsic("llvm.nvvm.mapa.shared.cluster", ofCluster, {place.v, rank.v}));
  return k.load(there, element, count);
}

I32 HopperBuilder::warpgroup() {
  return {b, k.intrinsic("llvm.nvvm.shfl.sync.idx.i32", b.getI32Type(),
                         {k.i32(-1).v, (k.thread() / 128).v, k.i32(0).v, k.i32(31).v})};
}

void HopperBuilder::changeRegisters(int64_t count, bool increase) {
  k.intrinsic(increase ? "llvm.nvvm.setmaxnreg.inc.sync.aligned.u32"
                       : "llvm.nvvm.setmaxnreg.dec.sync.aligned.u32",
              {}, {k.i32(count).v});
}

void HopperBuilder::inRoles(std::optional<RoleRegisters> registers, function_ref<void()> produce,
                            function_ref<void(I32)> consume) {
  I32 group = warpgroup();
  // One branch per role: setmaxnreg wants it so.
  auto roles = scf::IfOp::create(b, (group == 0).v, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(&roles.getThenRegion().front());
  if (registers)
    changeRegisters(registers->producer, /*increase=*/false);
  k.when(k.thread() == 0, produce);
  b.setInsertionPointToStart(&roles.getElseRegion().front());
  if (registers)
    changeRegisters(registers->consumer, /*increase=*/true);
  consume(group - 1);
}

void HopperBuilder::namedBarrier(I32 number, int64_t threads) {
  k.intrinsic("llvm.nvvm.barrier.cta.sync.aligned.count", {}, {number.v, k.i32(threads).v});
}

/// PTX ISA, "Matrix Descriptor Format": address, leading and stride offsets in units of 16 bytes, and the
/// swizzle (1: 128 bytes).
I64 HopperBuilder::describeTile(SharedPointer tile, bool alongK, int64_t panelRows) {
  constexpr int64_t kSwizzle = int64_t(1) << 62, kEightRows = 1024 >> 4;
  int64_t leading = alongK ? 1 : (panelRows * 128) >> 4;
  I32 address(b, LLVM::PtrToIntOp::create(b, b.getI32Type(), tile.v));
  I64 low(b, arith::ExtUIOp::create(b, b.getI64Type(), ((address >> 4) & 0x3FFF).v));
  return low | k.i64(kSwizzle | (kEightRows << 32) | (leading << 16));
}

/// Assembly with `results` floats. Where there are `tied` values, these come out of the places that those
/// went into.
SmallVector<Value> HopperBuilder::assembly(StringRef text, int64_t results, ValueRange operands,
                                           StringRef constraints, ValueRange tied) {
  std::string all;
  for (int64_t i = 0; i < results; ++i)
    all += i ? ",=f" : "=f";
  all += constraints;
  for (size_t i = 0; i < tied.size(); ++i)
    all += "," + std::to_string(i);
  SmallVector<Value> arguments(operands);
  llvm::append_range(arguments, tied);
  Type type = LLVM::LLVMStructType::getLiteral(b.getContext(), SmallVector<Type>(results, b.getF32Type()));
  Value made =
      LLVM::InlineAsmOp::create(b, type, arguments, b.getStringAttr(text), b.getStringAttr(all),
                                /*has_side_effects=*/b.getUnitAttr(), UnitAttr(),
                                LLVM::TailCallKindAttr::get(b.getContext(), LLVM::TailCallKind::None),
                                LLVM::AsmDialectAttr(), ArrayAttr())
          .getResult(0);
  SmallVector<Value> values;
  for (int64_t i = 0; i < results; ++i)
    values.push_back(LLVM::ExtractValueOp::create(b, made, ArrayRef<int64_t>{i}));
  return values;
}

SmallVector<Value> HopperBuilder::multiply(MmaType type, int64_t columns, bool transposedB,
                                           ArrayRef<TileProduct> products, ValueRange sums) {
  std::string element = type == MmaType::BF16 ? "bf16" : "f16";
  std::string instruction = "wgmma.mma_async.sync.aligned.m64n" + std::to_string(columns) + "k16.f32." +
                            element + "." + element + " {";
  size_t results = sums.empty() ? columns / 2 : sums.size();
  // Whether to add to the sums is a predicate: p adds, q does not.
  std::string text = "{ .reg .pred p, q; setp.ne.b32 p, 1, 0; setp.ne.b32 q, 0, 0; wgmma.fence.sync.aligned;";
  std::string constraints;
  SmallVector<Value> operands;
  auto list = [](size_t first, size_t count) {
    std::string names;
    for (size_t i = 0; i < count; ++i)
      names += (i ? ", $" : "$") + std::to_string(first + i);
    return names;
  };
  auto add = [&](ValueRange values, StringRef constraint) {
    std::string names = list(results + operands.size(), values.size());
    operands.append(values.begin(), values.end());
    for (size_t i = 0; i < values.size(); ++i)
      constraints += constraint;
    return names;
  };
  for (const TileProduct &product : products) {
    bool inRegisters = product.a.size() > 1;
    text += " " + instruction + list(product.firstSum, columns / 2) + "}, ";
    text += inRegisters ? "{" + add(product.a, ",r") + "}" : add(product.a, ",l");
    text += ", " + add({product.b.v}, ",l");
    // Neither operand negated (1, 1), A along k (0; registers always are), B along k (0) or along n (1).
    text += sums.empty() && &product == products.begin() ? ", q, 1, 1" : ", p, 1, 1";
    text += inRegisters ? "" : ", 0";
    text += transposedB ? ", 0;" : ", 1;";
  }
  return assembly(text + " wgmma.commit_group.sync.aligned; }", results, operands, constraints, sums);
}

SmallVector<Value> HopperBuilder::waitProducts(int64_t pending, ValueRange sums) {
  return assembly("wgmma.wait_group.sync.aligned " + std::to_string(pending) + ";", sums.size(), {}, "",
                  sums);
}
