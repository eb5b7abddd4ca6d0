//===- ContractionEmitter.cpp - The loops of one matrix product -----------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// C[m, n] = sum over k of A[m, k] * B[k, n], written directly as loops around a block of accumulators:
//
//   for each tile = (batch, panel of N, blocks of rows)
//     with a transposed B: copy the panel into scratch as [K][panel width]
//     for each block of rows, all nearly equal in height
//       for k in [0, K), unrolled:  acc[row][vector] += A[row, k] * B[k, vector]
//       store acc
//     apply the epilogue to what was stored
//
// A result that is not f32 or not row-major is made in scratch, and the epilogue takes it from there to its place.
//
// Each accumulator is a value of its own of one machine vector: wider vectors fall apart in registers. An element is one
// chain of multiply-adds in the order of k in every block height and in the tails, so it comes out the same bits
// however M, the batch or the tiles are cut.
//
// The last panel of N reads B and writes C under a mask; masked lanes touch no memory. Rows need no mask: the heights of the
// blocks add up to M, and there is code for each height.
//
// A packed B is a weight, cold in memory, whose next panel is brought into the second cache while this one is worked on: the
// k loop of each block prefetches its share of it. With one block of rows there is no time to hide anything in, and the
// hardware's own prefetching reads at the memory's speed.
//
// The epilogue is a loop over scalars, for LLVM to vectorize, over elements that still lie in the cache. Done in registers it
// would be written once per block height, and was measured to gain nothing.
//
//===----------------------------------------------------------------------------------------------===//

#include "ContractionEmitter.h"

#include "tfc/Conversion/TfcToLinalg/ElementTypes.h"
#include "tfc/Conversion/TfcToLinalg/EmitElementwise.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace mlir::tfc;

/// Floats of a cache line.
static constexpr int64_t kLineFloats = 16;
/// Binary digits behind the point of a number of cache lines.
static constexpr int64_t kLineFraction = 1 << 16;

ContractionEmitter::ContractionEmitter(OpBuilder &builder, KernelFrame frame, const Contraction &problem,
                                       const ::tfc::ContractionSchedule &schedule)
    : frame(frame), p(problem), s(schedule), e(builder, problem.loc, schedule.lanes) {}

static DimExprAttr constantExpr(DimExprAttr like, int64_t value) {
  return DimExprAttr::constant(like.getContext(), value);
}

DimExprAttr ContractionEmitter::tileCount() const {
  DimExprAttr tiles =
      p.n.ceilDiv(constantExpr(p.n, s.panelWidth())) * p.m.ceilDiv(constantExpr(p.m, s.rowsPerTile()));
  for (DimExprAttr size : p.batch)
    tiles = tiles * size;
  return tiles;
}

DimExprAttr ContractionEmitter::scratchBytes() const {
  DimExprAttr panel = constantExpr(p.k, 0);
  if (p.transposedB)
    panel = p.k.ceilDiv(constantExpr(p.k, s.lanes)) * (s.lanes * s.panelWidth() * 4);
  return p.out ? panel + s.rowsPerTile() * s.panelWidth() * 4 : panel;
}

LogicalResult ContractionEmitter::emit() {
  m = dim(p.m), n = dim(p.n), k = dim(p.k);
  a = e.bufferOf(frame.pointer(p.a));
  b = e.bufferOf(frame.pointer(p.b));
  c = p.out ? e.bufferOf(frame.pointer(p.c), getMemoryType(p.outElement)) : e.bufferOf(frame.pointer(p.c));
  if (p.tail)
    tail = e.bufferOf(frame.pointer(*p.tail));
  if (p.transposedB || p.out)
    scratch = e.bufferOf(frame.scratch());
  madeOffset = p.transposedB ? e.mul(e.mul(e.ceilDiv(k, s.lanes), s.lanes), s.panelWidth()) : e.index(0);
  for (const Epilogue::Read &read : p.epilogue.reads)
    readBuffers.push_back(e.bufferOf(frame.pointer(read.pointer)));
  rows = splitRows();
  e.loop(frame.begin(), frame.end(), 1, [&](Value tile) { emitTile(tile); });
  return failure(epilogueFailed);
}

//===----------------------------------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------------------------------===//

/// Blocks of two heights that differ by one, the higher ones first.
ContractionEmitter::RowSplit ContractionEmitter::splitRows() {
  RowSplit split;
  split.count = e.ceilDiv(m, s.blockRows);
  split.low = e.div(m, e.max(split.count, e.index(1)));
  split.high = e.add(split.low, 1);
  split.highCount = e.sub(m, e.mul(split.low, split.count));
  return split;
}

