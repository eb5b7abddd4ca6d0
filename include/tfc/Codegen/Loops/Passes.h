//===- Passes.h - Kernels as loops over tiles, for every device ------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// The generic road: what every kernel can be made of that no generator takes. Devices frame kernels, have their generators
// take what they know, and send the rest down here.
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_CODEGEN_LOOPS_PASSES_H
#define TFC_CODEGEN_LOOPS_PASSES_H

#include "mlir/IR/DialectRegistry.h"
#include "mlir/Pass/Pass.h"
#include <memory>

namespace mlir {
class ModuleOp;
class OpPassManager;

namespace tfc {

#define GEN_PASS_DECL
#include "tfc/Codegen/Loops/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "tfc/Codegen/Loops/Passes.h.inc"

/// What a device says about the loops it wants.
struct LoopsOptions {
  /// Innermost iterations of a tile, about: on a CPU enough to pay for its start, few enough that its temporaries stay in the L1.
  int64_t tileWork = 2048;
  /// Temporaries that a thread keeps on its stack, all of a kernel together. Threads of a pool may have small stacks.
  int64_t stackBytes = 32 * 1024;
  /// Whether sums along rows become vectors of partial sums (tfc-lower-row-reductions), or stay one chain.
  bool vectorSums = true;
};

/// Framed kernels on tfc ops -> framed kernels of loops, scalars and memrefs. Math functions are left as they are.
void buildLoopsPipeline(OpPassManager &pm, const LoopsOptions &options);

/// Canonicalization and CSE of each function by itself: functions are done in parallel.
void addFunctionCleanup(OpPassManager &pm);

/// Dialects and interfaces that the pipeline needs in the registry before a context is made.
void registerLoopsCodegenDialects(DialectRegistry &registry);

} // namespace tfc
} // namespace mlir

#endif // TFC_CODEGEN_LOOPS_PASSES_H
