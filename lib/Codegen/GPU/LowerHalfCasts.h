//===- LowerHalfCasts.h - Casts of 16-bit floats without a library -------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_CODEGEN_GPU_LOWERHALFCASTS_H
#define TFC_LIB_CODEGEN_GPU_LOWERHALFCASTS_H

#include "llvm/IR/Function.h"
#include "llvm/IR/IRBuilder.h"

namespace mlir::tfc {

/// The bits of the bf16 that is nearest to an f32 (ties to even, a NaN stays one) in an integer of 32 bits; vectors likewise.
llvm::Value *roundToBFloat(llvm::IRBuilderBase &b, llvm::Value *x);

/// Casts between f32 and bf16 or f16 become integer arithmetic: x86 calls a library for most of them, which an emulated kernel
/// has no way to.
void lowerHalfCasts(llvm::Function &function);

} // namespace mlir::tfc

#endif // TFC_LIB_CODEGEN_GPU_LOWERHALFCASTS_H
