//===- ContractionEmitter.h - The loops of one matrix product -------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_CODEGEN_CPU_CONTRACTIONEMITTER_H
#define TFC_LIB_CODEGEN_CPU_CONTRACTIONEMITTER_H

#include "StridedView.h"
#include "VectorEmitter.h"
#include "tfc/Codegen/Common/ContractionEpilogue.h"
#include "tfc/Codegen/Loops/KernelFrame.h"
#include "tfc/Schedule/ContractionSchedule.h"

namespace mlir::tfc {

/// Elementwise ops on the elements of a product, in order. The last one's result is what the kernel stores.
struct Epilogue {
  struct Read {
    Value tensor;
    unsigned pointer;
    EpilogueRead kind;
  };
  Value product;
  SmallVector<Operation *> ops;
  SmallVector<Read> reads; ///< What lies in memory.
};

/// A matrix product in terms of the kernel's pointers and dim expressions. Leading dims that only A has are rows of it.
struct Contraction {
  unsigned a, b, c; // pointer numbers
  SmallVector<DimExprAttr> batch, batchA, batchB;
  DimExprAttr m, n, k;
  bool transposedB = false;
  /// Of a packed B: columns per panel, and the pointer to the columns behind the last whole panel (PackedOperand.h).
  int64_t packedWidth = 0;
  Type elementB; ///< As it is stored: f32, or 16 bits that are widened in registers.
  std::optional<unsigned> tail;
  Epilogue epilogue;
  /// Where the result is not f32 or not row-major: how it lies, in the dims of the product, and its elements in tfc's types.
  std::optional<StridedView> out;
  Type outElement;
  Location loc;

  ::tfc::ContractionProblem problem() const {
    return {m.getConstant(), n.getConstant(), k.getConstant(), transposedB, packedWidth};
  }
};

/// Writes the body of a kernel that is one contraction.
class ContractionEmitter {
public:
  ContractionEmitter(OpBuilder &builder, KernelFrame frame, const Contraction &problem,
                     const ::tfc::ContractionSchedule &schedule);

  DimExprAttr tileCount() const;
  DimExprAttr scratchBytes() const;
  /// Fails, with a diagnostic, where an op of the epilogue has no meaning on scalars.
  LogicalResult emit();

private:
  /// The columns a tile works on. Row k of B begins at offset + k * stride in the buffer. One mask per vector, null where
  /// all of its columns exist.
  struct Panel {
    Value column, width, buffer, offset, stride;
    SmallVector<Value> masks;
    bool maskedLoads = false;
    Value next; ///< Where the next panel begins, when it should be prefetched.
  };
  /// How the rows of C are cut: `highCount` blocks of `high` rows, then blocks of `low` rows, `count` in all.
  struct RowSplit {
    Value count, high, low, highCount;
  };
  /// Blocks [from, to) of one tile, and those that follow each other on one panel before the next one is
  /// needed.
  struct BlockRange {
    Value from, to;
    Value firstOnPanel, countOnPanel;
  };
  /// A block of rows of C: its number, its first row and its height.
  struct RowBlock {
    Value number, row, height;
    Value numberOnPanel;
    Value made; ///< Where its first row begins in scratch.
  };
  /// Steps [from, to) of K, where in B those begin that should be prefetched meanwhile (null: nothing), and where in scratch
  /// the sums of the tile's rows are.
  struct Slice {
    Value from, to, next, made;
  };

  /// Sums of a block go to scratch: the next slice of K, or an epilogue that writes elsewhere, takes them from there.
  bool storesToScratch() const { return p.out || s.blockDepth; }
  int64_t scratchRows() const { return s.blockDepth ? s.rowsPerTile() * s.panelsPerSlice : s.blockRows; }
  int64_t lineElements() const;
  Value dim(DimExprAttr expr) { return DimOp::create(e.b, e.loc, e.b.getIndexType(), expr); }
  RowSplit splitRows();
  SmallVector<int64_t> possibleHeights(int64_t fewestBlocks) const;
  Value batchOffset(ArrayRef<Value> indices, ArrayRef<DimExprAttr> dims, Value matrixSize);

  void emitTile(Value tile);
  void emitSlicedTiles();
  void enterBatch(Value batch);
  void emitColumns(Value panelNumber, BlockRange blocks);
  void forPackedPanel(Value blockNumber, function_ref<void(const Panel &)> body);
  void emitTailColumns(Value column, int64_t first, function_ref<void(const Panel &)> body);
  Value panelSize();
  std::pair<Value, Value> placeInPanels(Value blockNumber);
  Value sharedPart(Value number, Value inPanel, Value from, Value depth);
  SmallVector<Value> columnMasks(Value column, int64_t vectors);
  void packTransposedPanel(Value column);

  void emitPanel(const Panel &panel, BlockRange blocks);
  void emitSlices(Value first, Value end, BlockRange blocks);
  Value behindSlice(Value first, Value end, Value number, Value from, Value to);
  Value firstRow(Value block);
  void emitSlice(const Panel &panel, BlockRange blocks, const Slice &slice);
  void emitRates(const Panel &panel, const Slice &slice, BlockRange blocks, const RowBlock &block);
  void emitHeights(const Panel &panel, const Slice &slice, const RowBlock &block, int64_t fewestBlocks, int64_t prefetches);
  void emitBlock(const Panel &panel, const Slice &slice, int64_t rows, const RowBlock &block, int64_t prefetches);
  void emitPrefetches(const Panel &panel, const Slice &slice, Value block, Value at, int64_t count);
  SmallVector<Value> emitStep(const Panel &panel, ArrayRef<Value> rowOffsets, Value at, int64_t step,
                              ValueRange sums);
  void storeVector(Value vector, const Panel &panel, int64_t number, Value offset);
  Value loadVector(Value buffer, const Panel &panel, int64_t number, Value offset);

  /// Where the epilogue is done: on the accumulators before they are stored, or on the rows just stored,
  /// which takes one copy of its code for all block heights.
  enum class EpiloguePlace { None, Accumulators, StoredVectors, StoredScalars };
  static EpiloguePlace chooseEpiloguePlace(const Contraction &problem);
  void emitStoredEpilogue(const Panel &panel, Value first, Value end, Value made);
  Value emitEpilogueOnVector(const Panel &panel, int64_t number, Value product, Value at);
  using ReadOperand = function_ref<Value(const Epilogue::Read &, Value buffer)>;
  Value emitEpilogueOps(Value product, ReadOperand read);
  Value outRow(Value row);

  KernelFrame frame;
  const Contraction &p;
  const ::tfc::ContractionSchedule &s;
  VectorEmitter e;
  Value m, n, k, a, b, c, tail, scratch;
  const EpiloguePlace epiloguePlace;
  SmallVector<Value> readBuffers;  // of the epilogue
  bool epilogueFailed = false;
  RowSplit rows;
  Value linesPerStep;              // of a prefetch, in 1/65536 of a cache line
  Value offsetA, offsetB, offsetC; // of the tile's batch
  Value batchRow;                  // the first row of the tile's batch among all rows of the result
  Value madeOffset;                // in scratch, behind a transposed panel: where elements stand before they go out
};

} // namespace mlir::tfc

#endif // TFC_LIB_CODEGEN_CPU_CONTRACTIONEMITTER_H