/// Heights that an equal split into at least `fewestBlocks` blocks can give.
SmallVector<int64_t> ContractionEmitter::possibleHeights(int64_t fewestBlocks) const {
  llvm::SetVector<int64_t> heights;
  if (auto known = p.m.getConstant()) {
    int64_t blocks = llvm::divideCeil(*known, s.blockRows);
    if (blocks < fewestBlocks)
      return {};
    heights.insert(*known / blocks);
    heights.insert(llvm::divideCeil(*known, blocks));
    return heights.takeVector();
  }
  int64_t fewestRows = s.blockRows * (fewestBlocks - 1) + 1;
  for (int64_t height = fewestRows / fewestBlocks; height <= s.blockRows; ++height)
    heights.insert(height);
  return heights.takeVector();
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
  Value rowTiles = e.ceilDiv(m, s.rowsPerTile()), panels = e.ceilDiv(n, s.panelWidth());
  Value firstBlock = e.mul(e.rem(tile, rowTiles), s.blocksPerTile);
  Value rest = e.div(tile, rowTiles);
  Value panelNumber = e.rem(rest, panels), batch = e.div(rest, panels);
  SmallVector<Value> indices(p.batch.size());
  Value remaining = batch;
  for (size_t i = indices.size(); i-- > 0;) {
    Value size = dim(p.batch[i]);
    indices[i] = e.rem(remaining, size);
    remaining = e.div(remaining, size);
  }
  offsetA = batchOffset(indices, p.batchA, e.mul(m, k));
  offsetB = batchOffset(indices, p.batchB, e.mul(k, n));
  batchRow = e.mul(batch, m);
  offsetC = e.mul(batchRow, n);
  BlockRange blocks{firstBlock, e.min(e.add(firstBlock, s.blocksPerTile), rows.count)};
  tileRow = firstRow(firstBlock);
  if (p.packedWidth)
    emitPackedColumns(panelNumber, blocks);
  else
    emitColumns(panelNumber, blocks);
}

//===----------------------------------------------------------------------------------------------===//
// Columns
//===----------------------------------------------------------------------------------------------===//

/// One mask per vector for the columns of C that exist; null for a vector that is known to be whole.
SmallVector<Value> ContractionEmitter::columnMasks(Value column, int64_t vectors) {
  SmallVector<Value> masks(vectors);
  auto width = p.n.getConstant();
  for (int64_t v = 0; v < vectors; ++v)
    if (!width || *width % s.panelWidth() < (v + 1) * s.lanes)
      masks[v] = e.mask(e.sub(e.sub(n, column), e.index(v * s.lanes)));
  return masks;
}

/// Columns of a row-major or transposed B.
void ContractionEmitter::emitColumns(Value panelNumber, BlockRange blocks) {
  Value column = e.mul(panelNumber, s.panelWidth());
  if (p.transposedB)
    packTransposedPanel(column);
  auto emitMasked = [&](SmallVector<Value> masks) {
    // A transposed copy has all its columns: those beyond N repeat the last one and are dropped by the store.
    Value columns = e.min(e.sub(n, column), e.index(s.panelWidth()));
    Panel panel{column, columns, b, e.add(offsetB, column), n, masks, /*maskedLoads=*/true, /*next=*/{}};
    if (p.transposedB)
      panel = {column, columns, scratch, e.index(0), e.index(s.panelWidth()), masks, false, {}};
    if (!masks.back())
      panel.width = e.index(s.panelWidth());
    emitPanel(panel, blocks);
  };
  SmallVector<Value> whole(s.blockVectors);
  auto width = p.n.getConstant();
  // Where N is known, so is the number of vectors of its last panel.
  int64_t lastVectors = width ? llvm::divideCeil(*width % s.panelWidth(), s.lanes) : s.blockVectors;
  if (width && lastVectors == 0)
    return emitMasked(whole);
  if (width && *width < s.panelWidth())
    return emitMasked(columnMasks(column, lastVectors));
  e.branch(
      e.lessEqual(e.add(column, s.panelWidth()), n), [&] { emitMasked(whole); },
      [&] { emitMasked(columnMasks(column, lastVectors)); });
}

