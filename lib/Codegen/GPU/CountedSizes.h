//===- CountedSizes.h - What a step of a kernel counts with 32 bits ------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_CODEGEN_GPU_COUNTEDSIZES_H
#define TFC_LIB_CODEGEN_GPU_COUNTEDSIZES_H

#include "llvm/ADT/StringRef.h"

namespace mlir::tfc {

/// On the function of a step while it is written: an array of the sizes that KernelBuilder has given as 32 bits.
/// generateGpuKernel takes it away, and sees to it that they fit.
inline constexpr llvm::StringLiteral kCountedAttr = "tfc.counted";

} // namespace mlir::tfc

#endif // TFC_LIB_CODEGEN_GPU_COUNTEDSIZES_H
