//===- GenerateContraction.cpp - Matrix products as loops and vectors -----------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// C[m, n] = sum over k of A[m, k] * B[k, n], written directly as loops around a block of accumulators:
//
//   for each tile = (batch, panel of N, rows of M)
//     with a transposed B: copy the panel into scratch as [K][panel width]
//     for each block of rows, as equal in height as possible
//       for k in [0, K), unrolled:  acc[row][vector] += A[row, k] * B[k, vector]
//       store acc
//
// Each accumulator is a value of its own of one machine vector: wider vectors fall apart in registers. An element is one
// chain of multiply-adds in the order of k in every block height and in the tails, so it comes out the same bits
// however M, the batch or the tiles are cut.
//
// The last panel of N reads B and writes C under a mask; masked lanes touch no memory. Rows need no mask: the heights of the
// blocks add up to M, and there is code for each height.
//
//===----------------------------------------------------------------------------------------------===//

#include "KernelFrame.h"
#include "VectorEmitter.h"
#include "tfc/Codegen/CPU/Passes.h"
#include "tfc/Schedule/ContractionSchedule.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/SetVector.h"

namespace mlir::tfc {
#define GEN_PASS_DEF_GENERATECONTRACTION
#include "tfc/Codegen/CPU/Passes.h.inc"
} // namespace mlir::tfc

using namespace mlir;
using namespace mlir::tfc;

namespace {

/// A matrix product in terms of the kernel's pointers and dim expressions. Leading dims that only A has are rows of it.
struct Contraction {
  unsigned a, b, c; // pointer numbers
  SmallVector<DimExprAttr> batch, batchA, batchB;
  DimExprAttr m, n, k;
  bool transposedB;
  Location loc;
};

class ContractionEmitter {
public:
  ContractionEmitter(OpBuilder &builder, KernelFrame frame, const Contraction &problem,
                     const ::tfc::ContractionSchedule &schedule);

  DimExprAttr tileCount() const;
  DimExprAttr scratchBytes() const;
  void emit();

private:
  /// Where the elements of B's panel lie: row k begins at offset + k * stride. `masks` is empty where no mask is needed.
  struct Panel {
    Value buffer, offset, stride;
    SmallVector<Value> masks;
  };

  Value dim(DimExprAttr expr) { return DimOp::create(e.b, e.loc, e.b.getIndexType(), expr); }
  void emitTile(Value tile);
  Value batchOffset(ArrayRef<Value> indices, ArrayRef<DimExprAttr> dims, Value matrixSize);
  void emitPanel(Value column, Value row, Value rowEnd, bool whole);
  void packTransposedPanel(Value column);
  void emitRows(Value column, Value row, Value rowEnd, const Panel &panel, ArrayRef<Value> storeMasks);
  void emitBlock(int64_t rows, Value row, Value column, const Panel &panel, ArrayRef<Value> storeMasks);
  SmallVector<int64_t> possibleHeights() const;

  KernelFrame frame;
  const Contraction &p;
  const ::tfc::ContractionSchedule &s;
  VectorEmitter e;
  Value m, n, k, a, b, c, scratch;
  Value offsetA, offsetB, offsetC; // of the tile's batch
};
} // namespace

ContractionEmitter::ContractionEmitter(OpBuilder &builder, KernelFrame frame, const Contraction &problem,
                                       const ::tfc::ContractionSchedule &schedule)
    : frame(frame), p(problem), s(schedule), e(builder, problem.loc, schedule.lanes) {}

static DimExprAttr constantExpr(DimExprAttr like, int64_t value) {
  return DimExprAttr::constant(like.getContext(), value);
}

DimExprAttr ContractionEmitter::tileCount() const {
  DimExprAttr tiles = p.n.ceilDiv(constantExpr(p.n, s.panelWidth())) * p.m.ceilDiv(constantExpr(p.m, s.rowsPerTile));
  for (DimExprAttr size : p.batch)
    tiles = tiles * size;
  return tiles;
}

DimExprAttr ContractionEmitter::scratchBytes() const {
  if (!p.transposedB)
    return constantExpr(p.k, 0);
  return p.k.ceilDiv(constantExpr(p.k, s.lanes)) * (s.lanes * s.panelWidth() * 4);
}

