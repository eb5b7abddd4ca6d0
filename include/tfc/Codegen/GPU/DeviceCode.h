//===- DeviceCode.h - Where the code of a GPU stands in a module ---------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_CODEGEN_GPU_DEVICECODE_H
#define TFC_CODEGEN_GPU_DEVICECODE_H

#include "llvm/ADT/StringRef.h"

namespace mlir::tfc {

/// The gpu.module of a program, which holds all steps of all kernels.
inline constexpr llvm::StringLiteral kGpuModuleName = "kernels";
/// On a function outside of it that becomes a kernel of it (tfc-outline-device-code).
inline constexpr llvm::StringLiteral kGpuStepAttr = "tfc.step";

} // namespace mlir::tfc

#endif // TFC_CODEGEN_GPU_DEVICECODE_H
