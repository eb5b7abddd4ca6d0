//===- Passes.h - Code generation for GPUs -------------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_CODEGEN_GPU_PASSES_H
#define TFC_CODEGEN_GPU_PASSES_H

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Pass/Pass.h"
#include <memory>

namespace mlir::tfc {

#define GEN_PASS_DECL
#include "tfc/Codegen/GPU/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "tfc/Codegen/GPU/Passes.h.inc"

} // namespace mlir::tfc

#endif // TFC_CODEGEN_GPU_PASSES_H
