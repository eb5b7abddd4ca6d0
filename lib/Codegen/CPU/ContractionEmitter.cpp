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
//       apply the epilogue to acc and store it, or store acc and apply the epilogue to the stored rows
//
// A result that is not f32 or not row-major is made in scratch, block by block, and the epilogue takes it from there to its place.
//
// A packed B of a long K is gone through in slices of K, for some panels together, and the sums of the tile wait in scratch:
//
//   for each slice of K, for each of these panels, for each block of rows: acc = sums of the block, add the slice's, set them aside
//   for each of these panels: apply the epilogue to its sums and store them
//
// Each accumulator is a value of its own of one machine vector: wider vectors fall apart in registers. An
// element is one chain of multiply-adds in the order of k in every block height and in the tails, so it comes
// out the same bits however M, the batch or the tiles are cut.
//
// The last panel of N reads B and writes C under a mask; masked lanes touch no memory. Rows need no mask: the
// heights of the blocks add up to M, and there is code for each height.
//
// A packed B is a weight, cold in memory, whose next panel is brought into the second cache while this one is
// worked on: the k loop of each block prefetches its share of it. With one block of rows there is no time to
// hide anything in, and the hardware's own prefetching reads at the memory's speed.
//
// A short epilogue (a bias, a residual) is done on the accumulators. A long one would be written once per
// block height; it follows the block of rows while they lie in the first cache, which they would leave if all
// blocks came before it: rows of C are often a multiple of 4 KiB apart and share few sets of it.
//
//===----------------------------------------------------------------------------------------------===//

#include "ContractionEmitter.h"

#include "tfc/Conversion/TfcToLinalg/ElementTypes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace mlir::tfc;

static constexpr int64_t kLineBytes = 64;
/// Binary digits behind the point of a number of cache lines.
static constexpr int64_t kLineFraction = 1 << 16;

ContractionEmitter::ContractionEmitter(OpBuilder &builder, KernelFrame frame, const Contraction &problem,
                                       const ::tfc::ContractionSchedule &schedule)
    : frame(frame), p(problem), s(schedule), e(builder, problem.loc, schedule.lanes),
      epiloguePlace(chooseEpiloguePlace(problem)) {}

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
  return storesToScratch() ? panel + scratchRows() * s.panelWidth() * 4 : panel;
}

LogicalResult ContractionEmitter::emit() {
  m = dim(p.m), n = dim(p.n), k = dim(p.k);
  a = e.bufferOf(frame.pointer(p.a));
  b = e.bufferOf(frame.pointer(p.b), p.elementB);
  c = p.out ? e.bufferOf(frame.pointer(p.c), getMemoryType(p.outElement)) : e.bufferOf(frame.pointer(p.c));
  if (p.tail)
    tail = e.bufferOf(frame.pointer(*p.tail), p.elementB);
  if (p.transposedB || storesToScratch())
    scratch = e.bufferOf(frame.scratch());
  madeOffset = p.transposedB ? e.mul(e.mul(e.ceilDiv(k, s.lanes), s.lanes), s.panelWidth()) : e.index(0);
  for (const Epilogue::Read &read : p.epilogue.reads)
    readBuffers.push_back(e.bufferOf(frame.pointer(read.pointer)));
  rows = splitRows();
  if (s.blockDepth)
    emitSlicedTiles();
  else
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

/// Elements of B in a cache line.
int64_t ContractionEmitter::lineElements() const { return kLineBytes * 8 / p.elementB.getIntOrFloatBitWidth(); }

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
  Value rowTiles = e.ceilDiv(m, s.rowsPerTile()), panels = e.ceilDiv(n, s.panelWidth());
  Value perBatch = e.mul(rowTiles, panels);
  Value place = e.rem(tile, perBatch), batch = e.div(tile, perBatch);
  // Blocks of rows change fastest, so that neighbouring tiles share a panel of B. Where A is too large to be
  // read again for each panel, panels change fastest and share some rows of A.
  Value isLarge = s.largeA ? e.lessEqual(e.index(s.largeA), e.mul(m, k)) : Value();
  auto choose = [&](Value large, Value small) { return isLarge ? e.select(isLarge, large, small) : small; };
  Value rowTile = choose(e.div(place, panels), e.rem(place, rowTiles));
  Value panelNumber = choose(e.rem(place, panels), e.div(place, rowTiles));
  enterBatch(batch);
  Value firstBlock = e.mul(rowTile, s.blocksPerTile);
  Value endBlock = e.min(e.add(firstBlock, s.blocksPerTile), rows.count);
  BlockRange blocks{firstBlock, endBlock, choose(firstBlock, e.index(0)),
                    choose(e.sub(endBlock, firstBlock), rows.count)};
  if (p.packedWidth)
    forPackedPanel(panelNumber, [&](const Panel &panel) { emitPanel(panel, blocks); });
  else
    emitColumns(panelNumber, blocks);
}

