//===- LowerRowReductions.cpp - Row reductions as vector loops in a fixed order --------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Conversion/TfcToLinalg/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"

#include <cmath>

namespace mlir::tfc {
#define GEN_PASS_DEF_LOWERROWREDUCTIONS
#include "tfc/Conversion/TfcToLinalg/Passes.h.inc"
} // namespace mlir::tfc

using namespace mlir;

static constexpr int64_t lanes = 16;
static constexpr int64_t accumulators = 4;

namespace {
/// What a body reduces: `combiner` takes the accumulator (the last block argument) and `element`.
struct Reduction {
  Operation *combiner;
  Value element;
};
} // namespace

/// The value that changes nothing. -0.0 is the one for sums: 0.0 would turn a sum of -0.0 into 0.0.
static double getIdentity(Operation *combiner) {
  if (isa<arith::MulFOp>(combiner))
    return 1;
  if (isa<arith::AddFOp>(combiner))
    return -0.0;
  return isa<arith::MinimumFOp>(combiner) ? INFINITY : -INFINITY;
}

/// Whether every op of the body but the terminator maps to vectors and touches no memory.
static bool isVectorizableBody(Block &body) {
  return llvm::all_of(body.without_terminator(), [](Operation &op) {
    return OpTrait::hasElementwiseMappableTraits(&op) || isa<arith::ConstantOp>(op);
  });
}

/// Whether the body only reads: then it can run element by element, in any order.
static bool isReadOnlyBody(Block &body) {
  WalkResult result = body.walk([](Operation *op) {
    bool onlyReads = op->hasTrait<OpTrait::HasRecursiveMemoryEffects>() || isMemoryEffectFree(op) ||
                     isa<memref::LoadOp, linalg::IndexOp, linalg::YieldOp>(op);
    return onlyReads ? WalkResult::advance() : WalkResult::interrupt();
  });
  return !result.wasInterrupted();
}

static std::optional<Reduction> matchReduction(linalg::GenericOp op) {
  SmallVector<utils::IteratorType> iterators = op.getIteratorTypesArray();
  if (!op.hasPureBufferSemantics() || op.getNumDpsInits() != 1 || iterators.empty() ||
      iterators.back() != utils::IteratorType::reduction)
    return std::nullopt;
  Block &body = op.getRegion().front();
  BlockArgument accumulator = body.getArguments().back();
  if (!isa<FloatType>(accumulator.getType()) || !accumulator.hasOneUse() || !isReadOnlyBody(body))
    return std::nullopt;
  for (AffineMap map : op.getIndexingMapsArray())
    if (!map.isProjectedPermutation(/*allowZeroInResults=*/true))
      return std::nullopt;
  unsigned last = iterators.size() - 1;
  if (op.getMatchingIndexingMap(op.getDpsInitOperand(0)).isFunctionOfDim(last))
    return std::nullopt;
  Operation *combiner = body.getTerminator()->getOperand(0).getDefiningOp();
  if (!isa_and_nonnull<arith::AddFOp, arith::MulFOp, arith::MaximumFOp, arith::MinimumFOp, arith::MaxNumFOp>(
          combiner) ||
      !combiner->hasOneUse() || !llvm::is_contained(combiner->getOperands(), accumulator))
    return std::nullopt;
  Value element = combiner->getOperand(combiner->getOperand(0) == accumulator ? 1 : 0);
  return element == accumulator ? std::nullopt : std::optional<Reduction>(Reduction{combiner, element});
}

namespace {
/// Emits the loops of one reduction.
class RowReductionEmitter {
public:
  RowReductionEmitter(linalg::GenericOp op, Reduction reduction)
      : builder(op), loc(op.getLoc()), op(op), reduction(reduction), numLoops(op.getNumLoops()),
        type(cast<FloatType>(reduction.element.getType())), vectorType(VectorType::get({lanes}, type)) {}

