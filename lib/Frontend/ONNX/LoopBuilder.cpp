//===- LoopBuilder.cpp - Loops whose bodies are graphs --------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "LoopBuilder.h"
#include "RuntimeSizes.h"
#include "TensorReader.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace mlir::tfc;
using namespace mlir::tfc::onnx_import;

LogicalResult mlir::tfc::onnx_import::checkKnownOutside(NodeContext &node, ArrayRef<Value> values,
                                                        Region &region, StringRef what) {
  llvm::SetVector<StringAttr> used;
  for (Value value : values)
    for (DimExprAttr dim : getDims(value))
      dim.collectSymbols(used);
  bool isBorn = false;
  region.walk([&](BindOp bind) {
    for (auto name : bind.getSymbols().getAsRange<StringAttr>())
      isBorn |= used.contains(name);
  });
  return isBorn ? node.fail("a result has a dim that comes from data inside " + what + "; that is not supported")
                : success();
}

//===----------------------------------------------------------------------------------------------===//
// The loop without scan outputs
//===----------------------------------------------------------------------------------------------===//

/// An scf.while over (turn, condition, variables...) with empty blocks.
scf::WhileOp LoopBuilder::createFrame(ValueRange inits) {
  auto loop = scf::WhileOp::create(node.builder, node.loc, inits.getTypes(), inits);
  SmallVector<Location> locations(inits.size(), node.loc);
  OpBuilder::InsertionGuard guard(node.builder);
  for (Region *region : {&loop.getBefore(), &loop.getAfter()})
    node.builder.createBlock(region, {}, inits.getTypes(), locations);
  return loop;
}

/// while (turn < limit && condition)
void LoopBuilder::fillCondition(scf::WhileOp loop) {
  OpBuilder::InsertionGuard guard(node.builder);
  Block &before = loop.getBefore().front();
  node.builder.setInsertionPointToStart(&before);
  Value goesOn = before.getArgument(1);
  if (limit)
    goesOn = node.build<AndOp>(
        {node.compare(CompareKind::Lt, before.getArgument(0), limit), goesOn});
  if (!goesOn)
    return;
  Value bit = tensor::ExtractOp::create(node.builder, node.loc, goesOn, ValueRange());
  scf::ConditionOp::create(node.builder, node.loc, bit, before.getArguments());
}

/// Whether the value of a turn may have the dims of the variable's first value; a run in which it has not ends.
static bool fitsVariable(Value first, Value next) {
  return getRank(first) == getRank(next) &&
         llvm::all_of(llvm::zip_equal(getDims(first), getDims(next)), [](auto pair) {
           auto [a, b] = pair;
           return (a - b).getConstant().value_or(0) == 0;
         });
}

std::optional<LoopBuilder::Loop> LoopBuilder::createLoop() {
  SmallVector<Value> inits = {node.dimValues(node.dim(0), /*isScalar=*/true), condition};
  inits.append(carried);
  if (node.hasFailed())
    return std::nullopt;
  Loop loop;
  loop.op = createFrame(inits);
  fillCondition(loop.op);
  OpBuilder::InsertionGuard guard(node.builder);
  Block &after = loop.op.getAfter().front();
  node.builder.setInsertionPointToEnd(&after);
  SmallVector<Value> variables(after.getArguments().drop_front(2));
  std::optional<LoopTurn> turn = body(after.getArgument(0), after.getArgument(1), variables);
  if (!turn || !turn->condition)
    return std::nullopt;
  loop.turn = *turn;
  for (auto [i, first, next] : llvm::enumerate(carried, turn->carried)) {
    if (getElementType(first) != getElementType(next)) {
      (void)node.fail("variable " + Twine(i) + " changes its type from one turn to the next");
      return std::nullopt;
    }
    loop.changesDims |= !fitsVariable(first, next);
    loop.mayChangeDims |= getDims(first) != getDims(next);
  }
  return loop;
}

/// A run in which a variable gets other dims ends.
void LoopBuilder::keepDims(Loop &loop) {
  OpBuilder::InsertionGuard guard(node.builder);
  node.builder.setInsertionPointToEnd(&loop.op.getAfter().front());
  for (auto [first, next] : llvm::zip_equal(carried, loop.turn.carried)) {
    Value given = next;
    for (auto [axis, dim] : llvm::enumerate(getDims(first)))
      next = node.conform(next, axis, dim);
    // A variable is often a scan output too.
    llvm::replace(loop.turn.scans, given, next);
  }
}

