//===- JoinVariants.cpp - Variants of a kernel take the same tiles and scratch ------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// A launch has one number of tiles, whichever variant runs, but blocks of narrower vectors are smaller and more. The launch
// gets the largest number, and a variant of fewer tiles takes each range of the launch's as the same part of its own: ranges
// that meet still meet, so every tile is done once, and threads get equal parts.
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Codegen/Loops/KernelFrame.h"
#include "TargetOption.h"
#include "tfc/Codegen/CPU/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/MapVector.h"

namespace mlir::tfc {
#define GEN_PASS_DEF_JOINVARIANTS
#include "tfc/Codegen/CPU/Passes.h.inc"
} // namespace mlir::tfc

using namespace mlir;
using namespace mlir::tfc;

/// bound = bound * own / launched, at the head of the tiles. Numbers of tiles are far below 2^31.
static void scaleRange(KernelFrame frame, DimExprAttr own, DimExprAttr launched) {
  OpBuilder builder = OpBuilder::atBlockBegin(&frame.tiles.getBody().front());
  Location loc = frame.tiles.getLoc();
  Value ownTiles = DimOp::create(builder, loc, builder.getIndexType(), own);
  Value launchedTiles = DimOp::create(builder, loc, builder.getIndexType(), launched);
  for (Value bound : {frame.begin(), frame.end()}) {
    auto product = arith::MulIOp::create(builder, loc, bound, ownTiles);
    auto scaled = arith::DivUIOp::create(builder, loc, product, launchedTiles);
    bound.replaceAllUsesExcept(scaled, product);
  }
}

namespace {
struct JoinVariants : mlir::tfc::impl::JoinVariantsBase<JoinVariants> {
  void runOnOperation() override {
    FailureOr<SmallVector<KernelFrame>> frames = collectKernels(getOperation());
    if (failed(frames))
      return signalPassFailure();
    llvm::MapVector<StringAttr, SmallVector<KernelFrame>> variants;
    for (KernelFrame frame : *frames) {
      auto of = frame.kernel->getAttrOfType<FlatSymbolRefAttr>(KernelTargets::kVariantOfAttr);
      variants[of ? of.getAttr() : frame.kernel.getSymNameAttr()].push_back(frame);
    }
    for (auto &[name, group] : variants)
      if (group.size() > 1 && failed(join(group)))
        return signalPassFailure();
  }

  LogicalResult join(MutableArrayRef<KernelFrame> group) {
    auto largest = [&](StringRef attribute) -> DimExprAttr {
      DimExprAttr result;
      for (KernelFrame frame : group) {
        auto expr = frame.kernel->getAttrOfType<DimExprAttr>(attribute);
        if (!expr)
          return {};
        result = !result || result == expr ? expr : result.max(expr);
      }
      return result;
    };
    DimExprAttr tiles = largest(KernelFrame::kTilesAttr), scratch = largest(KernelFrame::kScratchAttr);
    if (!tiles || !scratch)
      return group.front().kernel.emitOpError("has a variant without tiles or scratch");
    for (KernelFrame frame : group) {
      auto own = frame.kernel->getAttrOfType<DimExprAttr>(KernelFrame::kTilesAttr);
      if (own != tiles)
        scaleRange(frame, own, tiles);
      frame.setTiles(tiles);
      frame.setScratch(scratch);
    }
    return success();
  }
};
} // namespace