  void emit() {
    SmallVector<Value> ends = loopEnds();
    Value zero = index(0), one = index(1);
    SmallVector<Value> starts(numLoops - 1, zero), steps(numLoops - 1, one);
    scf::buildLoopNest(builder, loc, starts, ArrayRef<Value>(ends).drop_back(), steps,
                       [&](OpBuilder &nested, Location, ValueRange loops) {
                         OpBuilder::InsertionGuard guard(builder);
                         builder.setInsertionPoint(nested.getInsertionBlock(), nested.getInsertionPoint());
                         outer.assign(loops.begin(), loops.end());
                         emitRow(ends.back());
                       });
    op.erase();
  }

private:
  Value index(int64_t value) { return arith::ConstantIndexOp::create(builder, loc, value); }

  Value splat(double value) {
    return arith::ConstantOp::create(builder, loc,
                                     DenseElementsAttr::get(vectorType, FloatAttr::get(type, value)));
  }

  /// The length of every loop, from an operand dim that runs with it.
  SmallVector<Value> loopEnds() {
    SmallVector<Value> ends(numLoops);
    for (OpOperand &operand : op->getOpOperands())
      for (auto [position, result] : llvm::enumerate(op.getMatchingIndexingMap(&operand).getResults()))
        if (auto dim = dyn_cast<AffineDimExpr>(result); dim && !ends[dim.getPosition()])
          ends[dim.getPosition()] = memref::DimOp::create(builder, loc, operand.get(), position);
    return ends;
  }

  void emitRow(Value length) {
    Value block = index(lanes * accumulators), lane = index(lanes);
    Value blocksEnd = roundDown(length, block), lanesEnd = roundDown(length, lane);
    SmallVector<Value> identities(accumulators, splat(getIdentity(reduction.combiner)));
    SmallVector<Value> sums = emitLoop(index(0), blocksEnd, block, identities, accumulators);
    while (sums.size() > 1) {
      SmallVector<Value> halves;
      for (size_t i = 0; i < sums.size(); i += 2)
        halves.push_back(combine(sums[i], sums[i + 1]));
      sums = halves;
    }
    sums = emitLoop(blocksEnd, lanesEnd, lane, sums, 1);
    Value total = emitTail(lanesEnd, length, sums[0]);
    SmallVector<Value> place = indices(op.getMatchingIndexingMap(op.getDpsInitOperand(0)), Value());
    Value target = op.getDpsInitOperand(0)->get();
    Value start = memref::LoadOp::create(builder, loc, target, place);
    memref::StoreOp::create(builder, loc, combine(start, reduceLanes(total)), target, place);
  }

  Value roundDown(Value length, Value step) {
    Value rest = arith::RemUIOp::create(builder, loc, length, step);
    return arith::SubIOp::create(builder, loc, length, rest);
  }

  SmallVector<Value> emitLoop(Value from, Value to, Value step, ArrayRef<Value> sums, int64_t vectors) {
    auto loop = scf::ForOp::create(
        builder, loc, from, to, step, sums, [&](OpBuilder &nested, Location, Value at, ValueRange carried) {
          OpBuilder::InsertionGuard guard(builder);
          builder.setInsertionPoint(nested.getInsertionBlock(), nested.getInsertionPoint());
          SmallVector<Value> next;
          for (int64_t vector = 0; vector < vectors; ++vector) {
            Value place =
                vector ? arith::AddIOp::create(builder, loc, at, index(vector * lanes)).getResult() : at;
            next.push_back(combine(carried[vector], emitElement(place, Value())));
          }
          scf::YieldOp::create(builder, loc, next);
        });
    return SmallVector<Value>(loop.getResults());
  }

  /// Less than 16 elements are left: lanes without one combine the identity.
  Value emitTail(Value from, Value length, Value sum) {
    Value rest = arith::SubIOp::create(builder, loc, length, from);
    Value any = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ne, rest, index(0));
    auto tail = scf::IfOp::create(builder, loc, TypeRange(vectorType), any, /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(tail.thenBlock());
    Value mask =
        vector::CreateMaskOp::create(builder, loc, VectorType::get({lanes}, builder.getI1Type()), rest);
    Value element = emitElement(from, mask);
    element = arith::SelectOp::create(builder, loc, mask, element, splat(getIdentity(reduction.combiner)));
    scf::YieldOp::create(builder, loc, combine(sum, element));
    builder.setInsertionPointToStart(tail.elseBlock());
    scf::YieldOp::create(builder, loc, sum);
    return tail.getResult(0);
  }

