//===- ContractionEpilogueEmitter.cpp - What follows a matrix product -----------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// The elementwise ops behind a product, on accumulators, on rows just stored, or on elements that go out as another type or to other
// places.
//
//===----------------------------------------------------------------------------------------------===//

#include "ContractionEmitter.h"

#include "tfc/Conversion/TfcToLinalg/ElementTypes.h"
#include "tfc/Conversion/TfcToLinalg/EmitElementwise.h"

#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace mlir::tfc;

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

/// A bias or a residual is free on the accumulators. What takes many instructions is not written once per
/// block height.
ContractionEmitter::EpiloguePlace ContractionEmitter::chooseEpiloguePlace(const Contraction &problem) {
  static constexpr size_t kFewOps = 3;
  const Epilogue &epilogue = problem.epilogue;
  if (epilogue.ops.empty() && !problem.out)
    return EpiloguePlace::None;
  if (problem.out || !llvm::all_of(epilogue.ops, emitsOnVectors))
    return EpiloguePlace::StoredScalars;
  bool isCheap = epilogue.ops.size() <= kFewOps && llvm::all_of(epilogue.ops, [](Operation *op) {
                   return isa<AddOp, SubOp, MulOp, NegOp, ReluOp>(op);
                 });
  return isCheap ? EpiloguePlace::Accumulators : EpiloguePlace::StoredVectors;
}

/// Rows [first, end) of the result, from scratch, where the first begins at `made`, or from C.
void ContractionEmitter::emitStoredEpilogue(const Panel &panel, Value first, Value end, Value made) {
  e.loop(first, end, 1, [&](Value row) {
    Value rowOffset = e.add(e.add(offsetC, e.mul(row, n)), panel.column);
    Value inScratch = e.add(made, e.mul(e.sub(row, first), s.panelWidth()));
    if (epiloguePlace != EpiloguePlace::StoredScalars) {
      for (size_t v = 0; v < panel.masks.size(); ++v) {
        Value at = e.add(rowOffset, v * s.lanes);
        Value product = storesToScratch() ? e.load(scratch, e.add(inScratch, v * s.lanes)) : loadVector(c, panel, v, at);
        storeVector(emitEpilogueOnVector(panel, v, product, at), panel, v, at);
      }
      return;
    }
    Value to = p.out ? outRow(e.add(batchRow, row)) : rowOffset;
    e.loop(e.index(0), panel.width, 1, [&](Value i) {
      Value at = e.add(rowOffset, i);
      auto read = [&](const Epilogue::Read &operand, Value buffer) {
        if (operand.kind == EpilogueRead::One)
          return e.loadScalar(buffer, e.index(0));
        return e.loadScalar(buffer, operand.kind == EpilogueRead::Same ? at : e.add(panel.column, i));
      };
      Value product = storesToScratch() ? e.loadScalar(scratch, e.add(inScratch, i)) : e.loadScalar(c, at);
      Value result = emitEpilogueOps(product, read);
      if (!p.out)
        return e.storeScalar(result, c, at);
      Value place = e.add(to, e.mul(e.add(panel.column, i), dim(p.out->strides.back())));
      e.storeScalar(storeScalar(e.b, e.loc, result, p.outElement), c, place);
    });
  });
}

/// The epilogue of the panel's vector `number`, at offset `at` of C.
Value ContractionEmitter::emitEpilogueOnVector(const Panel &panel, int64_t number, Value product, Value at) {
  return emitEpilogueOps(product, [&](const Epilogue::Read &operand, Value buffer) {
    if (operand.kind == EpilogueRead::One)
      return e.loadScalarToLanes(buffer, e.index(0));
    Value column = e.add(panel.column, number * s.lanes);
    return loadVector(buffer, panel, number, operand.kind == EpilogueRead::Same ? at : column);
  });
}

/// The epilogue of one element or vector. After a failure, which emit() tells, the result means nothing.
Value ContractionEmitter::emitEpilogueOps(Value product, ReadOperand read) {
  IRMapping values;
  values.map(p.epilogue.product, product);
  for (auto [operand, buffer] : llvm::zip_equal(p.epilogue.reads, readBuffers))
    values.map(operand.tensor, read(operand, buffer));
  for (Operation *op : p.epilogue.ops) {
    SmallVector<Value> operands;
    for (Value operand : op->getOperands()) {
      auto splat = matchSplat(operand);
      operands.push_back(splat ? createConstant(e.b, e.loc, product.getType(), *splat)
                               : values.lookup(operand));
    }
    FailureOr<Value> result = emitElementwise(e.b, op->getLoc(), op, operands);
    if (failed(result)) {
      if (!epilogueFailed)
        op->emitOpError("has no meaning behind a matrix product");
      epilogueFailed = true;
      return product;
    }
    values.map(op->getResult(0), *result);
  }
  return p.epilogue.ops.empty() ? product : values.lookup(p.epilogue.ops.back()->getResult(0));
}
