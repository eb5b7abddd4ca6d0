//===- TileAnalysis.cpp - Which dims of a kernel can be cut ---------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "TileAnalysis.h"
#include "tfc/Codegen/Loops/KernelFrame.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::tfc;

/// What a dim that is not known counts as.
static constexpr int64_t kUnknownSize = 128;

std::optional<unsigned> mlir::tfc::loopOfResultDim(OpResult result, unsigned dim) {
  auto op = cast<linalg::GenericOp>(result.getOwner());
  AffineMap map = op.getIndexingMapMatchingResult(result);
  if (auto expr = dyn_cast<AffineDimExpr>(map.getResult(dim)))
    return expr.getPosition();
  return std::nullopt;
}

TileAnalysis::TileAnalysis(Block &body, int64_t tileWork) : tileWork(tileWork) {
  collect(body);
  if (!onlyLoops)
    return;
  connectOps();
  chooseClasses();
  chooseBlocks();
}

unsigned TileAnalysis::find(unsigned loop) const {
  while (parent[loop] != loop)
    loop = parent[loop] = parent[parent[loop]];
  return loop;
}

void TileAnalysis::collect(Block &body) {
  for (Operation &op : body) {
    if (auto generic = dyn_cast<linalg::GenericOp>(op)) {
      firstLoop[generic] = parent.size();
      for (unsigned i = 0; i < generic.getNumLoops(); ++i)
        parent.push_back(parent.size());
      ops.push_back(generic);
      continue;
    }
    if (auto store = dyn_cast<bufferization::MaterializeInDestinationOp>(op)) {
      onlyLoops &= store.getSource().getDefiningOp<linalg::GenericOp>() != nullptr;
      stores.push_back(store);
      continue;
    }
    bool makesTensor = llvm::any_of(op.getResultTypes(), [](Type t) { return isa<RankedTensorType>(t); });
    bool isSource = op.hasTrait<OpTrait::ConstantLike>() || isa<bufferization::ToTensorOp, tensor::EmptyOp>(op);
    onlyLoops &= !makesTensor || isSource;
    bool readsLoops = llvm::any_of(
        op.getOperands(), [](Value operand) { return operand.getDefiningOp<linalg::GenericOp>() != nullptr; });
    onlyLoops &= !readsLoops && op.getNumRegions() == 0;
  }
}

void TileAnalysis::blockLoops(AffineExpr expr, linalg::GenericOp op) {
  expr.walk([&](AffineExpr inner) {
    if (auto dim = dyn_cast<AffineDimExpr>(inner))
      blocked.push_back(loopId(op, dim.getPosition()));
  });
}

void TileAnalysis::blockResult(Value result) {
  auto producer = result.getDefiningOp<linalg::GenericOp>();
  if (!producer)
    return;
  for (AffineExpr expr : producer.getIndexingMapMatchingResult(cast<OpResult>(result)).getResults())
    blockLoops(expr, producer);
}

/// Unites the loops on both sides of an operand; blocks those that are read in any other way than one by one.
void TileAnalysis::connect(linalg::GenericOp op, OpOperand &operand) {
  AffineMap map = op.getMatchingIndexingMap(&operand);
  auto producer = operand.get().getDefiningOp<linalg::GenericOp>();
  for (auto [dim, expr] : llvm::enumerate(map.getResults())) {
    bool simple = isa<AffineDimExpr, AffineConstantExpr>(expr);
    if (!simple)
      blockLoops(expr, op);
    if (!producer)
      continue;
    auto loop = loopOfResultDim(cast<OpResult>(operand.get()), dim);
    if (!loop)
      blockResult(operand.get());
    else if (auto position = dyn_cast<AffineDimExpr>(expr))
      unite(loopId(op, position.getPosition()), loopId(producer, *loop));
    else
      blocked.push_back(loopId(producer, *loop));
  }
}

void TileAnalysis::connectOps() {
  for (linalg::GenericOp op : ops) {
    for (OpOperand &operand : op->getOpOperands())
      connect(op, operand);
    // What a body reads at will (tensor.extract) must be there as a whole.
    SetVector<Value> captured;
    getUsedValuesDefinedAbove(op->getRegions(), captured);
    for (Value value : captured)
      blockResult(value);
    for (auto [loop, iterator] : llvm::enumerate(op.getIteratorTypesArray()))
      if (iterator != utils::IteratorType::parallel)
        blocked.push_back(loopId(op, loop));
  }
  // An op with two loops of one class reads a diagonal.
  for (linalg::GenericOp op : ops) {
    DenseSet<unsigned> seen;
    for (unsigned loop = 0; loop < op.getNumLoops(); ++loop)
      if (!seen.insert(find(loopId(op, loop))).second)
        blocked.push_back(loopId(op, loop));
  }
}