  /// Lane i and lane i + 8, then + 4, + 2, + 1.
  Value reduceLanes(Value vector) {
    for (int64_t width = lanes / 2; width > 0; width /= 2) {
      SmallVector<int64_t> low(width), high(width);
      for (int64_t lane = 0; lane < width; ++lane) {
        low[lane] = lane;
        high[lane] = lane + width;
      }
      vector = combine(vector::ShuffleOp::create(builder, loc, vector, vector, low),
                       vector::ShuffleOp::create(builder, loc, vector, vector, high));
    }
    return vector::ExtractOp::create(builder, loc, vector, ArrayRef<int64_t>{0});
  }

  Value combine(Value accumulator, Value element) {
    // The accumulator of maxnumf starts at -inf and never becomes NaN, so one comparison does what maxnumf
    // does.
    if (isa<arith::MaxNumFOp>(reduction.combiner)) {
      Value larger = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OGT, element, accumulator);
      return arith::SelectOp::create(builder, loc, larger, element, accumulator);
    }
    Operation *copy = builder.clone(*reduction.combiner);
    copy->setOperands({accumulator, element});
    copy->getResult(0).setType(accumulator.getType());
    return copy->getResult(0);
  }

  SmallVector<Value> indices(AffineMap map, Value last) {
    SmallVector<Value> result;
    for (AffineExpr expression : map.getResults()) {
      auto dim = dyn_cast<AffineDimExpr>(expression);
      if (!dim)
        result.push_back(index(0));
      else
        result.push_back(dim.getPosition() + 1 == numLoops ? last : outer[dim.getPosition()]);
    }
    return result;
  }

  /// 16 elements from `place` on, computed as the body says.
  Value emitElement(Value place, Value mask) {
    Block &body = op.getRegion().front();
    if (!isVectorizableBody(body))
      return emitElementByLane(place, mask);
    IRMapping mapping;
    for (OpOperand *input : op.getDpsInputOperands())
      mapping.map(body.getArgument(input->getOperandNumber()), loadLanes(*input, place, mask));
    for (Operation &inner : body.without_terminator()) {
      if (&inner == reduction.combiner)
        continue;
      Operation *copy = builder.clone(inner, mapping);
      if (isa<arith::ConstantOp>(inner)) {
        mapping.map(inner.getResult(0), broadcast(copy->getResult(0)));
        continue;
      }
      for (OpOperand &operand : copy->getOpOperands())
        operand.set(broadcastBefore(copy, operand.get()));
      for (Value result : copy->getResults())
        result.setType(VectorType::get({lanes}, result.getType()));
    }
    return broadcast(mapping.lookupOrDefault(reduction.element));
  }

  /// The same for a body that has no vector form (it reads at indices of its own): once per lane. Lanes that
  /// are masked off compute the first element again.
  Value emitElementByLane(Value place, Value mask) {
    Block &body = op.getRegion().front();
    SmallVector<Value> elements;
    for (int64_t lane = 0; lane < lanes; ++lane) {
      Value at = placeOfLane(place, lane, mask);
      IRMapping mapping;
      for (OpOperand *input : op.getDpsInputOperands())
        mapping.map(body.getArgument(input->getOperandNumber()),
                    memref::LoadOp::create(builder, loc, input->get(),
                                           indices(op.getMatchingIndexingMap(input), at)));
      for (Operation &inner : body.without_terminator())
        if (auto loop = dyn_cast<linalg::IndexOp>(inner))
          mapping.map(loop.getResult(), loop.getDim() + 1 == numLoops ? at : outer[loop.getDim()]);
        else if (&inner != reduction.combiner)
          replaceIndices(builder.clone(inner, mapping), at);
      elements.push_back(mapping.lookupOrDefault(reduction.element));
    }
    return vector::FromElementsOp::create(builder, loc, vectorType, elements);
  }

