//===- ClusterSum.cpp - Parts of K that a cluster adds up ----------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// Where blocks can see each other's shared memory, the sums of a tile's parts of K need neither the workspace nor
// a second step, which would cost a launch. The order of the sums is the same as there.
//
//===----------------------------------------------------------------------------------------------===//

#include "../KernelHopper.h"
#include "Contraction.h"

using namespace mlir;
using namespace mlir::tfc;

SmallVector<F32> mlir::tfc::loadSums(KernelBuilder &k, SharedPointer at, int64_t count) {
  SmallVector<F32> sums;
  int64_t piece = std::min<int64_t>(count, 4);
  for (int64_t i = 0; i < count; i += piece)
    for (Value sum : k.load(at + i * 4, k.b.getF32Type(), piece))
      sums.push_back({k.b, sum});
  return sums;
}

ClusterSum::ClusterSum(KernelBuilder &k, int64_t parts)
    : part(HopperBuilder(k).clusterRank()), tile(k.blockIndex() / parts), k(k), parts(parts) {}

void ClusterSum::shareSums() { HopperBuilder(k).clusterBarrier(/*publishes=*/true); }

void ClusterSum::finish() { HopperBuilder(k).clusterBarrier(/*publishes=*/false); }

SmallVector<F32> ClusterSum::load(SharedPointer at, int64_t count) {
  HopperBuilder h(k);
  SmallVector<F32> sums(count, k.f32(0));
  int64_t piece = std::min<int64_t>(count, 4);
  for (int64_t number = 0; number < parts; ++number)
    for (int64_t i = 0; i < count; i += piece)
      for (auto [j, sum] : llvm::enumerate(h.loadFrom(k.i32(number), at + i * 4, k.b.getF32Type(), piece)))
        sums[i + j] = number == 0 ? F32(k.b, sum) : sums[i + j] + F32(k.b, sum);
  return sums;
}