/// Heights that an equal split of a tile's rows can give: all of them when M is not known.
SmallVector<int64_t> ContractionEmitter::possibleHeights() const {
  llvm::SetVector<int64_t> heights;
  auto addSplit = [&](int64_t rows) {
    if (rows == 0)
      return;
    int64_t blocks = llvm::divideCeil(rows, s.blockRows);
    heights.insert(rows / blocks);
    heights.insert(llvm::divideCeil(rows, blocks));
  };
  if (auto rows = p.m.getConstant()) {
    addSplit(std::min(*rows, s.rowsPerTile));
    addSplit(*rows % s.rowsPerTile);
    return heights.takeVector();
  }
  for (int64_t height = 1; height <= s.blockRows; ++height)
    heights.insert(height);
  return heights.takeVector();
}

void ContractionEmitter::emit() {
  m = dim(p.m), n = dim(p.n), k = dim(p.k);
  a = e.bufferOf(frame.pointer(p.a));
  b = e.bufferOf(frame.pointer(p.b));
  c = e.bufferOf(frame.pointer(p.c));
  if (p.transposedB)
    scratch = e.bufferOf(frame.scratch());
  e.loop(frame.begin(), frame.end(), 1, [&](Value tile) { emitTile(tile); });
}

/// Offset of the matrix that batch `indices` of the result reads: an operand's dims are aligned at the end, and a dim of 1
/// is read again and again.
Value ContractionEmitter::batchOffset(ArrayRef<Value> indices, ArrayRef<DimExprAttr> dims, Value matrixSize) {
  Value offset = e.index(0), stride = matrixSize;
  size_t missing = indices.size() - dims.size();
  for (size_t i = dims.size(); i-- > 0;) {
    Value size = dim(dims[i]);
    Value step = stride;
    if (dims[i].isConstant(1))
      step = e.index(0);
    else if (dims[i] != p.batch[missing + i])
      step = e.select(e.equal(size, e.index(1)), e.index(0), stride);
    offset = e.add(offset, e.mul(indices[missing + i], step));
    stride = e.mul(stride, size);
  }
  return offset;
}

void ContractionEmitter::emitTile(Value tile) {
  // Blocks of rows change fastest, so that neighbouring tiles share a panel of B.
  Value rowTiles = e.ceilDiv(m, s.rowsPerTile), panels = e.ceilDiv(n, s.panelWidth());
  Value row = e.mul(e.rem(tile, rowTiles), s.rowsPerTile);
  Value rest = e.div(tile, rowTiles);
  Value column = e.mul(e.rem(rest, panels), s.panelWidth());
  Value batch = e.div(rest, panels);
  SmallVector<Value> indices(p.batch.size());
  Value remaining = batch;
  for (size_t i = indices.size(); i-- > 0;) {
    Value size = dim(p.batch[i]);
    indices[i] = e.rem(remaining, size);
    remaining = e.div(remaining, size);
  }
  offsetA = batchOffset(indices, p.batchA, e.mul(m, k));
  offsetB = batchOffset(indices, p.batchB, e.mul(k, n));
  offsetC = e.mul(batch, e.mul(m, n));
  Value rowEnd = e.min(e.add(row, s.rowsPerTile), m);

  if (p.transposedB)
    packTransposedPanel(column);
  auto width = p.n.getConstant();
  if (width && *width % s.panelWidth() == 0)
    return emitPanel(column, row, rowEnd, true);
  if (width && *width < s.panelWidth())
    return emitPanel(column, row, rowEnd, false);
  e.branch(
      e.lessEqual(e.add(column, s.panelWidth()), n), [&] { emitPanel(column, row, rowEnd, true); },
      [&] { emitPanel(column, row, rowEnd, false); });
}

void ContractionEmitter::emitPanel(Value column, Value row, Value rowEnd, bool whole) {
  SmallVector<Value> masks;
  if (!whole)
    for (int64_t v = 0; v < s.blockVectors; ++v)
      masks.push_back(e.mask(e.sub(e.sub(n, column), e.index(v * s.lanes))));
  // The packed panel has all its columns: those beyond N repeat the last one and are dropped by the store.
  Panel panel = p.transposedB ? Panel{scratch, e.index(0), e.index(s.panelWidth()), {}}
                              : Panel{b, e.add(offsetB, column), n, masks};
  emitRows(column, row, rowEnd, panel, masks);
}

