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
/// it. Several results are the same elements in other types, or on the way to each other.
struct GpuContraction {
  MatmulOp op;
  SmallVector<Value> results; ///< What is stored, of C's dims.
  unsigned a, b, c;           ///< pointer numbers; the first of the results
  SmallVector<DimExprAttr> batch, batchA, batchB;
  DimExprAttr m, n, k;
  bool transposedB;
  Type elementA, elementB;
  Type element;                  ///< of both; f32 where they differ
  std::optional<MmaType> mma;    ///< What a tensor core would multiply; none where one must not.
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
  /// From now on `store` leaves sums of this part of K in the workspace.
  void keepPartOf(I32 split) { part = split; }
  /// How many neighbours go at once: N is a multiple of it.
  int64_t width(int64_t most) const;

private:
  KernelBuilder &k;
  const GpuContraction &p;
  PointEmitter points;
  I32 part;
};

/// A tile of C that a block computes.
struct ContractionTile {
  int64_t rows, columns;
};

/// One way to compute a product; the run takes the one whose `when` is 1 for its sizes.
struct ContractionVariant {
  size_t tile;      ///< number of it
  int64_t splits;   ///< parts of K; their sums are added by a second step, or in a cluster
  DimExprAttr when; ///< 1 or 0
  std::string name;
  bool inCluster = false; ///< The parts of a tile are the blocks of a cluster.
  int64_t gemvRows = 0; ///< For at most so many rows, without tiles (Gemv.cpp).
};

/// The variants of a product for tiles of growing size: small ones and parts of K where there is little work,
/// large ones where they keep the chip busy. `depth`: steps along K per slice. `inClusters`: parts of K are
/// to be added in clusters.
SmallVector<ContractionVariant> selectVariants(const GpuContraction &p, ArrayRef<ContractionTile> tiles,
                                               int64_t depth, bool inClusters,
                                               const ::tfc::GpuTarget &target);
/// The steps of all variants, each of which `emit` writes for its own tile.
FailureOr<GpuKernel> emitVariants(GpuKernelRequest request, const GpuContraction &p,
                                  ArrayRef<ContractionVariant> variants,
                                  function_ref<FailureOr<GpuStep>(const ContractionVariant &)> emit);
FailureOr<GpuStep> emitSplitSum(GpuKernelRequest request, const GpuContraction &p, int64_t splits,
                                StringRef name);

/// Whether products of a few rows can go without tiles, and the step that does it.
bool canBeGemv(const GpuContraction &p);
FailureOr<GpuStep> emitGemv(GpuKernelRequest request, const GpuContraction &p,
                            const ContractionVariant &variant);

/// Whether Hopper's tensor cores can compute the product, and the step for one tile on them; none where it has no
/// such tile.
bool canBeGemmWgmma(const GpuContraction &p, const ::tfc::GpuTarget &target);
FailureOr<std::optional<GpuStep>> emitGemmWgmma(GpuKernelRequest request, const GpuContraction &p,
                                                const ContractionTile &tile,
                                                const ContractionVariant &variant);

/// The slices of K that a block works on.
struct SliceRange {
  I32 from, to;
};
SliceRange splitSlices(I32 slices, I32 split, int64_t splits);

/// Neighbouring sums in shared memory.
SmallVector<F32> loadSums(KernelBuilder &k, SharedPointer at, int64_t count);

/// Where the parts of K of a tile are the blocks of a cluster: each leaves its sums in its shared memory, at
/// the same place, and computes the epilogue for its share of the tile from all of them.
class ClusterSum {
public:
  ClusterSum(KernelBuilder &k, int64_t parts);
  /// The block's part of K, and the number of its tile.
  I32 part, tile;
  /// Waits until all blocks have left their sums.
  void shareSums();
  /// Waits until all have read them: no block may end before.
  void finish();
  /// Neighbouring sums at a place of shared memory, those of all parts added in their order.
  SmallVector<F32> load(SharedPointer at, int64_t count);

private:
  KernelBuilder &k;
  int64_t parts;
};

} // namespace mlir::tfc

#endif // TFC_LIB_CODEGEN_GPU_KERNELS_CONTRACTION_H