bool LoopBuilder::endsByLimitOnly(Loop &loop) {
  std::optional<SmallVector<int64_t>> known = matchIntegers(loop.turn.condition);
  return loop.turn.condition == loop.op.getAfter().front().getArgument(1) || (known && known->front() != 0);
}

/// The bits of an outside condition decide between none and all turns.
Value LoopBuilder::countTurns(Loop &loop) {
  VectorMath m{node};
  if (!endsByLimitOnly(loop))
    return node.cast(loop.op.getResult(0), node.builder.getI64Type());
  return m.mul(m.max(limit, m.number(0)), m.wide(condition));
}

//===----------------------------------------------------------------------------------------------===//
// Scan outputs
//===----------------------------------------------------------------------------------------------===//

/// The buffer, [rows, elements of a row], with this turn's row.
Value LoopBuilder::placeRow(Value buffer, Value turn, Value row, bool isFromEnd, Value last) {
  VectorMath m{node};
  Dims one = {node.dim(1), getDim(buffer, 1)};
  Value place = isFromEnd ? m.sub(last, turn) : turn;
  Value places = node.expand(node.reshape(place, {node.dim(1), node.dim(1)}), one);
  Attribute kind = ScatterKindAttr::get(node.builder.getContext(), ScatterKind::Set);
  return node.build<ScatterElementsOp>({buffer, places, node.reshape(row, one)},
                                       {node.attribute("kind", kind), node.attribute("axis", int64_t(0))});
}

/// Ends the block of a turn with the next values of the variables and buffers.
void LoopBuilder::yield(scf::WhileOp loop, const LoopTurn &turn, ValueRange buffers) {
  OpBuilder::InsertionGuard guard(node.builder);
  Block &after = loop.getAfter().front();
  node.builder.setInsertionPointToEnd(&after);
  VectorMath m{node};
  SmallVector<Value> next = {m.add(after.getArgument(0), m.number(1)), turn.condition};
  next.append(turn.carried);
  next.append(buffers.begin(), buffers.end());
  if (!node.hasFailed())
    scf::YieldOp::create(node.builder, node.loc, next);
}

/// The same loop with `count` turns, whose buffers collect the rows of the scan outputs.
std::optional<SmallVector<Value>> LoopBuilder::collectRows(Loop &loop, DimExprAttr count) {
  SmallVector<Value> inits(loop.op.getInits());
  for (Value row : loop.turn.scans)
    inits.push_back(node.expand(node.scalar(0, getElementType(row)), {count, getElementCount(row.getType())}));
  Value last = node.dimValues(count - 1, /*isScalar=*/true);
  limit = node.dimValues(count, /*isScalar=*/true);
  if (node.hasFailed())
    return std::nullopt;
  scf::WhileOp full = createFrame(inits);
  fillCondition(full);
  Block &from = loop.op.getAfter().front(), &to = full.getAfter().front();
  IRMapping copied;
  for (auto [old, fresh] : llvm::zip(from.getArguments(), to.getArguments()))
    copied.map(old, fresh);
  node.builder.setInsertionPointToEnd(&to);
  for (Operation &op : from)
    if (!op.hasTrait<OpTrait::IsTerminator>())
      node.builder.clone(op, copied);
  LoopTurn turn = loop.turn;
  turn.condition = copied.lookupOrDefault(turn.condition);
  for (Value &value : turn.carried)
    value = copied.lookupOrDefault(value);
  SmallVector<Value> buffers;
  for (auto [i, row] : llvm::enumerate(turn.scans)) {
    bool isFromEnd = i < isReversed.size() && isReversed[i];
    buffers.push_back(placeRow(to.getArgument(loop.op.getInits().size() + i), to.getArgument(0),
                               copied.lookupOrDefault(row), isFromEnd, last));
  }
  yield(full, turn, buffers);
  node.builder.setInsertionPointAfter(full);
  SmallVector<Value> results(full.getResults().drop_front(2));
  for (auto [result, row] : llvm::zip(MutableArrayRef(results).take_back(turn.scans.size()), turn.scans)) {
    Dims dims = {count};
    dims.append(getDims(row));
    result = node.reshape(result, dims);
  }
  return node.hasFailed() ? std::nullopt : std::optional(results);
}

