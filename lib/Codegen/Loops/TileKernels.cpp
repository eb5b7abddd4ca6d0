//===- TileKernels.cpp - One loop over the tiles of a kernel --------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Codegen/Loops/KernelFrame.h"
#include "TileAnalysis.h"
#include "tfc/Codegen/Loops/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::tfc {
#define GEN_PASS_DEF_TILEKERNELS
#include "tfc/Codegen/Loops/Passes.h.inc"
} // namespace mlir::tfc

using namespace mlir;
using namespace mlir::tfc;

namespace {
/// Computes the ops of a kernel on one tile, in their order.
class TileEmitter {
public:
  TileEmitter(RewriterBase &rewriter, const TileAnalysis &analysis, Location loc, Value tile);
  void emit(linalg::GenericOp op);
  void emit(bufferization::MaterializeInDestinationOp store);

private:
  Value index(int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); }
  Value sliceOperand(linalg::GenericOp op, OpOperand &operand);
  Value createInit(linalg::GenericOp op, OpOperand &operand);

  /// Where the tile begins in a class of loops, and how far it goes.
  struct Extent {
    Value offset;
    OpFoldResult size;
  };
  RewriterBase &b;
  const TileAnalysis &analysis;
  Location loc;
  SmallVector<Extent> extents;
  DenseMap<Value, Value> tiles; // what each op made, on this tile
};
} // namespace

static Value dimValue(OpBuilder &b, Location loc, DimExprAttr expr) {
  return DimOp::create(b, loc, b.getIndexType(), expr);
}

static DimExprAttr blockCount(const TiledLoops &loops) {
  return loops.size.ceilDiv(DimExprAttr::constant(loops.size.getContext(), loops.block));
}

TileEmitter::TileEmitter(RewriterBase &rewriter, const TileAnalysis &analysis, Location loc, Value tile)
    : b(rewriter), analysis(analysis), loc(loc), extents(analysis.tiled().size()) {
  Value rest = tile;
  for (size_t i = extents.size(); i-- > 0;) {
    const TiledLoops &loops = analysis.tiled()[i];
    Value place = rest;
    if (i > 0) {
      Value count = dimValue(b, loc, blockCount(loops));
      place = arith::RemUIOp::create(b, loc, rest, count);
      rest = arith::DivUIOp::create(b, loc, rest, count);
    }
    extents[i].offset = loops.block == 1 ? place : arith::MulIOp::create(b, loc, place, index(loops.block)).getResult();
    auto size = loops.size.getConstant();
    if (loops.block == 1 || (size && *size % loops.block == 0)) {
      extents[i].size = b.getIndexAttr(loops.block);
      continue;
    }
    Value left = arith::SubIOp::create(b, loc, dimValue(b, loc, loops.size), extents[i].offset);
    extents[i].size = arith::MinSIOp::create(b, loc, index(loops.block), left).getResult();
  }
}

/// A tensor or buffer with a dim of 0 has no parts: MLIR refuses slices of one, whatever their size.
static bool hasNoElements(ShapedType type) { return llvm::is_contained(type.getShape(), 0); }

/// The part of an operand that the tile reads.
Value TileEmitter::sliceOperand(linalg::GenericOp op, OpOperand &operand) {
  if (Value tile = tiles.lookup(operand.get()))
    return tile;
  if (!isa<RankedTensorType>(operand.get().getType()))
    return operand.get(); // a scalar, as fills have
  AffineMap map = op.getMatchingIndexingMap(&operand);
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, operand.get());
  SmallVector<OpFoldResult> offsets(sizes.size(), b.getIndexAttr(0)), strides(sizes.size(), b.getIndexAttr(1));
  bool whole = true;
  for (auto [dim, expr] : llvm::enumerate(map.getResults())) {
    auto loop = dyn_cast<AffineDimExpr>(expr);
    auto tiled = loop ? analysis.tiledIndex(op, loop.getPosition()) : std::nullopt;
    if (!tiled)
      continue;
    whole = false;
    offsets[dim] = extents[*tiled].offset;
    sizes[dim] = extents[*tiled].size;
  }
  if (whole)
    return operand.get();
  auto type = cast<RankedTensorType>(operand.get().getType());
  if (hasNoElements(type))
    return tensor::EmptyOp::create(b, loc, sizes, type.getElementType());
  return tensor::ExtractSliceOp::create(b, loc, operand.get(), offsets, sizes, strides);
}

/// A fresh tensor of the tile's size where the op has one, else the part of its initial value.
Value TileEmitter::createInit(linalg::GenericOp op, OpOperand &operand) {
  auto empty = operand.get().getDefiningOp<tensor::EmptyOp>();
  if (!empty)
    return sliceOperand(op, operand);
  SmallVector<OpFoldResult> sizes = empty.getMixedSizes();
  for (auto [dim, expr] : llvm::enumerate(op.getMatchingIndexingMap(&operand).getResults()))
    if (auto loop = dyn_cast<AffineDimExpr>(expr))
      if (auto tiled = analysis.tiledIndex(op, loop.getPosition()))
        sizes[dim] = extents[*tiled].size;
  return tensor::EmptyOp::create(b, loc, sizes, empty.getType().getElementType());
}