bool TileAnalysis::hasClass(linalg::GenericOp op, unsigned loopClass) const {
  for (unsigned loop = 0; loop < op.getNumLoops(); ++loop)
    if (find(loopId(op, loop)) == loopClass)
      return true;
  return false;
}

void TileAnalysis::chooseClasses() {
  if (stores.empty())
    return;
  DenseSet<unsigned> refused;
  for (unsigned loop : blocked)
    refused.insert(find(loop));
  auto first = cast<OpResult>(stores.front().getSource());
  auto dims = stores.front()->getAttrOfType<DimsAttr>(KernelFrame::kDimsAttr);
  if (!dims)
    return;
  for (auto [dim, size] : llvm::enumerate(dims.getDims())) {
    auto loop = loopOfResultDim(first, dim);
    if (!loop || size.isConstant(1))
      continue;
    unsigned loopClass = find(loopId(cast<linalg::GenericOp>(first.getOwner()), *loop));
    if (refused.contains(loopClass))
      continue;
    // Every result must have the dim, else tiles would write one place twice. An op inside that lacks it is computed
    // again in every tile, which is fine only where that is little work.
    bool everywhere = llvm::all_of(stores, [&](bufferization::MaterializeInDestinationOp store) {
      auto result = cast<OpResult>(store.getSource());
      for (unsigned i = 0, rank = store.getSource().getType().getRank(); i < rank; ++i)
        if (auto at = loopOfResultDim(result, i);
            at && find(loopId(cast<linalg::GenericOp>(result.getOwner()), *at)) == loopClass)
          return true;
      return false;
    });
    for (linalg::GenericOp op : ops)
      everywhere &= op.getNumReductionLoops() == 0 || hasClass(op, loopClass);
    if (everywhere)
      tiledLoops.push_back({loopClass, size, 1});
  }
}

/// Walks from the innermost dim out: dims stay whole while there is little work inside them, then one is cut into blocks and those
/// outside of it into single iterations.
void TileAnalysis::chooseBlocks() {
  if (tiledLoops.empty())
    return;
  auto dims = stores.front()->getAttrOfType<DimsAttr>(KernelFrame::kDimsAttr).getDims();
  auto first = cast<OpResult>(stores.front().getSource());
  auto op = cast<linalg::GenericOp>(first.getOwner());
  auto isTiled = [&](unsigned loopClass) {
    return llvm::any_of(tiledLoops, [&](const TiledLoops &t) { return t.loopClass == loopClass; });
  };
  // Dims shorter than this (times what is inside them) stay whole.
  const int64_t wholeWork = 4 * tileWork;
  int64_t work = 1;
  // Loops that cannot be cut are inside every tile, reductions of any op too.
  for (auto [dim, size] : llvm::enumerate(dims))
    if (auto loop = loopOfResultDim(first, dim); !loop || !isTiled(find(loopId(op, *loop))))
      work *= size.getConstant().value_or(kUnknownSize);
  for (linalg::GenericOp inner : ops)
    if (inner.getNumReductionLoops() > 0 && work == 1)
      work = kUnknownSize;
  for (size_t i = tiledLoops.size(); i-- > 0;) {
    TiledLoops &loops = tiledLoops[i];
    if (work >= tileWork / 2) {
      loops.block = 1;
      continue;
    }
    auto size = loops.size.getConstant();
    if (size && *size * std::max<int64_t>(work, 1) <= wholeWork) {
      work *= std::max<int64_t>(*size, 1);
      tiledLoops.erase(tiledLoops.begin() + i);
      continue;
    }
    loops.block = llvm::PowerOf2Ceil(llvm::divideCeil(tileWork, std::max<int64_t>(work, 1)));
    work = tileWork;
  }
}

std::optional<unsigned> TileAnalysis::tiledIndex(linalg::GenericOp op, unsigned loop) const {
  unsigned loopClass = find(loopId(op, loop));
  for (auto [i, loops] : llvm::enumerate(tiledLoops))
    if (loops.loopClass == loopClass)
      return i;
  return std::nullopt;
}