std::optional<SmallVector<Value>> LoopBuilder::finish(Loop &loop) {
  // Where the number of turns is not known before, a first run of the whole loop counts them.
  bool mustCount = !endsByLimitOnly(loop);
  if (loop.turn.scans.empty() || mustCount)
    yield(loop.op, loop.turn, {});
  if (node.hasFailed())
    return std::nullopt;
  if (loop.turn.scans.empty())
    return llvm::to_vector_of<Value>(loop.op.getResults().drop_front(2));
  std::optional<DimExprAttr> count = node.getSize(countTurns(loop), "the number of turns");
  if (!count)
    return std::nullopt;
  std::optional<SmallVector<Value>> results = collectRows(loop, *count);
  if (results && !mustCount)
    loop.op.erase();
  return results;
}

//===----------------------------------------------------------------------------------------------===//
// Unrolled loops
//===----------------------------------------------------------------------------------------------===//

bool LoopBuilder::canUnroll() const {
  std::optional<SmallVector<int64_t>> turns = limit ? matchIntegers(limit) : std::nullopt;
  return turns && matchIntegers(condition) &&
         turns->front() <= static_cast<int64_t>(node.getLimits().unrolledNodes) / std::max<int64_t>(nodesInside, 1);
}

std::optional<SmallVector<Value>> LoopBuilder::unroll() {
  if (!canUnroll()) {
    (void)node.fail("a variable changes its dims from one turn to the next, and the loop cannot be unrolled: the "
                    "number of turns must be known when compiling, and its nodes be at most " +
                    Twine(node.getLimits().unrolledNodes) + " (--limit=unrolled-nodes=N allows more)");
    return std::nullopt;
  }
  std::optional<SmallVector<int64_t>> turns = matchIntegers(limit), first = matchIntegers(condition);
  bool goesOn = first->front() != 0;
  SmallVector<Value> variables = carried;
  SmallVector<SmallVector<Value>> rows;
  for (int64_t i = 0; i < turns->front() && goesOn; ++i) {
    std::optional<LoopTurn> turn = body(node.dimValues(node.dim(i), /*isScalar=*/true), condition, variables);
    if (!turn)
      return std::nullopt;
    std::optional<SmallVector<int64_t>> known =
        turn->condition == condition ? first : matchIntegers(turn->condition);
    if (!known) {
      (void)node.fail("a variable changes its dims from one turn to the next, and the condition that ends the "
                      "loop comes from data");
      return std::nullopt;
    }
    goesOn = known->front() != 0;
    variables = turn->carried;
    rows.resize(turn->scans.size());
    for (auto [list, row] : llvm::zip_equal(rows, turn->scans)) {
      Dims dims = getDims(row);
      dims.insert(dims.begin(), node.dim(1));
      list.push_back(node.reshape(row, dims));
    }
  }
  for (auto [i, list] : llvm::enumerate(rows)) {
    if (i < isReversed.size() && isReversed[i])
      std::reverse(list.begin(), list.end());
    variables.push_back(node.build<ConcatOp>(list, node.attribute("axis", int64_t(0))));
  }
  return node.hasFailed() ? std::nullopt : std::optional(variables);
}

std::optional<SmallVector<Value>> LoopBuilder::build() {
  bool isOpen = !condition;
  if (isOpen)
    condition = node.scalar(1, node.builder.getI1Type());
  if (node.hasFailed())
    return std::nullopt;
  OpBuilder::InsertPoint start = node.builder.saveInsertionPoint();
  std::optional<Loop> loop = createLoop();
  if (!loop)
    return std::nullopt;
  if (loop->changesDims || (loop->mayChangeDims && canUnroll())) {
    loop->op.erase();
    node.builder.restoreInsertionPoint(start);
    return unroll();
  }
  keepDims(*loop);
  if (node.hasFailed() || failed(checkKnownOutside(node, loop->turn.scans, loop->op.getAfter(), "a loop")))
    return std::nullopt;
  if (!limit && endsByLimitOnly(*loop)) {
    (void)node.fail("it has neither a limit nor a condition that could end it");
    return std::nullopt;
  }
  return finish(*loop);
}