/// Neighbouring panels of the same rows are worked on together.
void ContractionEmitter::emitSlicedTiles() {
  Value rowTiles = e.ceilDiv(m, s.rowsPerTile()), panels = e.ceilDiv(n, s.panelWidth());
  Value last = e.add(frame.end(), e.sub(panels, e.index(1)));
  e.loop(e.div(frame.begin(), panels), e.div(last, panels), 1, [&](Value number) {
    enterBatch(e.div(number, rowTiles));
    Value firstBlock = e.mul(e.rem(number, rowTiles), s.blocksPerTile);
    Value endBlock = e.min(e.add(firstBlock, s.blocksPerTile), rows.count);
    Value firstTile = e.mul(number, panels);
    Value from = e.max(e.sub(frame.begin(), firstTile), e.index(0)), to = e.min(e.sub(frame.end(), firstTile), panels);
    e.loop(from, to, s.panelsPerSlice, [&](Value first) {
      Value end = e.min(e.add(first, s.panelsPerSlice), to);
      emitSlices(first, end, {firstBlock, endBlock, firstBlock, e.sub(endBlock, firstBlock)});
    });
  });
}

/// Sets where the tile's batch begins in each operand.
void ContractionEmitter::enterBatch(Value batch) {
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
      panel.width = e.index(int64_t(masks.size()) * s.lanes);
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

/// Columns of a packed B: whole panels, and the columns behind them, which are row-major. A panel made for wider vectors than
/// these holds several blocks side by side.
void ContractionEmitter::forPackedPanel(Value blockNumber, function_ref<void(const Panel &)> body) {
  int64_t panels = *p.n.getConstant() / p.packedWidth;
  Value column = e.mul(blockNumber, s.panelWidth());
  auto emitWhole = [&] {
    auto [number, inPanel] = placeInPanels(blockNumber);
    Value offset = e.add(e.mul(number, panelSize()), e.mul(inPanel, s.panelWidth()));
    Value next = sharedPart(e.add(number, 1), inPanel, e.index(0), k);
    body({column, e.index(s.panelWidth()), b, offset, e.index(p.packedWidth), SmallVector<Value>(s.blockVectors), false, next});
  };
  if (!p.tail)
    return emitWhole();
  e.branch(e.lessEqual(e.add(column, s.panelWidth()), e.index(panels * p.packedWidth)), emitWhole,
           [&] { emitTailColumns(column, panels * p.packedWidth, body); });
}

Value ContractionEmitter::panelSize() { return e.mul(k, p.packedWidth); }

/// The panel a block of columns lies in, and its number there.
std::pair<Value, Value> ContractionEmitter::placeInPanels(Value blockNumber) {
  Value blocksPerPanel = e.index(p.packedWidth / s.panelWidth());
  return {e.div(blockNumber, blocksPerPanel), e.rem(blockNumber, blocksPerPanel)};
}

/// What block `inPanel` of a panel should bring of `depth` steps of panel `number`, which is the first one behind the last,
/// for other rows or not at all.
Value ContractionEmitter::sharedPart(Value number, Value inPanel, Value from, Value depth) {
  int64_t panels = *p.n.getConstant() / p.packedWidth;
  Value wrapped = e.select(e.lessEqual(e.index(panels), number), e.index(0), number);
  Value start = e.add(e.mul(wrapped, panelSize()), e.mul(from, p.packedWidth));
  return e.add(start, e.mul(inPanel, e.mul(depth, s.panelWidth())));
}

/// The columns from `first` to N, row-major in a tensor of their own.
void ContractionEmitter::emitTailColumns(Value column, int64_t first, function_ref<void(const Panel &)> body) {
  int64_t width = *p.n.getConstant() - first, rest = width % s.panelWidth();
  auto emitBlockOf = [&](int64_t columns, SmallVector<Value> masks, bool masked) {
    body({column, e.index(columns), tail, e.sub(column, e.index(first)), e.index(width), masks, masked, {}});
  };
  auto emitWhole = [&] { emitBlockOf(s.panelWidth(), SmallVector<Value>(s.blockVectors), false); };
  auto emitRest = [&] { emitBlockOf(rest, columnMasks(column, llvm::divideCeil(rest, s.lanes)), true); };
  if (rest == 0)
    return emitWhole();
  if (width < s.panelWidth())
    return emitRest();
  e.branch(e.lessEqual(e.add(column, s.panelWidth()), n), emitWhole, emitRest);
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
  emitSlice(panel, blocks, {e.index(0), k, panel.next, madeOffset});
}

/// Panels [first, end), slice by slice of K: what a slice has of A stays in the second cache for all of them. The sums wait in
/// scratch and not in C, which may be the residual that the epilogue still has to read.
void ContractionEmitter::emitSlices(Value first, Value end, BlockRange blocks) {
  Value row = firstRow(blocks.from), endRow = firstRow(blocks.to);
  int64_t sumsPerPanel = s.rowsPerTile() * s.panelWidth();
  auto sumsOf = [&](Value number) { return e.add(madeOffset, e.mul(e.sub(number, first), sumsPerPanel)); };

  e.loop(e.index(0), e.mul(e.sub(end, first), sumsPerPanel), s.lanes,
         [&](Value at) { e.store(e.zeros(), scratch, e.add(madeOffset, at)); });
  // A single block of rows reads each panel once, and from end to end it is fastest.
  Value isOnce = e.lessEqual(blocks.countOnPanel, e.index(1));
  e.loop(e.index(0), e.select(isOnce, e.index(1), e.ceilDiv(k, s.blockDepth)), 1, [&](Value slice) {
    Value from = e.mul(slice, s.blockDepth), to = e.select(isOnce, k, e.min(e.add(from, s.blockDepth), k));
    e.loop(first, end, 1, [&](Value number) {
      forPackedPanel(number, [&](const Panel &panel) {
        Value next = panel.next ? behindSlice(first, end, number, from, to) : Value();
        emitSlice(panel, blocks, {from, to, next, sumsOf(number)});
      });
    });
  });
  e.loop(first, end, 1, [&](Value number) {
    forPackedPanel(number, [&](const Panel &panel) { emitStoredEpilogue(panel, row, endRow, sumsOf(number)); });
  });
}

/// What should be brought while steps [from, to) of K of a panel are worked on. Behind the last panel comes the next slice of the
/// first one, and behind the last slice the panel that follows.
Value ContractionEmitter::behindSlice(Value first, Value end, Value number, Value from, Value to) {
  auto [panel, inPanel] = placeInPanels(number);
  Value following = e.add(panel, 1);
  Value isLastPanel = e.lessEqual(placeInPanels(e.sub(end, e.index(1))).first, panel), isLastSlice = e.lessEqual(k, to);
  Value panelBehind = e.select(isLastSlice, following, placeInPanels(first).first);
  Value stepBehind = e.select(isLastSlice, e.index(0), to);
  return sharedPart(e.select(isLastPanel, panelBehind, following), inPanel, e.select(isLastPanel, stepBehind, from),
                    e.index(s.blockDepth));
}

Value ContractionEmitter::firstRow(Value block) {
  return e.add(e.mul(block, rows.low), e.min(block, rows.highCount));
}

/// The products of a slice of K for all rows of the tile.
void ContractionEmitter::emitSlice(const Panel &panel, BlockRange blocks, const Slice &slice) {
  Value depth = s.blockDepth ? e.index(s.blockDepth) : k;
  if (slice.next && s.prefetchLines > 0) {
    // Lines per step = lines of the slice / (blocks * steps), rounded up in its last binary digit.
    Value steps = e.mul(blocks.countOnPanel, e.max(e.div(depth, e.index(s.unroll)), e.index(1)));
    Value lines = e.ceilDiv(e.mul(depth, s.panelWidth()), lineElements());
    linesPerStep = e.div(e.add(e.mul(lines, kLineFraction), steps), e.max(steps, e.index(1)));
  }
  Value tileRow = s.blockDepth ? firstRow(blocks.from) : Value();
  e.loop(blocks.from, blocks.to, 1, [&](Value number) {
    // The high blocks come first.
    Value isHigh = e.lessEqual(e.add(number, 1), rows.highCount);
    Value row = firstRow(number);
    RowBlock block{number, row, e.select(isHigh, rows.high, rows.low), e.sub(number, blocks.firstOnPanel), slice.made};
    if (s.blockDepth)
      block.made = e.add(slice.made, e.mul(e.sub(row, tileRow), s.panelWidth()));
    emitRates(panel, slice, blocks, block);
    if (!s.blockDepth && (epiloguePlace == EpiloguePlace::StoredVectors || epiloguePlace == EpiloguePlace::StoredScalars))
      emitStoredEpilogue(panel, row, e.add(row, block.height), madeOffset);
  });
}

/// The code for few blocks prefetches in large steps, the code for many in small ones: a prefetch costs as much as a load.
void ContractionEmitter::emitRates(const Panel &panel, const Slice &slice, BlockRange blocks, const RowBlock &block) {
  if (!slice.next || s.prefetchLines == 0)
    return emitHeights(panel, slice, block, 1, 0);
  int64_t many = s.prefetchLines, some = llvm::divideCeil(s.prefetchLines, 2);
  e.branch(
      e.lessEqual(e.index(many), blocks.countOnPanel), [&] { emitHeights(panel, slice, block, many, 1); },
      [&] {
        e.branch(
            e.lessEqual(e.index(2), blocks.countOnPanel), [&] { emitHeights(panel, slice, block, 2, some); },
            [&] { emitHeights(panel, slice, block, 1, 0); });
      });
}

void ContractionEmitter::emitHeights(const Panel &panel, const Slice &slice, const RowBlock &block, int64_t fewestBlocks,
                                     int64_t prefetches) {
  SmallVector<int64_t> heights = possibleHeights(fewestBlocks);
  if (!heights.empty())
    e.choose(block.height, heights, [&](int64_t height) { emitBlock(panel, slice, height, block, prefetches); });
}

/// This step's share of the next panel. A share of less than a line is prefetched again by the steps that follow.
void ContractionEmitter::emitPrefetches(const Panel &panel, const Slice &slice, Value block, Value at, int64_t count) {
  if (count == 0)
    return;
  Value stepsPerBlock = e.div(s.blockDepth ? e.index(s.blockDepth) : k, e.index(s.unroll));
  Value step = e.add(e.mul(block, stepsPerBlock), e.div(e.sub(at, slice.from), e.index(s.unroll)));
  Value line = e.div(e.mul(step, linesPerStep), e.index(kLineFraction));
  Value offset = e.add(slice.next, e.mul(line, lineElements()));
  for (int64_t i = 0; i < count; ++i)
    e.prefetch(panel.buffer, e.add(offset, i * lineElements()));
}

/// sums[row][vector] += A[row, at + step] * B[at + step, vector]. The constant `step` ends up in the
/// addresses of the loads.
SmallVector<Value> ContractionEmitter::emitStep(const Panel &panel, ArrayRef<Value> rowOffsets, Value at,
                                                int64_t step, ValueRange carried) {
  SmallVector<Value> sums(carried), bRow;
  Value offset = e.add(e.add(panel.offset, e.mul(at, panel.stride)), e.mul(panel.stride, step));
  size_t vectors = panel.masks.size();
  for (size_t v = 0; v < vectors; ++v) {
    Value from = e.add(offset, v * s.lanes);
    bRow.push_back(panel.maskedLoads ? loadVector(panel.buffer, panel, v, from) : e.load(panel.buffer, from));
  }
  for (auto [r, rowOffset] : llvm::enumerate(rowOffsets)) {
    Value factor = e.loadScalarToLanes(a, e.add(e.add(rowOffset, at), step));
    for (size_t v = 0; v < vectors; ++v)
      sums[r * vectors + v] = e.multiplyAdd(factor, bRow[v], sums[r * vectors + v], s.useFma);
  }
  return sums;
}

void ContractionEmitter::emitBlock(const Panel &panel, const Slice &slice, int64_t rowCount, const RowBlock &block,
                                   int64_t prefetches) {
  size_t vectors = panel.masks.size();
  SmallVector<Value> rowOffsets;
  for (int64_t r = 0; r < rowCount; ++r)
    rowOffsets.push_back(e.add(offsetA, e.mul(e.add(block.row, r), k)));
  auto inScratch = [&](int64_t r, size_t v) { return e.add(block.made, r * s.panelWidth() + int64_t(v) * s.lanes); };

  SmallVector<Value> sums;
  for (int64_t r = 0; r < rowCount; ++r)
    for (size_t v = 0; v < vectors; ++v)
      sums.push_back(s.blockDepth ? e.load(scratch, inScratch(r, v)) : e.zeros());
  Value unrolledEnd = e.sub(slice.to, e.rem(e.sub(slice.to, slice.from), e.index(s.unroll)));
  sums = e.loop(slice.from, unrolledEnd, s.unroll, sums, [&](Value at, ValueRange carried) {
    emitPrefetches(panel, slice, block.numberOnPanel, at, prefetches);
    SmallVector<Value> current(carried);
    for (int64_t u = 0; u < s.unroll; ++u)
      current = emitStep(panel, rowOffsets, at, u, current);
    return current;
  });
  sums = e.loop(unrolledEnd, slice.to, 1, sums,
                [&](Value at, ValueRange carried) { return emitStep(panel, rowOffsets, at, 0, carried); });

  for (int64_t r = 0; r < rowCount; ++r)
    for (size_t v = 0; v < vectors; ++v) {
      Value sum = sums[r * vectors + v];
      if (storesToScratch()) { // The scratch has room for whole panels.
        e.store(sum, scratch, inScratch(r, v));
        continue;
      }
      Value offset = e.add(offsetC, e.add(e.mul(e.add(block.row, r), n), e.add(panel.column, v * s.lanes)));
      if (epiloguePlace == EpiloguePlace::Accumulators)
        sum = emitEpilogueOnVector(panel, v, sum, offset);
      storeVector(sum, panel, v, offset);
    }
}

/// The panel's vector `number` of columns, at an offset of a buffer.
void ContractionEmitter::storeVector(Value vector, const Panel &panel, int64_t number, Value offset) {
  if (Value mask = panel.masks[number])
    e.maskedStore(vector, c, offset, mask);
  else
    e.store(vector, c, offset);
}

Value ContractionEmitter::loadVector(Value buffer, const Panel &panel, int64_t number, Value offset) {
  Value mask = panel.masks[number];
  return mask ? e.maskedLoad(buffer, offset, mask) : e.load(buffer, offset);
}