/// scratch[k][column] = B[column][k], in squares of `lanes`. Columns beyond N are clamped to the last one.
void ContractionEmitter::packTransposedPanel(Value column) {
  Value last = e.sub(n, e.index(1));
  Value wholeK = e.sub(k, e.rem(k, e.index(s.lanes)));
  for (int64_t v = 0; v < s.blockVectors; ++v) {
    SmallVector<Value> rowOffsets;
    for (int64_t i = 0; i < s.lanes; ++i) {
      Value source = e.min(e.add(column, v * s.lanes + i), last);
      rowOffsets.push_back(e.add(offsetB, e.mul(source, k)));
    }
    auto square = [&](Value at, bool masked) {
      Value mask = masked ? e.mask(e.sub(k, at)) : Value();
      SmallVector<Value> rows;
      for (Value rowOffset : rowOffsets) {
        Value offset = e.add(rowOffset, at);
        rows.push_back(masked ? e.maskedLoad(b, offset, mask) : e.load(b, offset));
      }
      for (auto [i, vector] : llvm::enumerate(e.transpose(rows)))
        e.store(vector, scratch, e.add(e.mul(e.add(at, i), s.panelWidth()), v * s.lanes));
    };
    e.loop(e.index(0), wholeK, s.lanes, [&](Value at) { square(at, false); });
    e.loop(wholeK, k, s.lanes, [&](Value at) { square(at, true); });
  }
}

/// Splits rows [row, rowEnd) into blocks of two heights that differ by one, the higher ones first.
void ContractionEmitter::emitRows(Value column, Value row, Value rowEnd, const Panel &panel,
                                  ArrayRef<Value> storeMasks) {
  Value rows = e.sub(rowEnd, row);
  Value blocks = e.ceilDiv(rows, s.blockRows);
  Value low = e.div(rows, blocks);
  Value high = e.add(low, 1);
  Value highEnd = e.add(row, e.mul(e.sub(rows, e.mul(low, blocks)), high));
  SmallVector<int64_t> heights = possibleHeights();
  e.loop(e.index(0), e.index(2), 1, [&](Value phase) {
    Value first = e.equal(phase, e.index(0));
    Value height = e.select(first, high, low);
    Value from = e.select(first, row, highEnd), to = e.select(first, highEnd, rowEnd);
    e.choose(height, heights, [&](int64_t blockRows) {
      e.loop(from, to, blockRows, [&](Value at) { emitBlock(blockRows, at, column, panel, storeMasks); });
    });
  });
}

void ContractionEmitter::emitBlock(int64_t rows, Value row, Value column, const Panel &panel,
                                   ArrayRef<Value> storeMasks) {
  int64_t vectors = s.blockVectors;
  SmallVector<Value> rowOffsets;
  for (int64_t r = 0; r < rows; ++r)
    rowOffsets.push_back(e.add(offsetA, e.mul(e.add(row, r), k)));

  auto step = [&](Value at, ValueRange carried) {
    SmallVector<Value> sums(carried);
    Value offset = e.add(panel.offset, e.mul(at, panel.stride));
    SmallVector<Value> bRow;
    for (int64_t v = 0; v < vectors; ++v) {
      Value from = e.add(offset, v * s.lanes);
      bRow.push_back(panel.masks.empty() ? e.load(panel.buffer, from)
                                         : e.maskedLoad(panel.buffer, from, panel.masks[v]));
    }
    for (int64_t r = 0; r < rows; ++r) {
      Value factor = e.loadScalarToLanes(a, e.add(rowOffsets[r], at));
      for (int64_t v = 0; v < vectors; ++v)
        sums[r * vectors + v] = e.multiplyAdd(factor, bRow[v], sums[r * vectors + v], s.useFma);
    }
    return sums;
  };

  SmallVector<Value> sums(rows * vectors, e.zeros());
  Value unrolledEnd = e.sub(k, e.rem(k, e.index(s.unroll)));
  sums = e.loop(e.index(0), unrolledEnd, s.unroll, sums, [&](Value at, ValueRange carried) {
    SmallVector<Value> current(carried);
    for (int64_t u = 0; u < s.unroll; ++u)
      current = step(e.add(at, u), current);
    return current;
  });
  sums = e.loop(unrolledEnd, k, 1, sums, [&](Value at, ValueRange carried) { return step(at, carried); });

  for (int64_t r = 0; r < rows; ++r)
    for (int64_t v = 0; v < vectors; ++v) {
      Value offset = e.add(offsetC, e.add(e.mul(e.add(row, r), n), e.add(column, v * s.lanes)));
      if (storeMasks.empty())
        e.store(sums[r * vectors + v], c, offset);
      else
        e.maskedStore(sums[r * vectors + v], c, offset, storeMasks[v]);
    }
}

//===----------------------------------------------------------------------------------------------===//
// Which kernels
//===----------------------------------------------------------------------------------------------===//

