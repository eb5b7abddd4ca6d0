//===- KernelHopper.h - What only Hopper can do --------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// Barriers in memory, the bulk tensor copy engine (TMA), and clusters of blocks: sm_90 and later. Products of
// a warpgroup (wgmma): sm_90a.
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_CODEGEN_GPU_KERNELHOPPER_H
#define TFC_LIB_CODEGEN_GPU_KERNELHOPPER_H

#include "KernelBuilder.h"

namespace mlir::tfc {

/// A place in a ring of buffers: its number, and the parity of the round.
struct RingPlace {
  I32 stage, parity;
};

class HopperBuilder {
public:
  explicit HopperBuilder(KernelBuilder &k) : k(k), b(k.b) {}

  //===--------------------------------------------------------------------------------------------===//
  // Barriers in shared memory, 8 bytes each
  //===--------------------------------------------------------------------------------------------===//

  void initBarrier(SharedPointer barrier, int64_t arrivals);
  /// Makes barriers that one thread has initialized known to the copy engine; a block barrier comes next.
  void publishBarriers();
  /// Waits until the phase with this parity is over.
  void wait(SharedPointer barrier, I32 parity);
  void arrive(SharedPointer barrier);
  /// Arrives, and lets the phase wait for that many bytes besides.
  void arriveExpecting(SharedPointer barrier, int64_t bytes);

  /// A box of the tensor map to shared memory; its bytes count at the barrier. Coordinates begin with the
  /// innermost.
  void copyTile(SharedPointer to, unsigned map, SharedPointer barrier, ArrayRef<I32> coordinates);

  //===--------------------------------------------------------------------------------------------===//
  // Clusters
  //===--------------------------------------------------------------------------------------------===//

  /// The block's number in its cluster.
  I32 clusterRank();
  /// All threads of all blocks of the cluster meet. With `publishes` they see what the others have written before,
  /// which takes fences.
  void clusterBarrier(bool publishes);
  /// `count` neighbours at the same place in the shared memory of block `rank`.
  SmallVector<Value> loadFrom(I32 rank, SharedPointer place, Type element, int64_t count);

  //===--------------------------------------------------------------------------------------------===//
  // Warpgroups
  //===--------------------------------------------------------------------------------------------===//

  /// The number of the thread's warpgroup, in a form that ptxas knows to be the same for a whole warp.
  I32 warpgroup();
  /// Registers per thread of the two roles.
  struct RoleRegisters {
    int64_t producer, consumer;
  };
  /// The first warpgroup's first thread runs `produce`; the others run `consume` with their number. Each
  /// takes as many registers as it is said to; without `registers` it keeps those it has.
  void inRoles(std::optional<RoleRegisters> registers, function_ref<void()> produce,
               function_ref<void(I32)> consume);
  /// A barrier among some of the warps; number 0 is the block's.
  void namedBarrier(I32 number, int64_t threads);

  /// What wgmma wants to know of a tile of 16-bit elements with a 128-byte swizzle. `alongK`: rows of 64
  /// elements along k, 8 rows to 1024 bytes. Else: rows along the other dim, in panels of `panelRows` x 64.
  I64 describeTile(SharedPointer tile, bool alongK, int64_t panelRows = 64);
  /// One product of 64 x columns x 16, added to the sums from number `firstSum` on. A is described, or it is
  /// in registers: four words, as mma.sync takes it.
  struct TileProduct {
    TileProduct(I64 a, I64 b, int64_t firstSum = 0) : a({a.v}), b(b), firstSum(firstSum) {}
    TileProduct(ArrayRef<Value> words, I64 b) : a(words), b(b) {}
    SmallVector<Value, 4> a;
    I64 b; ///< description of the tile
    int64_t firstSum = 0;
  };
  /// A group of products, which goes on in the background. It is one piece of assembly: were a register moved
  /// between two of its products, ptxas would wait for the first one. Without `sums` the first product is not
  /// added to anything, and all of them have the same sums.
  SmallVector<Value> multiply(MmaType type, int64_t columns, bool transposedB, ArrayRef<TileProduct> products,
                              ValueRange sums = {});
  /// Waits for all but the last `pending` groups. The sums go through, so that nobody reads them earlier.
  SmallVector<Value> waitProducts(int64_t pending, ValueRange sums);

private:
  void changeRegisters(int64_t count, bool increase);
  SmallVector<Value> assembly(StringRef text, int64_t results, ValueRange operands, StringRef constraints,
                              ValueRange tied);

  KernelBuilder &k;
  ImplicitLocOpBuilder &b;
};

} // namespace mlir::tfc

#endif // TFC_LIB_CODEGEN_GPU_KERNELHOPPER_H