  /// linalg.index in regions of a copied op becomes the loop's value.
  void replaceIndices(Operation *copy, Value at) {
    SmallVector<linalg::IndexOp> loops;
    copy->walk([&](linalg::IndexOp loop) { loops.push_back(loop); });
    for (linalg::IndexOp loop : loops) {
      loop.replaceAllUsesWith(loop.getDim() + 1 == numLoops ? at : outer[loop.getDim()]);
      loop.erase();
    }
  }

  Value placeOfLane(Value place, int64_t lane, Value mask) {
    Value offset = index(lane);
    if (mask && lane > 0) {
      Value isOn = vector::ExtractOp::create(builder, loc, mask, ArrayRef<int64_t>{lane});
      offset = arith::SelectOp::create(builder, loc, isOn, offset, index(0));
    }
    return arith::AddIOp::create(builder, loc, place, offset);
  }

  Value broadcast(Value value) {
    if (isa<VectorType>(value.getType()))
      return value;
    return vector::BroadcastOp::create(builder, loc, VectorType::get({lanes}, value.getType()), value);
  }
  Value broadcastBefore(Operation *user, Value value) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPoint(user);
    return broadcast(value);
  }

  /// The elements of an operand along the last loop; one element for all lanes where the operand does not run
  /// with it.
  Value loadLanes(OpOperand &operand, Value place, Value mask) {
    AffineMap map = op.getMatchingIndexingMap(&operand);
    auto memref = cast<MemRefType>(operand.get().getType());
    Type elementType = memref.getElementType();
    auto lanesType = VectorType::get({lanes}, elementType);
    SmallVector<Value> at = indices(map, place);
    if (!map.isFunctionOfDim(numLoops - 1))
      return broadcast(memref::LoadOp::create(builder, loc, operand.get(), at));
    // With allowZeroInResults the map is a projected permutation, so one dim runs with the loop.
    int64_t moving = 0;
    while (map.getResult(moving) != builder.getAffineDimExpr(numLoops - 1))
      ++moving;
    if (moving == memref.getRank() - 1 && memref.isLastDimUnitStride()) {
      if (!mask)
        return vector::LoadOp::create(builder, loc, lanesType, operand.get(), at);
      Value zero = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(lanesType));
      return vector::MaskedLoadOp::create(builder, loc, lanesType, operand.get(), at, mask, zero);
    }
    return gatherLanes(operand.get(), at, moving, lanesType, mask);
  }

  /// One load per lane; lanes that are masked off read the first element again.
  Value gatherLanes(Value memref, SmallVector<Value> at, int64_t moving, VectorType lanesType, Value mask) {
    Value place = at[moving];
    SmallVector<Value> elements;
    for (int64_t lane = 0; lane < lanes; ++lane) {
      at[moving] = placeOfLane(place, lane, mask);
      elements.push_back(memref::LoadOp::create(builder, loc, memref, at));
    }
    return vector::FromElementsOp::create(builder, loc, lanesType, elements);
  }

  OpBuilder builder;
  Location loc;
  linalg::GenericOp op;
  Reduction reduction;
  unsigned numLoops;
  FloatType type;
  VectorType vectorType;
  SmallVector<Value> outer;
};

struct LowerRowReductions : mlir::tfc::impl::LowerRowReductionsBase<LowerRowReductions> {
  void runOnOperation() override {
    SmallVector<std::pair<linalg::GenericOp, Reduction>> work;
    getOperation().walk([&](linalg::GenericOp op) {
      if (std::optional<Reduction> reduction = matchReduction(op))
        work.push_back({op, *reduction});
    });
    for (auto &[op, reduction] : work)
      RowReductionEmitter(op, reduction).emit();
  }
};
} // namespace