void TileEmitter::emit(linalg::GenericOp op) {
  SmallVector<Value> operands;
  SmallVector<Type> types;
  for (OpOperand *input : op.getDpsInputOperands())
    operands.push_back(sliceOperand(op, *input));
  for (OpOperand &init : op.getDpsInitsMutable()) {
    operands.push_back(createInit(op, init));
    types.push_back(operands.back().getType());
  }
  auto tile = cast<linalg::GenericOp>(mlir::clone(b, op.getOperation(), types, operands));
  tile.walk([&](Operation *inner) {
    if (inner == tile.getOperation())
      return;
    for (OpOperand &operand : inner->getOpOperands())
      if (Value whole = tiles.lookup(operand.get()))
        operand.set(whole);
  });
  SmallVector<OpFoldResult> offsets(op.getNumLoops(), b.getIndexAttr(0));
  for (unsigned loop = 0; loop < op.getNumLoops(); ++loop)
    if (auto tiled = analysis.tiledIndex(op, loop))
      offsets[loop] = extents[*tiled].offset;
  linalg::offsetIndices(b, cast<linalg::LinalgOp>(tile.getOperation()), offsets);
  for (auto [whole, part] : llvm::zip(op.getResults(), tile.getResults()))
    tiles[whole] = part;
}

void TileEmitter::emit(bufferization::MaterializeInDestinationOp store) {
  if (hasNoElements(store.getSource().getType()))
    return;
  auto result = cast<OpResult>(store.getSource());
  auto op = cast<linalg::GenericOp>(result.getOwner());
  unsigned rank = store.getSource().getType().getRank();
  SmallVector<OpFoldResult> sizes = memref::getMixedSizes(b, loc, store.getDest());
  SmallVector<OpFoldResult> offsets(rank, b.getIndexAttr(0)), strides(rank, b.getIndexAttr(1));
  for (unsigned dim = 0; dim < rank; ++dim)
    if (auto loop = loopOfResultDim(result, dim))
      if (auto tiled = analysis.tiledIndex(op, *loop)) {
        offsets[dim] = extents[*tiled].offset;
        sizes[dim] = extents[*tiled].size;
      }
  Value place = memref::SubViewOp::create(b, loc, store.getDest(), offsets, sizes, strides);
  auto stored = bufferization::MaterializeInDestinationOp::create(b, loc, tiles.lookup(result), place);
  stored.setRestrict(true);
  stored.setWritable(true);
}

/// Ops that say where the kernel's operands and results are; they stay before the loop.
static bool isFrameOp(Operation &op) {
  return op.hasTrait<OpTrait::ConstantLike>() || isa<LLVM::LLVMDialect>(op.getDialect()) ||
         isa<DimOp, UnrealizedConversionCastOp, memref::ReinterpretCastOp, memref::CastOp, bufferization::ToTensorOp>(op);
}

namespace {
struct TileKernels : mlir::tfc::impl::TileKernelsBase<TileKernels> {
  using TileKernelsBase::TileKernelsBase;

  void runOnOperation() override {
    FailureOr<SmallVector<KernelFrame>> frames = collectKernels(getOperation());
    if (failed(frames))
      return signalPassFailure();
    for (KernelFrame frame : *frames)
      if (!frame.kernel->hasAttr(KernelFrame::kTilesAttr))
        tile(frame);
  }

  void tile(KernelFrame frame) {
    Block &body = frame.tiles.getBody().front();
    IRRewriter rewriter(&getContext());
    generalize(rewriter, body);
    TileAnalysis analysis(body, tileWork);
    rewriter.setInsertionPoint(body.getTerminator());
    Location loc = frame.tiles.getLoc();
    Value one = arith::ConstantIndexOp::create(rewriter, loc, 1);
    auto loop = scf::ForOp::create(rewriter, loc, frame.begin(), frame.end(), one);
    rewriter.setInsertionPoint(loop.getBody()->getTerminator());
    if (analysis.tiled().empty())
      moveInto(body, loop);
    else
      emitTiles(rewriter, body, analysis, loop);
    DimExprAttr tiles = DimExprAttr::constant(&getContext(), 1);
    for (const TiledLoops &loops : analysis.tiled())
      tiles = tiles * blockCount(loops);
    frame.setTiles(tiles);
  }

  void generalize(IRRewriter &rewriter, Block &body) {
    for (Operation &op : llvm::make_early_inc_range(body))
      if (auto named = dyn_cast<linalg::LinalgOp>(op); named && !isa<linalg::GenericOp>(op)) {
        rewriter.setInsertionPoint(named);
        (void)linalg::generalizeNamedOp(rewriter, named);
      }
  }

  /// The whole kernel is one tile.
  void moveInto(Block &body, scf::ForOp loop) {
    for (Operation &op : llvm::make_early_inc_range(body)) {
      if (&op == loop.getOperation())
        break;
      if (!isFrameOp(op))
        op.moveBefore(loop.getBody()->getTerminator());
    }
  }

  void emitTiles(IRRewriter &rewriter, Block &body, const TileAnalysis &analysis, scf::ForOp loop) {
    TileEmitter emitter(rewriter, analysis, loop.getLoc(), loop.getInductionVar());
    SmallVector<Operation *> done;
    for (Operation &op : body) {
      if (auto generic = dyn_cast<linalg::GenericOp>(op))
        emitter.emit(generic);
      else if (auto store = dyn_cast<bufferization::MaterializeInDestinationOp>(op))
        emitter.emit(store);
      else
        continue;
      done.push_back(&op);
    }
    for (Operation *op : llvm::reverse(done))
      rewriter.eraseOp(op);
  }
};
} // namespace
