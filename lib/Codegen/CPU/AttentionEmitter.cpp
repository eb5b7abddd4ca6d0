//===- AttentionEmitter.cpp - The loops of one attention ------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// Attention in one pass over the keys. A tile is (batch, head, block of queries); where few queries of
// several heads read one head of K and V it is (batch, head of K and V, block of all their queries), so that
// those are read once. A few rows go one by one (AttentionRowEmitter.cpp), more become lanes
// (AttentionBlockEmitter.cpp).
//
// What a query gets depends on its place among the queries and on the keys, never on the batch, the head or
// the tiles that other workers take.
//
// Special values come out as from softmax of the whole row: a NaN score makes the row NaN, and so does +inf;
// a row of -inf alone divides 0 by 0, but where `masked_row` says that it is 0. Keys that no query of a block
// may see, for a causal bound, a window or a length, are not read.
//
// Over many keys, few queries are done in two launches (tfc-split-keys). A tile of the first does a part of
// the keys and stores what it has for each query; the second one combines the parts in their order
// (AttentionMergeEmitter.cpp).
//
//===----------------------------------------------------------------------------------------------===//

#include "AttentionEmitter.h"
#include "AttentionBlockEmitter.h"
#include "AttentionMergeEmitter.h"
#include "AttentionRowEmitter.h"

using namespace mlir;
using namespace mlir::tfc;

AttentionEmitter::AttentionEmitter(OpBuilder &builder, KernelFrame frame, const Attention &problem,
                                   const ::tfc::AttentionSchedule &schedule)
    : frame(frame), p(problem), s(schedule), e(builder, problem.loc, schedule.lanes) {}

/// Rows of steps of decoding are few: where parts are made, code for half a block serves, at half the time to
/// compile.
int64_t AttentionEmitter::tileRows() const { return p.makesParts ? s.queryBlock() / 2 : s.queryBlock(); }

DimExprAttr AttentionEmitter::tileCount() const {
  DimExprAttr batch = p.query.dims[0], heads = p.query.dims[1], queries = p.query.dims[2];
  auto blocks = [&](DimExprAttr rows) {
    return rows.ceilDiv(DimExprAttr::constant(rows.getContext(), tileRows()));
  };
  DimExprAttr tiles = heads * blocks(queries);
  if (p.group() > 1) {
    DimExprAttr joined = p.joinsHeads(), one = DimExprAttr::constant(joined.getContext(), 1);
    tiles = joined * p.key.dims[1] * blocks(queries * p.group()) + (one - joined) * tiles;
  }
  return batch * (p.makesParts ? tiles * p.partCount : tiles);
}

DimExprAttr AttentionEmitter::scratchBytes() const {
  return DimExprAttr::constant(p.query.offset.getContext(), AttentionBlockEmitter::scratchSize(p, s) * 4);
}

void AttentionEmitter::emit() {
  scratch = e.bufferOf(frame.scratch());
  AttentionOperands operands = AttentionOperands::open(e, frame, p);
  e.loop(frame.begin(), frame.end(), 1, [&](Value tile) {
    o = operands;
    emitTile(tile);
  });
}

/// The blocks of queries change fastest, so that neighbouring tiles read the same keys and values.
void AttentionEmitter::emitTile(Value tile) {
  Value part;
  if (p.makesParts) {
    part = e.rem(tile, o.partCount);
    tile = e.div(tile, o.partCount);
  }
  Value heads = e.index(*p.query.dims[1].getConstant()), joined = e.index(1);
  if (p.group() > 1) {
    Value joins = e.equal(dimValue(e, p.joinsHeads()), e.index(1));
    joined = e.select(joins, e.index(p.group()), e.index(1));
    heads = e.select(joins, e.index(*p.key.dims[1].getConstant()), heads);
  }
  Value blocks = e.ceilDiv(e.mul(o.queries, joined), tileRows());
  Value rest = e.div(tile, blocks);
  firstRow = e.mul(e.rem(tile, blocks), tileRows());
  o = o.at(e, p, e.div(rest, heads), e.mul(e.rem(rest, heads), joined), joined);
  if (p.makesParts)
    o = o.atPart(e, p, part);
  emitRows();
}

/// Whether the tile's rows go one by one, where that is known.
std::optional<bool> AttentionEmitter::areFew() const {
  std::optional<int64_t> queries = p.query.dims[2].getConstant();
  // Rows of several heads that are not joined are as many as queries, or more.
  if (queries && (p.group() == 1 || *queries > s.rowQueries))
    return *queries <= s.rowQueries;
  return std::nullopt;
}

void AttentionEmitter::emitRows() {
  std::optional<bool> known = areFew();
  if (known && (*known || !p.parts))
    return *known ? emitFew() : emitBlock();
  Value few = known ? Value() : e.lessEqual(o.rows, e.index(s.rowQueries));
  if (p.parts)
    few = few ? arith::OrIOp::create(e.b, e.loc, few, isCut()).getResult() : isCut();
  e.branch(
      few, [&] { emitFew(); }, [&] { emitBlock(); });
}

/// Whether there are parts to be combined.
Value AttentionEmitter::isCut() { return e.lessEqual(e.index(1), o.partCount); }

/// A few rows together, or any number of them from their parts. Rows of which the parts do not say enough are
/// done again by the code that does a few, a third of the kernel's.
void AttentionEmitter::emitFew() {
  if (!p.parts)
    return emitOneByOne(e.index(0), o.rows);
  Value cut = isCut(), end = e.min(e.add(firstRow, tileRows()), o.rows);
  AttentionMergeEmitter merge(e, p, s, o);
  e.loop(e.index(0), e.select(cut, e.sub(end, firstRow), e.index(1)), 1, [&](Value round) {
    Value row = e.add(firstRow, round);
    Value isLeft = e.branchValue(
        cut, [&] { return merge.emit(row); }, [&] { return e.truth(true); });
    e.branch(
        isLeft, [&] { emitOneByOne(row, e.select(cut, e.add(row, 1), end)); }, [] {});
  });
}

void AttentionEmitter::emitOneByOne(Value first, Value end) {
  AttentionRowEmitter rows(e, p, s, o, scratch);
  assert(rows.scratchSize() <= AttentionBlockEmitter::scratchSize(p, s) &&
         "a few rows need less than a block of them");
  rows.emit(first, end);
}

/// The last rows may fill fewer vectors.
void AttentionEmitter::emitBlock() {
  int64_t half = s.queryVectors / 2;
  auto emitVectors = [&](int64_t count) { AttentionBlockEmitter(e, p, s, o, scratch).emit(firstRow, count); };
  if (p.makesParts)
    return emitVectors(half);
  e.branch(
      e.lessEqual(e.sub(o.rows, firstRow), e.index(half * s.lanes)), [&] { emitVectors(half); },
      [&] { emitVectors(s.queryVectors); });
}
