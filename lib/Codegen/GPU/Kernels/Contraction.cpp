//===- Contraction.cpp - Matrix products as GPU kernels see them ---------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "Contraction.h"

#include "tfc/Codegen/Common/OperandCasts.h"
#include "tfc/Dialect/Tfc/IR/Broadcast.h"
#include "tfc/Dialect/Tfc/Transforms/AttentionKernels.h"

using namespace mlir;
using namespace mlir::tfc;

DimExprAttr GpuContraction::batchCount() const {
  DimExprAttr count = DimExprAttr::constant(n.getContext(), 1);
  for (DimExprAttr dim : batch)
    count = count * dim;
  return count;
}

/// The kernel's only product, where all other ops are elementwise ones.
static MatmulOp findMatmul(func::FuncOp kernel) {
  MatmulOp matmul;
  for (Operation &op : kernel.getBody().front().without_terminator()) {
    if (auto candidate = dyn_cast<MatmulOp>(op)) {
      if (matmul)
        return {};
      matmul = candidate;
    } else if (!isa<ElementwiseOpInterface, ConstantOp, ExpandOp>(op)) {
      return {};
    }
  }
  return matmul;
}

std::optional<GpuContraction> mlir::tfc::matchContraction(GpuKernelRequest request) {
  MatmulOp op = findMatmul(request.kernel);
  ValueRange results = request.results().getOperands();
  if (!op || op.getTransposeA() || results.empty())
    return std::nullopt;
  auto a = dyn_cast<BlockArgument>(skipWideningCast(op.getA())), b = dyn_cast<BlockArgument>(skipWideningCast(op.getB()));
  auto given = [&](Value value) { return value == op.getC(); };
  auto isFloat = [](Value x) {
    return x && isa<Float32Type, BFloat16Type, Float16Type>(getElementTypeOrSelf(x.getType()));
  };
  auto isStored = [&](Value result) {
    return !isa<BlockArgument>(result) && PointEmitter::canEmit(result, given) && getDims(result) == getDims(op.getC());
  };
  if (!isFloat(a) || !isFloat(b) || !isFloat(op.getC()) || !llvm::all_of(results, isStored))
    return std::nullopt;

  GpuContraction p;
  p.op = op, p.results = llvm::to_vector(results), p.transposedB = op.getTransposeB();
  // Operands of two types are read as what they are, and multiplied in f32.
  p.elementA = getElementTypeOrSelf(a.getType()), p.elementB = getElementTypeOrSelf(b.getType());
  p.element = p.elementA == p.elementB ? p.elementA : Float32Type::get(op.getContext());
  p.mma = getMmaType(p.element);
  if (p.elementA.isF32() && p.elementB.isF32() && op->hasAttr(kRoundsToTF32))
    p.mma = MmaType::TF32;
  p.a = a.getArgNumber(), p.b = b.getArgNumber(), p.c = request.kernel.getNumArguments();
  SmallVector<DimExprAttr> dimsA = getDims(a), dimsB = getDims(b);
  p.dims = getDims(op.getC());
  p.batch.assign(p.dims.begin(), p.dims.end() - 2);
  p.batchA.assign(dimsA.begin(), dimsA.end() - 2);
  p.batchB.assign(dimsB.begin(), dimsB.end() - 2);
  p.m = dimsA[dimsA.size() - 2], p.k = dimsA.back(), p.n = p.dims.back();
  auto isOne = [](DimExprAttr dim) { return dim.isConstant(1); };
  if (llvm::all_of(p.batchB, isOne) && p.dims.size() == dimsA.size()) {
    for (DimExprAttr dim : p.batchA)
      p.m = p.m * dim;
    p.batch.clear(), p.batchA.clear(), p.batchB.clear();
  }
  return p;
}

/// The number of the matrix of an operand that belongs to product `batch`.
static I32 matrixNumber(KernelBuilder &k, I32 batch, ArrayRef<DimExprAttr> all, ArrayRef<DimExprAttr> own) {
  I32 number = k.i32(0), stride = k.i32(1);
  for (size_t i = 0; i < all.size(); ++i) {
    I32 size = k.dim(all[all.size() - 1 - i]);
    I32 index = i + 1 == all.size() ? batch : batch % size;
    batch = batch / size;
    if (i >= own.size())
      continue;
    DimExprAttr dim = own[own.size() - 1 - i];
    BroadcastRelation relation = relateBroadcast(dim, all[all.size() - 1 - i]);
    if (relation == BroadcastRelation::One)
      continue;
    if (relation == BroadcastRelation::Unknown)
      index = select(k.dim(dim) == 1, k.i32(0), index);
    number = number + index * stride;
    stride = stride * k.dim(dim);
  }
  return number;
}

ContractionBases mlir::tfc::locateBatch(KernelBuilder &k, const GpuContraction &p, I32 batch) {
  ContractionBases bases{k.pointer(p.a), k.pointer(p.b)};
  if (p.batch.empty())
    return bases;
  bases.a = bases.a + matrixNumber(k, batch, p.batch, p.batchA).wide() * k.wideDim(p.m * p.k);
  bases.b = bases.b + matrixNumber(k, batch, p.batch, p.batchB).wide() * k.wideDim(p.k * p.n);
  return bases;
}

int64_t ContractionEpilogue::width(int64_t most) const {
  int64_t width = most;
  while (p.n.getConstant().value_or(1) % width)
    width /= 2;
  return width;
}

SliceRange mlir::tfc::splitSlices(I32 slices, I32 split, int64_t splits) {
  I32 each = slices.ceilDiv(splits);
  return {(split * each).min(slices), (split * each + each).min(slices)};
}

LogicalResult ContractionEpilogue::store(I32 batch, I32 row, I32 column, ArrayRef<F32> sums) {
  if (part) {
    I64 at = (part.wide() * k.wideDim(p.m) + row.wide()) * k.wideDim(p.n) + column.wide();
    int64_t piece = std::min<int64_t>(4, sums.size());
    for (size_t i = 0; i < sums.size(); i += piece)
      k.store(llvm::map_to_vector(sums.slice(i, piece), [](F32 sum) { return sum.v; }),
              k.workspace(k.b.getF32Type()) + (at + i));
    return success();
  }
  Place place;
  place.column = column;
  place.alignment = sums.size();
  place.outer.resize(p.dims.size() - 1);
  I64 linear = (p.batch.empty() ? row.wide() : batch.wide() * k.wideDim(p.m) + row.wide()) * k.wideDim(p.n) +
               column.wide();
  // Rows may be several of C's dims; else the last of the outer dims is the row, and those before it number
  // the product.
  I32 rest = row;
  for (size_t i = place.outer.size(); i-- > 0;) {
    place.outer[i] = i == 0 ? rest : rest % k.dim(p.dims[i]);
    rest = rest / k.dim(p.dims[i]);
    if (!p.batch.empty() && i + 1 == place.outer.size()) {
      place.outer[i] = row;
      rest = batch;
    }
  }
  points.moveTo(place, linear, sums.size());
  Value product = MatmulOp(p.op).getC();
  Type element = cast<RankedTensorType>(product.getType()).getElementType();
  points.give(product, llvm::map_to_vector(sums, [&](F32 sum) { return k.fromF32(sum, element); }));
  for (auto [i, result] : llvm::enumerate(p.results))
    if (failed(points.store(result, p.c + i)))
      return failure();
  return success();
}
