//===- Contraction.h - Matrix products as GPU kernels see them -----------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_CODEGEN_GPU_KERNELS_CONTRACTION_H
#define TFC_LIB_CODEGEN_GPU_KERNELS_CONTRACTION_H

#include "Generators.h"
#include "PointEmitter.h"

namespace mlir::tfc {

/// A kernel that is C[..., m, n] = A * B and elementwise ops on C. Leading dims that only A has are rows of
/// it.
struct GpuContraction {
  MatmulOp op;
  Value result;     ///< What is stored, of C's dims.
  unsigned a, b, c; ///< pointer numbers
  SmallVector<DimExprAttr> batch, batchA, batchB;
  DimExprAttr m, n, k;
  bool transposedB;
  Type element;                  ///< of A and B
  SmallVector<DimExprAttr> dims; ///< of C

  /// How many products there are.
  DimExprAttr batchCount() const;
  /// Elements from one row of B's memory to the next.
  DimExprAttr rowOfB() const { return transposedB ? k : n; }
};

/// The kernel's matrix product, if that and what is done to its elements is all it is.
std::optional<GpuContraction> matchContraction(GpuKernelRequest request);

/// Where the matrices of one product of the batch begin.
struct ContractionBases {
  GlobalPointer a, b;
};
ContractionBases locateBatch(KernelBuilder &k, const GpuContraction &p, I32 batch);

/// Computes what becomes of elements of C and stores them.
class ContractionEpilogue {
public:
  ContractionEpilogue(KernelBuilder &k, func::FuncOp kernel, const GpuContraction &problem)
      : k(k), p(problem), points(k, kernel, problem.dims) {}

  /// `sums` are neighbours of row `row` of product `batch`, from `column` on, which is a multiple of
  /// `sums.size()` where N is.
  LogicalResult store(I32 batch, I32 row, I32 column, ArrayRef<F32> sums);
  /// How many neighbours go at once: N is a multiple of it.
  int64_t width(int64_t most) const;

private:
  KernelBuilder &k;
  const GpuContraction &p;
  PointEmitter points;
};

} // namespace mlir::tfc

#endif // TFC_LIB_CODEGEN_GPU_KERNELS_CONTRACTION_H