/// Columns of a packed B: whole panels, and the columns behind them, which are row-major.
void ContractionEmitter::emitPackedColumns(Value panelNumber, BlockRange blocks) {
  Value column = e.mul(panelNumber, s.panelWidth());
  Value panelSize = e.mul(k, s.panelWidth());
  int64_t width = *p.n.getConstant(), wholePanels = width / s.panelWidth(), rest = width % s.panelWidth();
  auto emitWhole = [&] {
    Value next = e.min(e.add(panelNumber, 1), e.index(wholePanels - 1));
    Value width = e.index(s.panelWidth());
    emitPanel({column, width, b, e.mul(panelNumber, panelSize), width, SmallVector<Value>(s.blockVectors), false,
               e.mul(next, panelSize)},
              blocks);
  };
  if (!p.tail)
    return emitWhole();
  e.branch(e.lessEqual(e.add(column, s.panelWidth()), n), emitWhole, [&] {
    SmallVector<Value> masks = columnMasks(column, llvm::divideCeil(rest, s.lanes));
    emitPanel({column, e.index(rest), tail, e.index(0), e.index(rest), masks, true, {}}, blocks);
  });
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

//===----------------------------------------------------------------------------------------------===//
// Blocks of rows
//===----------------------------------------------------------------------------------------------===//

void ContractionEmitter::emitPanel(const Panel &panel, BlockRange blocks) {
  emitBlocks(panel, blocks);
  if (!p.epilogue.ops.empty() || p.out)
    emitEpilogue(panel, blocks);
}

/// The code for few blocks prefetches in large steps, the code for many in small ones: a prefetch costs as much as a load.
void ContractionEmitter::emitBlocks(const Panel &panel, BlockRange blocks) {
  if (!panel.next || s.prefetchLines == 0)
    return emitHeights(panel, blocks, 1, 0);
  int64_t many = s.prefetchLines, some = llvm::divideCeil(s.prefetchLines, 2);
  // Lines per step = lines of the panel / (blocks * steps), rounded up in its last binary digit.
  Value steps = e.mul(rows.count, e.max(e.div(k, e.index(s.unroll)), e.index(1)));
  Value lines = e.ceilDiv(e.mul(k, s.panelWidth()), kLineFloats);
  linesPerStep = e.div(e.add(e.mul(lines, kLineFraction), steps), e.max(steps, e.index(1)));
  e.branch(
      e.lessEqual(e.index(many), rows.count), [&] { emitHeights(panel, blocks, many, 1); },
      [&] {
        e.branch(
            e.lessEqual(e.index(2), rows.count), [&] { emitHeights(panel, blocks, 2, some); },
            [&] { emitHeights(panel, blocks, 1, 0); });
      });
}

void ContractionEmitter::emitHeights(const Panel &panel, BlockRange blocks, int64_t fewestBlocks,
                                     int64_t prefetches) {
  SmallVector<int64_t> heights = possibleHeights(fewestBlocks);
  if (heights.empty())
    return;
  e.loop(e.index(0), e.index(2), 1, [&](Value phase) {
    Value first = e.equal(phase, e.index(0));
    Value height = e.select(first, rows.high, rows.low);
    Value from = e.select(first, blocks.from, e.max(blocks.from, rows.highCount));
    Value to = e.select(first, e.min(blocks.to, rows.highCount), blocks.to);
    // Rows that the high blocks have more than low ones would.
    Value extra = e.select(first, e.index(0), rows.highCount);
    e.choose(height, heights, [&](int64_t blockRows) {
      e.loop(from, to, 1, [&](Value block) {
        emitBlock(panel, blockRows, e.add(e.mul(block, blockRows), extra), block, prefetches);
      });
    });
  });
}

/// This step's share of the next panel. A share of less than a line is prefetched again by the steps that follow.
void ContractionEmitter::emitPrefetches(const Panel &panel, Value block, Value at, int64_t count) {
  if (count == 0)
    return;
  Value stepsPerBlock = e.div(k, e.index(s.unroll));
  Value step = e.add(e.mul(block, stepsPerBlock), e.div(at, e.index(s.unroll)));
  Value line = e.div(e.mul(step, linesPerStep), e.index(kLineFraction));
  Value offset = e.add(panel.next, e.mul(line, kLineFloats));
  for (int64_t i = 0; i < count; ++i)
    e.prefetch(panel.buffer, e.add(offset, i * kLineFloats));
}

/// sums[row][vector] += A[row, at] * B[at, vector].
SmallVector<Value> ContractionEmitter::emitStep(const Panel &panel, ArrayRef<Value> rowOffsets, Value at,
                                                ValueRange carried) {
  SmallVector<Value> sums(carried), bRow;
  Value offset = e.add(panel.offset, e.mul(at, panel.stride));
  size_t vectors = panel.masks.size();
  for (auto [v, mask] : llvm::enumerate(panel.masks)) {
    Value from = e.add(offset, v * s.lanes);
    bRow.push_back(mask && panel.maskedLoads ? e.maskedLoad(panel.buffer, from, mask) : e.load(panel.buffer, from));
  }
  for (auto [r, rowOffset] : llvm::enumerate(rowOffsets)) {
    Value factor = e.loadScalarToLanes(a, e.add(rowOffset, at));
    for (size_t v = 0; v < vectors; ++v)
      sums[r * vectors + v] = e.multiplyAdd(factor, bRow[v], sums[r * vectors + v], s.useFma);
  }
  return sums;
}

void ContractionEmitter::emitBlock(const Panel &panel, int64_t rowCount, Value row, Value block,
                                   int64_t prefetches) {
  size_t vectors = panel.masks.size();
  SmallVector<Value> rowOffsets;
  for (int64_t r = 0; r < rowCount; ++r)
    rowOffsets.push_back(e.add(offsetA, e.mul(e.add(row, r), k)));

  SmallVector<Value> sums(rowCount * vectors, e.zeros());
  Value unrolledEnd = e.sub(k, e.rem(k, e.index(s.unroll)));
  sums = e.loop(e.index(0), unrolledEnd, s.unroll, sums, [&](Value at, ValueRange carried) {
    emitPrefetches(panel, block, at, prefetches);
    SmallVector<Value> current(carried);
    for (int64_t u = 0; u < s.unroll; ++u)
      current = emitStep(panel, rowOffsets, e.add(at, u), current);
    return current;
  });
  sums = e.loop(unrolledEnd, k, 1, sums,
                [&](Value at, ValueRange carried) { return emitStep(panel, rowOffsets, at, carried); });

  for (int64_t r = 0; r < rowCount; ++r)
    for (auto [v, mask] : llvm::enumerate(panel.masks)) {
      if (p.out) { // The scratch has room for whole panels.
        Value behind = e.add(madeOffset, e.mul(e.sub(e.add(row, r), tileRow), s.panelWidth()));
        e.store(sums[r * vectors + v], scratch, e.add(behind, v * s.lanes));
        continue;
      }
      Value offset = e.add(offsetC, e.add(e.mul(e.add(row, r), n), e.add(panel.column, v * s.lanes)));
      if (mask)
        e.maskedStore(sums[r * vectors + v], c, offset, mask);
      else
        e.store(sums[r * vectors + v], c, offset);
    }
}

//===----------------------------------------------------------------------------------------------===//
// Epilogue
//===----------------------------------------------------------------------------------------------===//

/// Where a row of the product, counted through its batches, begins in a result with strides.
Value ContractionEmitter::outRow(Value row) {
  Value offset = dim(p.out->offset);
  for (size_t i = p.out->dims.size() - 1; i-- > 0;) {
    Value index = i ? e.rem(row, dim(p.out->dims[i])) : row;
    offset = e.add(offset, e.mul(index, dim(p.out->strides[i])));
    row = i ? e.div(row, dim(p.out->dims[i])) : row;
  }
  return offset;
}

void ContractionEmitter::emitEpilogue(const Panel &panel, BlockRange blocks) {
  e.loop(firstRow(blocks.from), firstRow(blocks.to), 1, [&](Value row) {
    Value rowOffset = e.add(e.add(offsetC, e.mul(row, n)), panel.column);
    Value from = e.add(madeOffset, e.mul(e.sub(row, tileRow), s.panelWidth()));
    Value to = p.out ? outRow(e.add(batchRow, row)) : rowOffset;
    e.loop(e.index(0), panel.width, 1, [&](Value i) {
      Value at = e.add(rowOffset, i), column = e.add(panel.column, i);
      Value product = p.out ? e.loadScalar(scratch, e.add(from, i)) : e.loadScalar(c, at);
      FailureOr<Value> result = emitEpilogueOps(product, at, column);
      if (failed(result))
        epilogueFailed = true;
      else if (p.out)
        e.storeScalar(storeScalar(e.b, e.loc, *result, p.outElement), c,
                      e.add(to, e.mul(column, dim(p.out->strides.back()))));
      else
        e.storeScalar(*result, c, at);
    });
  });
}

/// The epilogue of one element, at offset `at` of C.
FailureOr<Value> ContractionEmitter::emitEpilogueOps(Value product, Value at, Value column) {
  IRMapping values;
  values.map(p.epilogue.product, product);
  for (auto [read, buffer] : llvm::zip_equal(p.epilogue.reads, readBuffers)) {
    Value offset = read.kind == EpilogueRead::Same ? at : read.kind == EpilogueRead::Columns ? column : e.index(0);
    values.map(read.tensor, e.loadScalar(buffer, offset));
  }
  for (Operation *op : p.epilogue.ops) {
    SmallVector<Value> scalars;
    for (Value operand : op->getOperands()) {
      auto splat = matchSplat(operand);
      scalars.push_back(splat ? createConstant(e.b, e.loc, e.b.getF32Type(), *splat) : values.lookup(operand));
    }
    FailureOr<Value> result = emitElementwise(e.b, op->getLoc(), op, scalars);
    if (failed(result))
      return op->emitOpError("has no meaning behind a matrix product");
    values.map(op->getResult(0), *result);
  }
  return p.epilogue.ops.empty() ? product : values.lookup(p.epilogue.ops.back()->getResult(0));
}