/// The number of the pointer argument behind a view that FrameKernels made.
static std::optional<unsigned> pointerOfView(Value view) {
  while (auto cast = view.getDefiningOp<memref::CastOp>())
    view = cast.getSource();
  auto reinterpret = view.getDefiningOp<memref::ReinterpretCastOp>();
  auto cast = reinterpret ? reinterpret.getSource().getDefiningOp<UnrealizedConversionCastOp>() : nullptr;
  Value descriptor = cast && cast.getNumOperands() == 1 ? cast.getOperand(0) : Value();
  while (auto insert = descriptor ? descriptor.getDefiningOp<LLVM::InsertValueOp>() : nullptr) {
    if (auto argument = dyn_cast<BlockArgument>(insert.getValue()))
      return argument.getArgNumber();
    descriptor = insert.getContainer();
  }
  return std::nullopt;
}

static std::optional<unsigned> pointerOfTensor(Value tensor) {
  while (auto cast = tensor.getDefiningOp<UnrealizedConversionCastOp>())
    tensor = cast.getOperand(0);
  auto toTensor = tensor.getDefiningOp<bufferization::ToTensorOp>();
  return toTensor ? pointerOfView(toTensor.getBuffer()) : std::nullopt;
}

/// The kernel's matrix product, if that is all it is.
static std::optional<Contraction> matchContraction(KernelFrame frame) {
  MatmulOp matmul;
  bufferization::MaterializeInDestinationOp store;
  for (Operation &op : frame.tiles.getBody().front()) {
    if (isa<DimOp>(op) || !isa<TfcDialect>(op.getDialect())) {
      if (auto materialize = dyn_cast<bufferization::MaterializeInDestinationOp>(op)) {
        if (store)
          return std::nullopt;
        store = materialize;
      }
      continue;
    }
    if (matmul || !isa<MatmulOp>(op))
      return std::nullopt;
    matmul = cast<MatmulOp>(op);
  }
  if (!matmul || !store || matmul.getTransposeA())
    return std::nullopt;
  for (Value value : {matmul.getA(), matmul.getB(), matmul.getC()})
    if (!cast<RankedTensorType>(value.getType()).getElementType().isF32())
      return std::nullopt;
  Value stored = store.getSource();
  while (auto cast = stored.getDefiningOp<UnrealizedConversionCastOp>())
    stored = cast.getOperand(0);
  auto a = pointerOfTensor(matmul.getA()), b = pointerOfTensor(matmul.getB()), c = pointerOfView(store.getDest());
  if (stored != matmul.getC() || !a || !b || !c)
    return std::nullopt;

  SmallVector<DimExprAttr> dimsA = getDims(matmul.getA()), dimsB = getDims(matmul.getB()),
                           dimsC = getDims(matmul.getC());
  Contraction problem{*a, *b, *c, {}, {}, {}, {}, {}, {}, matmul.getTransposeB(), matmul.getLoc()};
  problem.batch.assign(dimsC.begin(), dimsC.end() - 2);
  problem.batchA.assign(dimsA.begin(), dimsA.end() - 2);
  problem.batchB.assign(dimsB.begin(), dimsB.end() - 2);
  problem.m = dimsA[dimsA.size() - 2];
  problem.k = dimsA.back();
  problem.n = dimsC.back();
  if (llvm::all_of(problem.batchB, [](DimExprAttr size) { return size.isConstant(1); }) &&
      dimsC.size() == dimsA.size()) {
    for (DimExprAttr size : problem.batchA)
      problem.m = problem.m * size;
    problem.batch.clear(), problem.batchA.clear(), problem.batchB.clear();
  }
  return problem;
}

namespace {
struct GenerateContraction : mlir::tfc::impl::GenerateContractionBase<GenerateContraction> {
  using GenerateContractionBase::GenerateContractionBase;

  void runOnOperation() override {
    llvm::Expected<::tfc::CpuTarget> target = ::tfc::parseCpuTarget(cpu);
    if (!target) {
      getOperation().emitError() << llvm::toString(target.takeError());
      return signalPassFailure();
    }
    for (KernelFrame frame : collectKernels(getOperation()))
      if (auto problem = matchContraction(frame))
        generate(frame, *problem, *target);
  }

  void generate(KernelFrame frame, const Contraction &problem, const ::tfc::CpuTarget &target) {
    ::tfc::ContractionProblem sizes{problem.m.getConstant(), problem.n.getConstant(), problem.k.getConstant(),
                                    problem.transposedB};
    ::tfc::ContractionSchedule schedule = ::tfc::selectContraction(sizes, target);
    Block &body = frame.tiles.getBody().front();
    while (&body.front() != body.getTerminator())
      body.getTerminator()->getPrevNode()->erase();
    OpBuilder builder(body.getTerminator());
    ContractionEmitter emitter(builder, frame, problem, schedule);
    emitter.emit();
    frame.setTiles(emitter.tileCount());
    frame.setScratch(emitter.scratchBytes());
  }
};
} // namespace
